#include "base/calendar.h"

#include "base/text.h"

#include <string.h>

#define DAY_SECONDS    INT64_C(86400)
#define DAYS_400_YEARS 146097
#define SECONDS_FIRST  INT64_C(-62167219200) /* 0000-01-01T00:00:00 */
#define SECONDS_LAST   INT64_C(253402300799) /* 9999-12-31T23:59:59 */

static const char weekday_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days are counted in years that begin in March: so the leap day comes last, and the days before a month
 * follow from its number alone: (153 * months + 2) / 5. */

/* Days from 1970-01-01 to a date of the Gregorian calendar; a year of 0 or more. */
static int64_t days_from_date(int year, int month, int day)
{
    const int march_year = month > 2 ? year : year - 1;
    const int march_month = month > 2 ? month - 3 : month + 9;
    /* 400 years more keep the divisions away from negative numbers. */
    const int y = march_year + 400;
    const int days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * march_month + 2) / 5 + day - 1;

    return (int64_t)days - DAYS_400_YEARS - 719468;
}

static void date_from_days(int64_t days, struct calendar *calendar)
{
    const int since = (int)(days + 719468 + DAYS_400_YEARS); /* from 1 March of the year -400 */
    const int of_400 = since % DAYS_400_YEARS;
    const int year_of_400 = (of_400 - of_400 / 1460 + of_400 / 36524 - of_400 / 146096) / 365;
    const int of_year = of_400 - (365 * year_of_400 + year_of_400 / 4 - year_of_400 / 100);
    const int march_month = (5 * of_year + 2) / 153;

    calendar->day = of_year - (153 * march_month + 2) / 5 + 1;
    calendar->month = march_month < 10 ? march_month + 3 : march_month - 9;
    calendar->year = since / DAYS_400_YEARS * 400 + year_of_400 - 400 + (calendar->month <= 2);
}

static int64_t divide_down(int64_t number, int64_t divisor)
{
    return number / divisor - (number % divisor < 0);
}

struct calendar calendar_from_unix(int64_t seconds, int offset_minutes)
{
    struct calendar calendar;

    if (seconds < SECONDS_FIRST - DAY_SECONDS || seconds > SECONDS_LAST + DAY_SECONDS)
        seconds = seconds < 0 ? SECONDS_FIRST : SECONDS_LAST;
    seconds += (int64_t)offset_minutes * 60;
    if (seconds < SECONDS_FIRST)
        seconds = SECONDS_FIRST;
    if (seconds > SECONDS_LAST)
        seconds = SECONDS_LAST;

    const int64_t days = divide_down(seconds, DAY_SECONDS);
    const int of_day = (int)(seconds - days * DAY_SECONDS);
    date_from_days(days, &calendar);
    calendar.hour = of_day / 3600;
    calendar.minute = of_day / 60 % 60;
    calendar.second = of_day % 60;
    calendar.weekday = (int)((days + 4 + 7 * INT64_C(200000)) % 7); /* 1970-01-01 was a Thursday */
    return calendar;
}

int64_t calendar_to_unix(const struct calendar *calendar, int offset_minutes)
{
    const int64_t days = days_from_date(calendar->year, calendar->month, calendar->day);

    return days * DAY_SECONDS + calendar->hour * INT64_C(3600) + calendar->minute * INT64_C(60) +
           calendar->second - (int64_t)offset_minutes * 60;
}

/* Each writer returns the place behind what it wrote. */

