/* Proves the text for Prometheus: values stand under their labels, histograms add up, decimals and escapes
 * are right, samples of one name stand together, and nothing is left behind where the room ends. That the
 * whole keeps to the format is proved by a strict reader in the live test. */
#include "journal/render_metrics.h"

#include "base/memory.h"
#include "core/finding.h"
#include "core/say.h"
#include "unit.h"

static void page_make(const struct metrics *metrics, struct buf *out)
{
    buf_init(out, 1 << 20);
    assert_true(render_metrics(metrics, out));
}

static size_t count_of(const struct buf *page, const char *text)
{
    size_t count = 0, at;
    struct slice rest = buf_slice(page);
    while ((at = slice_find_slice(rest, slice_text(text))) != SLICE_NOT_FOUND) {
        rest = slice_from(rest, at + strlen(text));
        count++;
    }
    return count;
}

#define assert_line(page, line) assert_int_equal(count_of(page, "\n" line "\n"), 1)

static void counters_stand_under_their_labels(void **state)
{
    (void)state;
    struct stats_view *view = memory_take(sizeof *view);
    struct metrics metrics = {.view = view, .version = SLICE("0.1.0")};
    struct buf page;
    view->since_us = INT64_C(1784860556250000);
    view->total[STAT_CLIENTS] = 18446744073709551615u;
    view->total[STAT_QUIT] = 7;
    view->total[FIND_EHLO_NO_HELO] = 6946;
    view->total[stat_of_verdict(3, 2, false)] = 11;
    view->total[stat_of_verdict(3, 2, true)] = 12;
    view->total[stats_reason_cell(2, FIND_SPF_FAIL, false)] = 13;
    view->total[stats_reason_cell(2, 0, true)] = 14;
    view->total[stat_of_reply(SAY_RELAY_DENIED)] = 15;
    page_make(&metrics, &page);
    assert_line(&page, "postern_build_info{version=\"0.1.0\"} 1");
    assert_line(&page, "postern_records_start_time_seconds 1784860556.25");
    assert_line(&page, "postern_clients_total 18446744073709551615");
    assert_line(&page, "postern_session_ends_total{how=\"quit\"} 7");
    assert_line(&page, "postern_findings_total{finding=\"ehlo-no-helo\"} 6946");
    assert_line(&page, "postern_findings_total{finding=\"helo-schizophrenic\"} 0");
    assert_line(&page, "postern_verdicts_total{stage=\"rcpt\",verdict=\"reject\",observed=\"no\"} 11");
    assert_line(&page, "postern_verdicts_total{stage=\"rcpt\",verdict=\"reject\",observed=\"yes\"} 12");
    assert_line(&page,
                "postern_verdict_reasons_total{verdict=\"reject\",reason=\"spf-fail\",observed=\"no\"} 13");
    assert_line(&page,
                "postern_verdict_reasons_total{verdict=\"reject\",reason=\"weights\",observed=\"yes\"} 14");
    assert_line(&page,
                "postern_replies_total{number=\"81\",code=\"550\",reason=\"The recipient's domain is not "
                "one of this host's.\"} 15");
    assert_line(&page, "# HELP postern_session_ends_total How sessions ended.");
    assert_line(&page, "# HELP postern_clients_total Clients that connected.");
    assert_int_equal(count_of(&page, "# TYPE postern_commands_total counter\n"), 1);
    buf_drop(&page);
    memory_give(view, sizeof *view);
}

/* Families whose statistics a label tells apart have words of their own, not those of their first. */
static void families_have_words(void **state)
{
    (void)state;
    struct stats_view *view = memory_take(sizeof *view);
    struct metrics metrics = {.view = view};
    struct stat_info info;
    struct buf page;
    char text[512];
    page_make(&metrics, &page);
    for (unsigned i = stat_next_own(0); i; i = stat_next_own(i)) {
        assert_true(stat_info(i, &info));
        size_t len = strcspn(info.metric, "{");
        if (!len || !info.metric[len])
            continue;
        snprintf(text, sizeof text, "# HELP postern_%.*s ", (int)len, info.metric);
        assert_int_equal(count_of(&page, text), 1);
        snprintf(text, sizeof text, "# HELP postern_%.*s %s.\n", (int)len, info.metric, info.doc);
        assert_int_equal(count_of(&page, text), 0);
    }
    buf_drop(&page);
    memory_give(view, sizeof *view);
}

