/* Whatever text goes in: what comes out is one JSON string of clean octets, and what was well-formed reads
 * back. */
#include "property.h"
#include "base/text.h"
#include "wire/json.h"

/* Reads the string back; true when it is one, quotes and all. Unicode escapes are of single octets here. */
static bool read_back(struct slice json, struct buf *plain)
{
    static const char letters[] = "\"\\bfnrt", octets[] = "\"\\\b\f\n\r\t";
    if (json.len < 2 || json.at[0] != '"' || json.at[json.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < json.len; i++) {
        const char *at;
        if ((unsigned char)json.at[i] < 0x20 || json.at[i] == '"')
            return false;
        if (json.at[i] != '\\') {
            buf_add_octet(plain, json.at[i]);
        } else if (json.at[++i] == 'u') {
            buf_add_octet(plain,
                          (char)(text_hex_digit(json.at[i + 3]) << 4 | text_hex_digit(json.at[i + 4])));
            i += 4;
        } else {
            at = strchr(letters, json.at[i]);
            if (!at || !*at)
                return false;
            buf_add_octet(plain, octets[at - letters]);
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    struct buf json, plain;
    buf_init(&json, 6 * len + 2);
    buf_init(&plain, 6 * len + 2);
    assert(json_quote(&json, text));
    assert(slice_is_utf8(buf_slice(&json)));
    assert(read_back(buf_slice(&json), &plain));
    struct slice rest = text;
    while (rest.len > 0 && slice_utf8_size(rest) > 0)
        rest = slice_from(rest, slice_utf8_size(rest));
    if (rest.len == 0)
        assert(slice_equal(buf_slice(&plain), text));
    buf_drop(&plain);
    const size_t need = json.len;
    buf_drop(&json);
    buf_init(&json, need - 1);
    assert(!json_quote(&json, text) && json.len == 0);
    buf_drop(&json);
    return 0;
}
