/* The table of subcommands: one row each, in the order of --help. */
#include "cli/cli.h"

/* clang-format off */
const struct cli_command *const cli_commands[] = {
    &command_serve,
    &command_status,
    &command_reload,
    &command_stop,
    &command_check_config,
    &command_sessions,
    &command_explain,
    &command_stats,
    &command_campaigns,
    &command_blocks,
    &command_allow,
    &command_report,
    &command_try,
    &command_play,
    &command_replay,
    &command_queue,
    &command_known,
    &command_journal,
    &command_scan_log,
    &command_history,
    &command_why,
    &command_completion,
    &command_help,
    NULL,
};
/* clang-format on */

const struct cli_command *cli_command_find(struct slice name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (slice_equal(name, slice_text(cli_commands[i]->name)))
            return cli_commands[i];
    return NULL;
}
