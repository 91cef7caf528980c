#include "cli/blocks_export.h"

#include "base/arena.h"
#include "base/calendar.h"
#include "base/memory.h"
#include "core/own_list.h"
#include "watch/export.h"

#include <jansson.h>
#include <time.h>

#define OUT_MAX (1024u * 1024u * 1024u)

struct fetched {
    const struct cli *cli;
    const struct site *site;
    struct arena arena;
    struct export_entry *entries;
    size_t count, room;
    json_int_t next;     /* where the list of blocks goes on; 0: it has come to its end */
    struct slice cursor; /* where that of allowances does; empty: it has come to its end */
};

static struct slice text_of(struct fetched *fetched, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return arena_copy(&fetched->arena, slice_text(text ? text : ""));
}

static void entry_add(struct fetched *fetched, const struct export_entry *entry)
{
    if (fetched->count == fetched->room) {
        const size_t room = fetched->room ? fetched->room * 2 : 64;
        fetched->entries = memory_resize(fetched->entries, fetched->room * sizeof *fetched->entries,
                                         room * sizeof *fetched->entries);
        fetched->room = room;
    }
    fetched->entries[fetched->count++] = *entry;
}

static int64_t time_of(struct fetched *fetched, const json_t *object, const char *key)
{
    int64_t unix_ms = 0;

    return calendar_parse_iso(text_of(fetched, object, key), &unix_ms) ? unix_ms : 0;
}

static void block_came(void *data, struct slice line)
{
    struct fetched *fetched = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    struct export_entry entry = {.hits = (uint64_t)json_integer_value(json_object_get(object, "hits"))};

    if (json_object_get(object, "next"))
        fetched->next = json_integer_value(json_object_get(object, "next"));
    if (prefix_parse(text_of(fetched, object, "address"), &entry.address)) {
        entry.reason = text_of(fetched, object, "reason");
        entry.evidence = text_of(fetched, object, "evidence");
        entry.made_ms = time_of(fetched, object, "made");
        entry.expires_ms = time_of(fetched, object, "expires");
        entry.object = arena_copy(&fetched->arena, line);
        entry_add(fetched, &entry);
    }
    json_decref(object);
}

static void allowance_came(void *data, struct slice line)
{
    struct fetched *fetched = data;
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    struct export_entry entry = {.allowed = true};
    struct own_value value;
    enum own_list list;

    if (json_object_get(object, "cursor"))
        fetched->cursor = text_of(fetched, object, "cursor");
    if (own_key_parse(text_of(fetched, object, "key"), &list, &entry.address) &&
        own_value_parse(text_of(fetched, object, "value"), &value)) {
        entry.reason = value.reason;
        entry.evidence = value.id;
        entry.expires_ms = json_integer_value(json_object_get(object, "expires"));
        entry_add(fetched, &entry);
    }
    json_decref(object);
}

static int blocks_fetch(struct fetched *fetched)
{
    int status = CLI_OK;

    do {
        const struct slice request = arena_format(
            &fetched->arena, "{\"command\":\"blocks\",\"do\":\"list\",\"state\":\"in-force\",\"from\":%lld}",
            (long long)fetched->next);
        const struct cli_call call = {
            .socket = "keeper.sock", .request = request, .line = block_came, .data = fetched};
        fetched->next = 0;
        status = cli_call(fetched->cli, fetched->site, &call);
    } while (status == CLI_OK && fetched->next);
    return status;
}

static int allowances_fetch(struct fetched *fetched)
{
    const struct slice start = own_key_start(OWN_ALLOW);
    int status = CLI_OK;

    do {
        const struct slice request = arena_format(
            &fetched->arena,
            "{\"command\":\"store\",\"do\":\"list\",\"prefix\":\"%.*s\",\"most\":1000,\"cursor\":\"%.*s\"}",
            SLICE_ARGS(start), SLICE_ARGS(fetched->cursor));
        const struct cli_call call = {
            .socket = "keeper.sock", .request = request, .line = allowance_came, .data = fetched};
        fetched->cursor = SLICE_NONE;
        status = cli_call(fetched->cli, fetched->site, &call);
    } while (status == CLI_OK && fetched->cursor.len);
    return status;
}

static int print(const struct fetched *fetched, enum export_form form)
{
    struct buf out;
    int status = CLI_OK;

    buf_init(&out, OUT_MAX);
    if (export_print(form, fetched->entries, fetched->count, (int64_t)time(NULL) * 1000, &out))
        cli_print("%.*s", SLICE_ARGS(buf_slice(&out)));
    else
        status = cli_fail(fetched->cli, "the list would be larger than 1 GiB");
    buf_drop(&out);
    return status;
}

int blocks_export(const struct cli *cli, const struct site *site, const char *word)
{
    struct fetched fetched = {.cli = cli, .site = site};
    enum export_form form;

    if (!export_form_parse(slice_text(word), &form))
        return cli_fail_usage(cli, "--export is access, cidr, nftables, rbldnsd or json");
    arena_init(&fetched.arena, NULL, 0);
    int status = blocks_fetch(&fetched);
    if (status == CLI_OK)
        status = allowances_fetch(&fetched);
    if (status == CLI_OK)
        status = print(&fetched, form);
    memory_give(fetched.entries, fetched.room * sizeof *fetched.entries);
    arena_drop(&fetched.arena);
    return status;
}
