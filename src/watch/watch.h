/* The watcher: reads attempts and sees which of them belong together.
 *
 * Pure: time is that of the attempts. The same attempts in the same order give the same campaigns; order may
 * be off by two minutes. Memory is taken at the start and is bounded whatever comes; a campaign is known with
 * the attempt that makes it one. doc/notes/patterns.md says how each kind is told from its innocent twin. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "watch/campaign.h"

struct watch_settings {
    uint32_t hosts;     /* places for hosts; a power of two, 1024 or more */
    uint32_t traces;    /* attempts that were not taken and are looked back at; a power of two, 64 or more */
    uint32_t campaigns; /* that may be open at once, 1 or more */
    size_t octets;      /* that open campaigns may take; beyond it the quietest is closed */
    uint64_t seed;      /* secret where strangers choose what comes */
    const struct prefix
        *trusted; /* never in a campaign: our networks, backup MX, listed forwarders; borrowed */
    size_t trusted_count;
};

/* For a gate of a million messages a day: about 180 MiB when all is in use. */
#define WATCH_HOSTS     (1u << 21)
#define WATCH_TRACES    (1u << 18)
#define WATCH_CAMPAIGNS 8192u
#define WATCH_OCTETS    (48u << 20)

enum watch_note_kind {
    WATCH_OPENED = 1, /* a campaign was seen; its attempts until now follow as joined */
    WATCH_JOINED,     /* an attempt belongs to it */
    WATCH_CHANGED,    /* its kind is another now */
    WATCH_CLOSED      /* nothing came for long; it is gone with the next call of watch_add or watch_time */
};

struct watch_note {
    enum watch_note_kind kind;
    enum campaign_kind campaign_kind; /* now */
    uint64_t campaign;                /* its id */
    uint64_t session;                 /* JOINED: the attempt's id, envelope, start and host */
    uint32_t envelope;
    int64_t unix_ms;
    struct address host;
};

/* Makes places for hosts, traces and campaigns half as many until all is below so many octets; sets `octets`,
 * too. */
void watch_settings_fit(struct watch_settings *settings, uint64_t octets);

struct watch;

struct watch *watch_new(const struct watch_settings *settings);
void watch_free(struct watch *watch); /* NULL is taken */

/* Reads one attempt. The notes of it are to be taken before the next one: those of the call before are gone.
 */
void watch_add(struct watch *watch, const struct attempt *attempt);
/* Reads one that was read before, in the order of then: what is remembered of hosts and of the latest
 * attempts is as it was. Campaigns that are open were taken back before by watch_restore. Read again by
 * watch_add later it counts as the same. */
void watch_learn(struct watch *watch, const struct attempt *attempt);
/* Says what time it is, where no attempts come: closes what has been quiet for long. */
void watch_time(struct watch *watch, int64_t unix_ms);
/* Takes the next note; false: there are no more. */
bool watch_note(struct watch *watch, struct watch_note *ret_note);

/* Open campaigns, and those that the last call closed. NULL: there is none of that id. */
const struct campaign *watch_campaign(const struct watch *watch, uint64_t id);
/* Walks them: start with *at = 0; false at the end. */
bool watch_next(const struct watch *watch, size_t *at, const struct campaign **ret_campaign);
/* Takes back a campaign that was packed before, as open; its memory becomes the watcher's. The seed must be
 * the same. False: there is no room, or one of that id is open; the campaign is gone then. */
bool watch_restore(struct watch *watch, struct campaign *campaign);

/* Whether the standing of a campaign's host forbids to shut it out: most of its mail, or of its pool's, is
 * taken. */
bool watch_host_is_good(const struct watch *watch, const struct campaign_host *host);
/* The same of the host of an attempt, whether that belongs to a campaign or not. */
bool watch_attempt_is_good(const struct watch *watch, const struct attempt *attempt);
/* Whether nothing was ever taken of a network, an IPv4 /24 or an IPv6 /48, as far as is remembered. */
bool watch_net_is_bad(const struct watch *watch, const struct prefix *net);
/* Whether the evidence against this host alone is enough to shut it out. */
bool watch_host_is_guilty(const struct watch *watch, const struct campaign *campaign,
                          const struct campaign_host *host);

struct watch_counts {
    uint64_t attempts;
    uint64_t joined;
    uint64_t opened;
    uint64_t closed;
    uint64_t crowded; /* closed before their time, for lack of room */
    uint32_t open;
    uint32_t hosts; /* remembered */
};

void watch_counts(const struct watch *watch, struct watch_counts *ret_counts);

#endif
