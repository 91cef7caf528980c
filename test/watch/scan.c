/* Proves that old logs give the attempts that stand beside them, in whatever pieces, form and order they
 * come; that years are found; and that damaged and hostile files are read as far as they go, in bounded
 * memory.
 *
 * The first argument is the folder of the logs. NAME.attempts is what NAME.log gives. */
#include "unit.h"

#include "base/calendar.h"
#include "base/memory.h"
#include "watch/scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT_MAX  (4u * 1024u * 1024u)
#define PATH_SIZE 256

static const char *logs;
static char folder[FOLDER_SIZE];

/* --- files --------------------------------------------------------------------------------------------- */

static void file_read(const char *path, struct buf *ret_text)
{
    char block[4096];
    const int fd = open(path, O_RDONLY);
    ssize_t got;

    assert_true(fd >= 0);
    buf_init(ret_text, TEXT_MAX);
    while ((got = read(fd, block, sizeof block)) > 0)
        assert_true(buf_add(ret_text, slice_of(block, (size_t)got)));
    (void)close(fd);
}

/* Its own date is that day. */
static void file_write(const char *path, struct slice text, const char *day)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct timespec times[2] = {{0}};
    int64_t unix_ms;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.at ? text.at : "", text.len), (ssize_t)text.len);
    assert_true(calendar_parse_iso(slice_text(day), &unix_ms));
    times[0].tv_sec = times[1].tv_sec = unix_ms / 1000;
    assert_int_equal(futimens(fd, times), 0);
    (void)close(fd);
}

static void path_of(char path[PATH_SIZE], const char *in, const char *name)
{
    assert_true(snprintf(path, PATH_SIZE, "%s/%s", in, name) < PATH_SIZE);
}

/* --- scans --------------------------------------------------------------------------------------------- */

struct seen {
    struct buf attempts;
    struct scan_lines lines;
    struct scan_counts counts;
    unsigned problems;
    struct error error;
};

static void take_attempt(void *data, const struct attempt *attempt)
{
    struct seen *seen = data;

    assert_true(attempt_print(attempt, &seen->attempts));
    assert_true(buf_add_octet(&seen->attempts, '\n'));
}

static void take_problem(void *data, const struct error *error)
{
    struct seen *seen = data;

    seen->problems++;
    seen->error = *error;
}

static void scan_with(struct scan_settings settings, const char *const *paths, size_t count,
                      struct seen *seen)
{
    struct scan *scan;
    struct error error = {0};

    *seen = (struct seen){0};
    buf_init(&seen->attempts, TEXT_MAX);
    settings.attempt = take_attempt;
    settings.problem = take_problem;
    settings.data = seen;
    if (!settings.until_ms) {
        settings.since_ms = INT64_MIN;
        settings.until_ms = INT64_MAX;
    }
    assert_int_equal(scan_open(&settings, paths, count, &scan, &error), 0);
    while (scan_step(scan, 7)) {}
    seen->lines = *scan_lines(scan);
    seen->counts = *scan_counts(scan);
    scan_close(scan);
}

static void scan_one(const char *path, struct seen *seen)
{
    scan_with((struct scan_settings){0}, &path, 1, seen);
}

static void seen_done(struct seen *seen)
{
    buf_drop(&seen->attempts);
}

static void assert_text(const struct buf *seen, struct slice wanted)
{
    if (!slice_equal(buf_slice(seen), wanted))
        fail_msg("seen:\n%.*s\nwanted:\n%.*s", SLICE_ARGS(buf_slice(seen)), SLICE_ARGS(wanted));
}

static const struct {
    const char *name;
    int year;
} samples[] = {{"seed-003", 2003}, {"sendmail", 2026}, {"postfix", 2026}, {"postscreen", 2026}};

static void sample_read(size_t index, const char *ending, struct buf *ret_text)
{
    char name[64], path[PATH_SIZE];

    (void)snprintf(name, sizeof name, "%s.%s", samples[index].name, ending);
    path_of(path, logs, name);
    file_read(path, ret_text);
}

/* --- the tests ----------------------------------------------------------------------------------------- */

