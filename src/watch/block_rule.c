#include "watch/block_rule.h"

#include "core/finding.h"

/* A quarter of a /24. With a handful of bad hosts in it a network still has others' in it, of whom nothing
 * was heard yet: of the networks of such campaigns in the synthetic month one in thirteen had. */
enum { NETWORK_HOSTS = 64 };

static struct prefix prefix_of(struct host_key key, enum address_family family)
{
    const struct address address = host_key_address(key, family);
    const uint8_t bits = family == ADDRESS_IPV4 ? 32 : 64;
    return (struct prefix){address_network(&address, bits), bits};
}

static void session_add(struct block_proposal *proposal, uint64_t session)
{
    for (uint32_t i = 0; i < proposal->session_count; i++)
        if (proposal->sessions[i] == session)
            return;
    if (session && proposal->session_count < BLOCK_SESSIONS_MAX)
        proposal->sessions[proposal->session_count++] = session;
}

/* Of one of its hosts, or of all. */
static void sessions_add(struct block_proposal *proposal, const struct campaign *campaign,
                         const struct campaign_host *host)
{
    for (uint32_t i = 0; i < campaign->moment_count; i++) {
        const struct campaign_moment *moment = campaign_moment(campaign, i);
        if (!host || (moment->host < campaign->host_count && &campaign->hosts[moment->host] == host))
            session_add(proposal, moment->id);
    }
}

bool block_rule_host(const struct watch *watch, const struct campaign *campaign,
                     const struct campaign_host *host, struct block_proposal *ret_proposal)
{
    if (!watch_host_is_guilty(watch, campaign, host) || watch_host_is_good(watch, host))
        return false;
    *ret_proposal = (struct block_proposal){.prefix = prefix_of(host->key, (enum address_family)host->family),
                                            .rule = BLOCK_BY_CAMPAIGN,
                                            .reason = campaign_reason(campaign->kind),
                                            .campaign = campaign->id};
    sessions_add(ret_proposal, campaign, host);
    return true;
}

bool block_rule_network(const struct watch *watch, const struct campaign *campaign,
                        struct block_proposal *ret_proposal)
{
    if (campaign->kind != CAMPAIGN_REPEAT_NETBLOCK || campaign->host_total < NETWORK_HOSTS ||
        !watch_net_is_bad(watch, &campaign->net))
        return false;
    *ret_proposal = (struct block_proposal){.prefix = campaign->net,
                                            .rule = BLOCK_BY_NETWORK,
                                            .reason = campaign_reason(campaign->kind),
                                            .campaign = campaign->id};
    sessions_add(ret_proposal, campaign, NULL);
    return true;
}

bool block_rule_trap(const struct watch *watch, const struct attempt *attempt,
                     struct block_proposal *ret_proposal)
{
    const bool bounces = attempt_has(attempt, ATTEMPT_HAS_SENDER) && !attempt->sender.len;
    if (!attempt_finding(attempt, FIND_TRAP) || bounces || !attempt->peer.family ||
        watch_attempt_is_good(watch, attempt))
        return false;
    *ret_proposal = (struct block_proposal){
        .prefix = prefix_of(host_key_of(&attempt->peer), (enum address_family)attempt->peer.family),
        .rule = BLOCK_BY_TRAP,
        .reason = "Wrote to a spam trap"};
    session_add(ret_proposal, attempt->id);
    return true;
}
