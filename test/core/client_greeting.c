/* Proves the way from the connection to the first job: greeting, EHLO and HELO, STARTTLS, and each way in
 * which a server can spoil it. */
#include "client_rig.h"

static void greets(void **state)
{
    struct rig *rig = *state;
    rig_connect(rig);
    rig_said(rig, "");
    assert_int_equal(rig->out.timer_ms, 31000);
    rig_hears(rig, "220-inner.example\r\n220 ESMTP\r\n");
    rig_said(rig, "EHLO mx.example\r\n");
    assert_false(client_was_ready(rig->client));
    rig_hears(rig, EHLO_FULL);
    rig_is_ready(rig);
    rig_said(rig, "");
    const struct capability *capability = client_capabilities(rig->client);
    assert_int_equal(capability->set, CAPABILITY_PIPELINING | CAPABILITY_SIZE | CAPABILITY_8BITMIME |
                                          CAPABILITY_SMTPUTF8 | CAPABILITY_DSN);
    assert_int_equal(capability->size, 10000);
    assert_slice_equal(capability->greeting, "inner.example");
    assert_true(client_was_ready(rig->client) && client_is_idle(rig->client));
}

static void falls_back_to_helo(void **state)
{
    struct rig *rig = *state;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "502 5.5.1 no EHLO\r\n");
    rig_said(rig, "EHLO mx.example\r\nHELO mx.example\r\n");
    rig_hears(rig, "250 hi\r\n");
    rig_is_ready(rig);
    assert_int_equal(client_capabilities(rig->client)->set, 0);
}

static void speaks_lmtp(void **state)
{
    struct rig *rig = *state;
    rig->settings.protocol = CLIENT_LMTP;
    rig_greet(rig, EHLO_PIPELINING);
}

/* Server's words in order; what the client makes of them. */
static void spoiled_greetings(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *words;
        enum client_protocol protocol;
        enum route_tls tls;
        const char *trouble;
    } cases[] = {
        {"554 go\taway\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its greeting was 554 go?away"},
        {"421 4.3.2 busy\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its greeting was 421 busy"},
        {"250 hi\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its greeting was 250 hi"},
        {"SSH-2.0-x\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "what came in place of its greeting is no reply"},
        {"\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "what came in place of its greeting is no reply"},
        {"220-a\r\n250 b\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER,
         "what came in place of its greeting is no reply"},
        {"220 a\r\n|421 no\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its reply to EHLO was 421 no"},
        {"220 a\r\n|451 no\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its reply to EHLO was 451 no"},
        {"220 a\r\n|354 no\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its reply to EHLO was 354 no"},
        {"220 a\r\n|500 no\r\n", CLIENT_LMTP, ROUTE_TLS_NEVER, "its reply to LHLO was 500 no"},
        {"220 a\r\n|500 no\r\n|500 no\r\n", CLIENT_SMTP, ROUTE_TLS_NEVER, "its reply to HELO was 500 no"},
        {"220 a\r\n|500 no\r\n", CLIENT_SMTP, ROUTE_TLS_MUST, "its reply to EHLO was 500 no"},
        {"220 a\r\n|250 a\r\n", CLIENT_SMTP, ROUTE_TLS_MUST,
         "the server does not offer STARTTLS, which the route demands"},
        {"220 a\r\n|250-a\r\n250 STARTTLS\r\n|454 no\r\n", CLIENT_SMTP, ROUTE_TLS_MUST,
         "its reply to STARTTLS was 454 no"},
        {"220 a\r\n|250-a\r\n250 STARTTLS\r\n|421 no\r\n", CLIENT_SMTP, ROUTE_TLS_MAY,
         "its reply to STARTTLS was 421 no"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice words = slice_text(cases[i].words), word;
        rig->settings.protocol = cases[i].protocol;
        rig->settings.tls = cases[i].tls;
        rig_connect(rig);
        while (slice_cut(&words, '|', &word)) {
            char text[128];
            assert_false(rig->closed);
            memcpy(text, word.at, word.len);
            text[word.len] = '\0';
            rig_hears(rig, text);
        }
        rig_is_closed(rig, cases[i].trouble);
        assert_false(client_was_ready(rig->client));
        client_free(rig->client);
        rig->client = NULL;
    }
}

/* Whoever answers what was not yet asked would be out of step from then on. */
static void answers_ahead(void **state)
{
    struct rig *rig = *state;
    if (rig->octet_by_octet)
        return;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n250 hi\r\n");
    rig_is_closed(rig, "more came than its greeting");
    rig_said(rig, "");
}

static void endless_greeting(void **state)
{
    struct rig *rig = *state;
    rig_connect(rig);
    for (size_t i = 0; i < 200 && !rig->closed; i++)
        rig_hears(rig, "220-one more line of a greeting that never ends\r\n");
    rig_is_closed(rig, "what came in place of its greeting is no reply");
}

static void line_without_end(void **state)
{
    struct rig *rig = *state;
    size_t fed = 0;
    rig_connect(rig);
    for (rig_hears(rig, "220 "); !rig->closed && fed < 100000; fed += 10)
        rig_hears(rig, "xxxxxxxxxx");
    rig_is_closed(rig, "what came in place of its greeting is no reply");
    assert_true(fed < 20000);
}

/* The time runs from the question, not from the last octet. */
static void dribbles(void **state)
{
    struct rig *rig = *state;
    rig_connect(rig);
    for (size_t i = 0; i < 29; i++) {
        rig->now_ms += 1000;
        rig_hears(rig, i == 0 ? "220 " : "x");
        rig_step(rig, CLIENT_TIMER, SLICE_NONE);
        assert_false(rig->closed);
    }
    rig->now_ms += 1000;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    rig_is_closed(rig, "waited 30s for its greeting");
}

static void hangs_up(void **state)
{
    struct rig *rig = *state;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "250");
    rig_step(rig, CLIENT_EOF, SLICE("Connection reset by peer"));
    rig_is_closed(rig,
                  "the connection ended while we waited for its reply to EHLO: Connection reset by peer");
}

static void starts_tls(void **state)
{
    struct rig *rig = *state;
    rig->settings.tls = ROUTE_TLS_MAY;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "250-inner.example\r\n250-STARTTLS\r\n250 DSN\r\n");
    rig_said(rig, "EHLO mx.example\r\nSTARTTLS\r\n");
    assert_false(rig->tls_wanted);
    rig_hears(rig, "220 go\r\n");
    assert_true(rig->tls_wanted && !rig->out.ready);
    rig_step(rig, CLIENT_TLS_UP, SLICE_NONE);
    rig_said(rig, "EHLO mx.example\r\n");
    assert_int_equal(client_capabilities(rig->client)->set, 0);
    rig_hears(rig, "250-inner.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n");
    rig_is_ready(rig);
    rig_said(rig, "");
    assert_int_equal(client_capabilities(rig->client)->set, CAPABILITY_STARTTLS | CAPABILITY_PIPELINING);
    assert_true(client_has_tls(rig->client));
}

