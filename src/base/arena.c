#include "base/arena.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALIGNMENT      8U
#define CHUNK_SIZE_MIN 512U
#define CHUNK_SIZE_MAX 65536U

struct arena_chunk {
    struct arena_chunk *next;
    uint32_t size;      /* with this head */
    uint32_t size_next; /* of the chunk that comes after it */
    _Alignas(ALIGNMENT) char octets[];
};

static void start_first(struct arena *arena)
{
    arena->next = arena->first;
    arena->end = arena->first ? arena->first + arena->first_size : NULL;
}

void arena_init(struct arena *arena, void *first, size_t first_size)
{
    const size_t odd = (0 - (uintptr_t)first) % ALIGNMENT;

    memset(arena, 0, sizeof(*arena));
    if (!first || first_size <= odd)
        return;
    assert(first_size <= UINT32_MAX);
    arena->first = (char *)first + odd;
    arena->first_size = (uint32_t)((first_size - odd) / ALIGNMENT * ALIGNMENT);
    start_first(arena);
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
    assert(size <= UINT32_MAX - arena->taken);
    struct arena_chunk *chunk = memory_take(size);

    chunk->size = (uint32_t)size;
    arena->taken += chunk->size;
    return chunk;
}

static uint32_t size_next(const struct arena *arena)
{
    return arena->chunks ? arena->chunks->size_next : CHUNK_SIZE_MIN;
}

/* What is larger than half a chunk gets a chunk of its own behind the newest, so that the rest of the newest
 * stays of use. */
static void *take_alone(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_add(arena, sizeof(*chunk) + size);
    struct arena_chunk **place = arena->chunks ? &arena->chunks->next : &arena->chunks;

    chunk->size_next = size_next(arena);
    chunk->next = *place;
    *place = chunk;
    return chunk->octets;
}

static void *take_from_new_chunk(struct arena *arena, size_t size)
{
    const uint32_t chunk_size = size_next(arena);

    if (size > chunk_size / 2)
        return take_alone(arena, size);
    struct arena_chunk *chunk = chunk_add(arena, chunk_size);

    chunk->size_next = chunk_size < CHUNK_SIZE_MAX ? chunk_size * 2 : CHUNK_SIZE_MAX;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->octets + size;
    arena->end = (char *)chunk + chunk->size;
    return chunk->octets;
}

void *arena_take(struct arena *arena, size_t size)
{
    assert(size < UINT32_MAX);
    size = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    if (size > (size_t)(arena->end - arena->next))
        return take_from_new_chunk(arena, size);

    char *at = arena->next;
    arena->next += size;
    /* Chunks of the arena's own are zeroed when they come; the caller's may have been used before. */
    if (arena->first && arena->end == arena->first + arena->first_size)
        memset(at, 0, size);
    return at;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    return arena_join(arena, s, SLICE_NONE);
}

struct slice arena_join(struct arena *arena, struct slice a, struct slice b)
{
    assert(a.len < UINT32_MAX && b.len < UINT32_MAX);
    char *at = arena_take(arena, a.len + b.len + 1);

    if (a.len)
        memcpy(at, a.at, a.len);
    if (b.len)
        memcpy(at + a.len, b.at, b.len);
    return slice_of(at, a.len + b.len);
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert(len >= 0);
    if ((size_t)len < sizeof(text))
        return arena_copy(arena, slice_of(text, (size_t)len));

    char *at = arena_take(arena, (size_t)len + 1);
    va_start(arguments, format);
    vsnprintf(at, (size_t)len + 1, format, arguments);
    va_end(arguments);
    return slice_of(at, (size_t)len);
}

void arena_drop(struct arena *arena)
{
    if (!arena)
        return;
    for (struct arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        memory_give(chunk, chunk->size);
    }
    arena->chunks = NULL;
    arena->taken = 0;
    start_first(arena);
}
