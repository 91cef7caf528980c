/* What text and page of scan-log have in common. */
#include "cli/scan_log.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>

/* --- counts -------------------------------------------------------------------------------------------- */

bool scan_log_next_count(const struct scan_log *log, size_t *at, struct scan_log_count *ret_count)
{
    const struct scan_lines *lines = log->lines;
    const struct scan_counts *counts = log->counts;
    const struct scan_log_count all[] = {
        {lines->lines, "lines", false, true},
        {lines->other, "of other programs", true, false},
        {lines->unknown, "not understood", true, false},
        {lines->cut, "too long, and cut", true, false},
        {lines->passed, "lines of other times", false, false},
        {counts->connections, "connections", false, false},
        {counts->refusals, "refusals", false, false},
        {counts->deferrals, "deferrals", false, false},
        {counts->queued, "messages accepted", false, false},
        {counts->sent, "recipients delivered", false, false},
        {counts->deferred, "deliveries put off", false, false},
        {counts->bounced, "recipients bounced", false, false},
        {counts->expired, "messages expired", false, false},
        {counts->own, "envelopes of the house's own", false, false},
        {counts->clientless, "envelopes without a client", false, false},
        {counts->cut, "envelopes ended early, for want of room", false, false},
        {counts->attempts, "attempts", false, true},
        {counts->accepted, "accepted", true, false},
        {counts->put_off, "put off", true, false},
        {counts->refused, "refused", true, false},
        {counts->left, "left unfinished", true, false},
    };

    while (*at < sizeof all / sizeof *all) {
        const struct scan_log_count *count = &all[(*at)++];
        if (!count->value && !count->always)
            continue;
        *ret_count = *count;
        return true;
    }
    return false;
}

/* --- words --------------------------------------------------------------------------------------------- */

struct slice scan_log_number(uint64_t value, char text[SCAN_LOG_WORD_SIZE])
{
    char digits[TEXT_UNIT_SIZE];
    const size_t len = text_print_u64(value, digits);
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = '\0';
    return slice_of(text, to);
}

struct slice scan_log_time(int64_t unix_ms, char text[SCAN_LOG_WORD_SIZE])
{
    (void)calendar_print_iso(unix_ms, 0, text);
    text[10] = ' ';
    text[19] = '\0';
    return slice_of(text, 19);
}

struct slice scan_log_host(struct host_key key, unsigned family, char text[SCAN_LOG_WORD_SIZE])
{
    const struct prefix prefix = {host_key_address(key, (enum address_family)family),
                                  family == ADDRESS_IPV6 ? 64 : 32};

    if (family == ADDRESS_IPV6)
        return slice_of(text, prefix_print(&prefix, text));
    return slice_of(text, address_print(&prefix.network, text));
}

struct slice scan_log_origin(const struct campaign_host *host, char text[SCAN_LOG_WORD_SIZE])
{
    int len = 0;

    text[0] = '\0';
    if (host->as_number)
        len = snprintf(text, SCAN_LOG_WORD_SIZE, "AS%u%s%s", host->as_number, host->owner[0] ? " " : "",
                       host->owner);
    else
        len = snprintf(text, SCAN_LOG_WORD_SIZE, "%s", host->owner);
    return slice_of(text, (size_t)len);
}

bool scan_log_has_origin(const struct campaign *campaign)
{
    char text[SCAN_LOG_WORD_SIZE];

    for (uint32_t i = 0; i < campaign->host_count; i++)
        if (scan_log_origin(&campaign->hosts[i], text).len)
            return true;
    return false;
}

/* Keys are octets or groups from the front: a /64 is its first four groups. */
struct slice scan_log_access(const struct scan_block *block, char text[SCAN_LOG_WORD_SIZE])
{
    const uint8_t *octets = block->address.network.octets;
    char key[SCAN_LOG_WORD_SIZE];

    if (block->address.network.family == ADDRESS_IPV6)
        (void)snprintf(key, sizeof key, "IPv6:%x:%x:%x:%x", octets[0] << 8 | octets[1],
                       octets[2] << 8 | octets[3], octets[4] << 8 | octets[5], octets[6] << 8 | octets[7]);
    else
        (void)address_print(&block->address.network, key);
    const int len = snprintf(text, SCAN_LOG_WORD_SIZE, "Connect:%.60s\tERROR:5.7.1:\"550 %s\"", key,
                             campaign_reason(block->kind));
    return slice_of(text, (size_t)len);
}

const char *scan_log_remark(const struct campaign *campaign, const struct campaign_host *host, bool guilty)
{
    const bool again = host->attempts > 1 && campaign->host_total > 1;

    if (guilty)
        return again ? "came again" : "";
    return again ? "came again; not suggested" : "not suggested";
}

/* --- which campaigns ----------------------------------------------------------------------------------- */

struct ranked {
    size_t index;
    uint32_t attempts;
};

static int larger_first(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;

    if (left->attempts != right->attempts)
        return left->attempts > right->attempts ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

bool *scan_log_choice(const struct scan_log *log)
{
    const size_t count = scan_found_count(log->found);
    struct ranked *ranked = memory_take(count * sizeof *ranked);
    bool *choice = memory_take(count);
    bool guilty[CAMPAIGN_HOSTS_MAX];

    for (size_t i = 0; i < count; i++) {
        struct campaign campaign;
        scan_found_campaign(log->found, i, &campaign, guilty);
        ranked[i] = (struct ranked){i, campaign.attempts};
        campaign_done(&campaign);
    }
    memory_sort(ranked, count, sizeof *ranked, larger_first);
    for (size_t i = 0; i < count && i < log->campaigns_max; i++)
        choice[ranked[i].index] = true;
    memory_give(ranked, count * sizeof *ranked);
    return choice;
}
