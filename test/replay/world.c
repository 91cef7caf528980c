/* The world round one session: a virtual clock, answers from a table or from the script, and invariants that
 * must hold whatever happens. */
#include "replay.h"

#include "base/memory.h"
#include "base/text.h"
#include "checks/list.h"
#include "io/store_answer.h"

#include <string.h>

#define EPOCH_US   INT64_C(1059024945000000) /* 24 July 2003, 05:35:45 UTC */
#define SESSION_ID UINT64_C(0x0123456789abcdef)

/* --- a digest that is no digest: equal octets give equal results, and that is all the machine asks
 * ---------- */

struct digest {
    uint64_t sum;
};

static struct digest *digest_start(enum digest_kind kind)
{
    struct digest *digest = memory_take(sizeof *digest);
    digest->sum = 0xcbf29ce484222325u + kind;
    return digest;
}

static void digest_add(struct digest *digest, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        digest->sum = (digest->sum ^ (unsigned char)s.at[i]) * 0x100000001b3u;
}

static void digest_drop(struct digest *digest)
{
    memory_give(digest, sizeof *digest);
}

static void digest_finish(struct digest *digest, uint8_t ret_digest[DIGEST_SIZE_MAX])
{
    memset(ret_digest, 0, DIGEST_SIZE_MAX);
    memcpy(ret_digest, &digest->sum, sizeof digest->sum);
    digest_drop(digest);
}

static const struct digest_driver driver = {digest_start, digest_add, digest_finish, digest_drop};

/* --- its life ------------------------------------------------------------------------------------------- */

void world_init(struct world *world, const struct script *script)
{
    memset(world, 0, sizeof *world);
    arena_init(&world->arena, NULL, 0);
    buf_init(&world->heard, 1 << 24);
    buf_init(&world->events, 1 << 26);
    buf_init(&world->waiting, 1 << 26);
    buf_init(&world->content, 1 << 26);
    buf_init(&world->told, 1 << 20);
    outbox_init(&world->outbox);
    world->store = store_memory_new();
    world_site(world, script);
    world->shared = (struct session_world){.site = world->site, .digest = &driver};
    world_checks_choose(world, script);
    world->script = script;
    world->random.state = 1;
    world->step_limit = 2000000;
    world->memory = memory_take(session_size());
    char *room = arena_take(&world->arena, 128);
    world->session = session_init(world->memory, &world->shared, SESSION_ID, slice_of(room, 128));
}

void world_done(struct world *world)
{
    session_done(world->session);
    memory_give(world->memory, session_size());
    outbox_done(&world->outbox);
    store_close(world->store);
    site_free(world->site);
    buf_drop(&world->heard);
    buf_drop(&world->events);
    buf_drop(&world->waiting);
    buf_drop(&world->content);
    buf_drop(&world->told);
    arena_drop(&world->arena);
}

struct slice world_state(const struct world *world)
{
    return slice_text(session_state_word(world->session));
}

/* --- what the machine wants ----------------------------------------------------------------------------- */

static void breaks(struct world *world, const char *what)
{
    if (!world->broken)
        world->broken = what;
}

static void ask_add(struct world *world, const struct outbox_action *action)
{
    if (world->ask_count == WORLD_ASKS) {
        breaks(world, "too many questions at once");
        return;
    }
    world->asks[world->ask_count++] = (struct open_ask){action->number, action->ask,
                                                        arena_copy(&world->arena, action->key)};
}

static bool ask_remove(struct world *world, uint32_t number)
{
    for (size_t i = 0; i < world->ask_count; i++)
        if (world->asks[i].number == number) {
            memmove(&world->asks[i], &world->asks[i + 1], (world->ask_count - i - 1) * sizeof *world->asks);
            world->ask_count--;
            return true;
        }
    return false;
}

static void commit_note(struct world *world, const struct transaction *transaction)
{
    struct arena *arena = &world->arena;
    if (world->committed)
        breaks(world, "a second commit before the first was answered");
    world->committed = true;
    world->spooling = false;
    struct slice text = arena_format(arena, "%.*s <%.*s>", SLICE_ARGS(transaction->route->name),
                                     SLICE_ARGS(transaction->sender));
    for (const struct recipient *r = transaction->recipients; r; r = r->next)
        text = arena_format(arena, "%.*s <%.*s>", SLICE_ARGS(text), SLICE_ARGS(r->address));
    world->commit_text = text;
}

