/* What the journal costs a gate for each session: a typical session's 27 events are encoded and handed to a
 * real writer, which writes them to files in a folder. Prints microseconds of the adding thread's processor
 * time a session, and octets a session.
 *
 * usage: bench-journal [SESSIONS [FOLDER]] */
#include "core/event.h"
#include "journal/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct bench {
    struct journal_writer *writer;
    struct buf buf;
    struct event_stamp stamp;
    struct journal_mark mark;
    double encode; /* seconds */
    size_t lost;
};

/* A step of the session machine ends: its events go to the journal in one piece. */
static void step(struct bench *bench)
{
    bench->lost += journal_writer_add(bench->writer, buf_slice(&bench->buf), &bench->mark);
    buf_clear(&bench->buf);
}

static void command(struct bench *bench, struct slice line, struct slice reply, uint64_t number)
{
    struct buf *buf = &bench->buf;
    const struct event_stamp *stamp = &bench->stamp;
    event_add_octets_received(buf, stamp, &(struct event_octets_received){.count = line.len + 2, .at = 300});
    event_add_line_received(buf, stamp,
                            &(struct event_line_received){.text = line, .octets = line.len + 2, .at = 300});
    event_add_state_changed(buf, stamp, &(struct event_state_changed){.from = 2, .to = 3});
    event_add_reply_sent(buf, stamp,
                         &(struct event_reply_sent){.number = number, .code = 250, .text = reply});
    step(bench);
}

static void content(struct bench *bench)
{
    struct buf *buf = &bench->buf;
    const struct event_stamp *stamp = &bench->stamp;
    event_add_octets_received(buf, stamp, &(struct event_octets_received){.count = 4300, .at = 400});
    event_add_message_received(
        buf, stamp,
        &(struct event_message_received){
            .transaction = 1,
            .octets = 4300,
            .digest = SLICE("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            .message_id = SLICE("<20261121101500.12345@mail.example.org>"),
            .subject = SLICE("What we spoke of yesterday"),
            .headers = 9,
            .header_octets = 620,
            .header_kinds = SLICE("abcdfm3w2"),
            .date = SLICE("Sat, 21 Nov 2026 10:15:00 +0000")});
    event_add_octets_taken(
        buf, stamp, &(struct event_octets_taken){.count = 4303, .what = 1, .content = 4300, .at = 400});
    event_add_session_moved(buf, stamp, &(struct event_session_moved){.what = 6, .at = 412});
    event_add_message_stored(
        buf, stamp,
        &(struct event_message_stored){
            .transaction = 1, .queue_id = SLICE("6ckx2v80q0005-1"), .octets = 4500, .took_ms = 12});
    event_add_reply_sent(
        buf, stamp,
        &(struct event_reply_sent){.number = 102,
                                   .code = 250,
                                   .text = SLICE("250 2.0.0 6ckx2v80q0005 message accepted for delivery")});
    step(bench);
}

static void session(struct bench *bench, uint64_t number, int64_t unix_us)
{
    struct address peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000};
    struct buf *buf = &bench->buf;
    bench->stamp = (struct event_stamp){
        .session = event_id_make(unix_us / 1000, 0, (unsigned)number), .unix_us = unix_us, .unsealed = true};
    bench->mark = (struct journal_mark){0};
    const struct event_stamp *stamp = &bench->stamp;
    event_add_session_opened(buf, stamp, &(struct event_session_opened){.peer = peer, .sequence = number});
    event_add_reply_sent(buf, stamp,
                         &(struct event_reply_sent){
                             .number = 1, .code = 220, .text = SLICE("220 mx.example.net ESMTP Postern")});
    step(bench);
    command(bench, SLICE("EHLO mail.example.org"),
            SLICE("250-mx.example.net greets mail.example.org\r\n250-PIPELINING\r\n250-SIZE 26214400\r\n"
                  "250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250 DSN"),
            51);
    command(bench, SLICE("MAIL FROM:<alice@example.org> SIZE=4300"), SLICE("250 2.1.0 sender accepted"), 70);
    command(bench, SLICE("RCPT TO:<bob@example.net>"), SLICE("250 2.1.5 recipient accepted"), 80);
    command(bench, SLICE("DATA"), SLICE("354 send the message, end it with a dot on a line of its own"), 100);
    content(bench);
    event_add_line_received(buf, stamp, &(struct event_line_received){.text = SLICE("QUIT"), .octets = 6});
    event_add_session_ended(buf, stamp,
                            &(struct event_session_ended){.peer = peer,
                                                          .ptr = SLICE("mail.example.org"),
                                                          .flags = SLICE("quit"),
                                                          .helo = SLICE("mail.example.org"),
                                                          .accepted = 1,
                                                          .tried = 1,
                                                          .octets_in = 4500,
                                                          .why = 1});
    event_add_state_changed(buf, stamp, &(struct event_state_changed){.from = 3, .to = 11});
    step(bench);
}

static int run(struct bench *bench, uint64_t sessions)
{
    double busy = 0, wall = seconds(CLOCK_MONOTONIC);
    for (uint64_t i = 0; i < sessions;) {
        double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned burst = 0; burst < 500 && i < sessions; burst++, i++)
            session(bench, i + 1, (int64_t)(1763719631000000 + i));
        busy += seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        /* A gate has other work, too: without this the disk, not the adding, would be measured. */
        journal_writer_flush(bench->writer, 10000);
    }
    wall = seconds(CLOCK_MONOTONIC) - wall;
    struct journal_counts counts;
    journal_writer_counts(bench->writer, &counts);
    printf("%.2f us a session on the adding thread, %.0f octets and %.1f records a session, %zu lost, %.0f "
           "sessions/s\n",
           busy * 1e6 / (double)sessions, (double)counts.octets / (double)sessions,
           (double)counts.records / (double)sessions, bench->lost, (double)sessions / wall);
    return bench->lost ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct error error = {0};
    long sessions = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
    struct journal_writer_settings settings = {
        .folder = slice_text(argc > 2 ? argv[2] : "bench-journal"),
        .role = SLICE("gate"),
        .version = SLICE("bench"),
        .segment_octets = 64 << 20,
        .buffer_octets = 16 << 20,
    };
    if (sessions < 1 || journal_writer_open(&settings, &bench.writer, &error) < 0) {
        fprintf(stderr, "bench-journal: %s\n", sessions < 1 ? "SESSIONS is a number above 0" : error.text);
        return 1;
    }
    buf_init(&bench.buf, 1 << 20);
    int status = run(&bench, (uint64_t)sessions);
    journal_writer_close(bench.writer);
    buf_drop(&bench.buf);
    return status;
}
