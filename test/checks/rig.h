/* A turn of a session that has come as far as RCPT, for trying one check alone. */
#ifndef CHECKS_RIG_H
#define CHECKS_RIG_H

#include "unit.h"

#include "base/memory.h"
#include "checks/list.h"
#include "core/machine.h"

struct rig {
    struct site *site;
    struct session_world world;
    struct outbox outbox;
    struct session *session;
    struct input input;
    struct step step;
    struct turn turn;
    struct route route;
    struct found burden;
};

static inline void rig_begin(struct rig *rig)
{
    *rig = (struct rig){.site = site_new()};
    rig->world = (struct session_world){.site = rig->site};
    outbox_init(&rig->outbox);
    rig->session = session_init(memory_take(session_size()), &rig->world, 1, SLICE_NONE);
    rig->step = (struct step){rig->session, &rig->input, &rig->outbox};
    rig->route = (struct route){.name = SLICE("example.org"), .number = 3};
    turn_init(&rig->turn, &rig->step);
}

static inline void rig_end(struct rig *rig)
{
    turn_done(&rig->turn);
    session_done(rig->session);
    memory_give(rig->session, session_size());
    outbox_done(&rig->outbox);
    site_free(rig->site);
}

/* So much was found in this session before. */
static inline void rig_weigh(struct rig *rig, int sum)
{
    rig->burden = (struct found){
        .finding = FIND_EARLY_TALK, .evidence = SLICE("earlier"), .weighs = true, .weight = sum};
    rig->session->kept = &rig->burden;
}

/* The recipient of RCPT TO:<address>, as the command would have read it. */
static inline void rig_recipient(struct rig *rig, const char *argument, bool ours)
{
    struct slice parameters;
    assert_int_equal(path_parse_forward(slice_text(argument), &rig->turn.arena, &rig->turn.path, &parameters),
                     PATH_DONE);
    rig->turn.facts.recipient = &rig->turn.path;
    rig->turn.facts.recipient_address = rig->turn.path.mailbox;
    rig->turn.facts.route = ours ? &rig->route : NULL;
}

static inline void rig_answer(struct rig *rig, enum answer_status status, const char *value)
{
    rig->session->asks->status = (uint8_t)status;
    rig->session->asks->value = slice_text(value);
}

/* To each question whose key begins so. */
static inline void rig_answer_to(struct rig *rig, const char *key, enum answer_status status,
                                 const char *value)
{
    unsigned count = 0;
    for (struct ask *ask = rig->session->asks; ask; ask = ask->next)
        if (slice_starts(ask->key, slice_text(key))) {
            ask->status = (uint8_t)status;
            ask->value = slice_text(value);
            count++;
        }
    assert_true(count > 0);
}

/* The tell number `index` of the turn. A NULL value is of no interest. */
static inline void rig_told(const struct rig *rig, size_t index, enum tell verb, const char *key,
                            const char *value)
{
    assert_true(index < rig->turn.tell_count);
    const struct tell_item *tell = &rig->turn.tells[index];
    assert_int_equal(tell->verb, verb);
    if (!slice_equal(tell->key, slice_text(key)))
        fail_msg("told %.*s", SLICE_ARGS(tell->key));
    if (value)
        assert_true(slice_equal(tell->value, slice_text(value)));
}

static inline void rig_peer(struct rig *rig, const char *address)
{
    assert_true(address_parse(slice_text(address), &rig->session->peer));
    assert_true(address_parse(SLICE("192.0.2.25"), &rig->session->local));
}

static inline void rig_found(const struct rig *rig, enum finding finding)
{
    assert_int_equal(rig->turn.found_count, 1);
    assert_int_equal(rig->turn.found[0].finding, finding);
    assert_true(rig->turn.found[0].evidence.len > 0);
}

#endif
