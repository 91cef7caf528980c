/* The history at a size that hurts: a crowd of sessions is written over days by the journal's own writers
 * (a gate is killed once a day), the archivist's code makes the history of it and packs the journal, and
 * every field is searched for values that are frequent, rare and absent, cold (nothing of it in memory) and
 * warm, through the code that `postern sessions` runs. Prints rates, sizes and times.
 *
 * usage: bench-history [-k] FOLDER [SESSIONS [DAYS]]
 * FOLDER must not be there, and is removed at the end. With -k it stays, and one that is there is searched
 * again; a history that is missing in it is made. */
#include "base/memory.h"
#include "crowd.h"
#include "journal/archive.h"
#include "journal/finder.h"
#include "journal/packing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_US INT64_C(1781827200000000) /* 2026-06-19 */
#define DAY_US   INT64_C(86400000000)
#define WANTED   20 /* sessions that are shown */
#define ROUNDS   9

struct bench {
    char folder[1024], journal[1100], history[1100];
    uint64_t sessions, days;
    struct crowd_session first, middle, last; /* examples */
    uint64_t campaigns[2];                    /* one that many sessions belong to, one of few */
};

static double clock_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, const struct error *error)
{
    fprintf(stderr, "bench-history: %s: %s\n", what, error->text);
    exit(1);
}

/* --- sizes and the page cache -------------------------------------------------------------------------- */

static uint64_t folder_octets(const char *folder)
{
    uint64_t octets = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat stat_of;
        if (fstatat(dirfd(dir), entry->d_name, &stat_of, 0) == 0 && S_ISREG(stat_of.st_mode))
            octets += (uint64_t)stat_of.st_size;
    }
    if (dir)
        closedir(dir);
    return octets;
}

static void forget(const char *folder)
{
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)fdatasync(fd);
            (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
            close(fd);
        }
    }
    if (dir)
        closedir(dir);
}

static void print_size(const struct bench *bench, const char *what, uint64_t octets)
{
    printf("%-28s %9.1f MB  %7.1f octets a session\n", what, (double)octets / 1e6,
           (double)octets / (double)bench->sessions);
}

/* --- making it ----------------------------------------------------------------------------------------- */

/* The keeper's stream: which sessions belong to a campaign. */
struct keeper {
    struct journal_writer *writer;
    struct buf buf;
    uint64_t lost;
};

static void keeper_open(const struct bench *bench, struct keeper *keeper)
{
    struct journal_writer_settings settings = {.folder = slice_text(bench->journal),
                                               .role = SLICE("keeper"),
                                               .version = SLICE("0.1.0"),
                                               .configuration = SLICE("00ff"),
                                               .segment_octets = 64 << 20,
                                               .buffer_octets = 16 << 20};
    struct error error = {0};
    if (journal_writer_open(&settings, &keeper->writer, &error) < 0)
        fail("the keeper's journal", &error);
    buf_init(&keeper->buf, EVENT_SIZE_MAX);
    keeper->lost = 0;
}

static void keeper_joins(struct keeper *keeper, uint64_t campaign, const struct crowd_session *session)
{
    struct event_stamp stamp = {.unix_us = session->ended_us};
    event_add_campaign_joined(&keeper->buf, &stamp,
                              &(struct event_campaign_joined){.campaign = campaign, .member = session->id});
    keeper->lost += journal_writer_add(keeper->writer, buf_slice(&keeper->buf), NULL);
    buf_clear(&keeper->buf);
}

static void keeper_close(struct keeper *keeper)
{
    journal_writer_close(keeper->writer);
    buf_drop(&keeper->buf);
}

static void example_take(struct bench *bench, const struct crowd_session *session, uint64_t ended)
{
    if (!session->reply || !session->sender[0] || !session->ptr[0] || !session->helo[0] ||
        !session->finding_count || session->peer.family != ADDRESS_IPV4)
        return;
    if (!bench->first.id)
        bench->first = *session;
    if (ended < bench->sessions / 2)
        bench->middle = *session;
    bench->last = *session;
}

