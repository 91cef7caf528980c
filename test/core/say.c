/* Replies come out as RFC 5321 and RFC 2034 want them: codes on every line, nothing of a peer's ends a line,
 * and refusals end in their number and the session's id. */
#include "unit.h"

#include "core/event.h"
#include "core/say.h"
#include "core/site.h"

#include <string.h>

#define SESSION UINT64_C(0x123456789abcdef)

struct reply {
    struct buf buf;
    char id[EVENT_ID_SIZE];
    char wanted[SAY_SIZE_MAX];
};

static struct slice say(struct reply *reply, enum say number, const struct slice *arguments,
                        const struct say_tail *tail)
{
    buf_drop(&reply->buf);
    buf_init(&reply->buf, 2 * SAY_SIZE_MAX);
    event_id_print(SESSION, reply->id);
    say_add(&reply->buf, number, arguments, tail);
    return buf_slice(&reply->buf);
}

/* The wanted text with $ for the session's id. */
static void assert_reply(struct reply *reply, const char *wanted)
{
    size_t len = 0;

    for (; *wanted; wanted++) {
        if (*wanted != '$') {
            reply->wanted[len++] = *wanted;
            continue;
        }
        memcpy(reply->wanted + len, reply->id, EVENT_ID_SIZE - 1);
        len += EVENT_ID_SIZE - 1;
    }
    const struct slice text = buf_slice(&reply->buf);
    if (!slice_equal(text, slice_of(reply->wanted, len)))
        fail_msg("\"%.*s\" is not \"%.*s\"", SLICE_ARGS(text), (int)len, reply->wanted);
}

static void test_simple(void **state)
{
    struct reply reply = {0};
    const struct say_tail tail = {.session = SESSION};

    (void)state;
    say(&reply, SAY_RECIPIENT_OK, NULL, NULL);
    assert_reply(&reply, "250 2.1.5 recipient accepted\r\n");
    say(&reply, SAY_RECIPIENT_OK, NULL, &tail);
    assert_reply(&reply, "250 2.1.5 recipient accepted\r\n");
    say(&reply, SAY_SEND_MESSAGE, NULL, &tail);
    assert_reply(&reply, "354 send the message, end it with a dot on a line of its own\r\n");
    say(&reply, SAY_NOT_STORED, NULL, &tail);
    assert_reply(&reply, "451 4.3.0 the message could not be stored, come again later #107 ($)\r\n");
    buf_drop(&reply.buf);
}

static void test_arguments(void **state)
{
    struct reply reply = {0};
    const struct say_tail tail = {.session = SESSION};

    (void)state;
    say(&reply, SAY_RELAY_DENIED, (struct slice[SAY_ARGUMENTS]){SLICE("a@b.example")}, &tail);
    assert_reply(&reply, "550 5.7.1 we do not relay for <a@b.example> #81 ($)\r\n");
    say(&reply, SAY_UNKNOWN_RECIPIENT_INNER,
        (struct slice[SAY_ARGUMENTS]){SLICE("a@b.example"), SLICE("550 5.1.1 nobody")}, &tail);
    assert_reply(
        &reply, "550 5.1.1 <a@b.example> is refused by the mail server behind: 550 5.1.1 nobody #83 ($)\r\n");
    buf_drop(&reply.buf);
}

static void test_peers_cannot_end_a_line(void **state)
{
    struct reply reply = {0};

    (void)state;
    say(&reply, SAY_HELO,
        (struct slice[SAY_ARGUMENTS]){SLICE("mx"),
                                      SLICE("a\r\n250 b\0\x1b[2J\x7f\xc2\x85\xff\xc3\xa4{}\t\n")},
        NULL);
    assert_reply(&reply, "250 mx greets a??250 b??[2J???\xc3\xa4{}??\r\n");
    say(&reply, SAY_HELO, (struct slice[SAY_ARGUMENTS]){SLICE("mx"), SLICE("\xe2\x82")}, NULL);
    assert_reply(&reply, "250 mx greets ??\r\n");
    buf_drop(&reply.buf);
}

