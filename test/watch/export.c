/* Proves that addresses to shut out stand in each form as other programs want it, sorted, without what has
 * expired; that no reason can break out of its place; and that a file is replaced whole or not at all. */
#include "unit.h"

#include "base/calendar.h"
#include "base/text.h"
#include "watch/export.h"
#include "wire/access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW       INT64_C(1059009105000) /* 2003-07-24T01:11:45Z */
#define OUT_MAX   (1024u * 1024u)
#define NAME_SIZE 200

static struct export_entry entry_of(const char *network, const char *reason)
{
    struct export_entry entry = {.reason = slice_text(reason),
                                 .evidence = SLICE("00000yt8xt3ag"),
                                 .made_ms = NOW,
                                 .expires_ms = NOW + 3600000,
                                 .hits = 7};

    assert_true(prefix_parse(slice_text(network), &entry.address));
    return entry;
}

static void assert_export(enum export_form form, const struct export_entry *entries, size_t count,
                          const char *wanted)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    assert_true(export_print(form, entries, count, NOW, &out));
    if (!slice_equal(buf_slice(&out), slice_text(wanted)))
        fail_msg("seen:\n%.*s\nwanted:\n%s", SLICE_ARGS(buf_slice(&out)), wanted);
    buf_drop(&out);
}

static void each_form_is_as_it_should(void **state)
{
    struct export_entry entries[] = {
        entry_of("2001:db8:7:8::/64", "Apparent bot"), entry_of("203.0.113.0/24", "Guesses addresses"),
        entry_of("192.0.2.7", "Apparent open relay"),  entry_of("198.51.100.1", "long ago"),
        entry_of("203.0.113.9", "Guesses addresses"),
    };

    (void)state;
    entries[3].expires_ms = NOW;
    entries[2].expires_ms = 0;
#define HEAD "# Postern, 2003-07-24T01:11:45Z: 4 addresses and networks\n"
#define TOLD "# made 2003-07-24T01:11:45Z, expires 2003-07-24T02:11:45Z, evidence 00000yt8xt3ag\n"
#define EVER "# made 2003-07-24T01:11:45Z, expires never, evidence 00000yt8xt3ag\n"
    assert_export(EXPORT_ACCESS, entries, COUNT(entries),
                  HEAD EVER "Connect:192.0.2.7\tERROR:5.7.1:\"550 Apparent open relay\"\n" TOLD
                            "Connect:203.0.113\tERROR:5.7.1:\"550 Guesses addresses\"\n" TOLD
                            "Connect:203.0.113.9\tERROR:5.7.1:\"550 Guesses addresses\"\n" TOLD
                            "Connect:IPv6:2001:db8:7:8\tERROR:5.7.1:\"550 Apparent bot\"\n");
    assert_export(EXPORT_CIDR, entries, COUNT(entries),
                  HEAD EVER "192.0.2.7\tREJECT 5.7.1 Apparent open relay\n" TOLD
                            "203.0.113.0/24\tREJECT 5.7.1 Guesses addresses\n" TOLD
                            "203.0.113.9\tREJECT 5.7.1 Guesses addresses\n" TOLD
                            "2001:db8:7:8::/64\tREJECT 5.7.1 Apparent bot\n");
    assert_export(
        EXPORT_NFTABLES, entries, COUNT(entries),
        HEAD
        "# For a rule such as: tcp dport 25 ip saddr @blocked4 reject\n"
        "add table inet postern\n"
        "add set inet postern blocked4 { type ipv4_addr; flags interval, timeout; }\n"
        "flush set inet postern blocked4\n"
        "add element inet postern blocked4 { 192.0.2.7 comment \"Apparent open relay\" }\n"
        "add element inet postern blocked4 { 203.0.113.0/24 timeout 3600s comment \"Guesses addresses\" }\n"
        "add set inet postern blocked6 { type ipv6_addr; flags interval, timeout; }\n"
        "flush set inet postern blocked6\n"
        "add element inet postern blocked6 { 2001:db8:7:8::/64 timeout 3600s comment \"Apparent bot\" }\n");
    assert_export(EXPORT_RBLDNSD, entries, COUNT(entries),
                  HEAD "$DATASET ip4set:blocked4 @\n:127.0.0.2:Test entry\n127.0.0.2\n" EVER
                       ":127.0.0.2:Apparent open relay\n192.0.2.7\n" TOLD
                       ":127.0.0.2:Guesses addresses\n203.0.113.0/24\n" TOLD "203.0.113.9\n"
                       "$DATASET ip6trie:blocked6 @\n:127.0.0.2:Test entry\n0:0:0:0:0:ffff:7f00:2\n" TOLD
                       ":127.0.0.2:Apparent bot\n2001:db8:7:8::/64\n");
    assert_export(
        EXPORT_JSON, entries + 2, 1,
        "{\"address\":\"192.0.2.7\",\"reason\":\"Apparent open relay\",\"evidence\":\"00000yt8xt3ag\","
        "\"made\":\"2003-07-24T01:11:45Z\",\"expires\":null,\"hits\":7}\n");
    assert_export(EXPORT_CIDR, NULL, 0, "# Postern, 2003-07-24T01:11:45Z: 0 addresses and networks\n");
}

