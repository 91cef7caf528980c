/* Whatever a configuration holds: it is read to its end, each mistake has its place, the tree is as deep as
 * allowed, and the tree, written down, is a text without mistakes that reads as the same. */
#include "property.h"
#include "wire/conf_text.h"

static void add_value(struct buf *buf, const struct conf_value *value)
{
    buf_add_octet(buf, '"');
    for (size_t i = 0; i < value->text.len; i++) {
        char octet = value->text.at[i];
        if (octet == '"' || octet == '\\')
            buf_add_octet(buf, '\\');
        if (octet == '\n')
            buf_add(buf, SLICE("\\n"));
        else
            buf_add_octet(buf, octet);
    }
    buf_add_octet(buf, '"');
}

static void add_values(struct buf *buf, const struct conf_node *node)
{
    unsigned open = 0, opened = 0;
    for (size_t i = 0; i < node->value_count; i++) {
        const struct conf_value *value = &node->values[i];
        assert(value->line >= node->line && value->column > 0);
        if (open && value->list != open)
            buf_add(buf, SLICE(" ]"));
        if (value->list && value->list != open) {
            assert(value->list > opened);
            while (++opened < value->list)
                buf_add(buf, SLICE(" []"));
            buf_add(buf, SLICE(" ["));
        }
        open = value->list;
        buf_add_octet(buf, ' ');
        add_value(buf, value);
    }
    if (open)
        buf_add(buf, SLICE(" ]"));
}

static void add_nodes(struct buf *buf, const struct conf_node *node, unsigned depth)
{
    assert(depth <= CONF_DEPTH_MAX);
    for (; node; node = node->next) {
        assert(node->name.len > 0 && node->line > 0 && node->column > 0);
        buf_add(buf, node->name);
        add_values(buf, node);
        /* A block nested too deep is there, but empty: written again it would be a mistake again. */
        if (node->block && depth == CONF_DEPTH_MAX)
            assert(!node->children);
        else if (node->block) {
            buf_add(buf, SLICE(" {\n"));
            add_nodes(buf, node->children, depth + 1);
            buf_add(buf, SLICE("}"));
        }
        buf_add(buf, SLICE("\n"));
    }
}

static void errors_are_sound(const struct conf_text *conf)
{
    const struct conf_error *before = NULL;
    size_t count = 0;
    for (const struct conf_error *error = conf->errors; error; error = error->next) {
        assert(error->line > 0 && error->column > 0 && error->text.len > 0);
        assert(!before || before->line < error->line ||
               (before->line == error->line && before->column <= error->column));
        before = error;
        count++;
    }
    assert(count == (conf->error_count < CONF_ERRORS_MAX ? conf->error_count : CONF_ERRORS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct arena arena;
    struct conf_text conf, again;
    struct buf written, rewritten;
    arena_init(&arena, NULL, 0);
    const bool good = conf_text_parse(slice_of((const char *)octets, len), &arena, &conf);
    assert(good == (conf.error_count == 0));
    errors_are_sound(&conf);
    buf_init(&written, CONF_SIZE_MAX);
    buf_init(&rewritten, CONF_SIZE_MAX);
    add_nodes(&written, conf.first, 0);
    assert(conf_text_parse(buf_slice(&written), &arena, &again));
    add_nodes(&rewritten, again.first, 0);
    assert(slice_equal(buf_slice(&written), buf_slice(&rewritten)));
    buf_drop(&written);
    buf_drop(&rewritten);
    arena_drop(&arena);
    return 0;
}