static void spool_note(struct world *world, const struct outbox_action *action)
{
    if (action->kind == OUTBOX_SPOOL_BEGIN) {
        if (world->spooling)
            breaks(world, "a message began inside another");
        world->spooling = true;
        buf_clear(&world->content);
    } else if (!world->spooling)
        breaks(world, "content outside a message");
    else if (action->kind == OUTBOX_SPOOL)
        buf_add(&world->content, action->octets);
    else
        world->spooling = false;
}

static int64_t now_unix_ms(const struct world *world)
{
    return EPOCH_US / 1000 + (int64_t)world->now_ms;
}

/* The store has it at once: what the daemon's overlay looks like from here. */
static void store_tell(struct world *world, const struct outbox_action *action)
{
    const struct store_write write = {(enum store_verb)action->verb, action->key, action->octets,
                                      action->until_unix_ms, now_unix_ms(world)};
    if (!store_write_is_sane(&write))
        breaks(world, "a tell that the store would not take");
    else
        store_apply(world->store, &(struct store_batch){.writes = &write, .write_count = 1}, NULL);
}

static void action_do(struct world *world, const struct outbox_action *action)
{
    switch (action->kind) {
    case OUTBOX_ASK: ask_add(world, action); return;
    case OUTBOX_FORGET:
        if (!ask_remove(world, action->number))
            breaks(world, "a question was forgotten that nobody had asked");
        return;
    case OUTBOX_START_TLS: world->start_tls = true; return;
    case OUTBOX_SPOOL_BEGIN:
    case OUTBOX_SPOOL:
    case OUTBOX_SPOOL_CANCEL: spool_note(world, action); return;
    case OUTBOX_COMMIT: commit_note(world, action->transaction); return;
    case OUTBOX_TELL:
        store_tell(world, action);
        buf_add(&world->told, action->octets);
        buf_add_octet(&world->told, '\n');
        return;
    case OUTBOX_CLOSE: world->closed = true; return;
    }
}

/* A promise is a 250 to a message: it may be given only for what was kept. */
static void promise_count(struct world *world, const struct event *event)
{
    if (event->kind != EVENT_KIND_reply_sent)
        return;
    uint64_t number = event->body.reply_sent.number;
    if (number == SAY_MESSAGE_STORED || number == SAY_MESSAGE_RELAYED)
        world->promised++;
}

static void events_note(struct world *world, struct slice state)
{
    struct slice records = buf_slice(&world->outbox.events);
    struct event event;
    size_t size;
    while (records.len && event_read(records, &event, &size) == EVENT_DONE) {
        if (event.kind == EVENT_KIND_line_received)
            matrix_command(state, event.body.line_received.text);
        matrix_event(&event);
        promise_count(world, &event);
        records = slice_from(records, size);
    }
    if (records.len)
        breaks(world, "a record that cannot be read back");
}

void world_input(struct world *world, struct input *input)
{
    struct outbox *outbox = &world->outbox;
    struct slice state = world_state(world);
    if (world->closed)
        return;
    outbox_clear(outbox);
    input->now_ms = world->now_ms + 1000;
    input->unix_us = EPOCH_US + (int64_t)world->now_ms * 1000;
    input->due_ms = world->timer_ms;
    size_t taken = session_step(world->session, input, outbox);
    events_note(world, state);
    buf_add(&world->events, buf_slice(&outbox->events));
    buf_add(&world->heard, buf_slice(&outbox->send));
    for (size_t i = 0; i < outbox->count; i++)
        action_do(world, &outbox->actions[i]);
    if (outbox->timer_ms != OUTBOX_TIMER_KEEP)
        world->timer_ms = outbox->timer_ms;
    buf_take_front(&world->waiting, taken);
    if (world->promised > world->kept)
        breaks(world, "a 250 for a message that was not stored");
    if (world->step_limit-- == 0)
        breaks(world, "the session spins");
}

/* --- what happens to the machine ------------------------------------------------------------------------ */

static uint64_t number_after(struct slice arguments, const char *word, uint64_t preset)
{
    struct slice one;
    uint64_t number;
    while (slice_word(&arguments, &one))
        if (slice_equal(one, slice_text(word)) && slice_word(&arguments, &one) &&
            text_parse_u64(one, &number))
            return number;
    return preset;
}

