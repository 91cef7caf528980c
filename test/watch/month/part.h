/* What the parts of the month share. */
#ifndef TEST_WATCH_MONTH_PART_H
#define TEST_WATCH_MONTH_PART_H

#include "base/random.h"
#include "base/table.h"
#include "core/finding.h"
#include "month.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define MONTH_MS  (30 * DAY_MS)
#define BEGIN_MS  INT64_C(1893456000000) /* 2030-01-01 */

enum {
    AS_COUNT = 3000,
    BLOCKS_MAX = 4,
    DOMAINS = 40,      /* ours */
    MAILBOXES = 30000, /* over all of them */
    BLOCKS = 15 * 256, /* /16 from 240.0.0.0 to 254.255.0.0 */
    RECORD_FINDINGS = 4
};

enum as_kind { AS_ACCESS, AS_HOSTING, AS_CLOUD, AS_SCHOOL };

/* 240.0.0.0/4, a bit each. */
#define USED_OCTETS ((size_t)1 << 25)

/* An autonomous system with a few /16. */
struct as {
    uint32_t number;
    enum as_kind kind;
    char country[3];
    uint16_t blocks[BLOCKS_MAX];
    uint8_t block_count;
    struct slice owner;
};

enum ptr_kind {
    PTR_NONE,
    PTR_GENERIC, /* confirmed, the address in it */
    PTR_FORGED,  /* does not lead back */
    PTR_OWN      /* confirmed, given by a person */
};

struct host {
    struct address address;
    uint32_t as; /* index */
    enum ptr_kind ptr_kind;
    enum month_role role;
    struct slice ptr;
    struct slice domain; /* registered, of a PTR_OWN */
    uint8_t fingerprint;
    uint8_t key[16];
};

/* Where the attempt came to its end: what it has shown by then. */
enum stage { STAGE_CONNECT, STAGE_RCPT, STAGE_HEADER, STAGE_END };

struct record {
    int64_t arrival_ms;
    int64_t unix_ms;
    struct slice sender;
    struct slice helo;
    struct slice spf_pass;
    const struct slice *recipients;
    uint64_t body;
    uint32_t host;
    uint32_t campaign;
    uint32_t duration_ms;
    uint32_t octets;
    uint32_t size; /* SIZE=, 0: not declared */
    uint16_t recipient_count;
    uint16_t tried;
    uint16_t unknown;
    uint16_t code;
    uint8_t stage;   /* enum stage */
    uint8_t verdict; /* enum attempt_verdict */
    uint8_t findings[RECORD_FINDINGS];
    bool message_id_lacks;
    bool went_on; /* it did not give up */
    bool lacks_ptr, lacks_spf, lacks_fingerprint, lacks_origin;
};

struct month {
    struct month_settings settings;
    struct random random;
    struct arena texts;
    struct as as[AS_COUNT];
    struct host *hosts;
    size_t host_count, host_room;
    struct record *records;
    size_t record_count, record_room;
    struct month_truth *truths;
    size_t truth_count, truth_room;
    size_t at;
    uint8_t *used;          /* a bit for each IPv4 address that a host has */
    struct table addresses; /* 16 octets to struct host, made when all are there */
    struct prefix trusted[2];
    size_t trusted_count;
};

/* --- chance --------------------------------------------------------------------------------------------- */

uint32_t draw(struct month *month, uint64_t limit);                   /* 0 .. limit-1 */
uint32_t draw_from(struct month *month, uint32_t low, uint32_t high); /* low .. high */
bool chance(struct month *month, uint32_t percent);
bool chance_of(struct month *month, uint32_t thousandth);
int64_t draw_time(struct month *month); /* by day more than by night */
uint32_t draw_octets(struct month *month);
/* `octets` give or take up to that many thousandth. */
uint32_t vary(struct month *month, uint32_t octets, uint32_t thousandth);

/* --- words ---------------------------------------------------------------------------------------------- */

struct slice text_of(struct month *month, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct slice letters(struct month *month, uint32_t low, uint32_t high); /* so many at random */
struct slice person(struct month *month, uint32_t number);  /* a local part, the same for the same number */
struct slice mailbox(struct month *month, uint32_t number); /* one that exists here */
struct slice mailbox_any(struct month *month); /* one that exists here; some get more than others */
struct slice nobody(struct month *month);      /* at one of our domains, does not exist */
const struct slice *recipients_of(struct month *month, const struct slice *from, size_t count);
const struct slice *recipient_of(struct month *month, struct slice recipient);

/* --- machines ------------------------------------------------------------------------------------------- */

void world_make(struct month *month);
uint32_t as_of_kind(struct month *month, enum as_kind kind);
struct address address_in(struct month *month, uint32_t as);
struct address address_in_net(struct month *month, uint32_t as,
                              uint16_t third); /* of that /24 of its first block */
/* A host at the address. Its name for PTR_OWN is NAME.DOMAIN. */
uint32_t host_at(struct month *month, uint32_t as, struct address address, enum ptr_kind kind,
                 enum month_role role, struct slice name, struct slice domain);
uint32_t host_in(struct month *month, uint32_t as, enum ptr_kind kind, enum month_role role,
                 struct slice name, struct slice domain);
uint32_t host_bot(struct month *month, uint32_t as, enum month_role role); /* somebody's machine at home */
uint32_t host_stray(struct month *month);
struct slice host_helo(struct month *month, uint32_t host); /* as an honest mail server says it */
void host_netblock(const struct host *host, struct prefix *ret_prefix);

/* --- records -------------------------------------------------------------------------------------------- */

/* A new record with what comes by chance for any attempt. The pointer lives until the next one. */
struct record *record_new(struct month *month, uint32_t host, int64_t unix_ms);
void record_find(struct record *record, enum finding finding);
void record_accept(struct record *record);
void record_defer(struct month *month, struct record *record, enum finding finding);
void record_refuse(struct record *record, enum stage stage, enum finding finding, uint16_t code);
void record_unknown(struct record *record, uint16_t count); /* refused: recipients that do not exist */
/* The same once more, later, from this host. */
struct record *record_again(struct month *month, const struct record *before, uint32_t host, int64_t unix_ms);

void background_make(struct month *month);
void senders_make(struct month *month, uint32_t attempts); /* persons, hosts that are set up badly */
void pools_make(struct month *month, uint32_t attempts);
void newsletters_make(struct month *month, uint32_t attempts);
void lists_make(struct month *month, uint32_t attempts);
void forwards_make(struct month *month, uint32_t attempts);
void backups_make(struct month *month, uint32_t attempts);
void monitors_make(struct month *month, uint32_t attempts);
void bounces_make(struct month *month, uint32_t attempts);
void scanners_make(struct month *month, uint32_t attempts);
void strays_make(struct month *month, uint32_t attempts);
void campaigns_make(struct month *month);

#endif
