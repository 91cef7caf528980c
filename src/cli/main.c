/* postern COMMAND …: finds the command, parses its options, runs it. */
#include "cli/cli.h"

#include "base/text.h"
#include "daemon/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISTANCE_MAX 3

static int unknown_command(const struct cli *cli, const char *word)
{
    unsigned best = DISTANCE_MAX + 1;
    const char *nearest = NULL;

    for (size_t i = 0; cli_commands[i]; i++) {
        const unsigned distance = text_distance(slice_text(word), slice_text(cli_commands[i]->name),
                                                DISTANCE_MAX);
        if (distance < best && 2 * distance <= strlen(word)) {
            best = distance;
            nearest = cli_commands[i]->name;
        }
    }
    if (nearest)
        return cli_fail_usage(cli, "there is no command \"%s\": did you mean %s?", word, nearest);
    return cli_fail_usage(cli, "there is no command \"%s\"", word);
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    const struct cli_command *command = cli->command;
    const int count = argc - 1;

    if (cli_option(cli, "help")) {
        cli_print_command_help(cli, command);
        return CLI_OK;
    }
    if (count < command->arguments_min)
        return cli_fail_usage(cli, "too few arguments: expected %s", command->arguments);
    if (command->arguments_max == 0 && count > 0)
        return cli_fail_usage(cli, "\"%s\" is too much: expected no arguments", argv[1]);
    if (command->arguments_max >= 0 && count > command->arguments_max)
        return cli_fail_usage(cli, "too many arguments: expected %s", command->arguments);
    return command->run(cli, argc, argv);
}

static int run(struct cli *cli, int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        cli_print("postern %s\n", POSTERN_VERSION);
        return CLI_OK;
    }
    if (!cli_options_parse(cli, &argc, argv)) /* those before the command */
        return CLI_USAGE;
    if (argc == 1 && cli_option(cli, "help")) {
        cli_print_help(cli);
        return CLI_OK;
    }
    if (argc == 1)
        return cli_fail_usage(cli, "expected a command");
    cli->command = cli_command_find(slice_text(argv[1]));
    if (!cli->command)
        return unknown_command(cli, argv[1]);
    argc--;
    if (!cli_options_parse(cli, &argc, argv + 1))
        return CLI_USAGE;
    return run_command(cli, argc, argv + 1);
}

/* Whoever reads our output must not take half of it for the whole. */
static int finish(const struct cli *cli, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return cli_fail(cli, "cannot write the output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    const char *no_colour = getenv("NO_COLOR"), *file = getenv("POSTERN_CONF");
    struct cli cli = {
        .file = file && file[0] ? file : CONF_FILE_DEFAULT,
        .colour = isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]),
    };

    const int status = finish(&cli, run(&cli, argc, argv));
    cli_options_drop(&cli);
    return status;
}
