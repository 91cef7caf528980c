/* Leads a client through a script, and shows what is said as it is said. */
#include "cli/play.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define PORT_SMTP 25

struct dialogue {
    struct play *play;
    struct play_client client;
    uint64_t start_ms;
    size_t shown; /* octets that the gate said and that were shown */
    bool over;    /* what is left of this connection is of no use */
};

/* --- showing ------------------------------------------------------------------------------------------- */

static void show(const struct dialogue *dialogue, enum cli_style style, const char *mark, struct slice text)
{
    const struct cli *cli = dialogue->play->cli;
    const uint64_t now_ms = play_now_ms() - dialogue->start_ms;

    if (cli->json)
        return;
    cli_print("%5llu.%03llu %s ", (unsigned long long)(now_ms / 1000), (unsigned long long)(now_ms % 1000),
              mark);
    cli_print("%s", cli_style(cli, style));
    cli_print_text(text);
    cli_print("%s\n", cli_style(cli, CLI_STYLE_PLAIN));
    (void)fflush(stdout);
}

/* Lines as soon as they are whole, expected or not. */
static void show_heard(struct dialogue *dialogue)
{
    struct slice rest = slice_from(buf_slice(&dialogue->client.heard), dialogue->shown), line;

    while (slice_find(rest, '\n') != SLICE_NOT_FOUND) {
        (void)slice_cut(&rest, '\n', &line);
        dialogue->shown += line.len + 1;
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        show(dialogue, CLI_STYLE_SERVER, "<", line);
    }
}

