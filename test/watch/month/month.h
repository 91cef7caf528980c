/* A synthetic month of attempts with known truth: what a mail host of some ten thousand mailboxes sees, and
 * in it campaigns of every kind. It was written from the description of the kinds and of their innocent
 * twins, before the detection of patterns, and stands still: doc/notes/patterns.md has its digest.
 *
 * The background: persons' mail from small hosts, pools that retry from another address, newsletters, mailing
 * lists with cross-posts, forwarders, a backup MX, monitoring from far-off places, bounces of forged mail,
 * hosts that are set up badly and whose queue tries again, scanners of other protocols, and a great many
 * machines that try once. The campaigns: relay-rotation, botnet, repeat-host, repeat-netblock, dictionary (by
 * one host and shared out) and open-proxy; their senders, sizes, bodies and HELO names change or stay, as the
 * seed has it.
 *
 * Attempts come in an order that is at most two minutes off the order of their ends. Addresses are of
 * 240.0.0.0/4 and 3fff::/20, names end in .example: nobody has them. The same settings give the same month
 * everywhere. */
#ifndef TEST_WATCH_MONTH_H
#define TEST_WATCH_MONTH_H

#include "watch/attempt.h"

enum month_kind {
    MONTH_ROTATION = 1,
    MONTH_BOTNET,
    MONTH_REPEAT_HOST,
    MONTH_REPEAT_NETBLOCK,
    MONTH_DICTIONARY,
    MONTH_OPEN_PROXY,
    MONTH_KINDS
};

/* What the machine at an address is in truth. */
enum month_role {
    MONTH_NOBODY,   /* no attempt came from there */
    MONTH_INNOCENT, /* it sends wanted mail, or does its duty: never to be shut out */
    MONTH_STRAY,    /* it tried to send spam, and belongs to no campaign */
    MONTH_GUILTY    /* it took part in a campaign */
};

struct month_settings {
    uint64_t seed;
    uint32_t background; /* attempts, nearly */
    uint32_t campaigns;
    bool without_origin; /* as if there was no source of AS numbers */
};

struct month_truth {
    enum month_kind kind;
    uint32_t attempts;
    uint32_t hosts;
    int64_t first_ms;
    int64_t last_ms;
};

struct month;

struct month *month_new(const struct month_settings *settings);
size_t month_attempts(const struct month *month);
size_t month_hosts(const struct month *month);
/* The next one, and the campaign that it belongs to, from 1, or 0. Texts live as long as the month; the
 * recipients, too. False: that was the last one. */
bool month_next(struct month *month, struct attempt *ret_attempt, uint32_t *ret_campaign);
size_t month_campaigns(const struct month *month);
const struct month_truth *month_truth(const struct month *month, uint32_t campaign); /* from 1 */
const char *month_kind_word(enum month_kind kind);
enum month_role month_role(const struct month *month, const struct address *address);
/* The networks that an administrator lists as ours: the backup MX. NULL: there are no more. */
const struct prefix *month_trusted(const struct month *month, size_t index);
void month_free(struct month *month);

#endif
