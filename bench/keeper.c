/* What the keeper costs for each session: it reads a journal that bench-journal has written into
 * FOLDER/journal, writes the mail log to FOLDER/mail.log, and ends. Prints microseconds of processor time a
 * session.
 *
 * usage: bench-keeper FOLDER SESSIONS */
#include "daemon/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t keeper_start(struct site *site, int *ret_channel)
{
    int channels[2];
    if (worker_channel(channels, NULL) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(channels[0]);
        struct worker worker = {.role = WORKER_KEEPER, .channel = channels[1], .site = site};
        _exit(keeper_run(&worker));
    }
    close(channels[1]);
    *ret_channel = channels[0];
    return child;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    char log[4096];
    int channel = -1, status = 1;
    struct rusage usage = {0};
    struct worker_message drain = {.kind = WORKER_DRAIN, .value = 60000};
    long sessions = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (sessions < 1) {
        fprintf(stderr, "usage: bench-keeper FOLDER SESSIONS\n");
        return 64;
    }
    snprintf(log, sizeof log, "%s/mail.log", argv[1]);
    struct site *site = site_new();
    site->set.state_directory = site->set.run_directory = slice_text(argv[1]);
    site->set.log_to = LOG_TO_FILE;
    site->set.log_file = slice_text(log);
    pid_t child = keeper_start(site, &channel);
    if (child < 0 || worker_send(channel, &drain, NULL) < 0 || wait4(child, &status, 0, &usage) != child ||
        status != 0) {
        fprintf(stderr, "bench-keeper: the keeper does not run\n");
        return 1;
    }
    printf("%.2f us a session: %.2f user, %.2f system\n",
           (seconds(usage.ru_utime) + seconds(usage.ru_stime)) * 1e6 / (double)sessions,
           seconds(usage.ru_utime) * 1e6 / (double)sessions,
           seconds(usage.ru_stime) * 1e6 / (double)sessions);
    site_free(site);
    return 0;
}
