/* Whatever a list answers: a reason is short and printable, a code is a listing only within 127.0.0.0/8. */
#include "property.h"
#include "wire/dnsbl.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    char room[DNSBL_REASON_MAX];
    const struct slice reason = dnsbl_reason(text, room);
    struct dnsbl_pattern pattern;
    struct address odd = {.family = ADDRESS_NONE};
    struct slice codes = text, word;
    assert(reason.len <= DNSBL_REASON_MAX && slice_is_printable(reason));
    if (dnsbl_pattern_parse(text, &pattern))
        assert(pattern.low[0] == 127 && pattern.low[3] <= pattern.high[3]);
    if (dnsbl_answer_read(text, &odd) == DNSBL_LISTED)
        while (slice_word(&codes, &word))
            assert(slice_starts(word, SLICE("127.")));
    return 0;
}
