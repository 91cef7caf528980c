/* Before anybody opens the store: is it whole? */
#include "core/event.h"
#include "daemon/supervisor_part.h"
#include "io/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE   300
#define SECONDS_MAX 120u /* for the look; ten million entries take a few */

struct look {
    char folder[PATH_SIZE];
    struct error error; /* what is wrong with it */
    bool late;          /* it was not looked at to its end */
};

/* Damage of some kinds ends whoever reads it: so a process of its own does that, with the rights of those who
 * will. */
static void look_in_child(const struct supervisor *supervisor, const struct look *look, int out)
{
    struct error error = {0};
    alarm(SECONDS_MAX);
    if (guard_drop(&supervisor->user, &error) < 0 || store_lmdb_check(slice_text(look->folder), &error) == 0)
        _exit(EXIT_SUCCESS);
    if (write(out, error.text, strlen(error.text)) < 0)
        _exit(EXIT_FAILURE + 1);
    _exit(EXIT_FAILURE);
}

/* What the child has said, up to its end. */
static void text_read(int in, char *text, size_t size)
{
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len + 1 < size; len += got > 0 ? (size_t)got : 0)
        do
            got = read(in, text + len, size - len - 1);
        while (got < 0 && errno == EINTR);
    text[len] = '\0';
}

/* Whether it is damaged. */
static bool conclude(struct look *look, int status)
{
    if (WIFEXITED(status)) {
        if (WEXITSTATUS(status) != EXIT_SUCCESS && !look->error.text[0])
            error_set(&look->error, 0, "the store in %s is damaged: who reads it ends with status %d",
                      look->folder, WEXITSTATUS(status));
        return WEXITSTATUS(status) != EXIT_SUCCESS;
    }
    look->late = WTERMSIG(status) == SIGALRM;
    if (!look->late)
        error_set(&look->error, 0, "the store in %s is damaged: who reads it is ended by signal %d",
                  look->folder, WTERMSIG(status));
    return !look->late;
}

static bool is_damaged(const struct supervisor *supervisor, struct look *look)
{
    int channel[2], status = 0;
    if (pipe(channel) != 0)
        return false;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close(channel[0]);
        look_in_child(supervisor, look, channel[1]);
    }
    close(channel[1]);
    text_read(channel[0], look->error.text, sizeof look->error.text);
    close(channel[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return pid > 0 && conclude(look, status);
}

static void record_trouble(struct supervisor *supervisor, const char *what, const char *reason,
                           const char *effect)
{
    struct event_stamp stamp = supervisor_stamp(supervisor);
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_trouble(&events, &stamp,
                      &(struct event_trouble){.what = slice_text(what),
                                              .reason = slice_text(reason),
                                              .effect = slice_text(effect)});
    supervisor_record(supervisor, &events);
    buf_drop(&events);
}

/* The keeper reads the journal from its beginning for a new store. What was told to people before must not be
 * told again: from when on is told stands beside the store. */
static void note_anew(const struct look *look, int64_t unix_us)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s.anew", look->folder);
    FILE *file = fopen(path, "we");
    if (file) {
        fprintf(file, "%lld\n", (long long)unix_us);
        fclose(file);
    }
}

static void set_aside(struct supervisor *supervisor, const struct look *look)
{
    char aside[PATH_SIZE + 64], effect[2 * PATH_SIZE];
    snprintf(aside, sizeof aside, "%s.damaged-%lld", look->folder, (long long)time(NULL));
    if (rename(look->folder, aside) != 0) {
        supervisor_say(supervisor, "%s; it cannot be set aside: %s", look->error.text, strerror(errno));
        return;
    }
    note_anew(look, supervisor_stamp(supervisor).unix_us);
    snprintf(effect, sizeof effect,
             "it is set aside as %s, and what is remembered is gathered again from the journal", aside);
    supervisor_say(supervisor, "%s; %s", look->error.text, effect);
    record_trouble(supervisor, "open the store", look->error.text, effect);
}

void supervisor_store_look(struct supervisor *supervisor, const struct site *site)
{
    struct look look = {.late = false};
    snprintf(look.folder, sizeof look.folder, "%.*s/store", SLICE_ARGS(site->set.state_directory));
    if (is_damaged(supervisor, &look))
        set_aside(supervisor, &look);
    else if (look.late)
        supervisor_say(supervisor, "the store in %s was not looked at to its end: that took too long",
                       look.folder);
}
