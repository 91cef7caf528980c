#include "watch/block_list.h"

#include "base/memory.h"
#include "base/table.h"

#include <assert.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

#define RENEW_MS                                                                                             \
    (INT64_C(3600) * 1000) /* a suggestion lives on by evidence; the store need not have each                \
                            */

/* In the order in which they make room. */
enum rank { RANK_OVER, RANK_SUGGESTED, RANK_DECLINED, RANK_RULE, RANK_PERSON, RANKS };

struct block_list {
    struct block_list_settings settings;
    struct table by_prefix;
    struct block **slots; /* NULL: free */
    uint32_t used, room;
    uint32_t *free; /* slots below used */
    uint32_t free_count;
    uint32_t count;
    struct link ranks[RANKS]; /* the oldest of each first */
    struct link fresh;
    size_t fresh_count;
    int64_t due_ms; /* nothing is over before that */
    struct block_note *notes;
    size_t note_count, note_room, note_at;
    struct block_list_counts counts;
};

/* --- the whole ------------------------------------------------------------------------------------------ */

struct block_list *block_list_new(const struct block_list_settings *settings)
{
    struct block_list *list = memory_take(sizeof *list);
    assert(settings->most > 0 && settings->steps > 0 && settings->steps <= BLOCK_STEPS_MAX);
    list->settings = *settings;
    list->due_ms = INT64_MAX;
    table_init(&list->by_prefix, settings->seed);
    for (unsigned rank = 0; rank < RANKS; rank++)
        list_init(&list->ranks[rank]);
    list_init(&list->fresh);
    return list;
}

static struct block *fresh_first(const struct block_list *list)
{
    return list_is_empty(&list->fresh) ? NULL : LIST_OF(list->fresh.next, struct block, fresh);
}

void block_list_stored(struct block_list *list)
{
    struct block *block;
    while ((block = fresh_first(list)) != NULL) {
        list_remove(&block->fresh);
        if (!block->state)
            memory_give(block, sizeof *block);
    }
    list->fresh_count = 0;
}

void block_list_free(struct block_list *list)
{
    if (!list)
        return;
    block_list_stored(list);
    for (uint32_t i = 0; i < list->used; i++)
        memory_give(list->slots[i], list->slots[i] ? sizeof *list->slots[i] : 0);
    memory_give(list->slots, list->room * sizeof *list->slots);
    memory_give(list->free, list->room * sizeof *list->free);
    memory_give(list->notes, list->note_room * sizeof *list->notes);
    table_drop(&list->by_prefix);
    memory_give(list, sizeof *list);
}

/* --- what is told --------------------------------------------------------------------------------------- */

static void notes_forget(struct block_list *list)
{
    list->note_count = list->note_at = 0;
}

static void note_add(struct block_list *list, enum block_note_kind kind, const struct block *block,
                     const char *why)
{
    if (list->note_count == list->note_room) {
        const size_t room = list->note_room ? list->note_room * 2 : 8;
        list->notes = memory_resize(list->notes, list->note_room * sizeof *list->notes,
                                    room * sizeof *list->notes);
        list->note_room = room;
    }
    list->notes[list->note_count++] = (struct block_note){kind, why, *block};
}

bool block_list_note(struct block_list *list, struct block_note *ret_note)
{
    if (list->note_at == list->note_count)
        return false;
    *ret_note = list->notes[list->note_at++];
    return true;
}

static void fresh_set(struct block_list *list, struct block *block)
{
    if (block->fresh.next != &block->fresh)
        return;
    list_add_last(&list->fresh, &block->fresh);
    list->fresh_count++;
    assert(list->fresh_count <= BLOCK_LIST_FRESH_MAX);
}

const struct block *block_list_fresh(const struct block_list *list, const struct block *before)
{
    const struct link *next = before ? before->fresh.next : list->fresh.next;
    return next == &list->fresh ? NULL : LIST_OF(next, struct block, fresh);
}

size_t block_list_fresh_count(const struct block_list *list)
{
    return list->fresh_count;
}

/* --- places --------------------------------------------------------------------------------------------- */

