#include "daemon/trial.h"

#include "base/memory.h"
#include "base/text.h"
#include "checks/list.h"
#include "core/session.h"
#include "daemon/lookup.h"
#include "io/digest.h"
#include "io/files.h"
#include "io/own_look.h"
#include "io/store_answer.h"
#include "queue/book.h"
#include "queue/mailboxes.h"

#include <string.h>

#define START_MS    1000u /* on the machine's clock */
#define PATIENCE_MS 3600000u
#define INPUT_MAX   (64u << 20)
#define RECORDS_MAX (64u << 20)
#define ASKS_MAX    64u
#define ROOM_SIZE   128u
#define FAR_MS      (INT64_C(365) * 86400000)
#define TELLS_MAX   4096u
#define STEPS_MAX   10000000u /* a machine that spins is a fault of ours */

struct open_ask {
    uint32_t number;
    enum ask_kind kind;
    struct slice key; /* in the trial's arena */
};

struct trial {
    struct trial_settings settings;
    struct session_world world;
    struct session *session;
    void *memory;
    struct arena arena;
    struct own_look own;
    struct store_overlay *overlay; /* over the store that stays, or NULL */
    uint32_t told;
    struct book *book;  /* NULL: no recipient was looked for yet */
    struct slice value; /* of the last answer, in the arena */
    struct outbox outbox;
    struct buf waiting; /* octets of the client that were not consumed yet */
    struct buf heard;   /* all that the machine said */
    size_t heard_taken;
    struct buf records;
    struct open_ask asks[ASKS_MAX];
    size_t ask_count;
    uint64_t now_ms;
    uint64_t timer_ms; /* 0: none */
    unsigned steps;
    bool committed; /* a message waits to be stored, */
    bool relayed;   /* or to be handed on */
    bool over;
};

/* What the caller knows. */
static bool is_known(const struct trial *trial, enum ask_kind kind, struct slice key,
                     struct answer *ret_answer)
{
    const struct trial_settings *settings = &trial->settings;

    return settings->answer && settings->answer(settings->data, kind, key, ret_answer);
}

/* --- answers ------------------------------------------------------------------------------------------- */

static enum answer_status recipient_answer(struct trial *trial, struct slice key, struct slice *ret_value)
{
    const struct site *site = trial->settings.site;
    struct slice rest = key, number;
    uint64_t place;

    if (!slice_cut(&rest, ' ', &number) || !text_parse_u64(number, &place) || place >= site->route_count)
        return ANSWER_FAILED;
    *ret_value = SLICE(MAILBOXES_CARRY);
    if (site->routes[place].kind == ROUTE_RELAY)
        return ANSWER_FOUND;
    if (!trial->book)
        trial->book = book_make(site, &files_system);
    const struct place *found = book_expand(trial->book, rest, &site->routes[place], &trial->arena);
    if (found->kind != PLACE_NOWHERE && found->kind != PLACE_UNROUTED)
        return ANSWER_FOUND;
    *ret_value = SLICE_NONE;
    return ANSWER_NONE;
}

static int64_t now_unix_ms(const struct trial *trial)
{
    return trial->settings.unix_us / 1000 + (int64_t)(trial->now_ms - START_MS);
}

static void answer_from_store(struct trial *trial, const struct open_ask *ask, struct answer *ret_answer)
{
    const struct store_source source = {trial->settings.store, trial->overlay};
    struct store_answer answer;

    if (!trial->settings.store)
        return;
    store_answer(&source, ask->kind, ask->key, now_unix_ms(trial), &answer);
    ret_answer->status = answer.status;
    ret_answer->value = arena_copy(&trial->arena, answer.value);
}

static bool may_be_listed(struct trial *trial)
{
    const struct trial_settings *settings = &trial->settings;

    return settings->store && own_look_any(&trial->own, settings->store, now_unix_ms(trial));
}

static void answer_own(struct trial *trial, struct slice key, struct answer *ret_answer)
{
    struct own_answer answer;

    if (!trial->settings.store)
        return;
    own_look_answer(&trial->own, trial->settings.store, key, now_unix_ms(trial), &answer);
    ret_answer->status = answer.status;
    ret_answer->value = arena_copy(&trial->arena, answer.value);
}

/* On top of a store that is only read: nobody will ever have applied it, and it is not late for that. */
static void overlay_tell(struct trial *trial, const struct store_write *write)
{
    const struct store_position position = {1, ++trial->told};

    if (store_write_is_sane(write))
        store_overlay_tell(trial->overlay, write, position, write->at_unix_ms + FAR_MS);
}

static void store_tell(struct trial *trial, const struct outbox_action *action)
{
    const struct store_write write = {(enum store_verb)action->verb, action->key, action->octets,
                                      action->until_unix_ms, now_unix_ms(trial)};

    if (trial->overlay)
        overlay_tell(trial, &write);
    else if (trial->settings.store)
        (void)store_apply(trial->settings.store, &(struct store_batch){.writes = &write, .write_count = 1},
                          NULL);
}

