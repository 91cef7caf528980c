#include "watch/watch_part.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

enum { KEY_PLACES = 8, LOOK_EVERY_MS = 60000, CLOSE_MOST = 16, SAME_LOOK = 16 };

/* --- the whole ------------------------------------------------------------------------------------------ */

static uint32_t power_of_two(uint32_t least)
{
    uint32_t size = 1024;
    while (size < least)
        size *= 2;
    return size;
}

static uint64_t octets_of(const struct watch_settings *settings)
{
    return (uint64_t)settings->hosts * (sizeof(struct host_record) + sizeof(struct standing) / 4) +
           (uint64_t)settings->traces * (LEDGER_OCTETS_A_TRACE + sizeof(struct watch_key)) +
           (uint64_t)settings->campaigns * sizeof(struct watch_slot) + settings->octets;
}

void watch_settings_fit(struct watch_settings *settings, uint64_t octets)
{
    settings->octets = (size_t)(octets / 4);
    while (octets_of(settings) > octets && settings->hosts > 1024 && settings->traces > 64) {
        settings->hosts /= 2;
        settings->traces /= 2;
        settings->campaigns -= settings->campaigns / 2;
    }
}

struct watch *watch_new(const struct watch_settings *settings)
{
    assert(settings->campaigns > 0);
    struct watch *watch = memory_take(sizeof *watch);
    watch->settings = *settings;
    watch->now_ms = watch->look_ms = INT64_MIN;
    watch->key_size = power_of_two(settings->traces / 2);
    watch->taken_size = power_of_two(settings->traces / 4);
    watch->note_room = CLOSE_MOST + 4 * GATHER_MOST;
    ledger_init(&watch->ledger, settings->traces);
    hosts_init(&watch->hosts, settings->hosts);
    watch->slots = memory_take(settings->campaigns * sizeof *watch->slots);
    watch->keys = memory_take(watch->key_size * sizeof *watch->keys);
    watch->taken = memory_take(watch->taken_size * sizeof *watch->taken);
    watch->notes = memory_take(watch->note_room * sizeof *watch->notes);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    for (uint32_t i = 0; i < watch->slots_used; i++)
        campaign_done(&watch->slots[i].campaign);
    memory_give(watch->notes, watch->note_room * sizeof *watch->notes);
    memory_give(watch->taken, watch->taken_size * sizeof *watch->taken);
    memory_give(watch->keys, watch->key_size * sizeof *watch->keys);
    memory_give(watch->slots, watch->settings.campaigns * sizeof *watch->slots);
    hosts_done(&watch->hosts);
    ledger_done(&watch->ledger);
    memory_give(watch, sizeof *watch);
}

/* --- notes ---------------------------------------------------------------------------------------------- */

static void note_add(struct watch *watch, enum watch_note_kind kind, const struct campaign *campaign,
                     const struct trace *trace)
{
    struct watch_note note = {.kind = kind, .campaign_kind = campaign->kind, .campaign = campaign->id};
    assert(watch->note_count < watch->note_room);
    note.unix_ms = trace ? trace->start_ms : campaign->last_ms;
    if (trace) {
        note.session = trace->id;
        note.envelope = trace->envelope;
        note.host = host_key_address(trace->host, (enum address_family)trace->family);
    }
    watch->notes[watch->note_count++] = note;
}

