/* Pseudo-random numbers from a seed that is an argument (SplitMix64): jitter, table seeds in tests, delays.
 * Not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0 .. limit-1; limit 0 gives 0 */

#endif
