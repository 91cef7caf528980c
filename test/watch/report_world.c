#include "report_world.h"

#include "core/ask.h"
#include "core/finding.h"
#include "unit.h"

#define OWNER_TABS "\t\t\t" /* neither netblock nor country: a name alone */

struct session {
    struct buf records;
    struct event_stamp stamp;
};

#define ADD(session, name, ...)                                                                              \
    assert_true(event_add_##name(&(session)->records, &(session)->stamp, &(struct event_##name){__VA_ARGS__}))

static struct address address(const char *text, unsigned port)
{
    struct address parsed;

    assert_true(address_parse(slice_text(text), &parsed));
    parsed.port = (uint16_t)port;
    return parsed;
}

static void begin(struct session *session, int64_t unix_ms, unsigned number)
{
    *session = (struct session){
        .stamp = {.session = event_id_make(unix_ms, 0, number), .unix_us = unix_ms * 1000}};
    buf_init(&session->records, 1u << 20);
}

static void end(struct world *world, struct session *session)
{
    struct history *history = &world->histories[world->count++];

    history_init(history, session->stamp.session);
    history_add(history, buf_slice(&session->records));
    assert_true(report_case_add(world->of, history, false) > 0);
    buf_drop(&session->records);
}

static void said(struct session *session, const char *line)
{
    session->stamp.unix_us += 200000;
    ADD(session, line_received, .text = slice_text(line));
}

static void answered(struct session *session, unsigned code, const char *text)
{
    ADD(session, reply_sent, .code = code, .text = slice_text(text));
}

static void refused(struct session *session, unsigned number, unsigned code, unsigned answers,
                    const char *text)
{
    ADD(session, reply_sent, .number = number, .code = code, .answers = answers, .text = slice_text(text));
}

void world_begin(struct world *world)
{
    *world = (struct world){.of = report_case_new(0)};
}

void world_end(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        history_drop(&world->histories[i]);
    report_case_free(world->of);
}

/* --- seed 000 ------------------------------------------------------------------------------------------ */

void world_seed_000(struct world *world)
{
    static const char *const bogus[] = {
        "POST / HTTP/1.0",     "Content-Type: text/plain",     "Content-Length: 1111",
        "Host: mx.yang.id.au", "X-Forwarded-For: 203.0.113.9", "Connection: Keep-Alive"};
    const struct address peer = address("198.51.100.66", 3128);
    struct session session;

    begin(&session, INT64_C(1059000000000), 1);
    ADD(&session, session_opened, .peer = peer);
    ADD(&session, question_answered, .kind = ASK_ORIGIN, .status = ANSWER_FOUND,
        .value = SLICE("AS64500\t198.51.100.0/24\tNZ\tExample Telecom\tNew Zealand"));
    answered(&session, 220, "220 mx.yang.id.au ESMTP Postfix");
    for (size_t i = 0; i < COUNT(bogus); i++) {
        said(&session, bogus[i]);
        answered(&session, 502, "502 Error: command not implemented");
    }
    ADD(&session, finding, .finding = FIND_HTTP_TUNNEL, .mode = MODE_ENFORCE,
        .evidence = SLICE("POST / HTTP/1.0 with SMTP commands in it"));
    said(&session, "HELO yahoo.de");
    answered(&session, 250, "250 mx.yang.id.au");
    said(&session, "MAIL FROM:<someone@hotmail.com>");
    ADD(&session, mail_started, .transaction = 1, .sender = SLICE("someone@hotmail.com"));
    answered(&session, 250, "250 Ok");
    said(&session, "RCPT TO:<joe@yang.id.au>");
    ADD(&session, finding, .finding = FIND_LISTED, .mode = MODE_ENFORCE, .weight = 10,
        .evidence = SLICE("198.51.100.66 is on bl.spamcop.net: Blocked - see "
                          "http://www.spamcop.net/bl.shtml?198.51.100.66"));
    ADD(&session, recipient_judged, .transaction = 1, .recipient = SLICE("joe@yang.id.au"), .code = 554);
    refused(&session, 170, 554, 4,
            "554 Service unavailable; 198.51.100.66 blocked using bl.spamcop.net, reason: Blocked - see "
            "http://www.spamcop.net/bl.shtml?198.51.100.66");
    said(&session, "DATA");
    refused(&session, 0, 554, 5, "554 Error: no valid recipients");
    said(&session, "From: \"eddie\" <another@hotmail.com>");
    answered(&session, 221, "221 Error: I can break rules, too. Goodbye.");
    ADD(&session, session_ended, .peer = peer, .helo = SLICE("yahoo.de"), .why = 3);
    end(world, &session);
}

/* --- seed 003 ------------------------------------------------------------------------------------------ */

struct
try {
    const char *peer, *owner, *ptr;
    int64_t unix_ms;
};

static void attempt(struct world *world, const struct try *try, unsigned number)
{
    const struct address peer = address(try->peer, 40000 + number);
    struct session session;

    begin(&session, try->unix_ms, number);
    ADD(&session, session_opened, .peer = peer);
    ADD(&session, question_answered, .kind = ASK_ORIGIN, .status = ANSWER_FOUND,
        .value = slice_text(try->owner));
    answered(&session, 220, "220 janus.catwhisker.org ESMTP");
    said(&session, "HELO friend");
    answered(&session, 250, "250 janus.catwhisker.org");
    said(&session, "MAIL FROM:<5140ghxc@aci.net>");
    ADD(&session, mail_started, .transaction = 1, .sender = SLICE("5140ghxc@aci.net"));
    answered(&session, 250, "250 2.1.0 Ok");
    said(&session, "RCPT TO:<LENNON@ONLINEROCK.COM>");
    ADD(&session, recipient_judged, .transaction = 1, .recipient = SLICE("LENNON@ONLINEROCK.COM"),
        .code = 250);
    answered(&session, 250, "250 2.1.5 Ok");
    said(&session, "DATA");
    answered(&session, 354, "354 Go ahead");
    ADD(&session, message_received, .transaction = 1, .octets = 1762, .subject = SLICE("just for you"));
    ADD(&session, finding, .finding = FIND_MESSAGE_ID_ABSENT, .mode = MODE_ENFORCE, .weight = 4,
        .evidence = SLICE("the message has no Message-ID"));
    refused(&session, 167, 553, 6, "553 5.6.0 Unidentified messages are not acceptable here");
    ADD(&session, session_ended, .peer = peer, .ptr = slice_text(try->ptr), .helo = SLICE("friend"),
        .why = 1);
    end(world, &session);
}

void world_seed_003(struct world *world)
{
    static const struct try tries[] = {
        {"61.77.232.38", OWNER_TABS "KORNET-XDSL-SEONGNAM (KOREA TELECOM, Korea)", "", 1059009105000},
        {"165.246.189.33", OWNER_TABS "ITIS-NET (Inha University, Korea)", "", 1059009118000},
        {"61.77.232.38", OWNER_TABS "KORNET-XDSL-SEONGNAM (KOREA TELECOM, Korea)", "", 1059009127000},
        {"211.209.23.36", OWNER_TABS "HANANET-CATV-SUNGNAMSO (Hanaro Telecom Inc., Korea)", "",
         1059009138000},
        {"12.237.128.54", OWNER_TABS "ATT (AT&T WorldNet Services)", "12-237-128-54.client.attbi.com",
         1059009147000},
    };

    /* As they are found: the newest first. */
    for (size_t i = COUNT(tries); i > 0; i--)
        attempt(world, &tries[i - 1], (unsigned)i);
}

/* --- reports ------------------------------------------------------------------------------------------- */

struct report world_form(void)
{
    return (struct report){.host = SLICE("janus.catwhisker.org"),
                           .from = SLICE("postmaster@catwhisker.org"),
                           .software = SLICE("Postern/0.1.0"),
                           .now_ms = WORLD_NOW,
                           .id = 0x1234,
                           .chance = 0xabcdef};
}

static struct history *history_of(struct world *world, uint64_t session)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->histories[i].session == session)
            return &world->histories[i];
    fail();
    return NULL;
}

void world_transcripts(struct world *world, struct report *report, struct redaction *redaction,
                       struct arena *arena)
{
    uint64_t sessions[2];
    const size_t count = report_sessions(report, sessions, 2);
    struct report_transcript *transcripts = arena_take(arena, (count + 1) * sizeof *transcripts);

    for (size_t i = 0; i < count; i++) {
        struct history *history = history_of(world, sessions[i]);
        if (redaction)
            redaction_apply(redaction, history);
        transcripts[i] = (struct report_transcript){sessions[i], report_transcript(history, arena)};
    }
    report->transcripts = transcripts;
    report->transcript_count = count;
}
