#include "bot.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *file, unsigned line, const char *what)
{
    fprintf(stderr, "bench-bots: %s:%u: %s\n", file, line, what);
    exit(64);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One octet of the text, which may be escaped. Returns how many characters it took, 0: none that is known. */
static size_t octet_read(const char *text, char *ret_octet)
{
    static const char letters[] = "rn0\\", octets[] = "\r\n\0\\";
    if (*text != '\\') {
        *ret_octet = *text;
        return 1;
    }
    if (text[1] == 'x' && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0) {
        *ret_octet = (char)(hex_digit(text[2]) << 4 | hex_digit(text[3]));
        return 4;
    }
    const char *at = text[1] ? strchr(letters, text[1]) : NULL;
    if (!at)
        return 0;
    *ret_octet = octets[at - letters];
    return 2;
}

static bool send_read(struct bot_step *step, const char *text, bool whole_line)
{
    step->what = BOT_SEND;
    step->text = calloc(1, strlen(text) + 3);
    if (!step->text)
        return false;
    while (*text) {
        size_t took = octet_read(text, step->text + step->len);
        if (!took)
            return false;
        text += took;
        step->len++;
    }
    if (whole_line) {
        memcpy(step->text + step->len, "\r\n", 2);
        step->len += 2;
    }
    return step->len <= BOT_TEXT_MAX;
}

static bool expect_read(struct bot_step *step, const char *text)
{
    step->what = BOT_EXPECT;
    step->text = strdup(*text == '*' ? "" : text);
    step->len = step->text ? strlen(step->text) : 0;
    return step->text && step->len <= 3;
}

/* What is for bench/bots/run alone, and what says nothing. */
static bool is_for_others(const char *line)
{
    return !*line || *line == '#' || !strncmp(line, "finding ", 8) || !strncmp(line, "reply ", 6);
}

static bool line_read(struct bot *bot, char *line)
{
    struct bot_step *step = &bot->steps[bot->count];
    if (is_for_others(line))
        return true;
    if (bot->count++ == BOT_STEPS)
        return false;
    if (!strncmp(line, ">> ", 3))
        return send_read(step, line + 3, false);
    if (!strncmp(line, "> ", 2))
        return send_read(step, line + 2, true);
    if (!strncmp(line, "< ", 2))
        return expect_read(step, line + 2);
    step->what = BOT_CLOSED;
    return !strcmp(line, "closed");
}

void bot_read(struct bot *bot, const char *file)
{
    char line[BOT_TEXT_MAX * 4];
    const char *name = strrchr(file, '/');
    *bot = (struct bot){.count = 0};
    snprintf(bot->name, sizeof bot->name, "%s", name ? name + 1 : file);
    bot->name[strcspn(bot->name, ".")] = '\0';
    FILE *in = fopen(file, "re");
    if (!in)
        fail(file, 0, "cannot be opened");
    for (unsigned number = 1; fgets(line, sizeof line, in); number++) {
        line[strcspn(line, "\n")] = '\0';
        if (!line_read(bot, line))
            fail(file, number, "cannot be understood");
    }
    fclose(in);
}

void bot_drop(struct bot *bot)
{
    for (unsigned i = 0; i < bot->count; i++)
        free(bot->steps[i].text);
    bot->count = 0;
}

static size_t date_say(char *room, size_t size)
{
    static char date[64]; /* of the first time it was asked for */
    struct tm utc;
    time_t now = time(NULL);
    if (!*date)
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc));
    return (size_t)snprintf(room, size, "%s", date);
}

static bool has(const struct bot_step *step, size_t at, const char *word)
{
    return step->len - at >= strlen(word) && !memcmp(step->text + at, word, strlen(word));
}

size_t bot_say(const struct bot_step *step, unsigned number, char room[BOT_TEXT_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < step->len && len + 64 < BOT_TEXT_MAX; i++) {
        if (has(step, i, "{}")) {
            len += (size_t)snprintf(room + len, 16, "%u", number);
            i += 1;
        } else if (has(step, i, "{date}")) {
            len += date_say(room + len, 64);
            i += 5;
        } else
            room[len++] = step->text[i];
    }
    return len;
}
