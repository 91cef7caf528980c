/* What the postmaster's own tables say of the client, its HELO name, the sender and the recipient. Of two
 * entries one that allows beats one that refuses. */
#include "wire/access.h"
#include "checks/list.h"
#include "checks/place.h"

struct looks {
    const struct access_rule *allows, *refuses;
};

static void look(struct turn *turn, struct looks *looks, unsigned tag, struct slice key)
{
    const struct access_rule *rule = site_access(turn_facts(turn)->site, tag, key);
    if (!rule)
        return;
    const struct access_rule **at = rule->action == ACCESS_OK ? &looks->allows : &looks->refuses;
    if (!*at)
        *at = rule;
}

static void look_everywhere(struct turn *turn, struct looks *looks)
{
    const struct facts *facts = turn_facts(turn);
    char address[ACCESS_KEY_SIZE];
    size_t len = access_address_print(facts->peer, address);
    look(turn, looks, ACCESS_CONNECT, slice_of(address, len));
    look(turn, looks, ACCESS_CONNECT, place_lower(turn, facts->peer_name));
    look(turn, looks, ACCESS_HELO, place_lower(turn, facts->helo));
    look(turn, looks, ACCESS_FROM, place_lower(turn, facts->sender));
    look(turn, looks, ACCESS_TO, place_lower(turn, facts->recipient_address));
}

static void refuse(struct turn *turn, const struct access_rule *rule)
{
    enum finding finding = rule->action == ACCESS_DEFER     ? FIND_ACCESS_DEFER
                           : rule->action == ACCESS_DISCARD ? FIND_ACCESS_DISCARD
                                                            : FIND_ACCESS_REJECT;
    struct slice text = rule->text.len ? rule->text : SLICE("access denied");
    turn_find_saying(turn, finding, text, "the access table has %.*s", SLICE_ARGS(rule->key));
}

static enum check_result run(struct turn *turn)
{
    struct looks looks = {NULL, NULL};
    if (!turn_facts(turn)->site->access.used)
        return CHECK_DONE;
    if (!turn_ready(turn)) /* the client's name may be learnt yet */
        return CHECK_WAIT;
    look_everywhere(turn, &looks);
    if (looks.allows)
        turn_find(turn, FIND_ACCESS_OK, "the access table has %.*s", SLICE_ARGS(looks.allows->key));
    else if (looks.refuses)
        refuse(turn, looks.refuses);
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_ACCESS_REJECT, FIND_ACCESS_DEFER, FIND_ACCESS_OK, FIND_ACCESS_DISCARD,
                                0};

const struct check check_access = {
    .name = "access",
    .doc = "what the access tables say of client, HELO name, sender and recipient",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .finds = finds,
    .run = run,
};
