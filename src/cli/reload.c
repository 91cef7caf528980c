/* postern reload: the running gate takes the configuration anew. */
#include "cli/cli.h"

#define MORE_MS 60000 /* beyond what the courier may take to finish its deliveries */

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct site *site = cli_site(cli);

    if (!site)
        return CLI_CONFIG;
    const struct cli_call call = {.socket = "postern.sock",
                                  .request = SLICE("{\"command\":\"reload\"}"),
                                  .wait_ms = site->set.stop_within + MORE_MS};
    const int status = cli_call(cli, site, &call);
    if (status == CLI_OK && cli->json)
        cli_print("{\"reloaded\":true}\n");
    else if (status == CLI_OK)
        cli_print("the new configuration is in force\n");
    site_free(site);
    return status;
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
