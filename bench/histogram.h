/*
 * histogram - durations, counted in buckets that are at most 0.8 % wide
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 128 * 26 };

/* All zero is empty. */
struct histogram {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Durations past two hours count as two hours. */
void histogram_add(struct histogram *histogram, uint64_t us);

/* The duration that `share` (0 to 1) of all did not exceed, as the upper edge of its bucket; 0 if empty. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
