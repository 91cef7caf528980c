/* What scan-log found, as text and as JSON. */
#include "cli/scan_log.h"

#include "base/calendar.h"
#include "wire/json.h"

#include <stdio.h>

#define JSON_MAX (64u * 1024u * 1024u)

/* "1,234,567" */
#define NUMBER_SIZE 32

static const char *number(uint64_t value, char text[NUMBER_SIZE])
{
    char *at = text + NUMBER_SIZE - 1;
    unsigned digits = 0;

    *at = '\0';
    do {
        if (digits && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
        digits++;
        value /= 10;
    } while (value);
    return at;
}

/* "2003-07-24 01:11:45" */
static void time_print(int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];

    (void)calendar_print_iso(unix_ms, 0, text);
    text[10] = ' ';
    cli_print("%.19s", text);
}

/* --- text ---------------------------------------------------------------------------------------------- */

static void count_print(uint64_t value, const char *words)
{
    char text[NUMBER_SIZE];

    cli_print("%15s  %s\n", number(value, text), words);
}

/* What is nothing is not worth a line. */
static void some_print(uint64_t value, const char *words)
{
    if (value)
        count_print(value, words);
}

static void lines_print(const struct scan_log *log)
{
    const struct scan_lines *lines = log->lines;

    count_print(lines->lines, "lines");
    if (lines->first_ms) {
        cli_print("%15s  from ", "");
        time_print(lines->first_ms);
        cli_print(" to ");
        time_print(lines->last_ms);
        cli_print("\n");
    }
    some_print(lines->passed, "lines of other times");
    some_print(lines->other, "lines of other programs");
    some_print(lines->unknown, "lines that were not understood");
    some_print(lines->cut, "lines that were too long, and cut");
}

static void counts_print(const struct scan_log *log)
{
    const struct scan_counts *counts = log->counts;

    some_print(counts->connections, "connections");
    some_print(counts->refusals, "refusals");
    some_print(counts->deferrals, "deferrals");
    some_print(counts->queued, "messages accepted");
    some_print(counts->sent, "recipients delivered");
    some_print(counts->deferred, "deliveries put off");
    some_print(counts->bounced, "recipients bounced");
    some_print(counts->expired, "messages expired");
    some_print(counts->own, "envelopes of the house's own");
    some_print(counts->clientless, "envelopes without a client");
    some_print(counts->cut, "envelopes ended early, for want of room");
    count_print(counts->attempts, "attempts");
    some_print(counts->accepted, "of them accepted");
    some_print(counts->put_off, "of them put off");
    some_print(counts->refused, "of them refused");
    some_print(counts->left, "of them left unfinished");
}

static void unknown_print(const struct scan_log *log)
{
    size_t count;
    uint64_t more;
    char text[NUMBER_SIZE];

    if (!log->unknown)
        return;
    const struct scan_shape *const *shapes = scan_unknown_sorted(log->unknown, &count, &more);
    if (count)
        cli_print("\n%sLines that were not understood%s\n", cli_style(log->cli, CLI_STYLE_HEAD),
                  cli_style(log->cli, CLI_STYLE_PLAIN));
    for (size_t i = 0; i < count; i++) {
        cli_print("%9s  ", number(shapes[i]->count, text));
        cli_print_text(slice_of(shapes[i]->text, shapes[i]->len));
        cli_print("\n");
    }
    if (more)
        cli_print("%9s  of other shapes\n", number(more, text));
}

void scan_log_text(const struct scan_log *log)
{
    lines_print(log);
    counts_print(log);
    unknown_print(log);
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void time_put(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];

    if (!unix_ms)
        return;
    json_put_text(json, key, slice_of(text, calendar_print_iso(unix_ms, 0, text)));
}

static void counts_put(struct json *json, const struct scan_counts *counts)
{
    json_put_u64(json, "connections", counts->connections);
    json_put_u64(json, "refusals", counts->refusals);
    json_put_u64(json, "deferrals", counts->deferrals);
    json_put_u64(json, "messages", counts->queued);
    json_put_u64(json, "octets", counts->octets);
    json_put_u64(json, "sent", counts->sent);
    json_put_u64(json, "deferred", counts->deferred);
    json_put_u64(json, "bounced", counts->bounced);
    json_put_u64(json, "expired", counts->expired);
    json_put_u64(json, "own", counts->own);
    json_put_u64(json, "clientless", counts->clientless);
    json_put_u64(json, "ended_early", counts->cut);
}

static void verdicts_put(struct json *json, const struct scan_counts *counts)
{
    json_put_u64(json, "accepted", counts->accepted);
    json_put_u64(json, "deferred", counts->put_off);
    json_put_u64(json, "refused", counts->refused);
    json_put_u64(json, "left", counts->left);
}

static void unknown_put(struct json *json, struct scan_unknown *unknown)
{
    size_t count;
    uint64_t more;
    const struct scan_shape *const *shapes = scan_unknown_sorted(unknown, &count, &more);

    json_key(json, "unknown_lines");
    json_array_open(json);
    for (size_t i = 0; i < count; i++) {
        json_object_open(json);
        json_put_u64(json, "count", shapes[i]->count);
        json_put_text(json, "line", slice_of(shapes[i]->text, shapes[i]->len));
        json_object_close(json);
    }
    json_array_close(json);
}

void scan_log_json(const struct scan_log *log)
{
    const struct scan_lines *lines = log->lines;
    struct buf out;
    struct json json;

    buf_init(&out, JSON_MAX);
    json_begin(&json, &out);
    json_object_open(&json);
    json_put_u64(&json, "lines", lines->lines);
    time_put(&json, "first", lines->first_ms);
    time_put(&json, "last", lines->last_ms);
    json_put_u64(&json, "unknown", lines->unknown);
    json_put_u64(&json, "other", lines->other);
    json_put_u64(&json, "passed", lines->passed);
    json_put_u64(&json, "cut", lines->cut);
    json_key(&json, "counts");
    json_object_open(&json);
    counts_put(&json, log->counts);
    json_object_close(&json);
    json_put_u64(&json, "attempts", log->counts->attempts);
    json_key(&json, "verdicts");
    json_object_open(&json);
    verdicts_put(&json, log->counts);
    json_object_close(&json);
    if (log->unknown)
        unknown_put(&json, log->unknown);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&out);
    buf_drop(&out);
}
