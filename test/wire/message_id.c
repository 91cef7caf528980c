/* Proves what each of the three grammars takes for a Message-ID. */
#include "unit.h"
#include "wire/message_id.h"

struct message_id_case {
    const char *value;
    const char *takes; /* d: default, s: strict, w: the seed's */
};

static const struct message_id_case cases[] = {
    {"<a@b>", "dsw"},
    {" <a_1@B_2>\t", "dsw"},
    {"<20030724.A1@mx.example.com>", "ds"},
    {"<419.436278.39703056-Made-Up-Number-emailplus@321media.com>", "ds"},
    {"<a$b+c=d@e.example>", "ds"},
    {"<a@[192.0.2.1]>", "ds"},
    {"<a@[]>", "ds"},
    {"<\xc3\xbc@b.example>", "ds"},
    {"<a..b@c.example>", "d"},
    {"<.a@c.example>", "d"},
    {"<a@c.example.>", "d"},
    {"<\"a\"@c.example>", "d"},
    {"<a(b)@c.example>", "d"},
    {"<a@b[c]>", "d"},
    {"<a,b;c:d@e>", "d"},
    {"<\xff@b.example>", "d"},
    {"(x) <a@b> (y (z) \\( ) ", "s"},
    {"<a@b> (added by x)", "s"},
    {"<a@b> x", ""},
    {"<a@b> (x", ""},
    {"(<a@b>", ""},
    {"(\\", ""},
    {"", ""},
    {"<>", ""},
    {"<@>", ""},
    {"<a>", ""},
    {"<a@>", ""},
    {"<@b>", ""},
    {"a@b", ""},
    {"<a@b", ""},
    {"a@b>", ""},
    {"<a@b@c>", ""},
    {"<<a@b>>", ""},
    {"<a@b><c@d>", ""},
    {"<a@b> <c@d>", ""},
    {"<a b@c>", ""},
    {"<a@b c>", ""},
    {"<a@\tb>", ""},
    {"<a@b\x01>", ""},
    {"<a@b\x7f>", ""},
    {"<", ""},
    {">", ""},
};

static void each_grammar_takes_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct slice value = slice_text(cases[i].value);
        char takes[4] = "", *at = takes;
        if (message_id_check(value, MESSAGE_ID_DEFAULT))
            *at++ = 'd';
        if (message_id_check(value, MESSAGE_ID_STRICT))
            *at++ = 's';
        if (message_id_check(value, MESSAGE_ID_SEED))
            *at++ = 'w';
        *at = '\0';
        if (strcmp(takes, cases[i].takes) != 0)
            fail_msg("\"%s\": \"%s\" is not \"%s\"", cases[i].value, takes, cases[i].takes);
    }
    assert_false(message_id_check(SLICE("<a\0@b>"), MESSAGE_ID_DEFAULT));
    assert_false(message_id_check(SLICE("<a\0@b>"), MESSAGE_ID_STRICT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_grammar_takes_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
