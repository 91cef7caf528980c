/* What the halves of the annotated view share: the walk through a session's events, what is known so far, and
 * the comment that is being made. */
#ifndef JOURNAL_ANNOTATE_H
#define JOURNAL_ANNOTATE_H

#include "core/finding.h"
#include "core/say.h"
#include "journal/render_log.h"
#include "journal/summary.h"
#include "journal/view.h"
#include "wire/command.h"

/* What was found, each once: what counts twice for the policy has other evidence. */
struct annotate_found {
    uint64_t finding;
    struct slice evidence;
    int64_t weight; /* what it adds to the sum; 0 where it is only observed */
    bool enforced;
};

struct annotate {
    const struct history *history;
    const struct view_settings *settings;
    struct document *document;
    const struct summary *summary;
    const struct event *event; /* at hand */
    struct render_log log;     /* makes the lines of what is no dialogue */
    struct buf comment;        /* over the event at hand */
    /* known so far */
    struct address peer;
    struct slice helo;    /* the name that it gave */
    struct slice sender;  /* of the transaction at hand */
    struct slice pointed; /* names that its address points to */
    struct slice name;    /* the one that is confirmed */
    uint64_t transactions, recipients;
    uint64_t threshold; /* from which sum on is refused; 0: no verdict of the session tells */
    uint64_t asked_us;  /* when the client said what we answer next; 0: nothing is open */
    uint64_t decided;   /* the finding of the verdict whose answer comes next */
    bool judged;        /* such a verdict was there */
    bool sheds;         /* the answer that comes next says yes, and the mail is thrown away */
    bool observed;      /* a verdict was not done, since the policy only observes */
    struct annotate_found *found;
    size_t found_count;
    /* What teaches is said once. */
    bool said_finding[FIND_LIMIT], said_reply[SAY_LIMIT], said_verb[VERB_COUNT], said_digit[10], said_number;
};

/* Adds a sentence to the comment at hand; a blank parts it from what stands there. For texts of strangers:
 * annotate_shown. */
void annotate_note(struct annotate *annotate, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with {} replaced by the text, which is made harmless. */
void annotate_note_filled(struct annotate *annotate, const char *phrase, struct slice text);
/* The same, the first time only: `said` remembers. */
void annotate_note_once(struct annotate *annotate, bool *said, const char *sentence);
/* A stranger's text for a comment: harmless, cut at 200 octets, terminated. */
const char *annotate_shown(struct annotate *annotate, struct slice text);
/* The comment becomes a line of the document, and is empty then. */
void annotate_flush(struct annotate *annotate);
const char *annotate_peer(struct annotate *annotate);
/* "1.5 s" */
const char *annotate_time(struct annotate *annotate, uint64_t ms);
/* 1,285 */
const char *annotate_number(struct annotate *annotate, uint64_t number);

/* The sum of what was found so far. */
int64_t annotate_sum(const struct annotate *annotate);

/* Each makes the comment over the event at hand, and takes from it what is to be known later. */
void annotate_dialogue(struct annotate *annotate); /* opened to tls-failed, ended, http */
void annotate_question(struct annotate *annotate);
void annotate_judgement(struct annotate *annotate); /* finding, verdict */
void annotate_message(struct annotate *annotate);   /* mail-started to told, the courier's */

/* Whether the question or answer at hand is not worth a comment and a line of its own. */
bool annotate_passes_over(const struct annotate *annotate);

/* A line of the client or the gate, as it was said. */
void annotate_client_line(struct annotate *annotate);
void annotate_server_lines(struct annotate *annotate);
/* A question or an answer: "address4 mail.example.org: found, 192.0.2.7 (12 ms)". */
void annotate_question_line(struct annotate *annotate);

/* The sections behind the dialogue: what was noticed, what if, what can be done. */
void annotate_closing(struct annotate *annotate);

#endif
