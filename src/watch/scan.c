#include "watch/scan.h"

#include "base/memory.h"
#include "watch/scan_source.h"
#include "wire/maillog_postfix.h"
#include "wire/maillog_postscreen.h"
#include "wire/maillog_sendmail.h"

#define OPEN_MAX 32                /* files at once; further ones wait */
#define PAST_MS  INT64_C(86400000) /* a file whose time is so far behind the end is not read further */

struct scan {
    struct scan_settings settings;
    struct scan_lines lines;
    struct scan_join *join;
    struct scan_source *sources; /* by their first times */
    size_t count;
    size_t next;                        /* the first one that was not opened */
    struct scan_source *open[OPEN_MAX]; /* with a line at hand each */
    size_t open_count;
    size_t at;                  /* of open: the one that is read from */
    int64_t limit_ms;           /* until there its lines are the earliest */
    uint64_t total, done, text; /* octets; of files that are closed */
    bool packed;                /* one of them is */
    bool chosen, ended;
};

/* --- lines --------------------------------------------------------------------------------------------- */

static void unknown(struct scan *scan, const struct scan_source *source)
{
    scan->lines.unknown++;
    if (scan->settings.unknown)
        scan->settings.unknown(scan->settings.data, source->path, source->line);
}

static void record_parse(const struct maillog_head *head, struct maillog_record *record)
{
    switch (head->program) {
    case MAILLOG_SENDMAIL: maillog_sendmail_parse(head->message, record); break;
    case MAILLOG_POSTSCREEN: maillog_postscreen_parse(head->message, record); break;
    case MAILLOG_SMTPD:
    case MAILLOG_CLEANUP:
    case MAILLOG_QMGR:
    case MAILLOG_DELIVERY:
    case MAILLOG_SERVICE:
    case MAILLOG_OTHER: maillog_postfix_parse(head->program, head->message, record); break;
    }
}

static void times_count(struct scan_lines *lines, int64_t unix_ms)
{
    if (!lines->first_ms || unix_ms < lines->first_ms)
        lines->first_ms = unix_ms;
    if (unix_ms > lines->last_ms)
        lines->last_ms = unix_ms;
}

static void line_take(struct scan *scan, const struct scan_source *source)
{
    const int64_t unix_ms = source->has_head ? source->head.stamp.unix_ms : source->last_ms;
    struct maillog_record record;

    if (unix_ms < scan->settings.since_ms || unix_ms > scan->settings.until_ms) {
        scan->lines.passed++;
        return;
    }
    scan->lines.lines++;
    scan->lines.cut += source->is_long;
    if (!source->has_head) {
        if (source->line.len) /* an empty one is nothing */
            unknown(scan, source);
        return;
    }
    times_count(&scan->lines, unix_ms);
    if (source->head.program == MAILLOG_OTHER) {
        scan->lines.other++;
        return;
    }
    record_parse(&source->head, &record);
    if (record.kind == MAILLOG_UNKNOWN)
        unknown(scan, source);
    scan_join_line(scan->join, &source->head, &record);
}

/* --- files --------------------------------------------------------------------------------------------- */

static void source_end(struct scan *scan, size_t index)
{
    struct scan_source *source = scan->open[index];

    if (source->input) {
        scan->done += source->size;
        scan->text += scan_input_text(source->input);
    }
    scan_source_close(source);
    scan->open[index] = scan->open[--scan->open_count];
    scan->chosen = false;
}

/* The next line at hand; false: it has none, and is closed. */
static bool source_advance(struct scan *scan, size_t index)
{
    struct scan_source *source = scan->open[index];
    struct error error = {0};
    const enum scan_read status = scan_source_next(source, &error);

    if (status == SCAN_LINE &&
        (source->last_ms <= scan->settings.until_ms || source->last_ms - scan->settings.until_ms < PAST_MS))
        return true;
    if (status == SCAN_FAILED && scan->settings.problem)
        scan->settings.problem(scan->settings.data, &error);
    source_end(scan, index);
    return false;
}

static size_t earliest(const struct scan *scan)
{
    size_t best = 0;

    for (size_t i = 1; i < scan->open_count; i++)
        if (scan->open[i]->last_ms < scan->open[best]->last_ms)
            best = i;
    return best;
}

