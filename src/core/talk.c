/* What the machine says to the client and what it records: each exactly here. */
#include "core/machine.h"

#include <assert.h>
#include <string.h>

struct event_stamp step_stamp(const struct step *step)
{
    return (struct event_stamp){.session = step->session->id,
                                .unix_us = step->input->unix_us,
                                .unsealed = step->session->world->unsealed};
}

struct outbox_action *step_act(struct step *step, enum outbox_kind kind)
{
    struct outbox *outbox = step->outbox;
    assert(outbox->count < OUTBOX_ACTIONS);
    struct outbox_action *action = &outbox->actions[outbox->count++];
    *action = (struct outbox_action){.kind = kind};
    return action;
}

/* One that was asked in this very step has not left yet: it never does, for its key goes with its memory. */
void step_forget(struct step *step, uint32_t number)
{
    struct outbox *outbox = step->outbox;
    for (size_t i = 0; i < outbox->count; i++) {
        if (outbox->actions[i].kind != OUTBOX_ASK || outbox->actions[i].number != number)
            continue;
        outbox->count--;
        for (; i < outbox->count; i++)
            outbox->actions[i] = outbox->actions[i + 1];
        return;
    }
    step_act(step, OUTBOX_FORGET)->number = number;
}

void step_tell(struct step *step, const struct tell_item *tell)
{
    struct outbox_action *action = step_act(step, OUTBOX_TELL);
    action->verb = tell->verb;
    action->key = arena_copy(&step->outbox->texts, tell->key);
    action->octets = arena_copy(&step->outbox->texts, tell->value);
    action->until_unix_ms = tell->ttl_ms ? step->input->unix_us / 1000 + (int64_t)tell->ttl_ms : 0;
    RECORD(step, told, .verb = tell->verb, .key = tell->key, .value = tell->value,
           .expires_ms = (uint64_t)action->until_unix_ms);
}

/* Number and session id, with the blank before them. */
static struct slice tail_of(struct slice reply)
{
    size_t at = reply.len;
    while (at && reply.at[at - 1] != '#')
        at--;
    return at > 1 ? slice_from(reply, at - 2) : SLICE_NONE;
}

/* As one line: of several the first one's words, and the number, which stands at the end of the last. */
static void remember_negative(struct session *session, struct slice reply)
{
    if (!session->negative)
        session->negative = arena_take(&session->life, NEGATIVE_SIZE);
    size_t end = slice_find(reply, '\r');
    struct slice tail = end == SLICE_NOT_FOUND ? SLICE_NONE : slice_head(tail_of(reply), NEGATIVE_SIZE / 2);
    struct slice first = slice_head(slice_head(reply, end), NEGATIVE_SIZE - tail.len);
    memcpy(session->negative, first.at, first.len);
    if (tail.len) {
        session->negative[3] = ' ';
        memcpy(session->negative + first.len, tail.at, tail.len);
    }
    session->negative_len = (uint8_t)(first.len + tail.len);
}

static struct say_tail tail_for(const struct step *step, unsigned code)
{
    const struct settings *set = &step->session->world->site->set;
    bool negative = code >= 400;
    return (struct say_tail){.wanted = negative || set->reply_number == REPLY_NUMBER_ALL,
                             .session = step->session->id,
                             .url_in_4yz = set->policy_url_for == POLICY_URL_NEGATIVE,
                             .url = negative ? set->policy_url : SLICE_NONE};
}

void say_within(struct step *step, enum stage stage)
{
    struct session *session = step->session;
    session->answering = stage < STAGE_COUNT ? (uint8_t)(stage + 1) : 0;
    session->began_ms = (uint32_t)(session->tick_ms - session->opened_ms);
}

/* Books the reply that stands in the outbox from `start` on. */
static void book_reply(struct step *step, const struct say_info *info, size_t start)
{
    struct session *session = step->session;
    struct slice reply = slice_from(buf_slice(&step->outbox->send), start);
    assert(reply.len >= 2);
    session->octets_out += reply.len;
    session->said = info->number;
    session->said_ms = session->tick_ms;
    reply.len -= 2;
    if (info->code >= 400) {
        session->negatives++;
        remember_negative(session, reply);
    }
    RECORD(step, reply_sent, .number = info->number, .code = info->code, .text = reply,
           .answers = session->answering,
           .took_ms = session->answering ? session->tick_ms - session->opened_ms - session->began_ms : 0);
    session->answering = 0;
}

