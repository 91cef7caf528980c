/* A campaign for programs. */
#ifndef WATCH_CAMPAIGN_JSON_H
#define WATCH_CAMPAIGN_JSON_H

#include "watch/watch.h"
#include "wire/json.h"

/* One object with the keys id kind sentence attempts hosts first last open; with `whole` also networks
 * unknown reason, host_table (address ptr origin attempts refused unknown group first last, and suggested:
 * whether there is enough against the host to shut it out, as `watch` knows it) and timeline (id time address
 * seconds verdict), the oldest first. Times are RFC 3339. Without a watch nothing is suggested. */
void campaign_json(const struct campaign *campaign, bool open, const struct watch *watch, bool whole,
                   struct json *json);
/* The same of the whole, closed, where each host was judged before. */
void campaign_json_judged(const struct campaign *campaign, const bool suggested[CAMPAIGN_HOSTS_MAX],
                          struct json *json);

#endif
