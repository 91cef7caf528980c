#include "cli/replay.h"

#include "base/calendar.h"
#include "base/text.h"
#include "cli/journal_files.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/words.h"
#include "wire/json.h"

#include <stdio.h>

#define JSON_MAX (4u * 1024u * 1024u)

static uint64_t played(const struct replay_tally *tally)
{
    return tally->same + tally->changed + tally->unknown;
}

static uint64_t not_played(const struct replay_report *report)
{
    const struct gather_counts *counts = &report->counts;
    const struct replay_tally *tally = report->tally;
    return tally->old + tally->broken + counts->open + counts->headless + counts->lost;
}

static uint64_t per_second(const struct replay_report *report, uint64_t us)
{
    return us ? played(report->tally) * 1000000 / us : 0;
}

/* --- sides --------------------------------------------------------------------------------------------- */

/* "reject by listed", "pass", "would be reject by listed" */
static struct slice side_text(const struct play_side *side, struct arena *arena)
{
    const char *verdict = journal_verdict_word(side->action),
               *would = side->observed ? "only observed: " : "";
    if (side->silent && side->action == ACTION_NONE)
        return SLICE("goes on, nothing is said");
    if (side->finding)
        return arena_format(arena, "%s%s by %s%s", would, verdict, side->by_sum ? "the sum, " : "",
                            journal_finding_word(side->finding));
    if (side->action != ACTION_NONE && side->reply)
        return arena_format(arena, "%s%s, reply #%u", would, verdict, side->reply);
    return arena_format(arena, "%s%s", would, verdict);
}

static const char *stage_text(const struct replay_change *change)
{
    unsigned stage = change->now.stage != STAGE_COUNT ? change->now.stage : change->then.stage;
    return stage < STAGE_COUNT ? journal_stage_word(stage) : "-";
}

/* --- for people ---------------------------------------------------------------------------------------- */

static void count_line(const struct replay_report *report, const char *what, uint64_t count,
                       const char *means)
{
    const uint64_t all = played(report->tally);
    const uint64_t hundredths = all ? (count * 20000 + all) / (2 * all) : 0;
    char text[JOURNAL_COUNT_SIZE];
    journal_count(count, text);
    cli_print("  %-8s %14s %4llu.%02llu %%  %s\n", what, text, (unsigned long long)(hundredths / 100),
              (unsigned long long)(hundredths % 100), means);
}

static void head_show(const struct replay_report *report)
{
    char first[JOURNAL_TIME_SIZE], last[JOURNAL_TIME_SIZE], count[JOURNAL_COUNT_SIZE],
        rate[JOURNAL_COUNT_SIZE];
    char core[JOURNAL_COUNT_SIZE];
    journal_count(played(report->tally), count);
    journal_count(per_second(report, report->took_us), rate);
    journal_count(per_second(report, report->busy_us), core);
    (void)journal_time(report->first_us, first);
    (void)journal_time(report->last_us, last);
    cli_print("%s sessions played again under ", count);
    cli_print_text(report->site->file);
    if (played(report->tally))
        cli_print(",\nbegun from %s to %s; %s a second, %s a second of a processor", first, last, rate, core);
    cli_print("\n\n");
    count_line(report, "same", report->tally->same, "the same replies and verdicts");
    count_line(report, "changed", report->tally->changed, "a verdict or reply differs");
    count_line(report, "unknown", report->tally->unknown, "hang on what was not asked or kept then");
    if (report->tally->other_finding)
        cli_print("\n  In %llu of the same a verdict comes of another finding.\n",
                  (unsigned long long)report->tally->other_finding);
}

static void left_out(uint64_t count, const char *why)
{
    char text[JOURNAL_COUNT_SIZE];
    journal_count(count, text);
    if (count)
        cli_print("  %23s  %s\n", text, why);
}

static void left_show(const struct replay_report *report)
{
    const struct gather_counts *counts = &report->counts;
    const struct replay_tally *tally = report->tally;
    if (not_played(report) + report->elsewhere + counts->damaged + counts->unreadable + tally->filtered == 0)
        return;
    cli_print("\nNot played:\n");
    left_out(tally->filtered, "sessions are others than those of --filter");
    left_out(report->elsewhere, "sessions were recorded under another configuration");
    left_out(tally->old, "sessions were recorded by a program that did not record enough");
    left_out(counts->open, "sessions have no end: they go on, or their gate ended first");
    left_out(counts->headless, "sessions have no begin: it is in a file that is gone");
    left_out(counts->lost, "sessions lack records");
    left_out(tally->broken, "sessions cannot be understood");
    left_out(counts->damaged, "octets of the journal are damaged");
    left_out(counts->unreadable, "files of the journal cannot be read");
}

