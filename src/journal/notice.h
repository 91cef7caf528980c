/* Notices to the postmaster: what has happened is gathered by class and cause, and now and then one mail
 * tells of all of it. A flood makes one mail with its counts, not a thousand mails.
 *
 * The first incident of a class opens its gathering; the mail is due `gather_ms` later, and takes along what
 * other classes have gathered meanwhile. While one mail follows another, each that went within the last hour
 * doubles that time, and no more than `rate` go within an hour; what comes then is gathered on. Of these the
 * last is kept for what is wrong with this host itself (resource, software), which waits gather_ms and no
 * longer. Once a day a digest has the day's sums; it does not count against the rate.
 *
 * Nothing here reads a clock, waits, or writes: times are arguments (milliseconds since 1970), and the whole
 * of what is kept can be printed and read again, so that it outlives its process. Memory is bounded: of a
 * class NOTICE_CAUSES causes are told apart, what is beyond counts together, and of its hosts the
 * NOTICE_HOSTS busiest are known (the algorithm is Metwally's "space saving"). */
#ifndef JOURNAL_NOTICE_H
#define JOURNAL_NOTICE_H

#include "base/address.h"
#include "base/buf.h"

enum notice_class {
    NOTICE_POLICY,   /* clients that were refused for what the house wants */
    NOTICE_PROTOCOL, /* clients that do not speak SMTP, or break it */
    NOTICE_RESOURCE, /* disk, memory, connections, name servers, mail servers behind: mail has to wait */
    NOTICE_SOFTWARE, /* crashes, damaged files, a configuration that is refused */
    NOTICE_CAMPAIGN  /* many attempts that belong together */
};
#define NOTICE_CLASSES    5
#define NOTICE_BIT(which) (1u << (which))
#define NOTICE_URGENT     (NOTICE_BIT(NOTICE_RESOURCE) | NOTICE_BIT(NOTICE_SOFTWARE))

const char *notice_class_word(enum notice_class which); /* "policy" */
/* Words parted by blanks, as a set of NOTICE_BITs; none: 0. False: a word is none of the classes. */
bool notice_classes_parse(struct slice words, unsigned *ret_classes);

#define NOTICE_CAUSES       24
#define NOTICE_HOSTS        16
#define NOTICE_EXAMPLES     10 /* at most, of a class */
#define NOTICE_CAUSE_SIZE   96 /* with its NUL */
#define NOTICE_EXAMPLE_SIZE 512
#define NOTICE_RATE_MAX     60

/* One thing that happened. The texts are borrowed for the call. */
struct notice_incident {
    enum notice_class class;
    uint16_t reply;       /* its cause is this reply of the catalogue, or 0: */
    struct slice cause;   /* … these words */
    uint64_t session;     /* which shows it, or 0: */
    struct slice example; /* … these words */
    uint32_t sequence;    /* of the journal file of its gate in which its end stands */
    uint32_t offset;      /* … and where in it */
    struct address host;  /* family ADDRESS_NONE: nobody from outside */
    int64_t unix_ms;
    bool quiet; /* it is told of with others, and no mail goes for it alone */
};

struct notice_cause {
    uint16_t reply;
    char text[NOTICE_CAUSE_SIZE]; /* where reply is 0 */
    uint64_t count;
};

struct notice_example {
    uint64_t session;
    uint32_t sequence, offset;
    char text[NOTICE_EXAMPLE_SIZE]; /* where session is 0 */
    uint16_t cause;                 /* its place among the causes, or NOTICE_CAUSES: one of the others */
};

struct notice_host {
    struct address address; /* IPv6: its /64 */
    uint64_t count;
    uint64_t over; /* by how much the count may be too high */
};

/* What has gathered of one class. */
struct notice_heap {
    uint64_t count;
    uint64_t others; /* of it, by causes that are not listed */
    int64_t first_ms, last_ms;
    struct notice_cause causes[NOTICE_CAUSES];
    size_t cause_count;
    struct notice_host hosts[NOTICE_HOSTS];
    size_t host_count;
    struct notice_example examples[NOTICE_EXAMPLES];
    size_t example_count;
};

struct notice_settings {
    unsigned classes; /* that make a mail */
    unsigned digest;  /* that are in the daily one */
    uint64_t gather_ms;
    uint64_t rate;         /* mails within an hour, up to NOTICE_RATE_MAX */
    uint64_t digest_at_ms; /* after local midnight */
    uint64_t examples;     /* of a class in a mail, up to NOTICE_EXAMPLES */
    /* Minutes east of UTC at a time; NULL: UTC. */
    int (*zone_minutes)(int64_t unix_seconds);
};

/* What one mail is made of. */
struct notice {
    uint64_t id; /* the message's, as a session's; 0: there is none */
    bool digest;
    int64_t from_ms, to_ms; /* when it happened, or the day */
    struct notice_heap heaps[NOTICE_CLASSES];
};

struct notices {
    struct notice_settings settings;
    struct notice_heap gathered[NOTICE_CLASSES];
    struct notice_heap day[NOTICE_CLASSES]; /* no examples */
    int64_t open_ms[NOTICE_CLASSES];        /* since when is gathered; 0: nothing is there */
    int64_t sent_ms[NOTICE_RATE_MAX];       /* the newest mails, 0: none */
    int64_t day_began_ms;
    bool day_loud;         /* not all of it is quiet */
    int64_t digest_ms;     /* when the next is due; INT64_MAX: never */
    struct notice pending; /* taken, and not known to be in the queue */
    bool changed;          /* since it was printed */
};

void notices_init(struct notices *notices, const struct notice_settings *settings, int64_t now_ms);

/* Classes that are wanted by neither mail nor digest are passed over. */
void notices_add(struct notices *notices, const struct notice_incident *incident, int64_t now_ms);

/* When notices_take has something; INT64_MAX: not before something happens. While a notice is pending:
 * INT64_MAX. */
int64_t notices_due(const struct notices *notices, int64_t now_ms);

/* Moves what is due into `pending` under that id. False: nothing is due. */
bool notices_take(struct notices *notices, uint64_t id, int64_t now_ms);

/* The pending one is in the queue. */
void notices_sent(struct notices *notices);

/* All of it as text: three parts, so that each fits an entry of the store. */
enum notices_part { NOTICES_GATHERED, NOTICES_DAY, NOTICES_PENDING };
#define NOTICES_PARTS    3
#define NOTICES_PART_MAX 61440 /* octets of one */
void notices_print(const struct notices *notices, enum notices_part part, struct buf *out);
/* Into what was made by notices_init: classes that are no longer wanted are dropped, and a digest whose time
 * was missed is due. What cannot be read is left out. */
void notices_read(struct notices *notices, enum notices_part part, struct slice text, int64_t now_ms);

#endif
