/* Can the sender's domain be answered to, and is it perhaps ours? */
#include "checks/list.h"

#include "base/text.h"
#include "wire/domain.h"

static struct slice domain_of(struct turn *turn, struct slice sender)
{
    char text[DOMAIN_SIZE_MAX];
    size_t at = slice_find_last(sender, '@');
    if (at == SLICE_NOT_FOUND)
        return SLICE_NONE;
    struct slice domain = slice_head(slice_from(sender, at + 1), sizeof text);
    if (domain.len && domain.at[domain.len - 1] == '.')
        domain.len--;
    for (size_t i = 0; i < domain.len; i++)
        text[i] = text_lower(domain.at[i]);
    return turn_join(turn, slice_of(text, domain.len), SLICE_NONE);
}

static void find_unsure(struct turn *turn, struct slice domain, const struct ask *answer)
{
    struct slice why = answer->status == ANSWER_TIMEOUT ? SLICE("no answer in time") : answer->value;
    turn_find_saying(turn, FIND_SENDER_UNSURE, domain, "%.*s could not be looked up: %.*s",
                     SLICE_ARGS(domain), SLICE_ARGS(why));
}

/* Trouble with one domain is that domain's, and defers. Where our own name servers have nothing to say of any
 * other either, it is ours, and fails open: else no mail would come in while they are gone. */
static enum check_result judge_trouble(struct turn *turn, struct slice domain, const struct ask *answer)
{
    struct slice probe = turn_facts(turn)->site->set.dns_probe;
    if (answer->status == ANSWER_FAILED && probe.len) {
        const struct ask *other = turn_ask(turn, ASK_MX, probe);
        if (!other)
            return CHECK_WAIT;
        if (other->status == ANSWER_FAILED || other->status == ANSWER_TIMEOUT)
            return CHECK_DONE;
    }
    find_unsure(turn, domain, answer);
    return CHECK_DONE;
}

static bool is_null_mx(const struct ask *answer)
{
    return answer->kind == ASK_MX && answer->status == ANSWER_FOUND &&
           slice_equal(answer->value, SLICE("0 ."));
}

/* A domain without MX is reached by its address (RFC 5321 section 5.1). */
static enum check_result look_up(struct turn *turn, struct slice domain)
{
    static const enum ask_kind kinds[] = {ASK_MX, ASK_ADDRESS4, ASK_ADDRESS6};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct ask *answer = turn_ask(turn, kinds[i], domain);
        if (!answer)
            return CHECK_WAIT;
        if (answer->status == ANSWER_FAILED || answer->status == ANSWER_TIMEOUT)
            return judge_trouble(turn, domain, answer);
        if (is_null_mx(answer))
            turn_find_saying(turn, FIND_SENDER_NULL_MX, domain,
                             "%.*s takes no mail: its MX is \".\" (RFC 7505)", SLICE_ARGS(domain));
        if (answer->status == ANSWER_FOUND)
            return CHECK_DONE;
    }
    turn_find_saying(turn, FIND_SENDER_NO_DOMAIN, domain, "%.*s has neither MX nor address",
                     SLICE_ARGS(domain));
    return CHECK_DONE;
}

static bool spf_vouches(const struct facts *facts, struct slice domain)
{
    return slice_equal_fold(facts->auth_domain, domain);
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct domain_facts form;
    struct slice domain = domain_of(turn, facts->sender);
    /* A literal is an address already; U-labels cannot be asked for without IDNA, and pass. */
    if (domain_check(domain, true, &form) != DOMAIN_DONE || form.utf8)
        return CHECK_DONE;
    if (!site_route(facts->site, domain, false))
        return site_asks_names(facts->site) ? look_up(turn, domain) : CHECK_DONE;
    if (!turn_ready(turn)) /* SPF comes before and may vouch */
        return CHECK_WAIT;
    if (!spf_vouches(facts, domain))
        turn_find_saying(turn, FIND_SENDER_FORGES_US, domain, "%.*s is ours, and the client is not",
                         SLICE_ARGS(domain));
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_SENDER_NO_DOMAIN, FIND_SENDER_UNSURE, FIND_SENDER_NULL_MX,
                                FIND_SENDER_FORGES_US, 0};

const struct check check_sender = {
    .name = "sender",
    .doc = "whether the sender's domain takes mail, and is not ours",
    .starts = STAGE_MAIL,
    .joins = STAGE_RCPT,
    .once = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = finds,
    .run = run,
};
