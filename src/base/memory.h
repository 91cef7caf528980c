/* The one door to the allocator. Allocation never returns NULL: a process that cannot get memory ends, its
 * work is on disk or the client's to retry, and `guard` refuses sessions long before (a byte budget).
 *
 * Every octet taken here is counted, for that budget: the count is per process, atomic, and read by the
 * guard. It is the only mutable global of the pure floors. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *memory_take(size_t size); /* zeroed */
/* at may be NULL (size_old 0). What is added is not zeroed. A new size of 0 gives it back and returns NULL.
 */
void *memory_resize(void *at, size_t size_old, size_t size_new);
void memory_give(void *at, size_t size); /* at may be NULL; size as taken */
size_t memory_in_use(void);              /* octets */

/* qsort; at may be NULL where count is 0, as a list is that never had an item. */
void memory_sort(void *at, size_t count, size_t size, int (*order)(const void *left, const void *right));

#endif
