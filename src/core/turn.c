/* What a check sees of the machine. */
#include "core/machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void turn_init(struct turn *turn, struct step *step)
{
    const struct session *session = step->session;
    turn->step = step;
    turn->found_count = 0;
    turn->waiting = turn->last = false;
    turn->path = (struct path){.whole = SLICE_NONE};
    turn->parameters = SLICE_NONE;
    arena_init(&turn->arena, turn->room, sizeof turn->room);
    turn->facts = (struct facts){
        .site = session->world->site,
        .peer = &session->peer,
        .peer_name = session->name,
        .helo = session->helo,
        .own = session->own,
        .tls = session->tls.len > 0,
    };
    if (session->mail) {
        turn->facts.transaction = &session->mail->transaction;
        turn->facts.sender = session->mail->transaction.sender;
        turn->facts.smtputf8 = session->mail->transaction.smtputf8;
    }
}

void turn_done(struct turn *turn)
{
    arena_drop(&turn->arena);
}

const struct facts *turn_facts(const struct turn *turn)
{
    return &turn->facts;
}

static struct ask *ask_find(struct session *session, enum ask_kind kind, struct slice key)
{
    for (struct ask *ask = session->asks; ask; ask = ask->next)
        if (ask->kind == kind && slice_equal(ask->key, key))
            return ask;
    return NULL;
}

static struct ask *ask_new(struct step *step, enum ask_kind kind, struct slice key)
{
    struct session *session = step->session;
    struct ask *ask = arena_take(&session->stage, sizeof *ask);
    ask->kind = (uint8_t)kind;
    ask->key = arena_copy(&session->stage, key);
    ask->asked_ms = step->input->now_ms;
    ask->number = ++session->ask_number;
    ask->next = session->asks;
    session->asks = ask;
    struct outbox_action *action = step_act(step, OUTBOX_ASK);
    action->ask = kind;
    action->number = ask->number;
    action->key = ask->key;
    action->transaction = session->mail ? &session->mail->transaction : NULL;
    RECORD(step, question_asked, .kind = kind, .key = ask->key);
    return ask;
}

const struct ask *turn_ask(struct turn *turn, enum ask_kind kind, struct slice key)
{
    struct ask *ask = ask_find(turn->step->session, kind, key);
    if (!ask)
        ask = ask_new(turn->step, kind, key);
    if (ask->status == ANSWER_PENDING) {
        turn->waiting = true;
        return NULL;
    }
    return ask;
}

static struct slice turn_vformat(struct turn *turn, const char *format, va_list arguments)
{
    char text[512];
    int len = vsnprintf(text, sizeof text, format, arguments);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    return arena_copy(&turn->arena, slice_of(text, kept));
}

struct slice turn_join(struct turn *turn, struct slice a, struct slice b)
{
    return arena_join(&turn->arena, a, b);
}

struct slice turn_format(struct turn *turn, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct slice text = turn_vformat(turn, format, arguments);
    va_end(arguments);
    return text;
}

static void found_add(struct turn *turn, enum finding finding, struct slice evidence, struct slice words)
{
    if (turn->found_count < TURN_FOUND)
        turn->found[turn->found_count++] = (struct found){finding, evidence, words};
}

void turn_find(struct turn *turn, enum finding finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    found_add(turn, finding, turn_vformat(turn, format, arguments), SLICE_NONE);
    va_end(arguments);
}

void turn_find_saying(struct turn *turn, enum finding finding, struct slice words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    found_add(turn, finding, turn_vformat(turn, format, arguments), arena_copy(&turn->arena, words));
    va_end(arguments);
}
