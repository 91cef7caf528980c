/* What Prometheus shows of the present: the answers of supervisor, courier and keeper to the command status,
 * as samples for journal/render_metrics.h. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "base/arena.h"
#include "journal/render_metrics.h"

struct metrics_status {
    struct arena arena; /* of the labels */
    struct metrics_sample *samples;
    size_t count, room;
};

void metrics_status_init(struct metrics_status *status);
/* One line of an answer. What is not known in it, or is no JSON, adds nothing. */
void metrics_status_add(struct metrics_status *status, struct slice json);
void metrics_status_drop(struct metrics_status *status);

#endif
