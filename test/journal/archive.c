/* The history holds every session that the journal has, once, whatever happens to who writes it: it is killed
 * at random moments, its disk refuses, its files are damaged; and what is found by it is what a reading of
 * the journal finds. */
#include "archive_world.h"

#include "base/random.h"
#include "journal/day_keys.h"
#include "journal/packing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- tests --------------------------------------------------------------------------------------------- */

static void test_all_is_found(void **state)
{
    struct world *world = *state;
    crowd_finish(world, crowd_begin(world, 3000, 1));
    finds_everything(world); /* without a history */
    archive_all(world);
    finds_everything(world);
    assert_int_equal(is_sound(world), 3000);
    struct archive *archive = archive_begin(world, NULL);
    for (int i = 0; i < 3; i++) /* each time one day gets its file of keys */
        assert_int_equal(archive_tidy(archive, INT64_MAX / 2, NULL), 0);
    archive_close(archive);
    assert_true(day_keys_hold(world->history, day_of(BEGIN_US)));
    assert_true(day_keys_hold(world->history, day_of(BEGIN_US) + 1));
    finds_everything(world);
}

/* What the archivist has and what it has not yet come together. */
static void test_half_of_it_is_found(void **state)
{
    struct world *world = *state;
    struct crowd *crowd = crowd_begin(world, 3000, 2);
    for (int i = 0; i < 3; i++) {
        crowd_take(world, crowd, 4000);
        crowd_flush(crowd, 10000);
        archive_all(world);
        crowd_take(world, crowd, 500);
        crowd_flush(crowd, 10000);
        finds_everything(world);
    }
    crowd_finish(world, crowd);
    finds_everything(world);
}

static void test_events_of_one_found(void **state)
{
    struct world *world = *state;
    struct filter filter;
    struct day_hit hit;
    struct history history;
    crowd_finish(world, crowd_begin(world, 1000, 3));
    archive_all(world);
    filter_init(&filter);
    struct finder *finder = finder_begin(world, &filter);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(finder_next(finder, &hit));
        history_init(&history, hit.session);
        assert_true(finder_history(finder, &history));
        assert_true(history.opened && history.ended);
        assert_int_equal(history.events[0].stamp.session, hit.session);
        size_t count = history.count;
        history_drop(&history);
        struct day_hit place;
        assert_true(finder_place(world->history, hit.session, &place));
        assert_int_equal(place.ended.offset, hit.ended.offset);
        assert_int_equal(history_load_at(&history, world->journal, place.stream, &place.ended, NULL), 0);
        assert_int_equal(history.count, count);
        history_drop(&history);
    }
    finder_close(finder);
    assert_false(finder_place(world->history, hit.session + 1, &hit));
    struct journal_mark nowhere = {1, 77}; /* a wrong place does no harm */
    history_init(&history, hit.session);
    assert_int_equal(history_load_at(&history, world->journal, 1, &nowhere, NULL), 0);
    assert_true(history.opened && history.ended);
    history_drop(&history);
}

#define SPAWNED_FD 9 /* in the new program */

/* This program again, as an archivist that works until it is killed; it packs what is closed, too. */
static int archivist_main(const char *journal, const char *history)
{
    struct archive_settings settings = {.journal = journal, .history = history};
    struct archive *archive;
    struct error error;
    if (write(SPAWNED_FD, "", 1) != 1 || archive_open(&settings, &archive, &error) < 0)
        return 1;
    struct packing *packing = packing_new(journal, 1);
    for (;;) {
        archive_look(archive);
        (void)archive_turn(archive, 300);
        (void)archive_commit(archive, &error);
        (void)archive_tidy(archive, 0, &error);
        (void)packing_look(packing, INT64_C(4000000000), 0, 0, &error);
        (void)packing_turn(packing, 500000, &error);
    }
}

/* Comes back when the new program says that it runs: until then it has the writers' locks, too. (That the
 * spawn has come back is not enough: the system lets us go on before it closes what is to be closed.) */
static pid_t archivist_start(const struct world *world)
{
    char *words[] = {(char *)(uintptr_t) "archivist", (char *)(uintptr_t)world->journal,
                     (char *)(uintptr_t)world->history, NULL};
    char *const *none = {NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    char word;
    pid_t pid = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], SPAWNED_FD), 0);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, words, none), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    assert_int_equal(read(ends[0], &word, 1), 1);
    close(ends[0]);
    return pid;
}