/* One session in five hundred belongs to the large campaign, forty in all to the small one. */
static void campaign_take(struct bench *bench, struct keeper *keeper, const struct crowd_session *session,
                          uint64_t ended)
{
    uint64_t seldom = bench->sessions / 40 ? bench->sessions / 40 : 1;
    if (ended % 500 == 0) {
        bench->campaigns[0] = bench->campaigns[0] ? bench->campaigns[0] : session->id;
        keeper_joins(keeper, bench->campaigns[0], session);
    }
    if (ended % seldom == seldom / 2) {
        bench->campaigns[1] = bench->campaigns[1] ? bench->campaigns[1] : session->id;
        keeper_joins(keeper, bench->campaigns[1], session);
    }
}

static void journal_make(struct bench *bench)
{
    struct crowd_settings settings = {.folder = bench->journal,
                                      .gates = 2,
                                      .open = 60,
                                      .sessions = bench->sessions,
                                      .begin_us = BEGIN_US,
                                      .span_us = (int64_t)bench->days * DAY_US,
                                      .seed = 1,
                                      .segment_octets = 64 << 20,
                                      .hosts = 131072};
    struct crowd *crowd;
    struct crowd_session session;
    struct keeper keeper;
    struct error error = {0};
    uint64_t ended = 0, a_day = bench->sessions / bench->days;
    double wall = clock_now(CLOCK_MONOTONIC);
    if (crowd_open(&settings, &crowd, &error) < 0)
        fail("the journal", &error);
    keeper_open(bench, &keeper);
    while (!crowd_is_over(crowd)) {
        if (!crowd_step(crowd, &session))
            continue;
        if (++ended % 2000 == 0)
            crowd_flush(crowd, 60000); /* the disk sets the pace: nothing may be lost here */
        if (a_day && ended % a_day == a_day / 2 && crowd_crash(crowd, 0, &error) < 0)
            fail("the journal", &error);
        example_take(bench, &session, ended);
        campaign_take(bench, &keeper, &session, ended);
    }
    crowd_flush(crowd, 60000);
    keeper_close(&keeper);
    wall = clock_now(CLOCK_MONOTONIC) - wall;
    printf("journal: %llu sessions over %llu days written in %.0f s, %llu events lost\n",
           (unsigned long long)bench->sessions, (unsigned long long)bench->days, wall,
           (unsigned long long)crowd_lost(crowd));
    crowd_close(crowd);
    print_size(bench, "journal", folder_octets(bench->journal));
}

static void history_make(struct bench *bench)
{
    struct archive_settings settings = {
        .journal = bench->journal, .history = bench->history, .unwatched = true};
    struct archive *archive;
    struct archive_counts counts;
    struct error error = {0};
    struct rusage usage;
    double wall = clock_now(CLOCK_MONOTONIC), cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID);
    if (archive_open(&settings, &archive, &error) < 0)
        fail("the history", &error);
    while (archive_turn(archive, 20000))
        continue;
    if (archive_commit(archive, &error) < 0)
        fail("the history", &error);
    for (uint64_t i = 0; i <= bench->days; i++) /* each time a day that lacks them gets its keys */
        if (archive_tidy(archive, INT64_MAX / 2, &error) < 0)
            fail("the history", &error);
    archive_counts(archive, &counts);
    archive_close(archive);
    wall = clock_now(CLOCK_MONOTONIC) - wall;
    cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    getrusage(RUSAGE_SELF, &usage);
    if (counts.sessions)
        printf("history: %llu sessions in %.0f s: %.0f a second, %.1f us of a core each; %ld MB of memory\n",
               (unsigned long long)counts.sessions, wall, (double)counts.sessions / wall,
               cpu * 1e6 / (double)counts.sessions, usage.ru_maxrss / 1024);
    print_size(bench, "history", folder_octets(bench->history));
}

