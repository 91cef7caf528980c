/* postern help [COMMAND], and --help wherever it stands. */
#include "cli/cli.h"

#include "wire/json.h"

#include <stdio.h>

#define JSON_MAX 65536

static void print_options(const struct cli *cli, const struct cli_option *options)
{
    char word[64];

    for (; options && options->name; options++) {
        const bool argument = options->argument;
        if (options->letter)
            (void)snprintf(word, sizeof word, "-%c, --%s%s%s", options->letter, options->name,
                           argument ? " " : "", argument ? options->argument : "");
        else
            (void)snprintf(word, sizeof word, "    --%s%s%s", options->name, argument ? " " : "",
                           argument ? options->argument : "");
        cli_print("  %s%-22s%s  %s\n", cli_style(cli, CLI_STYLE_HEAD), word, cli_style(cli, CLI_STYLE_PLAIN),
                  options->doc);
    }
}

static void print_head(const struct cli *cli, const char *text)
{
    cli_print("\n%s%s%s\n", cli_style(cli, CLI_STYLE_HEAD), text, cli_style(cli, CLI_STYLE_PLAIN));
}

void cli_print_help(const struct cli *cli)
{
    cli_print("postern %s: an SMTP gate\n", POSTERN_VERSION);
    print_head(cli, "usage");
    cli_print("  postern [-c FILE] COMMAND [OPTION ...] [ARGUMENT ...]\n");
    print_head(cli, "commands");
    for (size_t i = 0; cli_commands[i]; i++)
        cli_print("  %s%-14s%s  %s\n", cli_style(cli, CLI_STYLE_HEAD), cli_commands[i]->name,
                  cli_style(cli, CLI_STYLE_PLAIN), cli_commands[i]->summary);
    print_head(cli, "options");
    print_options(cli, cli_options_common);
    cli_print("  %s%-22s%s  %s\n", cli_style(cli, CLI_STYLE_HEAD), "-V, --version",
              cli_style(cli, CLI_STYLE_PLAIN), "show the version");
    cli_print("\nMore about one: postern COMMAND --help, and the manual page postern(1).\n");
}

static void print_examples(const struct cli *cli, const char *examples)
{
    struct slice rest = slice_text(examples), line;

    print_head(cli, "examples");
    while (slice_cut(&rest, '\n', &line))
        cli_print("  %.*s\n", SLICE_ARGS(line));
}

void cli_print_command_help(const struct cli *cli, const struct cli_command *command)
{
    cli_print("postern %s: %s\n", command->name, command->summary);
    print_head(cli, "usage");
    cli_print("  postern %s [OPTION ...]%s%s\n\n", command->name, command->arguments[0] ? " " : "",
              command->arguments);
    cli_print("%s", command->help);
    print_head(cli, "options");
    print_options(cli, command->options);
    print_options(cli, cli_options_common);
    if (command->examples)
        print_examples(cli, command->examples);
}

/* --- JSON: what the manual is made of ------------------------------------------------------------------ */

static void json_option(struct json *json, const struct cli_option *option)
{
    json_object_open(json);
    json_put_text(json, "name", slice_text(option->name));
    json_put_text(json, "letter", slice_of(&option->letter, option->letter ? 1 : 0));
    json_put_text(json, "argument", slice_text(option->argument));
    json_put_text(json, "doc", slice_text(option->doc));
    json_object_close(json);
}

static void print_json(const struct cli_command *command)
{
    struct json json;
    struct buf buf;

    buf_init(&buf, JSON_MAX);
    json_begin(&json, &buf);
    json_object_open(&json);
    json_put_text(&json, "name", slice_text(command->name));
    json_put_text(&json, "summary", slice_text(command->summary));
    json_put_text(&json, "arguments", slice_text(command->arguments));
    json_put_text(&json, "help", slice_text(command->help));
    json_put_text(&json, "examples", slice_text(command->examples));
    json_key(&json, "options");
    json_array_open(&json);
    for (const struct cli_option *option = command->options; option && option->name; option++)
        json_option(&json, option);
    json_array_close(&json);
    json_object_close(&json);
    (void)json_end(&json);
    cli_print_line(&buf);
    buf_drop(&buf);
}

static int run(struct cli *cli, int argc, char **argv)
{
    const struct cli_command *command = argc > 1 ? cli_command_find(slice_text(argv[1])) : NULL;

    if (argc > 1 && !command)
        return cli_fail_usage(cli, "there is no command \"%s\"", argv[1]);
    for (size_t i = 0; cli->json && cli_commands[i]; i++)
        if (!command || command == cli_commands[i])
            print_json(cli_commands[i]);
    if (!cli->json && command)
        cli_print_command_help(cli, command);
    else if (!cli->json)
        cli_print_help(cli);
    return CLI_OK;
}

const struct cli_command command_help = {
    .name = "help",
    .run = run,
    .summary = "show what a command does",
    .arguments = "[COMMAND]",
    .arguments_max = 1,
    .help = "Without COMMAND: the commands that there are.\n",
    .examples = "postern help why\n",
};
