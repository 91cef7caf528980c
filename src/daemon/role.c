#include "daemon/role.h"

#include <stdio.h>
#include <unistd.h>

void role_folder(const struct worker *worker, const char *name, char ret_folder[ROLE_PATH_SIZE])
{
    snprintf(ret_folder, ROLE_PATH_SIZE, "%.*s/%s", SLICE_ARGS(worker->site->set.state_directory), name);
}

int role_journal_open(const struct worker *worker, struct journal_writer **ret_writer, struct error *error)
{
    const struct site *site = worker->site;
    char folder[ROLE_PATH_SIZE];
    role_folder(worker, "journal", folder);
    struct journal_writer_settings settings = {
        .folder = slice_text(folder),
        .role = slice_text(worker_word(worker->role)),
        .number = worker->slot,
        .version = SLICE(POSTERN_VERSION),
        .configuration = site->digest,
        .segment_octets = site->set.journal_segment,
        .segment_age_ms = site->set.journal_segment_age,
        .buffer_octets = site->set.journal_buffer,
    };
    return journal_writer_open(&settings, ret_writer, error);
}

static void record(struct journal_writer *writer, struct buf *events)
{
    journal_writer_add(writer, buf_slice(events), NULL);
    buf_drop(events);
}

void role_record_start(const struct worker *worker, struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct event_process_started started = {
        .role = slice_text(worker_word(worker->role)),
        .pid = (uint64_t)getpid(),
        .version = SLICE(POSTERN_VERSION),
        .configuration = worker->site->digest,
    };
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_process_started(&events, &stamp, &started);
    record(writer, &events);
}

void role_record_stop(const struct worker *worker, struct journal_writer *writer, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct event_process_stopped stopped = {.role = slice_text(worker_word(worker->role)),
                                            .pid = (uint64_t)getpid()};
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_process_stopped(&events, &stamp, &stopped);
    record(writer, &events);
}

void role_record_trouble(struct journal_writer *writer, const struct event_trouble *trouble, int64_t unix_us)
{
    struct event_stamp stamp = {.unix_us = unix_us};
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_trouble(&events, &stamp, trouble);
    record(writer, &events);
}

struct control *role_control_open(const struct worker *worker, struct loop *loop,
                                  const struct control_handler *handler, struct error *error)
{
    char path[ROLE_PATH_SIZE];
    int len = snprintf(path, sizeof path, "%.*s/%s.sock", SLICE_ARGS(worker->site->set.run_directory),
                       worker_word(worker->role));
    return control_open(loop, slice_of(path, (size_t)len), handler, error);
}