static struct slice key_make(const struct prefix *prefix, char key[BLOCK_KEY_SIZE])
{
    key[0] = (char)prefix->network.family;
    key[1] = (char)prefix->bits;
    memcpy(key + 2, prefix->network.octets, 16);
    return slice_of(key, BLOCK_KEY_SIZE);
}

static struct block *find(const struct block_list *list, const struct prefix *prefix)
{
    char key[BLOCK_KEY_SIZE];
    return table_get(&list->by_prefix, key_make(prefix, key));
}

const struct block *block_list_find(const struct block_list *list, const struct prefix *prefix)
{
    return find(list, prefix);
}

static uint32_t slot_take(struct block_list *list)
{
    if (list->free_count)
        return list->free[--list->free_count];
    if (list->used == list->room) {
        const uint32_t room = list->room ? list->room * 2 : ROOM_FIRST;
        list->slots = memory_resize(list->slots, list->room * sizeof *list->slots,
                                    room * sizeof *list->slots);
        list->free = memory_resize(list->free, list->room * sizeof *list->free, room * sizeof *list->free);
        list->room = room;
    }
    return list->used++;
}

static struct block *block_new(struct block_list *list, const struct prefix *prefix)
{
    struct block *block = memory_take(sizeof *block);
    block->prefix = *prefix;
    block->slot = slot_take(list);
    list_init(&block->rank);
    list_init(&block->fresh);
    list->slots[block->slot] = block;
    list->count++;
    table_put(&list->by_prefix, key_make(prefix, block->key), block);
    return block;
}

/* It stays among the fresh ones until the store has it no more. */
static void block_forget(struct block_list *list, struct block *block)
{
    table_remove(&list->by_prefix, slice_of(block->key, sizeof block->key));
    list->slots[block->slot] = NULL;
    list->free[list->free_count++] = block->slot;
    list->count--;
    list->counts.of[block->state]--;
    list->counts.generation += block->state == BLOCK_IN_FORCE;
    list_remove(&block->rank);
    block->state = (enum block_state)0;
    fresh_set(list, block);
}

static enum rank rank_of(const struct block *block)
{
    switch (block->state) {
    case BLOCK_SUGGESTED: return RANK_SUGGESTED;
    case BLOCK_DECLINED: return RANK_DECLINED;
    case BLOCK_IN_FORCE: return block->by[0] ? RANK_PERSON : RANK_RULE;
    case BLOCK_OVER:
    case BLOCK_STATE_LIMIT: break;
    }
    return RANK_OVER;
}

static struct block *rank_oldest(const struct block_list *list, enum rank rank)
{
    return list_is_empty(&list->ranks[rank]) ? NULL : LIST_OF(list->ranks[rank].next, struct block, rank);
}

/* Room for one of that rank. */
static bool room_make(struct block_list *list, enum rank rank)
{
    if (list->count < list->settings.most)
        return true;
    list->counts.crowded++;
    for (unsigned lower = 0; lower <= (unsigned)rank && lower < RANK_PERSON; lower++) {
        struct block *oldest = rank_oldest(list, (enum rank)lower);
        if (!oldest)
            continue;
        if (oldest->state == BLOCK_IN_FORCE || oldest->state == BLOCK_SUGGESTED)
            note_add(list, BLOCK_NOTE_REMOVED, oldest, "the list is full");
        block_forget(list, oldest);
        return true;
    }
    return false;
}

/* --- states --------------------------------------------------------------------------------------------- */

/* Which state may follow which; row 0 is one that is new. */
static const bool follows[BLOCK_STATE_LIMIT][BLOCK_STATE_LIMIT] = {
    [0] = {[BLOCK_SUGGESTED] = true, [BLOCK_IN_FORCE] = true, [BLOCK_DECLINED] = true, [BLOCK_OVER] = true},
    [BLOCK_SUGGESTED] = {[BLOCK_IN_FORCE] = true, [BLOCK_DECLINED] = true, [BLOCK_OVER] = true},
    [BLOCK_IN_FORCE] = {[BLOCK_IN_FORCE] = true, [BLOCK_DECLINED] = true, [BLOCK_OVER] = true},
    [BLOCK_DECLINED] = {[BLOCK_IN_FORCE] = true, [BLOCK_OVER] = true},
    [BLOCK_OVER] = {[BLOCK_SUGGESTED] = true, [BLOCK_IN_FORCE] = true},
};

