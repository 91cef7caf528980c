/* Proves that what a server offers is read from its reply to EHLO. */
#include "unit.h"
#include "wire/capability.h"
#include "wire/xclient.h"

static void read(struct slice text, struct capability *capability)
{
    struct reply reply;
    assert_int_equal(reply_parse(text, &reply), REPLY_DONE);
    capability_parse(&reply, capability);
}

static void a_full_list_is_read(void **state)
{
    struct capability c;
    (void)state;
    read(SLICE(
             "250-mx.example.com Hello [192.0.2.1]\r\n250-PIPELINING\r\n250-size 26214400\r\n250-8BITMIME\r\n"
             "250-SMTPUTF8\r\n250-CHUNKING\r\n250-DSN\r\n250-STARTTLS\r\n250-XCLIENT NAME ADDR xyzzy HELO\r\n"
             "250-AUTH PLAIN\r\n250-BINARYMIME\r\n250-X-OTHER 1\r\n250-\r\n250 ENHANCEDSTATUSCODES\r\n"),
         &c);
    assert_int_equal(c.set, CAPABILITY_PIPELINING | CAPABILITY_8BITMIME | CAPABILITY_SMTPUTF8 |
                                CAPABILITY_CHUNKING | CAPABILITY_DSN | CAPABILITY_STARTTLS |
                                CAPABILITY_ENHANCED | CAPABILITY_SIZE | CAPABILITY_XCLIENT |
                                CAPABILITY_BINARYMIME | CAPABILITY_AUTH);
    assert_int_equal(c.size, 26214400);
    assert_int_equal(c.xclient, 1u << XCLIENT_NAME | 1u << XCLIENT_ADDR | 1u << XCLIENT_HELO);
    assert_slice_equal(c.greeting, "mx.example.com Hello [192.0.2.1]");
}

static void odd_lists_do_no_harm(void **state)
{
    struct capability c;
    (void)state;
    read(SLICE("250 PIPELINING\r\n"), &c);
    assert_int_equal(c.set, 0);
    assert_slice_equal(c.greeting, "PIPELINING");
    read(SLICE("250-a\r\n250-SIZE\r\n250-SIZE 5\r\n250 AUTH=LOGIN\r\n"), &c);
    assert_int_equal(c.set, CAPABILITY_SIZE | CAPABILITY_AUTH);
    assert_int_equal(c.size, 0);
    read(SLICE("250-a\r\n250-SIZE 99999999999999999999\r\n250-PIPELININGX\r\n250 SIZEX 5\r\n"), &c);
    assert_int_equal(c.set, CAPABILITY_SIZE);
    assert_int_equal(c.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_list_is_read),
        cmocka_unit_test(odd_lists_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
