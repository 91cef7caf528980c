#include "base/wheel.h"

#include <string.h>

#define SLOTS     (1U << WHEEL_BITS)
#define SLOT_MASK (SLOTS - 1U)
#define LEVEL_TOP (WHEEL_LEVELS - 1)

/* A timer stands on the lowest level whose slots still tell its due time from now: on level L slots are
 * 64^L ms wide. As time reaches a slot above level 0, its timers are set again and sink. Below the top,
 * a slot that is not empty always lies ahead of now within the turn of now; the top level alone is a ring. A
 * timer too far for the ring stands in its farthest slot and is set again from there. */

static unsigned level_shift(unsigned level)
{
    return level * WHEEL_BITS;
}

static unsigned level_of(const struct wheel *wheel, uint64_t due_ms)
{
    const uint64_t differs = due_ms ^ wheel->now_ms;
    const unsigned bit = differs ? 63U - (unsigned)__builtin_clzll(differs) : 0;
    const unsigned level = bit / WHEEL_BITS;

    return level < LEVEL_TOP ? level : LEVEL_TOP;
}

static void place(struct wheel *wheel, struct timer *timer, uint64_t due_ms)
{
    if (due_ms < wheel->now_ms)
        due_ms = wheel->now_ms;
    const unsigned level = level_of(wheel, due_ms);
    uint64_t turn = due_ms >> level_shift(level);

    if (level == LEVEL_TOP && turn - (wheel->now_ms >> level_shift(level)) > SLOT_MASK)
        turn = (wheel->now_ms >> level_shift(level)) + SLOT_MASK;
    const unsigned slot = (unsigned)turn & SLOT_MASK;
    list_add_last(&wheel->slots[level][slot], &timer->link);
    wheel->busy[level] |= UINT64_C(1) << slot;
}

static void unplace(struct wheel *wheel, struct timer *timer)
{
    struct link *head = timer->link.next;
    const bool was_last = head == timer->link.prev;

    list_remove(&timer->link);
    if (!was_last)
        return;
    const size_t index = (size_t)(head - &wheel->slots[0][0]);
    wheel->busy[index / SLOTS] &= ~(UINT64_C(1) << (index % SLOTS));
}

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->now_ms = now_ms;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
}

void wheel_set(struct wheel *wheel, struct timer *timer, uint64_t due_ms)
{
    wheel_clear(wheel, timer);
    timer->due_ms = due_ms ? due_ms : 1; /* 0 would say that it is not set */
    place(wheel, timer, due_ms);
    wheel->count++;
}

void wheel_clear(struct wheel *wheel, struct timer *timer)
{
    if (timer->due_ms == 0)
        return;
    unplace(wheel, timer);
    timer->due_ms = 0;
    wheel->count--;
}

/* When the first slot that is not empty begins, and which it is; the lowest level comes first. */
static uint64_t first_busy(const struct wheel *wheel, unsigned *ret_level, unsigned *ret_slot)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        const uint64_t busy = wheel->busy[level];
        const uint64_t turn = wheel->now_ms >> level_shift(level);
        const unsigned here = (unsigned)turn & SLOT_MASK;

        if (busy == 0)
            continue;
        const uint64_t ahead = here ? busy >> here | busy << (SLOTS - here) : busy;
        const unsigned steps = (unsigned)__builtin_ctzll(ahead);
        *ret_level = level;
        *ret_slot = (here + steps) & SLOT_MASK;
        return (turn + steps) << level_shift(level);
    }
    return UINT64_MAX;
}

/* Sets the timers of a slot that time has reached again: each sinks at least one level, or, when it was too
 * far for the ring, goes round. */
static void sink(struct wheel *wheel, unsigned level, unsigned slot)
{
    struct link *head = &wheel->slots[level][slot];
    struct link waiting;

    list_init(&waiting);
    while (!list_is_empty(head)) {
        struct link *link = head->next;
        list_remove(link);
        list_add_last(&waiting, link);
    }
    wheel->busy[level] &= ~(UINT64_C(1) << slot);
    while (!list_is_empty(&waiting)) {
        struct timer *timer = LIST_OF(waiting.next, struct timer, link);
        list_remove(&timer->link);
        place(wheel, timer, timer->due_ms);
    }
}

struct timer *wheel_expired(struct wheel *wheel, uint64_t now_ms)
{
    unsigned level = 0;
    unsigned slot = 0;

    if (now_ms < wheel->now_ms)
        now_ms = wheel->now_ms;
    while (wheel->count) {
        const uint64_t begins_ms = first_busy(wheel, &level, &slot);

        if (begins_ms > now_ms)
            break;
        wheel->now_ms = begins_ms;
        if (level == 0) {
            struct timer *timer = LIST_OF(wheel->slots[0][slot].next, struct timer, link);
            wheel_clear(wheel, timer);
            return timer;
        }
        sink(wheel, level, slot);
    }
    wheel->now_ms = now_ms;
    return NULL;
}

uint64_t wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms)
{
    unsigned level;
    unsigned slot;

    if (wheel->count == 0)
        return UINT64_MAX;
    const uint64_t begins_ms = first_busy(wheel, &level, &slot);
    return begins_ms > now_ms ? begins_ms - now_ms : 0;
}