static void journal_pack(struct bench *bench)
{
    struct packing *packing = packing_new(bench->journal, 3);
    struct packing_counts counts;
    struct error error = {0};
    int more = 1;
    double wall = clock_now(CLOCK_MONOTONIC), cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID);
    if (packing_look(packing, INT64_C(4000000000), 0, 0, &error) < 0)
        fail("packing", &error);
    while (more > 0)
        more = packing_turn(packing, 1 << 20, &error);
    if (more < 0 || packing_look(packing, INT64_C(4000000000), 0, 0, &error) < 0)
        fail("packing", &error);
    wall = clock_now(CLOCK_MONOTONIC) - wall;
    cpu = clock_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    packing_counts(packing, &counts);
    packing_free(packing);
    if (counts.files)
        printf("packing: %llu files in %.0f s, %.0f MB/s of a core, to one part in %.1f\n",
               (unsigned long long)counts.files, wall, (double)counts.before / cpu / 1e6,
               (double)counts.before / (double)counts.after);
    print_size(bench, "journal, packed", folder_octets(bench->journal));
}

/* --- searching ----------------------------------------------------------------------------------------- */

struct answer {
    double ms, cpu_ms;
    uint64_t found;
};

static struct answer ask(const struct bench *bench, const struct filter *filter, bool count)
{
    struct finder_settings settings = {
        .journal = bench->journal, .history = bench->history, .filter = *filter, .limit = WANTED};
    struct finder *finder;
    struct error error = {0};
    struct day_hit hit;
    struct answer answer = {.ms = clock_now(CLOCK_MONOTONIC), .cpu_ms = clock_now(CLOCK_PROCESS_CPUTIME_ID)};
    if (finder_open(&settings, &finder, &error) < 0)
        fail("searching", &error);
    if (count)
        answer.found = finder_count(finder);
    for (; !count && answer.found < WANTED && finder_next(finder, &hit); answer.found++) {
        struct history history;
        history_init(&history, hit.session);
        if (!finder_history(finder, &history))
            fail("a session's events are not there", &error);
        history_drop(&history);
    }
    finder_close(finder);
    answer.ms = (clock_now(CLOCK_MONOTONIC) - answer.ms) * 1e3;
    answer.cpu_ms = (clock_now(CLOCK_PROCESS_CPUTIME_ID) - answer.cpu_ms) * 1e3;
    return answer;
}

static int ms_order(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Of several rounds; processor time, too, for machines that have other work. */
static struct answer median(const struct bench *bench, const struct filter *filter, bool count)
{
    double ms[ROUNDS], cpu_ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct answer answer = ask(bench, filter, count);
        ms[i] = answer.ms;
        cpu_ms[i] = answer.cpu_ms;
    }
    qsort(ms, ROUNDS, sizeof *ms, ms_order);
    qsort(cpu_ms, ROUNDS, sizeof *cpu_ms, ms_order);
    return (struct answer){.ms = ms[ROUNDS / 2], .cpu_ms = cpu_ms[ROUNDS / 2]};
}

static void search(const struct bench *bench, const char *what, const struct filter *filter)
{
    forget(bench->history);
    forget(bench->journal);
    struct answer cold = ask(bench, filter, false);
    struct answer warm = median(bench, filter, false);
    struct answer count = ask(bench, filter, true);
    struct answer counting = median(bench, filter, true);
    printf("%-22s %8llu  %7.1f  %7.1f (%5.1f)  %7.1f (%5.1f)\n", what, (unsigned long long)count.found,
           cold.ms, warm.ms, warm.cpu_ms, counting.ms, counting.cpu_ms);
}

static void search_text(const struct bench *bench, const char *what, enum trait kind, const char *text)
{
    struct filter filter;
    filter_init(&filter);
    filter_add_text(&filter, kind, slice_text(text));
    search(bench, what, &filter);
}

static void search_number(const struct bench *bench, const char *what, enum trait kind, uint64_t number)
{
    struct filter filter;
    filter_init(&filter);
    filter_add_number(&filter, kind, number);
    search(bench, what, &filter);
}

static void search_network(const struct bench *bench, const char *what, const struct crowd_session *session,
                           unsigned bits)
{
    struct filter filter;
    struct prefix network = {address_network(&session->peer, bits), (uint8_t)bits};
    filter_init(&filter);
    filter_add_network(&filter, &network);
    search(bench, what, &filter);
}

