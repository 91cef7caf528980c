#include "daemon/metrics.h"

#include "base/memory.h"

#include <jansson.h>
#include <string.h>

enum { MILLI = 3, MICRO = 6 };

/* A key of a line and what becomes of its number. */
struct row {
    const char *key;
    const char *name, *help;
    const char *label, *value; /* or NULL: none */
    unsigned decimals;
    bool is_counter;
};

static const struct row gate_rows[] = {
    {"connections", "connections", "Connections that are open", NULL, NULL, 0, false},
    {"memory", "memory_bytes", "Memory in use by a gate, by its own count", NULL, NULL, 0, false},
    {"lag_p99_us", "loop_lag_p99_seconds",
     "How long who comes while a gate is busy waits for it, at most, in 99 of 100 busy moments", NULL, NULL,
     MICRO, false},
    {"accepted", "gate_connections_total", "Connections that a gate took since it was started", "result",
     "accepted", 0, true},
    {"refused", "gate_connections_total", "", "result", "refused", 0, true},
};

static const struct row total_rows[] = {
    {"slots", "connection_slots", "Connections that may be open", NULL, NULL, 0, false},
    {"dns_sent", "name_server_queries_total", "Questions that were sent to name servers", NULL, NULL, 0,
     true},
    {"dns_failed", "name_server_failures_total", "Questions for name servers without a usable answer", NULL,
     NULL, 0, true},
    {"dns_cached", "name_server_cached_total", "Questions for name servers that were answered from memory",
     NULL, NULL, 0, true},
};

static const struct row courier_rows[] = {
    {"waiting", "queue_messages", "Messages in the queue", "state", "waiting", 0, false},
    {"held", "queue_messages", "", "state", "held", 0, false},
    {"active", "queue_messages", "", "state", "active", 0, false},
    {"connections", "delivery_connections", "Connections over which messages are delivered", NULL, NULL, 0,
     false},
};

static const struct row keeper_rows[] = {
    {"behind", "journal_behind_bytes", "What was recorded and the keeper has not read yet", NULL, NULL, 0,
     false},
    {"lag_ms", "journal_lag_seconds", "How old the newest event is that the keeper has read", NULL, NULL,
     MILLI, false},
    {"damaged", "journal_damaged_bytes_total", "Octets of the journal that could not be read", NULL, NULL, 0,
     true},
    {"entries", "store_entries", "What is remembered in the store", NULL, NULL, 0, false},
    {"log_lost", "log_lines_lost_total", "Lines of the mail log that the other side did not take", NULL, NULL,
     0, true},
};

/* Of the keeper's "blocks". */
static const struct row block_rows[] = {
    {"in_force", "blocks", "Addresses and networks of the block list", "state", "in-force", 0, false},
    {"suggested", "blocks", "", "state", "suggested", 0, false},
    {"declined", "blocks", "", "state", "declined", 0, false},
    {"hits", "block_hits_total", "How often somebody came from an address or network that is shut out", NULL,
     NULL, 0, true},
};

static const struct row list_rows[] = {
    {"asked", "blocklist_questions_total", "Questions for a blocklist, and what came of them", "result",
     "asked", 0, true},
    {"listed", "blocklist_questions_total", "", "result", "listed", 0, true},
    {"failed", "blocklist_questions_total", "", "result", "failed", 0, true},
};

void metrics_status_init(struct metrics_status *status)
{
    *status = (struct metrics_status){.count = 0};
    arena_init(&status->arena, NULL, 0);
}

void metrics_status_drop(struct metrics_status *status)
{
    memory_give(status->samples, status->room * sizeof *status->samples);
    arena_drop(&status->arena);
}

static struct metrics_sample *sample_add(struct metrics_status *status, const char *name, const char *help)
{
    size_t size = sizeof *status->samples;
    if (status->count == status->room) {
        size_t room = status->room ? 2 * status->room : 64;
        status->samples = memory_resize(status->samples, status->room * size, room * size);
        status->room = room;
    }
    struct metrics_sample *sample = &status->samples[status->count++];
    *sample = (struct metrics_sample){.name = name, .help = help};
    return sample;
}

static void label_add(struct metrics_sample *sample, const char *key, struct slice value)
{
    for (unsigned i = 0; i < METRICS_LABELS; i++)
        if (!sample->labels[i].key) {
            sample->labels[i].key = key;
            sample->labels[i].value = value;
            return;
        }
}

/* What tells several lines of a kind apart. */
struct which {
    const char *key; /* or NULL: there is but one */
    struct slice value;
};

static void rows_add(struct metrics_status *status, const json_t *object, const struct row *rows,
                     size_t count, const struct which *which)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        const json_t *number = json_object_get(object, row->key);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            continue;
        struct metrics_sample *sample = sample_add(status, row->name, row->help);
        sample->value = (uint64_t)json_integer_value(number);
        sample->decimals = row->decimals;
        sample->is_counter = row->is_counter;
        if (which && which->key)
            label_add(sample, which->key, which->value);
        if (row->label)
            label_add(sample, row->label, slice_text(row->value));
    }
}

#define ROWS_ADD(status, object, rows, which)                                                                \
    rows_add(status, object, rows, sizeof rows / sizeof *rows, which)

static struct slice text_of(struct metrics_status *status, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return arena_copy(&status->arena, slice_of(json_string_value(value), json_string_length(value)));
}

static void up_add(struct metrics_status *status, const char *name, const char *help,
                   const struct which *which, bool up)
{
    struct metrics_sample *sample = sample_add(status, name, help);
    sample->value = up;
    if (which->key)
        label_add(sample, which->key, which->value);
}

static void gate_add(struct metrics_status *status, const json_t *object)
{
    struct which which = {
        "gate",
        arena_format(&status->arena, "%lld", (long long)json_integer_value(json_object_get(object, "slot")))};
    ROWS_ADD(status, object, gate_rows, &which);
}

static void list_add(struct metrics_status *status, const json_t *object)
{
    struct which which = {"list", text_of(status, object, "blocklist")};
    up_add(status, "blocklist_up", "Whether a blocklist works", &which,
           slice_equal(text_of(status, object, "state"), SLICE("works")));
    ROWS_ADD(status, object, list_rows, &which);
}

static void object_add(struct metrics_status *status, const json_t *object)
{
    struct slice process = text_of(status, object, "process");
    if (json_object_get(object, "slot"))
        gate_add(status, object);
    else if (json_object_get(object, "total"))
        ROWS_ADD(status, object, total_rows, NULL);
    else if (json_object_get(object, "blocklist"))
        list_add(status, object);
    else if (json_object_get(object, "name_servers"))
        up_add(status, "name_servers_up", "Whether name servers answer as they should", &(struct which){NULL},
               slice_equal(text_of(status, object, "name_servers"), SLICE("works")));
    else if (slice_equal(process, SLICE("courier")) && json_object_get(object, "waiting"))
        ROWS_ADD(status, object, courier_rows, NULL);
    else if (slice_equal(process, SLICE("keeper")) && json_object_get(object, "behind")) {
        ROWS_ADD(status, object, keeper_rows, NULL);
        ROWS_ADD(status, json_object_get(object, "blocks"), block_rows, NULL);
    }
}

void metrics_status_add(struct metrics_status *status, struct slice json)
{
    json_t *object = json_loadb(json.at, json.len, 0, NULL);
    if (json_is_object(object))
        object_add(status, object);
    json_decref(object);
}
