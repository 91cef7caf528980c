/* An HTTP request is read the same whatever the pieces it comes in, and what is kept of it is printable and
 * within its limits. */
#include "property.h"
#include "wire/http.h"

static void value_write(struct buf *buf, struct slice value)
{
    assert(value.len <= HTTP_VALUE && slice_is_printable(value));
    assert(buf_add(buf, value) && buf_add_octet(buf, '\n'));
}

static void http_run(const struct slice *parts, size_t count, struct buf *ret_seen)
{
    struct arena arena;
    struct http http;
    arena_init(&arena, NULL, 0);
    http_init(&http, &arena);
    for (size_t i = 0; i < count; i++)
        http_feed(&http, parts[i]);
    http_end(&http);
    value_write(ret_seen, http.method);
    value_write(ret_seen, http.target);
    value_write(ret_seen, http.host);
    value_write(ret_seen, http.forwarded_for);
    value_write(ret_seen, http.helo);
    value_write(ret_seen, http.sender);
    for (size_t i = 0; i < http.recipient_count && i < HTTP_RECIPIENTS; i++)
        value_write(ret_seen, http.recipients[i]);
    assert(http.commands <= http.lines);
    assert(buf_add_format(ret_seen, "%u %u %u", http.recipient_count, http.commands, http.lines));
    arena_drop(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    struct buf seen;
    const unsigned cut = choice_take(&input);
    assert_split_changes_nothing(http_run, input, cut, &seen);
    buf_drop(&seen);
    return 0;
}
