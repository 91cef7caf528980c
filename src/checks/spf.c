/* What the domains of sender and HELO say of the client (RFC 7208).
 *
 * The sender's domain decides; a null sender's is that of HELO (section 2.4). The HELO name is asked, too
 * (section 2.3): where it forbids the client and the sender's domain does not let it, that counts as much as
 * if the sender's had, and as much only once. */
#include "checks/spf.h"

#include "checks/list.h"

#include "base/buf.h"
#include "wire/domain.h"
#include "wire/spf_field.h"

static const uint8_t finds[] = {FIND_SPF_FAIL,      FIND_SPF_SOFTFAIL,  FIND_SPF_NONE, FIND_SPF_NEUTRAL,
                                FIND_SPF_TEMPERROR, FIND_SPF_PERMERROR, FIND_SPF_PASS, 0};

/* Who claims: a domain and what is known of it. */
struct identity {
    struct spf_query query;
    struct spf_verdict verdict;
    bool helo;
};

static void identity_set(struct identity *identity, const struct facts *facts, bool helo)
{
    size_t at = helo ? SLICE_NOT_FOUND : slice_find_last(facts->sender, '@');
    identity->helo = at == SLICE_NOT_FOUND;
    identity->query = (struct spf_query){
        .local = identity->helo ? SLICE_NONE : slice_head(facts->sender, at),
        .domain = identity->helo ? facts->helo : slice_from(facts->sender, at + 1),
        .helo = facts->helo,
        .receiver = facts->site->set.host_name,
        .address = facts->peer,
        .unix_seconds = facts->unix_ms > 0 ? (uint64_t)facts->unix_ms / 1000 : 0,
    };
}

/* --- what is found ------------------------------------------------------------------------------------- */

static enum finding finding_of(enum spf_result result)
{
    switch (result) {
    case SPF_NONE: return FIND_SPF_NONE;
    case SPF_NEUTRAL: return FIND_SPF_NEUTRAL;
    case SPF_PASS: return FIND_SPF_PASS;
    case SPF_FAIL: return FIND_SPF_FAIL;
    case SPF_SOFTFAIL: return FIND_SPF_SOFTFAIL;
    case SPF_TEMPERROR: return FIND_SPF_TEMPERROR; /* fails open: its weight is 0 */
    case SPF_PERMERROR: return FIND_SPF_PERMERROR; /* likewise */
    case SPF_RESULT_COUNT: break;
    }
    return FIND_SPF_NONE;
}

/* A sentence that is put together without formats: every stranger's mail comes by here. */
struct sentence {
    char at[480];
    size_t len;
};

static void sentence_add(struct sentence *sentence, struct slice s)
{
    s = slice_head(s, sizeof sentence->at - sentence->len);
    if (s.len)
        memcpy(sentence->at + sentence->len, s.at, s.len);
    sentence->len += s.len;
}

/* "example.com forbids 192.0.2.1 (-all)" */
static void sentence_make(struct sentence *sentence, const struct identity *identity)
{
    static const char *const verbs[SPF_RESULT_COUNT] = {
        [SPF_NONE] = " has no SPF record for ",
        [SPF_NEUTRAL] = " does not say what it thinks of ",
        [SPF_PASS] = " permits ",
        [SPF_FAIL] = " forbids ",
        [SPF_SOFTFAIL] = " probably forbids ",
        [SPF_TEMPERROR] = " cannot be asked about ",
        [SPF_PERMERROR] = " has an SPF record in error for ",
    };
    const struct spf_verdict *verdict = &identity->verdict;
    char address[ADDRESS_TEXT_SIZE];
    size_t address_len = address_print(identity->query.address, address);
    struct slice why = verdict->problem.len ? verdict->problem : verdict->mechanism;
    sentence_add(sentence, identity->helo ? SLICE("the HELO name ") : SLICE_NONE);
    sentence_add(sentence, slice_head(identity->query.domain, DOMAIN_SIZE_MAX));
    sentence_add(sentence, slice_text(verbs[verdict->result]));
    sentence_add(sentence, slice_of(address, address_len));
    if (!why.len)
        return;
    sentence_add(sentence, SLICE(" ("));
    sentence_add(sentence, slice_head(why, 120));
    sentence_add(sentence, SLICE(")"));
}

