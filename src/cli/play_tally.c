/* What came of an archive, counted. */
#include "cli/play_mbox.h"

#include "base/text.h"
#include "wire/json.h"

#include <stdio.h>

#define JSON_MAX 65536

void play_count_add(struct play_count *count, const struct played *played)
{
    count->ends[played->end]++;
    for (unsigned i = 0; i < FIND_LIMIT; i++)
        count->hits[i] += played->found[i];
}

static uint64_t played_of(const struct play_count *count)
{
    return count->messages[ARCHIVE_DONE];
}

/* --- for people ---------------------------------------------------------------------------------------- */

struct sheet {
    struct cli_table *table;
    struct arena arena;
    const struct play_count *counts;
    size_t count;
};

/* "12", and "3.45 %" of the messages played. */
static void cells(struct sheet *sheet, size_t index, uint64_t number, bool share)
{
    const uint64_t all = played_of(&sheet->counts[index]);
    const uint64_t hundredths = all ? (number * 20000 + all) / (2 * all) : 0;

    cli_table_add_number(sheet->table, number);
    cli_table_add(sheet->table, share && all ? arena_format(&sheet->arena, "%llu.%02llu %%",
                                                            (unsigned long long)(hundredths / 100),
                                                            (unsigned long long)(hundredths % 100))
                                             : SLICE_NONE);
}

static void row_begin(struct sheet *sheet, const char *word, struct slice weight)
{
    cli_table_add(sheet->table, slice_text(word));
    cli_table_add(sheet->table, weight);
}

static void rows_of_messages(struct sheet *sheet)
{
    for (unsigned status = 0; status < ARCHIVE_STATUS_COUNT; status++) {
        row_begin(sheet, archive_word(status), SLICE_NONE);
        for (size_t i = 0; i < sheet->count; i++)
            cells(sheet, i, sheet->counts[i].messages[status], false);
    }
    for (unsigned end = 0; end < PLAY_END_COUNT; end++) {
        row_begin(sheet, play_end_word(end), SLICE_NONE);
        for (size_t i = 0; i < sheet->count; i++)
            cells(sheet, i, sheet->counts[i].ends[end], true);
    }
    row_begin(sheet, "deferred, then accepted", SLICE_NONE);
    for (size_t i = 0; i < sheet->count; i++)
        cells(sheet, i, sheet->counts[i].later, true);
}

static bool is_hit(const struct sheet *sheet, unsigned finding)
{
    for (size_t i = 0; i < sheet->count; i++)
        if (sheet->counts[i].hits[finding])
            return true;
    return false;
}

/* "2", "reject", "2, off" */
static struct slice rule_shown(struct sheet *sheet, struct rule rule)
{
    const char *mode = rule.mode == MODE_ENFORCE ? "" : mode_word(rule.mode);

    if (rule.action != ACTION_NONE)
        return arena_format(&sheet->arena, "%s%s%s", action_word(rule.action), mode[0] ? ", " : "", mode);
    return arena_format(&sheet->arena, "%d%s%s", (int)rule.weight, mode[0] ? ", " : "", mode);
}

static void rows_of_findings(struct sheet *sheet, const struct site *site)
{
    for (unsigned finding = 1; finding < FIND_LIMIT; finding++) {
        if (!finding_info(finding) || !is_hit(sheet, finding))
            continue;
        row_begin(sheet, finding_info(finding)->word, rule_shown(sheet, site->rules[finding]));
        for (size_t i = 0; i < sheet->count; i++)
            cells(sheet, i, sheet->counts[i].hits[finding], true);
    }
}

static void show_people(const struct cli *cli, const struct site *site, const struct play_count *counts,
                        size_t count)
{
    const char *heads[2 + 2 * PLAY_LABELS_MAX + 1] = {"", ">rule"};
    struct sheet sheet = {.counts = counts, .count = count};

    arena_init(&sheet.arena, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        const struct slice label = counts[i].label.len ? counts[i].label : SLICE("messages");
        heads[2 + 2 * i] = arena_format(&sheet.arena, ">%.*s", SLICE_ARGS(label)).at;
        heads[3 + 2 * i] = ">of those played";
    }
    sheet.table = cli_table_new(heads);
    rows_of_messages(&sheet);
    rows_of_findings(&sheet, site);
    cli_table_end(sheet.table, cli);
    arena_drop(&sheet.arena);
}

/* --- for programs -------------------------------------------------------------------------------------- */

static void json_count(struct json *json, const struct play_count *count)
{
    json_put_text(json, "label", count->label);
    json_put_u64(json, "played", played_of(count));
    for (unsigned end = 0; end < PLAY_END_COUNT; end++)
        json_put_u64(json, play_end_word(end), count->ends[end]);
    json_put_u64(json, "accepted_later", count->later);
    json_key(json, "not_played");
    json_object_open(json);
    for (unsigned status = ARCHIVE_DONE + 1; status < ARCHIVE_STATUS_COUNT; status++)
        json_put_u64(json, archive_word(status), count->messages[status]);
    json_object_close(json);
    json_key(json, "findings");
    json_object_open(json);
    for (unsigned finding = 1; finding < FIND_LIMIT; finding++)
        if (finding_info(finding) && count->hits[finding])
            json_put_u64(json, finding_info(finding)->word, count->hits[finding]);
    json_object_close(json);
}

static void show_programs(const struct play_count *counts, size_t count)
{
    struct buf buf;
    struct json json;

    buf_init(&buf, JSON_MAX);
    for (size_t i = 0; i < count; i++) {
        json_begin(&json, &buf);
        json_object_open(&json);
        json_count(&json, &counts[i]);
        json_object_close(&json);
        (void)json_end(&json);
        cli_print_line(&buf);
    }
    buf_drop(&buf);
}

void play_counts_show(const struct cli *cli, const struct site *site, const struct play_count *counts,
                      size_t count)
{
    if (cli->json)
        show_programs(counts, count);
    else
        show_people(cli, site, counts, count);
}

/* --- one message --------------------------------------------------------------------------------------- */

static void message_json(struct slice label, const char *file, const struct played *played)
{
    struct buf buf;
    struct json json;

    buf_init(&buf, JSON_MAX);
    json_begin(&json, &buf);
    json_object_open(&json);
    json_put_text(&json, "file", slice_text(file));
    json_put_text(&json, "label", label);
    json_put_text(&json, "verdict", slice_text(play_end_word(played->end)));
    json_put_u64(&json, "sum", played->sum);
    json_put_text(&json, "reply", played->reply);
    json_key(&json, "findings");
    json_array_open(&json);
    for (unsigned finding = 1; finding < FIND_LIMIT; finding++)
        if (played->found[finding])
            json_text(&json, slice_text(finding_info(finding)->word));
    json_array_close(&json);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&buf);
    buf_drop(&buf);
}

void play_message_show(const struct cli *cli, struct slice label, const char *file,
                       const struct played *played)
{
    const char *before = "";

    if (cli->json) {
        message_json(label, file, played);
        return;
    }
    cli_print("%-8s %3llu  ", play_end_word(played->end), (unsigned long long)played->sum);
    cli_print_text(slice_text(file));
    for (unsigned finding = 1; finding < FIND_LIMIT; finding++)
        if (played->found[finding]) {
            cli_print("%s%s", before[0] ? before : "  ", finding_info(finding)->word);
            before = ",";
        }
    cli_print("\n");
}
