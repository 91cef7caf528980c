/* Proves how Received-SPF is written, and that what a peer chose can neither end it nor leave its quotes. */
#include "unit.h"
#include "wire/spf_field.h"

static void a_pass_is_written(void **state)
{
    struct address address;
    struct buf buf;
    (void)state;
    buf_init(&buf, SPF_FIELD_MAX);
    address_parse(SLICE("192.0.2.1"), &address);
    assert_true(spf_field_add(&buf, &(struct spf_field){.result = SPF_PASS,
                                                        .address = &address,
                                                        .sender = SLICE("a@example.com"),
                                                        .helo = SLICE("mail.example.com"),
                                                        .receiver = SLICE("mx.example.org"),
                                                        .mechanism = SLICE("ip4:192.0.2.0/24")}));
    assert_slice_equal(buf_slice(&buf), "Received-SPF: pass (the domain lets this client send for it)\r\n"
                                        "\tidentity=mailfrom;\r\n"
                                        "\tclient-ip=192.0.2.1;\r\n"
                                        "\tenvelope-from=\"a@example.com\";\r\n"
                                        "\thelo=mail.example.com;\r\n"
                                        "\treceiver=mx.example.org;\r\n"
                                        "\tmechanism=\"ip4:192.0.2.0/24\"\r\n");
    buf_drop(&buf);
}

static void what_peers_chose_stays_in_quotes(void **state)
{
    struct address address;
    struct buf buf;
    (void)state;
    buf_init(&buf, SPF_FIELD_MAX);
    address_parse(SLICE("2001:db8::1"), &address);
    assert_true(spf_field_add(&buf, &(struct spf_field){.result = SPF_PERMERROR,
                                                        .helo_identity = true,
                                                        .address = &address,
                                                        .helo = SLICE("a\r\nX: \"b\\c"),
                                                        .receiver = SLICE("mx..example"),
                                                        .problem = SLICE("\xc3\xa4 \x7f")}));
    assert_slice_equal(buf_slice(&buf), "Received-SPF: permerror (the domain's SPF record is in error)\r\n"
                                        "\tidentity=helo;\r\n"
                                        "\tclient-ip=\"2001:db8::1\";\r\n"
                                        "\tenvelope-from=\"\";\r\n"
                                        "\thelo=\"a??X: \\\"b\\\\c\";\r\n"
                                        "\treceiver=\"mx..example\";\r\n"
                                        "\tproblem=\"\xc3\xa4 ?\"\r\n");
    buf_drop(&buf);
}

static void long_values_are_cut(void **state)
{
    static char quotes[5000];
    struct address address;
    struct buf buf;
    (void)state;
    memset(quotes, '"', sizeof quotes);
    buf_init(&buf, SPF_FIELD_MAX);
    address_parse(SLICE("192.0.2.1"), &address);
    struct slice text = slice_of(quotes, sizeof quotes);
    struct spf_field field = {
        .address = &address, .sender = text, .helo = text, .mechanism = text, .problem = text};
    assert_true(spf_field_add(&buf, &field));
    buf_drop(&buf);
    buf_init(&buf, 100);
    assert_false(spf_field_add(&buf, &field));
    buf_drop(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_written),
        cmocka_unit_test(what_peers_chose_stays_in_quotes),
        cmocka_unit_test(long_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