/* The moment of the kill is drawn, not its length of life: what is done by then does not matter. */
static void test_killed_at_any_point(void **state)
{
    struct world *world = *state;
    struct random random = {42};
    struct crowd *crowd = crowd_begin(world, 4000, 4);
    while (!crowd_is_over(crowd)) {
        pid_t pid = archivist_start(world);
        unsigned pauses = 1 + (unsigned)random_below(&random, 8);
        for (unsigned i = 0; i < pauses; i++) {
            crowd_take(world, crowd, 250);
            usleep(3000); /* gives it something to be killed at; no claim rests on it */
        }
        if (random_below(&random, 3) == 0)
            assert_int_equal(crowd_crash(crowd, (unsigned)random_below(&random, 2), NULL), 0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    crowd_finish(world, crowd);
    archive_all(world);
    assert_int_equal(is_sound(world), 4000);
    finds_everything(world);
}

/* Whoever made the file of a day was killed before it had made the tables: nothing is wrong with it, neither
 * for a search nor for the next archivist. One of which all is lost is made anew. */
static void test_day_without_tables(void **state)
{
    struct world *world = *state;
    char path[4096];
    crowd_finish(world, crowd_begin(world, 1000, 12));
    assert_int_equal(mkdir(world->history, 0700), 0);
    day_path(world->history, day_of(BEGIN_US), path);
    for (int i = 0; i < 2; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        close(fd);
        if (!i)
            finds_everything(world);
        archive_all(world);
        assert_int_equal(is_sound(world), 1000);
        finds_everything(world);
    }
}

/* Every day is spoilt, at its head or in the middle of a tree: it is set aside and made anew. */
static void test_damaged_days_are_made_anew(void **state)
{
    struct world *world = *state;
    struct day_listing days;
    struct error error;
    unsigned damages = 0;
    char path[4096];
    crowd_finish(world, crowd_begin(world, 2000, 5));
    archive_all(world);
    assert_int_equal(day_list(world->history, &days, NULL), 0);
    assert_int_equal(days.count, 2);
    for (size_t i = 0; i < days.count; i++) {
        static const char rot[8192];
        day_path(world->history, days.days[i], path);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, rot, sizeof rot, i ? 40960 : 0), sizeof rot);
        close(fd);
    }
    struct archive *archive = archive_begin(world, &damages);
    assert_int_equal(damages, 1); /* the spoilt head shows at once, the tree when it is looked at */
    assert_false(archive_check(archive, days.days[1], &error));
    assert_int_equal(damages, 2);
    archive_finish(archive);
    day_listing_drop(&days);
    assert_int_equal(is_sound(world), 2000);
    finds_everything(world);
}

static void test_killed_while_mending(void **state)
{
    struct world *world = *state;
    struct error error;
    unsigned damages = 0;
    char path[4096];
    crowd_finish(world, crowd_begin(world, 2000, 6));
    archive_all(world);
    day_path(world->history, day_of(BEGIN_US), path);
    assert_int_equal(truncate(path, 100), 0);
    struct archive *archive = archive_begin(world, &damages);
    assert_int_equal(damages, 1);
    assert_true(archive_turn(archive, 100));
    assert_int_equal(archive_commit(archive, &error), 0);
    archive_close(archive);
    archive = archive_begin(world, &damages);
    archive_finish(archive);
    assert_int_equal(damages, 1);
    assert_int_equal(is_sound(world), 2000);
    finds_everything(world);
}

static void test_rebuilt_from_the_journal(void **state)
{
    struct world *world = *state;
    struct error error;
    unsigned damages = 0;
    crowd_finish(world, crowd_begin(world, 1000, 7));
    archive_all(world);
    struct archive *archive = archive_begin(world, &damages);
    assert_int_equal(archive_rebuild(archive, &error), 0);
    archive_finish(archive);
    assert_int_equal(is_sound(world), 1000);
    finds_everything(world);
}

