/* Who need not fear what was found: whom somebody allows, and postmaster. An allow beats a block, always. */
#include "core/policy_part.h"
#include "wire/access.h"

/* --- our own block list -----------------------------------------------------------------------------------
 */

static bool is_found(const struct turn *turn, enum finding finding)
{
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));)
        if (found->finding == finding)
            return true;
    return false;
}

static bool table_allows(const struct site *site, const struct address *address)
{
    char key[ACCESS_KEY_SIZE];
    const struct access_rule *rule = site_access(site, ACCESS_CONNECT,
                                                 slice_of(key, access_address_print(address, key)));
    return rule && rule->action == ACCESS_OK;
}

/* Whether an override allows those who go on to say who they are, and the client may be one of them. */
static bool override_may_allow(const struct override *override, const struct address *peer)
{
    return override->allow && (!override->networks.count || networks_contain(&override->networks, peer));
}

/* Something that the client has not said yet, or that is not known yet, may speak for it. */
static bool may_be_allowed(struct turn *turn)
{
    const struct site *site = turn->facts.site;
    for (size_t i = 0; i < site->override_count; i++)
        if (override_may_allow(&site->overrides[i], turn->facts.peer))
            return true;
    return site->access_allows;
}

/* The access table may speak for the address, and later for a name, the sender or the recipient. */
static bool is_unblocked(struct turn *turn, enum stage stage)
{
    const struct site *site = turn->facts.site;
    if (!turn->facts.own_list || !is_found(turn, FIND_BLOCKED))
        return false;
    if (stage < STAGE_RCPT && may_be_allowed(turn))
        return true;
    if (!site->access.used || stance_rule(site, policy_stance(turn), FIND_ACCESS_OK).mode != MODE_ENFORCE)
        return false;
    return is_found(turn, FIND_ACCESS_OK) || table_allows(site, turn->facts.peer) ||
           (turn->forwarded && table_allows(site, turn->forwarded->peer));
}

static bool is_allowed(struct turn *turn)
{
    return policy_stance(turn)->allow || turn->facts.allowance.len ||
           (turn->forwarded && turn->forwarded->allowance.len);
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

struct mercy mercy_make(struct turn *turn, enum stage stage)
{
    const struct mail *mail = turn->step->session->mail;
    return (struct mercy){
        .allowed = is_allowed(turn),
        .postmaster = turn->facts.postmaster ||
                      (policy_is_content(stage) && mail && (mail->spared || (!mail->others && !mail->shed))),
        .unblocked = is_unblocked(turn, stage),
    };
}

struct slice mercy_words(struct turn *turn, struct mercy mercy)
{
    const struct slice allowance = turn->facts.allowance.len ? turn->facts.allowance
                                   : turn->forwarded         ? turn->forwarded->allowance
                                                             : SLICE_NONE;
    if (policy_stance(turn)->allow)
        return SLICE("an override allows it");
    if (allowance.len)
        return turn_format(turn, "%.*s is allowed for a time", SLICE_ARGS(allowance));
    return mercy.postmaster ? SLICE("postmaster can always be reached")
                            : SLICE("the access table speaks for it");
}

static const struct found *access_found(const struct turn *turn)
{
    for (size_t i = 0; i < turn->found_count; i++)
        if (turn->found[i].finding == FIND_ACCESS_OK)
            return &turn->found[i];
    return NULL;
}

void mercy_keep(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    const struct found *found = access_found(turn);
    if (!mail)
        return;
    mail->unvouched = mail->unvouched || !found;
    if (mail->unvouched)
        mail->vouched = NULL;
    else if (!mail->vouched)
        policy_list_add(&mail->vouched, &mail->arena, found);
}
