/* What scan-log found, for a person at a terminal. */
#include "cli/scan_log.h"

#include "base/memory.h"

static void head_print(const struct scan_log *log, const char *text)
{
    cli_print("\n%s%s%s\n", cli_style(log->cli, CLI_STYLE_HEAD), text, cli_style(log->cli, CLI_STYLE_PLAIN));
}

static void counts_print(const struct scan_log *log)
{
    char text[SCAN_LOG_WORD_SIZE], until[SCAN_LOG_WORD_SIZE];
    struct scan_log_count count;

    if (log->lines->first_ms)
        cli_print("%.*s to %.*s\n", SLICE_ARGS(scan_log_time(log->lines->first_ms, text)),
                  SLICE_ARGS(scan_log_time(log->lines->last_ms, until)));
    for (size_t at = 0; scan_log_next_count(log, &at, &count);)
        cli_print("%15s  %s%s\n", scan_log_number(count.value, text).at, count.within ? "  " : "",
                  count.words);
}

/* --- campaigns ----------------------------------------------------------------------------------------- */

static void host_add(struct cli_table *table, const struct campaign *campaign, uint32_t index, bool guilty)
{
    const struct campaign_host *host = &campaign->hosts[index];
    char text[SCAN_LOG_WORD_SIZE + 2] = "  ";

    const struct slice address = scan_log_host(host->key, host->family, text + 2);
    cli_table_add(table, slice_of(text, address.len + 2));
    cli_table_add(table, slice_text(host->ptr));
    if (scan_log_has_origin(campaign))
        cli_table_add(table, scan_log_origin(host, text));
    cli_table_add_number(table, host->attempts);
    cli_table_add_number(table, host->refused);
    cli_table_add(table, scan_log_time(host->first_ms, text));
    cli_table_add(table, scan_log_time(host->last_ms, text));
    cli_table_add(table, slice_text(scan_log_remark(campaign, host, guilty)));
}

static void hosts_print(const struct scan_log *log, const struct campaign *campaign,
                        const bool guilty[CAMPAIGN_HOSTS_MAX])
{
    static const char *const heads[] = {"  ADDRESS", "NAME", "ORIGIN", ">ATTEMPTS", ">REFUSED",
                                        "FIRST",     "LAST", "",       NULL};
    static const char *const heads_without[] = {"  ADDRESS", "NAME", ">ATTEMPTS", ">REFUSED",
                                                "FIRST",     "LAST", "",          NULL};
    struct cli_table *table = cli_table_new(scan_log_has_origin(campaign) ? heads : heads_without);
    char text[SCAN_LOG_WORD_SIZE];

    for (uint32_t i = 0; i < campaign->host_count; i++)
        host_add(table, campaign, i, guilty[i]);
    cli_table_end(table, log->cli);
    if (campaign->host_total > campaign->host_count)
        cli_print("  and %.*s more hosts\n",
                  SLICE_ARGS(scan_log_number(campaign->host_total - campaign->host_count, text)));
}

static void campaign_print(const struct scan_log *log, size_t index)
{
    struct campaign campaign;
    bool guilty[CAMPAIGN_HOSTS_MAX];
    char text[SCAN_LOG_WORD_SIZE];
    struct buf sentence;

    scan_found_campaign(log->found, index, &campaign, guilty);
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    campaign_sentence(&campaign, &sentence);
    cli_print("\n%s%s%s  %.*s\n", cli_style(log->cli, CLI_STYLE_BAD), campaign_kind_word(campaign.kind),
              cli_style(log->cli, CLI_STYLE_PLAIN), SLICE_ARGS(scan_log_time(campaign.first_ms, text)));
    cli_print_wrapped(buf_slice(&sentence), 2, 96);
    buf_drop(&sentence);
    hosts_print(log, &campaign, guilty);
    campaign_done(&campaign);
}

static void campaigns_print(const struct scan_log *log)
{
    const size_t count = scan_found_count(log->found);
    const uint64_t dropped = scan_found_dropped(log->found);
    bool *choice = scan_log_choice(log);
    char text[SCAN_LOG_WORD_SIZE];

    cli_print("%15s  campaigns\n", scan_log_number(count + dropped, text).at);
    for (size_t i = 0; i < count; i++)
        if (choice[i])
            campaign_print(log, i);
    if (count + dropped > log->campaigns_max)
        cli_print(
            "\n%.*s smaller campaigns are not shown: --limit shows more of them, --json all that are kept\n",
            SLICE_ARGS(scan_log_number(count + dropped - log->campaigns_max, text)));
    memory_give(choice, count);
}

static void blocks_print(const struct scan_log *log)
{
    size_t count;
    const struct scan_block *const *blocks = scan_found_blocks(log->found, &count);
    char text[SCAN_LOG_WORD_SIZE];

    if (!count)
        return;
    head_print(log, "Suggested entries of an access table");
    for (size_t i = 0; i < count; i++)
        cli_print("%.*s\n", SLICE_ARGS(scan_log_access(blocks[i], text)));
}

static void unknown_print(const struct scan_log *log)
{
    size_t count;
    uint64_t more;
    char text[SCAN_LOG_WORD_SIZE];

    if (!log->unknown)
        return;
    const struct scan_shape *const *shapes = scan_unknown_sorted(log->unknown, &count, &more);
    if (count)
        head_print(log, "Lines that were not understood");
    for (size_t i = 0; i < count; i++) {
        cli_print("%9s  ", scan_log_number(shapes[i]->count, text).at);
        cli_print_text(slice_of(shapes[i]->text, shapes[i]->len));
        cli_print("\n");
    }
    if (more)
        cli_print("%9s  of other shapes\n", scan_log_number(more, text).at);
}

void scan_log_text(const struct scan_log *log)
{
    counts_print(log);
    campaigns_print(log);
    blocks_print(log);
    unknown_print(log);
}