static void test_arguments_are_cut(void **state)
{
    struct reply reply = {0};
    static char text[2000];

    (void)state;
    memset(text, 'x', sizeof text);
    const struct slice out = say(&reply, SAY_RELAY_DENIED,
                                 (struct slice[SAY_ARGUMENTS]){slice_of(text, sizeof text)}, NULL);
    size_t count = 0;
    for (size_t i = 0; i < out.len; i++)
        count += out.at[i] == 'x';
    assert_int_equal(count, 512);
    buf_drop(&reply.buf);
}

static void test_own_lines(void **state)
{
    struct reply reply = {0};
    const struct say_tail all = {.wanted = true, .session = SESSION};
    const struct slice ehlo[SAY_ARGUMENTS] = {SLICE("mx"), SLICE("c"), SLICE("\nPIPELINING\nSIZE 1000")};

    (void)state;
    say(&reply, SAY_EHLO, ehlo, NULL);
    assert_reply(&reply, "250-mx greets c\r\n250-PIPELINING\r\n250 SIZE 1000\r\n");
    say(&reply, SAY_EHLO, ehlo, &all);
    assert_reply(&reply, "250-mx greets c #51 ($)\r\n250-PIPELINING\r\n250 SIZE 1000\r\n");
    say(&reply, SAY_EHLO, (struct slice[SAY_ARGUMENTS]){SLICE("mx"), SLICE("c\nSTARTTLS")}, NULL);
    assert_reply(&reply, "250 mx greets c?STARTTLS\r\n");
    say(&reply, SAY_BANNER, (struct slice[SAY_ARGUMENTS]){SLICE("mx")}, NULL);
    assert_reply(&reply, "220 mx ESMTP\r\n");
    say(&reply, SAY_BANNER, (struct slice[SAY_ARGUMENTS]){SLICE("mx"), SLICE("Postern\nYou are welcome\r")},
        &all);
    assert_reply(&reply, "220-mx ESMTP Postern #1 ($)\r\n220 You are welcome?\r\n");
    say(&reply, SAY_HELP, NULL, &all);
    assert_reply(&reply, "214 2.0.0 this is Postern, an SMTP gate #54 ($)\r\n");
    say(&reply, SAY_HELP, (struct slice[SAY_ARGUMENTS]){SLICE("https://example.org/")}, NULL);
    assert_reply(&reply, "214-2.0.0 this is Postern, an SMTP gate\r\n214 2.0.0 https://example.org/\r\n");
    buf_drop(&reply.buf);
}

static void test_all_replies_numbered(void **state)
{
    struct reply reply = {0};
    const struct say_tail all = {.wanted = true, .session = SESSION, .url = SLICE("https://example.org/p")};

    (void)state;
    say(&reply, SAY_SENDER_OK, NULL, &all);
    assert_reply(&reply, "250 2.1.0 sender accepted #70 ($)\r\n");
    say(&reply, SAY_POLICY_REJECT, NULL, &all);
    assert_reply(&reply, "550-5.7.1 refused by policy\r\n550 5.7.1 see https://example.org/p #121 ($)\r\n");
    say(&reply, SAY_NOT_STORED, NULL, &all);
    assert_reply(&reply, "451 4.3.0 the message could not be stored, come again later #107 ($)\r\n");
    buf_drop(&reply.buf);
}

