/* Proves that an HTTP request gives up who sent it, for whom, and which mail it wanted to send through us;
 * and that neither its size nor the pieces it comes in make a difference. */
#include "unit.h"
#include "wire/http.h"

static const char tunnel[] =
    "POST / HTTP/1.0\r\nContent-Type: text/plain\r\nContent-Length: 1111\r\n"
    "Host: mx.yang.id.au\r\nX-Forwarded-For: 192.0.2.66\r\nConnection: Keep-Alive\r\n\r\n"
    "RSET\r\nHELO yahoo.de\r\nMAIL FROM:<eddie@hotmail.com>\r\nRCPT TO:<me@yang.id.au>\r\n"
    "DATA\r\nTo: <me@yang.id.au>\r\nHost: another\r\nFrom: \"eddie\" <x@hotmail.com>\r\n.";

static void check_tunnel(const struct http *http)
{
    assert_slice_equal(http->method, "POST");
    assert_slice_equal(http->target, "/");
    assert_slice_equal(http->host, "mx.yang.id.au");
    assert_slice_equal(http->forwarded_for, "192.0.2.66");
    assert_slice_equal(http->helo, "yahoo.de");
    assert_slice_equal(http->sender, "eddie@hotmail.com");
    assert_int_equal(http->recipient_count, 1);
    assert_slice_equal(http->recipients[0], "me@yang.id.au");
    assert_int_equal(http->commands, 3);
    assert_int_equal(http->octets, sizeof tunnel - 1);
}

static void a_tunnel_is_read(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof tunnel; size++) {
        struct arena arena;
        struct http http;
        arena_init(&arena, NULL, 0);
        http_init(&http, &arena);
        for (struct slice rest = slice_of(tunnel, sizeof tunnel - 1); rest.len; rest = slice_from(rest, size))
            http_feed(&http, slice_head(rest, size));
        http_end(&http);
        check_tunnel(&http);
        arena_drop(&arena);
    }
}

static void a_request_is_no_tunnel(void **state)
{
    (void)state;
    struct arena arena;
    struct http http;
    arena_init(&arena, NULL, 0);
    http_init(&http, &arena);
    http_feed(
        &http,
        SLICE("GET /mail?from:<a@b> HTTP/1.1\r\nHost:\r\nUser-Agent: MAIL\r\nFrom: a@b.example\r\n\r\n"));
    http_end(&http);
    assert_slice_equal(http.target, "/mail?from:<a@b>");
    assert_int_equal(http.commands, 0);
    assert_int_equal(http.host.len, 0);
    arena_drop(&arena);
}

static void what_is_kept_has_a_limit(void **state)
{
    (void)state;
    struct arena arena;
    struct http http;
    char line[2000];
    arena_init(&arena, NULL, 0);
    http_init(&http, &arena);
    memset(line, 'x', sizeof line);
    memcpy(line, "RCPT TO:<\x01", 10);
    line[sizeof line - 1] = '\n';
    http_feed(&http, SLICE("POST / HTTP/1.0\r\n"));
    for (int i = 0; i < 100; i++)
        http_feed(&http, slice_of(line, sizeof line));
    http_feed(&http, SLICE("MAIL FROM:<>\nMAIL FROM:<second@b.example>\nRCPT TO: bare@b.example more\n"));
    assert_int_equal(http.recipient_count, 101);
    assert_int_equal(http.recipients[7].len, HTTP_VALUE);
    assert_int_equal(http.recipients[7].at[0], '?');
    assert_true(http.mail);
    assert_int_equal(http.sender.len, 0);
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_is_read),
        cmocka_unit_test(a_request_is_no_tunnel),
        cmocka_unit_test(what_is_kept_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
