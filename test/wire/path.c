/* Proves that paths of RFC 5321 and 6531 are read, that what is tolerated is flagged, and that nothing with a
 * control octet gets through. */
#include "unit.h"
#include "wire/path.h"

#include <stdio.h>

#define L64 "abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh"
#define D60 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

enum which { MAIL, RCPT, MAILBOX };

struct path_case {
    enum which which;
    const char *argument;
    enum path_status status;
    const char *wanted; /* local|plain|domain|flags|parameters */
};

static const struct path_case cases[] = {
    {MAIL, "FROM:<a@b.example>", PATH_DONE, "a|a|b.example||"},
    {MAIL, "FROM:<a@b.example> SIZE=1 BODY=7BIT", PATH_DONE, "a|a|b.example||SIZE=1 BODY=7BIT"},
    {MAIL, "from:<A@B.example>", PATH_DONE, "A|A|B.example||"},
    {MAIL, "FROM:<>", PATH_DONE, "||||"},
    {MAIL, "FROM:<> SIZE=1", PATH_DONE, "||||SIZE=1"},
    {MAIL, "FROM: <>", PATH_DONE, "|||x|"},
    {MAIL, "FROM:< >", PATH_DONE, "|||x|"},
    {MAIL, "FROM : <a@b.example>", PATH_DONE, "a|a|b.example|x|"},
    {MAIL, "FROM:<Made-Up-Name-emailplus@321media.com> ", PATH_DONE,
     "Made-Up-Name-emailplus|Made-Up-Name-emailplus|321media.com||"},
    {RCPT, "TO: <recipes@hypertouch.com> ", PATH_DONE, "recipes|recipes|hypertouch.com|x|"},
    {RCPT, "TO:< a@b.example >", PATH_DONE, "a|a|b.example|x|"},
    {RCPT, "TO:a@b.example", PATH_DONE, "a|a|b.example|k|"},
    {RCPT, "TO:a@b.example NOTIFY=NEVER", PATH_DONE, "a|a|b.example|k|NOTIFY=NEVER"},
    {RCPT, "TO:<PostMaster>", PATH_DONE, "PostMaster|PostMaster||p|"},
    {RCPT, "TO:<\"postmaster\">", PATH_DONE, "\"postmaster\"|postmaster||pq|"},
    {RCPT, "TO:<postmaster@b.example>", PATH_DONE, "postmaster|postmaster|b.example||"},
    {RCPT, "TO:<a@[192.0.2.1]>", PATH_DONE, "a|a|[192.0.2.1]|l|"},
    {RCPT, "TO:<a@[IPv6:2001:db8::1]>", PATH_DONE, "a|a|[IPv6:2001:db8::1]|l|"},
    {RCPT, "TO:<@a.example,@b.example:c@d.example>", PATH_DONE, "c|c|d.example|r|"},
    {RCPT, "TO:<@a.example:c@[IPv6:2001:db8::1]>", PATH_DONE, "c|c|[IPv6:2001:db8::1]|lr|"},
    {RCPT, "TO:<\"a b\"@c.example>", PATH_DONE, "\"a b\"|a b|c.example|q|"},
    {RCPT, "TO:<\"a\\\"\\\\b\"@c.example>", PATH_DONE, "\"a\\\"\\\\b\"|a\"\\b|c.example|q|"},
    {RCPT, "TO:<\"a>b\"@c.example> X=1", PATH_DONE, "\"a>b\"|a>b|c.example|q|X=1"},
    {RCPT, "TO:<\"a@b\"@c.example>", PATH_DONE, "\"a@b\"|a@b|c.example|qt|"},
    {RCPT, "TO:<\"\"@c.example>", PATH_DONE, "\"\"||c.example|q|"},
    {RCPT, "TO:<a%b.example@c.example>", PATH_DONE, "a%b.example|a%b.example|c.example|%|"},
    {RCPT, "TO:<b.example!a@c.example>", PATH_DONE, "b.example!a|b.example!a|c.example|!|"},
    {RCPT, "TO:<\"a\\%b\"@c.example>", PATH_DONE, "\"a\\%b\"|a%b|c.example|q%|"},
    {RCPT, "TO:<b\xc3\xbc@c.example>", PATH_DONE, "b\xc3\xbc|b\xc3\xbc|c.example|u|"},
    {RCPT, "TO:<a@b\xc3\xbc.example>", PATH_DONE, "a|a|b\xc3\xbc.example|u|"},
    {RCPT, "TO:<.a..b.@c.example>", PATH_DONE, ".a..b.|.a..b.|c.example|d|"},
    {RCPT, "TO:<a@b_c.example>", PATH_DONE, "a|a|b_c.example|_|"},
    {RCPT, "TO:<!#$%&'*+-/=?^_`{|}~@c.example>", PATH_DONE,
     "!#$%&'*+-/=?^_`{|}~|!#$%&'*+-/=?^_`{|}~|c.example|%!|"},
    {RCPT, "TO:<" L64 "@b.example>", PATH_DONE, L64 "|" L64 "|b.example||"},
    {MAILBOX, "a@b.example", PATH_DONE, "a|a|b.example||"},
    {MAILBOX, "\"a b\"@c.example", PATH_DONE, "\"a b\"|a b|c.example|q|"},

    {MAIL, "", PATH_KEYWORD, NULL},
    {MAIL, "<a@b.example>", PATH_KEYWORD, NULL},
    {MAIL, "TO:<a@b.example>", PATH_KEYWORD, NULL},
    {MAIL, "FROM <a@b.example>", PATH_KEYWORD, NULL},
    {RCPT, "FROM:<a@b.example>", PATH_KEYWORD, NULL},
    {MAIL, "FROM:", PATH_EMPTY, NULL},
    {MAIL, "FROM:  ", PATH_EMPTY, NULL},
    {RCPT, "TO:<>", PATH_EMPTY, NULL},
    {RCPT, "TO:< >", PATH_EMPTY, NULL},
    {MAILBOX, "", PATH_EMPTY, NULL},
    {MAIL, "FROM:<a@b.example", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<a@b.example>SIZE=1", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<a\"b@c.example>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<@a.example>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<@a.example,:c@d.example>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<@a.example,b.example:c@d.example>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<@:c@d.example>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<@a.example:>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<<a@b.example>>", PATH_SYNTAX, NULL},
    {MAIL, "FROM:<a b@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<a<b@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<a(b)@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<a\\b@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<\"a\"b@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:<\"a\\\xc3\xbc\"@c.example>", PATH_LOCAL, NULL},
    {MAIL, "FROM:a@b.example>", PATH_DOMAIN, NULL},
    {MAIL, "FROM:<root>", PATH_NO_DOMAIN, "root|root|||"},
    {MAIL, "FROM:<postmaster>", PATH_NO_DOMAIN, NULL},
    {RCPT, "TO:<root>", PATH_NO_DOMAIN, NULL},
    {RCPT, "TO:<a@>", PATH_DOMAIN, NULL},
    {RCPT, "TO:<a@b@c.example>", PATH_DOMAIN, NULL},
    {RCPT, "TO:<a@b.example.>", PATH_DOMAIN, NULL},
    {RCPT, "TO:<a@-b.example>", PATH_DOMAIN, NULL},
    {RCPT, "TO:<a@b c>", PATH_DOMAIN, NULL},
    {RCPT, "TO:<a@[192.0.2.300]>", PATH_LITERAL, NULL},
    {RCPT, "TO:<a@[x:y]>", PATH_LITERAL, NULL},
    {RCPT, "TO:<" L64 L64 "x@b.example>", PATH_LONG, NULL},
    {RCPT, "TO:<" L64 "@" D60 "." D60 "." D60 ".exampl>", PATH_DONE, NULL},
    {RCPT, "TO:<" L64 "@" D60 "." D60 "." D60 ".example>", PATH_LONG, NULL},
    {RCPT, "TO:<a@" D60 "." D60 "." D60 "." D60 "." D60 ">", PATH_LONG, NULL},
    {RCPT, "TO:<a\rb@c.example>", PATH_OCTET, NULL},
    {RCPT, "TO:<\"a\nb\"@c.example>", PATH_OCTET, NULL},
    {RCPT, "TO:<a\tb@c.example>", PATH_OCTET, NULL},
    {RCPT, "TO:<a\x7f@c.example>", PATH_OCTET, NULL},
    {RCPT, "TO:<a@c.exam\x01ple>", PATH_OCTET, NULL},
    {MAILBOX, "a\x1b@b.example", PATH_OCTET, NULL},
    {RCPT, "TO:<a\xff@c.example>", PATH_UTF8, NULL},
    {RCPT, "TO:<a@\xc3.example>", PATH_UTF8, NULL},
    {MAILBOX, "a @b.example", PATH_LOCAL, NULL},
    {MAILBOX, "<a@b.example>", PATH_LOCAL, NULL},
};

