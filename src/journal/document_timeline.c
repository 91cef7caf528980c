/* Who waited for whom, as a picture: a lane for each, time from left to right. Positions are percentages, so
 * that its words keep their size however wide the page is. */
#include "journal/document.h"

#include "journal/words.h"

#define LANE_HEIGHT 36
#define BAR_TOP     16
#define BAR_HEIGHT  14
#define STEPS       500 /* what lies closer together than a step is drawn as one */

struct picture {
    const struct document *document;
    struct buf *out;
    int64_t from_us, to_us;
    bool whole;
};

static const char *const lane_names[DOCUMENT_LANE_COUNT] = {
    [DOCUMENT_LANE_CLIENT] = "we waited for the client",
    [DOCUMENT_LANE_GATE] = "the client waited for us",
    [DOCUMENT_LANE_QUESTION] = "we waited for answers (DNS, store, server behind)",
};

static void put(struct picture *picture, const char *html)
{
    picture->whole = buf_add(picture->out, slice_text(html)) && picture->whole;
}

static void put_text(struct picture *picture, const char *text)
{
    picture->whole = document_html_text(picture->out, slice_text(text)) && picture->whole;
}

/* Thousandths of a per cent, without floating point. */
static void put_share(struct picture *picture, int64_t part_us)
{
    const int64_t whole = picture->to_us - picture->from_us;
    const int64_t share = (int64_t)((double)part_us / (double)whole * 100000.0);
    picture->whole = buf_add_format(picture->out, "%lld.%03lld%%", (long long)(share / 1000),
                                    (long long)(share % 1000)) &&
                     picture->whole;
}

#define TIME_SIZE JOURNAL_DURATION_SIZE

static void print_time(int64_t us, char text[TIME_SIZE])
{
    journal_duration(us > 0 ? (uint64_t)us / 1000 : 0, text);
}

/* --- bars ---------------------------------------------------------------------------------------------- */

static void put_bar(struct picture *picture, enum document_lane lane, const struct document_span *span,
                    unsigned merged)
{
    char time[TIME_SIZE];
    put(picture, "<rect class=\"lane-");
    put(picture, document_lane_word(lane));
    put(picture, "\" x=\"");
    put_share(picture, span->from_us - picture->from_us);
    put(picture, "\" width=\"");
    put_share(picture, span->to_us - span->from_us);
    picture->whole = buf_add_format(picture->out, "\" y=\"%d\" height=\"%d\"",
                                    (int)lane * LANE_HEIGHT + BAR_TOP, BAR_HEIGHT) &&
                     picture->whole;
    /* A short wait would be too narrow to be seen. */
    if ((span->to_us - span->from_us) * 300 < picture->to_us - picture->from_us)
        put(picture, " style=\"width:2px\"");
    put(picture, "><title>");
    picture->whole = document_html_text(picture->out, span->label) && picture->whole;
    if (merged && !buf_add_format(picture->out, " and %u more", merged))
        picture->whole = false;
    print_time(span->to_us - span->from_us, time);
    put(picture, ": ");
    put(picture, time);
    put(picture, "</title></rect>\n");
}

static void put_bars(struct picture *picture, enum document_lane lane)
{
    const struct document *document = picture->document;
    const int64_t step = (picture->to_us - picture->from_us) / STEPS;
    struct document_span bar = {0};
    bool open = false;
    unsigned merged = 0;
    for (size_t i = 0; i < document->span_count; i++) {
        const struct document_span *span = &document->spans[i];
        if (span->lane != lane)
            continue;
        if (open && span->from_us - bar.to_us < step) {
            bar.to_us = span->to_us > bar.to_us ? span->to_us : bar.to_us;
            merged++;
            continue;
        }
        if (open)
            put_bar(picture, lane, &bar, merged);
        bar = *span;
        open = true;
        merged = 0;
    }
    if (open)
        put_bar(picture, lane, &bar, merged);
}

