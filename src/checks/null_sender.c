/* A report (RFC 3461, RFC 3464) goes to the one sender whom it concerns. */
#include "checks/list.h"

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (!facts->sender.len && facts->transaction && facts->transaction->recipient_count)
        turn_find(turn, FIND_NULL_MANY_RCPT, "a recipient beyond the first for the null sender");
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_NULL_MANY_RCPT, 0};

const struct check check_null_sender = {
    .name = "null-sender",
    .doc = "whether the null sender names more than one recipient",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .run = run,
};
