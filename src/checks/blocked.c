/* Whether our own block list has the client, or somebody has allowed it all the same. Both are asked for only
 * where there is any entry at all. */
#include "checks/list.h"
#include "core/own_list.h"

/* The keeper counts what an entry does by what stands before the colon and blank. */
static void find(struct turn *turn, const struct own_entry *entry, struct slice prefix, struct slice address)
{
    const struct slice reason = entry->value.reason, id = entry->value.id;
    const struct slice words = turn_format(turn, "[%.*s] is blocked here: %.*s", SLICE_ARGS(address),
                                           SLICE_ARGS(reason));
    turn_find_saying(turn, FIND_BLOCKED, words, "%.*s: %.*s%s%.*s", SLICE_ARGS(prefix), SLICE_ARGS(reason),
                     id.len ? ", evidence " : "", SLICE_ARGS(id));
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    char text[ADDRESS_TEXT_SIZE], prefix_text[ADDRESS_PORT_TEXT_SIZE];
    struct own_entry entry;
    if (!facts->own_list)
        return CHECK_DONE;
    const struct slice address = slice_of(text, address_print(facts->peer, text));
    const struct ask *answer = turn_ask(turn, ASK_OWN, address);
    if (!answer)
        return CHECK_WAIT;
    if (answer->status != ANSWER_FOUND || !own_entry_parse(answer->value, &entry) ||
        !prefix_contains(&entry.prefix, facts->peer)) /* fails open */
        return CHECK_DONE;
    const struct slice prefix = slice_of(prefix_text, prefix_print(&entry.prefix, prefix_text));
    if (entry.list == OWN_ALLOW)
        turn_learn(turn, LEARN_ALLOWANCE, prefix);
    else
        find(turn, &entry, prefix, address);
    return CHECK_DONE;
}

/* It is run whatever becomes of the finding: an allowance counts all the same. */
const struct check check_blocked = {
    .name = "blocked",
    .doc = "whether our own block list has the client's address, or an allowance",
    .starts = STAGE_CONNECT,
    .joins = STAGE_CONNECT,
    .once = true,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS,
    .run = run,
};
