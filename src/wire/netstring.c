#include "wire/netstring.h"

#include "base/text.h"

/* netstring = 1*DIGIT ":" *OCTET "," */
bool netstring_cut(struct slice *list, struct slice *ret_text)
{
    uint64_t len;
    size_t colon = slice_find(slice_head(*list, 11), ':');
    if (colon == SLICE_NOT_FOUND || !text_parse_u64(slice_head(*list, colon), &len))
        return false;
    struct slice rest = slice_from(*list, colon + 1);
    if (rest.len <= len || rest.at[len] != ',')
        return false;
    *ret_text = slice_head(rest, (size_t)len);
    *list = slice_from(rest, (size_t)len + 1);
    return true;
}