static void histograms_add_up(void **state)
{
    (void)state;
    struct stats_view *view = memory_take(sizeof *view);
    struct metrics metrics = {.view = view};
    struct buf page;
    uint64_t *rcpt = view->total + STATS_HISTOGRAMS + STATS_STAGE_RCPT * STATS_HISTOGRAM_CELLS;
    for (unsigned i = 0; i < STATS_BUCKETS; i++)
        rcpt[i] = i + 1;
    rcpt[STATS_BUCKETS] = 1234567;
    page_make(&metrics, &page);
    assert_line(&page, "# TYPE postern_stage_seconds histogram");
    assert_line(&page, "postern_stage_seconds_bucket{stage=\"rcpt\",le=\"0.001\"} 1");
    assert_line(&page, "postern_stage_seconds_bucket{stage=\"rcpt\",le=\"0.002\"} 3");
    assert_line(&page, "postern_stage_seconds_bucket{stage=\"rcpt\",le=\"0.25\"} 36");
    assert_line(&page, "postern_stage_seconds_bucket{stage=\"rcpt\",le=\"30\"} 105");
    assert_line(&page, "postern_stage_seconds_bucket{stage=\"rcpt\",le=\"+Inf\"} 120");
    assert_line(&page, "postern_stage_seconds_sum{stage=\"rcpt\"} 1234.567");
    assert_line(&page, "postern_stage_seconds_count{stage=\"rcpt\"} 120");
    assert_line(&page, "postern_delivery_seconds_bucket{le=\"86400\"} 0");
    assert_line(&page, "postern_dns_seconds_sum 0");
    buf_drop(&page);
    memory_give(view, sizeof *view);
}

static void samples_stand_together(void **state)
{
    (void)state;
    struct stats_view *view = memory_take(sizeof *view);
    const struct metrics_sample samples[] = {
        {.name = "connections", .help = "Open", .labels = {{"gate", SLICE("0")}}, .value = 5},
        {.name = "lag_seconds", .help = "a \\ and\na line", .value = 1500, .decimals = 6},
        {.name = "connections", .help = "", .labels = {{"gate", SLICE("1")}}, .value = 6},
        {.name = "lists_total",
         .help = "",
         .is_counter = true,
         .labels = {{"list", SLICE("a\"b\\c\nd\xff")}, {"result", SLICE("x")}}},
    };
    struct metrics metrics = {.view = view, .samples = samples, .sample_count = COUNT(samples)};
    struct buf page;
    page_make(&metrics, &page);
    assert_int_equal(count_of(&page,
                              "# HELP postern_connections Open.\n# TYPE postern_connections gauge\n"
                              "postern_connections{gate=\"0\"} 5\npostern_connections{gate=\"1\"} 6\n"),
                     1);
    assert_int_equal(count_of(&page, "# HELP postern_lag_seconds A \\\\ and?a line.\n"), 1);
    assert_line(&page, "postern_lag_seconds 0.0015");
    assert_int_equal(count_of(&page, "# TYPE postern_lists_total counter\n"
                                     "postern_lists_total{list=\"a\\\"b\\\\c?d?\",result=\"x\"} 0\n"),
                     1);
    buf_drop(&page);
    memory_give(view, sizeof *view);
}

static void nothing_is_left_where_the_room_ends(void **state)
{
    (void)state;
    struct stats_view *view = memory_take(sizeof *view);
    struct metrics metrics = {.view = view};
    struct buf page;
    page_make(&metrics, &page);
    size_t whole = page.len;
    buf_drop(&page);
    for (size_t room = 1; room < whole; room += 997) {
        buf_init(&page, room);
        assert_false(render_metrics(&metrics, &page));
        assert_int_equal(page.len, 0);
        buf_drop(&page);
    }
    memory_give(view, sizeof *view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_stand_under_their_labels),
        cmocka_unit_test(families_have_words),
        cmocka_unit_test(histograms_add_up),
        cmocka_unit_test(samples_stand_together),
        cmocka_unit_test(nothing_is_left_where_the_room_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
