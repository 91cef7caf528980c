/* The sessions that a report is about: of an address or network out of the history and the journal, of a
 * campaign besides those that the keeper tells of. */
#include "cli/report.h"

#include "base/calendar.h"
#include "base/table.h"
#include "base/text.h"
#include "core/event.h"
#include "journal/finder.h"

#include <jansson.h>
#include <string.h>

#define SESSIONS_MOST 10000u

struct gathering {
    struct report_run *run;
    struct table seen; /* 8 octets of a session's id */
    size_t taken;      /* attempts */
    json_t *campaign;  /* as the keeper tells it, or NULL */
};

/* --- sessions ------------------------------------------------------------------------------------------ */

/* False: it was seen before. */
static bool is_new(struct gathering *gathering, uint64_t session)
{
    uint64_t *key = arena_take(&gathering->run->arena, sizeof *key);

    *key = session;
    return !table_put(&gathering->seen, slice_of((const char *)key, sizeof *key), key);
}

static void take(struct gathering *gathering, const struct history *history, bool all)
{
    gathering->run->sessions++;
    gathering->taken += report_case_add(gathering->run->of, history, all);
}

/* False: the journal does not have it, or it goes on. */
static bool session_take(struct gathering *gathering, uint64_t session)
{
    struct history history;
    struct error error;

    history_init(&history, session);
    const bool there = journal_session_load(&history, gathering->run->folder, &error) == 0 && history.ended;
    if (there && is_new(gathering, session))
        take(gathering, &history, true);
    history_drop(&history);
    return there;
}

static int found_take(struct gathering *gathering, const struct filter *filter, bool all)
{
    struct report_run *run = gathering->run;
    const struct finder_settings settings = {
        .journal = run->folder, .history = run->history, .filter = *filter};
    struct finder *finder;
    struct day_hit hit;
    struct error error = {0};

    if (finder_open(&settings, &finder, &error) < 0)
        return journal_fail(run->cli, run->folder, &error);
    while (!run->cut && finder_next(finder, &hit)) {
        struct history history;
        run->cut = run->sessions == SESSIONS_MOST;
        history_init(&history, hit.session);
        if (!run->cut && finder_history(finder, &history) && is_new(gathering, hit.session))
            take(gathering, &history, all);
        history_drop(&history);
    }
    finder_close(finder);
    return CLI_OK;
}

/* --- campaigns ----------------------------------------------------------------------------------------- */

static struct slice text_of(const json_t *object, const char *key)
{
    return slice_text(json_string_value(json_object_get(object, key)));
}

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t unix_ms = 0;

    (void)calendar_parse_iso(text_of(object, key), &unix_ms);
    return unix_ms;
}

static void campaign_came(void *data, struct slice json)
{
    struct gathering *gathering = data;

    json_decref(gathering->campaign);
    gathering->campaign = json_loadb(json.at, json.len, 0, NULL);
}

/* Where no gate runs, or the keeper knows none, the history may know its sessions all the same. */
static void campaign_ask(struct gathering *gathering)
{
    char id[EVENT_ID_SIZE], request[128];

    event_id_print(gathering->run->id, id);
    const int len = snprintf(request, sizeof request, "{\"command\":\"campaigns\",\"id\":\"%s\"}", id);
    const struct cli_call call = {.socket = "keeper.sock",
                                  .request = slice_of(request, (size_t)len),
                                  .line = campaign_came,
                                  .data = gathering,
                                  .quiet = true};
    (void)cli_call(gathering->run->cli, gathering->run->site, &call);
}

/* "AS64500 Example Telecom" */
static struct report_owner owner_of(struct slice origin)
{
    struct report_owner owner = {.name = origin};
    struct slice rest = origin, word;
    uint64_t number;

    if (slice_word(&rest, &word) && slice_starts(word, SLICE("AS")) &&
        text_parse_u64(slice_from(word, 2), &number) && number <= UINT32_MAX)
        owner = (struct report_owner){.as = (uint32_t)number, .name = slice_trim(rest)};
    return owner;
}

