/* What the files of `postern play` share: play.c is the command, play_script.c reads scripts, play_client.c
 * is a client on the wire, play_dialogue.c leads it through a script, play_outcome.c finds what the gate has
 * recorded of it. */
#ifndef CLI_PLAY_H
#define CLI_PLAY_H

#include "base/arena.h"
#include "cli/cli.h"
#include "journal/history.h"

/* --- scripts ------------------------------------------------------------------------------------------- */

enum play_verb {
    PLAY_PAUSE,  /* at SECONDS */
    PLAY_OPEN,   /* open ADDRESS [port N]: a connection from there */
    PLAY_SEND,   /* > TEXT (CRLF is added), >> TEXT (as it stands) */
    PLAY_EXPECT, /* < PATTERN: the next line of the gate */
    PLAY_QUIET,  /* the gate has said nothing more */
    PLAY_EOF,    /* the client closes its side */
    PLAY_CLOSED, /* the gate closes */
    PLAY_EVENT   /* event WORD FIELD=PATTERN …: a later one than those before, in the gate's record of the
                    session */
};

struct play_order {
    struct play_order *next;
    enum play_verb verb;
    uint64_t at_ms;      /* not before that time since the script's start */
    struct slice text;   /* PLAY_SEND: the octets; else the arguments */
    struct address from; /* PLAY_OPEN; port 0: any */
    unsigned line;
    bool raw; /* >> */
};

struct play_script {
    struct arena arena;
    const char *file;
    struct slice title;
    struct play_order *orders;
};

/* CLI_OK, or the mistakes were told. To be dropped in any case. */
int play_script_read(const struct cli *cli, const char *file, struct play_script *ret_script);
void play_script_drop(struct play_script *script);

/* --- a client ------------------------------------------------------------------------------------------ */

struct play_client {
    int fd; /* -1: there is no connection */
    struct address from;
    struct buf heard; /* all that the gate has said */
    size_t taken;     /* octets of it that were expected, or passed over */
    bool closed;      /* by the gate */
};

void play_client_init(struct play_client *client);
/* The local address, with the port that it got, is in client->from afterwards. */
int play_client_open(struct play_client *client, const struct address *from, const struct address *to,
                     struct error *error);
/* False: the gate has closed, or takes nothing for so long. */
bool play_client_send(struct play_client *client, struct slice octets, uint64_t wait_ms);
/* Waits for octets until the time (CLOCK_MONOTONIC, milliseconds), and returns true as soon as some came. */
bool play_client_listen(struct play_client *client, uint64_t until_ms);
/* The next whole line, without its end; false: there is none yet. */
bool play_client_line(struct play_client *client, struct slice *ret_line);
void play_client_end(struct play_client *client); /* our side; the gate may go on talking */
void play_client_drop(struct play_client *client);
uint64_t play_now_ms(void); /* CLOCK_MONOTONIC */

/* --- the dialogue -------------------------------------------------------------------------------------- */

#define PLAY_SESSIONS 64 /* connections of one script */

/* One connection of a script, and what is to be found in its record. */
struct play_session {
    struct address from;
    struct play_order *first_event; /* the orders from its `open` to the next are its own */
    int64_t began_us;
};

struct play {
    const struct cli *cli;
    const struct site *site;
    struct play_script script;
    struct address to;          /* ADDRESS_NONE: where the configuration listens */
    const struct address *from; /* instead of those of the script, or NULL */
    uint64_t wait_ms;           /* for each reply */
    uint64_t faster;            /* by which the script's times are divided */
    int level;                  /* of what the gate has recorded; 0: none */
    struct play_session sessions[PLAY_SESSIONS];
    size_t session_count;
    unsigned unmet; /* expectations */
};

/* CLI_OK also where expectations were not met; else why it could not be played was told. */
int play_dialogue(struct play *play);
/* "LINE: what" under the dialogue; counts it as unmet. */
void play_unmet(struct play *play, const struct play_order *order, const char *what, struct slice text);

/* --- what came of it ----------------------------------------------------------------------------------- */

/* Shows the gate's record of each session, and looks for the events that the script expects. */
int play_outcome(struct play *play);

#endif
