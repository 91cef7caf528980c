#include "base/random.h"

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* The high half of a product is even over the limit but for a few low halves, which are drawn again. */
uint64_t random_below(struct random *random, uint64_t limit)
{
    if (limit == 0)
        return 0;

    const uint64_t uneven = (0 - limit) % limit;
    unsigned __int128 product;

    do {
        product = (unsigned __int128)random_next(random) * limit;
    } while ((uint64_t)product < uneven);
    return (uint64_t)(product >> 64);
}
