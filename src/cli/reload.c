/* postern reload: the running gate takes the configuration anew. */
#include "cli/cli.h"

#define MORE_MS 60000 /* beyond what the courier may take to finish its deliveries */

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct cli_order order = {
        .request = SLICE("{\"command\":\"reload\"}"),
        .stops = 1,
        .more_ms = MORE_MS,
        .json = "{\"reloaded\":true}",
        .text = "the new configuration is in force",
    };
    (void)argc;
    (void)argv;
    return cli_order(cli, &order);
}

const struct cli_command command_reload = {
    .name = "reload",
    .run = run,
    .summary = "take the configuration and the certificates anew",
    .arguments = "",
    .help = "The running gate reads its configuration again. New connections are served by\n"
            "it as soon as this command ends; sessions that are under way go on to their\n"
            "end under the old one, and no connection is lost. A configuration with\n"
            "mistakes changes nothing: all of them are told.\n",
    .examples = "postern reload\n",
};
