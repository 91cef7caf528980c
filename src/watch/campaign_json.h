/* A campaign for programs. */
#ifndef WATCH_CAMPAIGN_JSON_H
#define WATCH_CAMPAIGN_JSON_H

#include "watch/campaign.h"
#include "wire/json.h"

/* One object with the keys id kind sentence attempts hosts first last open; with `whole` also networks
 * unknown reason, host_table (address ptr origin attempts refused unknown group first last) and timeline (id
 * time address seconds verdict), the oldest first. Times are RFC 3339. */
void campaign_json(const struct campaign *campaign, bool open, bool whole, struct json *json);

#endif