static void changes_show(const struct replay_report *report)
{
    static const char *const heads[] = {">SESSIONS", "STAGE", "THEN", "NOW", NULL};
    const struct replay_tally *tally = report->tally;
    struct arena arena;
    if (!tally->change_count)
        return;
    arena_init(&arena, NULL, 0);
    cli_print("\n%sWhat changes%s\n", cli_style(report->cli, CLI_STYLE_HEAD),
              cli_style(report->cli, CLI_STYLE_PLAIN));
    struct cli_table *table = cli_table_new(heads);
    for (struct link *at = tally->changes.next; at != &tally->changes; at = at->next) {
        const struct replay_change *change = LIST_OF(at, struct replay_change, link);
        cli_table_add_number(table, change->sessions);
        cli_table_add(table, slice_text(stage_text(change)));
        cli_table_add(table, side_text(&change->then, &arena));
        cli_table_add(table, side_text(&change->now, &arena));
    }
    cli_table_end(table, report->cli);
    arena_drop(&arena);
}

static void unknowns_show(const struct replay_report *report)
{
    static const char *const heads[] = {">SESSIONS", "QUESTION", "ABOUT", "EXAMPLE", NULL};
    const struct replay_tally *tally = report->tally;
    char id[EVENT_ID_SIZE];
    if (!tally->unknown_count)
        return;
    cli_print("\n%sWhat is unknown%s\n", cli_style(report->cli, CLI_STYLE_HEAD),
              cli_style(report->cli, CLI_STYLE_PLAIN));
    struct cli_table *table = cli_table_new(heads);
    for (struct link *at = tally->unknowns.next; at != &tally->unknowns; at = at->next) {
        const struct replay_unknown *unknown = LIST_OF(at, struct replay_unknown, link);
        cli_table_add_number(table, unknown->sessions);
        cli_table_add(table, slice_text(unknown->kind ? journal_question_word(unknown->kind) : "-"));
        cli_table_add(table, unknown->about);
        event_id_print(unknown->sample, id);
        cli_table_add(table, slice_text(id));
    }
    cli_table_end(table, report->cli);
}

static void telling_show(const struct replay_report *report, const struct replay_telling *telling,
                         struct arena *arena)
{
    const struct replay_sample *sample = telling->sample;
    char id[EVENT_ID_SIZE], time[JOURNAL_TIME_SIZE], address[ADDRESS_TEXT_SIZE];
    event_id_print(sample->session, id);
    address_print(&sample->peer, address);
    (void)journal_time(sample->opened_us, time);
    cli_print("%spostern explain %s%s  %s  %s", cli_style(report->cli, CLI_STYLE_HEAD), id,
              cli_style(report->cli, CLI_STYLE_PLAIN), time, address);
    if (sample->name.len || sample->helo.len)
        cli_print_text(
            arena_format(arena, " (%.*s)", SLICE_ARGS(sample->name.len ? sample->name : sample->helo)));
    if (sample->sender.len || sample->recipient.len)
        cli_print_text(arena_format(arena, "  <%.*s> to <%.*s>", SLICE_ARGS(sample->sender),
                                    SLICE_ARGS(sample->recipient)));
    cli_print("\n    ");
    cli_print_text(arena_format(arena, "%s: %.*s; now %.*s", stage_text(telling->change),
                                SLICE_ARGS(side_text(&telling->change->then, arena)),
                                SLICE_ARGS(side_text(&telling->change->now, arena))));
    if (sample->reason.len)
        cli_print_text(arena_format(arena, " (%.*s)", SLICE_ARGS(sample->reason)));
    cli_print("\n");
}

static void people(const struct replay_report *report, const struct replay_telling *telling, size_t count)
{
    struct arena arena;
    arena_init(&arena, NULL, 0);
    head_show(report);
    left_show(report);
    changes_show(report);
    unknowns_show(report);
    if (count)
        cli_print("\n%sThe most telling sessions%s\n", cli_style(report->cli, CLI_STYLE_HEAD),
                  cli_style(report->cli, CLI_STYLE_PLAIN));
    for (size_t i = 0; i < count; i++)
        telling_show(report, &telling[i], &arena);
    arena_drop(&arena);
}

/* --- for programs -------------------------------------------------------------------------------------- */

static void json_side(struct json *json, const char *key, const struct play_side *side)
{
    json_key(json, key);
    json_object_open(json);
    json_put_text(json, "verdict", slice_text(journal_verdict_word(side->action)));
    json_put_bool(json, "observed", side->observed);
    json_put_text(json, "finding",
                  side->finding ? slice_text(journal_finding_word(side->finding)) : SLICE_NONE);
    json_put_bool(json, "by_sum", side->by_sum);
    json_put_u64(json, "reply", side->reply);
    json_object_close(json);
}