void play_unmet(struct play *play, const struct play_order *order, const char *what, struct slice text)
{
    play->unmet++;
    if (play->cli->json)
        return;
    cli_print("%s          %s:%u: %s", cli_style(play->cli, CLI_STYLE_BAD), play->script.file, order->line,
              what);
    cli_print_text(text);
    cli_print("%s\n", cli_style(play->cli, CLI_STYLE_PLAIN));
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static bool listen_until(struct dialogue *dialogue, uint64_t until_ms)
{
    const bool closed = dialogue->client.closed;
    const bool heard = play_client_listen(&dialogue->client, until_ms);

    show_heard(dialogue);
    if (dialogue->client.closed && !closed)
        show(dialogue, CLI_STYLE_COMMENT, "-", SLICE("the gate has closed the connection"));
    return heard;
}

static void wait_until(struct dialogue *dialogue, const struct play_order *order)
{
    const uint64_t at_ms = dialogue->start_ms + order->at_ms / dialogue->play->faster;

    while (play_now_ms() < at_ms)
        (void)listen_until(dialogue, at_ms);
}

/* --- orders -------------------------------------------------------------------------------------------- */

/* Where the gate can be reached from an address of that family. */
static bool target_find(const struct play *play, uint8_t family, struct address *ret_to)
{
    *ret_to = play->to;
    if (play->to.family != ADDRESS_NONE)
        return play->to.family == family;
    for (size_t i = 0; i < play->site->listen_count; i++) {
        const struct address *listen = &play->site->listens[i].address;
        if (listen->family != family || play->site->listens[i].proxy.count)
            continue;
        *ret_to = *listen;
        if (address_is_unspecified(listen)) {
            (void)address_parse(family == ADDRESS_IPV6 ? SLICE("::1") : SLICE("127.0.0.1"), ret_to);
            ret_to->port = listen->port;
        }
        return true;
    }
    return false;
}

static int connection_failed(const struct play *play, const struct address *to, const struct error *error)
{
    char text[ADDRESS_PORT_TEXT_SIZE];

    (void)address_port_print(to, text);
    if (error->number != ECONNREFUSED)
        return cli_fail(play->cli, "%s: %s", text, error->text);
    return cli_fail(play->cli, "no gate listens on %s: start one with postern -c %s serve", text,
                    play->cli->file);
}

static void session_note(struct dialogue *dialogue, struct play_order *order)
{
    struct play *play = dialogue->play;
    struct play_session *session = &play->sessions[play->session_count++];
    struct timespec now;
    char from[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE + 16];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    *session = (struct play_session){.from = dialogue->client.from,
                                     .first_event = order,
                                     .began_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000};
    (void)address_print(&dialogue->client.from, from);
    (void)snprintf(text, sizeof text, "from %s", from);
    show(dialogue, CLI_STYLE_COMMENT, "-", slice_text(text));
}

static int open_connection(struct dialogue *dialogue, struct play_order *order)
{
    struct play *play = dialogue->play;
    const struct address *from = play->from ? play->from : &order->from;
    struct error error = {0};
    struct address to;

    play_client_drop(&dialogue->client);
    play_client_init(&dialogue->client);
    dialogue->shown = 0;
    dialogue->over = false;
    if (play->session_count == PLAY_SESSIONS)
        return cli_fail(play->cli, "%s opens too many connections: expected at most %d", play->script.file,
                        PLAY_SESSIONS);
    if (!target_find(play, from->family, &to))
        return cli_fail(play->cli, "the gate does not listen where %s could reach it",
                        from->family == ADDRESS_IPV6 ? "an IPv6 client" : "an IPv4 client");
    if (play_client_open(&dialogue->client, from, &to, &error) < 0)
        return connection_failed(play, &to, &error);
    session_note(dialogue, order);
    return CLI_OK;
}

static void send_octets(struct dialogue *dialogue, const struct play_order *order)
{
    struct slice shown = order->text;

    if (!order->raw)
        shown.len -= 2;
    show(dialogue, CLI_STYLE_CLIENT, order->raw ? ">>" : ">", shown);
    if (play_client_send(&dialogue->client, order->text, dialogue->play->wait_ms))
        return;
    dialogue->over = true;
    play_unmet(dialogue->play, order, "the gate takes nothing more", SLICE_NONE);
}

static void expect_line(struct dialogue *dialogue, const struct play_order *order)
{
    const uint64_t until_ms = play_now_ms() + dialogue->play->wait_ms;
    struct slice line;

    while (!play_client_line(&dialogue->client, &line)) {
        if (!dialogue->client.closed && play_now_ms() < until_ms) {
            (void)listen_until(dialogue, until_ms);
            continue;
        }
        dialogue->over = true;
        play_unmet(dialogue->play, order, "nothing was said, expected: ", order->text);
        return;
    }
    if (!text_match(order->text, line))
        play_unmet(dialogue->play, order, "expected: ", order->text);
}

static void expect_quiet(struct dialogue *dialogue, const struct play_order *order)
{
    struct slice line;

    (void)listen_until(dialogue, 0);
    if (dialogue->client.taken == dialogue->client.heard.len)
        return;
    play_unmet(dialogue->play, order, "expected that the gate says nothing", SLICE_NONE);
    while (play_client_line(&dialogue->client, &line))
        ;
}

static void expect_closed(struct dialogue *dialogue, const struct play_order *order)
{
    const uint64_t until_ms = play_now_ms() + dialogue->play->wait_ms;

    while (!dialogue->client.closed && play_now_ms() < until_ms)
        (void)listen_until(dialogue, until_ms);
    if (!dialogue->client.closed)
        play_unmet(dialogue->play, order, "expected that the gate closes the connection", SLICE_NONE);
    dialogue->over = true;
}

static int order_run(struct dialogue *dialogue, struct play_order *order)
{
    if (order->verb == PLAY_EVENT ||
        (dialogue->over && order->verb != PLAY_OPEN && order->verb != PLAY_PAUSE))
        return CLI_OK;
    wait_until(dialogue, order);
    switch (order->verb) {
    case PLAY_OPEN: return open_connection(dialogue, order);
    case PLAY_SEND: send_octets(dialogue, order); break;
    case PLAY_EXPECT: expect_line(dialogue, order); break;
    case PLAY_QUIET: expect_quiet(dialogue, order); break;
    case PLAY_CLOSED: expect_closed(dialogue, order); break;
    case PLAY_EOF:
        show(dialogue, CLI_STYLE_COMMENT, "-", SLICE("the client closes its side"));
        play_client_end(&dialogue->client);
        break;
    case PLAY_PAUSE:
    case PLAY_EVENT: break;
    }
    return CLI_OK;
}

int play_dialogue(struct play *play)
{
    struct dialogue dialogue = {.play = play, .start_ms = play_now_ms()};
    int status = CLI_OK;

    play_client_init(&dialogue.client);
    for (struct play_order *order = play->script.orders; order && status == CLI_OK; order = order->next)
        status = order_run(&dialogue, order);
    play_client_drop(&dialogue.client);
    return status;
}