static void print_path(const struct path *path, struct slice parameters, char *text, size_t size)
{
    const struct {
        bool set;
        char letter;
    } flags[] = {{path->postmaster, 'p'},  {path->literal, 'l'},      {path->quoted, 'q'},
                 {path->utf8, 'u'},        {path->source_route, 'r'}, {path->extra_space, 'x'},
                 {path->unbracketed, 'k'}, {path->percent, '%'},      {path->bang, '!'},
                 {path->at, 't'},          {path->dots, 'd'},         {path->underscore, '_'}};
    char letters[COUNT(flags) + 1] = "";
    size_t len = 0;
    for (size_t i = 0; i < COUNT(flags); i++)
        if (flags[i].set)
            letters[len++] = flags[i].letter;
    snprintf(text, size, "%.*s|%.*s|%.*s|%s|%.*s", SLICE_ARGS(path->local), SLICE_ARGS(path->local_plain),
             SLICE_ARGS(path->domain), letters, SLICE_ARGS(parameters));
}

static enum path_status parse(enum which which, struct slice text, struct arena *arena, struct path *path,
                              struct slice *parameters)
{
    *parameters = SLICE_NONE;
    switch (which) {
    case MAIL: return path_parse_reverse(text, arena, path, parameters);
    case RCPT: return path_parse_forward(text, arena, path, parameters);
    case MAILBOX: return path_parse_mailbox(text, arena, path);
    }
    return PATH_SYNTAX;
}

