#include "daemon/keeper_blocks_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"
#include "core/finding.h"
#include "core/own_list.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

#define KEY_PREFIX "blocks "
#define KEPT_MS    (BLOCK_STRIKES_KEPT_MS + INT64_C(86400000)) /* in the store, behind an entry's own time */

enum {
    EVENTS_MAX = 4 << 20, /* octets of events that wait for the store */
    WALK_STEP = 1000,
    SWEEP_STEP = 20000 /* entries that are looked at in one go */
};

int64_t keeper_blocks_now(const struct keeper_blocks *blocks)
{
    return loop_unix_us(blocks->set.loop) / 1000;
}

/* --- what is recorded ----------------------------------------------------------------------------------- */

/* Each campaign once, however many hosts it has. */
static bool is_news(struct keeper_blocks *blocks, uint64_t campaign)
{
    if (!campaign)
        return true;
    for (unsigned i = 0; i < SAID_MAX; i++)
        if (blocks->said[i] == campaign)
            return false;
    blocks->said[blocks->said_next++ % SAID_MAX] = campaign;
    return true;
}

/* What a person can do now, in a sentence. */
static struct slice sentence_of(struct keeper_blocks *blocks, const struct block *block, struct slice prefix,
                                struct buf *out)
{
    char id[EVENT_ID_SIZE];
    const bool suggested = block->state == BLOCK_SUGGESTED;
    if (block->by[0] || !is_news(blocks, block->campaign))
        return SLICE_NONE;
    event_id_print(block->campaign, id);
    if (block->campaign && suggested)
        buf_add_format(out,
                       "its hosts are suggested to be shut out (%s): postern blocks approve %s says yes, "
                       "postern blocks decline %s says no",
                       block->reason, id, id);
    else if (block->campaign)
        buf_add_format(out, "its hosts are shut out (%s): postern blocks undo %s takes it back",
                       block->reason, id);
    else
        buf_add_format(out,
                       "%.*s is suggested to be shut out (%s): postern blocks approve %.*s says yes, "
                       "postern blocks decline %.*s says no",
                       SLICE_ARGS(prefix), block->reason, SLICE_ARGS(prefix), SLICE_ARGS(prefix));
    return buf_slice(out);
}

static bool event_begin(struct keeper_blocks *blocks, const struct event_stamp *stamp,
                        const struct block *block, struct slice prefix)
{
    const struct slice reason = slice_text(block->reason), rule = slice_text(block_rule_word(block->rule));
    const uint64_t member = block->session_count ? block->sessions[0] : 0;
    struct buf sentence;
    buf_init(&sentence, 1000);
    const struct slice said = sentence_of(blocks, block, prefix, &sentence);
    const bool fits =
        block->state == BLOCK_SUGGESTED
            ? event_add_block_suggested(
                  &blocks->events, stamp,
                  &(struct event_block_suggested){block->campaign, prefix, reason, rule, member, said})
            : event_add_block_made(&blocks->events, stamp,
                                   &(struct event_block_made){block->campaign, prefix, reason, rule, member,
                                                              slice_text(block->by), block->strikes,
                                                              (uint64_t)block->until_ms, said});
    buf_drop(&sentence);
    return fits;
}

static bool event_of(struct keeper_blocks *blocks, const struct block_note *note)
{
    const struct event_stamp stamp = {.unix_us = loop_unix_us(blocks->set.loop)};
    const struct block *block = &note->block;
    char text[ADDRESS_PORT_TEXT_SIZE];
    const struct slice prefix = slice_of(text, prefix_print(&block->prefix, text));
    const struct slice by = slice_text(block->by);
    switch (note->kind) {
    case BLOCK_NOTE_SUGGESTED:
    case BLOCK_NOTE_MADE: return event_begin(blocks, &stamp, block, prefix);
    case BLOCK_NOTE_DECLINED:
        return event_add_block_declined(
            &blocks->events, &stamp,
            &(struct event_block_declined){block->campaign, prefix, by, (uint64_t)block->until_ms});
    case BLOCK_NOTE_REMOVED:
        return event_add_block_removed(&blocks->events, &stamp,
                                       &(struct event_block_removed){block->campaign, prefix,
                                                                     slice_text(note->why), by, block->hits,
                                                                     block->state == BLOCK_IN_FORCE});
    case BLOCK_NOTE_EXPIRED: break;
    }
    return event_add_block_expired(
        &blocks->events, &stamp,
        &(struct event_block_expired){block->campaign, prefix, block->hits, block->strikes});
}

