/* What the survey's files share: not for others. survey.c asks name servers and blocklists, survey_inner.c
 * visits the mail servers of routes. */
#ifndef DAEMON_SURVEY_PART_H
#define DAEMON_SURVEY_PART_H

#include "daemon/survey.h"
#include "io/loop.h"

#define SURVEY_WORDS 400

struct resolve;

struct survey {
    const struct site *site;
    void (*row)(void *data, const struct survey_row *row);
    void *data;
    struct resolve *names; /* of mail servers */
};

void survey_row_say(const struct survey *survey, struct survey_row row, const char *came);
void survey_inner(struct survey *survey, struct loop *loop);

#endif
