#include "watch/scan_source.h"

#include "base/calendar.h"

#define DAY_MS      INT64_C(86400000)
#define BACK_MS     (7 * DAY_MS)   /* lines may be that much out of order */
#define AHEAD_MS    (358 * DAY_MS) /* a line of last December behind the first one of January */
#define LEAP_MS     (180 * DAY_MS) /* behind a change of year: there was none, a clock had gone wrong */
#define FIRST_LINES 1000           /* looked at for a time */
#define PROBES_MAX  256
#define PROBE_SIZE  2048

static int year_of(int64_t unix_ms)
{
    return calendar_from_unix(unix_ms / 1000, 0).year;
}

/* The latest year in which the line is no later. */
static int year_before(struct slice line, int64_t latest_ms)
{
    struct maillog_stamp stamp;
    const int year = year_of(latest_ms);

    return maillog_stamp_parse(line, year, &stamp) && stamp.unix_ms > latest_ms ? year - 1 : year;
}

/* --- looking ahead in a plain file ---------------------------------------------------------------------- */

struct probe {
    int64_t last_ms;   /* with every year taken to be the same */
    int64_t before_ms; /* of the last line before time went back */
    unsigned wraps;    /* how often it did */
    int year;          /* of the last line */
    bool found;
};

static void probe_time(struct probe *probe, int64_t unix_ms)
{
    const int64_t jump_ms = unix_ms - probe->last_ms;

    if (probe->found && jump_ms < -BACK_MS) {
        probe->wraps++;
        probe->before_ms = probe->last_ms;
    } else if (probe->found && jump_ms > LEAP_MS && probe->wraps && unix_ms >= probe->before_ms - BACK_MS) {
        probe->wraps--;
    }
    probe->last_ms = unix_ms;
    probe->found = true;
}

static void probe_at(const struct scan_source *source, uint64_t offset, struct probe *probe)
{
    char text[PROBE_SIZE];
    struct slice rest = slice_of(text, scan_input_peek(source->input, offset, text, sizeof text)), line;
    struct maillog_stamp stamp;

    if (offset && !slice_cut(&rest, '\n', &line)) /* the rest of a line */
        return;
    while (slice_cut(&rest, '\n', &line)) {
        if (!maillog_stamp_parse(line, 2000, &stamp) || stamp.has_year)
            continue;
        probe_time(probe, stamp.unix_ms);
        probe->year = year_before(line, source->latest_ms);
    }
}

/* How many years the file spans, by a look at places of it: more than a few of each year would have to be
 * missing for one to be overlooked. */
static bool years_probe(const struct scan_source *source, int *ret_year)
{
    const uint64_t size = scan_input_size(source->input);
    const uint64_t every = size / PROBES_MAX > PROBE_SIZE ? size / PROBES_MAX : PROBE_SIZE;
    struct probe probe = {0};
    uint64_t at = 0;

    for (; at + PROBE_SIZE <= size; at += every)
        probe_at(source, at, &probe);
    /* The end is looked at in any case, and nothing twice. */
    if (at < size)
        probe_at(source, at, &probe);
    else if (at - every + 2 * PROBE_SIZE <= size)
        probe_at(source, size - PROBE_SIZE, &probe);
    if (probe.found)
        *ret_year = probe.year - (int)probe.wraps;
    return probe.found;
}

/* --- finding out ---------------------------------------------------------------------------------------- */

static void date_set(struct scan_source *source, const struct scan_dates *dates)
{
    const int64_t changed_ms = scan_input_changed(source->input);

    source->latest_ms = (changed_ms ? changed_ms : dates->now_ms) + DAY_MS;
    if (dates->year)
        source->latest_ms = INT64_MAX;
}

static void year_set(struct scan_source *source, const struct scan_dates *dates)
{
    struct maillog_stamp stamp;

    if (!dates->year) {
        if (!years_probe(source, &source->year))
            source->year = year_before(source->line, source->latest_ms);
        return;
    }
    source->year = dates->year;
    if (dates->not_before_ms == INT64_MIN)
        return;
    source->year = year_of(dates->not_before_ms);
    if (maillog_stamp_parse(source->line, source->year, &stamp) &&
        stamp.unix_ms < dates->not_before_ms - BACK_MS)
        source->year++;
}