static void logs_give_their_attempts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        char name[64], path[PATH_SIZE];
        const char *paths[] = {path};
        struct buf wanted;
        struct seen seen;

        (void)snprintf(name, sizeof name, "%s.log", samples[i].name);
        path_of(path, logs, name);
        scan_with((struct scan_settings){.year = samples[i].year}, paths, 1, &seen);
        sample_read(i, "attempts", &wanted);
        assert_text(&seen.attempts, buf_slice(&wanted));
        assert_int_equal(seen.problems, 0);
        buf_drop(&wanted);
        seen_done(&seen);
    }
}

static size_t gzip(struct slice text, char *at, size_t size)
{
    z_stream stream = {0};

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)text.at;
    stream.avail_in = (uInt)text.len;
    stream.next_out = (Bytef *)at;
    stream.avail_out = (uInt)size;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&stream);
    return size - stream.avail_out;
}

static size_t zstd(struct slice text, char *at, size_t size)
{
    const size_t len = ZSTD_compress(at, size, text.at, text.len, 3);

    assert_false(ZSTD_isError(len));
    return len;
}

/* In two pieces, one behind the other: both forms allow it. */
static size_t packed(size_t (*pack)(struct slice, char *, size_t), struct slice text, char *at, size_t size)
{
    const size_t first = pack(slice_head(text, text.len / 2), at, size);

    return first + pack(slice_from(text, text.len / 2), at + first, size - first);
}

static void compressed_logs_give_the_same(void **state)
{
    size_t (*const packs[])(struct slice, char *, size_t) = {gzip, zstd};
    char *room = memory_take(TEXT_MAX), path[PATH_SIZE];

    (void)state;
    path_of(path, folder, "packed");
    for (size_t i = 0; i < COUNT(samples); i++)
        for (size_t k = 0; k < COUNT(packs); k++) {
            struct buf log, wanted;
            struct seen seen;

            sample_read(i, "log", &log);
            sample_read(i, "attempts", &wanted);
            const size_t len = packed(packs[k], buf_slice(&log), room, TEXT_MAX);
            file_write(path, slice_of(room, len), samples[i].year == 2003 ? "2003-07-25" : "2026-11-02");
            scan_one(path, &seen);
            assert_text(&seen.attempts, buf_slice(&wanted));
            assert_int_equal(seen.problems, 0);
            seen_done(&seen);

            /* Cut short, what is left of it counts, and it is said. */
            file_write(path, slice_of(room, len - 5), "2026-11-02");
            scan_one(path, &seen);
            assert_int_equal(seen.problems, 1);
            assert_non_null(strstr(seen.error.text, "ends early"));
            assert_true(seen.lines.lines > 0);
            seen_done(&seen);
            buf_drop(&log);
            buf_drop(&wanted);
        }
    memory_give(room, TEXT_MAX);
}

static void files_are_put_in_order(void **state)
{
    char first[PATH_SIZE], second[PATH_SIZE], empty[PATH_SIZE];
    struct buf log, wanted;
    struct seen seen;

    (void)state;
    path_of(first, folder, "log.1");
    path_of(second, folder, "log");
    path_of(empty, folder, "log.0");
    sample_read(2, "log", &log);
    sample_read(2, "attempts", &wanted);
    const struct slice text = buf_slice(&log);
    size_t half = text.len / 2;
    while (text.at[half - 1] != '\n')
        half++;
    file_write(first, slice_head(text, half), "2026-11-02");
    file_write(second, slice_from(text, half), "2026-11-02");
    file_write(empty, SLICE_NONE, "2026-11-02");
    scan_with((struct scan_settings){0}, (const char *const[]){second, empty, first}, 3, &seen);
    assert_text(&seen.attempts, buf_slice(&wanted));
    seen_done(&seen);
    buf_drop(&log);
    buf_drop(&wanted);
}

