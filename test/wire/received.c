/* Proves what is read in the Received fields of several mail servers: client, names, and how it was handed
 * on. */
#include "unit.h"
#include "wire/received.h"

struct received_case {
    const char *value;
    const char *helo, *name, *address; /* "-": none; a name "?": nobody looked */
    const char *by, *id, *recipient;
};

static const struct received_case cases[] = {
    /* sendmail */
    {"from mx.far.example (mx.far.example [192.0.2.7]) by our.example (8.11.6/8.11.6) with ESMTP id g7MBY "
     "for "
     "<joe@our.example>; Thu, 22 Aug 2002 12:34:53 +0100",
     "mx.far.example", "mx.far.example", "192.0.2.7", "our.example", "g7MBY", "joe@our.example"},
    {"from 198.51.100.1 ([192.0.2.7]) by our.example (8.9.3/8.9.3) with SMTP id VAA1", "198.51.100.1", "-",
     "192.0.2.7", "our.example", "VAA1", ""},
    {"from far.example (IDENT:squid@[192.0.2.7]) by our.example (8.9.3/8.9.3)", "far.example", "-",
     "192.0.2.7", "our.example", "", ""},
    {"from lugh (root@mx.far.example [192.0.2.7]) by our.example (8.9.3/8.9.3)", "lugh", "mx.far.example",
     "192.0.2.7", "our.example", "", ""},
    {"from email.far.example (e1.far.example [192.0.2.7] (may be forged)) by our.example",
     "email.far.example", "e1.far.example!", "192.0.2.7", "our.example", "", ""},
    {"from [192.0.2.8] ([IPv6:2001:db8::7]) by our.example (8.12/8.12)", "[192.0.2.8]", "-", "2001:db8::7",
     "our.example", "", ""},
    /* Postfix */
    {"from far.example (unknown [192.0.2.7]) by our.example (Postfix) with SMTP id 1E9 for <joe@our.example>",
     "far.example", "-", "192.0.2.7", "our.example", "1E9", "joe@our.example"},
    {"from far.example (mx.far.example [192.0.2.7]) (using TLSv1.3 with cipher X (256/256 bits)) by "
     "our.example "
     "(Postfix)",
     "far.example", "mx.far.example", "192.0.2.7", "our.example", "", ""},
    /* Exim */
    {"from mx.far.example ([192.0.2.7] helo=far.example) by our.example with esmtp (Exim 3.12 #1) id "
     "15F0HM-0",
     "far.example", "mx.far.example", "192.0.2.7", "our.example", "15F0HM-0", ""},
    {"from [192.0.2.7] (helo=far.example) by our.example", "far.example", "?", "192.0.2.7", "our.example", "",
     ""},
    {"from [192.0.2.7] (port=4711 helo=[192.0.2.8]) by our.example", "[192.0.2.8]", "?", "192.0.2.7",
     "our.example", "", ""},
    {"from mx.far.example ([192.0.2.7]:4711 helo=far) by our.example", "far", "mx.far.example", "192.0.2.7",
     "our.example", "", ""},
    /* qmail */
    {"from mx.far.example (HELO far.example) (192.0.2.7) by our.example with SMTP; 22 Aug 2002 15:17:16 "
     "-0000",
     "far.example", "mx.far.example", "192.0.2.7", "our.example", "", ""},
    {"from unknown (HELO far.example) (joe@192.0.2.7) by our.example with SMTP", "far.example", "-",
     "192.0.2.7", "our.example", "", ""},
    /* others, which do not look names up */
    {"from far.example ([192.0.2.7]) by our.example with Microsoft SMTPSVC(5.0.2195.2966);", "far.example",
     "?", "192.0.2.7", "our.example", "", ""},
    {"from mail.far.example [192.0.2.7] by localhost with POP3 (fetchmail-5.9.0) for joe@localhost "
     "(single-drop)",
     "mail.far.example", "?", "192.0.2.7", "localhost", "", "joe@localhost"},
    {"from (far.example) [192.0.2.7] by our.example with smtp", "far.example", "?", "192.0.2.7",
     "our.example", "", ""},
    {"from mx6.far.example from [192.0.2.7] by our.example (/\\##/\\ Smail3.1) with esmtp", "mx6.far.example",
     "?", "192.0.2.7", "our.example", "", ""},
    /* no client */
    {"(qmail 27316 invoked by uid 104); 21 Aug 2002 15:17:17 -0000", NULL, "", "", "", "", ""},
    {"(from mail@localhost) by our.example (8.11.6/8.11.6) id g7M", "", "-", "none", "our.example", "g7M",
     ""},
    {"by our.example with Internet Mail Service (5.5.2653.19) id <RH>", "", "?", "none", "our.example",
     "<RH>", ""},
    {"from joe@our.example by our.example by uid 500 with qmail-scanner", "joe@our.example", "?", "none",
     "our.example", "", ""},
    /* cut short, or nothing */
    {"from far.example (mx.far.example [192.0.2.7", "far.example", "mx.far.example", "none", "", "", ""},
    {"from", NULL, "", "", "", "", ""},
    {"", NULL, "", "", "", "", ""},
    {"((((", NULL, "", "", "", "", ""},
};