static struct slice word_after(struct slice arguments, const char *word)
{
    struct slice one;
    while (slice_word(&arguments, &one))
        if (slice_equal(one, slice_text(word)) && slice_word(&arguments, &one))
            return one;
    return SLICE_NONE;
}

static bool has_word(struct slice arguments, const char *word)
{
    struct slice one;
    while (slice_word(&arguments, &one))
        if (slice_equal(one, slice_text(word)))
            return true;
    return false;
}

void world_open(struct world *world, struct slice arguments)
{
    struct slice rest = arguments, word;
    struct input input = {.kind = INPUT_OPENED};
    struct opened *opened = &input.opened;
    slice_word(&rest, &word);
    address_parse(word, &opened->peer);
    address_parse(SLICE("192.0.2.25"), &opened->local);
    opened->peer.port = (uint16_t)number_after(arguments, "port", 40000);
    opened->local.port = 25;
    opened->sequence = number_after(arguments, "sequence", 1);
    opened->slots_used = number_after(arguments, "slots", 1);
    opened->host_used = number_after(arguments, "host", 1);
    opened->network_used = number_after(arguments, "network", 1);
    opened->host_rate = number_after(arguments, "host-rate", 1);
    opened->network_rate = number_after(arguments, "network-rate", 1);
    opened->carried = (uint32_t)number_after(arguments, "carry", CARRY_ALL);
    opened->tls_offered = has_word(arguments, "tls");
    opened->proxy = has_word(arguments, "proxy");
    opened->short_of_memory = has_word(arguments, "no-memory");
    opened->fingerprint = word_after(arguments, "syn");
    opened->own_list = has_word(arguments, "own-list");
    world_input(world, &input);
}

void world_answer(struct world *world, uint32_t number, enum answer_status status, struct slice value)
{
    struct input input = {.kind = INPUT_ANSWER, .answer = {number, status, value, world->more}};
    ask_remove(world, number);
    world_input(world, &input);
}

void world_stored(struct world *world, const struct stored *stored)
{
    struct input input = {.kind = INPUT_STORED, .stored = *stored};
    if (!world->committed)
        breaks(world, "nothing was committed");
    world->committed = false;
    if (stored->status == STORED_KEPT || stored->status == STORED_TAKEN)
        world->kept++;
    world_input(world, &input);
}

static bool offer(struct world *world)
{
    uint32_t before = world->waiting.len;
    struct input input = {.kind = INPUT_BYTES, .bytes = buf_slice(&world->waiting)};
    if (!before || world->closed)
        return false;
    world_input(world, &input);
    return world->waiting.len != before;
}

void world_send(struct world *world, struct slice octets)
{
    if (!world->by_octet) {
        buf_add(&world->waiting, octets);
        world_settle(world);
        return;
    }
    for (size_t i = 0; i < octets.len && !world->closed; i++) {
        buf_add_octet(&world->waiting, octets.at[i]);
        world_settle(world);
    }
}

bool world_by_hand(const struct world *world, const char *word)
{
    return has_word(world->script->by_hand, word) || has_word(world->script->by_hand, "all");
}

/* "fact KIND KEY-PATTERN = STATUS [VALUE]" */
static bool fact_answers(struct world *world, const struct open_ask *ask, struct slice line)
{
    struct slice word, pattern;
    enum answer_status status;
    slice_word(&line, &word);
    if (!slice_equal(word, SLICE("fact")) || !slice_word(&line, &word) ||
        !slice_equal(word, slice_text(ask_word(ask->kind))))
        return false;
    slice_cut(&line, '=', &pattern);
    if (!text_match(slice_trim(pattern), ask->key))
        return false;
    if (!answer_read(&line, &status))
        breaks(world, "a fact of the script cannot be read");
    else
        world_answer(world, ask->number, status, unescape(&world->arena, slice_trim(line)));
    return true;
}

