/* Whatever the value is: what is read of it lies within it. */
#include "property.h"
#include "wire/received.h"

static void lies_within(struct slice part, struct slice whole)
{
    assert(!part.len || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice value = slice_of((const char *)octets, len);
    struct received received;
    if (!received_parse(value, &received))
        return 0;
    const struct slice parts[] = {received.helo, received.name,      received.by,  received.with,
                                  received.id,   received.recipient, received.date};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        lies_within(parts[i], value);
    assert(received.address.family || received.by.len);
    assert(!received.name.len || received.looked_up);
    return 0;
}