static struct export_entry allowance_of(const char *network)
{
    struct export_entry entry = entry_of(network, "knows us");

    entry.allowed = true;
    entry.expires_ms = 0;
    return entry;
}

/* What an allowance holds is left out; what it lies in is told around it. */
static void allowances_beat_entries(void **state)
{
    struct export_entry entries[] = {
        entry_of("192.0.2.0/29", "x"),      allowance_of("192.0.2.3"),
        entry_of("198.51.100.7", "beaten"), allowance_of("198.51.100.0/24"),
        entry_of("192.0.2.3", "beaten"),    allowance_of("203.0.113.1"),
        entry_of("2001:db8:1::/48", "x"),   allowance_of("2001:db8:1:2::/64"),
        allowance_of("2001:db8:1:2::/64"),  entry_of("192.0.2.0/29", "twice"),
    };
#define FREE "# made 2003-07-24T01:11:45Z, expires never, evidence 00000yt8xt3ag\n"
#define KEPT "# Postern, 2003-07-24T01:11:45Z: 2 addresses and networks, 2 exceptions\n"

    (void)state;
    assert_export(EXPORT_ACCESS, entries, COUNT(entries),
                  KEPT FREE "Connect:192.0.2.3\tSKIP\n" FREE "Connect:IPv6:2001:db8:1:2\tSKIP\n" TOLD
                            "Connect:192.0.2.0\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.1\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.2\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.4\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.5\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.6\tERROR:5.7.1:\"550 x\"\n"
                            "Connect:192.0.2.7\tERROR:5.7.1:\"550 x\"\n" TOLD
                            "Connect:IPv6:2001:db8:1\tERROR:5.7.1:\"550 x\"\n");
    assert_export(EXPORT_CIDR, entries, COUNT(entries),
                  KEPT FREE "192.0.2.3\tDUNNO\n" FREE "2001:db8:1:2::/64\tDUNNO\n" TOLD
                            "192.0.2.0/29\tREJECT 5.7.1 x\n" TOLD "2001:db8:1::/48\tREJECT 5.7.1 x\n");
    assert_export(EXPORT_RBLDNSD, entries, COUNT(entries),
                  KEPT "$DATASET ip4set:blocked4 @\n:127.0.0.2:Test entry\n127.0.0.2\n!192.0.2.3\n" TOLD
                       ":127.0.0.2:x\n192.0.2.0/29\n"
                       "$DATASET ip6trie:blocked6 @\n:127.0.0.2:Test entry\n0:0:0:0:0:ffff:7f00:2\n"
                       "!2001:db8:1:2::/64\n" TOLD ":127.0.0.2:x\n2001:db8:1::/48\n");
    assert_export(EXPORT_NFTABLES, entries, 2,
                  "# Postern, 2003-07-24T01:11:45Z: 1 address or network, 1 exception\n"
                  "# For a rule such as: tcp dport 25 ip saddr @blocked4 reject\n"
                  "add table inet postern\n"
                  "add set inet postern blocked4 { type ipv4_addr; flags interval, timeout; }\n"
                  "flush set inet postern blocked4\n"
                  "add element inet postern blocked4 { 192.0.2.0/31 timeout 3600s comment \"x\" }\n"
                  "add element inet postern blocked4 { 192.0.2.2 timeout 3600s comment \"x\" }\n"
                  "add element inet postern blocked4 { 192.0.2.4/30 timeout 3600s comment \"x\" }\n"
                  "add set inet postern blocked6 { type ipv6_addr; flags interval, timeout; }\n"
                  "flush set inet postern blocked6\n");
}

static void key_count(const struct export_entry *entries, size_t count, const char *key, unsigned wanted)
{
    struct access_reader reader;
    struct access_entry read;
    struct buf out;
    unsigned seen = 0;

    buf_init(&out, OUT_MAX);
    assert_true(export_print(EXPORT_ACCESS, entries, count, NOW, &out));
    access_init(&reader, buf_slice(&out));
    while (access_next(&reader, &read) == ACCESS_ENTRY)
        seen += slice_equal(read.key, slice_text(key));
    assert_int_equal(seen, wanted);
    buf_drop(&out);
}

/* makemap takes no table in which one stands twice. */
static void keys_stand_there_once(void **state)
{
    const struct export_entry entries[] = {
        entry_of("192.0.0.0/17", "a"),  entry_of("192.0.1.0/25", "b"), entry_of("192.0.2.0/24", "c"),
        entry_of("192.0.1.64/26", "d"), entry_of("192.0.1.7", "e"),    entry_of("192.0.1.200", "f"),
        allowance_of("192.0.3.0/24"),
    };

    (void)state;
    key_count(entries, COUNT(entries), "192.0.1", 1);
    key_count(entries, COUNT(entries), "192.0.2", 1);
    key_count(entries, COUNT(entries), "192.0.3", 1);
    key_count(entries, COUNT(entries), "192.0.1.7", 1);
    key_count(entries, COUNT(entries), "192.0.1.64", 1);
    key_count(entries, COUNT(entries), "192.0.1.200", 1);
}

