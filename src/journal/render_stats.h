/* Statistics as text: in the form in which SMTP servers have told theirs for long, a line each,
 *
 *   214-2.0.0 030 ehlo-no-helo=6946 63.50%; 3436 58.49%; 4658 59.32%
 *
 * with number, name, and for each column the count and what part it is of the section's first statistic; and
 * as JSON. */
#ifndef JOURNAL_RENDER_STATS_H
#define JOURNAL_RENDER_STATS_H

#include "base/buf.h"
#include "journal/stats.h"

enum stats_column { STATS_TOTAL, STATS_HOUR, STATS_SIXTY, STATS_COLUMNS };

uint64_t stats_value(const struct stats_view *view, unsigned number, enum stats_column column);
/* In hundredths of a per cent, rounded; 0 where there is nothing to relate to. */
uint64_t stats_percent(const struct stats_view *view, unsigned number, enum stats_column column);

#define STATS_PERCENT_SIZE 32
/* "63.50" */
struct slice stats_percent_print(uint64_t hundredths, char text[STATS_PERCENT_SIZE]);

/* What stands before and behind the lines: version, since when, how long. Whole lines with their LF. False:
 * the buf's maximum. */
bool render_stats_head(const struct stats_view *view, struct slice version, struct buf *out);
bool render_stats_line(const struct stats_view *view, unsigned number, struct buf *out);
bool render_stats_end(struct buf *out);

/* One object without a line end: number name section total total_percent hour hour_percent sixty_minutes
 * sixty_minutes_percent. */
bool render_stats_json(const struct stats_view *view, unsigned number, struct buf *out);
/* The object before them: version since time zone. */
bool render_stats_json_head(const struct stats_view *view, struct slice version, struct buf *out);

#endif
