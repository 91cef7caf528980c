/* postern stop: the running gate finishes what is under way, and ends. */
#include "cli/cli.h"

#define MORE_MS 30000 /* beyond what gates and courier may take each */

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct cli_order order = {
        .request = SLICE("{\"command\":\"stop\"}"),
        .stops = 2,
        .more_ms = MORE_MS,
        .json = "{\"stopped\":true}",
        .text = "the gate has stopped",
    };
    (void)argc;
    (void)argv;
    return cli_order(cli, &order);
}

const struct cli_command command_stop = {
    .name = "stop",
    .run = run,
    .summary = "end the gate",
    .arguments = "",
    .help = "The running gate takes no new connections, tells idle clients to come again,\n"
            "finishes messages and deliveries that are under way, and ends. What is not\n"
            "done after the setting stop-within is broken off: the client, or the queue,\n"
            "still has it. The command ends when the gate has.\n",
    .examples = "postern stop\n",
};
