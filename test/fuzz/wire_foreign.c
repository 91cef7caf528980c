/* Whatever comes first: it is named from within its own memory, the last answer is always there, and an
 * answer about octets does not change with more of them. */
#include "property.h"
#include "wire/foreign.h"

static bool parse_own(struct slice input, bool last, struct foreign *ret_foreign)
{
    const struct slice own = own_copy(input);
    const bool done = foreign_parse(own, last, ret_foreign);
    own_give(own);
    assert(ret_foreign->evidence_len < FOREIGN_TEXT);
    assert(slice_is_printable(slice_of(ret_foreign->evidence, ret_foreign->evidence_len)));
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice input = slice_of((const char *)octets, len);
    enum foreign_kind kind = FOREIGN_NONE;
    struct foreign foreign;
    assert(parse_own(input, true, &foreign));
    for (size_t cut = 0; cut <= len && cut <= FOREIGN_NEED; cut++) {
        if (!parse_own(slice_head(input, cut), false, &foreign))
            continue;
        assert(kind == FOREIGN_NONE || kind == foreign.kind);
        kind = foreign.kind;
    }
    return 0;
}
