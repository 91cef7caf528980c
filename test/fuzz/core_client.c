/* Whatever a server says, whole or torn: each job ends at most once, nobody is delivered without a dot, no
 * octet goes out behind a closing, and what goes out is lines that the client machine made itself.
 *
 * The first octet chooses the way, the second the job. Then each octet up to 0xf0 is the server's; those
 * above are events: time passes, the connection ends, TLS comes up, a piece of what was said is handed over.
 */
#include "base/memory.h"
#include "core/client.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

#define JOBS_MAX 6

struct run {
    struct client *client;
    struct client_output out;
    struct client_job job;
    struct client_recipient recipients[3];
    struct recipient given;
    struct transaction transaction;
    struct buf offer; /* said by the server, not handed over yet */
    struct buf sent;
    uint64_t now_ms;
    unsigned jobs;
    uint8_t way, kind;
    bool running, over, tls_wanted;
};

static void check_job(struct run *run)
{
    assert(run->running);
    run->running = false;
    for (size_t i = 0; i < run->job.recipient_count; i++) {
        const struct client_recipient *recipient = &run->recipients[i];
        assert(!recipient->delivered || (run->job.dot_sent && recipient->accepted));
        assert(!recipient->delivered || recipient->reply.code / 100 == 2);
        assert(recipient->reply.text.len <= CLIENT_TEXT_MAX && slice_is_utf8(recipient->reply.text));
    }
    assert(!run->job.dot_sent || run->job.done_anything);
    assert(!run->job.verify || !run->job.done_anything);
    assert(!run->job.closed || !run->out.ready);
}

/* Whole lines, ended by CRLF, without NUL. */
static void check_sent(struct run *run)
{
    struct slice sent = buf_slice(&run->sent);
    assert(slice_find(sent, '\0') == SLICE_NOT_FOUND);
    for (size_t i = 0; i < sent.len; i++) {
        assert(sent.at[i] != '\n' || (i > 0 && sent.at[i - 1] == '\r'));
        assert(sent.at[i] != '\r' || (i + 1 < sent.len && sent.at[i + 1] == '\n'));
    }
}

static void step(struct run *run, enum client_input_kind kind, struct slice octets)
{
    const struct client_input input = {
        .kind = kind, .now_ms = run->now_ms, .octets = octets, .job = &run->job};
    if (run->over)
        return;
    client_step(run->client, &input, &run->out);
    assert(buf_add(&run->sent, buf_slice(&run->out.send)));
    buf_clear(&run->out.send);
    if (run->out.job_done)
        check_job(run);
    run->tls_wanted = run->out.start_tls;
    run->over = run->out.close;
    assert(run->out.ready == client_is_idle(run->client));
    assert(!run->out.want_content || run->running);
}

static void content(struct run *run)
{
    static const struct slice pieces[] = {{"a\r\n.\r\n\n.\n", 9}, {".\r", 2}, {NULL, 0}};
    for (size_t i = 0; i < 3 && run->out.want_content && !run->over; i++)
        step(run, CLIENT_CONTENT, pieces[i]);
}

static void start(struct run *run)
{
    run->job = (struct client_job){.verify = run->kind & 1,
                                   .all_or_nothing = run->kind & 2,
                                   .sender = run->kind & 4 ? SLICE_NONE : SLICE("a@b.example"),
                                   .recipients = run->recipients,
                                   .recipient_count = 1u + (run->kind >> 3 & 1) + (run->kind >> 4 & 1),
                                   .content_octets = 12,
                                   .transaction = run->kind & 32 ? &run->transaction : NULL};
    for (size_t i = 0; i < 3; i++)
        run->recipients[i] = (struct client_recipient){.recipient = &run->given,
                                                       .address = SLICE("c@inner.example")};
    if (run->kind & 64)
        run->recipients[0].address = SLICE("\xc3\xa4@inner.example");
    run->running = true;
    step(run, CLIENT_START, SLICE_NONE);
}

static void go_on(struct run *run)
{
    content(run);
    if (run->tls_wanted && !run->over)
        step(run, CLIENT_TLS_UP, SLICE_NONE);
    if (!run->over && run->out.ready && run->jobs++ < JOBS_MAX)
        start(run);
}

static void hand_over(struct run *run)
{
    if (run->offer.len > 0)
        step(run, CLIENT_OCTETS, buf_slice(&run->offer));
    buf_clear(&run->offer);
    go_on(run);
}

static void event(struct run *run, uint8_t octet)
{
    hand_over(run);
    if (octet == 0xff)
        step(run, CLIENT_EOF, SLICE("gone"));
    if (octet == 0xfe) {
        run->now_ms += 20000;
        step(run, CLIENT_TIMER, SLICE_NONE);
    }
    if (octet == 0xfd && client_is_idle(run->client) && !run->over)
        step(run, CLIENT_QUIT, SLICE_NONE);
}

static void open_client(struct run *run)
{
    const struct client_settings settings = {.protocol = run->way & 1 ? CLIENT_LMTP : CLIENT_SMTP,
                                             .helo = SLICE("mx.example"),
                                             .tls = (enum route_tls)((run->way >> 1 & 3) % 3),
                                             .tell = (enum route_tell)((run->way >> 3 & 3) % 3),
                                             .reply_ms = 30000,
                                             .dot_ms = 60000};
    run->transaction = (struct transaction){.body = BODY_8BITMIME,
                                            .ret = RET_FULL,
                                            .envid = SLICE("id"),
                                            .helo = SLICE("client.example"),
                                            .smtputf8 = run->kind & 128};
    run->given = (struct recipient){.notify = NOTIFY_FAILURE, .orcpt = SLICE("rfc822;c@inner.example")};
    run->client = client_new(&settings, NULL);
    step(run, CLIENT_CONNECTED, SLICE_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    size_t in_use = memory_in_use();
    struct run run = {.now_ms = 1000, .way = len > 0 ? octets[0] : 0, .kind = len > 1 ? octets[1] : 0};
    buf_init(&run.out.send, CLIENT_SEND_MAX);
    buf_init(&run.sent, (size_t)1 << 24);
    buf_init(&run.offer, (size_t)1 << 20);
    open_client(&run);
    for (size_t i = 2; i < len && !run.over; i++) {
        if (octets[i] > 0xf0)
            event(&run, octets[i]);
        else
            buf_add_octet(&run.offer, (char)octets[i]);
        if (octets[i] == '\n' && run.way & 128)
            hand_over(&run);
    }
    hand_over(&run);
    check_sent(&run);
    client_free(run.client);
    buf_drop(&run.out.send);
    buf_drop(&run.sent);
    buf_drop(&run.offer);
    assert(memory_in_use() == in_use);
    return 0;
}
