/* Writes a journal for the tests of the command line: the session of seed 001, one with a refused recipient,
 * one of junk, one whose message waited in the queue, and one that is not over; each an hour after the one
 * before. usage: sample FOLDER */
#include "core/finding.h"
#include "core/machine.h"
#include "journal/writer.h"
#include "seed.h"

#include <stdio.h>

#define HOUR_MS INT64_C(3600000)

struct sample {
    struct journal_writer *writers[2]; /* gates */
    struct journal_writer *courier;
    struct seed at; /* of the session at hand */
    struct journal_mark mark;
};

#define TELL(sample, name, ...)                                                                              \
    event_add_##name(&(sample)->at.records, &(sample)->at.stamp, &(struct event_##name){__VA_ARGS__})

static struct journal_writer *writer_open(const char *folder, const char *role, unsigned number)
{
    struct journal_writer_settings settings = {.folder = slice_text(folder),
                                               .role = slice_text(role),
                                               .number = number,
                                               .version = SLICE("0.1.0"),
                                               .configuration = SLICE("00ff00ff00ff00ff"),
                                               .segment_octets = 1 << 20};
    struct journal_writer *writer = NULL;
    struct error error = {0};
    if (journal_writer_open(&settings, &writer, &error) < 0)
        fprintf(stderr, "%s\n", error.text);
    return writer;
}

static void session_begin(struct sample *sample, unsigned gate, int hours, struct slice peer_text)
{
    struct address peer = {0};
    int64_t ms = SEED_START_MS + hours * HOUR_MS;
    address_parse(peer_text, &peer);
    peer.port = 40000;
    sample->at.stamp = (struct event_stamp){.session = event_id_make(ms, gate, 7), .unix_us = ms * 1000};
    sample->mark = (struct journal_mark){0};
    TELL(sample, session_opened, .peer = peer, .sequence = 1, .slots_used = 1, .slots_max = 10);
}

static void session_write(struct sample *sample, unsigned gate)
{
    journal_writer_add(sample->writers[gate], buf_slice(&sample->at.records), &sample->mark);
    buf_clear(&sample->at.records);
}

static void dialogue(struct sample *sample, struct slice line, uint64_t number, uint64_t code,
                     struct slice reply)
{
    sample->at.stamp.unix_us += 1000000;
    TELL(sample, line_received, .text = line, .octets = line.len + 2);
    TELL(sample, reply_sent, .number = number, .code = code, .text = reply);
}

static void refused_recipient(struct sample *sample)
{
    struct address peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000};
    session_begin(sample, 1, 1, SLICE("192.0.2.7"));
    dialogue(sample, SLICE("EHLO mail.example.org"), 51, 250,
             SLICE("250 mx.example.net greets mail.example.org"));
    dialogue(sample, SLICE("MAIL FROM:<Alice@example.org>"), 70, 250, SLICE("250 2.1.0 sender accepted"));
    TELL(sample, mail_started, .transaction = 1, .sender = SLICE("Alice@example.org"));
    TELL(sample, finding, .finding = FIND_UNKNOWN_RECIPIENT, .evidence = SLICE("no mailbox"), .mode = 2);
    TELL(sample, verdict, .stage = STAGE_RCPT, .verdict = ACTION_REJECT, .finding = FIND_UNKNOWN_RECIPIENT,
         .reason = SLICE("there is no mailbox nobody@example.net"));
    dialogue(sample, SLICE("RCPT TO:<nobody@example.net>"), 82, 550,
             SLICE("550 5.1.1 there is no <nobody@example.net> here #82 (x)"));
    TELL(sample, recipient_judged, .transaction = 1, .recipient = SLICE("nobody@example.net"), .code = 550,
         .number = 82);
    TELL(sample, session_ended, .peer = peer, .ptr = SLICE("mail.example.org"),
         .flags = SLICE("unknown-recipient,quit"), .helo = SLICE("mail.example.org"), .tried = 1,
         .octets_in = 99, .negative = 1, .took_ms = 3500, .why = END_QUIT);
    TELL(sample, state_changed, .from = STATE_MAIL, .to = STATE_CLOSED);
    session_write(sample, 1);
}

