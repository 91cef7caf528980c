/* What it costs to look an address up in files in MaxMind's format: IPv4 addresses all over the net, one
 * after the other, from the question to the text of the answer.
 *
 * usage: bench-origin LOOKUPS FILE ... */
#include "base/random.h"
#include "base/text.h"
#include "io/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define FILES_MAX 4

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void opened(void *data, struct slice file, const struct error *error)
{
    (void)data;
    if (error)
        fprintf(stderr, "bench-origin: %.*s %s\n", SLICE_ARGS(file), error->text);
}

static void measure(struct origins *origins, uint64_t lookups)
{
    struct origin_waiter waiter;
    struct resolver_answer answer;
    struct random random = {.state = 1};
    uint64_t found = 0;
    const uint64_t begin = nanoseconds();
    for (uint64_t i = 0; i < lookups; i++) {
        const uint32_t octets = (uint32_t)random_next(&random);
        const struct address address = address_from_octets(ADDRESS_IPV4, (const uint8_t *)&octets, 0);
        (void)origins_ask(origins, &address, &waiter, &answer);
        found += answer.status == ANSWER_FOUND;
    }
    const uint64_t took = nanoseconds() - begin;
    printf("%" PRIu64 " lookups, %" PRIu64 " found, %" PRIu64 " ns each\n", lookups, found, took / lookups);
}

int main(int count, char **arguments)
{
    struct slice files[FILES_MAX];
    struct origins_settings settings = {.files = files, .tell = opened};
    uint64_t lookups;
    if (count < 3 || count > 2 + FILES_MAX || !text_parse_u64(slice_text(arguments[1]), &lookups) ||
        !lookups) {
        fprintf(stderr, "usage: bench-origin LOOKUPS FILE ...\n");
        return 2;
    }
    for (int i = 2; i < count; i++)
        files[settings.file_count++] = slice_text(arguments[i]);
    struct origins *origins = origins_open(&settings);
    measure(origins, lookups);
    origins_close(origins);
    return 0;
}
