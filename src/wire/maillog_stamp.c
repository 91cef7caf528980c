#include "wire/maillog_stamp.h"

#include "base/calendar.h"
#include "base/text.h"

/*
 * stamp   = [ "<" 1*3DIGIT ">" [ "1 " ] ] ( syslog / iso ) SP
 * syslog  = month SP ( SP / DIGIT ) DIGIT SP [ 4DIGIT SP ] clock
 * iso     = 4DIGIT "-" 2DIGIT "-" 2DIGIT ( "T" / SP ) clock [ "Z" / ( "+" / "-" ) 2DIGIT [ ":" ] 2DIGIT ]
 * clock   = 2DIGIT ":" 2DIGIT ":" 2DIGIT [ ( "." / "," ) 1*DIGIT ]
 *
 * Each line of a log passes here: numbers are read at their places, without a loop over their digits.
 */

#define CLOCK_SIZE 8 /* "01:11:45" */

static int digit_at(const char *at)
{
    const unsigned value = (unsigned)(*at - '0');

    return value <= 9 ? (int)value : -100;
}

/* Negative: no two digits. */
static int two_at(const char *at)
{
    return digit_at(at) * 10 + digit_at(at + 1);
}

static int four_at(const char *at)
{
    const int high = two_at(at), low = two_at(at + 2);

    return high < 0 || low < 0 ? -1 : high * 100 + low;
}

#define MONTH(a, b, c) ((a) << 16 | (b) << 8 | (c))

static int month_at(const char *at)
{
    switch (MONTH((unsigned char)at[0], (unsigned char)at[1], (unsigned char)at[2])) {
    case MONTH('J', 'a', 'n'): return 1;
    case MONTH('F', 'e', 'b'): return 2;
    case MONTH('M', 'a', 'r'): return 3;
    case MONTH('A', 'p', 'r'): return 4;
    case MONTH('M', 'a', 'y'): return 5;
    case MONTH('J', 'u', 'n'): return 6;
    case MONTH('J', 'u', 'l'): return 7;
    case MONTH('A', 'u', 'g'): return 8;
    case MONTH('S', 'e', 'p'): return 9;
    case MONTH('O', 'c', 't'): return 10;
    case MONTH('N', 'o', 'v'): return 11;
    case MONTH('D', 'e', 'c'): return 12;
    default: return 0;
    }
}

/* Takes the clock and its fraction; digits after the third are dropped. */
static bool take_clock(struct slice *text, struct calendar *calendar, int *ret_ms)
{
    if (text->len < CLOCK_SIZE || text->at[2] != ':' || text->at[5] != ':')
        return false;
    calendar->hour = two_at(text->at);
    calendar->minute = two_at(text->at + 3);
    calendar->second = two_at(text->at + 6);
    *text = slice_from(*text, CLOCK_SIZE);
    *ret_ms = 0;
    if (text->len > 1 && (text->at[0] == '.' || text->at[0] == ',') && text_is_digit(text->at[1])) {
        *text = slice_from(*text, 1);
        for (int scale = 100; text->len && text_is_digit(text->at[0]); scale /= 10) {
            *ret_ms += (text->at[0] - '0') * scale;
            *text = slice_from(*text, 1);
        }
    }
    return calendar->hour >= 0 && calendar->hour <= 23 && calendar->minute >= 0 && calendar->minute <= 59 &&
           calendar->second >= 0 && calendar->second <= 60;
}

/* Nothing there is UTC. */
static bool take_offset(struct slice *text, int *ret_minutes)
{
    *ret_minutes = 0;
    if (!text->len || text->at[0] == ' ')
        return true;
    if (text->at[0] == 'Z' || text->at[0] == 'z') {
        *text = slice_from(*text, 1);
        return true;
    }
    const bool west = text->at[0] == '-';
    const size_t colon = text->len > 3 && text->at[3] == ':' ? 1 : 0;

    if ((!west && text->at[0] != '+') || text->len < 5 + colon)
        return false;
    const int hours = two_at(text->at + 1), minutes = two_at(text->at + 3 + colon);
    *text = slice_from(*text, 5 + colon);
    *ret_minutes = west ? -(hours * 60 + minutes) : hours * 60 + minutes;
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

static bool is_date(const struct calendar *calendar)
{
    static const int days[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return calendar->month >= 1 && calendar->month <= 12 && calendar->day >= 1 &&
           calendar->day <= days[calendar->month];
}

/* Each takes its form off the text. */

static bool take_syslog(struct slice *text, int year, struct calendar *calendar, struct maillog_stamp *stamp,
                        int *ret_ms)
{
    if (text->len < 7 + CLOCK_SIZE || text->at[3] != ' ' || text->at[6] != ' ')
        return false;
    calendar->month = month_at(text->at);
    calendar->day = text->at[4] == ' ' ? digit_at(text->at + 5) : two_at(text->at + 4);
    calendar->year = year;
    if (!is_date(calendar))
        return false;
    const int written = text->at[9] == ':' ? -1 : four_at(text->at + 7);
    stamp->has_year = written >= 0 && text->at[11] == ' ';
    if (stamp->has_year)
        calendar->year = written;
    *text = slice_from(*text, stamp->has_year ? 12 : 7);
    return take_clock(text, calendar, ret_ms);
}

static bool take_iso(struct slice *text, struct calendar *calendar, struct maillog_stamp *stamp, int *ret_ms,
                     int *ret_minutes)
{
    if (text->len < 11 + CLOCK_SIZE || text->at[4] != '-' || text->at[7] != '-' ||
        (text->at[10] != 'T' && text->at[10] != ' ' && text->at[10] != 't'))
        return false;
    calendar->year = four_at(text->at);
    calendar->month = two_at(text->at + 5);
    calendar->day = two_at(text->at + 8);
    stamp->has_year = true;
    *text = slice_from(*text, 11);
    return calendar->year >= 0 && is_date(calendar) && take_clock(text, calendar, ret_ms) &&
           take_offset(text, ret_minutes);
}

/* "<22>" and "<22>1 ": what follows them. */
static struct slice behind_priority(struct slice line, struct maillog_stamp *stamp)
{
    const size_t close = line.len && line.at[0] == '<' ? slice_find(slice_head(line, 5), '>')
                                                       : SLICE_NOT_FOUND;
    uint64_t priority;

    if (close == SLICE_NOT_FOUND || !text_parse_u64(slice_of(line.at + 1, close - 1), &priority))
        return line;
    line = slice_from(line, close + 1);
    stamp->is_5424 = slice_starts(line, SLICE("1 "));
    return stamp->is_5424 ? slice_from(line, 2) : line;
}

size_t maillog_stamp_parse(struct slice line, int year, struct maillog_stamp *ret_stamp)
{
    struct calendar calendar = {0};
    int ms = 0, offset_minutes = 0;

    *ret_stamp = (struct maillog_stamp){0};
    struct slice rest = behind_priority(line, ret_stamp);
    if (!rest.len)
        return 0;
    const bool found = text_is_alpha(rest.at[0])
                           ? take_syslog(&rest, year, &calendar, ret_stamp, &ms)
                           : take_iso(&rest, &calendar, ret_stamp, &ms, &offset_minutes);
    if (!found || !rest.len || rest.at[0] != ' ')
        return 0;
    ret_stamp->month = (uint8_t)calendar.month;
    ret_stamp->unix_ms = calendar_to_unix(&calendar, offset_minutes) * 1000 + ms;
    return line.len - rest.len + 1;
}
