/* What the attempts of old logs amount to: the campaigns that the watcher saw in them, and the hosts that it
 * suggests to shut out. Bounded: beyond a limit the smallest campaigns are dropped, and counted. */
#ifndef WATCH_SCAN_FOUND_H
#define WATCH_SCAN_FOUND_H

#include "watch/watch.h"

#define SCAN_FOUND_OCTETS (256u << 20) /* campaigns that are kept; packed */
#define SCAN_FOUND_BLOCKS 262144u

/* A host whose part in campaigns is evidence enough. */
struct scan_block {
    struct host_key key;
    struct prefix address;   /* an IPv6 host is its /64 */
    enum campaign_kind kind; /* of the first campaign that tells against it */
    uint64_t campaign;       /* that one's id */
    uint32_t campaigns;      /* all that do */
    uint64_t attempts;       /* in them */
    int64_t first_ms, last_ms;
    char ptr[CAMPAIGN_TEXT_SIZE / 2];
};

struct scan_found_settings {
    const struct prefix *trusted; /* as in struct watch_settings; borrowed */
    size_t trusted_count;
    size_t octets;           /* 0: SCAN_FOUND_OCTETS */
    uint64_t attempts_about; /* so many will come: it takes no more room than they want; 0: any number */
};

struct scan_found;

struct scan_found *scan_found_new(const struct scan_found_settings *settings);
void scan_found_attempt(struct scan_found *found, const struct attempt *attempt);
/* The logs are over. Campaigns and blocks are in the order of their beginning from now on. */
void scan_found_end(struct scan_found *found);

size_t scan_found_count(const struct scan_found *found);
uint64_t scan_found_dropped(const struct scan_found *found); /* campaigns that had no room */
/* The campaign at that index, to be ended by campaign_done; ret_guilty: for each of its hosts whether it is
 * suggested to be shut out. */
void scan_found_campaign(const struct scan_found *found, size_t index, struct campaign *ret_campaign,
                         bool ret_guilty[CAMPAIGN_HOSTS_MAX]);
const struct scan_block *const *scan_found_blocks(const struct scan_found *found, size_t *ret_count);
void scan_found_free(struct scan_found *found); /* NULL is taken */

#endif