static void find(struct turn *turn, const struct identity *identity)
{
    const struct spf_verdict *verdict = &identity->verdict;
    struct sentence sentence;
    if (!turn_counts(turn))
        return;
    sentence.len = 0;
    sentence_make(&sentence, identity);
    if (verdict->explanation_len) { /* others' words, and marked as such (section 6.2) */
        sentence_add(&sentence, SLICE("; it explains: "));
        sentence_add(&sentence, slice_of(verdict->explanation, verdict->explanation_len));
    }
    struct slice words = slice_of(sentence.at, sentence.len);
    turn_find_saying(turn, finding_of(verdict->result), words, "%.*s", SLICE_ARGS(words));
}

static void field_learn(struct turn *turn, const struct identity *identity)
{
    const struct facts *facts = turn_facts(turn);
    struct buf buf;
    buf_init(&buf, SPF_FIELD_MAX);
    (void)buf_room(&buf, SPF_FIELD_USUAL);
    if (spf_field_add(&buf, &(struct spf_field){
                                .result = identity->verdict.result,
                                .helo_identity = identity->helo,
                                .address = facts->peer,
                                .sender = facts->sender,
                                .helo = facts->helo,
                                .receiver = identity->query.receiver,
                                .mechanism = identity->verdict.mechanism,
                                .problem = identity->verdict.problem,
                            }))
        turn_learn(turn, LEARN_SPF_FIELD, buf_slice(&buf));
    buf_drop(&buf);
}

/* --- the check ----------------------------------------------------------------------------------------- */

static void conclude(struct turn *turn, const struct identity *sender, const struct identity *helo)
{
    enum spf_result result = sender->verdict.result;
    find(turn, sender);
    if (helo->verdict.result == SPF_FAIL && result != SPF_PASS && result != SPF_FAIL)
        find(turn, helo);
    if (result == SPF_PASS)
        turn_learn(turn, LEARN_AUTH_DOMAIN, sender->query.domain);
    else if (helo->verdict.result == SPF_PASS)
        turn_learn(turn, LEARN_AUTH_DOMAIN, helo->query.domain);
    if (turn_facts(turn)->site->set.spf_field && turn_counts(turn) && !turn_facts(turn)->forwarder)
        field_learn(turn, sender); /* behind a forwarder the message is complete already */
}

/* A forwarder may put a sender of its own in the place of the one it got: of that domain's record nothing
 * follows for the client behind. CHECK_WAIT, or whether it is so. */
static enum check_result is_forwarders(struct turn *turn, const struct identity *sender, bool *ret_is)
{
    const struct facts *facts = turn_facts(turn);
    struct identity own = {.query = sender->query};
    *ret_is = false;
    if (!facts->forwarder || sender->helo || sender->verdict.result == SPF_PASS ||
        sender->verdict.result == SPF_NONE)
        return CHECK_DONE;
    own.query.address = facts->forwarder;
    if (spf_evaluate(turn, &own.query, &own.verdict) == CHECK_WAIT)
        return CHECK_WAIT;
    *ret_is = own.verdict.result == SPF_PASS;
    return CHECK_DONE;
}

static void find_forwarders(struct turn *turn, struct slice domain)
{
    turn_find(turn, FIND_SPF_NEUTRAL, "%.*s permits the forwarder: the sender is the forwarder's own",
              SLICE_ARGS(domain));
}

/* Both are asked before either is awaited. */
static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct identity sender, helo = {.verdict.result = SPF_NONE};
    enum check_result helo_here = CHECK_DONE;
    identity_set(&sender, facts, false);
    enum check_result sender_here = spf_evaluate(turn, &sender.query, &sender.verdict);
    if (!sender.helo && facts->site->set.spf_helo && helo_classify(facts->helo, NULL) == HELO_DOMAIN) {
        identity_set(&helo, facts, true);
        helo_here = spf_evaluate(turn, &helo.query, &helo.verdict);
    }
    bool forwarders;
    if (sender_here == CHECK_WAIT || helo_here == CHECK_WAIT ||
        is_forwarders(turn, &sender, &forwarders) == CHECK_WAIT)
        return CHECK_WAIT;
    if (forwarders)
        find_forwarders(turn, sender.query.domain);
    else
        conclude(turn, &sender, &helo);
    return CHECK_DONE;
}

const struct check check_spf = {
    .name = "spf",
    .doc = "whether the domains of sender and HELO let the client send for them",
    .starts = STAGE_MAIL,
    .joins = STAGE_RCPT,
    .once = true,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .wanted = site_asks_names,
    .run = run,
};
