#include "journal/render_metrics.h"

#include "core/ask.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/words.h"

#include <stdio.h>
#include <string.h>

/* Where anything did not fit, `failed` tells it in the end. */
struct page {
    struct buf *out;
    const struct stats_view *view;
    bool failed;
};

/* --- the format ----------------------------------------------------------------------------------------- */

static void put(struct page *page, struct slice text)
{
    page->failed = page->failed || !buf_add(page->out, text);
}

static void put_text(struct page *page, const char *text)
{
    put(page, slice_text(text));
}

/* Backslash, line feed and, within a label, the quote are escaped. Labels may come from a configuration. */
static void put_escaped(struct page *page, struct slice text, bool label)
{
    for (size_t i = 0; i < text.len; i++) {
        char octet = text.at[i];
        bool odd = (unsigned char)octet < ' ' || (unsigned char)octet >= 0x7f;
        if (octet == '\\' || (label && octet == '"'))
            put(page, SLICE("\\"));
        put(page, odd ? SLICE("?") : slice_of(&octet, 1));
    }
}

static void family(struct page *page, const char *name, const char *type, const char *help)
{
    char first = *help;
    put_text(page, "# HELP postern_");
    put_text(page, name);
    put_text(page, " ");
    if (first)
        put(page, slice_of(&(char){first >= 'a' && first <= 'z' ? (char)(first & 0xdf) : first}, 1));
    put_escaped(page, slice_from(slice_text(help), 1), false);
    put_text(page, ".\n# TYPE postern_");
    put_text(page, name);
    put_text(page, " ");
    put_text(page, type);
    put_text(page, "\n");
}

/* Labels, each with a comma before it but the first. */
struct line {
    struct page *page;
    unsigned labels;
};

static struct line line_begin(struct page *page, const char *name)
{
    put_text(page, "postern_");
    put_text(page, name);
    return (struct line){page, 0};
}

static void line_label(struct line *line, const char *key, struct slice value)
{
    put_text(line->page, line->labels++ ? "," : "{");
    put_text(line->page, key);
    put_text(line->page, "=\"");
    put_escaped(line->page, value, true);
    put_text(line->page, "\"");
}

/* 1234 with three decimals is 1.234, and 1000 is 1. */
static void put_decimal(struct page *page, uint64_t value, unsigned decimals)
{
    char text[48];
    int len = snprintf(text, sizeof text, "%0*llu", (int)decimals + 1, (unsigned long long)value);
    size_t whole = (size_t)len - decimals, end = (size_t)len;
    while (end > whole && text[end - 1] == '0')
        end--;
    put(page, slice_of(text, whole));
    if (end > whole)
        put(page, SLICE("."));
    put(page, slice_of(text + whole, end - whole));
}

static void line_end(struct line *line, uint64_t value, unsigned decimals)
{
    put_text(line->page, line->labels ? "} " : " ");
    put_decimal(line->page, value, decimals);
    put_text(line->page, "\n");
}

/* --- counted by themselves ------------------------------------------------------------------------------ */

static struct slice family_of(const char *metric)
{
    return slice_head(slice_text(metric), slice_find(slice_text(metric), '{'));
}

/* Whether a statistic with a smaller number has brought the family already. */
static bool is_begun(const struct stat_info *info, unsigned number)
{
    struct stat_info before;
    for (unsigned i = stat_next_own(0); i < number; i = stat_next_own(i))
        if (stat_info(i, &before) && *before.metric &&
            slice_equal(family_of(before.metric), family_of(info->metric)))
            return true;
    return false;
}

/* Of families whose statistics are told apart by a label. */
static const struct {
    const char *name, *help;
} families[] = {
    {"session_ends_total", "How sessions ended"},
    {"tls_handshakes_total", "TLS handshakes"},
    {"commands_total", "Lines that clients sent as commands, by their verb"},
    {"recipients_total", "Recipients, and how RCPT was answered"},
    {"messages_total", "Messages that came to their end, and what became of them"},
    {"deliveries_total", "Attempts to deliver a recipient's copy of a message"},
    {"notices_total", "Notices to the postmaster"},
    {"answers_total", "Answers to what sessions asked"},
    {"configurations_total", "Configurations that were loaded or refused"},
};

static const char *family_help(struct slice name, const struct stat_info *first)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (slice_equal(name, slice_text(families[i].name)))
            return families[i].help;
    return first->doc;
}

static void own_family(struct page *page, const struct stat_info *first, unsigned number)
{
    char name[STAT_NAME_SIZE];
    struct stat_info info;
    struct slice text = family_of(first->metric);
    snprintf(name, sizeof name, "%.*s", SLICE_ARGS(text));
    family(page, name, "counter", family_help(text, first));
    for (unsigned i = number; i; i = stat_next_own(i)) {
        if (!stat_info(i, &info) || !*info.metric || !slice_equal(family_of(info.metric), text))
            continue;
        put_text(page, "postern_");
        put_text(page, info.metric); /* its labels stand behind the name */
        put_text(page, " ");
        put_decimal(page, page->view->total[i], 0);
        put_text(page, "\n");
    }
}

