/* postern journal: the journal's files: listed, verified, dumped. */
#include "cli/journal_files.h"

#include "journal/render_json.h"
#include "journal/segment.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

#define JSON_MAX (4u * 1024u * 1024u)

struct run {
    const struct cli *cli;
    char folder[JOURNAL_FOLDER_SIZE];
    struct segment_listing listing;
    struct slice only; /* a stream or a file; empty: all */
    int64_t since_us, until_us;
};

/* What reading a file through has shown. */
struct found {
    uint64_t octets;
    uint64_t records;
    uint64_t sessions; /* that ended */
    uint64_t damaged;  /* octets passed over */
    uint64_t torn;     /* octets behind the last whole record */
    uint64_t first_bad;
};

static bool is_wanted(const struct run *run, const struct segment_name *name)
{
    char file[SEGMENT_NAME_SIZE], stream[SEGMENT_STREAM_SIZE];

    if (!run->only.len)
        return true;
    (void)segment_name_print(name, file);
    (void)segment_stream_print(name, stream);
    return slice_equal(run->only, slice_text(file)) || slice_equal(run->only, slice_text(stream)) ||
           slice_equal(run->only, slice_text(name->role));
}

/* Whether a newer file of the stream is there: nobody writes to this one any more. */
static bool is_closed(const struct run *run, size_t index)
{
    return index + 1 < run->listing.count &&
           segment_stream_compare(&run->listing.names[index], &run->listing.names[index + 1]) == 0;
}

/* Calls `each` for every record; goes on behind damage. */
static void read_through(struct segment_file *file, uint64_t at, struct found *found,
                         bool (*each)(void *data, const struct event *event), void *data)
{
    struct event event;
    size_t size;

    for (;;) {
        const enum segment_status status = segment_file_read(file, at, &event, &size);
        if (status == SEGMENT_RECORD) {
            found->records += event.kind != EVENT_NONE;
            found->sessions += event.kind == EVENT_KIND_session_ended;
            at += size;
            if (each && event.kind != EVENT_NONE && !each(data, &event))
                return;
            continue;
        }
        if (status != SEGMENT_BAD) {
            found->torn = segment_file_size(file) - at;
            return;
        }
        uint64_t next = segment_file_milestone_after(file, at + 1);
        if (!next)
            next = segment_file_size(file);
        if (!found->damaged)
            found->first_bad = at;
        found->damaged += next - at;
        at = next;
    }
}

/* --- list and verify ----------------------------------------------------------------------------------- */

static void put_found(struct json *json, const struct found *found)
{
    json_put_u64(json, "records", found->records);
    json_put_u64(json, "sessions", found->sessions);
    json_put_u64(json, "damaged", found->damaged);
    json_put_u64(json, "torn", found->torn);
}

static void file_json(const char *folder, const struct segment_file *file, const char *name,
                      const struct found *found)
{
    const uint64_t octets = segment_file_size(file);
    int64_t changed_unix = 0;
    struct json json;
    struct buf out;

    buf_init(&out, JSON_MAX);
    json_begin(&json, &out);
    json_object_open(&json);
    json_put_text(&json, "file", slice_text(name));
    json_put_text(&json, "role", slice_text(file->header.name.role));
    json_put_u64(&json, "number", file->header.name.number);
    json_put_u64(&json, "sequence", file->header.name.sequence);
    json_put_i64(&json, "started", file->header.started_us / 1000000);
    json_put_u64(&json, "octets", octets);
    json_put_u64(&json, "disk", segment_disk(folder, &file->header.name, &changed_unix));
    json_put_bool(&json, "packed", file->packed != NULL);
    json_put_text(&json, "version", slice_text(file->header.version));
    json_put_text(&json, "configuration", slice_text(file->header.configuration));
    if (found)
        put_found(&json, found);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&out);
    buf_drop(&out);
}

static void list_row(const struct run *run, struct cli_table *table, const struct segment_file *file,
                     const char *name)
{
    char time[JOURNAL_TIME_SIZE];
    int64_t changed_unix;

    cli_table_add(table, slice_text(name));
    cli_table_add(table, journal_time(file->header.started_us, time));
    cli_table_add_number(table, segment_file_size(file));
    cli_table_add_number(table, segment_disk(run->folder, &file->header.name, &changed_unix));
    cli_table_add(table, slice_text(file->header.version));
    cli_table_add(table, slice_head(slice_text(file->header.configuration), 12));
}

static int list(struct run *run)
{
    static const char *const heads[] = {"FILE",    "BEGUN",         ">OCTETS", ">ON DISK",
                                        "VERSION", "CONFIGURATION", NULL};
    struct cli_table *table = NULL;
    int status = CLI_OK;

    for (size_t i = 0; i < run->listing.count; i++) {
        char name[SEGMENT_NAME_SIZE];
        struct segment_file file;
        struct error error = {0};
        if (!is_wanted(run, &run->listing.names[i]))
            continue;
        if (segment_file_open(run->folder, &run->listing.names[i], &file, &error) < 0) {
            status = journal_fail(run->cli, run->folder, &error);
            continue;
        }
        (void)segment_name_print(&run->listing.names[i], name);
        if (!run->cli->json && !table)
            table = cli_table_new(heads);
        if (table)
            list_row(run, table, &file, name);
        else
            file_json(run->folder, &file, name, NULL);
        segment_file_close(&file);
    }
    if (table)
        cli_table_end(table, run->cli);
    return status;
}

static bool is_sound(const struct found *found, bool closed)
{
    return !found->damaged && (!found->torn || !closed);
}

