/* Proves that only plain mailboxes are taken for contacts, whoever names them; that of a table the longest
 * network counts, and networks before AS numbers; and that whatever a zone says, at most four addresses come
 * of it. */
#include "unit.h"

#include "wire/contact.h"

static void only_plain_mailboxes_are_sound(void **state)
{
    static const struct {
        const char *text;
        bool sound;
    } rows[] = {
        {"abuse@example.net", true},
        {"network-abuse+mail.desk@noc.example.net", true},
        {"a@xn--bcher-kva.example", true},
        {"", false},
        {"abuse", false},
        {"@example.net", false},
        {"abuse@", false},
        {"abuse@localhost", false},
        {"abuse@example.net.", false},
        {"abuse@192.0.2.1", false},
        {"abuse@[192.0.2.1]", false},
        {"abuse@example..net", false},
        {".abuse@example.net", false},
        {"abuse.@example.net", false},
        {"a..b@example.net", false},
        {"\"a b\"@example.net", false},
        {"a b@example.net", false},
        {"a@b@example.net", false},
        {"a%b@example.net", false},
        {"<abuse@example.net>", false},
        {"abuse@example.net>", false},
        {"abuse@example.net\r\nBcc: all@example.org", false},
        {"abuse@example.net\n", false},
        {"abuse,all@example.net", false},
        {"abuse(all)@example.net", false},
        {"ab\xc3\xbcse@example.net", false},
        {"abuse@ex\xc3\xa4mple.net", false},
        {"abuse@exa_mple.net", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (contact_is_sound(slice_text(rows[i].text)) != rows[i].sound)
            fail_msg("\"%s\"", rows[i].text);
    assert_false(contact_is_sound(SLICE("abuse\0@example.net")));
    char long_local[80 + 12];
    memset(long_local, 'a', sizeof long_local);
    memcpy(long_local + 80, "@example.net", 12);
    assert_false(contact_is_sound(slice_of(long_local, sizeof long_local)));
    assert_true(contact_is_sound(slice_of(long_local + 16, sizeof long_local - 16)));
}

static void lines_are_read(void **state)
{
    static const struct {
        const char *line;
        enum contact_line_status status;
        const char *word; /* that is wrong */
        size_t count;
    } rows[] = {
        {"", CONTACT_LINE_EMPTY, "", 0},
        {"  # AS64500 abuse@example.net", CONTACT_LINE_EMPTY, "", 0},
        {"AS64500 abuse@example.net", CONTACT_LINE_DONE, NULL, 1},
        {"as64500\tabuse@example.net  noc@example.net # the desk\r", CONTACT_LINE_DONE, NULL, 2},
        {"192.0.2.0/24 abuse@example.net ABUSE@example.net", CONTACT_LINE_DONE, NULL, 1},
        {"2001:db8::/32 -", CONTACT_LINE_DONE, NULL, 0},
        {"AS0 abuse@example.net", CONTACT_LINE_WHOSE, "AS0", 0},
        {"AS4294967296 abuse@example.net", CONTACT_LINE_WHOSE, "AS4294967296", 0},
        {"192.0.2.1/24 abuse@example.net", CONTACT_LINE_WHOSE, "192.0.2.1/24", 0},
        {"example.net abuse@example.net", CONTACT_LINE_WHOSE, "example.net", 0},
        {"AS64500", CONTACT_LINE_NOBODY, "AS64500", 0},
        {"AS64500 abuse@example.net abuse", CONTACT_LINE_ADDRESS, "abuse", 1},
        {"AS64500 a@b.example c@b.example d@b.example e@b.example f@b.example", CONTACT_LINE_ADDRESS,
         "f@b.example", 4},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct contact_line line;
        if (contact_line_read(slice_text(rows[i].line), &line) != rows[i].status)
            fail_msg("\"%s\"", rows[i].line);
        assert_int_equal(line.to.count, rows[i].count);
        if (rows[i].word)
            assert_true(slice_equal(line.wrong_word, slice_text(rows[i].word)));
    }
}

static void assert_found(const char *address_text, const uint32_t *as, size_t as_count, const char *wanted)
{
    static const char table[] = "AS64501 second@example.net\n"
                                "AS64500 first@example.net\n"
                                "# a comment\n"
                                "192.0.0.0/16 wide@example.net\n"
                                "192.0.2.0/24 near@example.net other@example.net\n"
                                "192.0.2.0/25 wrong@\n"
                                "192.0.2.0/24 late@example.net\n"
                                "198.51.100.0/24 -\n"
                                "2001:db8::/32 six@example.net";
    struct contacts contacts = {.count = 99};
    struct address address;

    assert_true(address_parse(slice_text(address_text), &address));
    const bool found = contact_table_find(slice_text(table), &address, as, as_count, &contacts);
    assert_int_equal(found, wanted != NULL);
    if (!wanted)
        return;
    assert_int_equal(contacts.count > 0, wanted[0] != 0);
    if (wanted[0])
        assert_true(slice_equal(contacts.address[0], slice_text(wanted)));
}

static void the_longest_network_counts(void **state)
{
    const uint32_t both[] = {64500, 64501}, second[] = {64501}, other[] = {64502};

    (void)state;
    assert_found("192.0.2.7", both, 2, "near@example.net");
    assert_found("192.0.3.7", NULL, 0, "wide@example.net");
    assert_found("203.0.113.7", both, 2, "first@example.net");
    assert_found("203.0.113.7", second, 1, "second@example.net");
    assert_found("203.0.113.7", other, 1, NULL);
    assert_found("198.51.100.7", both, 2, ""); /* nobody is to be asked */
    assert_found("2001:db8::7", NULL, 0, "six@example.net");
    assert_found("2001:db9::7", NULL, 0, NULL);
}

static void assert_records(const char *records, const char *wanted)
{
    struct contacts contacts;
    struct arena arena;
    struct slice all = SLICE_NONE;

    arena_init(&arena, NULL, 0);
    contact_records_read(slice_text(records), &arena, &contacts);
    for (size_t i = 0; i < contacts.count; i++)
        all = arena_format(&arena, "%.*s%s%.*s", SLICE_ARGS(all), i ? " " : "",
                           SLICE_ARGS(contacts.address[i]));
    if (!slice_equal(all, slice_text(wanted)))
        fail_msg("seen: %.*s\nwanted: %s", SLICE_ARGS(all), wanted);
    arena_drop(&arena);
}

static void a_zones_answer_is_read(void **state)
{
    (void)state;
    assert_records("17:abuse@example.net,", "abuse@example.net");
    assert_records("37:abuse@example.net, mailto:a@b.example,3:a@b,", "abuse@example.net a@b.example");
    assert_records("17:abuse@example.net,17:ABUSE@EXAMPLE.NET,", "abuse@example.net");
    assert_records("0:,", "");
    assert_records("25:no abuse contact is known,", "");
    assert_records("39:abuse@example.net\r\nBcc: all@example.org,", "all@example.org");
    assert_records("59:a@b.example b@b.example c@b.example;d@b.example,e@b.example,",
                   "a@b.example b@b.example c@b.example d@b.example");
    assert_records("99:broken", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_mailboxes_are_sound),
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(the_longest_network_counts),
        cmocka_unit_test(a_zones_answer_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