static void owns(struct page *page)
{
    struct stat_info info;
    for (unsigned i = stat_next_own(0); i; i = stat_next_own(i))
        if (stat_info(i, &info) && *info.metric && !is_begun(&info, i))
            own_family(page, &info, i);
}

/* --- findings, verdicts, replies, questions ------------------------------------------------------------- */

static void findings(struct page *page)
{
    family(page, "findings_total", "counter", "What checks observed, by the word of the finding");
    for (unsigned i = 1; i < FIND_LIMIT; i++) {
        const struct finding_info *info = finding_info(i);
        if (!info)
            continue;
        struct line line = line_begin(page, "findings_total");
        line_label(&line, "finding", slice_text(info->word));
        line_end(&line, page->view->total[stat_of_finding(i)], 0);
    }
}

static struct slice yes_no(bool yes)
{
    return yes ? SLICE("yes") : SLICE("no");
}

static void verdicts_of(struct page *page, unsigned stage, bool observed)
{
    for (unsigned verdict = 0; stat_of_verdict(stage, verdict, observed); verdict++) {
        struct line line = line_begin(page, "verdicts_total");
        line_label(&line, "stage", slice_text(journal_stage_word(stage)));
        line_label(&line, "verdict", slice_text(journal_verdict_word(verdict)));
        line_label(&line, "observed", yes_no(observed));
        line_end(&line, page->view->total[stat_of_verdict(stage, verdict, observed)], 0);
    }
}

static void verdicts(struct page *page)
{
    family(page, "verdicts_total", "counter",
           "What the policy decided where anything weighed; observed: it was not done");
    for (unsigned stage = 0; stat_of_verdict(stage, 0, false); stage++) {
        verdicts_of(page, stage, false);
        verdicts_of(page, stage, true);
    }
}

/* Those that never were are left out: there are thousands. */
static void reasons(struct page *page)
{
    family(page, "verdict_reasons_total", "counter",
           "What decided each verdict: a finding, or the sum of the weights");
    for (unsigned observed = 0; observed < 2; observed++)
        for (unsigned verdict = 1; stat_of_verdict(0, verdict, observed); verdict++)
            for (unsigned finding = 0; finding < FIND_LIMIT; finding++) {
                uint64_t count = page->view->total[stats_reason_cell(verdict, finding, observed)];
                if (!count)
                    continue;
                struct line line = line_begin(page, "verdict_reasons_total");
                line_label(&line, "verdict", slice_text(journal_verdict_word(verdict)));
                line_label(&line, "reason",
                           finding ? slice_text(journal_finding_word(finding)) : SLICE("weights"));
                line_label(&line, "observed", yes_no(observed));
                line_end(&line, count, 0);
            }
}

static void replies(struct page *page)
{
    char text[16];
    family(page, "replies_total", "counter", "What the gate answered, by the reply's number, and why");
    for (unsigned i = 1; i < SAY_LIMIT; i++) {
        const struct say_info *info = say_info(i);
        if (!info)
            continue;
        struct line line = line_begin(page, "replies_total");
        snprintf(text, sizeof text, "%u", i);
        line_label(&line, "number", slice_text(text));
        snprintf(text, sizeof text, "%u", info->code);
        line_label(&line, "code", slice_text(text));
        line_label(&line, "reason", slice_text(info->cause));
        line_end(&line, page->view->total[stat_of_reply(i)], 0);
    }
}

static void questions(struct page *page)
{
    family(page, "questions_total", "counter", "What sessions asked, by the kind of question");
    for (unsigned i = 1; i < ASK_KIND_LIMIT; i++) {
        const char *word = ask_word((enum ask_kind)i);
        if (!word)
            continue;
        struct line line = line_begin(page, "questions_total");
        line_label(&line, "kind", slice_text(word));
        line_end(&line, page->view->total[stat_of_question(i)], 0);
    }
}

