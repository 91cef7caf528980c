/* Options, by the tables of the program and of the command. */
#include "cli/cli.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

#define DISTANCE_MAX 2

const struct cli_option cli_options_common[] = {
    {'c', "config", "FILE", "the configuration; else $POSTERN_CONF, or /etc/postern/postern.conf"},
    {0, "json", NULL, "print JSON for programs"},
    {'h', "help", NULL, "show this help"},
    {0, NULL, NULL, NULL},
};

struct cli_given {
    const struct cli_option *option;
    const char *argument;
};

/* --- finding ------------------------------------------------------------------------------------------- */

static const struct cli_option *find_in(const struct cli_option *options, struct slice name, char letter)
{
    for (; options && options->name; options++)
        if (letter ? options->letter == letter : slice_equal(name, slice_text(options->name)))
            return options;
    return NULL;
}

static const struct cli_option *find(const struct cli *cli, struct slice name, char letter)
{
    const struct cli_option *own = cli->command ? find_in(cli->command->options, name, letter) : NULL;

    return own ? own : find_in(cli_options_common, name, letter);
}

static void nearest_in(const struct cli_option *options, struct slice name, unsigned *best,
                       const char **ret_name)
{
    for (; options && options->name; options++) {
        const unsigned distance = text_distance(name, slice_text(options->name), DISTANCE_MAX);
        if (distance >= *best)
            continue;
        *best = distance;
        *ret_name = options->name;
    }
}

static bool unknown(const struct cli *cli, const char *word, struct slice name)
{
    unsigned best = DISTANCE_MAX + 1;
    const char *nearest = NULL;

    nearest_in(cli_options_common, name, &best, &nearest);
    nearest_in(cli->command ? cli->command->options : NULL, name, &best, &nearest);
    if (nearest)
        (void)cli_fail_usage(cli, "there is no option %s: did you mean --%s?", word, nearest);
    else
        (void)cli_fail_usage(cli, "there is no option %s", word);
    return false;
}

/* --- taking -------------------------------------------------------------------------------------------- */

static void give(struct cli *cli, const struct cli_option *option, const char *argument)
{
    const size_t size = cli->given_count * sizeof *cli->given;

    cli->given = memory_resize(cli->given, size, size + sizeof *cli->given);
    cli->given[cli->given_count++] = (struct cli_given){option, argument ? argument : ""};
    if (option == &cli_options_common[0]) {
        cli->file = argument;
        cli->file_given = true;
    }
    cli->json = cli->json || option == &cli_options_common[1];
}

/* Where the words stand: the options are taken out, the others move together. */
struct walk {
    char **argv;
    int argc, at, kept;
};

static bool take_argument(struct cli *cli, struct walk *walk, const struct cli_option *option,
                          const char *joined)
{
    if (!option->argument || joined) {
        give(cli, option, joined);
        return true;
    }
    if (walk->at + 1 == walk->argc) {
        (void)cli_fail_usage(cli, "--%s wants %s behind it", option->name, option->argument);
        return false;
    }
    give(cli, option, walk->argv[++walk->at]);
    return true;
}

static bool take_long(struct cli *cli, struct walk *walk)
{
    const char *word = walk->argv[walk->at];
    struct slice rest = slice_text(word + 2), name;

    (void)slice_cut(&rest, '=', &name);
    const char *joined = word[2 + name.len] == '=' ? word + 3 + name.len : NULL;
    const struct cli_option *option = find(cli, name, 0);
    if (!option)
        return unknown(cli, word, name);
    if (joined && !option->argument) {
        (void)cli_fail_usage(cli, "--%s takes nothing behind it", option->name);
        return false;
    }
    return take_argument(cli, walk, option, joined);
}

static bool take_short(struct cli *cli, struct walk *walk)
{
    const char *word = walk->argv[walk->at];

    for (const char *letter = word + 1; *letter; letter++) {
        const struct cli_option *option = find(cli, SLICE_NONE, *letter);
        if (!option)
            return unknown(cli, word, slice_text(word + 1));
        if (option->argument)
            return take_argument(cli, walk, option, letter[1] ? letter + 1 : NULL);
        give(cli, option, NULL);
    }
    return true;
}

bool cli_options_parse(struct cli *cli, int *argc, char **argv)
{
    struct walk walk = {argv, *argc, 1, 1};
    bool options = true;

    for (; walk.at < walk.argc; walk.at++) {
        char *word = argv[walk.at];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (!options || word[0] != '-' || word[1] == '\0') {
            if (!cli->command)
                options = false;
            argv[walk.kept++] = word;
            continue;
        }
        if (word[1] == '-' ? !take_long(cli, &walk) : !take_short(cli, &walk))
            return false;
    }
    *argc = walk.kept;
    argv[walk.kept] = NULL;
    return true;
}

void cli_options_drop(struct cli *cli)
{
    memory_give(cli->given, cli->given_count * sizeof *cli->given);
    cli->given = NULL;
    cli->given_count = 0;
}

/* --- asking -------------------------------------------------------------------------------------------- */

const char *cli_option_each(const struct cli *cli, const char *name, size_t index)
{
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].option->name, name) == 0 && index-- == 0)
            return cli->given[i].argument;
    return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    const char *last = NULL, *argument;

    for (size_t i = 0; (argument = cli_option_each(cli, name, i)); i++)
        last = argument;
    return last;
}

bool cli_option_number(const struct cli *cli, const char *name, uint64_t otherwise, uint64_t *ret_value)
{
    const char *text = cli_option(cli, name);

    if (!text)
        *ret_value = otherwise;
    else if (!text_parse_u64(slice_text(text), ret_value)) {
        (void)cli_fail_usage(cli, "--%s cannot be \"%s\": expected a whole number", name, text);
        return false;
    }
    return true;
}

bool cli_option_duration(const struct cli *cli, const char *name, uint64_t otherwise, uint64_t *ret_ms)
{
    const char *text = cli_option(cli, name);

    if (!text)
        *ret_ms = otherwise;
    else if (!text_parse_duration(slice_text(text), ret_ms)) {
        (void)cli_fail_usage(cli, "--%s cannot be \"%s\": expected a duration such as 30s, 10m or 7d", name,
                             text);
        return false;
    }
    return true;
}
