/* An attempt: what one client tried with one envelope. Live sessions and old mail logs give the same struct,
 * and the detection of patterns reads nothing else.
 *
 * One attempt is one envelope (MAIL, its recipients, its message or the lack of one); and one stands for a
 * session that ended without any envelope but had something against it (dropped before MAIL, an HTTP tunnel).
 * What an attempt lacks, because it was refused before it could show it or because a log does not say it, is
 * marked absent in `has`: absent neither matches nor contradicts. The member is zero then.
 *
 * All slices are borrowed; who makes an attempt says whose memory they point into. */
#ifndef WATCH_ATTEMPT_H
#define WATCH_ATTEMPT_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"

enum attempt_has {
    ATTEMPT_HAS_PTR = 1u << 0,        /* ptr, ptr_confirmed: it was looked up; an empty ptr: there is none */
    ATTEMPT_HAS_HELO = 1u << 1,       /* helo */
    ATTEMPT_HAS_SENDER = 1u << 2,     /* sender; empty: the null sender */
    ATTEMPT_HAS_RECIPIENTS = 1u << 3, /* recipients, recipient_count, recipients_tried */
    ATTEMPT_HAS_UNKNOWN = 1u << 4,    /* recipients_unknown */
    ATTEMPT_HAS_OCTETS = 1u << 5,     /* octets */
    ATTEMPT_HAS_SIZE = 1u << 6,       /* size */
    ATTEMPT_HAS_BODY = 1u << 7,       /* body_digest */
    ATTEMPT_HAS_MESSAGE_ID = 1u << 8, /* message_id: the header was seen to its end */
    ATTEMPT_HAS_VERDICT = 1u << 9,    /* verdict, code */
    ATTEMPT_HAS_FINDINGS = 1u << 10,  /* findings: all are known; without it those that are set are some */
    ATTEMPT_HAS_FINGERPRINT = 1u << 11, /* fingerprint */
    ATTEMPT_HAS_SPF = 1u << 12,         /* spf_pass: SPF was evaluated; empty: it did not pass */
    ATTEMPT_HAS_ORIGIN = 1u << 13,      /* as_number, netblock, country, owner: as far as each is not empty */
    ATTEMPT_HAS_DURATION = 1u << 14,    /* duration_ms */
    ATTEMPT_HAS_END = 1u << 15,         /* gave_up */
    ATTEMPT_HAS_POOL = 1u << 16         /* pool: the suffix list was asked; empty: the name makes no pool */
};

/* What came of it. The numbers stand in stored states and never change. */
enum attempt_verdict {
    ATTEMPT_ACCEPTED =
        0, /* 250 at the end; also where it was thrown away (see FIND_TRAP, FIND_ACCESS_DISCARD) */
    ATTEMPT_DEFERRED = 1, /* 4yz */
    ATTEMPT_REFUSED = 2,  /* 5yz */
    ATTEMPT_DROPPED = 3,  /* we closed the connection */
    ATTEMPT_LEFT = 4      /* the client went away before it was answered */
};

#define ATTEMPT_RECIPIENTS_MAX 16  /* recipients that are kept; the first ones */
#define ATTEMPT_TEXT_MAX       320 /* octets of sender, recipient, HELO and names: what is longer is cut */
#define ATTEMPT_FINDING_WORDS  4

/* A set of findings by their numbers (core/finding.def). */
struct attempt_findings {
    uint64_t bits[ATTEMPT_FINDING_WORDS];
};

struct attempt {
    uint32_t has;      /* enum attempt_has */
    uint32_t envelope; /* its number in the session, from 1; 0: the session had none */
    uint64_t id;       /* the session, 0: none is recorded (an old log) */
    int64_t
        unix_ms; /* when it began: MAIL, or the connection where there was none, or the log's first line */
    uint32_t duration_ms; /* until its last answer */
    struct address peer;  /* the client; always known */
    struct slice ptr;     /* the name of its address */
    bool ptr_confirmed;   /* the name leads back to the address */
    bool ptr_generic;     /* the address stands in the name */
    struct slice pool;    /* registered domain of a confirmed name that is not generic and no public suffix */
    struct slice helo;
    struct slice sender;            /* reverse-path without brackets */
    const struct slice *recipients; /* forward-paths without brackets, refused or not */
    uint32_t recipient_count;       /* ATTEMPT_RECIPIENTS_MAX at most */
    uint32_t recipients_tried;      /* all of them, recipient_count or more */
    uint32_t recipients_unknown;    /* of them, those that do not exist here */
    uint64_t octets;                /* of the message as received */
    uint64_t size;                  /* SIZE= as declared */
    uint64_t body_digest;           /* of the body's text after normalisation, not 0 */
    bool message_id;                /* the message has a Message-ID */
    bool gave_up; /* it ended without 250, and the client went away rather than try again in the session */
    enum attempt_verdict verdict;
    uint32_t code; /* the last reply's, or 0 */
    struct attempt_findings findings;
    struct slice fingerprint; /* p0f v3 raw signature of its TCP SYN */
    struct slice spf_pass;    /* the domain that lets the client send */
    uint32_t as_number;       /* 0: unknown */
    struct prefix netblock;   /* family ADDRESS_NONE: unknown */
    char country[3];          /* two letters, or empty */
    struct slice owner;       /* registered name of the netblock or AS */
};

static inline bool attempt_has(const struct attempt *attempt, unsigned what)
{
    return (attempt->has & what) == what;
}

static inline void attempt_finding_set(struct attempt *attempt, unsigned finding)
{
    if (finding < ATTEMPT_FINDING_WORDS * 64u)
        attempt->findings.bits[finding / 64] |= (uint64_t)1 << (finding % 64);
}

static inline bool attempt_finding(const struct attempt *attempt, unsigned finding)
{
    return finding < ATTEMPT_FINDING_WORDS * 64u &&
           (attempt->findings.bits[finding / 64] >> (finding % 64) & 1) != 0;
}

/* When it ended, as far as is known; else when it began. */
int64_t attempt_end_ms(const struct attempt *attempt);

/* --- one line ------------------------------------------------------------------------------------------- */

/* An attempt as a line of words `name=value`, parted by single blanks, the address first; what is absent is
 * left out. In values, octets that are no printable ASCII, blanks, commas and `%` are written as %XX. For
 * corpora, tests, and states that outlive a process:
 *
 *   address=192.0.2.1 time=1069034305000 helo=friend from=a@b.example to=c@d.example octets=1762 ... */
#define ATTEMPT_LINE_MAX 16384

/* Adds the line without its end. False when the buf's maximum stops it: nothing was added then. */
bool attempt_print(const struct attempt *attempt, struct buf *buf);
/* False: no such line. Words that are not known are passed over. Texts and recipients live in the arena. */
bool attempt_parse(struct slice line, struct arena *arena, struct attempt *ret_attempt);

#endif
