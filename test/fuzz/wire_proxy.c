/* Whatever comes first: a PROXY header is the same with or without what follows it, each part of one is
 * partial, and a bad one leaves no address behind. */
#include "property.h"
#include "wire/proxy.h"

static void header_is_sound(struct slice input)
{
    struct proxy proxy, again;
    const enum proxy_status status = proxy_parse(input, &proxy);
    if (status != PROXY_DONE) {
        assert(proxy.taken == 0 && proxy.source.family == ADDRESS_NONE);
        assert(status == PROXY_BAD || input.len < PROXY_SIZE_MAX);
        return;
    }
    assert(proxy.taken <= input.len && proxy.taken <= PROXY_SIZE_MAX &&
           slice_is_within(proxy.authority, input));
    assert(proxy.local == (proxy.source.family == ADDRESS_NONE));
    assert(proxy_parse(slice_head(input, proxy.taken), &again) == PROXY_DONE);
    assert(again.taken == proxy.taken && address_equal(&again.source, &proxy.source));
    for (size_t cut = 0; cut < proxy.taken; cut += 1 + proxy.taken / 64)
        assert(proxy_parse(slice_head(input, cut), &again) == PROXY_PARTIAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    static const char mark[] = "\r\n\r\n\0\r\nQUIT\n";
    const struct slice input = slice_of((const char *)octets, len);
    struct buf buf;
    header_is_sound(input);
    /* The signature and a length that fits, so that what comes gets past them. */
    const struct slice rest = slice_head(input, 1024);
    buf_init(&buf, 2048);
    assert(buf_add(&buf, slice_of(mark, 12)) && buf_add(&buf, slice_head(rest, 2)));
    if (rest.len > 2) {
        assert(buf_add_octet(&buf, (char)((rest.len - 2) >> 8)) && buf_add_octet(&buf, (char)(rest.len - 2)));
        assert(buf_add(&buf, slice_from(rest, 2)));
    }
    header_is_sound(buf_slice(&buf));
    buf_drop(&buf);
    return 0;
}
