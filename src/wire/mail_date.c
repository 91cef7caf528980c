#include "wire/mail_date.h"

#include "base/calendar.h"
#include "base/text.h"

/* [ day-name "," ] day month year hour ":" minute [ ":" second ] [ zone ] */

static bool number_read(struct slice word, uint64_t low, uint64_t high, int *ret_number)
{
    uint64_t number;
    if (!text_parse_u64(word, &number) || number < low || number > high)
        return false;
    *ret_number = (int)number;
    return true;
}

static bool month_read(struct slice word, int *ret_month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++)
        if (slice_equal_fold(word, slice_of(names + 3 * i, 3))) {
            *ret_month = i + 1;
            return true;
        }
    return false;
}

/* Two and three digits as RFC 5322 section 4.3 has it. */
static bool year_read(struct slice word, int *ret_year)
{
    if (!number_read(word, 0, 9999, ret_year))
        return false;
    if (word.len == 2)
        *ret_year += *ret_year < 50 ? 2000 : 1900;
    else if (word.len == 3)
        *ret_year += 1900;
    return *ret_year >= 1970;
}

static bool time_read(struct slice word, struct calendar *calendar)
{
    struct slice part;
    if (!slice_cut(&word, ':', &part) || !number_read(part, 0, 23, &calendar->hour))
        return false;
    if (!slice_cut(&word, ':', &part) || !number_read(part, 0, 59, &calendar->minute))
        return false;
    calendar->second = 0;
    return !word.len || number_read(word, 0, 60, &calendar->second);
}

/* In minutes. */
static int zone_read(struct slice word)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                 {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    uint64_t number;
    bool sign = word.len == 5 && (*word.at == '+' || *word.at == '-');
    if (sign && text_parse_u64(slice_from(word, 1), &number) && number < 2400 && number % 100 < 60) {
        int minutes = (int)(number / 100 * 60 + number % 100);
        return *word.at == '-' ? -minutes : minutes;
    }
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (slice_equal_fold(word, slice_text(zones[i].name)))
            return zones[i].hours * 60;
    return 0;
}

/* "+0100", "GMT", and a comment, or nothing, behind it */
static bool is_zone(struct slice rest)
{
    struct slice word;
    if (!slice_word(&rest, &word))
        return false;
    bool numeric = *word.at == '+' || *word.at == '-';
    for (size_t i = numeric; i < word.len; i++)
        if (numeric ? !text_is_digit(word.at[i]) : !text_is_alpha(word.at[i]))
            return false;
    rest = slice_trim(rest);
    return (numeric ? word.len == 5 : word.len <= 5) && (!rest.len || *rest.at == '(');
}

/* What the parser lets pass: the name of the day, and as many digits as there should be. */
static bool is_proper(struct slice before, struct slice day, struct slice year, struct slice time)
{
    static const char names[] = "sunmontuewedthufrisat";
    bool named = !before.len;
    for (size_t i = 0; i < 7 && !named; i++)
        named = slice_equal_fold(slice_trim(before), slice_of(names + 3 * i, 3));
    return named && day.len <= 2 && year.len == 4 && (time.len == 5 || time.len == 8) && time.at[2] == ':';
}

bool mail_date_parse(struct slice text, int64_t *ret_unix_seconds, bool *ret_proper)
{
    struct calendar calendar = {0};
    struct slice rest = slice_trim(text), before = SLICE_NONE, day, month, year, time;
    if (slice_find(rest, ',') != SLICE_NOT_FOUND)
        slice_cut(&rest, ',', &before);
    if (!slice_word(&rest, &day) || !number_read(day, 1, 31, &calendar.day))
        return false;
    if (!slice_word(&rest, &month) || !month_read(month, &calendar.month))
        return false;
    if (!slice_word(&rest, &year) || !year_read(year, &calendar.year))
        return false;
    if (!slice_word(&rest, &time) || !time_read(time, &calendar))
        return false;
    if (ret_proper)
        *ret_proper = is_proper(before, day, year, time) && is_zone(rest);
    struct slice zone;
    *ret_unix_seconds = calendar_to_unix(&calendar, slice_word(&rest, &zone) ? zone_read(zone) : 0);
    return true;
}