/* Two hosts use the same queue ids and process numbers at the same time. */
static void hosts_are_told_apart(void **state)
{
    static const char *const hosts[] = {"mx1", "mx2"};
    char paths[2][PATH_SIZE];
    struct seen seen;

    (void)state;
    for (int i = 0; i < 2; i++) {
        char text[1024];
        const int len = snprintf(
            text, sizeof text,
            "2026-11-01T10:00:0%d.1Z %s postfix/smtpd[7]: connect from unknown[192.0.2.%d]\n"
            "2026-11-01T10:00:0%d.2Z %s postfix/smtpd[7]: 4F1B2C3D01: client=unknown[192.0.2.%d]\n"
            "2026-11-01T10:00:0%d.3Z %s postfix/qmgr[2]: 4F1B2C3D01: from=<a@h%d.example>, size=10, nrcpt=1 "
            "(q)\n"
            "2026-11-01T10:00:0%d.4Z %s postfix/lmtp[3]: 4F1B2C3D01: to=<b@our.example>, status=sent (ok)\n",
            i, hosts[i], i + 1, i + 1, hosts[i], i + 1, i + 2, hosts[i], i + 1, i + 3, hosts[i]);
        path_of(paths[i], folder, hosts[i]);
        file_write(paths[i], slice_of(text, (size_t)len), "2026-11-02");
    }
    scan_with((struct scan_settings){0}, (const char *const[]){paths[1], paths[0]}, 2, &seen);
    assert_text(
        &seen.attempts,
        SLICE("address=192.0.2.1 time=1793527201200 envelope=1 noname= from=a@h1.example to=b@our.example "
              "tried=1 unknown=0 octets=10 verdict=accepted code=0 took=1100\n"
              "address=192.0.2.2 time=1793527202200 envelope=1 noname= from=a@h2.example to=b@our.example "
              "tried=1 unknown=0 octets=10 verdict=accepted code=0 took=1100\n"));
    assert_int_equal(seen.lines.last_ms - seen.lines.first_ms, 4300);
    seen_done(&seen);
}

/* --- years --------------------------------------------------------------------------------------------- */

static void line_add(struct buf *log, const char *stamp, unsigned host)
{
    assert_true(buf_add_format(
        log, "%s mx sm-mta[1]: ruleset=check_relay, relay=[192.0.2.%u], reject=550 no\n", stamp, host));
}

static void assert_years(const char *path, int year, const char *first, const char *last)
{
    struct seen seen;
    char text[CALENDAR_TEXT_SIZE];

    scan_with((struct scan_settings){.year = year, .now_ms = INT64_C(1793527200000)}, &path, 1, &seen);
    calendar_print_iso(seen.lines.first_ms, 0, text);
    assert_memory_equal(text, first, strlen(first));
    calendar_print_iso(seen.lines.last_ms, 0, text);
    assert_memory_equal(text, last, strlen(last));
    seen_done(&seen);
}

static void years_follow_from_the_file(void **state)
{
    char path[PATH_SIZE];
    struct buf log;

    (void)state;
    path_of(path, folder, "years");
    buf_init(&log, TEXT_MAX);
    line_add(&log, "Dec 31 23:59:58", 1);
    line_add(&log, "Dec 31 23:59:59", 2);
    line_add(&log, "Jan  1 00:00:00", 3);
    line_add(&log, "Dec 31 23:59:59", 4); /* late */
    line_add(&log, "Jan  1 00:00:01", 5);
    file_write(path, buf_slice(&log), "2004-01-01T00:00:05");
    assert_years(path, 0, "2003-12-31T23:59:58", "2004-01-01T00:00:01");
    assert_years(path, 1999, "1999-12-31T23:59:58", "2000-01-01T00:00:01");

    /* Three years in one file, of which the last one is the file's; then a clock that fell back at a start,
     * and does not make a year. */
    for (int year = 0; year < 2; year++)
        for (int month = 1; month <= 12; month++) {
            static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
            char stamp[32];
            (void)snprintf(stamp, sizeof stamp, "%s 15 12:00:00", names[month - 1]);
            line_add(&log, stamp, 6);
        }
    line_add(&log, "Jan  1 00:00:00", 7);
    line_add(&log, "Dec 20 12:00:00", 8);
    file_write(path, buf_slice(&log), "2005-12-21");
    assert_years(path, 0, "2003-12-31T23:59:58", "2005-12-20T12:00:00");
    buf_drop(&log);
}