void say_with(struct step *step, enum say number, struct slice first, struct slice second)
{
    const struct say_info *info = say_info(number);
    struct say_tail tail = tail_for(step, info->code);
    size_t start = step->outbox->send.len;
    const struct slice arguments[SAY_ARGUMENTS] = {first, second};
    say_add(&step->outbox->send, number, arguments, &tail);
    book_reply(step, info, start);
}

/* Goodbyes name the host (RFC 5321 4.2: 221 and 421 begin with the domain). */
void say(struct step *step, enum say number)
{
    unsigned code = say_info(number)->code;
    bool goodbye = code == 221 || code == 421;
    say_with(step, number, goodbye ? step->session->world->site->set.host_name : SLICE_NONE, SLICE_NONE);
}

void say_text(struct step *step, enum say number, struct slice text)
{
    const struct say_info *info = say_info(number);
    struct say_tail tail = tail_for(step, info->code);
    size_t start = step->outbox->send.len;
    say_add_text(&step->outbox->send, number, text, &tail);
    book_reply(step, info, start);
}

void say_begin(struct step *step, enum say number, struct slice line)
{
    const struct say_info *info = say_info(number);
    size_t start = step->outbox->send.len;
    (void)buf_add_format(&step->outbox->send, "%u-%.*s\r\n", info->code, SLICE_ARGS(line));
    uint8_t answering = step->session->answering;
    step->session->answering = 0; /* the rest of the reply is the answer */
    book_reply(step, info, start);
    step->session->answering = answering;
}

static void flag_add(struct slice *flags, struct slice flag, struct arena *arena)
{
    struct slice start = flags->len ? arena_join(arena, *flags, SLICE(",")) : SLICE_NONE;
    *flags = arena_join(arena, start, flag);
}

static bool was_found(const struct session *session, enum finding finding)
{
    return session->found[finding / 64] & UINT64_C(1) << finding % 64;
}

static struct slice flag_of(unsigned finding)
{
    return finding == FIND_HELO_SCHIZOPHRENIC ? SLICE("schizo") : slice_text(finding_info(finding)->word);
}

static struct slice ending_flags(const struct session *session, struct arena *arena)
{
    struct slice flags = SLICE_NONE;
    for (unsigned word = 0; word < FIND_SET_WORDS; word++)
        for (uint64_t bits = session->found[word]; bits; bits &= bits - 1) {
            unsigned finding = word * 64 + (unsigned)__builtin_ctzll(bits);
            flag_add(&flags, flag_of(finding), arena);
        }
    if (was_found(session, FIND_LISTED) || was_found(session, FIND_OVERRIDE_BLOCK))
        flag_add(&flags, SLICE("black"), arena);
    if (session->peer.family == ADDRESS_IPV6)
        flag_add(&flags, SLICE("ipv6"), arena);
    if (session->ending == END_QUIT)
        flag_add(&flags, SLICE("quit"), arena);
    return flags;
}

void record_ending(struct step *step)
{
    struct session *session = step->session;
    const struct conduct *conduct = session->conduct;
    bool nameless = !session->helo.len && conduct; /* a name that was refused with EHLO is one, too */
    char room[512];
    struct arena arena;
    arena_init(&arena, room, sizeof room);
    RECORD(step, session_ended, .peer = session->peer, .ptr = session->name,
           .flags = ending_flags(session, &arena), .helo = nameless ? conduct->first_name : session->helo,
           .accepted = session->accepted, .tried = session->transactions,
           .octets_in = session->octets_in + session->taking, .octets_out = session->octets_out,
           .negative = session->negatives, .took_ms = step->input->now_ms - session->opened_ms,
           .last_negative = slice_of(session->negative, session->negative_len), .tls = session->tls,
           .why = session->ending,
           .fingerprint = session->learnt ? session->learnt->fingerprint : SLICE_NONE);
    arena_drop(&arena);
}
