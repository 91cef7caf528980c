/* Finding the configuration and the running gate. */
#include "cli/cli.h"

#include "base/arena.h"
#include "daemon/conf.h"
#include "daemon/control.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_MS   10000
#define NOTES_MAX (1u << 20)

struct site *cli_site(const struct cli *cli)
{
    struct conf_report report;
    struct buf text;

    conf_report_init(&report);
    struct site *site = conf_load(cli->file, CONF_CARE_TEXT, &report);
    if (!site) {
        buf_init(&text, NOTES_MAX);
        conf_notes_print(&report.mistakes, &text);
        (void)fflush(stdout);
        (void)fprintf(stderr, "%.*s", SLICE_ARGS(buf_slice(&text)));
        buf_drop(&text);
    }
    conf_report_drop(&report);
    return site;
}

int cli_call(const struct cli *cli, const struct site *site, const struct cli_call *call)
{
    struct arena arena;
    struct error error = {0};

    arena_init(&arena, NULL, 0);
    const struct slice path = arena_format(&arena, "%.*s/%s", SLICE_ARGS(site->set.run_directory),
                                           call->socket);
    const struct control_call control = {.path = path,
                                         .request = call->request,
                                         .wait_ms = call->wait_ms ? call->wait_ms : WAIT_MS,
                                         .line = call->line,
                                         .data = call->data};
    int status = CLI_OK;
    if (control_call(&control, &error) < 0) {
        if (call->quiet)
            status = CLI_FAILED;
        else if (error.number == ENOENT || error.number == ECONNREFUSED)
            status = cli_fail(cli, "the gate is not running: nobody listens at %.*s", SLICE_ARGS(path));
        else
            status = cli_fail(cli, "%s", error.text);
    }
    arena_drop(&arena);
    return status;
}

int cli_order(const struct cli *cli, const struct cli_order *order)
{
    struct site *site = cli_site(cli);

    if (!site)
        return CLI_CONFIG;
    const struct cli_call call = {.socket = "postern.sock",
                                  .request = order->request,
                                  .wait_ms = order->stops * site->set.stop_within + order->more_ms};
    const int status = cli_call(cli, site, &call);
    if (status == CLI_OK)
        cli_print("%s\n", cli->json ? order->json : order->text);
    site_free(site);
    return status;
}

const char *cli_person(void)
{
    const char *behind = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user = behind && *behind ? NULL : getpwuid(getuid());

    return behind && *behind ? behind : user ? user->pw_name : "?";
}
