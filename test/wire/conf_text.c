/* Proves that the configuration's grammar is read, that all mistakes of a text are listed at their places,
 * and that what stands around them is still read. */
#include "base/buf.h"
#include "unit.h"
#include "wire/conf_text.h"

static void print_nodes(const struct conf_node *node, struct buf *seen)
{
    for (; node; node = node->next) {
        buf_add_format(seen, "%u:%.*s", node->line, SLICE_ARGS(node->name));
        for (size_t i = 0; i < node->value_count; i++) {
            const struct conf_value *value = &node->values[i];
            buf_add_format(seen, value->quoted ? " \"%.*s\"" : " %.*s", SLICE_ARGS(value->text));
            if (value->list)
                buf_add_format(seen, "/%u", value->list);
        }
        if (node->block)
            buf_add(seen, SLICE(" {"));
        print_nodes(node->children, seen);
        buf_add(seen, node->block ? SLICE("}") : SLICE(";"));
    }
}

struct conf_case {
    const char *text;
    const char *tree;
    const char *errors; /* line.column of each */
};

static const struct conf_case cases[] = {
    {"", "", ""},
    {"\n\n  # nothing\n\t\n", "", ""},
    {"a", "1:a;", ""},
    {"a b c\n", "1:a b c;", ""},
    {"\xef\xbb\xbf"
     "a b\r\nc\r\n",
     "1:a b;2:c;", ""},
    {"a b # c\na b#c\n", "1:a b;2:a b#c;", ""},
    {"a \"b c\" \"\" \"\\\"\\\\\\n\"\n", "1:a \"b c\" \"\" \"\"\\\n\";", ""},
    {"a \"# {}[],\"\n", "1:a \"# {}[],\";", ""},
    {"a b \\\n  c\nd\\\ne\n", "1:a b c;3:d e;", ""},
    {"a b\\c\\d\n", "1:a b\\c\\d;", ""},
    {"a {\n  b c\n  d {\n  }\n}\ne\n", "1:a {2:b c;3:d {}}6:e;", ""},
    {"a x { b c }\nd {}\ne{f}\n", "1:a x {1:b c;}2:d {}3:e {3:f;}", ""},
    {"a [ b, c ]\nd [b,c] e [f]\n", "1:a b/1 c/1;2:d b/1 c/1 e f/2;", ""},
    {"a [\n  b, # first\n  c,\n\n  \"d\"\n] e\n", "1:a b/1 c/1 \"d\"/1 e;", ""},
    {"a [] [b c]\n", "1:a b/2 c/2;", ""},
    {"listen [2001:db8::1]:25 [::]:25 [fe80::1]\n", "1:listen [2001:db8::1]:25 [::]:25 [fe80::1];", ""},
    {"a [192.0.2.1, be]\n", "1:a 192.0.2.1/1 be/1;", ""},
    {"b\xc3\xbc c\n", "", "1.1"},
    {"b c\xc3\xbc\n", "1:b c\xc3\xbc;", ""},
    {"a.b-c_9 x=y 10m 25MiB *@b.example <> !a;\n", "1:a.b-c_9 x=y 10m 25MiB *@b.example <> !a;;", ""},

    {"9a b\nc\n", "2:c;", "1.1"},
    {"\"a\" b\nc\n", "2:c;", "1.1"},
    {"a, b\n] c\nd ]\ne\n", "1:a b;3:d;4:e;", "1.2 2.1 3.3"},
    {"a \"b\nc\n", "1:a;2:c;", "1.3"},
    {"a \"b {\n  c\n}\nd\n", "1:a {2:c;}4:d;", "1.3"},
    {"a \"b\\t\" c\n", "1:a c;", "1.3"},
    {"a \"b\"c\n", "1:a c;", "1.3"},
    {"a \"b\x01\"\n", "1:a;", "1.3"},
    {"a \"b\xff\" c\xff d\n", "1:a d;", "1.3 1.8"},
    {"a b\x01 c\n", "1:a b c;", "1.4"},
    {"a\rb\n", "1:a b;", "1.2"},
    {"a b \\ \nc\n", "1:a b;2:c;", "1.5"},
    {"a {\n  b\n", "1:a {2:b;}", "1.1"},
    {"a {\n b {\n", "1:a {2:b {}}", "1.1 2.2"},
    {"a\n}\nb\n", "1:a;3:b;", "2.1"},
    {"{\n  a\n}\nb\n", "4:b;", "1.1"},
    {"9 {\n  a\n}\nb\n", "4:b;", "1.1"},
    {"a [ b, , c ]\nd [ , e ]\nf [ g [ h ]\ni\n", "1:a b/1 c/1;2:d e/1;3:f g/1 h/1;4:i;", "1.8 2.5 3.7"},
    {"a [ b\nc d\n", "1:a b/1 c/1 d/1;", "1.3"},
    {"a {\n  b [ c\n}\nd\n", "1:a {2:b c/1;}4:d;", "2.5"},
    {"a [ b {\n c\n}\n", "1:a b/1 {2:c;}", "1.3"},
    {"a{b{c{d{e{f{g{h{\ni\n}}}}}}}}j\n", "1:a {1:b {1:c {1:d {1:e {1:f {1:g {1:h {2:i;}}}}}}}}3:j;", ""},
    {"a{b{c{d{e{f{g{h{i{k{l\n}\n}\nm\n}}}}}}}}j\n",
     "1:a {1:b {1:c {1:d {1:e {1:f {1:g {1:h {1:i {}4:m;}}}}}}}}5:j;", "1.18"},
};

