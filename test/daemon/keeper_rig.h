/* The keeper as a child of the test, and the folder that it works in. */
#ifndef KEEPER_RIG_H
#define KEEPER_RIG_H

#include "core/event.h"
#include "daemon/keeper.h"
#include "io/store.h"
#include "journal/writer.h"
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS INT64_C(1784860556000)

struct world {
    char folder[64];
    char state[80], run[80], log[80], journal[96], store[96];
    struct site *site;
    struct journal_writer *writer; /* gate-0 */
    pid_t keeper;
    int channel;
};

static inline int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void world_open(struct world *world, const char *folder)
{
    *world = (struct world){.channel = -1};
    snprintf(world->folder, sizeof world->folder, "%s", folder);
    snprintf(world->state, sizeof world->state, "%s/state", world->folder);
    snprintf(world->run, sizeof world->run, "%s/run", world->folder);
    snprintf(world->log, sizeof world->log, "%s/mail.log", world->folder);
    snprintf(world->journal, sizeof world->journal, "%s/journal", world->state);
    snprintf(world->store, sizeof world->store, "%s/store", world->state);
    world->site = site_new();
    struct settings *set = &world->site->set;
    set->state_directory = slice_text(world->state);
    set->run_directory = slice_text(world->run);
    set->log_to = LOG_TO_FILE;
    set->log_file = slice_text(world->log);
    set->host_name = SLICE("mx.example.net");
    set->journal_keep = 7 * UINT64_C(86400000);
}

static inline void world_make(struct world *world)
{
    char folder[FOLDER_SIZE];
    assert_int_equal(folder_new(folder, "keeper"), 0);
    world_open(world, folder);
    assert_int_equal(mkdir(world->state, 0700), 0);
    assert_int_equal(mkdir(world->run, 0700), 0);
}

static inline void world_drop(struct world *world)
{
    journal_writer_close(world->writer);
    site_free(world->site);
    nftw(world->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void writer_begin(struct world *world)
{
    struct journal_writer_settings settings = {.folder = slice_text(world->journal),
                                               .role = SLICE("gate"),
                                               .version = SLICE("0.1.0"),
                                               .segment_octets = 1 << 20};
    assert_int_equal(journal_writer_open(&settings, &world->writer, NULL), 0);
}

/* --- the keeper as a child ------------------------------------------------------------------------------ */

static inline int keeper_serve(struct world *world, const char *channel)
{
    struct worker worker = {
        .role = WORKER_KEEPER, .channel = (int)strtol(channel, NULL, 10), .site = world->site};
    int status = keeper_run(&worker);
    site_free(world->site);
    return status;
}

/* This program again: what it is forked from has threads, and must not be gone on with. */
static inline int keeper_main(const char *folder, const char *channel)
{
    struct world world;
    world_open(&world, folder);
    return keeper_serve(&world, channel);
}

static inline void keeper_start(struct world *world)
{
    int channels[2];
    char channel[16];
    struct error error;
    assert_int_equal(worker_channel(channels, &error), 0);
    snprintf(channel, sizeof channel, "%d", channels[1]);
    world->keeper = fork();
    if (world->keeper == 0) {
        fcntl(channels[1], F_SETFD, 0);
        execl("/proc/self/exe", "keeper", world->folder, channel, (char *)NULL);
        _exit(127);
    }
    close(channels[1]);
    world->channel = channels[0];
}

static inline void keeper_kill(struct world *world)
{
    kill(world->keeper, SIGKILL);
    assert_int_equal(waitpid(world->keeper, NULL, 0), world->keeper);
    close(world->channel);
}

/* Told to end, it reads what there is and ends well. */
static inline void keeper_drain(struct world *world)
{
    int status;
    struct error error;
    struct worker_message message = {.kind = WORKER_DRAIN, .value = 10000};
    assert_int_equal(worker_send(world->channel, &message, &error), 0);
    assert_int_equal(waitpid(world->keeper, &status, 0), world->keeper);
    assert_int_equal(status, 0);
    close(world->channel);
}

#define TELL(world, buf, stamp, name, ...) event_add_##name(buf, stamp, &(struct event_##name){__VA_ARGS__})

static inline void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

#endif
