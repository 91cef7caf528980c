/* Whatever the folder is: its messages stand in it one after the other, and it comes to an end. */
#include "property.h"
#include "wire/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice rest = slice_of((const char *)octets, len);
    const char *before = rest.at;
    struct mbox_message message;
    while (mbox_next(&rest, &message)) {
        if (message.content.len) {
            assert(message.content.at >= before);
            before = message.content.at + message.content.len;
        }
        assert(before <= (const char *)octets + len);
        assert(rest.len < len);
        len -= len - rest.len;
        octets = (const uint8_t *)rest.at;
    }
    assert(rest.len == 0);
    return 0;
}
