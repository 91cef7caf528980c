/* Jobs for two servers played on the same loop. */
#ifndef OUTBOUND_RIG_H
#define OUTBOUND_RIG_H

#include "../inner.h"
#include "base/memory.h"
#include "io/outbound.h"
#include "unit.h"

#define JOBS 40

struct content {
    struct slice whole, left;
    size_t piece;
    bool broken;
};

struct one {
    struct outbound_job job;
    struct client_recipient recipient[2];
    struct content content;
    struct rig *rig;
    bool done;
};

struct rig {
    struct loop *loop;
    struct outbound *outbound;
    struct outbound_settings settings;
    struct outbound_to to;
    struct target targets[3];
    struct inner inner[2];
    struct one jobs[JOBS];
    struct transaction transaction;
    unsigned done;
    char code_text[64];
    uint16_t code;     /* of the job that ended last */
    struct one *again; /* to be started by the next `done` */
};

static inline int content_next(void *from, struct slice *ret_piece, struct error *error)
{
    struct content *content = from;
    if (content->broken && content->left.len < content->whole.len)
        return error_set(error, 0, "the disk is gone");
    *ret_piece = slice_head(content->left, content->piece);
    content->left = slice_from(content->left, ret_piece->len);
    return 0;
}

static inline void content_rewind(void *from)
{
    struct content *content = from;
    content->left = content->whole;
}

static inline void start(struct rig *rig, struct one *one)
{
    one->done = false;
    outbound_start(rig->outbound, &rig->to, &one->job);
    assert_false(one->done);
}

static inline void job_done(void *whom, struct outbound_job *job)
{
    struct one *one = whom;
    assert_false(one->done);
    assert_ptr_equal(job, &one->job);
    one->done = true;
    one->rig->done++;
    one->rig->code = job->job.reply.code;
    struct slice text = slice_head(job->job.reply.text, sizeof one->rig->code_text - 1);
    memcpy(one->rig->code_text, text.len ? text.at : "", text.len);
    one->rig->code_text[text.len] = '\0';
    if (one->rig->again) {
        struct one *next = one->rig->again;
        one->rig->again = NULL;
        start(one->rig, next);
    }
}

static inline struct one *message(struct rig *rig, size_t at)
{
    struct one *one = &rig->jobs[at];
    *one = (struct one){.rig = rig,
                        .content = {.whole = SLICE("Subject: x\r\n\r\nhello\r\n"), .piece = 9999}};
    one->recipient[0].address = SLICE("c@inner.example");
    one->recipient[1].address = SLICE("d@inner.example");
    one->job.job = (struct client_job){.sender = SLICE("a@b.example"),
                                       .recipients = one->recipient,
                                       .recipient_count = 1,
                                       .transaction = &rig->transaction};
    one->job.content = (struct outbound_content){content_next, content_rewind, &one->content};
    one->job.done = job_done;
    one->job.whom = one;
    return one;
}

/* Runs one message to its end. */
static inline struct one *send_one(struct rig *rig)
{
    struct one *one = message(rig, 0);
    start(rig, one);
    INNER_UNTIL(rig->loop, one->done);
    return one;
}

static inline void expect(struct rig *rig, const struct one *one, enum outbound_result result, unsigned code)
{
    if (one->job.result != result || rig->code != code)
        fail_msg("result %d code %u: %.*s", (int)one->job.result, rig->code, SLICE_ARGS(one->job.trouble));
}

static inline int rig_open(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    rig->loop = loop_open(NULL);
    assert_non_null(rig->loop);
    inner_open(&rig->inner[0], rig->loop);
    inner_open(&rig->inner[1], rig->loop);
    rig->targets[0] = rig->inner[0].target;
    rig->targets[1] = rig->inner[1].target;
    rig->to = (struct outbound_to){.targets = rig->targets, .target_count = 1, .tls = ROUTE_TLS_NEVER};
    rig->settings = (struct outbound_settings){.loop = rig->loop,
                                               .helo = SLICE("mx.example"),
                                               .connect_ms = 2000,
                                               .reply_ms = 2000,
                                               .dot_ms = 3000,
                                               .idle_ms = 60000,
                                               .waiting_ms = 5000,
                                               .again_first_ms = 60000,
                                               .again_most_ms = 120000,
                                               .connections = 4,
                                               .waiting = 20};
    rig->outbound = outbound_new(&rig->settings);
    *state = rig;
    return 0;
}

static inline int rig_close(void **state)
{
    struct rig *rig = *state;
    outbound_free(rig->outbound);
    inner_close(&rig->inner[0]);
    inner_close(&rig->inner[1]);
    loop_close(rig->loop);
    memory_give(rig, sizeof *rig);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_open, rig_close)

#endif
