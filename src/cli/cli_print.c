/* Complaints, styles, wrapped text, progress. */
#include "cli/cli.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 65536 /* octets of one escaped text */

static void complain(const struct cli *cli, const char *format, va_list arguments)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "postern%s%s: ", cli->command ? " " : "", cli->command ? cli->command->name : "");
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
}

int cli_fail(const struct cli *cli, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(cli, format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_fail_usage(const struct cli *cli, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain(cli, format, arguments);
    va_end(arguments);
    if (cli->command)
        (void)fprintf(stderr, "See postern %s --help\n", cli->command->name);
    else
        (void)fputs("See postern --help\n", stderr);
    return CLI_USAGE;
}

const char *cli_style(const struct cli *cli, enum cli_style style)
{
    static const char *const sequences[] = {
        [CLI_STYLE_PLAIN] = "\033[0m",      [CLI_STYLE_HEAD] = "\033[1m",
        [CLI_STYLE_DIM] = "\033[2m",        [CLI_STYLE_GOOD] = "\033[32m",
        [CLI_STYLE_WARNING] = "\033[33m",   [CLI_STYLE_BAD] = "\033[31m",
        [CLI_STYLE_CLIENT] = "\033[1;31m",  [CLI_STYLE_SERVER] = "\033[4;34m",
        [CLI_STYLE_COMMENT] = "\033[3;32m",
    };

    return cli->colour ? sequences[style] : "";
}

void cli_print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
}

void cli_print_text(struct slice text)
{
    struct buf buf;

    buf_init(&buf, TEXT_MAX * 4);
    (void)text_escape(&buf, slice_head(text, TEXT_MAX), true);
    (void)fwrite(buf.at ? buf.at : "", 1, buf.len, stdout);
    buf_drop(&buf);
}

static void print_line(struct slice *text, unsigned indent, unsigned width)
{
    struct slice word;
    unsigned column = 0;

    (void)printf("%*s", (int)indent, "");
    while (text->len) {
        struct slice rest = *text;
        (void)slice_word(&rest, &word);
        if (column && column + 1 + word.len > width)
            break;
        (void)printf("%s%.*s", column ? " " : "", SLICE_ARGS(word));
        column += (unsigned)word.len + (column ? 1 : 0);
        *text = slice_trim(rest);
    }
    (void)putchar('\n');
}

void cli_print_wrapped(struct slice text, unsigned indent, unsigned width)
{
    text = slice_trim(text);
    while (text.len)
        print_line(&text, indent, width);
}

void cli_print_line(struct buf *buf)
{
    (void)fwrite(buf->at ? buf->at : "", 1, buf->len, stdout);
    (void)putchar('\n');
    buf_clear(buf);
}

void cli_progress(const char *text, uint64_t done, uint64_t total)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (total)
        (void)fprintf(stderr, "\r\033[K%s  %u %%", text, (unsigned)(done * 100 / total));
    else
        (void)fprintf(stderr, "\r\033[K%s  %llu", text, (unsigned long long)done);
}

void cli_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}
