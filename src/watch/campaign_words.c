/* A campaign in words. */
#include "watch/campaign.h"

#include "base/text.h"

const char *campaign_reason(enum campaign_kind kind)
{
    switch (kind) {
    case CAMPAIGN_ROTATION: return "Apparent open relay";
    case CAMPAIGN_BOTNET: return "Apparent bot";
    case CAMPAIGN_REPEAT_HOST: return "Repeated attempts after refusals";
    case CAMPAIGN_REPEAT_NETBLOCK: return "Repeated attempts from this network after refusals";
    case CAMPAIGN_DICTIONARY: return "Guesses addresses";
    case CAMPAIGN_OPEN_PROXY: return "Apparent open proxy";
    case CAMPAIGN_KIND_LIMIT: break;
    }
    return "";
}

/* 1,762 */
static void say_count(struct buf *out, uint64_t count)
{
    char digits[TEXT_UNIT_SIZE];
    const size_t len = text_print_u64(count, digits);
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_add_octet(out, ',');
        buf_add_octet(out, digits[i]);
    }
}

static void say_counted(struct buf *out, uint64_t count, const char *one, const char *many)
{
    say_count(out, count);
    buf_add_octet(out, ' ');
    buf_add(out, slice_text(count == 1 ? one : many));
}

static void say_span(struct buf *out, const struct campaign *campaign)
{
    const uint64_t seconds = (uint64_t)(campaign->last_ms - campaign->first_ms + 500) / 1000;
    buf_add(out, SLICE(" in "));
    if (seconds < 120)
        say_counted(out, seconds, "s", "s");
    else if (seconds < 120 * 60)
        say_counted(out, seconds / 60, "min", "min");
    else if (seconds < 48 * 3600)
        say_counted(out, seconds / 3600, "hour", "hours");
    else
        say_counted(out, seconds / 86400, "day", "days");
}

static void say_text(struct buf *out, const char *text, const char *otherwise)
{
    if (!text[0])
        buf_add(out, slice_text(otherwise));
    else
        text_escape(out, slice_text(text), false);
}

static void say_message(struct buf *out, const struct campaign *campaign)
{
    buf_add(out, SLICE(" to deliver the same "));
    if (campaign->octets_low) {
        say_count(out, campaign->octets_low);
        if (campaign->octets_high > campaign->octets_low) {
            buf_add(out, SLICE(" to "));
            say_count(out, campaign->octets_high);
        }
        buf_add(out, SLICE("-octet "));
    }
    buf_add(out, SLICE("message from "));
    say_text(out, campaign->sender, "<>");
    if (campaign->senders_vary)
        buf_add(out, SLICE(" and the like"));
    buf_add(out, SLICE(" to "));
    say_text(out, campaign->recipient, "somebody");
    if (campaign->recipients_vary)
        buf_add(out, SLICE(" and others"));
}

static void say_host(struct buf *out, const struct campaign *campaign)
{
    char text[ADDRESS_TEXT_SIZE];
    const struct address address = host_key_address(campaign->like.host, campaign->like.family);
    const size_t len = address_print(&address, text);
    buf_add(out, slice_of(text, len));
}

static void say_dictionary(struct buf *out, const struct campaign *campaign)
{
    const size_t at = slice_find_last(slice_text(campaign->recipient), '@');
    say_counted(out, campaign->unknown, "unknown recipient", "unknown recipients");
    if (at != SLICE_NOT_FOUND) {
        buf_add(out, SLICE(" at "));
        say_text(out, campaign->recipient + at + 1, "");
    }
    buf_add(out, SLICE(" tried"));
    say_span(out, campaign);
    buf_add(out, SLICE(" by "));
    if (campaign->host_total == 1)
        say_host(out, campaign);
    else
        say_counted(out, campaign->host_total, "host", "hosts");
}

static void say_repeat(struct buf *out, const struct campaign *campaign)
{
    char net[ADDRESS_PORT_TEXT_SIZE];
    say_counted(out, campaign->attempts, "attempt", "attempts");
    say_span(out, campaign);
    if (campaign->kind == CAMPAIGN_REPEAT_HOST) {
        buf_add(out, SLICE(" by one host, "));
        say_host(out, campaign);
        buf_add(out, SLICE(", which comes back after it was refused"));
        return;
    }
    const size_t len = prefix_print(&campaign->net, net);
    buf_add(out, SLICE(" by "));
    say_counted(out, campaign->host_total, "host", "hosts");
    buf_add(out, SLICE(" of "));
    buf_add(out, slice_of(net, len));
    buf_add(out, SLICE(", which come back after they were refused"));
}

static void say_same(struct buf *out, const struct campaign *campaign)
{
    say_counted(out, campaign->attempts, "attempt", "attempts");
    say_span(out, campaign);
    if (campaign->kind == CAMPAIGN_BOTNET) {
        buf_add(out, SLICE(", side by side, from "));
        say_counted(out, campaign->host_total, "host", "hosts");
        buf_add(out, SLICE(" in "));
        say_count(out, campaign->groups);
        buf_add(out, campaign->host_total > campaign->host_count ? SLICE(" and more") : SLICE_NONE);
        buf_add(out, SLICE(" unrelated networks"));
    } else {
        buf_add(out, SLICE(" from "));
        say_counted(out, campaign->groups, "network", "unrelated networks");
    }
    say_message(out, campaign);
}

static void say_proxy(struct buf *out, const struct campaign *campaign)
{
    say_counted(out, campaign->attempts, "attempt", "attempts");
    say_span(out, campaign);
    buf_add(out, SLICE(" through "));
    say_counted(out, campaign->host_total, "open web proxy", "open web proxies");
    if (!campaign->sender[0] && !campaign->recipient[0])
        return;
    buf_add(out, SLICE(" from "));
    say_text(out, campaign->sender, "<>");
    buf_add(out, SLICE(" to "));
    say_text(out, campaign->recipient, "somebody");
    if (campaign->recipients_vary)
        buf_add(out, SLICE(" and others"));
}

void campaign_sentence(const struct campaign *campaign, struct buf *out)
{
    switch (campaign->kind) {
    case CAMPAIGN_ROTATION:
    case CAMPAIGN_BOTNET: say_same(out, campaign); break;
    case CAMPAIGN_REPEAT_HOST:
    case CAMPAIGN_REPEAT_NETBLOCK: say_repeat(out, campaign); break;
    case CAMPAIGN_DICTIONARY: say_dictionary(out, campaign); break;
    case CAMPAIGN_OPEN_PROXY: say_proxy(out, campaign); break;
    case CAMPAIGN_KIND_LIMIT: break;
    }
}