void keeper_blocks_notes(struct keeper_blocks *blocks)
{
    struct block_note note;
    while (block_list_note(blocks->list, &note))
        blocks->lost += !event_of(blocks, &note);
    const uint64_t generation = keeper_blocks_generation(blocks);
    if (generation != blocks->generation)
        own_keys_changed(blocks->set.own_keys);
    blocks->generation = generation;
}

/* --- what is found -------------------------------------------------------------------------------------- */

static bool proposes(const struct keeper_blocks *blocks)
{
    return blocks->set.site->set.blocks_mode != BLOCKS_OFF;
}

/* Whether anything can come of a proposal: what is in force, or was declined, no rule touches. */
static bool is_open(const struct keeper_blocks *blocks, const struct block_proposal *proposal)
{
    const struct block *block = block_list_find(blocks->list, &proposal->prefix);
    const int64_t now_ms = keeper_blocks_now(blocks);
    return !block || block->state == BLOCK_OVER || block->state == BLOCK_SUGGESTED ||
           (block->until_ms && block->until_ms <= now_ms);
}

static void propose(struct keeper_blocks *blocks, const struct block_proposal *proposal, struct slice name,
                    uint32_t as_number)
{
    char lower[256], why[NEVER_WHY_SIZE];
    size_t len = 0;
    if (!is_open(blocks, proposal))
        return;
    for (; len < name.len && len < sizeof lower; len++)
        lower[len] = text_lower(name.at[len]);
    const struct never_subject subject = {proposal->prefix, slice_of(lower, len), as_number};
    const int64_t now_ms = keeper_blocks_now(blocks);
    if (never_ask(blocks->never, &subject, now_ms, why) != NEVER_MAY) {
        blocks->refused++;
        return;
    }
    block_list_propose(blocks->list, proposal, now_ms);
    keeper_blocks_notes(blocks);
}

/* There was enough against it, but meanwhile most of its mail is taken. */
static void withdraw(struct keeper_blocks *blocks, const struct campaign_host *host)
{
    const struct address address = host_key_address(host->key, (enum address_family)host->family);
    const struct prefix prefix = own_prefix_of_host(&address);
    const struct block *block = block_list_find(blocks->list, &prefix);
    if (!block || block->state != BLOCK_SUGGESTED)
        return;
    block_list_withdraw(blocks->list, &prefix, "most of its mail is taken", keeper_blocks_now(blocks));
    keeper_blocks_notes(blocks);
}

void keeper_blocks_joined(struct keeper_blocks *blocks, const struct watch *watch,
                          const struct campaign *campaign, const struct address *host)
{
    const struct campaign_host *member = campaign_host(campaign, host_key_of(host));
    struct block_proposal proposal;
    if (!proposes(blocks))
        return;
    if (member && block_rule_host(watch, campaign, member, &proposal))
        propose(blocks, &proposal, member->flags & TRACE_HAS_PTR ? slice_text(member->ptr) : SLICE_NONE,
                member->as_number);
    else if (member && watch_host_is_good(watch, member))
        withdraw(blocks, member);
    if (block_rule_network(watch, campaign, &proposal))
        propose(blocks, &proposal, SLICE_NONE, 0);
}

void keeper_blocks_attempt(struct keeper_blocks *blocks, const struct watch *watch,
                           const struct attempt *attempt)
{
    struct block_proposal proposal;
    if (proposes(blocks) && block_rule_trap(watch, attempt, &proposal))
        propose(blocks, &proposal, attempt->ptr_confirmed ? attempt->ptr : SLICE_NONE, attempt->as_number);
}

/* The evidence begins with the prefix that has turned the client away. */
static void hit(struct keeper_blocks *blocks, const struct event *event)
{
    const struct slice evidence = event->body.finding.evidence;
    struct prefix prefix;
    const size_t end = slice_find_slice(evidence, SLICE(": "));
    if (own_prefix_parse(slice_head(evidence, end), &prefix))
        block_list_hit(blocks->list, &prefix, event->stamp.unix_us / 1000);
}

