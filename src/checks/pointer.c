/* Has the client's address a name, does the name lead back to the address, and was it made out of it?
 * (RFC 1912 section 2.1; RFC 8499 calls it forward-confirmed.) */
#include "checks/list.h"

#include "checks/addresses.h"
#include "checks/generic_name.h"
#include "wire/domain.h"

#define NAMES_MAX 4 /* that an address points to: more are not looked at */

struct names {
    struct slice name[NAMES_MAX];
    const struct ask *answer[NAMES_MAX];
    size_t count;
};

static void names_read(struct slice value, struct names *ret_names)
{
    struct slice name;
    ret_names->count = 0;
    while (ret_names->count < NAMES_MAX && slice_word(&value, &name))
        if (domain_check(name, false, NULL) == DOMAIN_DONE)
            ret_names->name[ret_names->count++] = name;
}

/* All at once, so that they are on their way together. */
static bool names_ask(struct turn *turn, struct names *names)
{
    bool all = true;
    enum ask_kind kind = turn_facts(turn)->peer->family == ADDRESS_IPV4 ? ASK_ADDRESS4 : ASK_ADDRESS6;
    for (size_t i = 0; i < names->count; i++) {
        names->answer[i] = turn_ask(turn, kind, names->name[i]);
        all = all && names->answer[i];
    }
    return all;
}

static void look_at_name(struct turn *turn, struct slice name)
{
    struct slice word;
    if (!turn_counts(turn))
        return;
    switch (generic_name(name, turn_facts(turn)->peer, &word)) {
    case GENERIC_NO: return;
    case GENERIC_ADDRESS:
        turn_find_saying(turn, FIND_PTR_GENERIC, name, "%.*s was made out of the address", SLICE_ARGS(name));
        return;
    case GENERIC_PART:
        turn_find_saying(turn, FIND_PTR_GENERIC, name,
                         "%.*s has half of the address in it, beside the word \"%.*s\"", SLICE_ARGS(name),
                         SLICE_ARGS(word));
        return;
    case GENERIC_WORD:
        turn_find_saying(turn, FIND_PTR_GENERIC, name,
                         "%.*s is named as access lines are: \"%.*s\" and a number", SLICE_ARGS(name),
                         SLICE_ARGS(word));
        return;
    }
}

static enum check_result judge(struct turn *turn, struct slice address, const struct names *names)
{
    bool sure = true;
    for (size_t i = 0; i < names->count; i++) {
        const struct ask *answer = names->answer[i];
        if (answer->status == ANSWER_FOUND && addresses_hold(answer->value, turn_facts(turn)->peer)) {
            turn_learn(turn, LEARN_NAME, names->name[i]);
            look_at_name(turn, names->name[i]);
            return CHECK_DONE;
        }
        sure = sure && (answer->status == ANSWER_FOUND || answer->status == ANSWER_NONE);
    }
    if (!names->count || !sure) /* fails open: what cannot be looked up is not held against the client */
        return CHECK_DONE;
    turn_find_saying(turn, FIND_FORGED, address, "%.*s points to %.*s, which does not lead back to it",
                     SLICE_ARGS(address), SLICE_ARGS(names->name[0]));
    look_at_name(turn, names->name[0]);
    return CHECK_DONE;
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    char text[ADDRESS_TEXT_SIZE];
    struct slice address = slice_of(text, address_print(facts->peer, text));
    if (facts->peer_name.len) { /* a listed front has looked it up and told us */
        look_at_name(turn, facts->peer_name);
        return CHECK_DONE;
    }
    const struct ask *pointer = turn_ask(turn, ASK_POINTER, address);
    if (!pointer)
        return CHECK_WAIT;
    if (pointer->status == ANSWER_NONE)
        turn_find_saying(turn, FIND_NO_PTR, address, "the address %.*s has no name", SLICE_ARGS(address));
    if (pointer->status != ANSWER_FOUND) /* fails open, too */
        return CHECK_DONE;
    struct names names;
    names_read(pointer->value, &names);
    return names_ask(turn, &names) ? judge(turn, address, &names) : CHECK_WAIT;
}

const struct check check_pointer = {
    .name = "pointer",
    .doc = "whether the client's address has a name that leads back to it, and whether a person gave it",
    .starts = STAGE_CONNECT,
    .joins = STAGE_RCPT,
    .once = true,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS, /* the name is wanted whatever is found: `finds` would spare it */
    .wanted = site_asks_names,
    .run = run,
};