static void json_change(struct json *json, const struct replay_change *change)
{
    json_put_text(json, "stage", slice_text(stage_text(change)));
    json_side(json, "then", &change->then);
    json_side(json, "now", &change->now);
}

static void json_counts(struct json *json, const struct replay_report *report)
{
    const struct replay_tally *tally = report->tally;
    const struct gather_counts *counts = &report->counts;
    json_put_text(json, "configuration", report->site->digest);
    json_put_u64(json, "played", played(tally));
    json_put_u64(json, "same", tally->same);
    json_put_u64(json, "same_by_other_finding", tally->other_finding);
    json_put_u64(json, "changed", tally->changed);
    json_put_u64(json, "unknown", tally->unknown);
    json_key(json, "not_played");
    json_object_open(json);
    json_put_u64(json, "filtered", tally->filtered);
    json_put_u64(json, "other_configuration", report->elsewhere);
    json_put_u64(json, "old", tally->old);
    json_put_u64(json, "open", counts->open);
    json_put_u64(json, "without_begin", counts->headless);
    json_put_u64(json, "incomplete", counts->lost);
    json_put_u64(json, "not_understood", tally->broken);
    json_object_close(json);
    json_put_u64(json, "damaged_octets", counts->damaged);
    json_put_u64(json, "unreadable_files", counts->unreadable);
    json_key(json, "seconds");
    json_decimal(json, (int64_t)(report->took_us / 1000), 3);
    json_put_u64(json, "threads", report->threads);
    json_put_u64(json, "sessions_per_second", per_second(report, report->took_us));
    json_put_u64(json, "sessions_per_processor_second", per_second(report, report->busy_us));
}

static void json_unknowns(struct json *json, const struct replay_tally *tally)
{
    char id[EVENT_ID_SIZE];
    json_key(json, "unknowns");
    json_array_open(json);
    for (struct link *at = tally->unknowns.next; at != &tally->unknowns; at = at->next) {
        const struct replay_unknown *unknown = LIST_OF(at, struct replay_unknown, link);
        event_id_print(unknown->sample, id);
        json_object_open(json);
        json_put_u64(json, "sessions", unknown->sessions);
        json_put_text(json, "question",
                      unknown->kind ? slice_text(journal_question_word(unknown->kind)) : SLICE_NONE);
        json_put_text(json, "about", unknown->about);
        json_put_text(json, "example", slice_text(id));
        json_object_close(json);
    }
    json_array_close(json);
}

static void json_changes(struct json *json, const struct replay_tally *tally)
{
    json_key(json, "changes");
    json_array_open(json);
    for (struct link *at = tally->changes.next; at != &tally->changes; at = at->next) {
        const struct replay_change *change = LIST_OF(at, struct replay_change, link);
        json_object_open(json);
        json_put_u64(json, "sessions", change->sessions);
        json_change(json, change);
        json_object_close(json);
    }
    json_array_close(json);
}

static void json_telling(struct json *json, const struct replay_telling *telling)
{
    const struct replay_sample *sample = telling->sample;
    char id[EVENT_ID_SIZE], time[CALENDAR_TEXT_SIZE], address[ADDRESS_TEXT_SIZE], explain[EVENT_ID_SIZE + 32];
    event_id_print(sample->session, id);
    address_print(&sample->peer, address);
    calendar_print_iso(sample->opened_us / 1000, 0, time);
    (void)snprintf(explain, sizeof explain, "postern explain %s", id);
    json_object_open(json);
    json_put_text(json, "session", slice_text(id));
    json_put_text(json, "time", slice_text(time));
    json_put_text(json, "client", slice_text(address));
    json_put_text(json, "ptr", sample->name);
    json_put_text(json, "helo", sample->helo);
    json_put_text(json, "from", sample->sender);
    json_put_text(json, "to", sample->recipient);
    json_put_u64(json, "lines_before", sample->line);
    json_change(json, telling->change);
    json_put_text(json, "reason", sample->reason);
    json_put_text(json, "explain", slice_text(explain));
    json_object_close(json);
}

static void programs(const struct replay_report *report, const struct replay_telling *telling, size_t count)
{
    struct buf buf;
    struct json json;
    buf_init(&buf, JSON_MAX);
    json_begin(&json, &buf);
    json_object_open(&json);
    json_counts(&json, report);
    json_changes(&json, report->tally);
    json_unknowns(&json, report->tally);
    json_key(&json, "telling");
    json_array_open(&json);
    for (size_t i = 0; i < count; i++)
        json_telling(&json, &telling[i]);
    json_array_close(&json);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&buf);
    buf_drop(&buf);
}

void replay_report_show(const struct replay_report *report)
{
    struct replay_telling telling[REPLAY_TELLING];
    const size_t count = replay_tally_telling(report->tally, telling);
    if (report->cli->json)
        programs(report, telling, count);
    else
        people(report, telling, count);
}
