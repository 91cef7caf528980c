/* An entry of the block list: an address or a network, why it is to be shut out, what shows that, who says so
 * and until when.
 *
 * What stands between an entry's states (each ends by itself when until_ms has come, but for OVER):
 *
 *   SUGGESTED  a rule has found it; a person may approve it or decline it
 *   IN_FORCE   the gates turn it away
 *   DECLINED   a person has said no, or taken it back: no rule proposes it until then
 *   OVER       nothing of it is in force; its strikes are remembered
 *
 * A strike is each time that it came in force; the time that it stays there grows with them. */
#ifndef WATCH_BLOCK_H
#define WATCH_BLOCK_H

#include "base/address.h"
#include "base/buf.h"
#include "base/list.h"

/* The numbers stand in the store and never change. */
enum block_state { BLOCK_SUGGESTED = 1, BLOCK_IN_FORCE, BLOCK_DECLINED, BLOCK_OVER, BLOCK_STATE_LIMIT };
enum block_rule {
    BLOCK_BY_CAMPAIGN = 1, /* a host of a campaign, with enough against it alone */
    BLOCK_BY_NETWORK,      /* the network of a repeat-netblock */
    BLOCK_BY_TRAP,         /* a host that wrote to a spam trap */
    BLOCK_BY_PERSON,
    BLOCK_RULE_LIMIT
};

#define BLOCK_SESSIONS_MAX 8u
#define BLOCK_REASON_SIZE  101 /* with NUL */
#define BLOCK_NAME_SIZE    33
#define BLOCK_KEY_SIZE     18

struct block {
    struct prefix prefix; /* IPv6: /64 or shorter */
    enum block_state state;
    enum block_rule rule;                  /* that found it first */
    uint64_t campaign;                     /* 0: none */
    uint64_t sessions[BLOCK_SESSIONS_MAX]; /* that show it, the first ones */
    uint32_t session_count;
    uint32_t strikes;
    int64_t made_ms;  /* when it came into this state */
    int64_t until_ms; /* 0: for good */
    uint64_t hits;    /* since it came in force */
    int64_t hit_ms;   /* the last one; 0: none */
    char reason[BLOCK_REASON_SIZE];
    char by[BLOCK_NAME_SIZE]; /* login name of who decided last; empty: nobody, it was the rule */

    /* the list's own */
    struct link rank, fresh;
    uint32_t slot;
    char key[BLOCK_KEY_SIZE];
};

const char *block_state_word(enum block_state state); /* "suggested" */
bool block_state_parse(struct slice word, enum block_state *ret_state);
const char *block_rule_word(enum block_rule rule); /* "campaign" */

/* Printable ASCII without blanks at its ends, cut to the room: what cannot be printed becomes '?'. */
void block_text_set(char *text, size_t size, struct slice from);

/* One more session that shows it; the first BLOCK_SESSIONS_MAX are kept. True: it was not there yet. */
bool block_session_add(struct block *block, uint64_t session);

/* "13-character id" of what shows it, the campaign before the first session; empty: there is none. */
#define BLOCK_EVIDENCE_SIZE 14
void block_evidence(const struct block *block, char text[BLOCK_EVIDENCE_SIZE]);

#define BLOCK_STEPS_MAX 8u
/* How long it stays each time: "1d 7d 30d". False: these are no durations, of a second at least, or too many.
 */
bool block_steps_parse(struct slice text, int64_t ret_step_ms[BLOCK_STEPS_MAX], unsigned *ret_steps);

/* The whole as octets, and back. */
#define BLOCK_PACKED_MAX 512u
void block_pack(const struct block *block, struct buf *out); /* out has room for that many */
bool block_unpack(struct slice packed, struct block *ret_block);

#endif
