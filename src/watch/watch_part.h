/* What the parts of the watcher share. */
#ifndef WATCH_WATCH_PART_H
#define WATCH_WATCH_PART_H

#include "watch/hosts.h"
#include "watch/ledger.h"
#include "watch/watch.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

enum { LATE_MS = 120000, GATHER_MOST = TRACE_GROUP_MAX };

/* Where a key leads to a campaign. */
struct watch_key {
    uint64_t key; /* 0: an empty place */
    uint32_t slot;
    uint32_t turn; /* of the slot: another campaign has it when this differs */
};

struct watch_slot {
    struct campaign campaign; /* id 0: free */
    uint32_t turn;
    uint32_t next_free;
    bool closed; /* goes with the next call */
};

struct watch {
    struct watch_settings settings;
    struct ledger ledger;
    struct hosts hosts;
    struct watch_slot *slots;
    uint32_t slots_used; /* of which one was ever taken */
    uint32_t first_free; /* slot + 1 */
    struct watch_key *keys;
    uint32_t key_size;
    struct watch_key *taken; /* messages that were taken: key, slot is the time in seconds */
    uint32_t taken_size;
    size_t octets; /* of open campaigns */
    int64_t now_ms;
    int64_t look_ms; /* when quiet campaigns are looked for next */
    uint32_t look_at;
    struct watch_note *notes;
    uint32_t note_count, note_room, note_at;
    struct watch_counts counts;
};

/* The attempt at hand. */
struct turn {
    struct watch *watch;
    uint32_t place; /* in the ledger */
    struct trace *trace;
    struct host_record *host; /* may be NULL */
    bool good;                /* the standing of its host or pool is */
};

enum watch_salt { SALT_MESSAGE = 1, SALT_BODY, SALT_SHAPE, SALT_TARGET, SALT_PROXY, SALT_NET };

/* --- standing (watch_host.c) ---------------------------------------------------------------------------- */

bool watch_is_good(const struct watch *watch, const struct trace *trace);
uint32_t standing_of_pool(const struct trace *trace);
uint32_t standing_of_spf(const struct trace *trace);
uint32_t standing_of_net(const struct trace *trace);
/* Fills what the attempt lacks and its host had shown before; counts it. */
void watch_host_note(struct turn *turn);
/* A message was taken; whether one of that key was within ten minutes of a time. */
void watch_taken_note(struct watch *watch, const struct trace *trace);
bool watch_was_taken(const struct watch *watch, const struct trace *trace);

/* --- campaigns (watch.c) -------------------------------------------------------------------------------- */

struct watch_slot *watch_open(struct watch *watch, enum campaign_kind kind, uint32_t place);
void watch_join(struct watch *watch, struct watch_slot *slot, uint32_t place);
void watch_key_set(struct watch *watch, enum watch_salt salt, uint64_t key, const struct watch_slot *slot);
struct watch_slot *watch_key_get(struct watch *watch, enum watch_salt salt, uint64_t key); /* open, or NULL */
struct watch_slot *watch_slot_of_host(struct watch *watch, const struct host_record *host);

/* --- patterns: each says whether the attempt belongs to one of its kind now ------------------------------
 */

bool pattern_known(struct turn *turn); /* to a campaign that is open */
bool pattern_same_message(struct turn *turn);
bool pattern_dictionary(struct turn *turn);
bool pattern_netblock(struct turn *turn);
bool pattern_host(struct turn *turn);
bool pattern_proxy(struct turn *turn);

#endif
