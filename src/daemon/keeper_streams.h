/* Which streams the keeper reads, and how far it is. */
#ifndef DAEMON_KEEPER_STREAMS_H
#define DAEMON_KEEPER_STREAMS_H

#include "journal/reader.h"
#include "wire/json.h"

void keeper_streams_put(const struct journal_reader *reader, struct json *json); /* "streams":[…] */

#endif
