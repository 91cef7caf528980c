/* Questions to name servers, blocklists, origins and the public suffix list for one session that has a
 * process to itself (trial.h): begun as they come, and waited for one by one. */
#ifndef DAEMON_LOOKUP_H
#define DAEMON_LOOKUP_H

#include "base/error.h"
#include "core/ask.h"
#include "core/site.h"

struct lookups;

/* `names`: name servers are asked; else only what stands in files here. NULL with *error: no name server is
 * named rightly, or the system refuses. The site must outlive it. */
struct lookups *lookups_open(const struct site *site, bool names, struct error *error);
void lookups_close(struct lookups *lookups); /* NULL is taken */

/* False: nobody is asked such questions. Else its answer can be waited for, under its number. */
bool lookups_begin(struct lookups *lookups, uint32_t number, enum ask_kind kind, struct slice key);
/* Waits, as long as dns.deadline, for what was begun. False: nothing was begun under that number. The value
 * lives as long as the lookups. */
bool lookups_wait(struct lookups *lookups, uint32_t number, struct answer *ret_answer);

#endif