static void search_time(const struct bench *bench)
{
    struct filter filter;
    filter_init(&filter);
    search(bench, "anything", &filter);
    filter.since_us = BEGIN_US + (int64_t)bench->days * DAY_US / 2;
    filter.until_us = filter.since_us + INT64_C(3600000000);
    search(bench, "an hour", &filter);
    filter_add_number(&filter, TRAIT_VERDICT, bench->middle.verdict);
    search(bench, "an hour, a verdict", &filter);
}

static void search_id(const struct bench *bench)
{
    bool found = false;
    struct day_hit hit;
    forget(bench->history);
    double cold = clock_now(CLOCK_MONOTONIC);
    int64_t day = day_of(bench->middle.ended_us);
    (void)day_find_session(bench->history, day, bench->middle.id, &found, &hit, NULL);
    cold = (clock_now(CLOCK_MONOTONIC) - cold) * 1e3;
    double warm = clock_now(CLOCK_MONOTONIC);
    (void)day_find_session(bench->history, day, bench->middle.id, &found, &hit, NULL);
    warm = (clock_now(CLOCK_MONOTONIC) - warm) * 1e3;
    printf("%-22s %8u  %7.1f  %7.1f\n", "id", found, cold, warm);
}

static void search_campaign(const struct bench *bench, const char *what, uint64_t campaign)
{
    struct filter filter;
    filter_init(&filter);
    filter_add_campaign(&filter, campaign);
    search(bench, what, &filter);
}

static void search_address(const struct bench *bench, const char *what, const char *text)
{
    struct filter filter;
    struct prefix network;
    filter_init(&filter);
    if (!prefix_parse(slice_text(text), &network))
        fail(text, &(struct error){.text = "no network"});
    filter_add_network(&filter, &network);
    search(bench, what, &filter);
}

static void search_clients(const struct bench *bench)
{
    const struct crowd_session *rare = &bench->first, *one = &bench->middle;
    search_address(bench, "address, frequent", "198.18.0.0"); /* the first of the crowd's hosts */
    search_network(bench, "address", one, 32);
    search_network(bench, "address, another", rare, 32);
    search_address(bench, "address, absent", "203.0.113.77");
    search_network(bench, "network /24", one, 24);
    search_network(bench, "network /16", one, 16);
    search_address(bench, "network, absent", "203.0.113.0/24");
    search_text(bench, "PTR", TRAIT_PTR, one->ptr);
    search_text(bench, "PTR, another", TRAIT_PTR, rare->ptr);
    search_text(bench, "PTR, absent", TRAIT_PTR, "mail.nowhere.example");
    search_text(bench, "PTR suffix", TRAIT_PTR,
                strstr(one->ptr, "isp-") ? strstr(one->ptr, "isp-") : one->ptr);
    search_text(bench, "PTR suffix, wide", TRAIT_PTR, ".example");
    search_text(bench, "PTR suffix, absent", TRAIT_PTR, ".nowhere.example");
    search_text(bench, "HELO", TRAIT_HELO, one->helo);
    search_text(bench, "HELO, absent", TRAIT_HELO, "nowhere.example");
    search_text(bench, "HELO suffix, wide", TRAIT_HELO, "example.org");
}

static void search_envelopes(const struct bench *bench)
{
    const struct crowd_session *rare = &bench->first, *one = &bench->middle;
    search_text(bench, "sender", TRAIT_SENDER, one->sender);
    search_text(bench, "sender, another", TRAIT_SENDER, rare->sender);
    search_text(bench, "sender, absent", TRAIT_SENDER, "nobody@nowhere.example");
    search_text(bench, "sender's domain", TRAIT_SENDER, strchr(one->sender, '@'));
    search_text(bench, "null sender", TRAIT_SENDER, "<>");
    search_text(bench, "recipient", TRAIT_RECIPIENT, one->recipients[0]);
    search_text(bench, "recipient, frequent", TRAIT_RECIPIENT, "user-0@house-1.example.net");
    search_text(bench, "recipient, absent", TRAIT_RECIPIENT, "nobody@nowhere.example");
    search_text(bench, "recipient's domain", TRAIT_RECIPIENT, strchr(one->recipients[0], '@'));
    search_text(bench, "its domain, absent", TRAIT_RECIPIENT, "nowhere.example");
}

