/* A server played by hand against the client machine: what it says goes in whole or octet by octet, what the
 * client sends is compared. Every test runs in both ways. */
#ifndef CLIENT_RIG_H
#define CLIENT_RIG_H

#include "base/memory.h"
#include "core/client.h"
#include "unit.h"

#define RIG_RECIPIENTS 4

struct rig {
    struct client *client;
    struct client_output out;
    struct client_settings settings;
    struct client_job job;
    struct client_recipient recipients[RIG_RECIPIENTS];
    struct recipient given[RIG_RECIPIENTS];
    struct transaction transaction;
    struct buf sent;
    struct slice content; /* what is left of it */
    uint64_t now_ms;
    bool octet_by_octet;
    bool hold_content; /* the test gives it itself */
    bool done, closed, tls_wanted;
    size_t in_use; /* memory before */
};

static inline void rig_note(struct rig *rig)
{
    assert_true(buf_add(&rig->sent, buf_slice(&rig->out.send)));
    buf_clear(&rig->out.send);
    rig->done = rig->done || rig->out.job_done;
    rig->closed = rig->out.close;
    rig->tls_wanted = rig->tls_wanted || rig->out.start_tls;
}

static inline void rig_step(struct rig *rig, enum client_input_kind kind, struct slice octets)
{
    const struct client_input input = {
        .kind = kind, .now_ms = rig->now_ms, .octets = octets, .job = &rig->job};
    client_step(rig->client, &input, &rig->out);
    rig_note(rig);
    while (rig->out.want_content && !rig->hold_content && !rig->closed) {
        struct slice piece = slice_head(rig->content, rig->octet_by_octet ? 1 : CLIENT_PIECE_MAX);
        const struct client_input more = {.kind = CLIENT_CONTENT, .now_ms = rig->now_ms, .octets = piece};
        rig->content = slice_from(rig->content, piece.len);
        client_step(rig->client, &more, &rig->out);
        rig_note(rig);
    }
}

/* The server says this. */
static inline void rig_hears(struct rig *rig, const char *text)
{
    struct slice octets = slice_text(text);
    size_t size = rig->octet_by_octet ? 1 : octets.len;
    while (octets.len > 0 && !rig->closed) {
        rig_step(rig, CLIENT_OCTETS, slice_head(octets, size));
        octets = slice_from(octets, size);
    }
}

/* All that the client has said since the last look. */
static inline void rig_said(struct rig *rig, const char *wanted)
{
    struct slice sent = buf_slice(&rig->sent);
    if (!slice_equal(sent, slice_text(wanted)))
        fail_msg("said \"%.*s\", not \"%s\"", SLICE_ARGS(sent), wanted);
    buf_clear(&rig->sent);
}

static inline void rig_start(struct rig *rig)
{
    rig->done = false;
    rig_step(rig, CLIENT_START, SLICE_NONE);
}

/* The job is over, the connection is good for another, and `code` decided. */
static inline void rig_is_done(struct rig *rig, unsigned code)
{
    assert_true(rig->done);
    assert_int_equal(rig->job.reply.code, code);
}

static inline void rig_is_ready(struct rig *rig)
{
    assert_true(rig->out.ready);
    assert_false(rig->closed);
    assert_int_equal(rig->out.timer_ms, 0);
}

static inline void rig_is_closed(struct rig *rig, const char *trouble)
{
    struct slice actual = client_trouble(rig->client);
    assert_true(rig->closed);
    if (!slice_equal(actual, slice_text(trouble)))
        fail_msg("trouble is \"%.*s\", not \"%s\"", SLICE_ARGS(actual), trouble ? trouble : "");
}

static inline void rig_connect(struct rig *rig)
{
    rig->client = client_new(&rig->settings, rig->job.transaction ? &rig->transaction : NULL);
    rig_step(rig, CLIENT_CONNECTED, SLICE_NONE);
}

/* Up to idle, with this reply to EHLO or LHLO. */
static inline void rig_greet(struct rig *rig, const char *ehlo)
{
    rig_connect(rig);
    rig_hears(rig, "220 inner.example ESMTP\r\n");
    rig_said(rig, rig->settings.protocol == CLIENT_LMTP ? "LHLO mx.example\r\n" : "EHLO mx.example\r\n");
    rig_hears(rig, ehlo);
    rig_is_ready(rig);
}

/* The job: a message of one to four recipients c@, d@, e@, f@inner.example. */
static inline void rig_message(struct rig *rig, size_t recipients, const char *content)
{
    static const char *const names[RIG_RECIPIENTS] = {"c@inner.example", "d@inner.example", "e@inner.example",
                                                      "f@inner.example"};
    for (size_t i = 0; i < recipients; i++) {
        rig->given[i].address = slice_text(names[i]);
        rig->recipients[i] = (struct client_recipient){.recipient = &rig->given[i],
                                                       .address = rig->given[i].address};
    }
    rig->content = slice_text(content);
    rig->job = (struct client_job){.sender = SLICE("a@b.example"),
                                   .recipients = rig->recipients,
                                   .recipient_count = recipients,
                                   .transaction = &rig->transaction,
                                   .content_octets = rig->content.len};
}

static inline int rig_open(void **state, bool octet_by_octet)
{
    size_t in_use = memory_in_use();
    struct rig *rig = memory_take(sizeof *rig);
    rig->in_use = in_use;
    rig->octet_by_octet = octet_by_octet;
    rig->now_ms = 1000;
    buf_init(&rig->out.send, CLIENT_SEND_MAX);
    buf_init(&rig->sent, (size_t)1 << 24);
    rig->settings = (struct client_settings){
        .helo = SLICE("mx.example"), .tls = ROUTE_TLS_NEVER, .reply_ms = 30000, .dot_ms = 600000};
    rig_message(rig, 1, "Subject: x\r\n\r\nhello\r\n");
    *state = rig;
    return 0;
}

static inline int rig_whole(void **state)
{
    return rig_open(state, false);
}

static inline int rig_octets(void **state)
{
    return rig_open(state, true);
}

static inline int rig_close(void **state)
{
    struct rig *rig = *state;
    size_t in_use = rig->in_use;
    client_free(rig->client);
    buf_drop(&rig->out.send);
    buf_drop(&rig->sent);
    memory_give(rig, sizeof *rig);
    assert_int_equal(memory_in_use(), in_use);
    return 0;
}

#define RIG_TEST(function)                                                                                   \
    {#function, function, rig_whole, rig_close, NULL},                                                       \
    {                                                                                                        \
#function " octet by octet", function, rig_octets, rig_close, NULL                                   \
    }

#define EHLO_PLAIN "250 inner.example\r\n"
#define EHLO_FULL                                                                                            \
    "250-inner.example\r\n250-PIPELINING\r\n250-SIZE 10000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n"
#define EHLO_PIPELINING "250-inner.example\r\n250 PIPELINING\r\n"

#endif