static void due_note(struct block_list *list, const struct block *block)
{
    if (block->until_ms && block->until_ms < list->due_ms)
        list->due_ms = block->until_ms;
}

static void state_set(struct block_list *list, struct block *block, enum block_state state, int64_t until_ms)
{
    assert(follows[block->state][state]);
    list->counts.generation += block->state == BLOCK_IN_FORCE || state == BLOCK_IN_FORCE;
    if (block->state)
        list->counts.of[block->state]--;
    list->counts.of[state]++;
    block->state = state;
    block->until_ms = until_ms;
    list_remove(&block->rank);
    list_add_last(&list->ranks[rank_of(block)], &block->rank);
    due_note(list, block);
    fresh_set(list, block);
}

/* Nothing of it is in force: what has no strikes is forgotten. */
static void block_end(struct block_list *list, struct block *block, int64_t since_ms)
{
    if (block->strikes)
        state_set(list, block, BLOCK_OVER, since_ms + BLOCK_STRIKES_KEPT_MS);
    else
        block_forget(list, block);
}

/* Its time has come. */
static void settle(struct block_list *list, struct block *block, int64_t now_ms)
{
    while (block->state && block->until_ms && block->until_ms <= now_ms) {
        const int64_t since_ms = block->until_ms;
        if (block->state == BLOCK_OVER) {
            block_forget(list, block);
            return;
        }
        if (block->state == BLOCK_IN_FORCE)
            note_add(list, BLOCK_NOTE_EXPIRED, block, "");
        if (block->state == BLOCK_SUGGESTED)
            note_add(list, BLOCK_NOTE_REMOVED, block, "nobody has answered");
        block_end(list, block, since_ms);
    }
}

void block_list_time(struct block_list *list, int64_t now_ms)
{
    notes_forget(list);
    if (now_ms < list->due_ms)
        return;
    list->due_ms = INT64_MAX;
    for (uint32_t i = 0; i < list->used; i++) {
        struct block *block = list->slots[i];
        if (!block)
            continue;
        if (list->fresh_count < BLOCK_LIST_FRESH_CALLS)
            settle(list, block, now_ms);
        if (list->slots[i] == block)
            due_note(list, block);
    }
}

/* What stands under the prefix now; NULL: nothing. */
static struct block *current(struct block_list *list, const struct prefix *prefix, int64_t now_ms)
{
    struct block *block = find(list, prefix);
    if (block)
        settle(list, block, now_ms);
    return find(list, prefix);
}

static int64_t step_ms(const struct block_list *list, uint32_t strikes)
{
    const unsigned last = list->settings.steps - 1;
    return list->settings.step_ms[strikes < last ? strikes : last];
}

/* One strike more. for_ms below 0: as the steps have it. */
static void put_in_force(struct block_list *list, struct block *block, int64_t for_ms, int64_t now_ms)
{
    const int64_t stays_ms = for_ms < 0 ? step_ms(list, block->strikes) : for_ms;
    block->strikes++;
    block->made_ms = now_ms;
    block->hits = 0;
    block->hit_ms = 0;
    state_set(list, block, BLOCK_IN_FORCE, stays_ms ? now_ms + stays_ms : 0);
    list->counts.made++;
    note_add(list, BLOCK_NOTE_MADE, block, "");
}

bool block_list_restore(struct block_list *list, const struct block *block)
{
    if (find(list, &block->prefix))
        return false;
    struct block *own = block_new(list, &block->prefix);
    const struct block links = *own;
    *own = *block;
    own->rank = links.rank;
    own->fresh = links.fresh;
    own->slot = links.slot;
    memcpy(own->key, links.key, sizeof own->key);
    list_init(&own->rank);
    list_init(&own->fresh);
    list_add_last(&list->ranks[rank_of(own)], &own->rank);
    list->counts.of[own->state]++;
    list->counts.generation += own->state == BLOCK_IN_FORCE;
    due_note(list, own);
    return true;
}

/* --- rules ---------------------------------------------------------------------------------------------- */

static bool sessions_add(struct block *block, const struct block_proposal *proposal)
{
    bool any = false;
    for (uint32_t i = 0; i < proposal->session_count; i++)
        any = block_session_add(block, proposal->sessions[i]) || any;
    return any;
}

