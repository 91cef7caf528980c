/* The timeline of a campaign. Positions are percentages, so that words keep their size however wide the page
 * is; what came of an attempt is told by shape as well as by colour. */
#include "cli/scan_log.h"

#include "journal/document.h"

#include <stdio.h>
#include <string.h>

#define LANES_MAX   24u /* with more hosts than that, the FEW with the most attempts have one */
#define LANES_FEW   12u
#define LANE_HEIGHT 34
#define MARK_AT     24 /* below the top of the lane */
#define AXIS_HEIGHT 20

struct picture {
    const struct campaign *campaign;
    struct buf *out;
    int64_t from_ms, to_ms;
};

static void put(struct picture *picture, const char *html)
{
    (void)buf_add(picture->out, slice_text(html));
}

/* From 1 % to 99 %, so that marks at the ends are whole. */
static double share(const struct picture *picture, int64_t unix_ms)
{
    const double whole = (double)(picture->to_ms - picture->from_ms);

    return 1.0 + 98.0 * (double)(unix_ms - picture->from_ms) / whole;
}

/* --- marks --------------------------------------------------------------------------------------------- */

struct verdict_look {
    const char *name, *words;
};

static const struct verdict_look looks[] = {
    [ATTEMPT_ACCEPTED] = {"accepted", "accepted"},      [ATTEMPT_DEFERRED] = {"deferred", "put off"},
    [ATTEMPT_REFUSED] = {"refused", "refused"},         [ATTEMPT_DROPPED] = {"dropped", "connection closed"},
    [ATTEMPT_LEFT] = {"left", "left before an answer"},
};

static const struct verdict_look *look_of(const struct campaign_moment *moment)
{
    return &looks[moment->verdict <= ATTEMPT_LEFT ? moment->verdict : ATTEMPT_LEFT];
}

/* Accepted a square, put off a ring, refused a disc, the others a diamond. */
static void put_shape(struct picture *picture, const struct verdict_look *look, double x, int y)
{
    if (look == &looks[ATTEMPT_REFUSED] || look == &looks[ATTEMPT_DEFERRED])
        (void)buf_add_format(picture->out, "<circle class=\"mark %s\" cx=\"%.3f%%\" cy=\"%d\" r=\"5\"",
                             look->name, x, y);
    else
        (void)buf_add_format(picture->out,
                             "<rect class=\"mark %s\" x=\"%.3f%%\" y=\"%d\" width=\"9\" height=\"9\"",
                             look->name, x, y - 5);
    put(picture, ">");
}

static void put_mark(struct picture *picture, const struct campaign_moment *moment, int y)
{
    const struct verdict_look *look = look_of(moment);
    const bool round = look == &looks[ATTEMPT_REFUSED] || look == &looks[ATTEMPT_DEFERRED];
    char time[SCAN_LOG_WORD_SIZE];

    put_shape(picture, look, share(picture, moment->start_ms), y);
    (void)buf_add_format(picture->out, "<title>%.*s, %s</title></%s>\n",
                         SLICE_ARGS(scan_log_time(moment->start_ms, time)), look->words,
                         round ? "circle" : "rect");
}

/* --- lanes --------------------------------------------------------------------------------------------- */

static void put_words(struct picture *picture, int y, struct slice words)
{
    (void)buf_add_format(picture->out, "<text x=\"0\" y=\"%d\">", y);
    (void)document_html_text(picture->out, words);
    put(picture, "</text>\n");
}

static void put_ground(struct picture *picture, int y)
{
    (void)buf_add_format(picture->out, "<line class=\"ground\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>\n",
                         y, y);
}

static void put_dot(struct picture *picture, int64_t unix_ms, int y)
{
    (void)buf_add_format(picture->out, "<circle class=\"dot\" cx=\"%.3f%%\" cy=\"%d\" r=\"3\"/>\n",
                         share(picture, unix_ms), y);
}

/* From a host's first attempt to its last: of a large campaign the moments between are not kept. */
static void put_span(struct picture *picture, const struct campaign_host *host, int y)
{
    put_dot(picture, host->first_ms, y);
    if (host->last_ms <= host->first_ms)
        return;
    put_dot(picture, host->last_ms, y);
    (void)buf_add_format(picture->out,
                         "<line class=\"span\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>\n",
                         share(picture, host->first_ms), share(picture, host->last_ms), y, y);
}

static void put_lane(struct picture *picture, uint32_t index, int top)
{
    const struct campaign_host *host = &picture->campaign->hosts[index];
    char address[SCAN_LOG_WORD_SIZE], words[2 * SCAN_LOG_WORD_SIZE];

    const struct slice shown = scan_log_host(host->key, host->family, address);
    const int len = snprintf(words, sizeof words, "%.*s  %s", SLICE_ARGS(shown), host->ptr);
    put_words(picture, top + 12, slice_of(words, (size_t)len));
    put_ground(picture, top + MARK_AT);
    put_span(picture, host, top + MARK_AT);
    for (uint32_t i = 0; i < picture->campaign->moment_count; i++) {
        const struct campaign_moment *moment = campaign_moment(picture->campaign, i);
        if (moment->host == index)
            put_mark(picture, moment, top + MARK_AT);
    }
}