/* The first line with a time is at hand, or none. A pipe gives what it gives once: its first line decides. */
static enum scan_read first_find(struct scan_source *source, struct error *error)
{
    const unsigned lines = source->is_file ? FIRST_LINES : 1;
    enum scan_read status = SCAN_END;

    for (unsigned i = 0; i < lines; i++) {
        status = scan_source_next(source, error);
        if (status != SCAN_LINE || source->has_head)
            break;
    }
    return status;
}

int scan_source_find(struct scan_source *source, const char *path, const struct scan_dates *dates,
                     struct error *error)
{
    *source = (struct scan_source){
        .path = path, .first_ms = INT64_MIN, .last_ms = INT64_MIN, .before_ms = INT64_MIN};
    if (scan_input_open(path, &source->input, error) < 0)
        return -1;
    source->size = scan_input_size(source->input);
    source->is_packed = scan_input_packed(source->input);
    source->is_file = scan_input_changed(source->input) != 0;
    date_set(source, dates);
    source->year = year_of(source->latest_ms == INT64_MAX ? dates->now_ms : source->latest_ms);
    const enum scan_read status = first_find(source, error);
    if (status == SCAN_LINE && source->has_head) {
        if (!source->head.stamp.has_year) {
            year_set(source, dates);
            (void)maillog_head_parse(source->line, source->year, &source->head);
        }
        source->first_ms = source->last_ms = source->head.stamp.unix_ms;
    }
    if (source->is_file) { /* read from its beginning when it is its turn */
        scan_source_close(source);
        source->last_ms = INT64_MIN;
    } else {
        source->loaded = status == SCAN_LINE;
    }
    return 0;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static bool head_in(const struct scan_source *source, int year, struct maillog_head *ret_head)
{
    return maillog_head_parse(source->line, year, ret_head);
}

/* A year may have passed since the line before; or none had, and this one shows it; or this one came late. */
static void year_pass(struct scan_source *source)
{
    const int64_t jump_ms = source->head.stamp.unix_ms - source->last_ms;
    struct maillog_head head;

    if (jump_ms < -BACK_MS) {
        if (!head_in(source, source->year + 1, &head) || head.stamp.unix_ms > source->latest_ms)
            return; /* a clock that had gone wrong */
        source->year++;
        source->before_ms = source->last_ms;
        source->head = head;
    } else if (jump_ms > LEAP_MS && source->before_ms != INT64_MIN &&
               head_in(source, source->year - 1, &head) &&
               head.stamp.unix_ms >= source->before_ms - BACK_MS) {
        source->year--;
        source->head = head;
    } else if (jump_ms > AHEAD_MS && head_in(source, source->year - 1, &head)) {
        source->head = head;
        return;
    }
    source->last_ms = source->head.stamp.unix_ms;
}

enum scan_read scan_source_next(struct scan_source *source, struct error *error)
{
    if (source->loaded) {
        source->loaded = false;
        return SCAN_LINE;
    }
    if (!source->input && scan_input_open(source->path, &source->input, error) < 0)
        return SCAN_FAILED;
    const enum scan_read status = scan_input_line(source->input, &source->line, error);
    if (status == SCAN_END || status == SCAN_FAILED)
        return status;
    source->is_long = status == SCAN_LONG;
    source->has_head = maillog_head_parse(source->line, source->year, &source->head);
    if (!source->has_head)
        return SCAN_LINE;
    if (source->head.stamp.has_year || source->last_ms == INT64_MIN)
        source->last_ms = source->head.stamp.unix_ms;
    else
        year_pass(source);
    return SCAN_LINE;
}

void scan_source_close(struct scan_source *source)
{
    scan_input_close(source->input);
    source->input = NULL;
}
