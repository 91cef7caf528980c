/* Proves what files in MaxMind's format and zones tell of an address, and that they complete each other: IPv4
 * and IPv6, fields that are missing, files that are none, zones that say nothing, garbage, or are dead. */
#include "base/memory.h"
#include "io/origin.h"
#include "io/origin_file.h"

#include "dns_rig.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 128
#define WITHOUT   77 /* what the script ends with where it cannot make files */

extern char **environ;

static const char *script; /* origin.pl */
static char folder[FOLDER_SIZE];
static bool made;      /* the files are in the folder */
static unsigned asked; /* TXT records: the zone is a function without data */

struct rig {
    struct dns_rig dns;
    struct origins *origins;
    struct origin_waiter waiter;
    struct heard heard;
    unsigned used, unused;
    char reason[300];
};

/* --- the zone ------------------------------------------------------------------------------------------ */

/* Octets of all values, without a bar, longer than any datagram. */
static int put_garbage(struct buf *records)
{
    char data[256] = {(char)255};
    for (unsigned i = 0; i < 255; i++)
        data[1 + i] = (char)(i == '|' ? 0 : i);
    for (unsigned i = 0; i < 60; i++)
        dns_put_record(records, NULL, DNS_TXT, 0, slice_of(data, sizeof data));
    return 60;
}

static int zone(struct slice name, enum dns_type type, struct buf *records)
{
    if (type != DNS_TXT)
        return -1;
    asked++;
    if (slice_equal(name, SLICE("7.2.0.192.origin.example"))) {
        put_text(records, "64510 | 192.0.0.0/16 | AU | apnic | 2004-01-01");
        put_text(records, "64500 64501 | 192.0.2.0/24 | NZ | apnic | 2004-01-01");
        return 2;
    }
    if (slice_equal(name,
                    SLICE("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.origin6.example")))
        return put_text(records, "64502 | 2001:db8::/32 | NZ | apnic | 2004-01-01");
    if (slice_equal(name, SLICE("8.2.0.192.origin.example")))
        return put_text(records, "64511 | 192.0.2.0/28 | | |");
    if (slice_equal(name, SLICE("9.2.0.192.origin.example")))
        return put_text(records, "64500 192.0.2.0/24 NZ");
    if (slice_equal(name, SLICE("10.2.0.192.origin.example")))
        return put_garbage(records);
    if (slice_equal(name, SLICE("7.113.0.203.origin.example")))
        return put_text(records, "64512 | 203.0.113.0/25 | FJ | apnic |");
    if (slice_equal(name, SLICE("as64500.asn.example")))
        return put_text(records, "64500 | NZ | apnic | 1996-01-01 | EXAMPLE-AS Example Telecom, NZ");
    if (slice_equal(name, SLICE("as64502.asn.example")))
        return put_text(records, "nothing of use");
    return -2;
}

/* --- the rig ------------------------------------------------------------------------------------------- */

static int files_make(void)
{
    char *const arguments[] = {(char *)(uintptr_t) "perl", (char *)(uintptr_t)script, folder, NULL};
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, "perl", NULL, NULL, arguments, environ) != 0)
        return WITHOUT;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int group_setup(void **state)
{
    (void)state;
    if (folder_new(folder, "origin") < 0)
        return -1;
    const int result = files_make();
    made = result == 0;
    if (!made)
        print_message("perl's MaxMind::DB::Writer is not there: tests of files are skipped\n");
    return made || result == WITHOUT ? 0 : -1;
}

static struct slice path_of(const char *name, char path[PATH_SIZE])
{
    const int len = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return slice_of(path, (size_t)len);
}

