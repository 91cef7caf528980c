/* Proves that what notices tell of is told once: however often the keeper is killed while it gathers, chooses
 * and posts, the counts of all its mails make the sessions that there were; also when the courier has taken a
 * mail over before the keeper could note that it was posted; and a spool that is not there costs nothing but
 * time. */
#include "base/random.h"
#include "core/say.h"
#include "io/files.h"
#include "keeper_rig.h"
#include "queue/content.h"
#include "queue/waiting.h"

#include <dirent.h>

static const struct address peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000};

struct rig {
    struct world world;
    struct journal_writer *courier;
    char incoming[128];
    int64_t began_ms;
    unsigned sessions; /* that were refused */
    uint64_t told;     /* by mails */
    unsigned mails;
};

/* --- this program as the keeper --------------------------------------------------------------------------
 */

/* What the test wants of the next keeper is the name of a file. */
static bool is_wanted(const char *folder, const char *what)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, what);
    return access(path, F_OK) == 0;
}

static void want(const struct world *world, const char *what, bool wanted)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", world->folder, what);
    if (!wanted) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* Urgent, so that the wait between mails does not grow. */
static int notice_main(const char *folder, const char *channel)
{
    struct world world;
    world_open(&world, folder);
    struct settings *set = &world.site->set;
    set->notify_classes = is_wanted(folder, "off") ? SLICE_NONE : SLICE("resource");
    set->notify_to = SLICE("joe@example.net");
    set->notify_gather = is_wanted(folder, "slow") ? 3600000 : 0;
    set->notify_rate = 60;
    return keeper_serve(&world, channel);
}

/* --- sessions --------------------------------------------------------------------------------------------
 */

static void session_refused(struct rig *rig)
{
    struct journal_mark mark = {0};
    const int64_t now_ms = rig->began_ms + rig->sessions;
    const struct event_stamp stamp = {.session = event_id_make(now_ms, 0, rig->sessions & 0x7fff),
                                      .unix_us = now_ms * 1000};
    struct buf buf;
    buf_init(&buf, 1 << 16);
    TELL(&rig->world, &buf, &stamp, session_opened, .peer = peer, .sequence = 1);
    TELL(&rig->world, &buf, &stamp, line_received, .text = SLICE("MAIL FROM:<a@example.org>"));
    TELL(&rig->world, &buf, &stamp, reply_sent, .number = SAY_DISK_FULL, .code = 452,
         .text = SLICE("452 no"));
    TELL(&rig->world, &buf, &stamp, session_ended, .peer = peer, .negative = 1);
    assert_int_equal(journal_writer_add(rig->world.writer, buf_slice(&buf), &mark), 0);
    buf_drop(&buf);
    rig->sessions++;
}

/* --- this test as the courier ----------------------------------------------------------------------------
 */

/* What the Subject counts. */
static uint64_t count_of(const char *path)
{
    struct message *message;
    struct waiting_file file;
    struct content content;
    struct slice piece;
    struct error error;
    uint64_t count = 0;
    assert_int_equal(waiting_load(&files_system, path, WAITING_CHECK, &message, &file, &error), WAITING_OK);
    assert_int_equal(message->transaction.sender.len, 0);
    assert_int_equal(message->transaction.recipient_count, 1);
    assert_slice_equal(message->recipients[0]->address, "joe@example.net");
    content_init_file(&content, &files_system, file.descriptor, file.content_at, message->content_octets);
    assert_int_equal(content_next(&content, &piece, &error), 0);
    const size_t at = slice_find_slice(piece, SLICE("mx.example.net: resource "));
    assert_true(at != SLICE_NOT_FOUND);
    for (size_t i = at + 25; piece.at[i] >= '0' && piece.at[i] <= '9'; i++)
        count = count * 10 + (uint64_t)(piece.at[i] - '0');
    content_done(&content);
    files_system.close(&files_system, file.descriptor);
    message_free(message);
    return count;
}

static void record_taken(struct rig *rig, const char *id)
{
    uint64_t session;
    uint32_t number;
    struct buf buf;
    assert_true(queue_id_parse(slice_text(id), &session, &number));
    const struct event_stamp stamp = {.session = session, .unix_us = rig->began_ms * 1000};
    buf_init(&buf, 1 << 16);
    TELL(&rig->world, &buf, &stamp, message_queued, .queue_id = slice_text(id));
    assert_int_equal(journal_writer_add(rig->courier, buf_slice(&buf), NULL), 0);
    assert_true(journal_writer_flush(rig->courier, 10000));
    buf_drop(&buf);
}