static void junk(struct sample *sample)
{
    struct address peer = {.family = ADDRESS_IPV4, .octets = {198, 51, 100, 9}, .port = 40000};
    session_begin(sample, 1, 2, SLICE("198.51.100.9"));
    dialogue(sample, SLICE("POST / HTTP/1.0 \x1b[2J"), 20, 500, SLICE("500 5.5.2 command not recognised"));
    TELL(sample, finding, .finding = FIND_JUNK, .evidence = SLICE("words that are no SMTP"), .mode = 2);
    TELL(sample, verdict, .stage = STAGE_HELO, .verdict = ACTION_DROP, .finding = FIND_JUNK);
    dialogue(sample, SLICE("Host: x"), 10, 421, SLICE("421 4.7.0 mx.example.net this is an SMTP server"));
    TELL(sample, session_ended, .peer = peer, .flags = SLICE("junk"), .negative = 2, .octets_in = 40,
         .took_ms = 120, .why = END_BY_US);
    session_write(sample, 1);
}

static void waiting_message(struct sample *sample)
{
    struct address peer = {.family = ADDRESS_IPV6, .octets = {0x20, 1, 0x0d, 0xb8, [15] = 5}, .port = 40000};
    char id[EVENT_ID_SIZE], queue_id[EVENT_ID_SIZE + 2];
    session_begin(sample, 0, 3, SLICE("2001:db8::5"));
    event_id_print(sample->at.stamp.session, id);
    snprintf(queue_id, sizeof queue_id, "%s.1", id);
    struct slice name = slice_text(queue_id);
    dialogue(sample, SLICE("EHLO six.example.org"), 51, 250, SLICE("250 mx.example.net"));
    TELL(sample, mail_started, .transaction = 1, .sender = SLICE_NONE);
    TELL(sample, recipient_judged, .transaction = 1, .recipient = SLICE("joe@example.net"), .code = 250);
    TELL(sample, recipient_judged, .transaction = 1, .recipient = SLICE("jill@example.net"), .code = 250);
    TELL(sample, message_received, .transaction = 1, .octets = 4300, .headers = 5);
    TELL(sample, message_stored, .transaction = 1, .queue_id = name, .octets = 4400);
    TELL(sample, session_ended, .peer = peer, .helo = SLICE("six.example.org"), .accepted = 1, .tried = 1,
         .octets_in = 4444, .took_ms = 800, .why = END_CLIENT_CLOSED);
    session_write(sample, 0);
    TELL(sample, delivered, .queue_id = name, .recipient = SLICE("joe@example.net"), .target = SLICE("joe"),
         .by = SLICE("maildir"));
    TELL(sample, delivery_deferred, .queue_id = name, .recipient = SLICE("jill@example.net"),
         .target = SLICE("inner.example"), .reason = SLICE("connection refused"), .attempts = 1);
    journal_writer_add(sample->courier, buf_slice(&sample->at.records), NULL);
    buf_clear(&sample->at.records);
}

static void not_over(struct sample *sample)
{
    session_begin(sample, 0, 4, SLICE("203.0.113.4"));
    dialogue(sample, SLICE("EHLO open.example.org"), 51, 250, SLICE("250 mx.example.net"));
    session_write(sample, 0);
}

int main(int argc, char **argv)
{
    struct sample sample = {0};
    if (argc != 2)
        return 64;
    sample.writers[0] = writer_open(argv[1], "gate", 0);
    sample.writers[1] = writer_open(argv[1], "gate", 1);
    sample.courier = writer_open(argv[1], "courier", 0);
    if (!sample.writers[0] || !sample.writers[1] || !sample.courier)
        return 1;
    seed_tell(&sample.at);
    session_write(&sample, 0);
    refused_recipient(&sample);
    junk(&sample);
    waiting_message(&sample);
    not_over(&sample);
    buf_drop(&sample.at.records);
    journal_writer_close(sample.writers[0]);
    journal_writer_close(sample.writers[1]);
    journal_writer_close(sample.courier);
    return 0;
}
