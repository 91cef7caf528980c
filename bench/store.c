/* Whether the store slows down as it grows: touches, counts and values under as many keys as asked for, in
 * batches as the keeper applies them, and after each tenth of them the cost of a tell, of a look-up and of a
 * tick's sweep, and the size on disk. Half of the tells are for keys that are there already.
 *
 * usage: bench-store FOLDER KEYS */
#include "base/random.h"
#include "io/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH      4096
#define LOOKS      100000
#define SWEEP_MOST 2000
#define START_MS   INT64_C(1784860556000)
#define DAY_MS     INT64_C(86400000)

static double us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Keys as the checks make them, spread all over the store. */
static struct slice key_make(uint64_t number, char text[96])
{
    struct random mix = {number};
    unsigned long long spread = (unsigned long long)random_next(&mix);
    int len;
    if (number % 3 == 0)
        len = snprintf(text, 96, "grey host-%llu.example a%llu@far.example joe@example.org", spread % 100000,
                       spread);
    else if (number % 3 == 1)
        len = snprintf(text, 96, "rate network %llu.%llu.%llu.0/24 %llu", spread % 223, spread / 223 % 256,
                       spread / 57088 % 256, (unsigned long long)number);
    else
        len = snprintf(text, 96, "known %llx.example", spread);
    return slice_of(text, (size_t)len);
}

static struct store_write write_make(uint64_t number, struct slice key)
{
    static const enum store_verb verbs[] = {STORE_SEEN, STORE_ADD, STORE_PUT};
    return (struct store_write){.verb = verbs[number % 3],
                                .key = key,
                                .value = SLICE("1"),
                                .expires_unix_ms = START_MS + 36 * DAY_MS,
                                .at_unix_ms = START_MS + (int64_t)number};
}

struct bench {
    struct store *store;
    struct random random;
    uint64_t keys; /* so far */
};

static int apply(struct bench *bench, uint64_t more)
{
    static char texts[BATCH][96];
    static struct store_write writes[BATCH];
    struct error error;
    for (uint64_t until = bench->keys + more; bench->keys < until;) {
        for (size_t i = 0; i < BATCH; i++) {
            bool old = i % 2 && bench->keys;
            uint64_t number = old ? random_below(&bench->random, bench->keys) : bench->keys++;
            writes[i] = write_make(number, key_make(number, texts[i]));
        }
        struct store_stream stream = {SLICE("gate-0"), {1, (uint32_t)bench->keys}};
        if (store_apply(bench->store, &(struct store_batch){writes, BATCH, &stream, 1}, &error) < 0) {
            fprintf(stderr, "bench-store: %s\n", error.text);
            return -1;
        }
    }
    return 0;
}

static void look(struct bench *bench)
{
    char text[96];
    struct store_touches seen;
    struct slice value;
    uint64_t count;
    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t number = random_below(&bench->random, bench->keys);
        struct slice key = key_make(number, text);
        enum store_status status;
        if (number % 3 == 0)
            status = store_seen(bench->store, key, START_MS, &seen, NULL);
        else if (number % 3 == 1)
            status = store_count(bench->store, key, START_MS, &count, NULL);
        else
            status = store_get(bench->store, key, START_MS, &value, NULL);
        if (status != STORE_FOUND)
            abort();
    }
}

static int tenth(struct bench *bench, uint64_t more)
{
    struct store_counts counts = {0};
    uint64_t before = bench->keys;
    double start = us(CLOCK_MONOTONIC), start_cpu = us(CLOCK_PROCESS_CPUTIME_ID);
    if (apply(bench, more) < 0)
        return -1;
    double applied = us(CLOCK_MONOTONIC), applied_cpu = us(CLOCK_PROCESS_CPUTIME_ID);
    look(bench);
    double looked = us(CLOCK_MONOTONIC), looked_cpu = us(CLOCK_PROCESS_CPUTIME_ID);
    if (store_sweep(bench->store, START_MS, SWEEP_MOST, NULL) < 0)
        return -1;
    double swept = us(CLOCK_MONOTONIC);
    store_counts(bench->store, &counts, NULL);
    double tells = (double)(2 * (bench->keys - before));
    printf("%9llu keys: %6.2f us a tell (%5.2f us of the processor), %5.2f us (%4.2f us) a look-up, "
           "%5.0f us a sweep of %d, %7.1f MiB\n",
           (unsigned long long)counts.entries, (applied - start) / tells, (applied_cpu - start_cpu) / tells,
           (looked - applied) / LOOKS, (looked_cpu - applied_cpu) / LOOKS, swept - looked, SWEEP_MOST,
           (double)counts.octets / 1048576);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct bench bench = {.random = {42}};
    unsigned long long keys = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (!keys) {
        fprintf(stderr, "usage: bench-store FOLDER KEYS\n");
        return 64;
    }
    struct store_lmdb_settings settings = {.folder = slice_text(argv[1]), .writer = true};
    if (store_lmdb_open(&settings, &bench.store, &error) < 0) {
        fprintf(stderr, "bench-store: %s\n", error.text);
        return 1;
    }
    int status = 0;
    for (unsigned i = 0; i < 10 && status == 0; i++)
        status = tenth(&bench, keys / 10);
    store_close(bench.store);
    return status ? 1 : 0;
}