static void answer_recipient(struct world *world, const struct open_ask *ask)
{
    struct slice address = ask->key, route;
    slice_word(&address, &route);
    address = slice_trim(address);
    if (slice_starts(address, SLICE("nobody")))
        world_answer(world, ask->number, ANSWER_NONE, SLICE_NONE);
    else if (slice_starts(address, SLICE("later")))
        world_answer(world, ask->number, ANSWER_FAILED, SLICE("no connection"));
    else
        world_answer(world, ask->number, ANSWER_FOUND, SLICE("8bitmime smtputf8 dsn size"));
}

static void answer_from_store(struct world *world, const struct open_ask *ask)
{
    const struct store_source source = {.store = world->store};
    struct store_answer answer;
    store_answer(&source, ask->kind, ask->key, now_unix_ms(world), &answer);
    world_answer(world, ask->number, answer.status, arena_copy(&world->arena, answer.value));
}

/* What no fact of the script tells. */
static void answer_usually(struct world *world, const struct open_ask *ask)
{
    switch (ask->kind) {
    case ASK_RECIPIENT: answer_recipient(world, ask); return;
    case ASK_REMEMBERED:
    case ASK_STORED:
    case ASK_SEEN:
    case ASK_COUNT: answer_from_store(world, ask); return;
    case ASK_OWN: world_answer(world, ask->number, ANSWER_NONE, SLICE_NONE); return;
    case ASK_ADDRESS4:
    case ASK_ADDRESS6:
    case ASK_POINTER:
    case ASK_MX:
    case ASK_TXT:
    case ASK_LISTED:
    case ASK_ORIGIN:
    case ASK_REGISTERED: world_answer(world, ask->number, ANSWER_FAILED, SLICE("no resolver")); return;
    case ASK_ROOM: world_answer(world, ask->number, ANSWER_FOUND, SLICE("1 1 1 1")); return;
    case ASK_NOTHING:
    case ASK_KIND_LIMIT: breaks(world, "a question of no kind"); return;
    }
}

static void answer_one(struct world *world, const struct open_ask *ask)
{
    if (world->needless) {
        struct input input = {.kind = INPUT_ANSWER,
                              .answer = {ask->number + 1000, ANSWER_NONE, SLICE_NONE, false}};
        world_input(world, &input);
        world_input(world, &(struct input){.kind = INPUT_TIMER});
    }
    for (const struct order *order = world->script->setup; order; order = order->next)
        if (fact_answers(world, ask, order->text))
            return;
    answer_usually(world, ask);
}

/* One of the open questions that the script leaves to the world: the first, or any. */
static bool ask_pick(struct world *world, struct open_ask *ret_ask)
{
    world->more = false;
    struct open_ask *may[WORLD_ASKS];
    size_t count = 0;
    for (size_t i = 0; i < world->ask_count; i++)
        if (!world_by_hand(world, ask_word(world->asks[i].kind)))
            may[count++] = &world->asks[i];
    if (!count || world->all_time_out)
        return false;
    *ret_ask = *may[world->any_order ? (size_t)random_below(&world->random, count) : 0];
    world->more = world->any_order && count > 1 && random_below(&world->random, 2);
    return true;
}

static bool automatic(struct world *world)
{
    struct open_ask ask;
    if (world->closed)
        return false;
    if (ask_pick(world, &ask)) {
        answer_one(world, &ask);
        return true;
    }
    if (world->committed && !world_by_hand(world, "commit")) {
        world_stored(world, &(struct stored){
                                .status = STORED_KEPT, .queue_id = SLICE("028t5cy4tqkff.1"), .octets = 1});
        return true;
    }
    return false;
}

void world_settle(struct world *world)
{
    while (!world->closed && !world->broken && (offer(world) || automatic(world)))
        ;
}

void world_until(struct world *world, uint64_t at_ms)
{
    while (!world->closed && world->timer_ms && world->timer_ms - 1000 <= at_ms && !world->broken) {
        if (world->timer_ms - 1000 > world->now_ms)
            world->now_ms = world->timer_ms - 1000;
        uint64_t before = world->timer_ms;
        size_t events = world->events.len;
        world_input(world, &(struct input){.kind = INPUT_TIMER});
        world_settle(world);
        /* A second question may be due at the very same time; but then the first has got its answer. */
        if (world->timer_ms == before && world->events.len == events) {
            breaks(world, "a timer that has passed is asked for again");
            return;
        }
    }
    if (at_ms > world->now_ms)
        world->now_ms = at_ms;
    world_settle(world);
}