static void print_errors(const struct conf_text *conf, struct buf *seen)
{
    for (const struct conf_error *error = conf->errors; error; error = error->next) {
        buf_add_format(seen, seen->len ? " %u.%u" : "%u.%u", error->line, error->column);
        assert_true(error->text.len > 10);
    }
}

static void texts_are_read(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_text conf;
        struct buf tree, errors;
        buf_init(&tree, 10000);
        buf_init(&errors, 10000);
        bool good = conf_text_parse(slice_text(cases[i].text), &arena, &conf);
        print_nodes(conf.first, &tree);
        print_errors(&conf, &errors);
        assert_int_equal(good, errors.len == 0);
        if (!slice_equal(buf_slice(&tree), slice_text(cases[i].tree)) ||
            !slice_equal(buf_slice(&errors), slice_text(cases[i].errors)))
            fail_msg("row %zu: %s\n%.*s\n%.*s", i, cases[i].text, SLICE_ARGS(buf_slice(&tree)),
                     SLICE_ARGS(buf_slice(&errors)));
        buf_drop(&tree);
        buf_drop(&errors);
        arena_drop(&arena);
    }
}

/* A text of `count` times `part`. */
static struct slice repeat(struct buf *buf, struct slice part, size_t count)
{
    buf_init(buf, UINT32_MAX);
    for (size_t i = 0; i < count; i++)
        buf_add(buf, part);
    return buf_slice(buf);
}

static void everything_is_bounded(void **state)
{
    struct arena arena;
    struct conf_text conf;
    struct buf buf;
    (void)state;
    arena_init(&arena, NULL, 0);
    assert_false(conf_text_parse(repeat(&buf, SLICE("a "), CONF_VALUES_MAX + 2), &arena, &conf));
    assert_int_equal(conf.first->value_count, CONF_VALUES_MAX);
    assert_int_equal(conf.error_count, 1);
    buf_drop(&buf);
    assert_true(conf_text_parse(repeat(&buf, SLICE("a\n"), CONF_NODES_MAX), &arena, &conf));
    assert_int_equal(conf.node_count, CONF_NODES_MAX);
    buf_add(&buf, SLICE("a\n\n}\n"));
    assert_false(conf_text_parse(buf_slice(&buf), &arena, &conf));
    assert_int_equal(conf.error_count, 1);
    buf_drop(&buf);
    arena_drop(&arena);
    assert_false(conf_text_parse(repeat(&buf, SLICE("}"), 1000), &arena, &conf));
    assert_int_equal(conf.error_count, 1000);
    size_t kept = 0;
    for (const struct conf_error *error = conf.errors; error; error = error->next)
        kept++;
    assert_int_equal(kept, CONF_ERRORS_MAX);
    buf_drop(&buf);
    assert_false(
        conf_text_parse(repeat(&buf, SLICE("################"), CONF_SIZE_MAX / 16 + 1), &arena, &conf));
    assert_int_equal(conf.error_count, 1);
    buf_drop(&buf);
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(everything_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