static int group_teardown(void **state)
{
    static const char *const names[] = {"asn.mmdb",    "country.mmdb", "four.mmdb",
                                        "broken.mmdb", "text",         "pipe"};
    char path[PATH_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        (void)unlink(path_of(names[i], path).at);
    return rmdir(folder);
}

static int setup(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    asked = 0;
    dns_rig_open(&rig->dns, zone);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    origins_close(rig->origins);
    dns_rig_close(&rig->dns);
    memory_give(rig, sizeof *rig);
    return 0;
}

static void tell(void *data, struct slice file, const struct error *error)
{
    struct rig *rig = data;
    assert_true(slice_starts(file, slice_text(folder)));
    if (error)
        snprintf(rig->reason, sizeof rig->reason, "%s", error->text);
    *(error ? &rig->unused : &rig->used) += 1;
}

/* The files by their names, NULL at the end; zones where `zones` says so. */
static void begin(struct rig *rig, const char *const *names, bool zones)
{
    char paths[4][PATH_SIZE];
    struct slice files[4];
    struct origins_settings settings = {
        .resolver = rig->dns.resolver, .files = files, .tell = tell, .data = rig};
    for (; names && names[settings.file_count]; settings.file_count++)
        files[settings.file_count] = path_of(names[settings.file_count], paths[settings.file_count]);
    if (zones) {
        settings.zone = SLICE("origin.example");
        settings.zone6 = SLICE("origin6.example");
        settings.names = SLICE("asn.example");
    }
    rig->origins = origins_open(&settings);
}

static void done(struct origin_waiter *waiter, const struct resolver_answer *answer)
{
    heard_keep(&LIST_OF(waiter, struct rig, waiter)->heard, answer);
}

static void ask(struct rig *rig, const char *text)
{
    struct resolver_answer answer;
    struct address address;
    assert_true(address_parse(slice_text(text), &address));
    memset(&rig->waiter, 0, sizeof rig->waiter);
    rig->waiter.done = done;
    rig->heard.told = 0;
    if (origins_ask(rig->origins, &address, &rig->waiter, &answer))
        heard_keep(&rig->heard, &answer);
    turns_until(rig->dns.loop, rig->heard.told > 0);
    assert_int_equal(rig->heard.told, 1);
}

static void assert_found(struct rig *rig, const char *address, const char *value)
{
    ask(rig, address);
    assert_string_equal(rig->heard.value, value);
    assert_int_equal(rig->heard.status, ANSWER_FOUND);
}

static void assert_status(struct rig *rig, const char *address, enum answer_status status)
{
    ask(rig, address);
    assert_int_equal(rig->heard.status, status);
}

static const char *const asn_alone[] = {"asn.mmdb", NULL};
static const char *const both[] = {"country.mmdb", "asn.mmdb", NULL};

static void need_files(void)
{
    if (!made)
        skip();
}

/* --- files --------------------------------------------------------------------------------------------- */

static void a_file_tells_what_it_has(void **state)
{
    struct rig *rig = *state;
    need_files();
    begin(rig, asn_alone, false);
    assert_int_equal(rig->used, 1);
    assert_found(rig, "192.0.2.7", "AS64500\t192.0.2.0/24\t\tExample Telecom\t");
    assert_found(rig, "198.51.100.127", "AS64501\t198.51.100.0/25\t\t\t");
    assert_found(rig, "2001:db8::7", "AS64502\t2001:db8::/32\t\tExample Six\t");
    assert_status(rig, "198.51.100.128", ANSWER_NONE);
    assert_status(rig, "2001:db9::7", ANSWER_NONE);
    assert_int_equal(asked, 0);
}

static void several_files_complete_each_other(void **state)
{
    struct rig *rig = *state;
    need_files();
    begin(rig, both, false);
    assert_int_equal(rig->used, 2);
    assert_found(rig, "192.0.2.7", "AS64500\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand");
    assert_found(rig, "192.0.4.7", "\t192.0.4.0/22\tNZ\t\tNew Zealand");
    assert_found(rig, "198.51.100.7", "AS64501\t198.51.100.0/25\tFJ\t\tFiji");
    assert_found(rig, "198.51.100.200", "\t198.51.100.0/24\tFJ\t\tFiji");
    assert_found(rig, "2001:db8:1::1", "AS64502\t2001:db8::/32\tTO\tExample Six\tTonga");
    assert_found(rig, "2001:db8:2::1", "AS64502\t2001:db8::/32\t\tExample Six\t");
    assert_status(rig, "192.0.3.7", ANSWER_NONE); /* there, without a field that is known */
}

static void texts_are_made_clean(void **state)
{
    struct rig *rig = *state;
    need_files();
    begin(rig, asn_alone, false);
    assert_found(rig, "203.0.113.7",
                 "\t203.0.113.0/24\t\tTelef\303\263nica?"
                 "??2J\t");
}

static void a_file_of_ipv4_alone_knows_no_ipv6(void **state)
{
    static const char *const names[] = {"four.mmdb", NULL};
    struct rig *rig = *state;
    need_files();
    begin(rig, names, false);
    assert_found(rig, "192.0.2.7", "AS64503\t192.0.2.0/25\tNZ\tFlat\tNew Zealand");
    assert_status(rig, "2001:db8::7", ANSWER_NONE);
}

static void file_write(const char *name, struct slice text)
{
    char path[PATH_SIZE];
    const int fd = open(path_of(name, path).at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text.at, text.len) == (ssize_t)text.len && close(fd) == 0);
}

