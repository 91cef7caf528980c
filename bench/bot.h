/*
 * bot - what one kind of bot says, as bench/bots/README has it
 */
#ifndef BENCH_BOT_H
#define BENCH_BOT_H

#include <stddef.h>

enum { BOT_STEPS = 64, BOT_NAME = 32, BOT_TEXT_MAX = 1024 };

enum bot_what { BOT_SEND, BOT_EXPECT, BOT_CLOSED };

struct bot_step {
    enum bot_what what;
    char *text; /* BOT_SEND: the octets, with its CRLF; BOT_EXPECT: how the code begins, empty: any */
    size_t len;
};

struct bot {
    char name[BOT_NAME]; /* the file's, without .bot */
    struct bot_step steps[BOT_STEPS];
    unsigned count;
};

/* Reads the file; ends the program with a message where it cannot be understood. */
void bot_read(struct bot *bot, const char *file);
void bot_drop(struct bot *bot);
/* Puts the octets of a step into `room`, each {} replaced by the number, {date} by the time. Returns how
 * many. */
size_t bot_say(const struct bot_step *step, unsigned number, char room[BOT_TEXT_MAX]);

#endif
