/* Proves that alias and mailbox tables are read with their comments, continuations and quotes, and that each
 * mistake is found at its line without losing the entries behind it. */
#include "unit.h"
#include "wire/alias.h"
#include "base/buf.h"

struct alias_case {
    enum alias_form form;
    const char *text;
    const char *wanted; /* line left=right,right; or line ! */
};

static const struct alias_case cases[] = {
    {ALIAS_TABLE, "", ""},
    {ALIAS_TABLE, "\n\n  \n# a comment\n  # another\n", ""},
    {ALIAS_TABLE, "recipes: joepublic\n", "1 recipes=joepublic;"},
    {ALIAS_TABLE, "recipes: joepublic", "1 recipes=joepublic;"},
    {ALIAS_TABLE, "recipes:joepublic\r\n\r\nb: c\r\n", "1 recipes=joepublic;3 b=c;"},
    {ALIAS_TABLE, "a : b , c,d\n", "1 a=b,c,d;"},
    {ALIAS_TABLE, "a: b,\n\tc\n\n # comment\n  d\ne: f\n", "1 a=b,c,d;6 e=f;"},
    {ALIAS_TABLE, "a:\n  b\n", "1 a=b;"},
    {ALIAS_TABLE, "# x\na@b.example: c@d.example\n@b.example: e\n",
     "2 a@b.example=c@d.example;3 @b.example=e;"},
    {ALIAS_TABLE, "a@[IPv6:2001:db8::1]: b\n", "1 a@[IPv6:2001:db8::1]=b;"},
    {ALIAS_TABLE, "\"a b\": \"c, d\", \"e f\"@g.example\n", "1 a b=c, d,\"e f\"@g.example;"},
    {ALIAS_TABLE, "a: b,,c,\n", "1 a=b,c;"},
    {ALIAS_TABLE, "a: b#c\n", "1 a=b#c;"},
    {ALIAS_TABLE, "a\nb: c\n", "1!;2 b=c;"},
    {ALIAS_TABLE, "a:\nb: c\n", "1!;2 b=c;"},
    {ALIAS_TABLE, "a: # none\nb: c\n", "1!;2 b=c;"},
    {ALIAS_TABLE, ": b\n", "1!;"},
    {ALIAS_TABLE, "  a: b\nc: d\n", "1!;2 c=d;"},
    {ALIAS_TABLE, "a b: c\n", "1!;"},
    {ALIAS_TABLE, "a: b c\n", "1!;"},
    {ALIAS_TABLE, "a: b # c\n", "1!;"},
    {ALIAS_TABLE, "a: \"b\nc: d\n", "1!;2 c=d;"},
    {ALIAS_TABLE, "\"a: b\nc: d\n", "1!;2 c=d;"},
    {ALIAS_TABLE, "a: |prog\nb: \"|prog -x\"\nc: /dev/null\nd: :include:/x\ne: f\n", "1!;2!;3!;4!;5 e=f;"},
    {ALIAS_TABLE, "a: \"\"\n", "1!;"},
    {ALIAS_TABLE, "a: b\x01\nc: d\n", "1!;2 c=d;"},
    {MAILBOX_TABLE, "joepublic@hypertouch.com\na@b.example: folder/sub\n\"a b\"@c.example\n",
     "1 joepublic@hypertouch.com=;2 a@b.example=folder/sub;3 \"a b\"@c.example=;"},
    {MAILBOX_TABLE,
     "a@b.example c\nd@b.example: ../e\nf@b.example: /g\nh@b.example: i, j\nk@b.example:\nl@b.example: a//b\n"
     "m@b.example: n\n",
     "1!;2!;3!;4!;5!;6!;7 m@b.example=n;"},
};

static void print_table(const struct alias_case *row, struct buf *seen)
{
    struct alias_reader reader;
    struct alias_entry entry;
    enum alias_status status;
    alias_init(&reader, row->form, slice_text(row->text));
    while ((status = alias_next(&reader, &entry)) != ALIAS_END) {
        struct slice target, right = entry.right;
        bool first = true;
        if (status == ALIAS_BAD) {
            assert_true(reader.complaint.len > 0);
            buf_add_format(seen, "%u!;", entry.line);
            continue;
        }
        buf_add_format(seen, "%u %.*s=", entry.line, SLICE_ARGS(entry.left));
        for (; alias_target(&right, &target); first = false)
            buf_add_format(seen, "%s%.*s", first ? "" : ",", SLICE_ARGS(target));
        buf_add_octet(seen, ';');
    }
    assert_int_equal(alias_next(&reader, &entry), ALIAS_END);
}

static void tables_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf seen;
        buf_init(&seen, 10000);
        print_table(&cases[i], &seen);
        if (!slice_equal(buf_slice(&seen), slice_text(cases[i].wanted)))
            fail_msg("row %zu: \"%.*s\" is not \"%s\"", i, SLICE_ARGS(buf_slice(&seen)), cases[i].wanted);
        buf_drop(&seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
