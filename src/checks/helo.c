/* What the client calls itself in HELO or EHLO: is it a name (RFC 5321 section 4.1.1.1), is it ours, does it
 * lead to the client? */
#include "checks/list.h"

#include "base/text.h"
#include "checks/addresses.h"
#include "wire/domain.h"

static struct slice without_dot(struct slice name)
{
    return name.len && name.at[name.len - 1] == '.' ? slice_head(name, name.len - 1) : name;
}

/* This very machine may use its own name and address. */
static bool client_is_us(const struct facts *facts)
{
    return address_is_loopback(facts->peer) || address_equal_host(facts->peer, facts->local);
}

static bool is_our_name(const struct facts *facts)
{
    return slice_equal_fold(without_dot(facts->helo), facts->site->set.host_name) && !client_is_us(facts);
}

static struct slice lowered(struct turn *turn, struct slice name)
{
    char text[DOMAIN_SIZE_MAX];
    name = slice_head(without_dot(name), sizeof text);
    for (size_t i = 0; i < name.len; i++)
        text[i] = text_lower(name.at[i]);
    return turn_format(turn, "%.*s", SLICE_ARGS(slice_of(text, name.len)));
}

/* The name is in lower case. */
static bool is_our_domain(const struct facts *facts, struct slice name)
{
    return table_get(&facts->site->routes_by_domain, name) && !client_is_us(facts);
}

static void find_claim(struct turn *turn, const char *whose)
{
    struct slice helo = turn_facts(turn)->helo;
    turn_find_saying(turn, FIND_HELO_CLAIMS_US, helo, "\"%.*s\" is %s, not the client", SLICE_ARGS(helo),
                     whose);
}

/* --- the form ------------------------------------------------------------------------------------------ */

static void judge_address(struct turn *turn, enum helo_kind kind, const struct address *claimed)
{
    const struct facts *facts = turn_facts(turn);
    char text[ADDRESS_TEXT_SIZE];
    struct slice peer = slice_of(text, address_print(facts->peer, text));
    if (address_equal_host(claimed, facts->local) && !client_is_us(facts))
        find_claim(turn, "this host");
    else if (kind == HELO_BARE_IP)
        turn_find(turn, FIND_HELO_BARE_IP, "\"%.*s\" is an address without brackets, no name",
                  SLICE_ARGS(facts->helo));
    else if (!address_equal_host(claimed, facts->peer))
        turn_find(turn, FIND_HELO_LITERAL_MISMATCH, "\"%.*s\" is not the client's address, which is %.*s",
                  SLICE_ARGS(facts->helo), SLICE_ARGS(peer));
}

/* A domain of ours may be the name of a client that it leads to; where name servers can be asked, that
 * decides, and is decided for the same clients. */
static bool claims_our_domain(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    return !site_asks_names(facts->site) && !facts->known && !facts->trusted &&
           is_our_domain(facts, lowered(turn, facts->helo));
}

static enum check_result run_form(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct address claimed;
    enum helo_kind kind = helo_classify(facts->helo, &claimed);
    switch (kind) {
    case HELO_LITERAL:
    case HELO_BARE_IP: judge_address(turn, kind, &claimed); break;
    case HELO_DOMAIN:
        if (is_our_name(facts))
            find_claim(turn, "this host");
        else if (claims_our_domain(turn))
            find_claim(turn, "a mail domain of ours");
        break;
    case HELO_NO_DOT:
        if (is_our_name(facts))
            find_claim(turn, "this host");
        else
            turn_find(turn, FIND_HELO_NOT_FQDN, "\"%.*s\" has no dot", SLICE_ARGS(facts->helo));
        break;
    case HELO_BAD:
    case HELO_EMPTY:
    case HELO_KIND_COUNT:
        turn_find(turn, FIND_HELO_SYNTAX, "\"%.*s\" is no domain name", SLICE_ARGS(facts->helo));
        break;
    }
    return CHECK_DONE;
}

static const uint8_t form_finds[] = {FIND_HELO_SYNTAX,   FIND_HELO_BARE_IP,   FIND_HELO_LITERAL_MISMATCH,
                                     FIND_HELO_NOT_FQDN, FIND_HELO_CLAIMS_US, 0};

const struct check check_helo = {
    .name = "helo",
    .doc = "whether the client's HELO name is one, and not ours",
    .starts = STAGE_HELO,
    .joins = STAGE_HELO,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = form_finds,
    .run = run_form,
};

/* --- the look-up --------------------------------------------------------------------------------------- */

static void judge_elsewhere(struct turn *turn, struct slice name, struct slice where)
{
    if (is_our_domain(turn_facts(turn), name))
        find_claim(turn, "a mail domain of ours");
    else
        turn_find(turn, FIND_HELO_MISMATCH, "\"%.*s\" leads to %.*s", SLICE_ARGS(turn_facts(turn)->helo),
                  SLICE_ARGS(slice_head(where, 200)));
}

static void judge_nowhere(struct turn *turn, struct slice name)
{
    const struct facts *facts = turn_facts(turn);
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct slice peer = slice_of(text, address_port_print(facts->peer, text));
    if (is_our_domain(facts, name))
        find_claim(turn, "a mail domain of ours");
    else
        turn_find(turn, FIND_HELO_UNVERIFIED, "\"%.*s\" has no address; the client's real one is %.*s",
                  SLICE_ARGS(facts->helo), SLICE_ARGS(peer));
}

static bool wants_look_up(const struct facts *facts)
{
    enum helo_kind kind = helo_classify(facts->helo, NULL);
    return (kind == HELO_DOMAIN || kind == HELO_NO_DOT) && !is_our_name(facts);
}

/* The client's own family first: only of a name that has no such address the other one is asked. */
static enum check_result run_look_up(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    bool v4 = facts->peer->family == ADDRESS_IPV4;
    if (!wants_look_up(facts))
        return CHECK_DONE;
    struct slice name = lowered(turn, facts->helo);
    uint64_t wait_ms = facts->site->set.helo_wait;
    const struct ask *near = turn_ask_within(turn, v4 ? ASK_ADDRESS4 : ASK_ADDRESS6, name, wait_ms);
    if (!near)
        return CHECK_WAIT;
    if (near->status == ANSWER_FOUND && !addresses_hold(near->value, facts->peer))
        judge_elsewhere(turn, name, near->value);
    if (near->status != ANSWER_NONE) /* fails open */
        return CHECK_DONE;
    const struct ask *far = turn_ask_within(turn, v4 ? ASK_ADDRESS6 : ASK_ADDRESS4, name, wait_ms);
    if (!far)
        return CHECK_WAIT;
    if (far->status == ANSWER_FOUND)
        judge_elsewhere(turn, name, far->value);
    else if (far->status == ANSWER_NONE) /* else it fails open, too */
        judge_nowhere(turn, name);
    return CHECK_DONE;
}

static const uint8_t look_up_finds[] = {FIND_HELO_UNVERIFIED, FIND_HELO_MISMATCH, FIND_HELO_CLAIMS_US, 0};

/* It joins where it starts: the reply to HELO says what came of it. */
const struct check check_helo_name = {
    .name = "helo-name",
    .doc = "whether the client's HELO name leads to the client",
    .starts = STAGE_HELO,
    .joins = STAGE_HELO,
    .about_address = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = look_up_finds,
    .wanted = site_asks_names,
    .run = run_look_up,
};