static void answer_usually(struct trial *trial, const struct open_ask *ask, struct answer *ret_answer)
{
    if (trial->settings.lookups && lookups_wait(trial->settings.lookups, ask->number, ret_answer))
        return;
    ret_answer->status = ANSWER_NONE;
    switch (ask->kind) {
    case ASK_RECIPIENT: ret_answer->status = recipient_answer(trial, ask->key, &ret_answer->value); return;
    case ASK_ADDRESS4:
    case ASK_ADDRESS6:
    case ASK_POINTER:
    case ASK_MX:
    case ASK_TXT:
    case ASK_LISTED:
    case ASK_ORIGIN:
    case ASK_REGISTERED:
        ret_answer->status = ANSWER_FAILED;
        ret_answer->value = SLICE(TRIAL_NOT_ASKED);
        return;
    case ASK_STORED:
    case ASK_SEEN:
    case ASK_COUNT: answer_from_store(trial, ask, ret_answer); return;
    case ASK_OWN: answer_own(trial, ask->key, ret_answer); return;
    case ASK_ROOM:
    case ASK_REMEMBERED:
    case ASK_NOTHING:
    case ASK_KIND_LIMIT: return;
    }
}

/* --- steps --------------------------------------------------------------------------------------------- */

static void ask_add(struct trial *trial, const struct outbox_action *action)
{
    assert(trial->ask_count < ASKS_MAX);
    trial->asks[trial->ask_count++] = (struct open_ask){action->number, action->ask,
                                                        arena_copy(&trial->arena, action->key)};
    if (trial->settings.lookups && !is_known(trial, action->ask, action->key, &(struct answer){0}))
        (void)lookups_begin(trial->settings.lookups, action->number, action->ask, action->key);
}

static void ask_remove(struct trial *trial, uint32_t number)
{
    for (size_t i = 0; i < trial->ask_count; i++)
        if (trial->asks[i].number == number) {
            memmove(&trial->asks[i], &trial->asks[i + 1], (--trial->ask_count - i) * sizeof *trial->asks);
            return;
        }
}

static void act(struct trial *trial, const struct outbox_action *action)
{
    switch (action->kind) {
    case OUTBOX_ASK: ask_add(trial, action); return;
    case OUTBOX_FORGET: ask_remove(trial, action->number); return;
    case OUTBOX_COMMIT:
        trial->committed = true;
        trial->relayed = action->transaction->route->kind == ROUTE_RELAY;
        return;
    case OUTBOX_CLOSE: trial->over = true; return;
    case OUTBOX_TELL: store_tell(trial, action); return;
    case OUTBOX_START_TLS: /* never offered */
    case OUTBOX_SPOOL_BEGIN:
    case OUTBOX_SPOOL:
    case OUTBOX_SPOOL_CANCEL: return;
    }
}

static void step(struct trial *trial, struct input *input)
{
    struct outbox *outbox = &trial->outbox;

    if (trial->over)
        return;
    assert(++trial->steps < STEPS_MAX);
    outbox_clear(outbox);
    input->now_ms = trial->now_ms;
    input->unix_us = trial->settings.unix_us + (int64_t)(trial->now_ms - START_MS) * 1000;
    const size_t taken = session_step(trial->session, input, outbox);
    buf_take_front(&trial->waiting, taken);
    (void)buf_add(&trial->records, buf_slice(&outbox->events));
    (void)buf_add(&trial->heard, buf_slice(&outbox->send));
    for (size_t i = 0; i < outbox->count; i++)
        act(trial, &outbox->actions[i]);
    if (outbox->timer_ms != OUTBOX_TIMER_KEEP)
        trial->timer_ms = outbox->timer_ms;
}

static bool answer_one(struct trial *trial)
{
    if (!trial->ask_count)
        return false;
    const struct open_ask ask = trial->asks[0];
    struct input input = {.kind = INPUT_ANSWER, .answer = {.number = ask.number}};
    if (!is_known(trial, ask.kind, ask.key, &input.answer))
        answer_usually(trial, &ask, &input.answer);
    input.answer.number = ask.number;
    ask_remove(trial, ask.number);
    step(trial, &input);
    return true;
}

static bool commit(struct trial *trial)
{
    struct input input = {.kind = INPUT_STORED,
                          .stored = {.status = STORED_KEPT, .queue_id = SLICE("0"), .octets = 0}};

    if (!trial->committed)
        return false;
    trial->committed = false;
    if (trial->relayed)
        input.stored = (struct stored){.status = STORED_TAKEN, .code = 250, .text = SLICE("OK")};
    step(trial, &input);
    return true;
}

static bool offer(struct trial *trial)
{
    const uint32_t before = trial->waiting.len;
    struct input input = {.kind = INPUT_BYTES, .bytes = buf_slice(&trial->waiting)};

    if (!before)
        return false;
    step(trial, &input);
    return trial->waiting.len != before;
}

