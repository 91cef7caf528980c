/* Proves what the inner server is told of the client: XCLIENT attribute by attribute as offered, once and
 * again when it changes, and PROXY in front of everything. */
#include "client_rig.h"
#include "wire/proxy.h"

#define MAIL_C "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@inner.example>\r\n"

#define EHLO_XCLIENT                                                                                         \
    "250-inner.example\r\n250-PIPELINING\r\n250 XCLIENT NAME ADDR PORT PROTO HELO DESTADDR\r\n"

static void about(struct rig *rig, const char *peer)
{
    assert_true(address_port_parse(slice_text(peer), 0, &rig->transaction.peer));
    assert_true(address_port_parse(SLICE("203.0.113.1:25"), 0, &rig->transaction.local));
    rig->transaction.helo = SLICE("a+b.example");
    rig->transaction.esmtp = true;
}

static void tells_by_xclient(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, EHLO_XCLIENT);
    rig_start(rig);
    rig_said(rig, "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=a+2Bb.example "
                  "DESTADDR=203.0.113.1\r\n");
    rig_hears(rig, "220 inner.example ESMTP\r\n");
    rig_said(rig, "EHLO a+b.example\r\n");
    rig_hears(rig, EHLO_XCLIENT);
    rig_said(rig, MAIL_C "DATA\r\n");
    rig_hears(rig, "250 a\r\n250 b\r\n354 go\r\n");
    rig_hears(rig, "250 taken\r\n");
    rig_is_done(rig, 250);
    buf_clear(&rig->sent);
    rig_start(rig);
    rig_said(rig, MAIL_C "DATA\r\n");
    rig_hears(rig, "250 a\r\n250 b\r\n554 no\r\n");
    rig_hears(rig, "250 reset\r\n");
    buf_clear(&rig->sent);
    about(rig, "[2001:db8::7]:4711");
    rig->transaction.peer_name = SLICE("client.example");
    rig_start(rig);
    rig_said(rig,
             "XCLIENT NAME=client.example ADDR=IPV6:2001:db8::7 PORT=4711 PROTO=ESMTP HELO=a+2Bb.example "
             "DESTADDR=203.0.113.1\r\n");
}

static void xclient_refused(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, "250-x\r\n250 XCLIENT ADDR\r\n");
    rig_start(rig);
    rig_hears(rig, "550 5.7.0 not you\r\n");
    rig_said(rig, "XCLIENT ADDR=192.0.2.7\r\nMAIL FROM:<a@b.example>\r\n");
    rig_hears(rig, "550 no\r\n");
    rig_is_ready(rig);
    rig_start(rig);
    rig_said(rig, "MAIL FROM:<a@b.example>\r\n");
}

/* The server does not like the other's name: it is greeted under ours. */
static void helo_refused(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, "250-x\r\n250 XCLIENT ADDR\r\n");
    rig_start(rig);
    rig_hears(rig, "220 x\r\n");
    rig_hears(rig, "550 no such host\r\n");
    rig_said(rig, "XCLIENT ADDR=192.0.2.7\r\nEHLO a+b.example\r\nEHLO mx.example\r\n");
    rig_hears(rig, "250-x\r\n250 XCLIENT ADDR\r\n");
    rig_said(rig, "MAIL FROM:<a@b.example>\r\n");
    rig_hears(rig, "250 a\r\n");
    rig_hears(rig, "550 b\r\n");
    rig_hears(rig, "250 c\r\n");
    rig_is_ready(rig);
    buf_clear(&rig->sent);
    rig->transaction.helo = SLICE("a b\x7f");
    about(rig, "192.0.2.8:4711");
    rig->transaction.helo = SLICE("a b\x7f");
    rig_start(rig);
    rig_hears(rig, "220 x\r\n");
    rig_said(rig, "XCLIENT ADDR=192.0.2.8\r\nEHLO mx.example\r\n");
}

/* Told once and not offered again: the connection is that client's, and ends with the job. */
static void xclient_offered_once(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, "250-x\r\n250 XCLIENT ADDR\r\n");
    rig_start(rig);
    rig_hears(rig, "220 x\r\n");
    rig_hears(rig, EHLO_PLAIN);
    buf_clear(&rig->sent);
    rig_hears(rig, "550 no\r\n");
    rig_is_done(rig, 550);
    rig_said(rig, "QUIT\r\n");
    assert_true(rig->job.closed && !rig->out.ready);
    rig_hears(rig, "221 bye\r\n");
    rig_is_closed(rig, "");
}

static void xclient_ends_badly(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, "250-x\r\n250 XCLIENT ADDR\r\n");
    rig_start(rig);
    rig_hears(rig, "421 no\r\n");
    rig_is_done(rig, 0);
    rig_is_closed(rig, "its reply to XCLIENT was 421 no");
}

static void xclient_not_offered(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_XCLIENT;
    about(rig, "192.0.2.7:4711");
    rig_greet(rig, EHLO_PIPELINING);
    rig_start(rig);
    rig_said(rig, MAIL_C "DATA\r\n");
}

static void tells_by_proxy(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_PROXY;
    about(rig, "192.0.2.7:4711");
    rig_connect(rig);
    rig_said(rig, "PROXY TCP4 192.0.2.7 203.0.113.1 4711 25\r\n");
    client_free(rig->client);
    about(rig, "[2001:db8::7]:4711");
    rig_connect(rig);
    rig_said(rig, "PROXY UNKNOWN\r\n");
    client_free(rig->client);
    assert_true(address_port_parse(SLICE("[2001:db8::1]:25"), 0, &rig->transaction.local));
    rig_connect(rig);
    rig_said(rig, "PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n");
    client_free(rig->client);
    rig->job.transaction = NULL;
    rig->settings.self = rig->settings.server = rig->transaction.local;
    rig_connect(rig);
    rig_said(rig, "PROXY TCP6 2001:db8::1 2001:db8::1 25 25\r\n");
    client_free(rig->client);
    rig->settings.self.family = ADDRESS_NONE;
    rig_connect(rig);
    rig_said(rig, "PROXY UNKNOWN\r\n");
}

static struct proxy said_v2(struct rig *rig)
{
    struct proxy proxy;
    rig_connect(rig);
    assert_int_equal(proxy_parse(buf_slice(&rig->sent), &proxy), PROXY_DONE);
    assert_int_equal(proxy.taken, rig->sent.len);
    assert_int_equal(proxy.version, 2);
    buf_clear(&rig->sent);
    client_free(rig->client);
    rig->client = NULL;
    return proxy;
}

static void tells_by_proxy_v2(void **state)
{
    struct rig *rig = *state;
    rig->settings.tell = ROUTE_TELL_PROXY_V2;
    about(rig, "192.0.2.7:4711");
    struct proxy proxy = said_v2(rig);
    assert_true(address_equal(&proxy.source, &rig->transaction.peer));
    assert_true(address_equal(&proxy.destination, &rig->transaction.local));
    about(rig, "[2001:db8::7]:4711");
    assert_true(said_v2(rig).local);
    assert_true(address_port_parse(SLICE("[2001:db8::1]:25"), 0, &rig->transaction.local));
    proxy = said_v2(rig);
    assert_true(address_equal(&proxy.source, &rig->transaction.peer));
    assert_true(address_equal(&proxy.destination, &rig->transaction.local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(tells_by_xclient),     RIG_TEST(xclient_refused),    RIG_TEST(helo_refused),
        RIG_TEST(xclient_offered_once), RIG_TEST(xclient_ends_badly), RIG_TEST(xclient_not_offered),
        RIG_TEST(tells_by_proxy),       RIG_TEST(tells_by_proxy_v2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
