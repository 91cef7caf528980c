/* The gate's questions to the outside that are no inner server's and not the store's: name servers,
 * blocklists, files and zones of origins, the public suffix list. */
#ifndef DAEMON_QUESTIONS_H
#define DAEMON_QUESTIONS_H

#include "core/ask.h"
#include "daemon/gate.h"
#include "io/inbox.h"

struct questions;

/* Always: without a resolver every question to name servers fails, and that was recorded. */
struct questions *questions_new(struct gate *gate);
void questions_free(struct questions *questions); /* NULL is taken */

/* The kind is one of ADDRESS4, ADDRESS6, POINTER, MX, TXT, LISTED, ORIGIN, REGISTERED. One answer comes to
 * the gate's inbox, never none: after a `forget` nobody looks at it. */
void questions_ask(struct questions *questions, struct ticket ticket, enum ask_kind kind, struct slice key);
/* Each second: what the status shows. */
void questions_count(struct questions *questions);

#endif