/* Until nothing moves without time. */
static void settle(struct trial *trial)
{
    while (!trial->over && (offer(trial) || answer_one(trial) || commit(trial)))
        ;
}

/* To the machine's next point of time, or to the limit where that comes first. False: the limit came. */
static bool pass_time(struct trial *trial, uint64_t limit_ms)
{
    if (!trial->timer_ms || trial->timer_ms > limit_ms) {
        trial->now_ms = limit_ms;
        return false;
    }
    if (trial->timer_ms > trial->now_ms)
        trial->now_ms = trial->timer_ms;
    step(trial, &(struct input){.kind = INPUT_TIMER});
    settle(trial);
    return true;
}

/* --- the client ---------------------------------------------------------------------------------------- */

struct trial *trial_new(const struct trial_settings *settings)
{
    struct trial *trial = memory_take(sizeof *trial);
    struct input input = {.kind = INPUT_OPENED};

    trial->settings = *settings;
    if (settings->store && settings->store_stays)
        trial->overlay = store_overlay_new(settings->store, SLICE("trial"), TELLS_MAX);
    trial->now_ms = START_MS;
    trial->world = (struct session_world){.site = settings->site, .digest = digest_openssl()};
    session_world_checks(&trial->world, check_list);
    arena_init(&trial->arena, NULL, 0);
    outbox_init(&trial->outbox);
    buf_init(&trial->waiting, 2 * INPUT_MAX + 16); /* a message of dots is twice as long on its way */
    buf_init(&trial->heard, INPUT_MAX);
    buf_init(&trial->records, RECORDS_MAX);
    trial->memory = memory_take(session_size());
    trial->session = session_init(trial->memory, &trial->world, event_id_make(settings->unix_us / 1000, 0, 0),
                                  slice_of(arena_take(&trial->arena, ROOM_SIZE), ROOM_SIZE));
    input.opened = (struct opened){.peer = settings->peer,
                                   .local = settings->local,
                                   .fingerprint = settings->fingerprint,
                                   .sequence = 1,
                                   .slots_used = 1,
                                   .host_used = 1,
                                   .carried = CARRY_ALL,
                                   .own_list = may_be_listed(trial)};
    if (settings->local.family == ADDRESS_NONE)
        (void)address_port_parse(SLICE("192.0.2.25:25"), 25, &input.opened.local);
    step(trial, &input);
    settle(trial);
    return trial;
}

void trial_free(struct trial *trial)
{
    if (!trial)
        return;
    session_done(trial->session);
    memory_give(trial->memory, session_size());
    outbox_done(&trial->outbox);
    book_free(trial->book);
    store_overlay_free(trial->overlay);
    buf_drop(&trial->waiting);
    buf_drop(&trial->heard);
    buf_drop(&trial->records);
    arena_drop(&trial->arena);
    memory_give(trial, sizeof *trial);
}

void trial_say(struct trial *trial, struct slice octets)
{
    (void)buf_add(&trial->waiting, octets);
    settle(trial);
}

void trial_say_content(struct trial *trial, struct slice message)
{
    struct slice rest = message, line;
    struct buf *waiting = &trial->waiting;

    while (slice_cut(&rest, '\n', &line)) {
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        (void)buf_add(waiting, slice_starts(line, SLICE(".")) ? SLICE(".") : SLICE_NONE);
        (void)buf_add(waiting, line);
        (void)buf_add(waiting, SLICE("\r\n"));
    }
    (void)buf_add(waiting, SLICE(".\r\n"));
    settle(trial);
}

/* Octets of the whole reply at the front: lines "250-…", the last one "250 …" or "250" alone. 0: there is
 * none. */
static size_t reply_size(struct slice heard)
{
    struct slice rest = heard, line;

    while (slice_find(rest, '\n') != SLICE_NOT_FOUND) {
        (void)slice_cut(&rest, '\n', &line);
        if (line.len < 4 || line.at[3] != '-')
            return heard.len - rest.len;
    }
    return 0;
}

struct slice trial_hear(struct trial *trial)
{
    const uint64_t limit_ms = trial->now_ms + PATIENCE_MS;
    size_t size;

    for (;;) {
        const struct slice heard = slice_from(buf_slice(&trial->heard), trial->heard_taken);
        size = reply_size(heard);
        if (size) {
            trial->heard_taken += size;
            return slice_head(heard, size);
        }
        if (trial->over || !pass_time(trial, limit_ms))
            return SLICE_NONE;
    }
}

void trial_wait(struct trial *trial, uint64_t ms)
{
    const uint64_t limit_ms = trial->now_ms + ms;

    while (!trial->over && pass_time(trial, limit_ms))
        ;
}

void trial_leave(struct trial *trial)
{
    step(trial, &(struct input){.kind = INPUT_EOF});
    settle(trial);
    while (!trial->over && pass_time(trial, trial->now_ms + PATIENCE_MS))
        ;
}

bool trial_is_over(const struct trial *trial)
{
    return trial->over;
}

struct slice trial_records(const struct trial *trial)
{
    return buf_slice(&trial->records);
}
