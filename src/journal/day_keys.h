/* Which keys a day has, in a file beside the day's own that is read by one page: "2026-07-24.keys". A search
 * opens no day that cannot have what it looks for.
 *
 * It is a Bloom filter in pages of 4 KiB: all bits of a key are in the page that its hash names, so that one
 * read answers, whatever the day's size. Twelve bits a key and seven of them set: of days without the key one
 * in some hundreds is opened in vain. Keys of texts stand in it with the domains that they end in, addresses
 * with their networks, so that it answers for suffixes and networks, too; patterns it cannot tell.
 *
 * It is made when a day is settled, removed before the day is written to again, and believed only while the
 * day's file is what it was: each page names that file's inode, size and time, and has a checksum. Where it
 * is missing or not believed, the day is opened: it makes searches faster, and nothing else. */
#ifndef JOURNAL_DAY_KEYS_H
#define JOURNAL_DAY_KEYS_H

#include "journal/day.h"
#include "journal/filter.h"

/* Makes it for a day that is settled. Negative: it cannot be written, and there is none. */
int day_keys_make(const char *folder, int64_t day, struct error *error);
/* Whether there is one that is believed. */
bool day_keys_hold(const char *folder, int64_t day);
/* So that it stays removed after a loss of power, too. */
void day_keys_remove(const char *folder, int64_t day);

/* Leaves those days that may have what the filter wants, in their order; returns how many. A campaign among
 * its terms is not looked at: its sessions are on other days than what says that they are its. */
size_t day_keys_sift(const char *folder, const struct filter *filter, int64_t *days, size_t count);
/* Those days on which something may have been said of the campaign. */
size_t day_keys_sift_campaign(const char *folder, uint64_t campaign, int64_t *days, size_t count);

#endif
