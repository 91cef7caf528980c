#include "histogram.h"

/*
 * Below 256 a bucket is one microsecond; above, each power of two has 128 buckets.
 */
enum { EXACT = 256, EXACT_BITS = 8, SUB = 128 };

static unsigned bucket_of(uint64_t us)
{
    if (us < EXACT)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us);
    unsigned shift = power - (EXACT_BITS - 1);
    unsigned bucket = EXACT + (shift - 1) * SUB + (unsigned)(us >> shift) - SUB;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < EXACT)
        return bucket;
    unsigned shift = (bucket - EXACT) / SUB + 1;
    uint64_t step = (bucket - EXACT) % SUB + SUB;
    return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    histogram->count++;
    histogram->sum_us += us;
    if (us > histogram->max_us)
        histogram->max_us = us;
    histogram->buckets[bucket_of(us)]++;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t below = 0;
    double wanted = share * (double)histogram->count;
    if (!histogram->count)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += histogram->buckets[i];
        if ((double)below >= wanted && below)
            return bucket_top(i) < histogram->max_us ? bucket_top(i) : histogram->max_us;
    }
    return histogram->max_us;
}
