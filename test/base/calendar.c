/* Proves the calendar against a day by day count of the years 1900 to 2200, and its text forms. */
#include "base/calendar.h"
#include "unit.h"

#include <string.h>

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    return month == 2 ? 28 + is_leap(year)
                      : 30 + (month == 1 || month == 3 || month == 5 || month == 7 || month == 8 ||
                              month == 10 || month == 12);
}

static void counts_every_day(void **state)
{
    int64_t seconds = INT64_C(-2208988800); /* 1900-01-01, a Monday */
    int weekday = 1;

    (void)state;
    for (int year = 1900; year <= 2200; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= month_days(year, month); day++) {
                const int of_day = (day * 2749 + month * 331) % 86400;
                const struct calendar made = calendar_from_unix(seconds + of_day, 0);
                const struct calendar wanted = {year,        month,  day, of_day / 3600, of_day / 60 % 60,
                                                of_day % 60, weekday};

                assert_memory_equal(&made, &wanted, sizeof(made));
                assert_true(calendar_to_unix(&made, 0) == seconds + of_day);
                seconds += 86400;
                weekday = (weekday + 1) % 7;
            }
}

static void minds_the_offset(void **state)
{
    (void)state;
    for (int offset = -720; offset <= 840; offset += 15)
        for (int64_t seconds = -5000000000; seconds < 9000000000; seconds += 86399 * 97) {
            const struct calendar local = calendar_from_unix(seconds, offset);
            const struct calendar shifted = calendar_from_unix(seconds + offset * 60, 0);

            assert_memory_equal(&local, &shifted, sizeof(local));
            assert_true(calendar_to_unix(&local, offset) == seconds);
        }
}

static void stops_at_its_borders(void **state)
{
    static const int64_t seconds[] = {INT64_MIN,
                                      INT64_MIN + 1,
                                      INT64_C(-62167219201),
                                      INT64_C(-62167219200),
                                      INT64_C(253402300799),
                                      INT64_C(253402300800),
                                      INT64_MAX};
    char text[CALENDAR_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(seconds); i++)
        for (int offset = -1439; offset <= 1439; offset += 1439) {
            const struct calendar calendar = calendar_from_unix(seconds[i], offset);

            assert_in_range(calendar.year, 0, 9999);
            assert_true(calendar.year == (seconds[i] < 0 ? 0 : 9999));
            assert_printed(calendar_print_mail(seconds[i], offset, text), text, text);
            assert_printed(calendar_print_iso(seconds[i], offset, text), text, text);
        }
}

static void prints(void **state)
{
    char text[CALENDAR_TEXT_SIZE];

    (void)state;
    assert_printed(calendar_print_mail(1059111345, -420, text), text, "Thu, 24 Jul 2003 22:35:45 -0700");
    assert_printed(calendar_print_mail(1059111345, 330, text), text, "Fri, 25 Jul 2003 11:05:45 +0530");
    assert_printed(calendar_print_mail(0, 0, text), text, "Thu, 1 Jan 1970 00:00:00 +0000");
    assert_printed(calendar_print_iso(1059111345123, -420, text), text, "2003-07-24T22:35:45.123-07:00");
    assert_printed(calendar_print_iso(-1, 0, text), text, "1969-12-31T23:59:59.999Z");
    assert_printed(calendar_print_syslog(1059111345, -420, text), text, "Jul 24 22:35:45");
    assert_printed(calendar_print_syslog(0, 0, text), text, "Jan  1 00:00:00");
}

static void reads(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01", 0},
        {"1970-01-01 00:01", 60000},
        {"2003-07-24T22:35:45-07:00", 1059111345000},
        {"2003-07-25T05:35:45Z", 1059111345000},
        {"2003-07-25t05:35:45.1239z", 1059111345123},
        {"2003-07-25 05:35:45.5", 1059111345500},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2000-02-29", 951782400000},
        {"0000-01-01", INT64_C(-62167219200000)},
        {"9999-12-31T23:59:59.999+00:00", INT64_C(253402300799999)},
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!calendar_parse_iso(slice_text(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s is read as %jd", rows[i].text, (intmax_t)ms);
    }
}

static void refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "2003",
        "2003-07",
        "2003-7-24",
        "2003-00-10",
        "2003-13-10",
        "2003-02-29",
        "1900-02-29",
        "2003-04-31",
        "2003-07-00",
        "2003-07-24T",
        "2003-07-24T22",
        "2003-07-24T24:00",
        "2003-07-24T22:60",
        "2003-07-24T22:35:61",
        "2003-07-24T22:35:",
        "2003-07-24T22:35:45.",
        "2003-07-24T22:35:45.Z",
        "2003-07-24T22:35:45+07",
        "2003-07-24T22:35:45+0700",
        "2003-07-24T22:35:45+24:00",
        "2003-07-24T22:35:45+07:60",
        "2003-07-24Z",
        "2003-07-24T22:35:45Zx",
        " 2003-07-24",
        "+003-07-24",
        "2003/07/24",
        "2003-07-24x22:35",
    };
    int64_t ms = 42;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (calendar_parse_iso(slice_text(texts[i]), &ms) || ms != 42)
            fail_msg("%s is taken", texts[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_every_day),
        cmocka_unit_test(minds_the_offset),
        cmocka_unit_test(stops_at_its_borders),
        cmocka_unit_test(prints),
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