static char *write_number(char *at, unsigned number, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

static char *write_text(char *at, const char *text)
{
    const size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

static char *write_clock(char *at, const struct calendar *calendar)
{
    at = write_number(at, (unsigned)calendar->hour, 2);
    *at++ = ':';
    at = write_number(at, (unsigned)calendar->minute, 2);
    *at++ = ':';
    return write_number(at, (unsigned)calendar->second, 2);
}

static char *write_offset(char *at, int offset_minutes, const char *between)
{
    const unsigned minutes = (unsigned)(offset_minutes < 0 ? -offset_minutes : offset_minutes);

    *at++ = offset_minutes < 0 ? '-' : '+';
    at = write_number(at, minutes / 60, 2);
    at = write_text(at, between);
    return write_number(at, minutes % 60, 2);
}

static size_t end_text(const char *text, char *at)
{
    *at = '\0';
    return (size_t)(at - text);
}

size_t calendar_print_mail(int64_t seconds, int offset_minutes, char text[CALENDAR_TEXT_SIZE])
{
    const struct calendar calendar = calendar_from_unix(seconds, offset_minutes);
    char *at = write_text(text, weekday_names[calendar.weekday]);

    at = write_text(at, ", ");
    at = write_number(at, (unsigned)calendar.day, calendar.day < 10 ? 1 : 2);
    *at++ = ' ';
    at = write_text(at, month_names[calendar.month - 1]);
    *at++ = ' ';
    at = write_number(at, (unsigned)calendar.year, 4);
    *at++ = ' ';
    at = write_clock(at, &calendar);
    *at++ = ' ';
    return end_text(text, write_offset(at, offset_minutes, ""));
}

size_t calendar_print_iso(int64_t unix_ms, int offset_minutes, char text[CALENDAR_TEXT_SIZE])
{
    const int64_t seconds = divide_down(unix_ms, 1000);
    const struct calendar calendar = calendar_from_unix(seconds, offset_minutes);
    char *at = write_number(text, (unsigned)calendar.year, 4);

    *at++ = '-';
    at = write_number(at, (unsigned)calendar.month, 2);
    *at++ = '-';
    at = write_number(at, (unsigned)calendar.day, 2);
    *at++ = 'T';
    at = write_clock(at, &calendar);
    *at++ = '.';
    at = write_number(at, (unsigned)(unix_ms - seconds * 1000), 3);
    return end_text(text, offset_minutes ? write_offset(at, offset_minutes, ":") : write_text(at, "Z"));
}

size_t calendar_print_syslog(int64_t seconds, int offset_minutes, char text[CALENDAR_TEXT_SIZE])
{
    const struct calendar calendar = calendar_from_unix(seconds, offset_minutes);
    char *at = write_text(text, month_names[calendar.month - 1]);

    *at++ = ' ';
    if (calendar.day < 10)
        *at++ = ' ';
    at = write_number(at, (unsigned)calendar.day, calendar.day < 10 ? 1 : 2);
    *at++ = ' ';
    return end_text(text, write_clock(at, &calendar));
}

/* Takes a number of exactly so many digits off the front. */
static bool take_number(struct slice *text, unsigned digits, int *ret_number)
{
    int number = 0;

    if (text->len < digits)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        if (!text_is_digit(text->at[i]))
            return false;
        number = number * 10 + (text->at[i] - '0');
    }
    *text = slice_from(*text, digits);
    *ret_number = number;
    return true;
}

static bool take_octet(struct slice *text, char octet)
{
    if (text->len == 0 || text_lower(text->at[0]) != octet)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct slice *text, struct calendar *calendar)
{
    return take_number(text, 4, &calendar->year) && take_octet(text, '-') &&
           take_number(text, 2, &calendar->month) && take_octet(text, '-') &&
           take_number(text, 2, &calendar->day) && calendar->month >= 1 && calendar->month <= 12 &&
           calendar->day >= 1 && calendar->day <= days_in_month(calendar->year, calendar->month);
}

/* Digits after the third are dropped. */
static bool take_fraction(struct slice *text, int *ret_ms)
{
    int ms = 0;
    int scale = 100;

    if (text->len == 0 || !text_is_digit(text->at[0]))
        return false;
    while (text->len && text_is_digit(text->at[0])) {
        ms += (text->at[0] - '0') * scale;
        scale /= 10;
        *text = slice_from(*text, 1);
    }
    *ret_ms = ms;
    return true;
}

static bool take_clock(struct slice *text, struct calendar *calendar, int *ret_ms)
{
    if (!take_number(text, 2, &calendar->hour) || !take_octet(text, ':') ||
        !take_number(text, 2, &calendar->minute))
        return false;
    if (take_octet(text, ':')) {
        if (!take_number(text, 2, &calendar->second))
            return false;
        if (take_octet(text, '.') && !take_fraction(text, ret_ms))
            return false;
    }
    /* Second 60 is a leap second; it counts as the first of the next minute. */
    return calendar->hour <= 23 && calendar->minute <= 59 && calendar->second <= 60;
}

static bool take_offset(struct slice *text, int *ret_minutes)
{
    int hours;
    int minutes;

    if (text->len == 0 || take_octet(text, 'z'))
        return true;
    const bool west = take_octet(text, '-');

    if (!west && !take_octet(text, '+'))
        return false;
    if (!take_number(text, 2, &hours) || !take_octet(text, ':') || !take_number(text, 2, &minutes))
        return false;
    *ret_minutes = west ? -(hours * 60 + minutes) : hours * 60 + minutes;
    return hours <= 23 && minutes <= 59;
}

bool calendar_parse_iso(struct slice text, int64_t *ret_unix_ms)
{
    struct calendar calendar = {0};
    int ms = 0;
    int offset_minutes = 0;

    if (!take_date(&text, &calendar))
        return false;
    if (take_octet(&text, 't') || take_octet(&text, ' ')) {
        if (!take_clock(&text, &calendar, &ms) || !take_offset(&text, &offset_minutes))
            return false;
    }
    if (text.len)
        return false;
    *ret_unix_ms = calendar_to_unix(&calendar, offset_minutes) * 1000 + ms;
    return true;
}
