/* Whatever the text is: what is taken for a date lies within the years that are promised. */
#include "property.h"
#include "wire/mail_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    int64_t seconds;
    bool proper;
    if (mail_date_parse(slice_of((const char *)octets, len), &seconds, &proper))
        assert(seconds >= -86400 && seconds < INT64_C(253402387200));
    return 0;
}
