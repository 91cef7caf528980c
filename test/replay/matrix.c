/* What all scripts together have reached: every command in every state, every reply and event, every finding
 * in each of its modes. */
#include "replay.h"

#include <stdio.h>

static const char *const states[] = {"greeted", "ready", "mail", "rcpt", "bdat"};
#define STATES (sizeof states / sizeof *states)

static unsigned commands[STATES][VERB_COUNT];
static unsigned replies[SAY_LIMIT];
static unsigned findings[FIND_LIMIT][MODE_ENFORCE + 1];
static unsigned events[EVENT_KIND_LIMIT];

void matrix_command(struct slice state, struct slice line)
{
    struct command command;
    command_parse(line, &command);
    for (size_t i = 0; i < STATES; i++)
        if (slice_equal(state, slice_text(states[i])))
            commands[i][command.verb]++;
}

void matrix_event(const struct event *event)
{
    events[event->kind]++;
    if (event->kind == EVENT_KIND_reply_sent)
        replies[event->body.reply_sent.number]++;
    if (event->kind == EVENT_KIND_finding)
        matrix_mode((unsigned)event->body.finding.finding, (enum mode)event->body.finding.mode);
}

void matrix_mode(unsigned finding, enum mode mode)
{
    findings[finding][mode]++;
}

static unsigned commands_report(bool whole)
{
    unsigned holes = 0;
    if (whole)
        printf("#            %8s %8s %8s %8s %8s\n", states[0], states[1], states[2], states[3], states[4]);
    for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
        if (whole)
            printf("# %-10.*s", SLICE_ARGS(verb_name(verb)));
        for (size_t i = 0; i < STATES; i++) {
            if (whole)
                printf(" %8u", commands[i][verb]);
            if (!commands[i][verb]) {
                holes++;
                printf("%s# no script says %.*s in state %s", whole ? "\n" : "", SLICE_ARGS(verb_name(verb)),
                       states[i]);
            }
            if (!commands[i][verb] && !whole)
                printf("\n");
        }
        if (whole)
            printf("\n");
    }
    return holes;
}

static unsigned replies_report(void)
{
    unsigned holes = 0;
    for (unsigned i = 1; i < SAY_LIMIT; i++)
        if (say_info(i) && !replies[i]) {
            printf("# no script gets reply #%u %s\n", i, say_info(i)->name);
            holes++;
        }
    return holes;
}

static unsigned findings_report(void)
{
    unsigned holes = 0;
    for (unsigned i = 1; i < FIND_LIMIT; i++)
        for (unsigned mode = 0; finding_info(i) && mode <= MODE_ENFORCE; mode++)
            if (!findings[i][mode] && (mode == MODE_ENFORCE || !finding_is_firm(i))) {
                printf("# no script proves the finding %s, mode %s\n", finding_info(i)->word,
                       mode_word(mode));
                holes++;
            }
    return holes;
}

/* Those of a session: numbers below 100. */
static unsigned events_report(void)
{
    unsigned holes = 0;
    for (unsigned i = 1; i < 100; i++)
        if (event_info(i) && !events[i]) {
            printf("# no script makes the event %s\n", event_info(i)->word);
            holes++;
        }
    return holes;
}

unsigned matrix_report(bool whole)
{
    return commands_report(whole) + replies_report() + findings_report() + events_report();
}
