/* Proves that access tables as sendmail's are read: keys and tags, every kind of value, mistakes at their
 * lines; and that keys have one form and widen as sendmail's look-ups do. */
#include "base/buf.h"
#include "unit.h"
#include "wire/access.h"

struct access_case {
    const char *text;
    const char *wanted; /* line:tags key action code enhanced text; or line! or line- */
};

static const struct access_case cases[] = {
    {"", ""},
    {"\n # a comment\n#another\n\t\n", ""},
    {"192.0.2.7\tREJECT\n", "1:7 192.0.2.7 reject 0 '' ''\n"},
    {"192.0.2 OK", "1:7 192.0.2 ok 0 '' ''\n"},
    {"Connect:192 RELAY\r\n", "1:1 192 ok 0 '' ''\n"},
    {"connect:IPv6:2001:db8::1 skip\n", "1:1 ipv6:2001:db8:0:0:0:0:0:1 skip 0 '' ''\n"},
    {"IPv6:2001:0DB8:01 REJECT\n", "1:7 ipv6:2001:db8:1 reject 0 '' ''\n"},
    {"From:Joe@Far.Example DISCARD\n", "1:2 joe@far.example discard 0 '' ''\n"},
    {"From:joe@ REJECT\nTo:joe@ OK\n", "1:2 joe@ reject 0 '' ''\n2:4 joe@ ok 0 '' ''\n"},
    {"Helo:pushy.example REJECT\n", "1:8 pushy.example reject 0 '' ''\n"},
    {"far.example 550 We take no mail from you\n",
     "1:7 far.example reject 550 '' 'We take no mail from you'\n"},
    {"far.example \"550 quoted\"\n", "1:7 far.example reject 550 '' 'quoted'\n"},
    {"far.example 450 4.7.1 later\n", "1:7 far.example defer 450 '4.7.1' 'later'\n"},
    {"Connect:192.0.2.9 ERROR:5.7.1:550 Apparent open relay\n",
     "1:1 192.0.2.9 reject 550 '5.7.1' 'Apparent open relay'\n"},
    {"a.example ERROR:4.2.1:\"450 full\"\n", "1:7 a.example defer 450 '4.2.1' 'full'\n"},
    {"a.example ERROR:\"5.7.1:550 quoted\"\n", "1:7 a.example reject 550 '5.7.1' 'quoted'\n"},
    {"a.example ERROR:550 plain\n", "1:7 a.example reject 550 '' 'plain'\n"},
    {"a.example ERROR:550\n", "1:7 a.example reject 550 '' ''\n"},
    {"a.example 550: with a colon\n", "1!\n"},
    {"a.example ERROR:5.7.1:450 contradiction\n", "1!\n"},
    {"a.example\nb.example MAYBE\nc.example OK\n", "1!\n2!\n3:7 c.example ok 0 '' ''\n"},
    {"a.example 250 fine\n", "1!\n"},
    {"192.0.2.256 OK\n192.0.2. OK\n", "1:7 192.0.2.256 ok 0 '' ''\n2:7 192.0.2. ok 0 '' ''\n"},
    {"Connect:joe@a.example OK\nConnect: OK\nIPv6:xyz OK\n", "1!\n2!\n3!\n"},
    {"GreetPause:192.0.2 5000\nTLS_Clt:a.example VERIFY\n", "1-\n2-\n"},
};

static void entry_print(const struct access_entry *entry, struct buf *seen)
{
    static const char *const actions[] = {"ok", "skip", "reject", "defer", "discard"};
    char key[ACCESS_KEY_SIZE];
    size_t len = access_key_print(entry, key);
    buf_add_format(seen, "%u:%u %.*s %s %u '%.*s' '%.*s'\n", entry->line, entry->tags, (int)len, key,
                   actions[entry->action], entry->code, SLICE_ARGS(entry->enhanced), SLICE_ARGS(entry->text));
}

static void tables_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct access_reader reader;
        struct access_entry entry;
        enum access_status status;
        struct buf seen;
        buf_init(&seen, 10000);
        access_init(&reader, slice_text(cases[i].text));
        while ((status = access_next(&reader, &entry)) != ACCESS_END)
            if (status == ACCESS_ENTRY)
                entry_print(&entry, &seen);
            else
                buf_add_format(&seen, "%u%s\n", entry.line, status == ACCESS_BAD ? "!" : "-");
        if (!slice_equal(buf_slice(&seen), slice_text(cases[i].wanted)))
            fail_msg("%s gives %.*s", cases[i].text, SLICE_ARGS(buf_slice(&seen)));
        buf_drop(&seen);
    }
}

static void keys_widen(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "192.0.2.7>192.0.2>192.0>192",
        "ipv6:2001:db8:1>ipv6:2001:db8>ipv6:2001",
        "joe@mx.far.example>mx.far.example>far.example>example",
        "joe@",
        "example",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice wanted = slice_text(rows[i]), first;
        slice_cut(&wanted, '>', &first);
        struct slice key = first, next;
        while (slice_cut(&wanted, '>', &next)) {
            assert_true(access_key_widen(&key));
            assert_true(slice_equal(key, next));
        }
        assert_false(access_key_widen(&key));
    }
}

static void addresses_have_one_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"192.0.2.7", "192.0.2.7"},
                                          {"::ffff:192.0.2.7", "192.0.2.7"},
                                          {"2001:db8::1", "ipv6:2001:db8:0:0:0:0:0:1"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address;
        char text[ACCESS_KEY_SIZE];
        assert_true(address_parse(slice_text(rows[i][0]), &address));
        size_t len = access_address_print(&address, text);
        assert_true(slice_equal(slice_of(text, len), slice_text(rows[i][1])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_read),
        cmocka_unit_test(keys_widen),
        cmocka_unit_test(addresses_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
