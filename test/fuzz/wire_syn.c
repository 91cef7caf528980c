/* A TCP client's first packet, or what claims to be one, is read from within its own memory, its signature
 * fits into its room and is one that describes itself; and any text can be held against any other. */
#include "property.h"
#include "wire/syn.h"
#include "wire/syn_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice own = own_copy(slice_of((const char *)octets, len));
    struct syn syn;
    char text[SYN_TEXT];
    if (syn_parse(own, &syn)) {
        assert(syn.header_size + syn.payload == len);
        const size_t written = syn_print(&syn, text);
        assert(written < SYN_TEXT && text[written] == '\0');
        assert(slice_is_printable(slice_of(text, written)));
        assert(syn_pattern_check(slice_of(text, written)));
        assert(syn_matches(slice_of(text, written), slice_of(text, written)));
    }
    struct slice pattern = SLICE_NONE, rest = own;
    if (slice_cut(&rest, '\n', &pattern))
        (void)(syn_pattern_check(pattern) && syn_matches(pattern, rest));
    own_give(own);
    return 0;
}