static void test_url_with_the_number(void **state)
{
    struct reply reply = {0};
    struct say_tail tail = {.session = SESSION, .url = SLICE("https://example.org/r.html#{number}")};

    (void)state;
    say(&reply, SAY_POLICY_REJECT, NULL, &tail);
    assert_reply(&reply, "550-5.7.1 refused by policy\r\n"
                         "550 5.7.1 see https://example.org/r.html#121 #121 ($)\r\n");
    say(&reply, SAY_NOT_STORED, NULL, &tail);
    assert_reply(&reply, "451 4.3.0 the message could not be stored, come again later #107 ($)\r\n");
    say(&reply, SAY_SENDER_OK, NULL, &tail);
    assert_reply(&reply, "250 2.1.0 sender accepted\r\n");
    tail.url_in_4yz = true;
    tail.url = SLICE("https://example.org/{number}/de");
    say(&reply, SAY_NOT_STORED, NULL, &tail);
    assert_reply(&reply, "451-4.3.0 the message could not be stored, come again later\r\n"
                         "451 4.3.0 see https://example.org/107/de #107 ($)\r\n");
    say(&reply, SAY_SENDER_OK, NULL, &tail);
    assert_reply(&reply, "250 2.1.0 sender accepted\r\n");
    buf_drop(&reply.buf);
}

/* The longest URL that a configuration may have stays whole on its line (RFC 5321 section 4.5.3.1.5). */
static void test_longest_url_stays_whole(void **state)
{
    char url[400];
    struct reply reply = {0};
    const struct say_tail tail = {.session = SESSION, .url_in_4yz = true, .url = slice_of(url, 399)};

    (void)state;
    memset(url, 'u', sizeof url);
    memcpy(url + 391, "{number}", 8);
    for (unsigned number = 0; number < SAY_LIMIT; number++) {
        const struct say_info *info = say_info(number);
        if (!info || info->code < 400)
            continue;
        const struct slice all = say(&reply, (enum say)number, NULL, &tail);
        const size_t line = slice_find_slice(all, SLICE(" see u"));
        assert_true(line != SLICE_NOT_FOUND && slice_from(all, line).len <= 512 - 10);
        assert_true(slice_find(slice_from(all, line + 5), ' ') == 391 + (number > 99  ? 3u
                                                                         : number > 9 ? 2u
                                                                                      : 1u));
    }
    buf_drop(&reply.buf);
}

static bool names_a_setting(const char *text)
{
    for (size_t i = 0; i < setting_count; i++)
        if (strchr(setting_infos[i].name, '.') && strstr(text, setting_infos[i].name))
            return true;
    return false;
}

/* What is said of a reply helps whoever got it, and gives away neither settings nor how clients are judged.
 */
static void test_every_reply_is_explained(void **state)
{
    static const char *const secrets[] = {"trap",     "weight",  "threshold", "score",     "suspect",
                                          "override", "finding", "tarpit",    "spam list", "discard"};

    (void)state;
    for (unsigned number = 0; number < SAY_LIMIT; number++) {
        const struct say_info *info = say_info(number);
        if (!info)
            continue;
        const char *texts[] = {info->cause, info->remedy};
        for (size_t i = 0; i < COUNT(texts); i++) {
            const size_t len = strlen(texts[i]);
            assert_true(len > 10 && (texts[i][len - 1] == '.' || texts[i][len - 1] == '?'));
            assert_false(names_a_setting(texts[i]));
            for (size_t k = 0; k < COUNT(secrets); k++)
                if (strstr(texts[i], secrets[k]))
                    fail_msg("#%u says \"%s\"", number, texts[i]);
        }
        if (info->code >= 400)
            assert_string_not_equal(info->remedy, "Nothing is wrong.");
    }
}

static void test_enhanced_of_the_inner_server(void **state)
{
    static const struct {
        const char *given, *wanted;
    } rows[] = {
        {"5.7.26", "550 5.7.26 the mail server behind has refused the message: no\r\n"},
        {"5.123.456", "550 5.123.456 the mail server behind has refused the message: no\r\n"},
        {"4.7.1", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5.7", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5.7.1.1", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5.7.1234", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5.7.1\r\n", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5..1", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"5.7.", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
        {"", "550 5.0.0 the mail server behind has refused the message: no\r\n"},
    };
    struct reply reply = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        say(&reply, SAY_MESSAGE_REFUSED_INNER,
            (struct slice[SAY_ARGUMENTS]){slice_text(rows[i].given), SLICE("no")}, NULL);
        assert_reply(&reply, rows[i].wanted);
    }
    buf_drop(&reply.buf);
}