static void evidence_set(struct block *block, const struct block_proposal *proposal)
{
    block->rule = proposal->rule;
    block->campaign = proposal->campaign;
    block->session_count = 0;
    sessions_add(block, proposal);
    block_text_set(block->reason, sizeof block->reason, slice_text(proposal->reason));
    block_text_set(block->by, sizeof block->by, SLICE_NONE);
}

/* Others live in a network; and who writes to a trap may have been given a wrong address. */
static bool waits_for_person(enum block_rule rule)
{
    return rule == BLOCK_BY_NETWORK || rule == BLOCK_BY_TRAP;
}

static void suggest(struct block_list *list, struct block *block, int64_t now_ms)
{
    block->made_ms = now_ms;
    block->hits = 0;
    block->hit_ms = 0;
    state_set(list, block, BLOCK_SUGGESTED, now_ms + BLOCK_SUGGESTION_MS);
    list->counts.suggested++;
    note_add(list, BLOCK_NOTE_SUGGESTED, block, "");
}

/* It was suggested before: there is more to show for it now, or enough to make it. */
static bool suggest_again(struct block_list *list, struct block *block, const struct block_proposal *proposal,
                          int64_t now_ms)
{
    if (list->settings.makes && !waits_for_person(proposal->rule)) {
        evidence_set(block, proposal);
        put_in_force(list, block, -1, now_ms);
        return true;
    }
    const int64_t until_ms = now_ms + BLOCK_SUGGESTION_MS;
    bool news = sessions_add(block, proposal);
    if (until_ms - block->until_ms >= RENEW_MS) {
        block->until_ms = until_ms;
        news = true;
    }
    if (news)
        fresh_set(list, block);
    return false;
}

bool block_list_propose(struct block_list *list, const struct block_proposal *proposal, int64_t now_ms)
{
    const bool makes = list->settings.makes && !waits_for_person(proposal->rule);
    notes_forget(list);
    struct block *block = current(list, &proposal->prefix, now_ms);
    if (block && block->state == BLOCK_SUGGESTED)
        return suggest_again(list, block, proposal, now_ms);
    if (block && block->state != BLOCK_OVER)
        return false;
    if (!block && !room_make(list, makes ? RANK_RULE : RANK_SUGGESTED))
        return false;
    if (!block)
        block = block_new(list, &proposal->prefix);
    evidence_set(block, proposal);
    if (makes)
        put_in_force(list, block, -1, now_ms);
    else
        suggest(list, block, now_ms);
    return true;
}

bool block_list_withdraw(struct block_list *list, const struct prefix *prefix, const char *why,
                         int64_t now_ms)
{
    notes_forget(list);
    struct block *block = current(list, prefix, now_ms);
    if (!block || block->state != BLOCK_SUGGESTED)
        return false;
    note_add(list, BLOCK_NOTE_REMOVED, block, why);
    block_end(list, block, now_ms);
    return true;
}

bool block_list_forbid(struct block_list *list, const struct prefix *prefix, const char *why, int64_t now_ms)
{
    notes_forget(list);
    struct block *block = current(list, prefix, now_ms);
    if (!block || (block->state != BLOCK_SUGGESTED && block->state != BLOCK_IN_FORCE))
        return false;
    block_text_set(block->by, sizeof block->by, SLICE_NONE); /* nobody has decided that */
    note_add(list, BLOCK_NOTE_REMOVED, block, why);
    block->strikes -= block->state == BLOCK_IN_FORCE && block->strikes;
    block_end(list, block, now_ms);
    return true;
}

void block_list_hit(struct block_list *list, const struct prefix *prefix, int64_t unix_ms)
{
    struct block *block = find(list, prefix);
    notes_forget(list);
    list->counts.hits++;
    if (!block)
        return;
    block->hits++;
    if (unix_ms > block->hit_ms)
        block->hit_ms = unix_ms;
    fresh_set(list, block);
}

/* --- persons -------------------------------------------------------------------------------------------- */

static void by_set(struct block *block, const struct block_order *order)
{
    block_text_set(block->by, sizeof block->by, order->by.len ? order->by : SLICE("?"));
}