static void times_are_chosen(void **state)
{
    char path[PATH_SIZE];
    const char *paths[] = {path};
    struct buf log;
    struct seen seen;
    struct scan_settings settings = {0};

    (void)state;
    path_of(path, folder, "times");
    buf_init(&log, TEXT_MAX);
    line_add(&log, "Jul 24 01:00:00", 1);
    line_add(&log, "Jul 24 02:00:00", 2);
    line_add(&log, "Jul 24 03:00:00", 3);
    line_add(&log, "Jul 27 03:00:00", 4);
    line_add(&log, "Jul 24 02:30:00", 5);
    file_write(path, buf_slice(&log), "2003-07-28");
    assert_true(calendar_parse_iso(SLICE("2003-07-24T02:00"), &settings.since_ms));
    assert_true(calendar_parse_iso(SLICE("2003-07-24T02:59"), &settings.until_ms));
    scan_with(settings, paths, 1, &seen);
    assert_int_equal(seen.lines.lines, 1);
    assert_int_equal(seen.lines.passed, 2); /* those three days later are not read any more */
    assert_int_equal(seen.counts.attempts, 1);
    seen_done(&seen);
    buf_drop(&log);
}

/* --- hostile files -------------------------------------------------------------------------------------- */

static void strange_lines_are_counted(void **state)
{
    static const char text[] = "\0\0\0\n"
                               "Jul 24 01:11:45 mx sm-mta[1]: h6O8Bj01001234: from=<a\0b@c.example>, size=5\n"
                               "Jul 99 01:11:45 mx sm-mta[1]: x\r\n"
                               "\r\n"
                               "\n"
                               "Jul 24 01:11:46 mx postfix/smtpd[1]: connect from \xff\xfe[192.0.2.1]\n"
                               "Jul 24 01:11:47 mx sm-mta[1]: no end";
    char path[PATH_SIZE];
    struct seen seen;

    (void)state;
    path_of(path, folder, "strange");
    file_write(path, slice_of(text, sizeof text - 1), "2003-07-25");
    scan_one(path, &seen);
    assert_int_equal(seen.lines.lines, 7);
    assert_int_equal(seen.lines.unknown, 3);
    assert_int_equal(seen.counts.connections, 1);
    assert_int_equal(seen.counts.clientless, 1);
    seen_done(&seen);
}

static void long_lines_are_cut(void **state)
{
    const size_t len = 3u * 1024u * 1024u;
    char *text = memory_take(TEXT_MAX), path[PATH_SIZE];
    struct seen seen;

    (void)state;
    path_of(path, folder, "long");
    memset(text, 'x', len);
    memcpy(text, "Jul 24 01:11:45 mx sm-mta[1]: ", 30);
    memcpy(text + len, "\nJul 24 01:11:45 mx sm-mta[1]: STARTTLS\n", 40);
    file_write(path, slice_of(text, len + 40), "2003-07-25");
    scan_one(path, &seen);
    assert_int_equal(seen.lines.lines, 2);
    assert_int_equal(seen.lines.cut, 1);
    assert_int_equal(seen.lines.unknown, 1);
    seen_done(&seen);
    memory_give(text, TEXT_MAX);
}

/* Envelopes that never end, ids given again and again, and clients that never leave. */
static void memory_is_bounded(void **state)
{
    char path[PATH_SIZE];
    const char *paths[] = {path};
    struct buf log;
    struct seen seen;

    (void)state;
    path_of(path, folder, "endless");
    buf_init(&log, TEXT_MAX);
    for (unsigned i = 0; i < 4000; i++)
        assert_true(
            buf_add_format(&log,
                           "Jul 24 01:11:45 mx postfix/smtpd[%u]: NOQUEUE: reject: RCPT from "
                           "unknown[192.0.2.%u]: 550 5.1.1 no; "
                           "from=<a%u@b.example> to=<c@d.example> proto=SMTP helo=<x>\n"
                           "Jul 24 01:11:45 mx postfix/smtpd[%u]: %08X: client=unknown[192.0.2.%u]\n"
                           "Jul 24 01:11:45 mx postfix/smtpd[1]: AAAAAAAA: client=unknown[198.51.100.1]\n",
                           i + 2, i % 250, i, i + 9000, i, i % 250));
    file_write(path, buf_slice(&log), "2003-07-25");
    const size_t before = memory_in_use();
    scan_with((struct scan_settings){.open_max = 100}, paths, 1, &seen);
    assert_int_equal(seen.counts.attempts, 12000);
    assert_true(seen.counts.cut > 3000);
    assert_true(memory_in_use() - before <= seen.attempts.size);
    seen_done(&seen);
    buf_drop(&log);
}

