/* A view of a session, before it is text, a page or JSON: the views make documents, three writers write them.
 *
 *   events ──► view (log, annotated, sender, notice) ──► document ──► text · HTML page · JSON
 *
 * A document has a head (which session, its sentence, facts), lines, and the spans of its timeline. A line
 * has a style, which says whose words these are, perhaps a time, a lead in plain style, and its text.
 *
 * Texts of strangers are made harmless by document_shown before they become part of a line: what is not
 * printable stands there as \xHH. The writers check once more, so that a view which forgot it can neither
 * steer a terminal nor break out of a page: the same octets stand as \xHH then. */
#ifndef JOURNAL_DOCUMENT_H
#define JOURNAL_DOCUMENT_H

#include "base/arena.h"
#include "base/buf.h"

enum document_style {
    DOCUMENT_PLAIN,   /* what the gate did */
    DOCUMENT_CLIENT,  /* what the client sent: bold red */
    DOCUMENT_SERVER,  /* what the gate sent: underlined blue */
    DOCUMENT_COMMENT, /* what it means, over the lines that it is about: italic green; wrapped by the writer
                       */
    DOCUMENT_FINDING, /* what a check observed, and the verdicts: bold */
    DOCUMENT_FAILURE, /* what went wrong on our side: bold */
    DOCUMENT_HEADING, /* of the lines behind it */
    DOCUMENT_STYLE_COUNT
};

struct document_line {
    enum document_style style;
    int64_t unix_us;     /* when; 0: it has no time */
    struct slice moment; /* the time as the view shows it: "02:36:51", "55.0 s", or empty */
    struct slice lead;   /* before the text: "4 SMTP-750([192.0.2.7]) Input Line: ", "In: ", or empty */
    struct slice text;
};

/* "Client: mail.example.org [192.0.2.7]" in the head. */
struct document_fact {
    struct slice name, value;
};

/* Whose turn it was: spans of the timeline. They may overlap. */
enum document_lane {
    DOCUMENT_LANE_CLIENT,   /* we waited for the client */
    DOCUMENT_LANE_GATE,     /* the client waited for us */
    DOCUMENT_LANE_QUESTION, /* we waited for an answer: DNS, store, the mail server behind */
    DOCUMENT_LANE_COUNT
};

struct document_span {
    enum document_lane lane;
    int64_t from_us, to_us;
    struct slice label;
};

struct document {
    struct arena arena; /* all texts */
    const char *view;   /* "annotated" */
    uint64_t session;
    int64_t began_us;      /* 0: not known */
    int zone_minutes;      /* east of UTC, for the date in the head */
    struct slice sentence; /* the session in one sentence, or empty */
    struct document_fact *facts;
    size_t fact_count, fact_room;
    struct document_line *lines;
    size_t line_count, line_room;
    struct document_span *spans;
    size_t span_count, span_room;
    const char *lanes[DOCUMENT_LANE_COUNT]; /* what they are called; NULL: as the gate sees them */
};

void document_init(struct document *document, const char *view, uint64_t session);
void document_drop(struct document *document); /* NULL is taken */

/* A stranger's text with everything escaped that does not belong in a line; in the document's arena,
 * terminated. */
struct slice document_shown(struct document *document, struct slice text);

/* Texts are copied. A line feed in a text parts it into lines of the same style; CR before it is dropped. */
void document_add(struct document *document, const struct document_line *line);
/* The same in the form of printf: for strangers' texts only behind document_shown. */
void document_format(struct document *document, enum document_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void document_fact(struct document *document, const char *name, struct slice value);
void document_span(struct document *document, const struct document_span *span);

/* --- writers ------------------------------------------------------------------------------------------- */

struct document_writing {
    bool colour;    /* text: escape sequences for a terminal */
    bool head;      /* text: id, date and sentence before the lines */
    unsigned width; /* text: columns that comments are wrapped to; 0: 80 */
};

/* Each appends the whole document. False when the buf's maximum stopped it: nothing was added then. */

/* Lines for a terminal or a file. */
bool document_text(const struct document *document, const struct document_writing *writing, struct buf *out);
/* One HTML page that needs nothing else: no script, no picture, no font from elsewhere. */
bool document_html(const struct document *document, struct buf *out);
/* One JSON object in one line, without its end: {"view":…, "id":…, "time":…, "sentence":…, "facts":{…},
 * "lines":[{"time":…, "style":"client", "lead":…, "text":…}, …], "spans":[…]}. */
bool document_json(const struct document *document, struct buf *out);

/* --- what the writers share ---------------------------------------------------------------------------- */

const char *document_style_word(enum document_style style); /* "client" */
const char *document_lane_word(enum document_lane lane);    /* "client", "gate", "question" */
/* Adds the text with what could steer a terminal or turn text round as \xHH; what is harmless stays as it is,
 * backslashes, too. False when the buf's maximum stopped it. */
bool document_guard(struct buf *out, struct slice text);
/* "24 Jul 2026, 02:35:56 UTC" */
#define DOCUMENT_DATE_SIZE 48
struct slice document_date(const struct document *document, char text[DOCUMENT_DATE_SIZE]);
/* Adds a picture of who waited for whom, as inline SVG with a caption; nothing where there are no spans. */
bool document_timeline(const struct document *document, struct buf *out);
/* Adds a text for HTML: guarded, and &, <, > and quotes as entities. */
bool document_html_text(struct buf *out, struct slice text);

#endif