/* Opens what begins before all that is open. */
static void sources_open(struct scan *scan)
{
    while (scan->next < scan->count && scan->open_count < OPEN_MAX) {
        if (scan->open_count && scan->sources[scan->next].first_ms > scan->open[earliest(scan)]->last_ms)
            return;
        scan->open[scan->open_count++] = &scan->sources[scan->next++];
        (void)source_advance(scan, scan->open_count - 1);
    }
}

/* False: nothing is left. */
static bool choose(struct scan *scan)
{
    sources_open(scan);
    if (!scan->open_count)
        return false;
    scan->at = earliest(scan);
    scan->limit_ms = INT64_MAX;
    for (size_t i = 0; i < scan->open_count; i++)
        if (i != scan->at && scan->open[i]->last_ms < scan->limit_ms)
            scan->limit_ms = scan->open[i]->last_ms;
    if (scan->next < scan->count && scan->open_count < OPEN_MAX &&
        scan->sources[scan->next].first_ms < scan->limit_ms)
        scan->limit_ms = scan->sources[scan->next].first_ms;
    scan->chosen = true;
    return true;
}

bool scan_step(struct scan *scan, size_t lines_max)
{
    for (size_t i = 0; i < lines_max; i++) {
        if (!scan->chosen && !choose(scan)) {
            if (!scan->ended)
                scan_join_end(scan->join);
            scan->ended = true;
            return false;
        }
        line_take(scan, scan->open[scan->at]);
        if (source_advance(scan, scan->at) && scan->open[scan->at]->last_ms > scan->limit_ms)
            scan->chosen = false;
    }
    return true;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

/* Few files, in order already as a rule. */
static void sort(struct scan_source *sources, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct scan_source source = sources[i];
        size_t at = i;
        for (; at > 0 && sources[at - 1].first_ms > source.first_ms; at--)
            sources[at] = sources[at - 1];
        sources[at] = source;
    }
}

static int sources_find(struct scan *scan, const char *const *paths, struct error *error)
{
    struct scan_dates dates = {
        .year = scan->settings.year, .not_before_ms = INT64_MIN, .now_ms = scan->settings.now_ms};
    bool known = true;

    for (size_t i = 0; i < scan->count; i++) {
        struct scan_source *source = &scan->sources[i];
        if (scan_source_find(source, paths[i], &dates, error) < 0)
            return -1;
        if (source->first_ms != INT64_MIN)
            dates.not_before_ms = source->first_ms;
        known = known && source->is_file;
        scan->packed = scan->packed || source->is_packed;
        scan->total += source->size;
    }
    if (!known)
        scan->total = 0;
    return 0;
}

int scan_open(const struct scan_settings *settings, const char *const *paths, size_t count,
              struct scan **ret_scan, struct error *error)
{
    struct scan *scan = memory_take(sizeof *scan);

    scan->settings = *settings;
    scan->count = count;
    scan->sources = memory_take(count * sizeof *scan->sources);
    scan->join = scan_join_new(&(struct scan_join_settings){
        .open_max = settings->open_max, .attempt = settings->attempt, .data = settings->data});
    if (sources_find(scan, paths, error) < 0) {
        scan_close(scan);
        return -1;
    }
    sort(scan->sources, count);
    *ret_scan = scan;
    return 0;
}

const struct scan_lines *scan_lines(const struct scan *scan)
{
    return &scan->lines;
}

const struct scan_counts *scan_counts(const struct scan *scan)
{
    return scan_join_counts(scan->join);
}

void scan_progress(const struct scan *scan, struct scan_progress *ret_progress)
{
    *ret_progress = (struct scan_progress){
        .done = scan->done, .total = scan->total, .text = scan->text, .plain = scan->total && !scan->packed};
    for (size_t i = 0; i < scan->open_count; i++) {
        ret_progress->done += scan_input_done(scan->open[i]->input);
        ret_progress->text += scan_input_text(scan->open[i]->input);
    }
    if (scan->open_count)
        ret_progress->path = scan->open[scan->chosen ? scan->at : 0]->path;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    for (size_t i = 0; scan->sources && i < scan->count; i++)
        scan_source_close(&scan->sources[i]);
    scan_join_free(scan->join);
    memory_give(scan->sources, scan->count * sizeof *scan->sources);
    memory_give(scan, sizeof *scan);
}