/* All hosts that have no lane of their own. */
static void put_others(struct picture *picture, const bool laned[CAMPAIGN_HOSTS_MAX], uint32_t lanes, int top)
{
    char number[SCAN_LOG_WORD_SIZE], words[SCAN_LOG_WORD_SIZE];

    (void)scan_log_number(picture->campaign->host_total - lanes, number);
    const int len = snprintf(words, sizeof words, "%.40s more hosts", number);
    put_words(picture, top + 12, slice_of(words, (size_t)len));
    put_ground(picture, top + MARK_AT);
    for (uint32_t i = 0; i < picture->campaign->host_count; i++)
        if (!laned[i])
            put_dot(picture, picture->campaign->hosts[i].first_ms, top + MARK_AT);
    for (uint32_t i = 0; i < picture->campaign->moment_count; i++) {
        const struct campaign_moment *moment = campaign_moment(picture->campaign, i);
        if (moment->host >= CAMPAIGN_HOSTS_MAX || !laned[moment->host])
            put_mark(picture, moment, top + MARK_AT);
    }
}

/* --- the axis ------------------------------------------------------------------------------------------ */

/* The widest round step that gives three to six ticks. */
static int64_t tick_step(int64_t whole_ms)
{
    static const int64_t seconds[] = {1,   2,    5,    10,   15,    30,    60,    120,    300,
                                      600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800};

    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (whole_ms / (seconds[i] * 1000) <= 5)
            return seconds[i] * 1000;
    return whole_ms / 5;
}

/* Days where it takes days, else the clock. */
static void put_axis(struct picture *picture, int height)
{
    const int64_t whole = picture->to_ms - picture->from_ms, step = tick_step(whole);
    char time[SCAN_LOG_WORD_SIZE];

    for (int64_t at = picture->from_ms - picture->from_ms % step + step; at < picture->to_ms; at += step) {
        const struct slice text = scan_log_time(at, time);
        const double x = share(picture, at);
        (void)buf_add_format(picture->out,
                             "<line class=\"tick\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"%d\"/>\n"
                             "<text x=\"%.3f%%\" y=\"%d\" text-anchor=\"%s\">%.*s</text>\n",
                             x, x, height, x, height + 14,
                             x < 8    ? "start"
                             : x > 92 ? "end"
                                      : "middle",
                             SLICE_ARGS(step >= 86400000 ? slice_head(text, 10) : slice_from(text, 11)));
    }
}

/* Which hosts have a lane; returns how many. */
static uint32_t lanes_choose(const struct campaign *campaign, bool ret_laned[CAMPAIGN_HOSTS_MAX])
{
    const uint32_t most = campaign->host_total > LANES_MAX ? LANES_FEW : LANES_MAX;
    uint32_t lanes = 0;

    memset(ret_laned, 0, CAMPAIGN_HOSTS_MAX);
    for (; lanes < most && lanes < campaign->host_count; lanes++) {
        uint32_t best = CAMPAIGN_HOSTS_MAX;
        for (uint32_t i = 0; i < campaign->host_count; i++)
            if (!ret_laned[i] &&
                (best == CAMPAIGN_HOSTS_MAX || campaign->hosts[i].attempts > campaign->hosts[best].attempts))
                best = i;
        ret_laned[best] = true;
    }
    return lanes;
}

void scan_log_picture(const struct campaign *campaign, struct buf *out)
{
    struct picture picture = {campaign, out, campaign->first_ms - 1000, campaign->last_ms + 1000};
    bool laned[CAMPAIGN_HOSTS_MAX];
    const uint32_t lanes = lanes_choose(campaign, laned);
    const bool others = campaign->host_total > lanes;
    const int height = (int)(lanes + others) * LANE_HEIGHT;
    int top = 0;

    (void)buf_add_format(out,
                         "<figure>\n<svg role=\"img\" aria-label=\"When each host tried\" height=\"%d\">\n",
                         height + AXIS_HEIGHT);
    put_axis(&picture, height);
    for (uint32_t i = 0; i < campaign->host_count; i++)
        if (laned[i]) {
            put_lane(&picture, i, top);
            top += LANE_HEIGHT;
        }
    if (others)
        put_others(&picture, laned, lanes, top);
    put(&picture, "</svg>\n");
    if (campaign->attempts > campaign->moment_count)
        (void)buf_add_format(
            out,
            "<figcaption>Of %u attempts the first and the latest have marks; small dots are each "
            "host's first and last.</figcaption>\n",
            campaign->attempts);
    put(&picture, "</figure>\n");
}
