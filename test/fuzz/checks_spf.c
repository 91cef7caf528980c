/* Whatever the DNS says: an evaluation ends, asks no more than the limits of RFC 7208 section 4.6.4 allow,
 * and says the same however its answers are ordered.
 *
 * The input's lines are records; what a name has depends on its hash alone. */
#include "property.h"

#include "checks/spf.h"
#include "core/machine.h"

#include <stdio.h>

/* The first record; ten terms with a question and ten more each; the client's names; the explanation. */
#define ASKS_MAX (1 + SPF_LOOKUPS_MAX * 11 + 11 + 2)

struct zone {
    struct slice lines;
    struct arena arena;
    bool newest_first;
};

static struct slice line_at(struct slice lines, uint64_t which)
{
    struct slice rest = lines, line = SLICE_NONE;
    size_t count = 1;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.at[i] == '\n';
    for (uint64_t i = which % count + 1; i-- && slice_cut(&rest, '\n', &line);)
        ;
    return line;
}

static struct slice txt_of(struct zone *zone, uint64_t hash)
{
    struct slice line = line_at(zone->lines, hash >> 8);
    struct slice text = arena_join(&zone->arena, hash & 64 ? SLICE_NONE : SLICE("v=spf1 "), line);
    const char *second = (hash & 0x3800) == 0 ? "6:v=spf1," : "";
    return arena_format(&zone->arena, "%zu:%.*s,%s", text.len, SLICE_ARGS(text), second);
}

static struct slice names_of(struct zone *zone, uint64_t hash, const char *format)
{
    struct slice list = SLICE_NONE;
    unsigned count = hash & 1024 ? (unsigned)(hash >> 16) % 13 : 1;
    for (unsigned i = 0; i < count; i++) {
        struct slice one = arena_format(&zone->arena, format, (unsigned)(hash >> 32) % 7 * i);
        list = arena_join(&zone->arena, list, one);
    }
    return list;
}

static void answer(struct zone *zone, struct ask *ask)
{
    static const char *const addresses[] = {"192.0.2.1", "2001:db8::1 192.0.2.9", "198.51.100.1 192.0.2.1",
                                            ""};
    uint64_t hash = slice_hash(ask->key, ask->kind);
    unsigned fate = (unsigned)hash & 15;
    ask->status = fate == 0   ? ANSWER_FAILED
                  : fate == 1 ? ANSWER_TIMEOUT
                  : fate < 5  ? ANSWER_NONE
                              : ANSWER_FOUND;
    if (ask->status != ANSWER_FOUND)
        ask->value = SLICE("no such name");
    else if (ask->kind == ASK_TXT)
        ask->value = txt_of(zone, hash);
    else if (ask->kind == ASK_MX)
        ask->value = names_of(zone, hash, "10 mx%u.example ");
    else if (ask->kind == ASK_POINTER)
        ask->value = names_of(zone, hash, "name%u.a.example ");
    else
        ask->value = slice_text(addresses[hash >> 8 & 3]);
}

/* Answers one open question; false: there is none. */
static bool answer_next(struct zone *zone, struct session *session)
{
    struct ask *open = NULL;
    for (struct ask *ask = session->asks; ask; ask = ask->next)
        if (ask->status == ANSWER_PENDING && (!open || !zone->newest_first))
            open = ask;
    if (open)
        answer(zone, open);
    return open;
}

static void keys_are_clean(const struct session *session)
{
    unsigned count = 0;
    for (const struct ask *ask = session->asks; ask; ask = ask->next, count++)
        assert(ask->key.len && ask->key.len <= SPF_NAME_MAX && slice_is_printable(ask->key));
    assert(count <= ASKS_MAX);
}

static void evaluate(struct zone *zone, const struct spf_query *query, struct spf_verdict *ret_verdict)
{
    static struct outbox outbox;
    struct session_world world = {.site = site_new()};
    struct input input = {.kind = INPUT_ANSWER};
    struct session *session = session_init(memory_take(session_size()), &world, 1, SLICE_NONE);
    struct step step = {session, &input, &outbox};
    struct turn turn;
    outbox_init(&outbox);
    turn_init(&turn, &step);
    while (spf_evaluate(&turn, query, ret_verdict) == CHECK_WAIT) {
        bool moved = answer_next(zone, session);
        assert(moved);
        outbox_clear(&outbox);
    }
    assert((unsigned)ret_verdict->result < SPF_RESULT_COUNT);
    assert(slice_is_printable(slice_of(ret_verdict->explanation, ret_verdict->explanation_len)));
    assert(!ret_verdict->explanation_len || ret_verdict->result == SPF_FAIL);
    bool error = ret_verdict->result == SPF_TEMPERROR || ret_verdict->result == SPF_PERMERROR;
    assert(!error || ret_verdict->problem.len);
    keys_are_clean(session);
    turn_done(&turn);
    session_done(session);
    memory_give(session, session_size());
    outbox_done(&outbox);
    site_free((struct site *)(uintptr_t)world.site);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct zone zone = {.lines = slice_of((const char *)octets, len < 4096 ? len : 4096)};
    struct spf_verdict first, second;
    struct address address;
    struct slice helo;
    bool six = choice_take(&zone.lines) & 1;
    address_parse(six ? SLICE("2001:db8::1") : SLICE("192.0.2.1"), &address);
    if (!slice_cut(&zone.lines, '\n', &helo))
        helo = SLICE_NONE;
    struct spf_query query = {.local = helo, .domain = SLICE("a.example"), .helo = helo, .address = &address};
    arena_init(&zone.arena, NULL, 0);
    evaluate(&zone, &query, &first);
    zone.newest_first = true;
    evaluate(&zone, &query, &second);
    assert(first.result == second.result && first.explanation_len == second.explanation_len);
    arena_drop(&zone.arena);
    return 0;
}
