/* Whatever follows XCLIENT: what is taken is free of control octets, and written again it reads as the same.
 */
#include "property.h"
#include "wire/xclient.h"

static void writes_and_reads_again(const struct xclient *xclient, size_t len, struct arena *arena)
{
    struct xclient again;
    struct slice culprit;
    struct buf buf;
    buf_init(&buf, 3 * len + 64);
    assert(xclient_format(&buf, xclient, ~0u));
    assert(slice_is_printable(buf_slice(&buf)));
    assert(xclient_parse(buf_slice(&buf), arena, &again, &culprit) == XCLIENT_DONE);
    for (unsigned name = 0; name < XCLIENT_COUNT; name++) {
        assert(again.state[name] == xclient->state[name]);
        assert(slice_equal(again.text[name], xclient->text[name]));
    }
    assert(address_equal(&again.client, &xclient->client));
    assert(address_equal(&again.destination, &xclient->destination));
    buf_drop(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice argument = slice_of((const char *)octets, len);
    struct arena arena;
    struct xclient xclient;
    struct slice culprit;
    arena_init(&arena, NULL, 0);
    const enum xclient_status status = xclient_parse(argument, &arena, &xclient, &culprit);
    assert(slice_is_within(culprit, argument));
    if (status == XCLIENT_DONE) {
        for (unsigned name = 0; name < XCLIENT_COUNT; name++) {
            assert(slice_is_utf8(xclient.text[name]));
            assert((xclient.state[name] == XCLIENT_GIVEN) == (xclient.text[name].len > 0));
        }
        writes_and_reads_again(&xclient, len, &arena);
    }
    arena_drop(&arena);
    return 0;
}
