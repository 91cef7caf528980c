/* An abuse report: what hosts of one owner did here, told to whoever answers for them. As a feedback report
 * for programs and people (ARF: RFC 5965, 6591, 6650, 6692), as plain mail, and as JSON.
 *
 * Nearly all that stands in a report was chosen by those whom it is about. So all text comes out as printable
 * ASCII, with what was anything else as \xHH; only names of owners and what the third part shows of a
 * message's header may be UTF-8 or worse, and are encoded as their place wants it (RFC 2045, 2047). No line
 * is longer than REPORT_LINE octets, nothing of a stranger's can be taken for a field or a boundary, and the
 * whole stays below REPORT_MAX: what does not fit is left out, and said to be.
 *
 * doc/notes/reports.md argues the choices. */
#ifndef WATCH_REPORT_H
#define WATCH_REPORT_H

#include "journal/redact.h"
#include "watch/attempt.h"
#include "wire/contact.h"

#define REPORT_MAX         163840u
#define REPORT_LINE        200u /* octets without the line end; fields of the header: 998 */
#define REPORT_HOSTS       100u /* that are listed */
#define REPORT_ATTEMPTS    50u  /* that are listed */
#define REPORT_RECIPIENTS  20u  /* of one attempt that are named */
#define REPORT_TRANSCRIPTS 10u

struct report_host {
    struct address address; /* port 0 */
    struct slice ptr;       /* the name of the address, or empty */
    bool ptr_confirmed;
    uint64_t attempts;
    int64_t first_ms, last_ms;
};

/* One envelope, or a session that had none. What is not known is empty or 0. */
struct report_attempt {
    uint64_t session;
    uint32_t envelope;
    int64_t unix_ms;
    struct address peer; /* with the client's port, where it is known */
    bool has_helo, has_sender;
    struct slice helo, sender; /* an empty sender: the null one */
    const struct slice *recipients;
    uint32_t recipient_count, recipients_tried;
    enum attempt_verdict verdict;
    bool fooled;        /* it was told that its message was taken, which was thrown away */
    struct slice reply; /* how it was refused, the first line */
    struct slice said;  /* what was noticed, for people: "listed: …" */
    const char *spf;    /* the result word of RFC 8601 section 2.7.2, or NULL */
    struct slice spf_domain;
    /* Of the message, as far as it was seen. */
    bool message;
    uint64_t octets;
    struct slice message_id, date, subject;
    struct slice queue_id; /* as which it was taken, or empty */
};

struct report_transcript {
    uint64_t session;
    struct slice text; /* lines ended by LF */
};

struct report_owner {
    uint32_t as;            /* 0: not known */
    struct prefix netblock; /* family ADDRESS_NONE: not known */
    char country[3];        /* two letters, or empty */
    struct slice name;      /* UTF-8, or empty */
};

struct report {
    /* who writes, when */
    struct slice host;     /* our name: it names the reporting server */
    struct slice from;     /* the address that answers go to */
    struct slice software; /* "Postern/0.1.0" */
    int64_t now_ms;
    uint64_t id;     /* of the report: no two of a host have the same */
    uint64_t chance; /* a random number that nobody can foresee, for the boundary */
    /* to whom */
    struct contacts to;     /* count 0: not known, left for a person to fill in */
    struct slice to_source; /* how that is known, in words */
    struct report_owner owner;
    /* about what */
    struct slice campaign, kind, sentence, reason; /* of the campaign that it belongs to; empty: none */
    uint64_t attempts;                             /* all; of them some are listed, the oldest first */
    int64_t first_ms, last_ms;
    const struct report_host *hosts;
    size_t host_count, host_total;
    const struct report_attempt *listed;
    size_t listed_count;
    size_t key; /* the listed one that shows most; below listed_count */
    const struct report_transcript *transcripts;
    size_t transcript_count;
    bool redacted;
};

enum report_form { REPORT_ARF, REPORT_TEXT, REPORT_JSON, REPORT_FORM_COUNT };
bool report_form_parse(struct slice word, enum report_form *ret_form);
const char *report_form_suffix(enum report_form form); /* of a file: "eml" */

/* Each adds the whole report. False: the buf's maximum stopped it; nothing was added then. */

/* A mail with its header, lines ended by CRLF, 7-bit: it can go on its way as it is. */
bool report_arf(const struct report *report, struct buf *out);
bool report_text_mail(const struct report *report, struct buf *out);
/* To be pasted: To, Subject, an empty line, and the text in lines ended by LF. */
bool report_text(const struct report *report, struct buf *out);
/* One object in one line, without its end: id to subject from owner (as netblock country name) campaign
 * attempts first last hosts (address ptr attempts first last) listed (session time address port helo from to
 * verdict reply octets message_id subject queue_id) transcripts (session text). */
bool report_json(const struct report *report, struct buf *out);

/* What tells hosts apart: the address, or of IPv6 its /64. */
struct address report_host_key(const struct address *address);

/* "Abuse from 192.0.2.7: 5 attempts to send unwanted mail"; in the arena. */
struct slice report_subject(const struct report *report, struct arena *arena);
/* "AS64500 Example Telecom, 192.0.2.0/24, NZ"; empty: nothing is known. In the arena. */
struct slice report_owner_words(const struct report_owner *owner, struct arena *arena);

#endif
