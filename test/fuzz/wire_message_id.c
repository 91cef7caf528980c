/* Whatever the value is: the stricter a grammar, the less it takes, and nothing with a control octet is
 * taken. */
#include "property.h"
#include "wire/message_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice value = slice_of((const char *)octets, len);
    const struct slice inner = slice_trim(value);
    const bool lenient = message_id_check(value, MESSAGE_ID_DEFAULT),
               strict = message_id_check(value, MESSAGE_ID_STRICT),
               seed = message_id_check(value, MESSAGE_ID_SEED);
    assert(!seed || (strict && lenient));
    /* A domain literal may hold another @: RFC 5322 lets it, the default does not. */
    if (strict && slice_find(inner, '[') == SLICE_NOT_FOUND && inner.at[0] == '<' &&
        inner.at[inner.len - 1] == '>')
        assert(lenient);
    for (size_t i = 0; lenient && i < inner.len; i++)
        assert((unsigned char)inner.at[i] > 0x20 && inner.at[i] != 0x7f);
    assert(!strict || slice_is_utf8(value));
    return 0;
}