/* --- histograms ----------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *help;
    const char *stage; /* its label, or NULL */
} histograms[STATS_HISTOGRAM_LIMIT] = {
    [STATS_STAGE_CONNECT] = {"stage_seconds",
                             "How long clients waited for the reply of a stage, waiting on purpose included",
                             "connect"},
    [STATS_STAGE_HELO] = {"stage_seconds", "", "helo"},
    [STATS_STAGE_MAIL] = {"stage_seconds", "", "mail"},
    [STATS_STAGE_RCPT] = {"stage_seconds", "", "rcpt"},
    [STATS_STAGE_DATA] = {"stage_seconds", "", "data"},
    [STATS_STAGE_MESSAGE] = {"stage_seconds", "", "message"},
    [STATS_SESSION] = {"session_seconds", "How long sessions lasted", NULL},
    [STATS_TLS] = {"tls_handshake_seconds", "How long TLS handshakes took that succeeded", NULL},
    [STATS_DNS] = {"dns_seconds", "How long sessions waited for the DNS and for blocklists", NULL},
    [STATS_STORE] = {"store_seconds", "How long sessions waited for the store", NULL},
    [STATS_VERIFICATION] = {"verification_seconds", "How long it took to learn whether a recipient exists",
                            NULL},
    [STATS_MESSAGE_STORE] = {"message_store_seconds", "How long it took until a message was on disk", NULL},
    [STATS_MESSAGE_RELAY] = {"message_relay_seconds",
                             "How long the mail server behind took to answer to a message", NULL},
    [STATS_DELIVERY] = {"delivery_seconds",
                        "How long it took from taking a message until a recipient's copy had arrived", NULL},
};

static struct line part_begin(struct page *page, unsigned histogram, const char *part)
{
    char name[STAT_NAME_SIZE];
    snprintf(name, sizeof name, "%s%s", histograms[histogram].name, part);
    struct line line = line_begin(page, name);
    if (histograms[histogram].stage)
        line_label(&line, "stage", slice_text(histograms[histogram].stage));
    return line;
}

/* "0.25" of 250 ms; the last bucket has no bound. */
static void bucket_label(struct line *line, const uint32_t *bounds, unsigned bucket)
{
    char room[64];
    struct buf text;
    struct page page = {.out = &text};
    if (bucket == STATS_BUCKETS - 1) {
        line_label(line, "le", SLICE("+Inf"));
        return;
    }
    buf_init(&text, sizeof room);
    put_decimal(&page, bounds[bucket], 3);
    line_label(line, "le", buf_slice(&text));
    buf_drop(&text);
}

static void histogram_put(struct page *page, unsigned histogram)
{
    const uint64_t *cells = page->view->total + STATS_HISTOGRAMS + histogram * STATS_HISTOGRAM_CELLS;
    const uint32_t *bounds = stats_bounds((enum stats_histogram)histogram);
    uint64_t count = 0;
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        struct line line = part_begin(page, histogram, "_bucket");
        count += cells[i];
        bucket_label(&line, bounds, i);
        line_end(&line, count, 0);
    }
    struct line sum = part_begin(page, histogram, "_sum");
    line_end(&sum, cells[STATS_BUCKETS], 3);
    struct line all = part_begin(page, histogram, "_count");
    line_end(&all, count, 0);
}

static void all_histograms(struct page *page)
{
    for (unsigned i = 0; i < STATS_HISTOGRAM_LIMIT; i++) {
        if (*histograms[i].help)
            family(page, histograms[i].name, "histogram", histograms[i].help);
        histogram_put(page, i);
    }
}

/* --- the present ---------------------------------------------------------------------------------------- */

static void sample_put(struct page *page, const struct metrics_sample *sample)
{
    struct line line = line_begin(page, sample->name);
    for (unsigned i = 0; i < METRICS_LABELS && sample->labels[i].key; i++)
        line_label(&line, sample->labels[i].key, sample->labels[i].value);
    line_end(&line, sample->value, sample->decimals);
}

static bool is_first(const struct metrics *metrics, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(metrics->samples[i].name, metrics->samples[index].name) == 0)
            return false;
    return true;
}

static void samples(struct page *page, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->sample_count; i++) {
        const struct metrics_sample *sample = &metrics->samples[i];
        if (!is_first(metrics, i))
            continue;
        family(page, sample->name, sample->is_counter ? "counter" : "gauge", sample->help);
        for (size_t k = i; k < metrics->sample_count; k++)
            if (strcmp(sample->name, metrics->samples[k].name) == 0)
                sample_put(page, &metrics->samples[k]);
    }
}

static void build(struct page *page, struct slice version)
{
    family(page, "build_info", "gauge", "The program's version");
    struct line line = line_begin(page, "build_info");
    line_label(&line, "version", version);
    line_end(&line, 1, 0);
    family(page, "records_start_time_seconds", "gauge", "When the oldest event that was counted happened");
    struct line start = line_begin(page, "records_start_time_seconds");
    line_end(&start, (uint64_t)(page->view->since_us > 0 ? page->view->since_us / 1000 : 0), 3);
}

bool render_metrics(const struct metrics *metrics, struct buf *out)
{
    struct page page = {.out = out, .view = metrics->view};
    size_t start = out->len;
    build(&page, metrics->version);
    owns(&page);
    findings(&page);
    verdicts(&page);
    reasons(&page);
    replies(&page);
    questions(&page);
    all_histograms(&page);
    samples(&page, metrics);
    if (page.failed)
        out->len = (uint32_t)start;
    return !page.failed;
}