/* What overlaps is counted once: spans of a lane come in the order of their beginnings. */
static int64_t lane_total(const struct document *document, enum document_lane lane)
{
    int64_t total = 0, until = INT64_MIN;
    for (size_t i = 0; i < document->span_count; i++) {
        const struct document_span *span = &document->spans[i];
        if (span->lane != lane || span->to_us <= until)
            continue;
        total += span->to_us - (span->from_us > until ? span->from_us : until);
        until = span->to_us;
    }
    return total;
}

static bool lane_used(const struct document *document, enum document_lane lane)
{
    for (size_t i = 0; i < document->span_count; i++)
        if (document->spans[i].lane == lane)
            return true;
    return false;
}

static void put_lane(struct picture *picture, enum document_lane lane)
{
    char time[TIME_SIZE];
    const char *name = picture->document->lanes[lane];
    const int top = (int)lane * LANE_HEIGHT;
    picture->whole = buf_add_format(picture->out, "<text x=\"0\" y=\"%d\">", top + BAR_TOP - 4) &&
                     picture->whole;
    put_text(picture, name ? name : lane_names[lane]);
    print_time(lane_total(picture->document, lane), time);
    put(picture, ": ");
    put(picture, time);
    picture->whole = buf_add_format(
                         picture->out,
                         "</text>\n<rect class=\"ground\" x=\"0\" width=\"100%%\" y=\"%d\" height=\"%d\"/>\n",
                         top + BAR_TOP, BAR_HEIGHT) &&
                     picture->whole;
    put_bars(picture, lane);
}

/* --- the axis ------------------------------------------------------------------------------------------ */

/* The widest round step that gives three to eight ticks. */
static int64_t tick_step(int64_t whole_us)
{
    static const int64_t seconds[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600};
    for (int64_t unit = 1; unit < 1000000; unit *= 10)
        for (int64_t by = 1; by <= 5; by = by == 1 ? 2 : by == 2 ? 5 : 10)
            if (whole_us / (unit * by) <= 5)
                return unit * by;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (whole_us / (seconds[i] * 1000000) <= 5)
            return seconds[i] * 1000000;
    return whole_us / 4;
}

static void put_axis(struct picture *picture, int top)
{
    const int64_t whole = picture->to_us - picture->from_us, step = tick_step(whole);
    char time[TIME_SIZE];
    for (int64_t at = 0; at <= whole; at += step) {
        put(picture, "<line class=\"tick\" y1=\"16\" x1=\"");
        put_share(picture, at);
        put(picture, "\" x2=\"");
        put_share(picture, at);
        picture->whole = buf_add_format(picture->out, "\" y2=\"%d\"/>\n<text y=\"%d\" x=\"", top, top + 13) &&
                         picture->whole;
        put_share(picture, at);
        put(picture, at == 0                   ? "\">"
                     : at > whole - whole / 12 ? "\" text-anchor=\"end\">"
                                               : "\" text-anchor=\"middle\">");
        print_time(at, time);
        put(picture, at ? time : "0");
        put(picture, "</text>\n");
    }
}

bool document_timeline(const struct document *document, struct buf *out)
{
    const uint32_t before = out->len;
    struct picture picture = {document, out, INT64_MAX, INT64_MIN, true};
    for (size_t i = 0; i < document->span_count; i++) {
        const struct document_span *span = &document->spans[i];
        picture.from_us = span->from_us < picture.from_us ? span->from_us : picture.from_us;
        picture.to_us = span->to_us > picture.to_us ? span->to_us : picture.to_us;
    }
    if (picture.to_us <= picture.from_us)
        return true;
    const int lanes = lane_used(document, DOCUMENT_LANE_QUESTION) ? 3 : 2, height = lanes * LANE_HEIGHT;
    put(&picture, "<figure>\n<svg role=\"img\" aria-label=\"Who waited for whom\" ");
    picture.whole = buf_add_format(out, "height=\"%d\">\n", height + 18) && picture.whole;
    put_axis(&picture, height);
    for (int lane = 0; lane < lanes; lane++)
        put_lane(&picture, (enum document_lane)lane);
    put(&picture, "</svg>\n<figcaption>Who waited for whom, from the first to the last octet.</figcaption>\n"
                  "</figure>\n");
    if (!picture.whole)
        out->len = before;
    return picture.whole;
}
