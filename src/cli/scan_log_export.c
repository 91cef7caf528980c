/* What scan-log suggests, written in the forms of other programs. */
#include "cli/scan_log.h"

#include "base/memory.h"
#include "core/event.h"
#include "watch/export.h"

#include <stdio.h>
#include <string.h>

#define OUT_MAX (256u * 1024u * 1024u)

struct entries {
    struct export_entry *entries;
    char (*ids)[EVENT_ID_SIZE];
    size_t count;
};

static void entries_make(const struct scan_log *log, int64_t now_ms, uint64_t lifetime_ms,
                         struct entries *entries)
{
    const struct scan_block *const *blocks = scan_found_blocks(log->found, &entries->count);

    entries->entries = memory_take(entries->count * sizeof *entries->entries);
    entries->ids = memory_take(entries->count * sizeof *entries->ids);
    for (size_t i = 0; i < entries->count; i++) {
        event_id_print(blocks[i]->campaign, entries->ids[i]);
        entries->entries[i] = (struct export_entry){
            .address = blocks[i]->address,
            .reason = slice_text(campaign_reason(blocks[i]->kind)),
            .evidence = slice_text(entries->ids[i]),
            .made_ms = now_ms,
            .expires_ms = lifetime_ms ? now_ms + (int64_t)lifetime_ms : 0,
        };
    }
}

static void entries_drop(struct entries *entries)
{
    memory_give(entries->entries, entries->count * sizeof *entries->entries);
    memory_give(entries->ids, entries->count * sizeof *entries->ids);
}

bool scan_log_export_read(const char *text, struct scan_log_export *ret_export)
{
    struct slice rest = slice_text(text), word = SLICE_NONE;

    (void)slice_cut(&rest, '=', &word);
    ret_export->file = rest.len ? rest.at : NULL;
    return export_form_parse(word, &ret_export->form) && (rest.len || !strchr(text, '='));
}

int scan_log_export(const struct scan_log *log, const struct scan_log_export *export, int64_t now_ms,
                    uint64_t lifetime_ms)
{
    struct entries entries;
    struct error error = {0};
    struct buf out;
    int status = CLI_OK;

    entries_make(log, now_ms, lifetime_ms, &entries);
    buf_init(&out, OUT_MAX);
    if (!export_print(export->form, entries.entries, entries.count, now_ms, &out))
        status = cli_fail(log->cli, "the export as %s is larger than 256 MiB",
                          export_form_word(export->form));
    else if (!export->file)
        cli_print("%.*s", SLICE_ARGS(buf_slice(&out)));
    else if (export_save(export->file, buf_slice(&out), &error) < 0)
        status = cli_fail(log->cli, "%s", error.text);
    buf_drop(&out);
    entries_drop(&entries);
    return status;
}
