/* Proves that what is written is JSON whatever octets go in, and that the maximum is met whole or not at all.
 */
#include "unit.h"
#include "wire/json.h"

static void write_everything(struct json *json)
{
    json_object_open(json);
    json_put_text(json, "text", SLICE("a \"b\" \\ \n\r\t\b\f\x01\x7f\0 \xc3\xbc"));
    json_put_u64(json, "u64", UINT64_MAX);
    json_put_i64(json, "i64", INT64_MIN);
    json_put_bool(json, "yes", true);
    json_key(json, "list");
    json_array_open(json);
    json_decimal(json, 6350, 2);
    json_decimal(json, -5, 3);
    json_decimal(json, INT64_MIN, 0);
    json_null(json);
    json_array_open(json);
    json_array_close(json);
    json_object_open(json);
    json_object_close(json);
    json_bool(json, false);
    json_array_close(json);
    json_key_slice(json, SLICE("k\""));
    json_text(json, SLICE_NONE);
    json_object_close(json);
}

static const char wanted[] =
    "{\"text\":\"a \\\"b\\\" \\\\ \\n\\r\\t\\b\\f\\u0001\\u007f\\u0000 "
    "\xc3\xbc\",\"u64\":18446744073709551615,"
    "\"i64\":-9223372036854775808,\"yes\":true,\"list\":[63.50,-0.005,-9223372036854775808,null,[],{},false],"
    "\"k\\\"\":\"\"}";

static void everything_is_written(void **state)
{
    struct buf buf;
    struct json json;
    (void)state;
    buf_init(&buf, 1000);
    buf_add(&buf, SLICE("x"));
    json_begin(&json, &buf);
    write_everything(&json);
    assert_true(json_end(&json));
    assert_true(slice_equal(slice_from(buf_slice(&buf), 1), slice_text(wanted)));
    buf_drop(&buf);
}

static void the_maximum_leaves_nothing_behind(void **state)
{
    (void)state;
    for (size_t max = 1; max < sizeof wanted + 2; max++) {
        struct buf buf;
        struct json json;
        buf_init(&buf, max);
        buf_add(&buf, SLICE("x"));
        json_begin(&json, &buf);
        write_everything(&json);
        bool whole = json_end(&json);
        assert_int_equal(whole, max >= sizeof wanted);
        assert_int_equal(buf.len, whole ? sizeof wanted : 1);
        buf_drop(&buf);
    }
}

struct quote_case {
    struct slice text;
    const char *wanted;
};

static const struct quote_case quote_cases[] = {
    {{"", 0}, "\"\""},
    {{"\xff", 1}, "\"\xef\xbf\xbd\""},
    {{"a\xc3", 2}, "\"a\xef\xbf\xbd\""},
    {{"\xc3(", 2}, "\"\xef\xbf\xbd(\""},
    {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {{"\xf0\x9f\x93\xa7", 4}, "\"\xf0\x9f\x93\xa7\""},
    {{"</script>", 9}, "\"</script>\""},
};

static void malformed_text_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(quote_cases); i++) {
        struct buf buf;
        buf_init(&buf, 100);
        assert_true(json_quote(&buf, quote_cases[i].text));
        if (!slice_equal(buf_slice(&buf), slice_text(quote_cases[i].wanted)))
            fail_msg("row %zu: %.*s", i, SLICE_ARGS(buf_slice(&buf)));
        buf_drop(&buf);
        buf_init(&buf, strlen(quote_cases[i].wanted) - 1);
        assert_false(json_quote(&buf, quote_cases[i].text));
        assert_int_equal(buf.len, 0);
        buf_drop(&buf);
    }
}

static void a_lone_value_is_a_text(void **state)
{
    struct buf buf;
    struct json json;
    (void)state;
    buf_init(&buf, 10);
    json_begin(&json, &buf);
    json_u64(&json, 7);
    assert_true(json_end(&json));
    assert_slice_equal(buf_slice(&buf), "7");
    buf_drop(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_written),
        cmocka_unit_test(the_maximum_leaves_nothing_behind),
        cmocka_unit_test(malformed_text_is_replaced),
        cmocka_unit_test(a_lone_value_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
