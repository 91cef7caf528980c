/* Tables on a terminal: columns as wide as their widest cell. */
#include "cli/cli.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CELL_MAX 4096 /* octets */

struct row {
    struct row *next;
    struct slice cells[CLI_COLUMNS_MAX];
};

struct cli_table {
    struct arena arena;
    const char *const *heads;
    size_t columns;
    size_t widths[CLI_COLUMNS_MAX];
    struct row *first;
    struct row **tail;
    struct row *row; /* the one at hand */
    size_t filled;   /* its cells */
};

/* Characters, each one column: what is wider or narrower shifts a line, no more. */
static size_t width_of(struct slice text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return width;
}

static bool is_number(const char *head)
{
    return head[0] == '>';
}

static struct slice head_text(const char *head)
{
    return slice_text(is_number(head) ? head + 1 : head);
}

struct cli_table *cli_table_new(const char *const *heads)
{
    struct cli_table *table = memory_take(sizeof *table);

    arena_init(&table->arena, NULL, 0);
    table->heads = heads;
    table->tail = &table->first;
    for (; heads[table->columns] && table->columns < CLI_COLUMNS_MAX; table->columns++)
        table->widths[table->columns] = width_of(head_text(heads[table->columns]));
    return table;
}

void cli_table_add(struct cli_table *table, struct slice text)
{
    struct buf buf;

    if (!table->row) {
        table->row = arena_take(&table->arena, sizeof *table->row);
        *table->tail = table->row;
        table->tail = &table->row->next;
        table->filled = 0;
    }
    buf_init(&buf, CELL_MAX * 4);
    (void)text_escape(&buf, slice_head(text, CELL_MAX), true);
    const struct slice cell = arena_copy(&table->arena, buf_slice(&buf));
    buf_drop(&buf);
    const size_t width = width_of(cell);
    if (width > table->widths[table->filled])
        table->widths[table->filled] = width;
    table->row->cells[table->filled++] = cell;
    if (table->filled == table->columns)
        table->row = NULL;
}

void cli_table_add_number(struct cli_table *table, uint64_t value)
{
    char text[TEXT_UNIT_SIZE];

    cli_table_add(table, slice_of(text, text_print_u64(value, text)));
}

static void cell_print(const struct cli_table *table, size_t column, struct slice text)
{
    const int blanks = (int)(table->widths[column] - width_of(text));
    const bool last = column + 1 == table->columns;

    if (is_number(table->heads[column]))
        (void)printf("%*s%.*s", blanks, "", SLICE_ARGS(text));
    else
        (void)printf("%.*s%*s", SLICE_ARGS(text), last ? 0 : blanks, "");
    (void)fputs(last ? "" : "  ", stdout);
}

void cli_table_end(struct cli_table *table, const struct cli *cli)
{
    (void)fputs(cli_style(cli, CLI_STYLE_HEAD), stdout);
    for (size_t i = 0; i < table->columns; i++)
        cell_print(table, i, head_text(table->heads[i]));
    (void)printf("%s\n", cli_style(cli, CLI_STYLE_PLAIN));
    for (const struct row *row = table->first; row; row = row->next) {
        for (size_t i = 0; i < table->columns; i++)
            cell_print(table, i, row->cells[i]);
        (void)putchar('\n');
    }
    arena_drop(&table->arena);
    memory_give(table, sizeof *table);
}