/* A refused envelope, then another one of the same session: also where there is room for one alone. */
static void two_senders_are_two_envelopes(void **state)
{
    char path[PATH_SIZE], name[300];
    const char *paths[] = {path};
    struct buf log;
    struct seen seen;

    (void)state;
    path_of(path, folder, "two");
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    buf_init(&log, TEXT_MAX);
    assert_true(buf_add_format(
        &log,
        "Jul 24 01:11:45 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from %s[192.0.2.1]: 550 5.1.1 no; "
        "from=<a@b.example> to=<c@d.example> proto=SMTP helo=<x>\n"
        "Jul 24 01:11:46 mx postfix/smtpd[1]: 4F1B2C3D01: client=%s[192.0.2.1]\n"
        "Jul 24 01:11:46 mx postfix/qmgr[2]: 4F1B2C3D01: from=<e@b.example>, size=10, nrcpt=1 (queue "
        "active)\n"
        "Jul 24 01:11:46 mx postfix/lmtp[3]: 4F1B2C3D01: to=<f@d.example>, relay=x, status=sent (ok)\n",
        name, name));
    file_write(path, buf_slice(&log), "2003-07-25");
    for (size_t room = 1; room <= 2; room++) {
        scan_with((struct scan_settings){.open_max = room}, paths, 1, &seen);
        assert_int_equal(seen.counts.attempts, 2);
        assert_int_equal(seen.counts.refused, 1);
        assert_int_equal(seen.counts.accepted, 1);
        assert_non_null(
            memmem(seen.attempts.at, seen.attempts.len, " from=e@b.example to=f@d.example tried=1", 40));
        seen_done(&seen);
    }
    buf_drop(&log);
}

static void what_is_no_log_is_refused(void **state)
{
    static const char xz[] = "\xfd"
                             "7zXZ\0and more";
    char path[PATH_SIZE];
    const char *const wrong[] = {folder, "/nowhere/at/all", path};
    static const char *const said[] = {"Is a directory", "No such file", "xzcat"};

    (void)state;
    path_of(path, folder, "log.xz");
    file_write(path, slice_of(xz, sizeof xz - 1), "2026-11-02");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct scan *scan = NULL;
        struct error error = {0};

        assert_int_equal(scan_open(&(struct scan_settings){0}, &wrong[i], 1, &scan, &error), -1);
        assert_null(scan);
        assert_non_null(strstr(error.text, said[i]));
    }
}

static void damage_is_told(void **state)
{
    static const char damaged[] = "\x1f\x8b\x08 and then something else";
    char path[PATH_SIZE];
    struct seen seen;

    (void)state;
    path_of(path, folder, "damaged.gz");
    file_write(path, slice_of(damaged, sizeof damaged - 1), "2026-11-02");
    scan_one(path, &seen);
    assert_int_equal(seen.problems, 1);
    assert_non_null(strstr(seen.error.text, "is damaged"));
    seen_done(&seen);
}

static int folder_remove(void **state)
{
    char command[PATH_SIZE];
    static const char *const names[] = {"packed",  "log.1", "log",    "log.0",     "mx1",
                                        "mx2",     "years", "times",  "strange",   "long",
                                        "endless", "two",   "log.xz", "damaged.gz"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        path_of(command, folder, names[i]);
        (void)unlink(command);
    }
    return rmdir(folder);
}

static int folder_make(void **state)
{
    (void)state;
    return folder_new(folder, "scan");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_give_their_attempts),   cmocka_unit_test(compressed_logs_give_the_same),
        cmocka_unit_test(files_are_put_in_order),     cmocka_unit_test(hosts_are_told_apart),
        cmocka_unit_test(years_follow_from_the_file), cmocka_unit_test(times_are_chosen),
        cmocka_unit_test(strange_lines_are_counted),  cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(memory_is_bounded),          cmocka_unit_test(two_senders_are_two_envelopes),
        cmocka_unit_test(what_is_no_log_is_refused),  cmocka_unit_test(damage_is_told),
    };

    if (argc != 2)
        return 2;
    logs = argv[1];
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
