/* Proves which dates are read, and as which time. */
#include "unit.h"
#include "wire/mail_date.h"

static void dates_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: it is none */
        bool proper;
    } samples[] = {
        {"Thu, 1 Jan 1970 00:00:00 +0000", 0, true},
        {"Thu, 22 Aug 2002 12:34:53 +0100 (IST)", 1030016093, true},
        {"22 Aug 2002 12:34:53 +0100", 1030016093, true},
        {"Thu,22 Aug 02 07:34:53 EDT", 1030016093, false},
        {"22 aug 2002 11:34", 1030016040, false},
        {"22 Aug 2002 23:34:53 +1200", 1030016093, true},
        {"22 Aug 102 11:34:53 GMT", 1030016093, false},
        {"22 Aug 2002 11:34:53 somewhere", 1030016093, false},
        {"31 Dec 99 23:59:60 +0000", 946684800, false},
        {"Thu, 22 Aug 2002 12:34:53 GMT", 1030019693, true},
        {"Thursday, 22 Aug 2002 11:34:53 GMT", 1030016093, false},
        {"Thu, 22 Aug 2002 9:34:53 +0000", 1030008893, false},
        {"Thu, 22 Aug 2002 11:34:53 +0000 x", 1030016093, false},
        {"Thu, 22 Aug 2002 11:34:53 -700", 1030016093, false},
        {"", -1, false},
        {"Thu,", -1, false},
        {"32 Aug 2002 12:34:53 +0100", -1, false},
        {"22 Aut 2002 12:34:53 +0100", -1, false},
        {"22 Aug 1969 12:34:53 +0100", -1, false},
        {"22 Aug 2002 24:34:53 +0100", -1, false},
        {"22 Aug 2002 12", -1, false},
        {"22 Aug 2002 12:34:xx", -1, false},
        {"Aug 22 2002 12:34", -1, false},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        int64_t seconds = -1;
        bool proper = false;
        (void)mail_date_parse(slice_text(samples[i].text), &seconds, &proper);
        if (seconds != samples[i].seconds || proper != samples[i].proper)
            fail_msg("%s: %lld, %d", samples[i].text, (long long)seconds, proper);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