/* The first part of a file: of 1 it is the whole. */
static void file_copy(const char *from, const char *to, size_t part)
{
    static char room[100000];
    char path[PATH_SIZE];
    const int fd = open(path_of(from, path).at, O_RDONLY | O_CLOEXEC);
    const ssize_t len = read(fd, room, sizeof room);
    assert_true(fd >= 0 && len > 0 && close(fd) == 0);
    file_write(to, slice_of(room, (size_t)len / part));
}

static void is_not_used(struct rig *rig, const char *name, const char *reason)
{
    const char *const names[] = {name, NULL};
    struct error error = {0};
    char path[PATH_SIZE];
    assert_int_equal(origin_file_check(path_of(name, path).at, &error), -1);
    assert_non_null(strstr(error.text, reason));
    begin(rig, names, false);
    assert_int_equal(rig->used, 0);
    assert_int_equal(rig->unused, 1);
    assert_non_null(strstr(rig->reason, reason));
    assert_status(rig, "192.0.2.7", ANSWER_NONE);
    origins_close(rig->origins);
    rig->origins = NULL;
    rig->unused = 0;
}

static void what_is_no_such_file_is_left_out(void **state)
{
    struct rig *rig = *state;
    char path[PATH_SIZE];
    file_write("text", SLICE("no database"));
    assert_int_equal(mkfifo(path_of("pipe", path).at, 0600), 0);
    is_not_used(rig, "none.mmdb", "cannot be read: No such file");
    is_not_used(rig, "text", "is no file in MaxMind's format, or is broken");
    is_not_used(rig, "pipe", "is no regular file");
    is_not_used(rig, ".", "is no regular file");
}

static void a_broken_file_is_left_out(void **state)
{
    static const char *const names[] = {"broken.mmdb", "asn.mmdb", NULL};
    struct rig *rig = *state;
    need_files();
    file_copy("country.mmdb", "broken.mmdb", 2);
    is_not_used(rig, "broken.mmdb", "is no file in MaxMind's format, or is broken");
    begin(rig, names, false);
    assert_int_equal(rig->used, 1);
    assert_found(rig, "192.0.2.7", "AS64500\t192.0.2.0/24\t\tExample Telecom\t");
}

/* Whatever octet is another, an answer comes, and no step goes past the file. */
static void a_file_may_be_wrong_within(void **state)
{
    static char room[100000];
    static const char *const names[] = {"broken.mmdb", NULL};
    struct rig *rig = *state;
    char path[PATH_SIZE];
    need_files();
    const int fd = open(path_of("asn.mmdb", path).at, O_RDONLY | O_CLOEXEC);
    const ssize_t len = read(fd, room, sizeof room);
    assert_true(fd >= 0 && len > 0 && close(fd) == 0);
    for (ssize_t at = 0; at < len; at += len / 200 + 1) {
        room[at] = (char)~room[at];
        file_write("broken.mmdb", slice_of(room, (size_t)len));
        begin(rig, names, false);
        ask(rig, "192.0.2.7");
        ask(rig, "2001:db8::7");
        origins_close(rig->origins);
        rig->origins = NULL;
        room[at] = (char)~room[at];
    }
}

/* Somebody copies another file over it: nothing is read where it was. */
static void a_file_may_be_changed_in_its_place(void **state)
{
    static const char *const names[] = {"broken.mmdb", NULL};
    struct rig *rig = *state;
    need_files();
    file_copy("asn.mmdb", "broken.mmdb", 1);
    begin(rig, names, false);
    file_write("broken.mmdb", SLICE_NONE);
    assert_status(rig, "192.0.2.7", ANSWER_FAILED);
    assert_non_null(strstr(rig->heard.value, "was changed in its place"));
    file_copy("asn.mmdb", "broken.mmdb", 1);
    assert_status(rig, "192.0.2.7", ANSWER_FAILED);
    origins_close(rig->origins);
    begin(rig, names, false);
    assert_found(rig, "192.0.2.7", "AS64500\t192.0.2.0/24\t\tExample Telecom\t");
}