/* A disk that takes no more stops the writing, not the process; once it takes again nothing is missing. */
static void test_disk_refuses(void **state)
{
    struct world *world = *state;
    struct rlimit before, small;
    struct archive_counts counts;
    struct error error;
    unsigned damages = 0;
    crowd_finish(world, crowd_begin(world, 3000, 12));
    struct archive *archive = archive_begin(world, &damages);
    while (archive_turn(archive, 500) && archive_commit(archive, &error) == 0) {
        archive_counts(archive, &counts);
        if (counts.sessions > 500)
            break;
    }
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 16384, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (archive_turn(archive, 500))
        continue;
    for (int i = 0; i < 3; i++)
        assert_int_equal(archive_commit(archive, &error), -1);
    assert_false(archive_turn(archive, 500) && archive_commit(archive, &error) == 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    archive_counts(archive, &counts);
    assert_true(counts.refused >= 3 && counts.error.text[0]);
    archive_finish(archive);
    assert_int_equal(damages, 0);
    assert_int_equal(is_sound(world), 3000);
    finds_everything(world);
}

#define CAMPAIGN UINT64_C(0x0123456789abcdef)

static bool is_member(const struct crowd_session *session)
{
    return session->id % 7 == 0;
}

static bool is_member_and_refused(const struct crowd_session *session)
{
    return is_member(session) && has_verdict(session);
}

/* The keeper says it days later, some of it twice. */
static void campaign_tell(struct world *world)
{
    struct journal_writer_settings settings = {
        .folder = slice_text(world->journal), .role = SLICE("keeper"), .segment_octets = 1 << 20};
    struct journal_writer *writer;
    struct buf buf;
    assert_int_equal(journal_writer_open(&settings, &writer, NULL), 0);
    buf_init(&buf, EVENT_SIZE_MAX);
    for (size_t i = 0; i < world->count; i++) {
        struct event_stamp stamp = {.unix_us = BEGIN_US + (int64_t)(i % 3) * 24 * HOUR_US};
        struct event_campaign_joined joined = {.campaign = CAMPAIGN + !is_member(&world->sessions[i]),
                                               .member = world->sessions[i].id};
        for (int k = 0; k < 1 + (i % 2 == 0); k++)
            event_add_campaign_joined(&buf, &stamp, &joined);
        journal_writer_add(writer, buf_slice(&buf), NULL);
        buf_clear(&buf);
    }
    journal_writer_close(writer);
    buf_drop(&buf);
}

static void test_campaigns(void **state)
{
    struct world *world = *state;
    struct filter filter;
    crowd_finish(world, crowd_begin(world, 1500, 10));
    campaign_tell(world);
    archive_all(world);
    one = example(world);
    filter_init(&filter);
    assert_true(filter_add_campaign(&filter, CAMPAIGN));
    finds(world, &filter, is_member);
    assert_true(filter_add_number(&filter, TRAIT_VERDICT, one->verdict));
    finds(world, &filter, is_member_and_refused);
    filter_init(&filter);
    assert_true(filter_add_campaign(&filter, CAMPAIGN + 2));
    struct finder *finder = finder_begin(world, &filter);
    assert_int_equal(finder_count(finder), 0);
    finder_close(finder);
    is_sound(world);
}

static void test_only_one_writes(void **state)
{
    struct world *world = *state;
    struct archive_settings settings = {.journal = world->journal, .history = world->history};
    struct archive *first, *second;
    struct error error;
    unsigned damages;
    crowd_finish(world, crowd_begin(world, 10, 8));
    first = archive_begin(world, &damages);
    assert_int_equal(archive_open(&settings, &second, &error), -1);
    assert_int_equal(error.number, EAGAIN);
    archive_close(first);
    assert_int_equal(archive_open(&settings, &second, &error), 0);
    archive_close(second);
}

/* Days that the journal does not reach back to go. */
static void test_goes_with_the_journal(void **state)
{
    struct world *world = *state;
    struct day_listing days;
    struct segment_listing files;
    struct error error;
    unsigned damages;
    char path[4096], name[SEGMENT_NAME_SIZE];
    crowd_finish(world, crowd_begin(world, 2000, 9));
    archive_all(world);
    assert_int_equal(segment_list(world->journal, &files, NULL), 0);
    for (size_t i = 0; i < files.count; i++) {
        if (day_of(files.names[i].started_unix * 1000000) > day_of(BEGIN_US))
            continue;
        segment_name_print(&files.names[i], name);
        snprintf(path, sizeof path, "%s/%s", world->journal, name);
        assert_int_equal(unlink(path), 0);
    }
    segment_listing_drop(&files);
    struct archive *archive = archive_begin(world, &damages);
    assert_int_equal(archive_tidy(archive, 0, &error), 0);
    archive_close(archive);
    assert_int_equal(day_list(world->history, &days, NULL), 0);
    assert_int_equal(days.count, 1);
    assert_true(days.days[0] > day_of(BEGIN_US));
    day_listing_drop(&days);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[0], "archivist") == 0)
        return archivist_main(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_is_found, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_half_of_it_is_found, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_events_of_one_found, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_killed_at_any_point, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_day_without_tables, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_damaged_days_are_made_anew, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_killed_while_mending, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_rebuilt_from_the_journal, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_disk_refuses, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_campaigns, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_only_one_writes, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_goes_with_the_journal, world_make, world_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