bool watch_note(struct watch *watch, struct watch_note *ret_note)
{
    if (watch->note_at == watch->note_count)
        return false;
    *ret_note = watch->notes[watch->note_at++];
    return true;
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static uint64_t salted(enum watch_salt salt, uint64_t key)
{
    key = (key + salt) * 0x9e3779b97f4a7c15U;
    key ^= key >> 29;
    return key ? key : 1;
}

static bool key_leads(const struct watch *watch, const struct watch_key *key)
{
    const struct watch_slot *slot = &watch->slots[key->slot];
    return key->key && slot->campaign.id && slot->turn == key->turn && !slot->closed;
}

void watch_key_set(struct watch *watch, enum watch_salt salt, uint64_t key, const struct watch_slot *slot)
{
    if (!key)
        return;
    key = salted(salt, key);
    struct watch_key *free = NULL;
    for (unsigned i = 0; i < KEY_PLACES; i++) {
        struct watch_key *place = &watch->keys[(key + i) & (watch->key_size - 1)];
        if (place->key == key) {
            free = place;
            break;
        }
        if (!free && !key_leads(watch, place))
            free = place;
    }
    if (!free) /* all lead somewhere: the campaign is found by its hosts and other keys */
        return;
    *free = (struct watch_key){key, (uint32_t)(slot - watch->slots), slot->turn};
}

struct watch_slot *watch_key_get(struct watch *watch, enum watch_salt salt, uint64_t key)
{
    if (!key)
        return NULL;
    key = salted(salt, key);
    for (unsigned i = 0; i < KEY_PLACES; i++) {
        const struct watch_key *place = &watch->keys[(key + i) & (watch->key_size - 1)];
        if (place->key == key)
            return key_leads(watch, place) ? &watch->slots[place->slot] : NULL;
    }
    return NULL;
}

struct watch_slot *watch_slot_of_host(struct watch *watch, const struct host_record *host)
{
    if (!host || !host->campaign)
        return NULL;
    struct watch_slot *slot = &watch->slots[host->campaign - 1];
    return slot->campaign.id && !slot->closed ? slot : NULL;
}

/* --- opening, growing, closing -------------------------------------------------------------------------- */

static void slot_free(struct watch *watch, struct watch_slot *slot)
{
    watch->octets -= campaign_octets(&slot->campaign);
    campaign_done(&slot->campaign);
    slot->closed = false;
    slot->turn++;
    slot->next_free = watch->first_free;
    watch->first_free = (uint32_t)(slot - watch->slots) + 1;
    watch->counts.open--;
}

/* Its hosts may make room again. */
static void slot_close(struct watch *watch, struct watch_slot *slot)
{
    const uint32_t number = (uint32_t)(slot - watch->slots) + 1;
    for (uint32_t i = 0; i < slot->campaign.host_count; i++) {
        const struct host_key key = slot->campaign.hosts[i].key;
        struct host_record *host = hosts_find(&watch->hosts, key, host_key_hash(key, watch->settings.seed));
        if (host && host->campaign == number)
            host->campaign = 0;
    }
    slot->closed = true;
    watch->counts.closed++;
    note_add(watch, WATCH_CLOSED, &slot->campaign, NULL);
}

static struct watch_slot *quietest(struct watch *watch)
{
    struct watch_slot *found = NULL;
    for (uint32_t i = 0; i < watch->slots_used; i++) {
        struct watch_slot *slot = &watch->slots[i];
        if (slot->campaign.id && !slot->closed &&
            (!found || slot->campaign.last_ms < found->campaign.last_ms))
            found = slot;
    }
    return found;
}

static struct watch_slot *slot_take(struct watch *watch)
{
    if (watch->first_free) {
        struct watch_slot *slot = &watch->slots[watch->first_free - 1];
        watch->first_free = slot->next_free;
        watch->counts.open++;
        return slot;
    }
    if (watch->slots_used == watch->settings.campaigns)
        return NULL;
    watch->counts.open++;
    return &watch->slots[watch->slots_used++];
}

/* An id that sorts by time and that no other campaign has: of the attempt that opened it. */
static uint64_t id_make(const struct watch *watch, const struct trace *trace)
{
    uint64_t id = trace->id ? trace->id : (uint64_t)trace->start_ms;
    while (!id || watch_campaign(watch, id))
        id++;
    return id;
}

struct watch_slot *watch_open(struct watch *watch, enum campaign_kind kind, uint32_t place)
{
    struct trace_texts texts;
    const struct trace *trace = ledger_at(&watch->ledger, place);
    const uint64_t id = id_make(watch, trace);
    struct watch_slot *slot = slot_take(watch);
    if (!slot)
        return NULL;
    ledger_texts(&watch->ledger, place, &texts);
    campaign_begin(&slot->campaign, id, kind, trace, &texts);
    watch->counts.opened++;
    note_add(watch, WATCH_OPENED, &slot->campaign, trace);
    return slot;
}

void watch_join(struct watch *watch, struct watch_slot *slot, uint32_t place)
{
    struct trace_texts texts;
    struct trace *trace = ledger_at(&watch->ledger, place);
    const uint32_t number = (uint32_t)(slot - watch->slots) + 1;
    struct host_record *host = hosts_find(&watch->hosts, trace->host, trace->chain[CHAIN_HOST]);
    const size_t octets = campaign_octets(&slot->campaign);
    ledger_texts(&watch->ledger, place, &texts);
    const bool changed = campaign_add(&slot->campaign, trace, &texts, host && host->campaign == number);
    watch->octets += campaign_octets(&slot->campaign) - octets;
    trace->campaign = number;
    if (host && !watch_slot_of_host(watch, host))
        host->campaign = number;
    watch->counts.joined++;
    note_add(watch, WATCH_JOINED, &slot->campaign, trace);
    if (changed)
        note_add(watch, WATCH_CHANGED, &slot->campaign, NULL);
}

static int64_t quiet_ms(enum campaign_kind kind)
{
    switch (kind) {
    case CAMPAIGN_ROTATION:
    case CAMPAIGN_BOTNET:
    case CAMPAIGN_DICTIONARY: return 2 * HOUR_MS;
    case CAMPAIGN_OPEN_PROXY: return 12 * HOUR_MS;
    case CAMPAIGN_REPEAT_HOST:
    case CAMPAIGN_REPEAT_NETBLOCK:
    case CAMPAIGN_KIND_LIMIT: break;
    }
    return 3 * DAY_MS;
}

/* A look at some of the slots; all are seen within some minutes of virtual time. */
static void quiet_close(struct watch *watch)
{
    uint32_t closed = 0;
    if (watch->now_ms < watch->look_ms)
        return;
    watch->look_ms = watch->now_ms + LOOK_EVERY_MS;
    for (uint32_t i = 0; i < watch->slots_used && closed < CLOSE_MOST; i++) {
        struct watch_slot *slot = &watch->slots[i];
        if (slot->campaign.id && !slot->closed &&
            slot->campaign.last_ms + quiet_ms(slot->campaign.kind) + LATE_MS < watch->now_ms) {
            slot_close(watch, slot);
            closed++;
        }
    }
}

/* Room for a campaign that may come: a place that is given up here is free with the next call, so that one is
 * free whenever it is needed. */
static void room_make(struct watch *watch)
{
    const bool full = !watch->first_free && watch->slots_used == watch->settings.campaigns;
    struct watch_slot *slot = full || watch->octets > watch->settings.octets ? quietest(watch) : NULL;
    if (!slot)
        return;
    watch->counts.crowded++;
    slot_close(watch, slot);
}

static void closed_drop(struct watch *watch)
{
    for (uint32_t i = 0; i < watch->note_count; i++) {
        if (watch->notes[i].kind != WATCH_CLOSED)
            continue;
        for (uint32_t s = 0; s < watch->slots_used; s++)
            if (watch->slots[s].closed)
                slot_free(watch, &watch->slots[s]);
        break;
    }
    watch->note_count = watch->note_at = 0;
}

void watch_time(struct watch *watch, int64_t unix_ms)
{
    closed_drop(watch);
    if (unix_ms > watch->now_ms)
        watch->now_ms = unix_ms;
    quiet_close(watch);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static bool is_trusted(const struct watch *watch, const struct attempt *attempt)
{
    for (size_t i = 0; i < watch->settings.trusted_count; i++)
        if (prefix_contains(&watch->settings.trusted[i], &attempt->peer))
            return true;
    return false;
}

static uint32_t keep(struct watch *watch, const struct attempt *attempt, const struct trace *trace)
{
    const struct trace_texts texts = {.sender = attempt->sender,
                                      .recipient = attempt->recipient_count ? attempt->recipients[0]
                                                                            : SLICE_NONE,
                                      .helo = attempt->helo,
                                      .ptr = attempt->ptr,
                                      .owner = attempt->owner};
    return ledger_add(&watch->ledger, trace, &texts);
}

/* Where the very attempt stands already, which was read before: its place; else 0. */
static uint32_t place_of(const struct watch *watch, const struct trace *trace)
{
    uint32_t place = trace->id ? ledger_newest(&watch->ledger, CHAIN_HOST, trace->chain[CHAIN_HOST]) : 0;
    for (unsigned i = 0; place && i < SAME_LOOK; i++) {
        const struct trace *other = ledger_at(&watch->ledger, place);
        if (!other)
            return 0;
        if (other->id == trace->id && other->envelope == trace->envelope)
            return place;
        place = ledger_older(&watch->ledger, CHAIN_HOST, place);
    }
    return 0;
}

/* What was taken or just went away is remembered, and is no part of a pattern. */
static bool matters(const struct trace *trace)
{
    return trace->verdict == ATTEMPT_DEFERRED || trace_is_refused(trace) || trace_is(trace, TRACE_TUNNEL);
}

/* False: it is nothing that patterns are made of, or belongs to one already. */
static bool turn_begin(struct turn *turn, const struct attempt *attempt, struct trace *trace)
{
    struct watch *watch = turn->watch;
    trace_make(attempt, watch->settings.seed, trace);
    if (trace_end_ms(trace) > watch->now_ms)
        watch->now_ms = trace_end_ms(trace);
    if (!attempt->peer.family || is_trusted(watch, attempt))
        return false;
    turn->trace = trace;
    watch_host_note(turn);
    if (turn->good)
        trace->flags |= TRACE_GOOD;
    if (trace->verdict == ATTEMPT_ACCEPTED)
        watch_taken_note(watch, trace);
    if (!matters(trace))
        return false;
    turn->place = place_of(watch, trace);
    if (!turn->place)
        turn->place = keep(watch, attempt, trace);
    turn->trace = ledger_at(&watch->ledger, turn->place);
    return !turn->trace->campaign;
}

void watch_add(struct watch *watch, const struct attempt *attempt)
{
    struct trace trace;
    struct turn turn = {.watch = watch};
    closed_drop(watch);
    watch->counts.attempts++;
    room_make(watch);
    if (turn_begin(&turn, attempt, &trace) && !pattern_proxy(&turn) && !pattern_known(&turn) &&
        !pattern_dictionary(&turn) && !pattern_same_message(&turn) && !pattern_netblock(&turn))
        pattern_host(&turn);
    quiet_close(watch);
}

void watch_learn(struct watch *watch, const struct attempt *attempt)
{
    struct trace trace;
    struct turn turn = {.watch = watch};
    closed_drop(watch);
    if (!turn_begin(&turn, attempt, &trace))
        return;
    const struct watch_slot *slot = watch_slot_of_host(watch, turn.host);
    if (slot && turn.trace->start_ms >= slot->campaign.first_ms &&
        turn.trace->start_ms <= slot->campaign.last_ms)
        turn.trace->campaign = (uint32_t)(slot - watch->slots) + 1;
}

/* --- taking back ---------------------------------------------------------------------------------------- */

static void keys_restore(struct watch *watch, const struct watch_slot *slot)
{
    const struct campaign *campaign = &slot->campaign;
    const struct trace *like = &campaign->like;
    const uint64_t target = like->chain[CHAIN_TARGET];
    switch (campaign->kind) {
    case CAMPAIGN_ROTATION:
    case CAMPAIGN_BOTNET:
        watch_key_set(watch, SALT_MESSAGE, like->chain[CHAIN_MESSAGE], slot);
        watch_key_set(watch, SALT_BODY, like->chain[CHAIN_BODY], slot);
        watch_key_set(watch, SALT_SHAPE, like->shape, slot);
        break;
    case CAMPAIGN_REPEAT_NETBLOCK:
        watch_key_set(watch, SALT_NET,
                      campaign->net.bits == 24 ? standing_of_net(like) : like->chain[CHAIN_NET], slot);
        break;
    case CAMPAIGN_DICTIONARY:
        if (campaign->host_total > 1)
            watch_key_set(watch, SALT_TARGET, target + (campaign->crowd ? 0 : like->shape), slot);
        break;
    case CAMPAIGN_OPEN_PROXY: watch_key_set(watch, SALT_PROXY, like->shape, slot); break;
    case CAMPAIGN_REPEAT_HOST:
    case CAMPAIGN_KIND_LIMIT: break;
    }
}

static void hosts_restore(struct watch *watch, const struct watch_slot *slot)
{
    for (uint32_t i = 0; i < slot->campaign.host_count; i++) {
        const struct campaign_host *host = &slot->campaign.hosts[i];
        struct host_record *record = hosts_take(&watch->hosts, host->key,
                                                host_key_hash(host->key, watch->settings.seed),
                                                (uint32_t)(host->last_ms / SECOND_MS));
        if (record && !record->campaign)
            record->campaign = (uint32_t)(slot - watch->slots) + 1;
    }
}

bool watch_restore(struct watch *watch, struct campaign *campaign)
{
    closed_drop(watch);
    struct watch_slot *slot = watch_campaign(watch, campaign->id) ? NULL : slot_take(watch);
    if (!slot) {
        campaign_done(campaign);
        return false;
    }
    slot->campaign = *campaign;
    *campaign = (struct campaign){.id = 0};
    watch->octets += campaign_octets(&slot->campaign);
    keys_restore(watch, slot);
    hosts_restore(watch, slot);
    return true;
}

/* --- looking -------------------------------------------------------------------------------------------- */

const struct campaign *watch_campaign(const struct watch *watch, uint64_t id)
{
    for (uint32_t i = 0; i < watch->slots_used; i++)
        if (watch->slots[i].campaign.id == id)
            return &watch->slots[i].campaign;
    return NULL;
}

bool watch_next(const struct watch *watch, size_t *at, const struct campaign **ret_campaign)
{
    while (*at < watch->slots_used) {
        const struct watch_slot *slot = &watch->slots[(*at)++];
        if (slot->campaign.id) {
            *ret_campaign = &slot->campaign;
            return true;
        }
    }
    return false;
}

void watch_counts(const struct watch *watch, struct watch_counts *ret_counts)
{
    *ret_counts = watch->counts;
    ret_counts->hosts = watch->hosts.used;
}