static void name_is(const struct received_case *c, const struct received *got)
{
    const struct slice wanted = slice_text(c->name);
    const bool forged = wanted.len && wanted.at[wanted.len - 1] == '!';

    assert_int_equal(got->forged, forged);
    if (slice_equal(wanted, SLICE("?")) || slice_equal(wanted, SLICE("-"))) {
        assert_slice_equal(got->name, "");
        assert_int_equal(got->looked_up, *wanted.at == '-');
        return;
    }
    assert_true(got->looked_up);
    assert_true(slice_equal(got->name, slice_head(wanted, wanted.len - forged)));
}

static void each_server_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct received_case *c = &cases[i];
        struct received got;
        char address[ADDRESS_TEXT_SIZE];

        const bool read = received_parse(slice_text(c->value), &got);
        assert_int_equal(read, c->helo != NULL && (c->by[0] || strcmp(c->address, "none") != 0));
        if (!read)
            continue;
        (void)address_print(&got.address, address);
        assert_string_equal(address, c->address);
        assert_true(slice_equal(got.helo, slice_text(c->helo)));
        name_is(c, &got);
        assert_true(slice_equal(got.by, slice_text(c->by)));
        assert_true(slice_equal(got.id, slice_text(c->id)));
        assert_true(slice_equal(got.recipient, slice_text(c->recipient)));
    }
}

/* What a client calls itself, or its address is called, is no address that a server has seen. */
static void names_are_no_addresses(void **state)
{
    static const struct {
        const char *value, *address;
        bool several;
    } doubts[] = {
        {"from x.example (127.0.0.1 [192.0.2.7]) by our.example", "192.0.2.7", false},
        {"from [127.0.0.1] (unknown [192.0.2.7]) by our.example", "192.0.2.7", false},
        {"from [127.0.0.1] ([192.0.2.7]) by our.example", "192.0.2.7", false},
        {"from [192.0.2.7] (helo=[127.0.0.1]) by our.example", "192.0.2.7", false},
        {"from unknown (HELO [127.0.0.1]) (192.0.2.7) by our.example", "192.0.2.7", false},
        {"from x([127.0.0.1]) (unknown [192.0.2.7]) by our.example", "127.0.0.1", true},
        {"from x (127.0.0.1) (unknown [192.0.2.7]) by our.example", "127.0.0.1", true},
        {"from x ([192.0.2.7]) ([192.0.2.7]) by our.example", "192.0.2.7", false},
        {"from x [192.0.2.8] (unknown [192.0.2.7]) by our.example", "192.0.2.8", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(doubts); i++) {
        struct received got;
        char address[ADDRESS_TEXT_SIZE];
        assert_true(received_parse(slice_text(doubts[i].value), &got));
        (void)address_print(&got.address, address);
        assert_string_equal(address, doubts[i].address);
        assert_int_equal(got.several, doubts[i].several);
    }
}

static void the_date_stands_behind(void **state)
{
    (void)state;
    struct received got;

    assert_true(received_parse(
        SLICE("from a.example ([192.0.2.7] (x;y)) by b.example with SMTP ; 22 Aug 2002 15:17:16"), &got));
    assert_slice_equal(got.date, "22 Aug 2002 15:17:16");
    assert_slice_equal(got.with, "SMTP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_understood),
        cmocka_unit_test(names_are_no_addresses),
        cmocka_unit_test(the_date_stands_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