static void search_all(const struct bench *bench)
{
    const struct crowd_session *one = &bench->middle;
    printf("\nms until %d sessions are there with their events, or all are counted (of them processor time)\n"
           "%-22s %8s  %7s  %7s          %7s\n",
           WANTED, "searched by", "found", "cold", "warm", "count");
    search_time(bench);
    search_id(bench);
    search_clients(bench);
    search_envelopes(bench);
    search_number(bench, "finding", TRAIT_FINDING, one->findings[0]);
    search_number(bench, "finding, rare", TRAIT_FINDING, 20);
    search_number(bench, "finding, absent", TRAIT_FINDING, 99);
    search_number(bench, "verdict", TRAIT_VERDICT, one->verdict);
    search_number(bench, "verdict, absent", TRAIT_VERDICT, 6);
    search_number(bench, "reply", TRAIT_REPLY, one->reply);
    search_number(bench, "reply, absent", TRAIT_REPLY, 99);
    search_campaign(bench, "campaign, large", bench->campaigns[0]);
    search_campaign(bench, "campaign, small", bench->campaigns[1]);
    search_campaign(bench, "campaign, absent", bench->campaigns[0] + 1);
    search_text(bench, "part of a sender", TRAIT_SENDER, "*son-77*");
    search_text(bench, "part, absent", TRAIT_SENDER, "*nowhere*");
}

/* --- what stays ---------------------------------------------------------------------------------------- */

static FILE *examples_open(const struct bench *bench, const char *mode)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/examples", bench->folder);
    return fopen(path, mode);
}

static void examples_keep(const struct bench *bench)
{
    FILE *file = examples_open(bench, "w");
    bool kept = file && fwrite(bench, sizeof *bench, 1, file) == 1;
    if (file)
        kept = fclose(file) == 0 && kept;
    if (!kept)
        fail("the examples", &(struct error){.text = "cannot be written"});
}

/* False: there is no journal yet. */
static bool examples_read(struct bench *bench)
{
    struct bench read = *bench;
    FILE *file = examples_open(bench, "r");
    bool there = file && fread(&read, sizeof read, 1, file) == 1;
    if (file)
        (void)fclose(file);
    if (there) {
        *bench = read;
        printf("journal: %llu sessions over %llu days are there\n", (unsigned long long)bench->sessions,
               (unsigned long long)bench->days);
        print_size(bench, "journal", folder_octets(bench->journal));
    }
    return there;
}

static void make(struct bench *bench)
{
    if (!examples_read(bench)) {
        journal_make(bench);
        examples_keep(bench);
    }
    history_make(bench);
    journal_pack(bench);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int main(int argc, char **argv)
{
    bool stays = argc > 1 && strcmp(argv[1], "-k") == 0;
    argc -= stays;
    argv += stays;
    struct bench bench = {.sessions = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000,
                          .days = argc > 3 ? strtoull(argv[3], NULL, 10) : 30};
    if (argc < 2 || !bench.sessions || !bench.days ||
        (mkdir(argv[1], 0700) != 0 && !(stays && errno == EEXIST))) {
        fprintf(stderr, "usage: bench-history [-k] FOLDER [SESSIONS [DAYS]]\n"
                        "FOLDER must not be there; with -k it may, and stays\n");
        return 64;
    }
    snprintf(bench.folder, sizeof bench.folder, "%s", argv[1]);
    snprintf(bench.journal, sizeof bench.journal, "%s/journal", bench.folder);
    snprintf(bench.history, sizeof bench.history, "%s/history", bench.folder);
    setvbuf(stdout, NULL, _IOLBF, 0);
    make(&bench);
    search_all(&bench);
    if (!stays)
        nftw(bench.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