/* Networks between whole octets become several entries, and each address in them is covered by just one. */
static void access_tables_know_whole_octets(void **state)
{
    const struct export_entry entry = entry_of("198.51.100.64/27", "x");
    struct buf out;
    struct access_reader reader;
    struct access_entry read;
    unsigned count = 0;

    (void)state;
    buf_init(&out, OUT_MAX);
    assert_true(export_print(EXPORT_ACCESS, &entry, 1, NOW, &out));
    access_init(&reader, buf_slice(&out));
    while (access_next(&reader, &read) == ACCESS_ENTRY) {
        struct address address;
        assert_true(address_parse(read.key, &address));
        assert_true(prefix_contains(&entry.address, &address));
        assert_int_equal(address.octets[3], 64 + count);
        assert_int_equal(read.code, 550);
        count++;
    }
    assert_int_equal(count, 32);
    buf_clear(&out);
    const struct export_entry wide = entry_of("2001:db8::/35", "x");
    assert_true(export_print(EXPORT_ACCESS, &wide, 1, NOW, &out));
    assert_int_not_equal(slice_find_slice(buf_slice(&out), SLICE("# 2001:db8::/35 is more than")),
                         SLICE_NOT_FOUND);
    buf_drop(&out);
}

static void reasons_stay_in_their_place(void **state)
{
    struct export_entry entry = entry_of("192.0.2.7", "a\"b\\c$d\n192.0.2.99\tOK \xff end");
    struct buf out;

    (void)state;
    entry.evidence = SLICE("x\nConnect:192.0.2.99\tOK");
    for (int form = 0; form < EXPORT_FORM_COUNT; form++) {
        struct slice rest, line;
        buf_init(&out, OUT_MAX);
        assert_true(export_print((enum export_form)form, &entry, 1, NOW, &out));
        rest = buf_slice(&out);
        while (slice_cut(&rest, '\n', &line)) {
            assert_false(slice_starts(line, SLICE("192.0.2.99")) ||
                         slice_starts(line, SLICE("Connect:192.0.2.99")));
            assert_true(form == EXPORT_JSON || slice_find(line, '\\') == SLICE_NOT_FOUND);
        }
        if (form != EXPORT_JSON)
            assert_int_not_equal(slice_find_slice(buf_slice(&out), SLICE("a'b?c?d?192.0.2.99?OK ? end")),
                                 SLICE_NOT_FOUND);
        buf_drop(&out);
    }
}

static void what_has_no_room_changes_nothing(void **state)
{
    const struct export_entry entry = entry_of("192.0.2.7", "x");
    struct buf out;

    (void)state;
    for (size_t max = 1; max < 60; max += 7) {
        buf_init(&out, max);
        assert_false(export_print(EXPORT_ACCESS, &entry, 1, NOW, &out));
        assert_int_equal(out.len, 0);
        buf_drop(&out);
    }
}

static void file_is(const char *path, const char *wanted)
{
    char text[100];
    const int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    const ssize_t got = read(fd, text, sizeof text);
    (void)close(fd);
    assert_int_equal(got, strlen(wanted));
    assert_memory_equal(text, wanted, strlen(wanted));
}

static void files_are_replaced_whole(void **state)
{
    char folder[FOLDER_SIZE], path[NAME_SIZE], beside[NAME_SIZE + 4], below[NAME_SIZE + 8];
    struct error error = {0};
    struct stat status;

    (void)state;
    assert_int_equal(folder_new(folder, "export"), 0);
    (void)snprintf(path, sizeof path, "%s/blocked", folder);
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    (void)snprintf(below, sizeof below, "%s/none/x", folder);
    assert_int_equal(export_save(path, SLICE("one\n"), &error), 0);
    file_is(path, "one\n");
    assert_int_equal(export_save(path, SLICE("two\n"), &error), 0);
    file_is(path, "two\n");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(access(beside, F_OK), -1);

    /* Where it cannot be written, what was there stays, and it is said. */
    assert_int_equal(symlink("/nowhere/at/all", beside), 0);
    assert_int_equal(export_save(path, SLICE("three\n"), &error), -1);
    assert_non_null(strstr(error.text, beside));
    file_is(path, "two\n");
    (void)unlink(beside);
    assert_int_equal(export_save(below, SLICE("x"), &error), -1);
    (void)unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void words_read_back(void **state)
{
    enum export_form form;

    (void)state;
    for (int i = 0; i < EXPORT_FORM_COUNT; i++) {
        assert_true(export_form_parse(slice_text(export_form_word((enum export_form)i)), &form));
        assert_int_equal(form, i);
    }
    assert_false(export_form_parse(SLICE("acces"), &form));
    assert_false(export_form_parse(SLICE(""), &form));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_as_it_should),   cmocka_unit_test(allowances_beat_entries),
        cmocka_unit_test(keys_stand_there_once),       cmocka_unit_test(access_tables_know_whole_octets),
        cmocka_unit_test(reasons_stay_in_their_place), cmocka_unit_test(what_has_no_room_changes_nothing),
        cmocka_unit_test(files_are_replaced_whole),    cmocka_unit_test(words_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
