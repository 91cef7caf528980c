/* Statistics and states in the text format that Prometheus reads (version 0.0.4): counters by finding,
 * verdict, reply and question, histograms of times, and what the caller knows of the present: connections,
 * queue, memory. Times are in seconds, sizes in bytes; all names begin with postern_. */
#ifndef JOURNAL_RENDER_METRICS_H
#define JOURNAL_RENDER_METRICS_H

#include "base/buf.h"
#include "journal/stats.h"

#define METRICS_TYPE   "text/plain; version=0.0.4; charset=utf-8" /* the Content-Type of it */

#define METRICS_LABELS 2

/* One state or count of the present. Samples with the same name are of one kind and share its help. */
struct metrics_sample {
    const char *name; /* "connections": [a-z_]; of counters it ends in _total */
    const char *help;
    bool is_counter; /* it only grows, but for restarts; else a gauge */
    struct {
        const char *key;    /* [a-z_]; NULL: there is none */
        struct slice value; /* any octets: what is no printable text becomes ? */
    } labels[METRICS_LABELS];
    uint64_t value; /* in units of 10^-decimals */
    unsigned decimals;
};

struct metrics {
    const struct stats_view *view;
    struct slice version;
    const struct metrics_sample *samples;
    size_t sample_count;
};

/* False: the buf's maximum; nothing was added. Some 60 kB. */
bool render_metrics(const struct metrics *metrics, struct buf *out);

#endif