bool keeper_blocks_event(struct keeper_blocks *blocks, const struct event *event)
{
    if (event->kind == EVENT_KIND_finding && event->body.finding.finding == FIND_BLOCKED)
        hit(blocks, event);
    return blocks->events.len > 0;
}

/* --- the keeper's batches ------------------------------------------------------------------------------- */

/* Allowances come and go, and the configuration may be another than before. */
static void sweep(struct keeper_blocks *blocks)
{
    const struct block *block;
    char why[NEVER_WHY_SIZE];
    size_t at = blocks->sweep_at;
    for (unsigned i = 0; i < SWEEP_STEP && block_list_fresh_count(blocks->list) < BLOCK_LIST_FRESH_CALLS;
         i++) {
        if (!block_list_next(blocks->list, &at, &block)) {
            blocks->sweep_at = SIZE_MAX;
            return;
        }
        blocks->sweep_at = at;
        if ((block->state == BLOCK_IN_FORCE || block->state == BLOCK_SUGGESTED) &&
            never_forbids(blocks->never, &block->prefix, block->rule == BLOCK_BY_PERSON, why)) {
            const struct prefix prefix = block->prefix;
            block_list_forbid(blocks->list, &prefix, why, keeper_blocks_now(blocks));
            keeper_blocks_notes(blocks);
        }
    }
}

bool keeper_blocks_tick(struct keeper_blocks *blocks)
{
    if (never_look(blocks->never, keeper_blocks_now(blocks)))
        blocks->sweep_at = 0;
    if (blocks->sweep_at != SIZE_MAX)
        sweep(blocks);
    block_list_time(blocks->list, keeper_blocks_now(blocks));
    keeper_blocks_notes(blocks);
    return block_list_fresh_count(blocks->list) > 0;
}

bool keeper_blocks_is_full(const struct keeper_blocks *blocks)
{
    return block_list_fresh_count(blocks->list) >= BLOCK_LIST_FRESH_CALLS;
}

static struct slice entry_key(struct keeper_blocks *blocks, const struct block *block)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    const size_t len = prefix_print(&block->prefix, text);
    return arena_join(&blocks->batch, SLICE(KEY_PREFIX), slice_of(text, len));
}

static struct store_write entry_write(struct keeper_blocks *blocks, const struct block *block, int64_t now_ms)
{
    struct store_write write = {.verb = STORE_REMOVE, .key = entry_key(blocks, block), .at_unix_ms = now_ms};
    struct buf packed;
    if (!block->state)
        return write;
    buf_init(&packed, BLOCK_PACKED_MAX);
    block_pack(block, &packed);
    write.verb = STORE_PUT;
    write.value = arena_copy(&blocks->batch, buf_slice(&packed));
    write.expires_unix_ms = block->until_ms ? block->until_ms + KEPT_MS : 0;
    buf_drop(&packed);
    return write;
}

/* For the gates. */
static struct store_write gate_write(struct keeper_blocks *blocks, const struct block *block, int64_t now_ms)
{
    char key[OWN_KEY_SIZE], text[OWN_VALUE_SIZE], evidence[BLOCK_EVIDENCE_SIZE];
    const size_t len = own_key_print(OWN_BLOCK, &block->prefix, key);
    struct store_write write = {
        .verb = STORE_REMOVE, .key = arena_copy(&blocks->batch, slice_of(key, len)), .at_unix_ms = now_ms};
    if (block->state != BLOCK_IN_FORCE)
        return write;
    block_evidence(block, evidence);
    const struct own_value value = {slice_text(evidence), slice_text(block->reason)};
    const size_t value_len = own_value_print(OWN_BLOCK, &value, text);
    write.verb = STORE_PUT;
    write.value = arena_copy(&blocks->batch, slice_of(text, value_len));
    write.expires_unix_ms = block->until_ms;
    return write;
}

size_t keeper_blocks_writes(struct keeper_blocks *blocks, struct store_write room[KEEPER_BLOCKS_WRITES])
{
    const struct block *block = NULL;
    const int64_t now_ms = keeper_blocks_now(blocks);
    size_t count = 0;
    arena_drop(&blocks->batch);
    while ((block = block_list_fresh(blocks->list, block)) != NULL) {
        assert(count + 2 <= KEEPER_BLOCKS_WRITES);
        room[count++] = entry_write(blocks, block, now_ms);
        room[count++] = gate_write(blocks, block, now_ms);
    }
    return count;
}

