/* An event as one line of JSON: {"time":"2026-07-24T22:35:45.123Z","event":"line-received","session":"ID", …}
 * with the fields of event.def by their names. Numbers are numbers, texts are texts (what is no UTF-8 becomes
 * U+FFFD), addresses are "192.0.2.7:40000". A number that stands for a word is followed by it: "why":1,
 * "why_word":"quit". */
#ifndef JOURNAL_RENDER_JSON_H
#define JOURNAL_RENDER_JSON_H

#include "core/event.h"

/* Adds the line with its end. False: the buf's maximum; nothing was added. */
bool render_json(const struct event *event, struct buf *out);

#endif
