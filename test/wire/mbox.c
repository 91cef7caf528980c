/* Proves where a mail folder is cut into messages, and where it is not. */
#include "unit.h"

#include "base/buf.h"
#include "wire/mbox.h"

struct mbox_case {
    const char *folder;
    const char *messages; /* "SENDER|CONTENT/" for each */
};

static const struct mbox_case cases[] = {
    {"", ""},
    {"Subject: a\n\nb\n", "|Subject: a\n\nb\n/"},
    {"From a@b.example  Thu Aug 22 12:36:23 2002\nSubject: a\n\nb\n", "a@b.example|Subject: a\n\nb\n/"},
    {"From a@b.example Thu Aug 22 12:36:23 2002\nx: 1\n\nb\n\nFrom c@d.example Thu Aug  2 12:36 MET 2002\ny: "
     "2\n",
     "a@b.example|x: 1\n\nb\n/c@d.example|y: 2\n/"},
    {"From a@b.example Thu Aug 22 12:36:23 2002\r\nx: 1\r\n\r\nFrom c@d.example Thu Aug  2 12:36:00 "
     "2002\r\ny: 2\r\n",
     "a@b.example|x: 1\r\n/c@d.example|y: 2\r\n/"},
    {"From \"a b\"@c.example Thu Aug 22 12:36:23 2002\nx: 1\n", "\"a b\"@c.example|x: 1\n/"},
    /* sentences, and a line in front without an empty one before it */
    {"x: 1\n\nFrom now on\n\nFrom a@b.example on Monday\nz\n",
     "|x: 1\n\nFrom now on\n\nFrom a@b.example on Monday\nz\n/"},
    {"x: 1\n\ny\nFrom a@b.example Thu Aug 22 12:36:23 2002\nz\n",
     "|x: 1\n\ny\nFrom a@b.example Thu Aug 22 12:36:23 2002\nz\n/"},
    {"From a Thu Aug 22 12:36:23 2002", "a|/"},
};

static void folders_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = slice_text(cases[i].folder);
        struct mbox_message message;
        struct buf got;

        buf_init(&got, 4096);
        while (mbox_next(&rest, &message))
            (void)(buf_add(&got, message.sender) && buf_add_octet(&got, '|') &&
                   buf_add(&got, message.content) && buf_add_octet(&got, '/'));
        assert_true(slice_equal(buf_slice(&got), slice_text(cases[i].messages)));
        buf_drop(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