static void verify_print(const struct cli *cli, const char *name, const struct found *found, bool closed)
{
    const bool sound = is_sound(found, closed);

    cli_print("%s  %s%s%s  %llu records, %llu sessions", name,
              cli_style(cli, sound ? CLI_STYLE_GOOD : CLI_STYLE_BAD), sound ? "sound" : "damaged",
              cli_style(cli, CLI_STYLE_PLAIN), (unsigned long long)found->records,
              (unsigned long long)found->sessions);
    if (found->damaged)
        cli_print(", %llu octets unreadable, from %llu on", (unsigned long long)found->damaged,
                  (unsigned long long)found->first_bad);
    if (found->torn)
        cli_print(closed ? ", torn: %llu octets at its end" : ", being written: %llu octets of a record",
                  (unsigned long long)found->torn);
    cli_print("\n");
}

static int verify(struct run *run)
{
    int status = CLI_OK;

    for (size_t i = 0; i < run->listing.count; i++) {
        char name[SEGMENT_NAME_SIZE];
        struct segment_file file;
        struct error error = {0};
        struct found found = {0};
        if (!is_wanted(run, &run->listing.names[i]))
            continue;
        (void)segment_name_print(&run->listing.names[i], name);
        if (segment_file_open(run->folder, &run->listing.names[i], &file, &error) < 0) {
            status = journal_fail(run->cli, run->folder, &error);
            continue;
        }
        cli_progress(name, i, run->listing.count);
        read_through(&file, file.header.size, &found, NULL, NULL);
        cli_progress_end();
        if (run->cli->json)
            file_json(run->folder, &file, name, &found);
        else
            verify_print(run->cli, name, &found, is_closed(run, i));
        if (!is_sound(&found, is_closed(run, i)))
            status = CLI_FAILED;
        segment_file_close(&file);
    }
    return status;
}

/* --- dump ---------------------------------------------------------------------------------------------- */

struct dump {
    struct run *run;
    struct buf out;
};

static bool dump_event(void *data, const struct event *event)
{
    struct dump *dump = data;

    if (event->stamp.unix_us < dump->run->since_us || event->stamp.unix_us > dump->run->until_us)
        return true;
    (void)render_json(event, &dump->out);
    (void)fwrite(dump->out.at ? dump->out.at : "", 1, dump->out.len, stdout);
    buf_clear(&dump->out);
    return !ferror(stdout);
}

static int dump_all(struct run *run)
{
    struct dump dump = {.run = run};
    int status = CLI_OK;

    buf_init(&dump.out, JSON_MAX);
    for (size_t i = 0; i < run->listing.count; i++) {
        struct segment_file file;
        struct error error = {0};
        struct found found = {0};
        if (!is_wanted(run, &run->listing.names[i]))
            continue;
        if (segment_file_open(run->folder, &run->listing.names[i], &file, &error) < 0) {
            status = journal_fail(run->cli, run->folder, &error);
            continue;
        }
        const uint64_t from = run->since_us == INT64_MIN ? file.header.size
                                                         : segment_file_seek(&file, run->since_us);
        read_through(&file, from, &found, dump_event, &dump);
        segment_file_close(&file);
    }
    buf_drop(&dump.out);
    return status;
}

/* --- which --------------------------------------------------------------------------------------------- */

static int act(struct run *run, const char *what)
{
    size_t wanted = 0;

    for (size_t i = 0; i < run->listing.count; i++)
        wanted += is_wanted(run, &run->listing.names[i]);
    if (!run->listing.count)
        return cli_fail(run->cli, "the journal in %s is empty", run->folder);
    if (!wanted)
        return cli_fail(run->cli, "the journal in %s has no %.*s", run->folder, SLICE_ARGS(run->only));
    if (strcmp(what, "list") == 0)
        return list(run);
    return strcmp(what, "verify") == 0 ? verify(run) : dump_all(run);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct run run = {.cli = cli, .only = slice_text(argc > 2 ? argv[2] : NULL)};
    struct error error = {0};
    const char *what = argv[1];

    if (strcmp(what, "list") != 0 && strcmp(what, "verify") != 0 && strcmp(what, "dump") != 0)
        return cli_fail_usage(cli, "\"%s\" is not known here: expected list, verify or dump", what);
    if (!journal_option_time(cli, "since", INT64_MIN, &run.since_us) ||
        !journal_option_time(cli, "until", INT64_MAX, &run.until_us))
        return CLI_USAGE;
    int status = journal_folder(cli, run.folder);
    if (status != CLI_OK)
        return status;
    if (segment_list(run.folder, &run.listing, &error) < 0)
        return journal_fail(cli, run.folder, &error);
    status = act(&run, what);
    segment_listing_drop(&run.listing);
    return status;
}

static const struct cli_option options[] = {
    {0, "since", "TIME", "dump: what happened since: 2h (ago), or a date"},
    {0, "until", "TIME", "dump: what happened before"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_journal = {
    .name = "journal",
    .run = run,
    .summary = "list, verify or dump the journal's files",
    .arguments = "list | verify | dump [STREAM | FILE]",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = options,
    .help = "list shows the files with the program version and configuration that wrote\n"
            "them; those that are closed are packed, which shows in what they take on disk, and\n"
            "otherwise makes no difference. verify reads them through; it fails where octets cannot be read. "
            "dump\n"
            "prints every event as a line of JSON, file by file. A stream is what one\n"
            "process writes, such as gate-0; its role alone, such as gate, means all.\n",
    .examples = "postern journal verify\n"
                "postern journal dump gate-0 --since 10m\n",
};