/* --- zones --------------------------------------------------------------------------------------------- */

static void a_zone_is_asked_with_the_name(void **state)
{
    struct rig *rig = *state;
    begin(rig, NULL, true);
    assert_found(rig, "192.0.2.7", "AS64500 AS64501\t192.0.2.0/24\tNZ\tEXAMPLE-AS Example Telecom\t");
    assert_found(rig, "2001:db8::7", "AS64502\t2001:db8::/32\tNZ\t\t");
    assert_found(rig, "192.0.2.8", "AS64511\t192.0.2.0/28\t\t\t");
    assert_status(rig, "192.0.2.99", ANSWER_NONE);
    assert_int_equal(asked, 7);
}

static void garbage_is_no_origin(void **state)
{
    struct rig *rig = *state;
    begin(rig, NULL, true);
    assert_status(rig, "192.0.2.9", ANSWER_FAILED);
    assert_non_null(strstr(rig->heard.value, "tells no origin"));
    assert_status(rig, "192.0.2.10", ANSWER_FAILED);
    rig->dns.server.mood = SERVER_GARBLED;
    assert_status(rig, "192.0.2.11", ANSWER_FAILED);
}

static void a_dead_zone_fails(void **state)
{
    struct rig *rig = *state;
    begin(rig, NULL, true);
    rig->dns.server.mood = SERVER_DEAD;
    assert_status(rig, "192.0.2.7", ANSWER_FAILED);
    assert_true(rig->heard.value[0] != '\0');
}

static void without_a_resolver_nothing_is_known(void **state)
{
    struct rig *rig = *state;
    struct resolver *resolver = rig->dns.resolver;
    rig->dns.resolver = NULL;
    begin(rig, NULL, true);
    rig->dns.resolver = resolver;
    assert_status(rig, "192.0.2.7", ANSWER_NONE);
}

static void the_end_comes_in_the_midst_of_a_question(void **state)
{
    struct rig *rig = *state;
    struct resolver_answer answer;
    struct address address;
    begin(rig, NULL, true);
    rig->dns.server.mood = SERVER_DEAD;
    rig->waiter.done = done;
    assert_true(address_parse(SLICE("192.0.2.7"), &address));
    assert_false(origins_ask(rig->origins, &address, &rig->waiter, &answer));
    loop_turn(rig->dns.loop, 0);
    assert_int_equal(rig->heard.told, 0);
}

/* --- both ---------------------------------------------------------------------------------------------- */

static void a_zone_is_asked_for_what_files_do_not_know(void **state)
{
    struct rig *rig = *state;
    need_files();
    begin(rig, both, true);
    assert_found(rig, "192.0.2.7", "AS64500\t192.0.2.0/24\tNZ\tExample Telecom\tNew Zealand");
    assert_int_equal(asked, 0);
    assert_found(rig, "203.0.113.7",
                 "AS64512\t203.0.113.0/24\tFJ\tTelef\303\263nica?"
                 "??2J\t");
    assert_int_equal(asked, 1);
    rig->dns.server.mood = SERVER_FAILING;
    assert_found(rig, "192.0.4.7", "\t192.0.4.0/22\tNZ\t\tNew Zealand");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_tells_what_it_has),
        TEST(several_files_complete_each_other),
        TEST(texts_are_made_clean),
        TEST(a_file_of_ipv4_alone_knows_no_ipv6),
        TEST(what_is_no_such_file_is_left_out),
        TEST(a_broken_file_is_left_out),
        TEST(a_file_may_be_wrong_within),
        TEST(a_file_may_be_changed_in_its_place),
        TEST(a_zone_is_asked_with_the_name),
        TEST(garbage_is_no_origin),
        TEST(a_dead_zone_fails),
        TEST(without_a_resolver_nothing_is_known),
        TEST(the_end_comes_in_the_midst_of_a_question),
        TEST(a_zone_is_asked_for_what_files_do_not_know),
    };
    assert_int_equal(count, 2);
    script = arguments[1];
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
