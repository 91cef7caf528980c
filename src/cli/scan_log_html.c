/* What scan-log found, as one page that needs nothing else: no script, no picture, no font from elsewhere,
 * and a policy that forbids what would be one. Every text out of a log is guarded and escaped. */
#include "cli/scan_log.h"

#include "base/memory.h"
#include "journal/document.h"

#include <stdio.h>
#include <string.h>

#define PIECE_MAX  (16u * 1024u * 1024u)
#define HOSTS_OPEN 24 /* a longer table of hosts is folded */

/* In both lights; colours stand out from the ground by 4.5 to 1 at least. */
static const char style_sheet[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--dim:#5f6368;--rule:#dcdcdc;--box:#f6f6f4;"
    "--refused:#b3001b;--accepted:#1b6b2b;--deferred:#7a4a00;--link:#0b4db5}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#16181b;--ink:#e6e6e6;--dim:#a3a7ad;--rule:#3a3d42;"
    "--box:#1f2226;--refused:#ff8a8f;--accepted:#8fd19a;--deferred:#e8b04b;--link:#8ab8ff}}\n"
    "body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--ground);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.3rem;margin:0}\n"
    "h2{font-size:1.05rem;margin:0 0 .2rem;overflow-wrap:anywhere}\n"
    ".times,.meta,figcaption,footer{color:var(--dim)}\n.times{margin:.1rem 0 .8rem}\n"
    ".counts{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:.8rem 0;padding:.6rem .8rem;"
    "background:var(--box);border-radius:.4rem;list-style:none}\n"
    ".counts b{font-variant-numeric:tabular-nums}\n.counts .within{color:var(--dim)}\n"
    "section{border-top:1px solid var(--rule);padding:1rem 0;margin-top:1rem}\n"
    ".kind{font:.85rem/1 ui-monospace,monospace;color:var(--refused);border:1px solid currentColor;"
    "border-radius:.25rem;padding:.15rem .4rem;margin-right:.5rem;white-space:nowrap}\n"
    "figure{margin:.8rem 0}\nfigcaption{font-size:.85rem}\n"
    "svg{display:block;width:100%;overflow:visible}\nsvg text{font:12px "
    "system-ui,sans-serif;fill:var(--dim)}\n"
    ".ground{stroke:var(--rule)}.tick{stroke:var(--rule);stroke-dasharray:2 3}"
    ".dot{fill:var(--dim)}.span{stroke:var(--dim);stroke-width:3;opacity:.5}\n"
    ".mark{stroke-width:2}.refused{fill:var(--refused);stroke:var(--ground)}"
    ".deferred{fill:var(--ground);stroke:var(--deferred)}"
    ".accepted{fill:var(--accepted);stroke:var(--ground);transform:translateX(-4px)}"
    ".dropped,.left{fill:var(--dim);stroke:var(--ground);transform-box:fill-box;transform-origin:center;"
    "transform:translateX(-4px) rotate(45deg)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;color:var(--dim);font-size:.85rem;margin:.4rem 0}"
    ".legend svg{display:inline-block;width:16px;height:12px;vertical-align:-1px}\n"
    ".wide{overflow-x:auto}\ntable{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th{text-align:left;color:var(--dim);font-weight:normal}"
    "td,th{padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--rule);vertical-align:top}"
    "td:first-child,.time{white-space:nowrap}.number{text-align:right}"
    "td{font-variant-numeric:tabular-nums}.name{min-width:9rem;overflow-wrap:anywhere}"
    ".remark{white-space:nowrap}summary{cursor:pointer;color:var(--dim)}\n"
    "pre{background:var(--box);border-radius:.4rem;padding:.6rem .8rem;overflow-x:auto;font:.85rem/1.5 "
    "ui-monospace,monospace;user-select:all}\n"
    "a{color:var(--link)}\nfooter{font-size:.85rem;margin-top:2rem}\n"
    "@media print{:root{--ground:#fff;--ink:#000;--dim:#444;--rule:#bbb;--box:#fff;--refused:#b3001b;"
    "--accepted:#1b6b2b;--deferred:#7a4a00}body{max-width:none;padding:0;font-size:10pt}section{break-inside:"
    "avoid}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}pre{white-space:pre-wrap}}\n";

struct page {
    const struct scan_log *log;
    struct buf out;
};

static void put(struct page *page, const char *html)
{
    (void)buf_add(&page->out, slice_text(html));
}

static void put_text(struct page *page, struct slice text)
{
    (void)document_html_text(&page->out, text);
}

static void put_cell(struct page *page, const char *class, struct slice text)
{
    (void)buf_add_format(&page->out, "<td class=\"%s\">", class);
    put_text(page, text);
    put(page, "</td>");
}

/* What is made goes out piece by piece. */
static void flush(struct page *page)
{
    cli_print("%.*s", SLICE_ARGS(buf_slice(&page->out)));
    buf_clear(&page->out);
}

/* --- the head ------------------------------------------------------------------------------------------ */

static void put_head(struct page *page)
{
    put(page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<title>Patterns in mail logs</title>\n<style>\n");
    put(page, style_sheet);
    put(page, "</style>\n</head>\n<body>\n<h1>Patterns in mail logs</h1>\n");
}

static void put_times(struct page *page)
{
    char from[SCAN_LOG_WORD_SIZE], to[SCAN_LOG_WORD_SIZE];

    if (page->log->lines->first_ms)
        (void)buf_add_format(&page->out, "<p class=\"times\">%.*s to %.*s</p>\n",
                             SLICE_ARGS(scan_log_time(page->log->lines->first_ms, from)),
                             SLICE_ARGS(scan_log_time(page->log->lines->last_ms, to)));
}

static void put_counts(struct page *page)
{
    struct scan_log_count count;
    char text[SCAN_LOG_WORD_SIZE];

    put(page, "<ul class=\"counts\">\n");
    for (size_t at = 0; scan_log_next_count(page->log, &at, &count);)
        (void)buf_add_format(&page->out, "<li%s><b>%.*s</b> %s</li>\n",
                             count.within ? " class=\"within\"" : "",
                             SLICE_ARGS(scan_log_number(count.value, text)), count.words);
    (void)buf_add_format(
        &page->out, "<li><b>%.*s</b> campaigns</li>\n</ul>\n",
        SLICE_ARGS(scan_log_number(scan_found_count(page->log->found) + scan_found_dropped(page->log->found),
                                   text)));
}

static void put_legend(struct page *page)
{
    static const char *const marks[] = {
        "<circle class=\"mark refused\" cx=\"8\" cy=\"6\" r=\"5\"/></svg> refused",
        "<circle class=\"mark deferred\" cx=\"8\" cy=\"6\" r=\"5\"/></svg> put off",
        "<rect class=\"mark accepted\" x=\"8\" y=\"1\" width=\"9\" height=\"9\"/></svg> accepted",
        "<rect class=\"mark left\" x=\"8\" y=\"1\" width=\"9\" height=\"9\"/></svg> left, or connection "
        "closed"};

    put(page, "<div class=\"legend\">");
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        put(page, "<span><svg aria-hidden=\"true\">");
        put(page, marks[i]);
        put(page, "</span>\n");
    }
    put(page, "</div>\n");
}

/* --- campaigns ----------------------------------------------------------------------------------------- */

static void put_host(struct page *page, const struct campaign *campaign, uint32_t index, bool guilty)
{
    const struct campaign_host *host = &campaign->hosts[index];
    char text[SCAN_LOG_WORD_SIZE];

    put(page, "<tr>");
    put_cell(page, "time", scan_log_host(host->key, host->family, text));
    put_cell(page, "name", slice_text(host->ptr));
    if (scan_log_has_origin(campaign))
        put_cell(page, "name", scan_log_origin(host, text));
    put_cell(page, "number", scan_log_number(host->attempts, text));
    put_cell(page, "number", scan_log_number(host->refused, text));
    put_cell(page, "time", scan_log_time(host->first_ms, text));
    put_cell(page, "time", scan_log_time(host->last_ms, text));
    put_cell(page, "remark", slice_text(scan_log_remark(campaign, host, guilty)));
    put(page, "</tr>\n");
}

static void put_hosts(struct page *page, const struct campaign *campaign,
                      const bool guilty[CAMPAIGN_HOSTS_MAX])
{
    char text[SCAN_LOG_WORD_SIZE];

    const bool folds = campaign->host_count > HOSTS_OPEN;

    if (folds)
        (void)buf_add_format(&page->out, "<details><summary>%u hosts</summary>\n", campaign->host_count);
    put(page, "<div class=\"wide\"><table>\n<thead><tr><th>Address</th><th>Name</th>");
    put(page, scan_log_has_origin(campaign) ? "<th>Origin</th>" : "");
    put(page, "<th class=\"number\">Attempts</th><th "
              "class=\"number\">Refused</th><th>First</th><th>Last</th><th></th>"
              "</tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < campaign->host_count; i++)
        put_host(page, campaign, i, guilty[i]);
    put(page, "</tbody></table></div>\n");
    put(page, folds ? "</details>\n" : "");
    if (campaign->host_total > campaign->host_count)
        (void)buf_add_format(&page->out, "<p class=\"meta\">and %.*s more hosts</p>\n",
                             SLICE_ARGS(scan_log_number(campaign->host_total - campaign->host_count, text)));
}

static void put_campaign(struct page *page, size_t index)
{
    struct campaign campaign;
    bool guilty[CAMPAIGN_HOSTS_MAX];
    char text[SCAN_LOG_WORD_SIZE], until[SCAN_LOG_WORD_SIZE];
    struct buf sentence;

    scan_found_campaign(page->log->found, index, &campaign, guilty);
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    campaign_sentence(&campaign, &sentence);
    (void)buf_add_format(&page->out, "<section>\n<h2><span class=\"kind\">%s</span>",
                         campaign_kind_word(campaign.kind));
    put_text(page, buf_slice(&sentence));
    (void)buf_add_format(&page->out, "</h2>\n<p class=\"meta\">%.*s to %.*s</p>\n",
                         SLICE_ARGS(scan_log_time(campaign.first_ms, text)),
                         SLICE_ARGS(scan_log_time(campaign.last_ms, until)));
    scan_log_picture(&campaign, &page->out);
    put_hosts(page, &campaign, guilty);
    put(page, "</section>\n");
    buf_drop(&sentence);
    campaign_done(&campaign);
    flush(page);
}

static void put_campaigns(struct page *page)
{
    const size_t count = scan_found_count(page->log->found);
    bool *choice = scan_log_choice(page->log);
    size_t shown = 0;
    char text[SCAN_LOG_WORD_SIZE];

    for (size_t i = 0; i < count; i++)
        shown += choice[i];
    if (shown)
        put_legend(page);
    for (size_t i = 0; i < count; i++)
        if (choice[i])
            put_campaign(page, i);
    const uint64_t rest = count - shown + scan_found_dropped(page->log->found);
    if (rest)
        (void)buf_add_format(&page->out, "<p class=\"meta\">%.*s smaller campaigns are not shown.</p>\n",
                             SLICE_ARGS(scan_log_number(rest, text)));
    memory_give(choice, count);
}

static void put_blocks(struct page *page)
{
    size_t count;
    const struct scan_block *const *blocks = scan_found_blocks(page->log->found, &count);
    char text[SCAN_LOG_WORD_SIZE];

    if (!count)
        return;
    put(page, "<section>\n<h2>Suggested entries of an access table</h2>\n<pre>");
    for (size_t i = 0; i < count; i++) {
        struct slice line = scan_log_access(blocks[i], text), key;
        (void)slice_cut(&line, '\t', &key);
        put_text(page, key);
        put(page, "\t");
        put_text(page, line);
        put(page, "\n");
    }
    put(page, "</pre>\n</section>\n");
}

void scan_log_html(const struct scan_log *log)
{
    struct page page = {.log = log};

    buf_init(&page.out, PIECE_MAX);
    put_head(&page);
    put_times(&page);
    put_counts(&page);
    put_campaigns(&page);
    put_blocks(&page);
    put(&page, "<footer>Made by postern scan-log.</footer>\n</body>\n</html>\n");
    flush(&page);
    buf_drop(&page.out);
}
