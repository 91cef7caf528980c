/* An arena hands out memory that is given back all at once: for one command, one mail, one session.
 *
 * The first chunk may be memory of the caller's (inside its struct), so that a small life allocates nothing.
 * Later chunks double up to 64 KiB. Nothing taken is ever freed alone. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
    char *next; /* where the next take begins */
    char *end;
    char *first; /* the caller's chunk, or NULL */
    uint32_t first_size;
    uint32_t taken;             /* octets in chunks of its own */
    struct arena_chunk *chunks; /* the newest first */
};

void arena_init(struct arena *arena, void *first, size_t first_size); /* first may be NULL, 0 */
void *arena_take(struct arena *arena, size_t size);                   /* zeroed, aligned to 8 */
struct slice arena_copy(struct arena *arena,
                        struct slice s); /* also terminated with a NUL outside its length */
struct slice arena_join(struct arena *arena, struct slice a, struct slice b);
struct slice arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Gives everything back; the arena is as after arena_init and may be used again. NULL is taken. */
void arena_drop(struct arena *arena);

#endif
