#include "seed.h"

#include "base/calendar.h"
#include "core/ask.h"
#include "core/machine.h"

#define TELL(seed, name, ...)                                                                                \
    event_add_##name(&(seed)->records, &(seed)->stamp, &(struct event_##name){__VA_ARGS__})

static void at(struct seed *seed, int hour, int minute, int second)
{
    struct calendar when = {
        .year = 2026, .month = 7, .day = 24, .hour = hour, .minute = minute, .second = second};
    seed->stamp.unix_us = calendar_to_unix(&when, 0) * 1000000;
}

static void command(struct seed *seed, struct slice line, uint64_t octets)
{
    TELL(seed, octets_received, .count = octets);
    TELL(seed, line_received, .text = line, .octets = octets);
}

static void tell_greeting(struct seed *seed)
{
    struct address peer = {.family = ADDRESS_IPV4, .octets = {36, 37, 0, 13}, .port = 39891};
    struct address local = {.family = ADDRESS_IPV4, .octets = {209, 31, 44, 214}, .port = 25};
    at(seed, 2, 35, 56);
    TELL(seed, session_opened, .peer = peer, .local = local, .sequence = 750, .slots_used = 9,
         .slots_max = 10, .host_used = 1);
    TELL(seed, reply_sent, .number = 1, .code = 220,
         .text = SLICE("220-Stalker Internet Mail Server V.1.8b3 is ready.\r\n220 ESMTP is spoken here."));
    TELL(seed, state_changed, .to = 22);
    at(seed, 2, 36, 51);
    command(seed, SLICE("HELO Made-Up-Name-desk98"), 26);
    TELL(seed, state_changed, .from = 22, .to = 21);
    TELL(seed, question_asked, .kind = ASK_ADDRESS4, .key = SLICE("made-up-name-desk98"));
    at(seed, 2, 36, 52);
    TELL(seed, question_answered, .kind = ASK_ADDRESS4, .key = SLICE("made-up-name-desk98"),
         .status = ANSWER_NONE, .took_ms = 1000);
    TELL(seed, finding, .finding = FIND_HELO_UNVERIFIED, .mode = MODE_ENFORCE, .weight = 1,
         .evidence = SLICE("\"Made-Up-Name-desk98\" has no address"));
    TELL(seed, reply_sent, .number = 161, .code = 250,
         .text = SLICE("250 209.31.44.214 cannot verify Made-Up-Name-desk98"));
    TELL(seed, state_changed, .from = 21, .to = 22);
}

static void tell_envelope(struct seed *seed)
{
    at(seed, 2, 37, 45);
    command(seed, SLICE("MAIL FROM:<Made-Up-Name-emailplus@321media.com> "), 50);
    TELL(seed, mail_started, .transaction = 1, .sender = SLICE("Made-Up-Name-emailplus@321media.com"));
    TELL(seed, reply_sent, .number = 70, .code = 250,
         .text = SLICE("250 <Made-Up-Name-emailplus@321media.com> sender accepted"));
    TELL(seed, state_changed, .from = 22, .to = 23);
    at(seed, 2, 37, 56);
    command(seed, SLICE("RCPT TO: <recipes@hypertouch.com> "), 36);
    TELL(seed, recipient_judged, .transaction = 1, .recipient = SLICE("recipes@hypertouch.com"), .code = 250,
         .number = 80, .route = SLICE("hypertouch.com"));
    TELL(seed, reply_sent, .number = 80, .code = 250,
         .text = SLICE("250 <recipes@hypertouch.com> recipient accepted"));
    at(seed, 2, 38, 7);
    command(seed, SLICE("DATA"), 6);
    TELL(seed, reply_sent, .number = 100, .code = 354,
         .text = SLICE("354 Enter mail, end with \".\" on a line by itself"));
    TELL(seed, state_changed, .from = 23, .to = 27);
}

static void tell_message(struct seed *seed)
{
    static const struct slice id = {"S.0000014938", 12};
    at(seed, 2, 38, 24);
    TELL(seed, octets_received, .count = 53);
    TELL(seed, octets_received, .count = 914);
    at(seed, 2, 38, 26);
    TELL(seed, octets_received, .count = 35);
    at(seed, 2, 38, 28);
    TELL(seed, octets_received, .count = 3);
    TELL(seed, message_received, .transaction = 1, .octets = 1285, .headers = 7,
         .message_id = SLICE("<419.436278.39703056-Made-Up-Number-emailplus@321media.com>"),
         .digest = SLICE("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    TELL(seed, state_changed, .from = 27, .to = 28);
    TELL(seed, message_stored, .transaction = 1, .queue_id = id, .octets = 1285, .took_ms = 4);
    TELL(seed, reply_sent, .number = 102, .code = 250,
         .text = SLICE("250 S.0000014938 message accepted for delivery"));
    TELL(seed, state_changed, .from = 28, .to = 22);
    TELL(seed, message_queued, .queue_id = id, .octets = 1285, .recipients = 1,
         .sender = SLICE("Made-Up-Name-emailplus@321media.com"),
         .message_id = SLICE("<419.436278.39703056-Made-Up-Number-emailplus@321media.com>"));
    TELL(seed, delivered, .queue_id = id, .recipient = SLICE("recipes@hypertouch.com"),
         .target = SLICE("joepublic"), .by = SLICE("maildir"), .waited_ms = 30);
    TELL(seed, message_removed, .queue_id = id, .why = SLICE("delivered"));
}

static void tell_ending(struct seed *seed)
{
    struct address peer = {.family = ADDRESS_IPV4, .octets = {36, 37, 0, 13}, .port = 39891};
    at(seed, 2, 38, 38);
    command(seed, SLICE("quit"), 6);
    TELL(seed, state_changed, .from = 22, .to = 29);
    TELL(seed, reply_sent, .number = 2, .code = 221, .text = SLICE("221 209.31.44.214 closing connection"));
    TELL(seed, session_ended, .peer = peer, .flags = SLICE("quit"), .helo = SLICE("Made-Up-Name-desk98"),
         .accepted = 1, .tried = 1, .octets_in = 1129, .octets_out = 400, .took_ms = 162000, .why = END_QUIT);
    TELL(seed, state_changed, .from = 29, .to = 2);
}

void seed_tell(struct seed *seed)
{
    *seed = (struct seed){.stamp = {.session = event_id_make(SEED_START_MS, 0, 750)}};
    buf_init(&seed->records, 1 << 20);
    tell_greeting(seed);
    tell_envelope(seed);
    tell_message(seed);
    tell_ending(seed);
}