enum block_answer block_list_add(struct block_list *list, const struct block_order *order,
                                 const struct block_proposal *proposal, int64_t for_ms)
{
    notes_forget(list);
    struct block *block = current(list, &proposal->prefix, order->now_ms);
    const bool renews = block && block->state == BLOCK_IN_FORCE;
    if (!block && !room_make(list, RANK_PERSON))
        return BLOCK_FULL;
    if (!block)
        block = block_new(list, &proposal->prefix);
    const uint64_t hits = block->hits;
    const int64_t hit_ms = block->hit_ms, made_ms = block->made_ms;
    block->strikes -= renews && block->strikes;
    evidence_set(block, proposal);
    by_set(block, order);
    put_in_force(list, block, for_ms, order->now_ms);
    if (renews) {
        block->hits = hits;
        block->hit_ms = hit_ms;
        block->made_ms = made_ms;
    }
    return BLOCK_DONE;
}

enum block_answer block_list_approve(struct block_list *list, const struct block_order *order,
                                     const struct prefix *prefix)
{
    notes_forget(list);
    struct block *block = current(list, prefix, order->now_ms);
    if (!block || block->state != BLOCK_SUGGESTED)
        return block && block->state == BLOCK_IN_FORCE ? BLOCK_ALREADY : BLOCK_ABSENT;
    by_set(block, order);
    put_in_force(list, block, -1, order->now_ms);
    return BLOCK_DONE;
}

static void say_no(struct block_list *list, struct block *block, const struct block_order *order)
{
    by_set(block, order);
    block->made_ms = order->now_ms;
    state_set(list, block, BLOCK_DECLINED, order->now_ms + list->settings.declined_ms);
}

enum block_answer block_list_decline(struct block_list *list, const struct block_order *order,
                                     const struct prefix *prefix)
{
    notes_forget(list);
    struct block *block = current(list, prefix, order->now_ms);
    if (!block || block->state != BLOCK_SUGGESTED)
        return block && block->state == BLOCK_DECLINED ? BLOCK_ALREADY : BLOCK_ABSENT;
    say_no(list, block, order);
    note_add(list, BLOCK_NOTE_DECLINED, block, "");
    return BLOCK_DONE;
}

/* What it was, and who has ended it. */
static void end_by_person(struct block_list *list, struct block *block, const struct block_order *order,
                          const char *why)
{
    struct block before = *block;
    by_set(&before, order);
    note_add(list, BLOCK_NOTE_REMOVED, &before, why);
    say_no(list, block, order);
}

enum block_answer block_list_remove(struct block_list *list, const struct block_order *order,
                                    const struct prefix *prefix)
{
    notes_forget(list);
    struct block *block = current(list, prefix, order->now_ms);
    if (!block || (block->state != BLOCK_SUGGESTED && block->state != BLOCK_IN_FORCE))
        return BLOCK_ABSENT;
    end_by_person(list, block, order, "removed");
    return BLOCK_DONE;
}

enum block_answer block_list_undo(struct block_list *list, const struct block_order *order,
                                  const struct prefix *prefix)
{
    notes_forget(list);
    struct block *block = current(list, prefix, order->now_ms);
    if (!block || block->state == BLOCK_DECLINED)
        return block ? BLOCK_ALREADY : BLOCK_ABSENT;
    if (block->state == BLOCK_SUGGESTED) {
        end_by_person(list, block, order, "undone");
        return BLOCK_DONE;
    }
    block->strikes -= block->strikes > 0;
    block->campaign = block->state == BLOCK_OVER ? 0 : block->campaign; /* a second undo finds it no more */
    if (block->state == BLOCK_IN_FORCE)
        end_by_person(list, block, order, "undone");
    else if (block->strikes)
        fresh_set(list, block);
    else
        block_forget(list, block);
    return BLOCK_DONE;
}

/* --- looking -------------------------------------------------------------------------------------------- */

bool block_list_next(const struct block_list *list, size_t *at, const struct block **ret_block)
{
    while (*at < list->used) {
        const struct block *block = list->slots[(*at)++];
        if (block) {
            *ret_block = block;
            return true;
        }
    }
    return false;
}

void block_list_counts(const struct block_list *list, struct block_list_counts *ret_counts)
{
    *ret_counts = list->counts;
}