static void arguments_are_taken_apart(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct path path;
        struct slice parameters;
        char text[512];
        enum path_status status = parse(cases[i].which, slice_text(cases[i].argument), &arena, &path,
                                        &parameters);
        print_path(&path, parameters, text, sizeof text);
        if (status != cases[i].status || (cases[i].wanted && strcmp(text, cases[i].wanted) != 0))
            fail_msg("%s: %.*s %s", cases[i].argument, SLICE_ARGS(path_status_name(status)), text);
        arena_drop(&arena);
    }
}

static void the_rest_of_a_path_is_told(void **state)
{
    struct arena arena;
    struct path path;
    struct slice parameters;
    (void)state;
    arena_init(&arena, NULL, 0);
    assert_int_equal(path_parse_reverse(SLICE("FROM:<>"), &arena, &path, &parameters), PATH_DONE);
    assert_true(path.null);
    assert_int_equal(path_parse_forward(SLICE("TO:<@a.example:b@[192.0.2.1]>"), &arena, &path, &parameters),
                     PATH_DONE);
    assert_false(path.null);
    assert_slice_equal(path.whole, "@a.example:b@[192.0.2.1]");
    assert_slice_equal(path.mailbox, "b@[192.0.2.1]");
    assert_int_equal(path.literal_address.family, ADDRESS_IPV4);
    assert_int_equal(path_parse_forward(SLICE("TO:<a\0b@c.example>"), &arena, &path, &parameters),
                     PATH_OCTET);
    assert_slice_equal(path_status_name(PATH_NO_DOMAIN), "no-domain");
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_taken_apart),
        cmocka_unit_test(the_rest_of_a_path_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
