#include "journal/render_stats.h"

#include "base/calendar.h"
#include "wire/json.h"

#include <stdio.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

uint64_t stats_value(const struct stats_view *view, unsigned number, enum stats_column column)
{
    switch (column) {
    case STATS_TOTAL: return view->total[number];
    case STATS_HOUR: return view->hour[number];
    case STATS_SIXTY: return view->sixty[number];
    case STATS_COLUMNS: break;
    }
    return 0;
}

/* Octets of many years times 10,000 are more than 64 bits hold. */
uint64_t stats_percent(const struct stats_view *view, unsigned number, enum stats_column column)
{
    struct stat_info info;
    if (!stat_info(number, &info))
        return 0;
    uint64_t part = stats_value(view, number, column);
    uint64_t whole = stats_value(view, stat_base(info.section), column);
    if (!whole)
        return 0;
    return (uint64_t)(((unsigned __int128)part * 10000 + whole / 2) / whole);
}

struct slice stats_percent_print(uint64_t hundredths, char text[STATS_PERCENT_SIZE])
{
    int len = snprintf(text, STATS_PERCENT_SIZE, "%llu.%02llu", (unsigned long long)(hundredths / 100),
                       (unsigned long long)(hundredths % 100));
    return slice_of(text, (size_t)len);
}

/* --- lines ---------------------------------------------------------------------------------------------- */

bool render_stats_head(const struct stats_view *view, struct slice version, struct buf *out)
{
    char since[CALENDAR_TEXT_SIZE] = "";
    int64_t seconds = view->since_us ? (view->now_us - view->since_us) / 1000000 : 0;
    unsigned long long age = seconds > 0 ? (unsigned long long)seconds : 0;
    if (view->since_us)
        calendar_print_mail(view->since_us / 1000000, view->zone_minutes, since);
    return buf_add_format(out, "214-2.0.0 postern/%.*s\n214-2.0.0 start-time=%s\n", SLICE_ARGS(version),
                          since) &&
           buf_add_format(out, "214-2.0.0 age=%llu (%02llu %02llu:%02llu:%02llu)\n", age, age / DAY_S,
                          age % DAY_S / HOUR_S, age % HOUR_S / MINUTE_S, age % MINUTE_S);
}

bool render_stats_line(const struct stats_view *view, unsigned number, struct buf *out)
{
    struct stat_info info;
    size_t start = out->len;
    bool added = stat_info(number, &info) && buf_add_format(out, "214-2.0.0 %03u %s=", number, info.name);
    for (unsigned i = 0; i < STATS_COLUMNS && added; i++) {
        char percent[STATS_PERCENT_SIZE];
        enum stats_column column = (enum stats_column)i;
        stats_percent_print(stats_percent(view, number, column), percent);
        added = buf_add_format(out, "%s%llu %s%%", i ? "; " : "",
                               (unsigned long long)stats_value(view, number, column), percent);
    }
    if (added && buf_add_octet(out, '\n'))
        return true;
    out->len = (uint32_t)start;
    return false;
}

bool render_stats_end(struct buf *out)
{
    return buf_add(out, SLICE("214 2.0.0 end\n"));
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static void put_column(struct json *json, const struct stats_view *view, unsigned number,
                       enum stats_column column)
{
    static const char *const counts[] = {"total", "hour", "sixty_minutes"};
    static const char *const percents[] = {"total_percent", "hour_percent", "sixty_minutes_percent"};
    json_put_u64(json, counts[column], stats_value(view, number, column));
    json_key(json, percents[column]);
    json_decimal(json, (int64_t)stats_percent(view, number, column), 2);
}

bool render_stats_json(const struct stats_view *view, unsigned number, struct buf *out)
{
    struct stat_info info;
    struct json json;
    if (!stat_info(number, &info))
        return false;
    json_begin(&json, out);
    json_object_open(&json);
    json_put_u64(&json, "number", number);
    json_put_text(&json, "name", slice_text(info.name));
    json_put_text(&json, "section", slice_text(stat_section_word(info.section)));
    for (unsigned i = 0; i < STATS_COLUMNS; i++)
        put_column(&json, view, number, (enum stats_column)i);
    json_object_close(&json);
    return json_end(&json);
}

static void put_time(struct json *json, const char *key, int64_t unix_us, int zone_minutes)
{
    char text[CALENDAR_TEXT_SIZE] = "";
    size_t len = unix_us ? calendar_print_iso(unix_us / 1000, zone_minutes, text) : 0;
    json_put_text(json, key, slice_of(text, len));
}

bool render_stats_json_head(const struct stats_view *view, struct slice version, struct buf *out)
{
    struct json json;
    json_begin(&json, out);
    json_object_open(&json);
    json_put_text(&json, "version", version);
    put_time(&json, "since", view->since_us, view->zone_minutes);
    put_time(&json, "time", view->now_us, view->zone_minutes);
    json_object_close(&json);
    return json_end(&json);
}