/* Every reply with the longest arguments: each line within 512 octets, well formed, one last line. */
static void test_every_reply_is_well_formed(void **state)
{
    static char text[600];
    struct reply reply = {0};
    const struct say_tail all = {.wanted = true, .session = SESSION, .url = slice_of(text, 512)};
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 40 == 39 ? ' ' : i % 40 == 38 ? '\n' : 'y';
    for (unsigned number = 0; number < SAY_LIMIT; number++) {
        const struct say_info *info = say_info(number);
        if (!info)
            continue;
        count++;
        const struct slice long_one = slice_of(text, sizeof text);
        struct slice rest = say(&reply, (enum say)number,
                                (struct slice[SAY_ARGUMENTS]){long_one, long_one, long_one, long_one}, &all);
        assert_true(rest.len <= SAY_SIZE_MAX);
        bool last = false;
        while (rest.len) {
            const size_t end = slice_find_slice(rest, SLICE("\r\n"));
            assert_true(end != SLICE_NOT_FOUND && end >= 4 && end <= 510);
            assert_false(last);
            assert_int_equal((rest.at[0] - '0') * 100 + (rest.at[1] - '0') * 10 + (rest.at[2] - '0'),
                             info->code);
            assert_true(rest.at[3] == '-' || rest.at[3] == ' ');
            last = rest.at[3] == ' ';
            if (info->enhanced[0]) /* the class agrees with the code */
                assert_int_equal(rest.at[4], rest.at[0]);
            if (last && info->code >= 400)
                assert_int_equal(rest.at[end - 1], ')');
            rest = slice_from(rest, end + 2);
        }
        assert_true(last);
    }
    assert_true(count > 60);
    buf_drop(&reply.buf);
}

static void test_break_keeps_characters_whole(void **state)
{
    struct reply reply = {0};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    struct slice rest = say(&reply, SAY_HELO,
                            (struct slice[SAY_ARGUMENTS]){SLICE("m"), slice_of(text, sizeof text)}, NULL);
    assert_true(slice_is_utf8(rest));
    while (rest.len) {
        const size_t end = slice_find(rest, '\n');
        assert_true(slice_is_utf8(slice_head(rest, end)));
        rest = slice_from(rest, end + 1);
    }
    buf_drop(&reply.buf);
}

static void test_no_half_reply(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 20);
    say_add(&buf, SAY_RECIPIENT_OK, NULL, NULL);
    assert_int_equal(buf.len, 0);
    buf_drop(&buf);
}

static void test_unknown_numbers(void **state)
{
    (void)state;
    assert_null(say_info(0));
    assert_null(say_info(19));
    assert_null(say_info(SAY_LIMIT));
    assert_string_equal(say_info(81)->name, "RELAY_DENIED");
    assert_int_equal(say_info(81)->number, 81);
    assert_int_equal(say_info(81)->code, 550);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_peers_cannot_end_a_line),
        cmocka_unit_test(test_arguments_are_cut),
        cmocka_unit_test(test_own_lines),
        cmocka_unit_test(test_all_replies_numbered),
        cmocka_unit_test(test_url_with_the_number),
        cmocka_unit_test(test_longest_url_stays_whole),
        cmocka_unit_test(test_every_reply_is_explained),
        cmocka_unit_test(test_enhanced_of_the_inner_server),
        cmocka_unit_test(test_every_reply_is_well_formed),
        cmocka_unit_test(test_break_keeps_characters_whole),
        cmocka_unit_test(test_no_half_reply),
        cmocka_unit_test(test_unknown_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
