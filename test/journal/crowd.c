#include "crowd.h"

#include "base/memory.h"
#include "base/random.h"
#include "core/finding.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum phase { PHASE_OPEN, PHASE_HELO, PHASE_MAIL, PHASE_RCPT, PHASE_DATA, PHASE_END };

struct slot {
    struct crowd_session session;
    struct journal_mark mark;
    enum phase phase;
    bool silent, accepted;
};

struct crowd {
    struct crowd_settings settings;
    struct journal_writer *writers[CROWD_GATES];
    struct slot *slots; /* gates * open */
    size_t slot_count, turn;
    struct random random;
    struct buf buf;
    uint64_t begun, ended, steps, lost;
    unsigned counter;
    int64_t now_us;
};

#define STEPS 5 /* of a session, about */

/* The rule that few come often: the cube of an even number. */
static uint64_t seldom(struct random *random, uint64_t limit)
{
    uint64_t even = random_below(random, 1 << 20);
    return (uint64_t)((double)even * (double)even * (double)even / (double)(UINT64_C(1) << 60) *
                      (double)limit);
}

static uint64_t mixed(uint64_t value)
{
    struct random random = {value};
    return random_next(&random);
}

/* --- who comes ----------------------------------------------------------------------------------------- */

static void host_make(struct crowd *crowd, struct slot *slot)
{
    struct crowd_session *session = &slot->session;
    uint64_t host = seldom(&crowd->random, crowd->settings.hosts), h = mixed(host);
    uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8};
    if (host % 8 == 7) {
        memcpy(octets + 4, &h, 8);
        session->peer = address_from_octets(ADDRESS_IPV6, octets, 40000);
    } else {
        uint8_t four[4] = {198, (uint8_t)(18 + (host >> 16) % 2), (uint8_t)(host >> 8), (uint8_t)host};
        session->peer = address_from_octets(ADDRESS_IPV4, four, 40000);
    }
    session->ptr[0] = '\0';
    if (h % 10 < 3)
        snprintf(session->ptr, sizeof session->ptr, "mail.firm-%u.example", (unsigned)(host % 20000));
    else if (h % 10 < 8)
        snprintf(session->ptr, sizeof session->ptr, "host-%u-%u.dyn.isp-%u.example", (unsigned)(host >> 8),
                 (unsigned)(host & 255), (unsigned)(h >> 8 & 63));
    if (h % 10 < 3)
        snprintf(session->helo, sizeof session->helo, "%s", session->ptr);
    else
        snprintf(session->helo, sizeof session->helo, "desk-%u.example.org",
                 (unsigned)random_below(&crowd->random, 4000));
}

static void finding_add(struct crowd_session *session, unsigned finding)
{
    session->findings[session->finding_count++] = finding;
}

/* The good ones have names that are true; of the others most are refused. */
static void fate_make(struct crowd *crowd, struct slot *slot)
{
    struct crowd_session *session = &slot->session;
    bool good = session->ptr[0] == 'm';
    unsigned chance = (unsigned)random_below(&crowd->random, 100);
    slot->silent = !good && chance < 15;
    slot->accepted = good ? chance < 90 : chance > 90;
    if (!session->ptr[0])
        finding_add(session, FIND_NO_PTR);
    else if (!good)
        finding_add(session, FIND_PTR_GENERIC);
    if (!good && chance < 70)
        finding_add(session, FIND_LISTED);
    if (!good && !slot->silent)
        finding_add(session, FIND_HELO_UNVERIFIED);
    if (slot->silent && chance < 8)
        finding_add(session, FIND_EARLY_TALK);
    if (slot->silent)
        session->verdict = chance < 8 ? ACTION_DROP : ACTION_NONE;
    else if (!slot->accepted)
        session->verdict = chance % 5 == 0 ? ACTION_DEFER : ACTION_REJECT;
    session->reply = session->verdict == ACTION_NONE ? 0 : 60 + chance % 12;
}