static void host_take(struct gathering *gathering, const json_t *row)
{
    const struct report_owner owner = owner_of(text_of(row, "origin"));
    struct report_host host = {.ptr = text_of(row, "ptr"),
                               .attempts = (uint64_t)json_integer_value(json_object_get(row, "attempts")),
                               .first_ms = time_of(row, "first"),
                               .last_ms = time_of(row, "last")};
    struct prefix prefix;

    if (!prefix_parse(text_of(row, "address"), &prefix) || !host.attempts)
        return;
    host.address = prefix.network;
    report_case_add_host(gathering->run->of, &host, &owner);
    gathering->taken++;
}

/* The keeper has the newest, which the history may lack, and hosts whose sessions are gone. */
static void campaign_take(struct gathering *gathering)
{
    struct report_run *run = gathering->run;
    const json_t *row;
    uint64_t session;
    size_t i;

    json_array_foreach(json_object_get(gathering->campaign, "timeline"), i,
                       row) if (event_id_parse(text_of(row, "id"), &session))(void)
        session_take(gathering, session);
    json_array_foreach(json_object_get(gathering->campaign, "host_table"), i, row) host_take(gathering, row);
    run->common.kind = arena_copy(&run->arena, text_of(gathering->campaign, "kind"));
    run->common.sentence = arena_copy(&run->arena, text_of(gathering->campaign, "sentence"));
    run->common.reason = arena_copy(&run->arena, text_of(gathering->campaign, "reason"));
}

/* Nothing taken: there is no such campaign. */
static int campaign_find(struct gathering *gathering)
{
    struct report_run *run = gathering->run;
    char id[EVENT_ID_SIZE];
    struct filter filter;

    filter_init(&filter);
    (void)filter_add_campaign(&filter, run->id);
    campaign_ask(gathering);
    const int status = found_take(gathering, &filter, true);
    if (gathering->campaign)
        campaign_take(gathering);
    if (!gathering->taken)
        return status;
    event_id_print(run->id, id);
    run->common.campaign = arena_copy(&run->arena, slice_text(id));
    return CLI_OK;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static int network_find(struct gathering *gathering)
{
    struct report_run *run = gathering->run;
    struct filter filter;

    filter_init(&filter);
    filter.since_us = run->since_us;
    filter.until_us = run->until_us;
    (void)filter_add_network(&filter, &run->network);
    const int status = found_take(gathering, &filter, run->all);
    if (status != CLI_OK || gathering->taken)
        return status;
    if (run->sessions)
        return cli_fail(run->cli,
                        "nothing that came from %s was refused or thrown away; --all reports it all the same",
                        run->subject);
    return cli_fail(run->cli, "no session of %s is in the journal, or none of that time: see --since",
                    run->subject);
}

static int id_find(struct gathering *gathering)
{
    struct report_run *run = gathering->run;

    if (!run->session_only) {
        const int status = campaign_find(gathering);
        if (status != CLI_OK || gathering->taken)
            return status;
    }
    if (session_take(gathering, run->id))
        return CLI_OK;
    return cli_fail(run->cli, "neither a campaign nor a session that is over is known as %s", run->subject);
}

int report_find(struct report_run *run)
{
    struct gathering gathering = {.run = run};

    table_init(&gathering.seen, 0);
    const int status = run->network.network.family ? network_find(&gathering) : id_find(&gathering);
    table_drop(&gathering.seen);
    json_decref(gathering.campaign);
    return status;
}

/* --- transcripts --------------------------------------------------------------------------------------- */

static struct slice transcript_of(struct report_run *run, uint64_t session)
{
    struct slice text = SLICE_NONE;
    struct history history;
    struct error error;

    history_init(&history, session);
    if (journal_session_load(&history, run->folder, &error) == 0 && history.count) {
        if (run->redaction)
            redaction_apply(run->redaction, &history);
        text = report_transcript(&history, &run->arena);
    }
    history_drop(&history);
    return text;
}

void report_transcribe(struct report_run *run, struct report *report)
{
    struct report_transcript *transcripts = arena_take(&run->arena, REPORT_TRANSCRIPTS * sizeof *transcripts);
    uint64_t sessions[REPORT_TRANSCRIPTS];
    const size_t count = report_sessions(report, sessions, run->transcripts);

    report->transcript_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct slice text = transcript_of(run, sessions[i]);
        if (text.len)
            transcripts[report->transcript_count++] = (struct report_transcript){sessions[i], text};
    }
    report->transcripts = transcripts;
}
