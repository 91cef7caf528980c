/* The views of a session: each makes a document of its events. A new view is a row in view.c. */
#ifndef JOURNAL_VIEW_H
#define JOURNAL_VIEW_H

#include "journal/document.h"
#include "journal/summary.h"

struct view_settings {
    int level; /* 1 to 5, as in event.def: what is above it is left out where the view knows levels */
    /* Minutes east of UTC at a time; NULL: times are UTC. */
    int (*zone_minutes)(int64_t unix_seconds);
};

struct view {
    const char *name; /* "annotated" */
    const char *doc;  /* what it shows, in half a sentence */
    /* Adds head, lines and spans to a document that was just initialised. The history is borrowed: texts are
     * copied. */
    void (*make)(const struct history *history, const struct view_settings *settings,
                 struct document *document);
};

const struct view *view_find(struct slice name); /* NULL: there is none */
const struct view *view_at(size_t index);        /* by number from 0; NULL behind the last */

/* The document of a view, head and all; to be given back by document_drop. */
void view_make(const struct view *view, const struct history *history, const struct view_settings *settings,
               struct document *ret_document);

/* "02:36:51": the time as views of the gate's own show it. */
#define VIEW_TIME_SIZE 16
struct slice view_time(const struct view_settings *settings, int64_t unix_us, char text[VIEW_TIME_SIZE]);

/* The rows. */
void view_log(const struct history *history, const struct view_settings *settings, struct document *document);
void view_annotated(const struct history *history, const struct view_settings *settings,
                    struct document *document);
void view_sender(const struct history *history, const struct view_settings *settings,
                 struct document *document);
void view_notice(const struct history *history, const struct view_settings *settings,
                 struct document *document);

/* For views of the gate's own: the sentence, the facts and the spans. */
void view_head(const struct history *history, const struct summary *summary, struct document *document);
/* Who waited for whom: what the client can tell, too, and with `questions` what only we know. */
void view_spans(const struct history *history, bool questions, struct document *document);

#endif