/* Takes over what lies there: it is counted, and gone. */
static void courier_turn(struct rig *rig)
{
    DIR *folder = opendir(rig->incoming);
    char path[512];
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char *end = strstr(entry->d_name, ".message");
        if (!end)
            continue;
        snprintf(path, sizeof path, "%s/%s", rig->incoming, entry->d_name);
        rig->told += count_of(path);
        rig->mails++;
        assert_int_equal(unlink(path), 0);
        *end = 0;
        record_taken(rig, entry->d_name);
    }
    closedir(folder);
}

/* --- the rig ---------------------------------------------------------------------------------------------
 */

static void rig_begin(struct rig *rig)
{
    char spool[100];
    *rig = (struct rig){0};
    world_make(&rig->world);
    writer_begin(&rig->world);
    struct journal_writer_settings settings = {.folder = slice_text(rig->world.journal),
                                               .role = SLICE("courier"),
                                               .version = SLICE("0.1.0"),
                                               .segment_octets = 1 << 20};
    assert_int_equal(journal_writer_open(&settings, &rig->courier, NULL), 0);
    rig->began_ms = (int64_t)time(NULL) * 1000;
    snprintf(spool, sizeof spool, "%s/spool", rig->world.state);
    snprintf(rig->incoming, sizeof rig->incoming, "%s/incoming", spool);
    assert_int_equal(mkdir(spool, 0700), 0);
}

static void spool_make(const struct rig *rig)
{
    assert_int_equal(mkdir(rig->incoming, 0700), 0);
}

static void rig_end(struct rig *rig)
{
    journal_writer_close(rig->courier);
    world_drop(&rig->world);
}

static void sessions_refused(struct rig *rig, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        session_refused(rig);
    assert_true(journal_writer_flush(rig->world.writer, 10000));
}

static void told_all(struct rig *rig)
{
    for (unsigned tries = 0; tries < 2000 && rig->told < rig->sessions; tries++, pause_ms(10))
        courier_turn(rig);
    assert_int_equal(rig->told, rig->sessions);
}

/* --- tests -----------------------------------------------------------------------------------------------
 */

static void kills_tell_once(void **state)
{
    (void)state;
    struct rig rig;
    struct random random = {0};
    rig_begin(&rig);
    spool_make(&rig);
    random.state = (uint64_t)time(NULL);
    for (unsigned round = 0; round < 40; round++) {
        keeper_start(&rig.world);
        sessions_refused(&rig, 1 + round % 7);
        pause_ms((unsigned)random_below(&random, 60));
        keeper_kill(&rig.world);
        courier_turn(&rig);
        assert_true(rig.told <= rig.sessions);
    }
    keeper_start(&rig.world);
    told_all(&rig);
    keeper_drain(&rig.world);
    courier_turn(&rig);
    assert_int_equal(rig.told, rig.sessions);
    print_message("%u mails for %u sessions\n", rig.mails, rig.sessions);
    rig_end(&rig);
}

static void a_spool_that_is_missing_costs_time(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    keeper_start(&rig.world);
    sessions_refused(&rig, 5);
    pause_ms(50);
    keeper_drain(&rig.world);
    spool_make(&rig);
    keeper_start(&rig.world);
    told_all(&rig);
    keeper_drain(&rig.world);
    rig_end(&rig);
}

static void what_had_gathered_goes_when_it_is_switched_off(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    spool_make(&rig);
    want(&rig.world, "slow", true);
    keeper_start(&rig.world);
    sessions_refused(&rig, 5);
    keeper_drain(&rig.world);
    want(&rig.world, "slow", false);
    want(&rig.world, "off", true);
    keeper_start(&rig.world);
    sessions_refused(&rig, 4); /* nobody counts them */
    keeper_drain(&rig.world);
    want(&rig.world, "off", false);
    rig.sessions = 0;
    rig.began_ms += 100;
    keeper_start(&rig.world);
    sessions_refused(&rig, 3);
    told_all(&rig);
    keeper_drain(&rig.world);
    rig_end(&rig);
}

/* Without the switch in between a restart keeps it. */
static void what_had_gathered_outlives_a_restart(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    spool_make(&rig);
    want(&rig.world, "slow", true);
    keeper_start(&rig.world);
    sessions_refused(&rig, 5);
    keeper_drain(&rig.world);
    want(&rig.world, "slow", false);
    keeper_start(&rig.world);
    told_all(&rig);
    keeper_drain(&rig.world);
    assert_int_equal(rig.mails, 1);
    rig_end(&rig);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_tell_once),
        cmocka_unit_test(a_spool_that_is_missing_costs_time),
        cmocka_unit_test(what_had_gathered_goes_when_it_is_switched_off),
        cmocka_unit_test(what_had_gathered_outlives_a_restart),
    };
    if (count == 3 && strcmp(arguments[0], "keeper") == 0)
        return notice_main(arguments[1], arguments[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
