/* postern completion bash|zsh|fish: what the shell needs to complete our words, made from the table of
 * commands.
 */
#include "cli/cli.h"

#include <string.h>

/* --- bash ---------------------------------------------------------------------------------------------- */

static void bash_options(const struct cli_option *options)
{
    for (; options && options->name; options++) {
        if (options->letter)
            cli_print("-%c ", options->letter);
        cli_print("--%s ", options->name);
    }
}

static void bash_names(void)
{
    for (size_t i = 0; cli_commands[i]; i++)
        cli_print("%s ", cli_commands[i]->name);
}

static void print_bash(void)
{
    cli_print(
        "# bash completion for postern(1); made by: postern completion bash\n"
        "_postern()\n{\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in\n"
        "        -c|--config) ((i++)) ;;\n"
        "        -*) ;;\n"
        "        *) command=${COMP_WORDS[i]}; break ;;\n"
        "        esac\n"
        "    done\n"
        "    COMPREPLY=()\n"
        "    case $before in\n"
        "    -c|--config) return ;;\n"
        "    esac\n"
        "    case $command in\n"
        "    '') words='");
    bash_names();
    bash_options(cli_options_common);
    cli_print("--version' ;;\n    help) words='");
    bash_names();
    cli_print("' ;;\n    completion) words='bash zsh fish' ;;\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        if (strcmp(cli_commands[i]->name, "help") == 0 || strcmp(cli_commands[i]->name, "completion") == 0)
            continue;
        cli_print("    %s) words='", cli_commands[i]->name);
        bash_options(cli_commands[i]->options);
        bash_options(cli_options_common);
        cli_print("' ;;\n");
    }
    cli_print("    esac\n"
              "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
              "}\n"
              "complete -o default -F _postern postern\n");
}

/* --- zsh ----------------------------------------------------------------------------------------------- */

/* Within single quotes and brackets, where both and the colon are signs. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            cli_print("'\\''");
        else
            cli_print("%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
    }
}

static void zsh_option(const struct cli_option *option, const char *spelling)
{
    cli_print("            '%s[", spelling);
    zsh_text(option->doc);
    cli_print("]");
    if (option->argument)
        cli_print(":%s:%s", option->argument, strcmp(option->argument, "FILE") == 0 ? "_files" : "");
    cli_print("' \\\n");
}

static void zsh_options(const struct cli_option *options)
{
    char spelling[64];

    for (; options && options->name; options++) {
        const size_t len = strlen(options->name);
        if (len + 3 > sizeof spelling)
            continue;
        memcpy(spelling, "--", 2);
        memcpy(spelling + 2, options->name, len + 1);
        zsh_option(options, spelling);
        const char letter[3] = {'-', options->letter, '\0'};
        if (options->letter)
            zsh_option(options, letter);
    }
}

static void print_zsh(void)
{
    cli_print("#compdef postern\n# made by: postern completion zsh\n"
              "_postern()\n{\n"
              "    local -a commands\n    local line state\n    commands=(\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        cli_print("        '%s:", cli_commands[i]->name);
        zsh_text(cli_commands[i]->summary);
        cli_print("'\n");
    }
    cli_print("    )\n    _arguments -C \\\n");
    zsh_options(cli_options_common);
    cli_print("            '1:command:->command' \\\n            '*::argument:->argument'\n"
              "    case $state in\n"
              "    command) _describe command commands ;;\n"
              "    argument)\n        case ${line[1]} in\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        cli_print("        %s) _arguments \\\n", cli_commands[i]->name);
        zsh_options(cli_commands[i]->options);
        zsh_options(cli_options_common);
        cli_print("            '*:%s:%s' ;;\n", "argument",
                  strcmp(cli_commands[i]->name, "completion") == 0 ? "(bash zsh fish)" : "_files");
    }
    cli_print("        esac ;;\n    esac\n}\n_postern \"$@\"\n");
}

/* --- fish ---------------------------------------------------------------------------------------------- */

/* Within single quotes. */
static void fish_text(const char *text)
{
    for (; *text; text++)
        cli_print("%s%c", strchr("'\\", *text) ? "\\" : "", *text);
}

/* command NULL: of the program, wherever it stands. */
static void fish_options(const struct cli_option *options, const char *command)
{
    for (; options && options->name; options++) {
        cli_print("complete -c postern");
        if (command)
            cli_print(" -n '__fish_seen_subcommand_from %s'", command);
        if (options->letter)
            cli_print(" -s %c", options->letter);
        cli_print(" -l %s", options->name);
        if (options->argument)
            cli_print(strcmp(options->argument, "FILE") == 0 ? " -rF" : " -x");
        cli_print(" -d '");
        fish_text(options->doc);
        cli_print("'\n");
    }
}

static void fish_command(const struct cli_command *command, const char *condition)
{
    cli_print("complete -c postern -f -n '%s' -a %s -d '", condition, command->name);
    fish_text(command->summary);
    cli_print("'\n");
}

static void print_fish(void)
{
    cli_print("# fish completion for postern(1); made by: postern completion fish\n");
    fish_options(cli_options_common, NULL);
    cli_print("complete -c postern -f -n __fish_use_subcommand -l version\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        fish_command(cli_commands[i], "__fish_use_subcommand");
        fish_command(cli_commands[i], "__fish_seen_subcommand_from help");
        fish_options(cli_commands[i]->options, cli_commands[i]->name);
    }
    cli_print("complete -c postern -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n");
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[1], "bash") == 0)
        print_bash();
    else if (strcmp(argv[1], "zsh") == 0)
        print_zsh();
    else if (strcmp(argv[1], "fish") == 0)
        print_fish();
    else
        return cli_fail_usage(cli, "there is no completion for \"%s\": expected bash, zsh or fish", argv[1]);
    return CLI_OK;
}

const struct cli_command command_completion = {
    .name = "completion",
    .run = run,
    .summary = "print what a shell needs to complete our words",
    .arguments = "bash|zsh|fish",
    .arguments_min = 1,
    .arguments_max = 1,
    .help = "For bash, put the output into /etc/bash_completion.d/postern; for zsh, into a\n"
            "file _postern in a folder of $fpath; for fish, into a file postern.fish in\n"
            "~/.config/fish/completions. make install does this by itself.\n",
    .examples = "postern completion bash\n",
};