static void goes_on_without_tls(void **state)
{
    struct rig *rig = *state;
    rig->settings.tls = ROUTE_TLS_MAY;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "250-inner.example\r\n250 STARTTLS\r\n");
    rig_hears(rig, "454 4.7.0 not now\r\n");
    rig_is_ready(rig);
    assert_false(client_has_tls(rig->client) || rig->tls_wanted);
}

static void plain_text_behind_starttls(void **state)
{
    struct rig *rig = *state;
    rig->settings.tls = ROUTE_TLS_MUST;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "250-inner.example\r\n250 STARTTLS\r\n");
    rig_hears(rig, "220 go\r\n250 injected\r\n");
    assert_true(rig->closed);
    if (rig->octet_by_octet)
        rig_is_closed(rig, "plain text came behind the reply to STARTTLS");
    else
        rig_is_closed(rig, "more came than its reply to STARTTLS");
}

static void handshake_fails(void **state)
{
    struct rig *rig = *state;
    rig->settings.tls = ROUTE_TLS_MAY;
    rig_connect(rig);
    rig_hears(rig, "220 hi\r\n");
    rig_hears(rig, "250-inner.example\r\n250 STARTTLS\r\n");
    rig_hears(rig, "220 go\r\n");
    rig_step(rig, CLIENT_TLS_FAILED, SLICE("no shared cipher"));
    rig_is_closed(rig, "the TLS handshake failed: no shared cipher");
    assert_false(client_was_ready(rig->client));
}

static void speaks_while_idle(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_hears(rig, "421 4.4.2 idle for too long\r\n");
    rig_is_closed(rig, "the server spoke while nothing was asked of it");
}

static void ends_while_idle(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_step(rig, CLIENT_EOF, SLICE_NONE);
    rig_is_closed(rig, "");
}

static void quits(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_step(rig, CLIENT_QUIT, SLICE_NONE);
    rig_said(rig, "QUIT\r\n");
    assert_false(rig->closed);
    rig_hears(rig, "221 bye\r\n");
    rig_is_closed(rig, "");
}

static void quits_a_silent_server(void **state)
{
    struct rig *rig = *state;
    rig_greet(rig, EHLO_PLAIN);
    rig_step(rig, CLIENT_QUIT, SLICE_NONE);
    rig->now_ms = rig->out.timer_ms;
    rig_step(rig, CLIENT_TIMER, SLICE_NONE);
    rig_is_closed(rig, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(greets),
        RIG_TEST(falls_back_to_helo),
        RIG_TEST(speaks_lmtp),
        RIG_TEST(spoiled_greetings),
        RIG_TEST(answers_ahead),
        RIG_TEST(endless_greeting),
        RIG_TEST(line_without_end),
        RIG_TEST(dribbles),
        RIG_TEST(hangs_up),
        RIG_TEST(starts_tls),
        RIG_TEST(goes_on_without_tls),
        RIG_TEST(plain_text_behind_starttls),
        RIG_TEST(handshake_fails),
        RIG_TEST(speaks_while_idle),
        RIG_TEST(ends_while_idle),
        RIG_TEST(quits),
        RIG_TEST(quits_a_silent_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
