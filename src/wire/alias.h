/* The text of alias tables and mailbox tables, after the manner of aliases(5): one entry a line, `left:
 * right, right`. A line that begins with a blank continues the one before; blank lines and lines whose first
 * octet other than a blank is `#` are passed over. */
#ifndef WIRE_ALIAS_H
#define WIRE_ALIAS_H

#include "base/arena.h"
#include "base/slice.h"

enum alias_form {
    ALIAS_TABLE,  /* `left: right[, right …]`: recipes: joepublic */
    MAILBOX_TABLE /* `left` or `left: right`: joepublic@hypertouch.com, joepublic@hypertouch.com: folder */
};

/* Points into the text. */
struct alias_entry {
    struct slice left;  /* without quotes and blanks: "recipes", "recipes@example.com", "@example.com" */
    struct slice right; /* for alias_target; continuation lines and comments may stand inside; empty: none */
    unsigned line;      /* where it begins, from 1 */
};

enum alias_status {
    ALIAS_ENTRY,
    ALIAS_END,
    ALIAS_BAD /* one entry that is none: entry->line, reader->complaint; the reader stands behind it */
};

struct alias_reader {
    struct slice rest;
    unsigned line; /* of the next line, from 1 */
    enum alias_form form;
    struct slice complaint; /* of the last ALIAS_BAD: what, and what was expected; constant text */
};

void alias_init(struct alias_reader *reader, enum alias_form form, struct slice text);
enum alias_status alias_next(struct alias_reader *reader, struct alias_entry *ret_entry);

/* Takes the next right side off *right, quotes and blanks off; false at the end. The entry was checked by
 * alias_next: what comes is an address or a name, never a command, a file or an include. */
bool alias_target(struct slice *right, struct slice *ret_target);

#endif
