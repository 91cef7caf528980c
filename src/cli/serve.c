/* postern serve: the gate itself, in the foreground or behind. */
#include "base/arena.h"
#include "cli/cli.h"
#include "daemon/conf.h"
#include "daemon/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MAX (1u << 20)

struct serving {
    const struct cli *cli;
    int tell;      /* in the background: the pipe to the command that was typed; -1 once it has ended */
    bool terminal; /* what is said has somewhere to go */
};

/* --- the first steps ----------------------------------------------------------------------------------- */

static bool program_exists(const char *name)
{
    static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};
    char path[256];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static const struct route *maildir_route(const struct site *site)
{
    for (size_t i = 0; i < site->route_count; i++) {
        const struct route *route = &site->routes[i];
        bool anybody = route->mailboxes == ROUTE_MAILBOXES_ANY || route->mailbox_count;
        if (route->kind == ROUTE_MAILDIR && anybody && route->domain_count && route->domains[0].len &&
            route->domains[0].at[0] != '.' && route->domains[0].at[0] != '*')
            return route;
    }
    return NULL;
}

/* The folder of one mailbox: %s stands for its name, or it is a folder of mailboxes. */
static struct slice maildir_of(const struct route *route, struct slice mailbox, struct arena *arena)
{
    size_t at = slice_find_slice(route->maildir, SLICE("%s"));

    if (at == SLICE_NOT_FOUND)
        return arena_format(arena, "%.*s/%.*s", SLICE_ARGS(route->maildir), SLICE_ARGS(mailbox));
    return arena_format(arena, "%.*s%.*s%.*s", SLICE_ARGS(slice_head(route->maildir, at)),
                        SLICE_ARGS(mailbox), SLICE_ARGS(slice_from(route->maildir, at + 2)));
}

/* For somebody who tries it out on his own machine: a mail, where it went, and why. */
static void print_trial(const struct cli *cli, const struct site *site)
{
    const struct route *route = maildir_route(site);
    struct arena arena;
    char server[ADDRESS_PORT_TEXT_SIZE];

    if (!route || !site->listen_count || !address_is_loopback(&site->listens[0].address))
        return;
    arena_init(&arena, NULL, 0);
    (void)address_port_print(&site->listens[0].address, server);
    const struct slice mailbox = route->mailbox_count ? route->mailbox_names[0] : SLICE("you");
    const struct slice maildir = maildir_of(route, mailbox, &arena);
    const struct slice to = arena_format(&arena, "%.*s@%.*s", SLICE_ARGS(mailbox),
                                         SLICE_ARGS(route->domains[0]));
    cli_print("\nTry it from another terminal:\n");
    if (program_exists("swaks"))
        cli_print("  swaks --server %s --to %.*s\n", server, SLICE_ARGS(to));
    else
        cli_print("  printf 'Subject: hello\\n\\nhi\\n' | curl --crlf -T - --mail-from me@example.org "
                  "--mail-rcpt %.*s smtp://%s\n",
                  SLICE_ARGS(to), server);
    cli_print("  cat %.*s/new/*\n", SLICE_ARGS(maildir));
    cli_print("  %s -c %s explain last\n", program_invocation_name, cli->file);
    arena_drop(&arena);
}

/* --- what the supervisor has to say -------------------------------------------------------------------- */

static void on_ready(void *data, const struct site *site, struct slice listens)
{
    struct serving *serving = data;

    cli_print("%.*s answers at %.*s (process %d)\n", SLICE_ARGS(site->set.host_name), SLICE_ARGS(listens),
              (int)getpid());
    print_trial(serving->cli, site);
    (void)fflush(stdout);
    if (serving->tell < 0)
        return;
    ssize_t told = write(serving->tell, "", 1);
    (void)told; /* whoever waited has gone: nobody is left to tell */
    close(serving->tell);
    serving->tell = -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    serving->terminal = false;
}

static void on_say(void *data, const char *text)
{
    const struct serving *serving = data;

    if (serving->terminal)
        fprintf(stderr, "postern: %s\n", text);
}

/* --- running ------------------------------------------------------------------------------------------- */

static void print_notes(const struct conf_notes *notes)
{
    struct buf text;

    buf_init(&text, NOTES_MAX);
    conf_notes_print(notes, &text);
    fprintf(stderr, "%.*s", SLICE_ARGS(buf_slice(&text)));
    buf_drop(&text);
}

/* NULL: there are mistakes, and they were told. */
static struct site *site_load(const struct cli *cli)
{
    struct conf_report report;

    conf_report_init(&report);
    struct site *site = conf_load(cli->file, CONF_CARE_FILES, &report);
    print_notes(&report.mistakes);
    print_notes(&report.warnings);
    conf_report_drop(&report);
    return site;
}

static int serve(struct serving *serving, struct site *site)
{
    struct error error;
    char file[4096];
    const struct supervisor_settings settings = {
        .file = realpath(serving->cli->file, file) ? file : serving->cli->file,
        .site = site,
        .background = serving->tell >= 0,
        .ready = on_ready,
        .say = on_say,
        .data = serving,
    };

    if (supervisor_run(&settings, &error) < 0)
        return cli_fail(serving->cli, "%s", error.text);
    return CLI_OK;
}

/* The command ends when the gate answers, or has failed to start. */
static int serve_behind(struct serving *serving, struct site *site)
{
    int pipes[2];
    char octet;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return cli_fail(serving->cli, "cannot make a pipe: %s", strerror(errno));
    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0)
        return cli_fail(serving->cli, "cannot start a process: %s", strerror(errno));
    if (pid > 0) {
        close(pipes[1]);
        site_free(site); /* the other process has its own */
        const ssize_t got = read(pipes[0], &octet, 1);
        close(pipes[0]);
        return got == 1 ? CLI_OK : CLI_FAILED;
    }
    close(pipes[0]);
    setsid();
    serving->tell = pipes[1];
    return serve(serving, site);
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct serving serving = {.cli = cli, .tell = -1, .terminal = true};
    struct site *site = site_load(cli);

    if (!site)
        return CLI_CONFIG;
    return cli_option(cli, "foreground") ? serve(&serving, site) : serve_behind(&serving, site);
}

static const struct cli_option options[] = {
    {'f', "foreground", NULL, "stay in the foreground: for service managers and trials"},
    {0},
};

const struct cli_command command_serve = {
    .name = "serve",
    .run = run,
    .summary = "start the gate",
    .arguments = "",
    .options = options,
    .help = "Reads the configuration, opens the addresses that it names, and starts the\n"
            "processes: gates, which talk with clients, the courier, which delivers, the\n"
            "keeper, which keeps the records, and the archivist, by whose history sessions\n"
            "are found. A process that dies is started again.\n"
            "\n"
            "The command ends when the gate answers; with --foreground it stays. SIGTERM\n"
            "ends the gate as `postern stop` does, SIGHUP is `postern reload`. The exit\n"
            "status is 78 where the configuration has mistakes.\n",
    .examples = "postern serve --foreground\n"
                "postern -c etc/demo.conf serve --foreground\n",
};
