/* postern play: a scripted client, against a running gate; or with --mbox the messages of an archive
 * (play_mbox.c). */
#include "cli/play.h"
#include "cli/play_mbox.h"

#include "base/text.h"

#include <string.h>

#define WAIT_MS    60000
#define WAIT_MAX   600000
#define FASTER_MAX 1000
#define PORT_SMTP  25
#define LEVEL      3

struct wanted {
    struct address to, from; /* ADDRESS_NONE: not given */
    uint64_t wait_ms, faster, level;
};

static bool read_address(const struct cli *cli, const char *option, bool port, struct address *ret_address)
{
    const char *text = cli_option(cli, option);

    *ret_address = (struct address){0};
    if (!text || (port ? address_port_parse(slice_text(text), PORT_SMTP, ret_address)
                       : address_parse(slice_text(text), ret_address)))
        return true;
    (void)cli_fail_usage(cli, "--%s cannot be \"%s\": expected %s", option, text,
                         port ? "ADDRESS:PORT, such as 127.0.0.1:2525" : "an address, such as 127.0.0.9");
    return false;
}

static bool read_options(const struct cli *cli, struct wanted *wanted)
{
    if (!read_address(cli, "to", true, &wanted->to) || !read_address(cli, "from", false, &wanted->from) ||
        !cli_option_duration(cli, "wait", WAIT_MS, &wanted->wait_ms) ||
        !cli_option_number(cli, "faster", 1, &wanted->faster) ||
        !cli_option_number(cli, "level", LEVEL, &wanted->level))
        return false;
    if (wanted->faster < 1 || wanted->faster > FASTER_MAX)
        (void)cli_fail_usage(cli, "--faster goes from 1 to %d", FASTER_MAX);
    else if (wanted->level > 5)
        (void)cli_fail_usage(cli, "--level goes from 0 to 5");
    else if (wanted->wait_ms > WAIT_MAX)
        (void)cli_fail_usage(cli, "--wait is at most 10m");
    else
        return true;
    return false;
}

static void print_title(const struct play *play)
{
    const char *slash = strrchr(play->script.file, '/');

    if (play->cli->json)
        return;
    cli_print("%s%s%s%.*s%s\n", cli_style(play->cli, CLI_STYLE_HEAD), slash ? slash + 1 : play->script.file,
              play->script.title.len ? ": " : "", SLICE_ARGS(play->script.title),
              cli_style(play->cli, CLI_STYLE_PLAIN));
}

static void print_end(const struct play *play)
{
    const struct cli *cli = play->cli;

    if (cli->json)
        return;
    cli_print("%s%s%s\n", cli_style(cli, play->unmet ? CLI_STYLE_BAD : CLI_STYLE_GOOD),
              play->unmet ? "It did not go as the script expects." : "It went as the script expects.",
              cli_style(cli, CLI_STYLE_PLAIN));
}

/* A gate that was named need not be the one whose journal is here. */
static int play_one(const struct cli *cli, const struct site *site, const struct wanted *wanted,
                    const char *file)
{
    struct play play = {.cli = cli,
                        .site = site,
                        .to = wanted->to,
                        .from = wanted->from.family == ADDRESS_NONE ? NULL : &wanted->from,
                        .wait_ms = wanted->wait_ms,
                        .faster = wanted->faster,
                        .level = (int)wanted->level};

    int status = play_script_read(cli, file, &play.script);
    if (status == CLI_OK) {
        print_title(&play);
        status = play_dialogue(&play);
    }
    if (status == CLI_OK && (play.to.family == ADDRESS_NONE || cli->file_given))
        status = play_outcome(&play);
    if (status == CLI_OK)
        print_end(&play);
    play_script_drop(&play.script);
    return status == CLI_OK && play.unmet ? CLI_FAILED : status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted;
    int status = CLI_OK;

    if (cli_option(cli, "mbox"))
        return play_mbox(cli, argc, argv);
    if (!read_options(cli, &wanted))
        return CLI_USAGE;
    struct site *site = cli_site(cli);
    if (!site)
        return CLI_CONFIG;
    for (int i = 1; i < argc; i++) {
        if (i > 1 && !cli->json)
            cli_print("\n");
        const int one = play_one(cli, site, &wanted, argv[i]);
        status = status == CLI_OK ? one : status;
    }
    site_free(site);
    return status;
}

static const struct cli_option options[] = {
    {0, "to", "ADDRESS", "the gate, ADDRESS:PORT; else where the configuration listens"},
    {0, "from", "ADDRESS", "the client's address; else those of the script"},
    {0, "wait", "DURATION", "for each reply; default 1m"},
    {0, "faster", "N", "divide the script's times by N"},
    {'l', "level", "N", "how much of the gate's record: as for explain, default 3; 0: none"},
    {0, "mbox", NULL, "play mail folders instead of scripts: what would the gate have done?"},
    {0, "alone", NULL, "with --mbox: as if no client had ever been here before"},
    {0, "half", "N", "with --mbox: only half of the files, 1 or 2, told apart by their names"},
    {0, "each", NULL, "with --mbox: a line for each message"},
    {0, NULL, NULL, NULL},
};

const struct cli_command command_play = {
    .name = "play",
    .run = run,
    .summary = "play scripted clients, or the messages of an archive",
    .arguments = "SCRIPT ... | [LABEL=]FOLDER ...",
    .arguments_min = 1,
    .arguments_max = -1,
    .options = options,
    .help = "Connects to the gate from each script's own client address, keeps the script's\n"
            "times, and shows the dialogue as it runs: > is what the client says, < what the\n"
            "gate says. At the end comes what the gate has recorded of it, as postern explain\n"
            "tells it. A gate on this machine sees each address of 127.0.0.0/8 as another\n"
            "client. postern(1) has the language of scripts; some come with the program.\n"
            "\n"
            "With --mbox no gate need run, and nobody is asked. Mail folders (mbox files,\n"
            "Maildirs, folders of messages) are read, and each message is played, in the\n"
            "order of time, as the session in which it once came: its Received fields tell\n"
            "the client's address and name and what it said in HELO, to the first host of\n"
            "ours, that is, from the first client that is neither in networks own nor in\n"
            "networks trusted. What they do not tell counts as not to be looked up. The gate\n"
            "remembers what it has seen, and whoever is deferred comes again an hour later.\n"
            "How many messages of each LABEL (ham, spam) would have been accepted, deferred\n"
            "or rejected at their first try is shown, and how many each finding has hit (or\n"
            "would have, had they all been let pass); of a single message the whole session.\n"
            "\n"
            "The exit status is 1 where something did not go as a script expects, no gate\n"
            "could be reached, or a folder could not be read.\n",
    .examples = "postern -c etc/demo.conf play share/play/*.smtp\n"
                "postern play --from 127.0.0.9 --faster 10 dialogue.smtp\n"
                "postern play --mbox ham=Mail/inbox spam=Mail/junk\n",
};
