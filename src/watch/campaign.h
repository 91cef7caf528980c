/* A campaign: attempts that belong together, seen as one. It opens, grows and closes.
 *
 * Sums and times are exact however large it grows. Of hosts it keeps the first CAMPAIGN_HOSTS_MAX, of moments
 * the first and the last ones; all of its attempts stand in the journal. */
#ifndef WATCH_CAMPAIGN_H
#define WATCH_CAMPAIGN_H

#include "watch/ledger.h"

/* The numbers stand in the journal and in the store and never change. */
enum campaign_kind {
    CAMPAIGN_ROTATION = 1, /* the same message from unrelated hosts, one behind the other */
    CAMPAIGN_BOTNET = 2,   /* the same, side by side and from many hosts */
    CAMPAIGN_REPEAT_HOST = 3,
    CAMPAIGN_REPEAT_NETBLOCK = 4,
    CAMPAIGN_DICTIONARY = 5,
    CAMPAIGN_OPEN_PROXY = 6,
    CAMPAIGN_KIND_LIMIT
};

#define CAMPAIGN_HOSTS_MAX    256u
#define CAMPAIGN_MOMENTS_MAX  64u
#define CAMPAIGN_MOMENTS_HEAD 16u /* of them, the first ones; the others are the latest */
#define CAMPAIGN_TEXT_SIZE    128
#define CAMPAIGN_SENTENCE_MAX 800u

struct campaign_host {
    struct host_key key;
    int64_t first_ms;
    int64_t last_ms;
    uint32_t attempts;
    uint32_t refused;
    uint32_t unknown; /* recipients it tried that do not exist */
    uint32_t group;   /* hosts of one number belong together, from 1 */
    uint32_t pool, passes, as_number;
    uint16_t flags; /* as in struct trace */
    uint8_t family; /* enum address_family */
    char ptr[CAMPAIGN_TEXT_SIZE / 2];
    char owner[CAMPAIGN_TEXT_SIZE / 2];
};

/* One attempt on the time line. */
struct campaign_moment {
    uint64_t id; /* the session */
    int64_t start_ms;
    uint32_t duration_ms;
    uint32_t envelope;
    uint32_t host; /* index in hosts, or CAMPAIGN_HOSTS_MAX */
    uint8_t verdict;
    uint8_t flags;
};

struct campaign {
    uint64_t id; /* 0: none */
    enum campaign_kind kind;
    bool senders_vary, recipients_vary;
    bool crowd; /* DICTIONARY: seen by what is tried alone, whoever the sender */
    uint32_t attempts;
    uint32_t refused;
    uint32_t unknown;    /* recipients */
    uint32_t host_total; /* different hosts */
    uint32_t groups;     /* unrelated ones, among the hosts that are kept */
    uint32_t overlaps;   /* attempts that ran side by side with another host's */
    uint32_t untimed;    /* attempts of which the duration is not known */
    uint32_t octets_low; /* 0: no size is known */
    uint32_t octets_high;
    int64_t first_ms;
    int64_t last_ms;
    struct trace like;               /* the attempt that opened it: what others are compared with */
    struct prefix net;               /* REPEAT_NETBLOCK */
    char sender[CAMPAIGN_TEXT_SIZE]; /* of the attempt that opened it; empty: not known */
    char recipient[CAMPAIGN_TEXT_SIZE];
    struct campaign_host *hosts;
    uint32_t host_count, host_room;
    struct campaign_moment *moments;
    uint32_t moment_count, moment_room;
    uint32_t moment_next; /* where the next one goes behind the head, once all are used */
};

const char *campaign_kind_word(enum campaign_kind kind);
bool campaign_kind_parse(struct slice word, enum campaign_kind *ret_kind);

void campaign_begin(struct campaign *campaign, uint64_t id, enum campaign_kind kind, const struct trace *like,
                    const struct trace_texts *texts);
/* Takes one attempt in; `seen`: its host is in the campaign already, though it may not be kept. True where
 * the kind has changed with it. */
bool campaign_add(struct campaign *campaign, const struct trace *trace, const struct trace_texts *texts,
                  bool seen);
struct campaign_host *campaign_host(const struct campaign *campaign,
                                    struct host_key key); /* NULL: not kept */
/* Moment by number, in the order in which they came; index below moment_count. */
const struct campaign_moment *campaign_moment(const struct campaign *campaign, uint32_t index);
void campaign_done(struct campaign *campaign);           /* gives its memory back; as if it was never begun */
size_t campaign_octets(const struct campaign *campaign); /* of memory beside the struct */

/* "5 attempts in 42 s from 4 unrelated networks to deliver the same 1,762-octet message from … to …". Texts
 * of strangers in it are escaped. */
void campaign_sentence(const struct campaign *campaign, struct buf *out);
/* Why a host of such a campaign is to be shut out, in a few words: "Apparent open relay". */
const char *campaign_reason(enum campaign_kind kind);

/* The whole as octets, and back. */
#define CAMPAIGN_PACKED_MAX 65536u
/* At most CAMPAIGN_PACKED_MAX octets. False: the buf's maximum stops it; nothing was added then. */
bool campaign_pack(const struct campaign *campaign, struct buf *out);
/* False: these are not such octets; nothing is held then. */
bool campaign_unpack(struct slice packed, struct campaign *ret_campaign);

#endif
