/* postern stop: the running gate finishes what is under way, and ends. */
#include "cli/cli.h"

#define MORE_MS 30000 /* beyond what gates and courier may take each */

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct site *site = cli_site(cli);

    if (!site)
        return CLI_CONFIG;
    const struct cli_call call = {.socket = "postern.sock",
                                  .request = SLICE("{\"command\":\"stop\"}"),
                                  .wait_ms = 2 * site->set.stop_within + MORE_MS};
    const int status = cli_call(cli, site, &call);
    if (status == CLI_OK && cli->json)
        cli_print("{\"stopped\":true}\n");
    else if (status == CLI_OK)
        cli_print("the gate has stopped\n");
    site_free(site);
    return status;
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