static void envelope_make(struct crowd *crowd, struct slot *slot)
{
    struct crowd_session *session = &slot->session;
    struct random *random = &crowd->random;
    uint64_t user = seldom(random, 400000);
    snprintf(session->sender, sizeof session->sender, "person-%u@firm-%u.example", (unsigned)user,
             (unsigned)(mixed(user) % 30000));
    if (random_below(random, 20) == 0)
        session->sender[0] = '\0';
    session->recipient_count = random_below(random, 10) ? 1 : 2;
    for (unsigned i = 0; i < session->recipient_count; i++)
        snprintf(session->recipients[i], sizeof session->recipients[i], "user-%u@house-%u.example.net",
                 (unsigned)seldom(random, 5000), (unsigned)random_below(random, 5));
}

static void session_make(struct crowd *crowd, struct slot *slot, unsigned gate)
{
    memset(slot, 0, sizeof *slot);
    slot->session.gate = gate;
    slot->session.id = event_id_make(crowd->now_us / 1000, gate, ++crowd->counter);
    host_make(crowd, slot);
    fate_make(crowd, slot);
    envelope_make(crowd, slot);
    crowd->begun++;
}

/* --- what is recorded ---------------------------------------------------------------------------------- */

#define TELL(crowd, slot, name, ...)                                                                         \
    event_add_##name(&(crowd)->buf,                                                                          \
                     &(struct event_stamp){.session = (slot)->session.id, .unix_us = (crowd)->now_us},       \
                     &(struct event_##name){__VA_ARGS__})

static void tell_command(struct crowd *crowd, struct slot *slot, const char *line, uint64_t number,
                         uint64_t code, const char *reply)
{
    struct slice text = slice_text(line);
    TELL(crowd, slot, octets_received, .count = text.len + 2);
    TELL(crowd, slot, line_received, .text = text, .waited_ms = 40, .octets = text.len + 2);
    TELL(crowd, slot, reply_sent, .number = number, .code = code, .text = slice_text(reply));
}

static void tell_open(struct crowd *crowd, struct slot *slot)
{
    const struct crowd_session *session = &slot->session;
    char address[ADDRESS_TEXT_SIZE], key[128];
    address_print(&session->peer, address);
    snprintf(key, sizeof key, "%s zen.list.example", address);
    TELL(crowd, slot, session_opened, .peer = session->peer, .sequence = crowd->begun, .slots_used = 9,
         .slots_max = 10000, .host_used = 1,
         .fingerprint = SLICE("4:52+12:0:1460:mss*20,10:mss,sok,ts:df:0"));
    TELL(crowd, slot, question_asked, .kind = 7, .key = slice_text(address));
    TELL(crowd, slot, question_asked, .kind = 8, .key = slice_text(key));
    TELL(crowd, slot, question_answered, .kind = 7, .key = slice_text(address),
         .status = session->ptr[0] ? 1 : 2, .value = slice_text(session->ptr), .took_ms = 3);
    TELL(crowd, slot, question_answered, .kind = 8, .key = slice_text(key), .status = 2, .took_ms = 9);
    for (unsigned i = 0; i < session->finding_count; i++)
        TELL(crowd, slot, finding, .finding = session->findings[i], .mode = 2, .weight = 2,
             .evidence = slice_text(key));
    TELL(crowd, slot, reply_sent, .number = 1, .code = 220,
         .text = SLICE("220-mx.example.net ESMTP\r\n220 unwanted mail is refused here"));
}

static void tell_rcpt(struct crowd *crowd, struct slot *slot)
{
    const struct crowd_session *session = &slot->session;
    char line[160], reply[200];
    TELL(crowd, slot, verdict, .stage = 4, .verdict = session->verdict, .sum = slot->accepted ? 1 : 10,
         .reason = SLICE("the sum of the weights"), .threshold = 10, .parts = SLICE("listed 6, no-ptr 2"));
    for (unsigned i = 0; i < session->recipient_count; i++) {
        bool good = !session->reply;
        snprintf(line, sizeof line, "RCPT TO:<%s>", session->recipients[i]);
        snprintf(reply, sizeof reply, "%u 5.7.1 not now, see #%u", good ? 250 : 550, session->reply);
        TELL(crowd, slot, recipient_judged, .transaction = 1, .recipient = slice_text(session->recipients[i]),
             .code = good ? 250 : 550, .number = good ? 80 : session->reply, .route = SLICE("example.net"));
        tell_command(crowd, slot, line, good ? 80 : session->reply, good ? 250 : 550, reply);
    }
}

static void tell_data(struct crowd *crowd, struct slot *slot)
{
    char digest[65], id[64];
    for (unsigned i = 0; i < 4; i++)
        snprintf(digest + 16 * i, sizeof digest - 16 * i, "%016llx",
                 (unsigned long long)random_next(&crowd->random));
    snprintf(id, sizeof id, "<%llx@firm.example>", (unsigned long long)random_next(&crowd->random));
    tell_command(crowd, slot, "DATA", 100, 354,
                 "354 send the message, end it with a dot on a line of its own");
    TELL(crowd, slot, message_received, .transaction = 1, .octets = 4300, .digest = slice_text(digest),
         .message_id = slice_text(id), .subject = SLICE("What we spoke of yesterday"), .headers = 9);
    TELL(crowd, slot, message_stored, .transaction = 1, .queue_id = SLICE("6ckx2v80q0005.1"), .octets = 4500,
         .took_ms = 12);
    TELL(crowd, slot, reply_sent, .number = 102, .code = 250,
         .text = SLICE("250 2.0.0 6ckx2v80q0005 message accepted for delivery"));
}

static void tell_end(struct crowd *crowd, struct slot *slot)
{
    const struct crowd_session *session = &slot->session;
    if (slot->silent)
        TELL(crowd, slot, verdict, .stage = 1, .verdict = session->verdict, .sum = 10,
             .reason = SLICE("it spoke before the banner"));
    if (slot->silent && session->reply)
        TELL(crowd, slot, reply_sent, .number = session->reply, .code = 554,
             .text = SLICE("554 5.7.1 you spoke too early"));
    TELL(crowd, slot, session_ended, .peer = session->peer, .ptr = slice_text(session->ptr),
         .flags = SLICE("listed,no-ptr,quit"), .helo = slot->silent ? SLICE_NONE : slice_text(session->helo),
         .accepted = slot->accepted, .tried = !slot->silent, .octets_in = 320, .octets_out = 600,
         .negative = session->reply ? 1 : 0, .took_ms = 2100, .why = 1,
         .fingerprint = SLICE("4:52+12:0:1460:mss*20,10:mss,sok,ts:df:0"));
    TELL(crowd, slot, told, .verb = 4, .key = SLICE("seen:198.18.0.0/24"), .value = SLICE("x"),
         .expires_ms = (uint64_t)crowd->now_us / 1000 + 86400000);
}

static void tell(struct crowd *crowd, struct slot *slot)
{
    char line[160];
    switch (slot->phase) {
    case PHASE_OPEN: tell_open(crowd, slot); break;
    case PHASE_HELO:
        snprintf(line, sizeof line, "EHLO %s", slot->session.helo);
        tell_command(crowd, slot, line, 51, 250,
                     "250-mx.example.net greets you\r\n250-PIPELINING\r\n250-SIZE 26214400\r\n250 8BITMIME");
        break;
    case PHASE_MAIL:
        snprintf(line, sizeof line, "MAIL FROM:<%s> SIZE=4300", slot->session.sender);
        TELL(crowd, slot, mail_started, .transaction = 1, .sender = slice_text(slot->session.sender),
             .size = 4300, .parameters = SLICE("SIZE=4300"));
        tell_command(crowd, slot, line, 70, 250, "250 2.1.0 sender accepted");
        break;
    case PHASE_RCPT: tell_rcpt(crowd, slot); break;
    case PHASE_DATA: tell_data(crowd, slot); break;
    case PHASE_END: tell_end(crowd, slot); break;
    }
}

static enum phase phase_after(const struct slot *slot)
{
    if (slot->phase == PHASE_OPEN && slot->silent)
        return PHASE_END;
    if (slot->phase == PHASE_RCPT && (slot->session.reply || !slot->accepted))
        return PHASE_END;
    return slot->phase + 1;
}

/* --- the run ------------------------------------------------------------------------------------------- */

static int writer_open(struct crowd *crowd, unsigned gate, struct error *error)
{
    const struct crowd_settings *settings = &crowd->settings;
    struct journal_writer_settings writer = {.folder = slice_text(settings->folder),
                                             .role = SLICE("gate"),
                                             .number = gate,
                                             .version = SLICE("0.1.0"),
                                             .configuration = SLICE("00ff"),
                                             .segment_octets = settings->segment_octets,
                                             .buffer_octets = 64 << 20};
    struct event_stamp stamp = {.unix_us = crowd->now_us};
    if (journal_writer_open(&writer, &crowd->writers[gate], error) < 0)
        return -1;
    event_add_process_started(&crowd->buf, &stamp, &(struct event_process_started){.role = SLICE("gate")});
    journal_writer_add(crowd->writers[gate], buf_slice(&crowd->buf), NULL);
    buf_clear(&crowd->buf);
    return 0;
}

int crowd_open(const struct crowd_settings *settings, struct crowd **ret_crowd, struct error *error)
{
    struct crowd *crowd = memory_take(sizeof *crowd);
    assert(settings->gates && settings->gates <= CROWD_GATES && settings->open);
    crowd->settings = *settings;
    crowd->random.state = settings->seed;
    crowd->now_us = settings->begin_us;
    crowd->slot_count = (size_t)settings->gates * settings->open;
    crowd->slots = memory_take(crowd->slot_count * sizeof *crowd->slots);
    buf_init(&crowd->buf, 1 << 20);
    *ret_crowd = crowd;
    for (unsigned gate = 0; gate < settings->gates; gate++) {
        if (writer_open(crowd, gate, error) == 0)
            continue;
        crowd_close(crowd);
        return -1;
    }
    return 0;
}

bool crowd_is_over(const struct crowd *crowd)
{
    return crowd->ended == crowd->settings.sessions;
}

static void time_pass(struct crowd *crowd)
{
    double part = (double)++crowd->steps / (double)(crowd->settings.sessions * STEPS);
    int64_t us = crowd->settings.begin_us + (int64_t)(part * (double)crowd->settings.span_us);
    if (us > crowd->now_us)
        crowd->now_us = us;
}

bool crowd_step(struct crowd *crowd, struct crowd_session *ret_session)
{
    for (size_t tries = 0; tries < crowd->slot_count; tries++) {
        size_t index = crowd->turn++ % crowd->slot_count;
        struct slot *slot = &crowd->slots[index];
        unsigned gate = (unsigned)(index % crowd->settings.gates);
        if (!slot->session.id && crowd->begun == crowd->settings.sessions)
            continue;
        time_pass(crowd);
        if (!slot->session.id)
            session_make(crowd, slot, gate);
        tell(crowd, slot);
        crowd->lost += journal_writer_add(crowd->writers[gate], buf_slice(&crowd->buf), &slot->mark);
        buf_clear(&crowd->buf);
        if (slot->phase != PHASE_END) {
            slot->phase = phase_after(slot);
            return false;
        }
        slot->session.ended_us = crowd->now_us;
        if (slot->silent)
            slot->session.helo[0] = '\0';
        *ret_session = slot->session;
        slot->session.id = 0;
        crowd->ended++;
        return true;
    }
    return false;
}

int crowd_crash(struct crowd *crowd, unsigned gate, struct error *error)
{
    for (size_t i = gate; i < crowd->slot_count; i += crowd->settings.gates) {
        crowd->begun -= crowd->slots[i].session.id != 0; /* others come instead */
        crowd->slots[i].session.id = 0;
        crowd->slots[i].mark = (struct journal_mark){0};
    }
    journal_writer_close(crowd->writers[gate]);
    crowd->writers[gate] = NULL;
    return writer_open(crowd, gate, error);
}

uint64_t crowd_lost(const struct crowd *crowd)
{
    return crowd->lost;
}

void crowd_flush(struct crowd *crowd, uint64_t wait_ms)
{
    for (unsigned gate = 0; gate < crowd->settings.gates; gate++)
        if (crowd->writers[gate])
            journal_writer_flush(crowd->writers[gate], wait_ms);
}

void crowd_close(struct crowd *crowd)
{
    for (unsigned gate = 0; gate < crowd->settings.gates; gate++)
        journal_writer_close(crowd->writers[gate]);
    memory_give(crowd->slots, crowd->slot_count * sizeof *crowd->slots);
    buf_drop(&crowd->buf);
    memory_give(crowd, sizeof *crowd);
}
