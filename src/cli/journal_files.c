#include "cli/journal_files.h"

#include "base/calendar.h"
#include "base/text.h"
#include "journal/finder.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define FLUSH_MS 1000
#define CHECK_MS 10000

int journal_folder(const struct cli *cli, char folder[JOURNAL_FOLDER_SIZE])
{
    struct site *site = cli_site(cli);

    if (!site)
        return CLI_CONFIG;
    (void)snprintf(folder, JOURNAL_FOLDER_SIZE, "%.*s/journal", SLICE_ARGS(site->set.state_directory));
    const struct cli_call flush = {.socket = "postern.sock",
                                   .request = SLICE("{\"command\":\"flush\"}"),
                                   .wait_ms = FLUSH_MS,
                                   .quiet = true};
    (void)cli_call(cli, site, &flush); /* without a running gate all of it is there */
    site_free(site);
    return CLI_OK;
}

void journal_history_folder(const char *journal, char history[JOURNAL_FOLDER_SIZE])
{
    const struct slice path = slice_text(journal);

    (void)snprintf(history, JOURNAL_FOLDER_SIZE, "%.*shistory",
                   SLICE_ARGS(slice_head(path, path.len - (sizeof "journal" - 1))));
}

void journal_history_check(const struct cli *cli, const char *day)
{
    struct site *site = cli_site(cli);
    char request[64];
    const int len = snprintf(request, sizeof request, "{\"command\":\"check\",\"day\":\"%s\"}", day);
    const struct cli_call call = {.socket = "archivist.sock",
                                  .request = slice_of(request, (size_t)len),
                                  .wait_ms = CHECK_MS,
                                  .quiet = true};

    if (site)
        (void)cli_call(cli, site, &call); /* where none runs the next start finds it */
    site_free(site);
}

int journal_session_load(struct history *history, const char *journal, struct error *error)
{
    char folder[JOURNAL_FOLDER_SIZE];
    struct day_hit hit = {0};

    journal_history_folder(journal, folder);
    const bool known = finder_place(folder, history->session, &hit);
    return history_load_at(history, journal, hit.stream, known ? &hit.ended : NULL, error);
}

int journal_fail(const struct cli *cli, const char *folder, const struct error *error)
{
    if (error->number == ENOENT)
        return cli_fail(cli, "there is no journal in %s: the gate has not run with this configuration yet",
                        folder);
    if (error->number == EACCES || error->number == EPERM)
        return cli_fail(cli, "%s: ask as root, or as the gate's user", error->text);
    return cli_fail(cli, "%s", error->text);
}

int journal_zone(int64_t unix_seconds)
{
    const time_t at = (time_t)unix_seconds;
    struct tm local = {0};

    return localtime_r(&at, &local) ? (int)(local.tm_gmtoff / 60) : 0;
}

struct slice journal_time(int64_t unix_us, char text[JOURNAL_TIME_SIZE])
{
    const int64_t seconds = unix_us / 1000000;
    const struct calendar at = calendar_from_unix(seconds, journal_zone(seconds));
    char longest[64];

    (void)snprintf(longest, sizeof longest, "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month, at.day,
                   at.hour, at.minute, at.second);
    (void)snprintf(text, JOURNAL_TIME_SIZE, "%.*s", JOURNAL_TIME_SIZE - 1, longest);
    return slice_text(text);
}

/* A date names its offset by a Z at its end, or by + or - behind the time of day. */
static bool has_offset(struct slice date)
{
    const struct slice time = slice_from(date, 11);

    return slice_ends_fold(date, SLICE("z")) || slice_find(time, '+') != SLICE_NOT_FOUND ||
           slice_find(time, '-') != SLICE_NOT_FOUND;
}

bool journal_option_time(const struct cli *cli, const char *name, int64_t otherwise_us, int64_t *ret_us)
{
    const char *text = cli_option(cli, name);
    uint64_t ago_ms;
    int64_t unix_ms;

    if (!text) {
        *ret_us = otherwise_us;
    } else if (text_parse_duration(slice_text(text), &ago_ms)) {
        *ret_us = ((int64_t)time(NULL) * 1000 - (int64_t)ago_ms) * 1000;
    } else if (calendar_parse_iso(slice_text(text), &unix_ms)) {
        if (!has_offset(slice_text(text)))
            unix_ms -= journal_zone(unix_ms / 1000) * INT64_C(60000);
        *ret_us = unix_ms * 1000;
    } else {
        (void)cli_fail_usage(
            cli,
            "--%s cannot be \"%s\": expected how long ago, such as 2h or 7d, or a date such as "
            "2026-07-24 02:35",
            name, text);
        return false;
    }
    return true;
}

bool journal_id_parse(struct slice text, uint64_t *ret_id)
{
    if (slice_starts(text, SLICE("(")))
        text = slice_from(text, 1);
    const struct slice rest = slice_from(text, EVENT_ID_SIZE - 1);
    if (rest.len && rest.at[0] != ')' && rest.at[0] != '.')
        return false;
    return event_id_parse(slice_head(text, EVENT_ID_SIZE - 1), ret_id);
}