void keeper_blocks_committed(struct keeper_blocks *blocks)
{
    struct slice rest = buf_slice(&blocks->events);
    struct event event;
    size_t size;
    while (event_read(rest, &event, &size) == EVENT_DONE) {
        journal_writer_add(blocks->set.journal, slice_head(rest, size), NULL);
        rest = slice_from(rest, size);
    }
    buf_clear(&blocks->events);
    block_list_stored(blocks->list);
    arena_drop(&blocks->batch);
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static void entry_came(void *data, const struct store_item *item)
{
    struct keeper_blocks *blocks = data;
    struct block block;
    if (item->by == STORE_PUT && block_unpack(item->value, &block) && own_prefix_is_sound(&block.prefix))
        block_list_restore(blocks->list, &block);
}

static void entries_restore(struct keeper_blocks *blocks)
{
    struct store_walk walk = {.prefix = SLICE(KEY_PREFIX), .most = WALK_STEP};
    struct error error;
    do {
        if (store_walk(blocks->set.store, &walk, keeper_blocks_now(blocks), entry_came, blocks, &error) < 0)
            return;
    } while (walk.cursor_len);
}

static void lengths_add(void *data, struct own_lengths *lengths)
{
    const struct keeper_blocks *blocks = data;
    const struct block *block;
    size_t at = 0;
    while (block_list_next(blocks->list, &at, &block))
        if (block->state == BLOCK_IN_FORCE)
            own_lengths_add(lengths, &block->prefix);
}

static struct block_list *list_new(const struct settings *set)
{
    struct block_list_settings settings = {.makes = set->blocks_mode == BLOCKS_AUTO,
                                           .most = (uint32_t)set->blocks_entries,
                                           .declined_ms = (int64_t)set->blocks_declined};
    if (getrandom(&settings.seed, sizeof settings.seed, 0) != sizeof settings.seed)
        settings.seed = 1; /* hosts choose no more than their addresses */
    const bool good = block_steps_parse(set->blocks_expiry, settings.step_ms, &settings.steps);
    assert(good); /* the configuration was looked at */
    return block_list_new(&settings);
}

struct keeper_blocks *keeper_blocks_new(const struct keeper_blocks_settings *settings)
{
    struct keeper_blocks *blocks = memory_take(sizeof *blocks);
    blocks->set = *settings;
    buf_init(&blocks->events, EVENTS_MAX);
    arena_init(&blocks->batch, NULL, 0);
    blocks->list = list_new(&settings->site->set);
    blocks->never = never_new(settings->site, settings->store);
    entries_restore(blocks);
    own_keys_add(settings->own_keys, &(struct own_keys_owner){lengths_add, blocks});
    never_look(blocks->never, keeper_blocks_now(blocks));
    return blocks;
}

void keeper_blocks_free(struct keeper_blocks *blocks)
{
    if (!blocks)
        return;
    block_list_free(blocks->list);
    never_free(blocks->never);
    buf_drop(&blocks->events);
    arena_drop(&blocks->batch);
    memory_give(blocks, sizeof *blocks);
}

/* --- what is in force ----------------------------------------------------------------------------------- */

uint64_t keeper_blocks_generation(const struct keeper_blocks *blocks)
{
    struct block_list_counts counts;
    block_list_counts(blocks->list, &counts);
    return counts.generation;
}

bool keeper_blocks_next(struct keeper_blocks *blocks, size_t *at, struct export_entry *ret_entry)
{
    const struct block *block;
    while (block_list_next(blocks->list, at, &block)) {
        if (block->state != BLOCK_IN_FORCE)
            continue;
        block_evidence(block, blocks->evidence);
        *ret_entry = (struct export_entry){.address = block->prefix,
                                           .reason = slice_text(block->reason),
                                           .evidence = slice_text(blocks->evidence),
                                           .made_ms = block->made_ms,
                                           .expires_ms = block->until_ms,
                                           .hits = block->hits};
        return true;
    }
    return false;
}
