#include "watch/export_part.h"

#include "base/memory.h"

/* An allowance before the entry of the same network, for it beats it. */
static int by_address(const void *a, const void *b)
{
    const struct export_entry *one = *(const struct export_entry *const *)a;
    const struct export_entry *other = *(const struct export_entry *const *)b;
    const struct prefix *left = &one->address, *right = &other->address;

    if (left->network.family != right->network.family)
        return left->network.family < right->network.family ? -1 : 1;
    const int order = memcmp(left->network.octets, right->network.octets,
                             left->network.family == ADDRESS_IPV6 ? 16 : 4);
    if (order || left->bits != right->bits)
        return order ? order : (left->bits > right->bits) - (left->bits < right->bits);
    return (int)other->allowed - (int)one->allowed;
}

static bool is_within(const struct export_entry *entry, const struct export_entry *wider)
{
    return wider && prefix_contains(&wider->address, &entry->address.network);
}

static bool is_same(const struct export_entry *entry, const struct export_entry *other)
{
    return other && other->address.bits == entry->address.bits && is_within(entry, other);
}

/* Prefixes are disjoint or within each other, and what is within another follows it: so the widest one that
 * is told, and the widest allowance, are all there is to look at. */
static void sorted_choose(const struct export_entry *const *sorted, size_t count,
                          struct export_choice *choice)
{
    const struct export_entry *told = NULL, *allowed = NULL, *before = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct export_entry *entry = sorted[i];
        if (is_within(entry, allowed))
            continue;
        if (entry->allowed) {
            allowed = entry;
            if (is_within(entry, told))
                choice->exceptions[choice->exception_count++] = entry;
            continue;
        }
        if (is_same(entry, before))
            continue;
        before = entry;
        if (!is_within(entry, told))
            told = entry;
        choice->entries[choice->count++] = entry;
    }
}

void export_choose(const struct export_entry *entries, size_t count, int64_t now_ms,
                   struct export_choice *ret_choice)
{
    const struct export_entry **sorted = memory_take(count * sizeof *sorted);
    size_t live = 0;

    *ret_choice = (struct export_choice){.entries = memory_take(count * sizeof *sorted),
                                         .exceptions = memory_take(count * sizeof *sorted),
                                         .room = count};
    for (size_t i = 0; i < count; i++)
        if (!entries[i].expires_ms || entries[i].expires_ms > now_ms)
            sorted[live++] = &entries[i];
    memory_sort(sorted, live, sizeof *sorted, by_address);
    sorted_choose(sorted, live, ret_choice);
    memory_give(sorted, count * sizeof *sorted);
}

/* The first exception behind the beginning of the prefix, or at it. */
static size_t first_from(const struct export_choice *choice, const struct prefix *prefix)
{
    const struct export_entry entry = {.address = {prefix->network, 0}}, *at = &entry;
    size_t low = 0, high = choice->exception_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (by_address(&choice->exceptions[middle], &at) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool export_choice_excepts(const struct export_choice *choice, const struct prefix *prefix)
{
    const size_t next = first_from(choice, prefix);

    for (size_t i = next ? next - 1 : 0; i <= next && i < choice->exception_count; i++) {
        const struct prefix *exception = &choice->exceptions[i]->address;
        if (exception->bits <= prefix->bits && prefix_contains(exception, &prefix->network))
            return true;
    }
    return false;
}

bool export_choice_parts(const struct export_choice *choice, const struct prefix *prefix)
{
    const size_t next = first_from(choice, prefix);

    return next < choice->exception_count &&
           prefix_contains(prefix, &choice->exceptions[next]->address.network);
}

void export_choice_drop(struct export_choice *choice)
{
    memory_give(choice->entries, choice->room * sizeof *choice->entries);
    memory_give(choice->exceptions, choice->room * sizeof *choice->exceptions);
}
