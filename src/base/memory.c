#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* glibc's calloc passes by the cache in front of the heap; malloc takes from it what is small. */
#define SMALL 1024U

static size_t octets_in_use;

static void count(size_t more, size_t less)
{
    __atomic_fetch_add(&octets_in_use, more - less, __ATOMIC_RELAXED);
}

void *memory_take(size_t size)
{
    void *at = size <= SMALL ? malloc(size ? size : 1) : calloc(1, size);

    if (!at)
        abort();
    if (size <= SMALL)
        memset(at, 0, size);
    count(size, 0);
    return at;
}

void *memory_resize(void *at, size_t size_old, size_t size_new)
{
    if (size_new == 0) {
        memory_give(at, size_old);
        return NULL;
    }
    at = realloc(at, size_new);
    if (!at)
        abort();
    count(size_new, size_old);
    return at;
}

void memory_give(void *at, size_t size)
{
    if (!at)
        return;
    free(at);
    count(0, size);
}

size_t memory_in_use(void)
{
    return __atomic_load_n(&octets_in_use, __ATOMIC_RELAXED);
}

void memory_sort(void *at, size_t count, size_t size, int (*order)(const void *left, const void *right))
{
    if (count > 1)
        qsort(at, count, size, order);
}
