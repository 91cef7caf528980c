/* A relay between a gate that is played here and inner servers that are, too: questions, messages, and what
 * comes of them, by number. */
#ifndef TEST_DAEMON_RELAY_RIG_H
#define TEST_DAEMON_RELAY_RIG_H

#include "daemon/relay.h"
#include "../inner.h"
#include "base/memory.h"
#include "core/event.h"
#include "io/draft.h"
#include "io/files.h"
#include "unit.h"
#include <stdio.h>

#define ANSWERS 64
#define SENDER  "a@b.example"
#define CLIENT  "2001:db8::1"

struct got {
    bool here;
    enum answer_status status;
    enum stored_status stored;
    uint16_t code;
    char text[300];
    char enhanced[16];
};

struct rig {
    struct loop *loop;
    struct inbox *inbox;
    struct relay *relay;
    struct site site;
    struct route routes[3];
    struct inner inner[2];
    struct drafts drafts;
    struct got got[ANSWERS]; /* by the ticket's number */
    unsigned got_count;
    char events[4096]; /* the troubles, a line each */
    char late_key[100], late_text[300];
    struct transaction transaction;
    struct recipient recipients[3];
    uint32_t number;
};

static void keep(char *to, size_t size, struct slice text)
{
    struct slice kept = slice_head(text, size - 1);
    if (kept.len)
        memcpy(to, kept.at, kept.len);
    to[kept.len] = '\0';
}

static struct got *got_new(struct rig *rig, struct ticket ticket)
{
    assert_true(ticket.owner == 77 && ticket.number < ANSWERS && !rig->got[ticket.number].here);
    rig->got_count++;
    rig->got[ticket.number].here = true;
    return &rig->got[ticket.number];
}

static void answered(void *data, const struct inbox_answer *answer)
{
    struct got *got = got_new(data, answer->ticket);
    got->status = answer->status;
    keep(got->text, sizeof got->text, answer->value);
}

static void stored(void *data, struct ticket ticket, const struct stored *result)
{
    struct got *got = got_new(data, ticket);
    got->stored = result->status;
    got->code = result->code;
    keep(got->text, sizeof got->text, result->text);
    keep(got->enhanced, sizeof got->enhanced, result->enhanced);
}

static void record(void *data, struct slice records)
{
    struct rig *rig = data;
    struct event event;
    size_t size, len = strlen(rig->events);
    assert_int_equal(event_read(records, &event, &size), EVENT_DONE);
    assert_int_equal(event.kind, EVENT_KIND_trouble);
    snprintf(rig->events + len, sizeof rig->events - len, "%.*s\n", SLICE_ARGS(event.body.trouble.what));
}

static void late(void *data, struct slice key, const struct stored *result)
{
    struct rig *rig = data;
    assert_int_equal(result->status, STORED_TAKEN);
    keep(rig->late_key, sizeof rig->late_key, key);
    keep(rig->late_text, sizeof rig->late_text, result->text);
}

static void relay_open(struct rig *rig)
{
    const struct relay_gate gate = {rig, rig->loop, rig->inbox, record, late};
    rig->relay = relay_new(&gate, &rig->site);
}

static void route_set(struct rig *rig, unsigned number, enum route_kind kind, struct target *target)
{
    rig->routes[number] = (struct route){.name = SLICE("inner.example"),
                                         .number = (uint16_t)number,
                                         .kind = kind,
                                         .targets = target,
                                         .target_count = 1,
                                         .mailboxes = ROUTE_MAILBOXES_ASK,
                                         .tls = ROUTE_TLS_NEVER};
}

static int rig_open(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    const struct inbox_receiver receiver = {answered, stored, rig};
    rig->loop = loop_open(NULL);
    rig->inbox = inbox_open(rig->loop, &receiver, NULL);
    inner_open(&rig->inner[0], rig->loop);
    inner_open(&rig->inner[1], rig->loop);
    rig->inner[0].replies.refused = "no@ asks";
    rig->inner[0].replies.ehlo = "250-x\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n";
    arena_init(&rig->site.arena, NULL, 0);
    settings_preset(&rig->site.set, &rig->site.arena);
    rig->site.set.host_name = SLICE("mx.example");
    rig->site.set.relay_reply_time = 2000;
    rig->site.set.relay_dot_time = 2000;
    rig->site.routes = rig->routes;
    rig->site.route_count = 1;
    route_set(rig, 0, ROUTE_RELAY, &rig->inner[0].target);
    drafts_init(&rig->drafts, &files_system, "/nowhere", 1);
    relay_open(rig);
    *state = rig;
    return 0;
}

static int rig_close(void **state)
{
    struct rig *rig = *state;
    relay_free(rig->relay);
    inner_close(&rig->inner[0]);
    inner_close(&rig->inner[1]);
    inbox_close(rig->inbox);
    loop_close(rig->loop);
    arena_drop(&rig->site.arena);
    memory_give(rig, sizeof *rig);
    return 0;
}

static struct ticket ticket(uint32_t number)
{
    return (struct ticket){.owner = 77, .number = number};
}

/* The sender and client of `commit`, or others. */
static struct transaction transaction_of(const char *sender, const char *client)
{
    struct transaction transaction = {.session = 5, .number = 1, .sender = slice_text(sender)};
    assert_true(address_parse(slice_text(client), &transaction.peer));
    return transaction;
}

static struct got *ask_as(struct rig *rig, const char *key, const char *sender, const char *client)
{
    const struct transaction transaction = transaction_of(sender, client);
    uint32_t number = ++rig->number;
    relay_ask_recipient(rig->relay, ticket(number), slice_text(key), &transaction);
    assert_false(rig->got[number].here);
    return &rig->got[number];
}

/* Begins a question; its answer comes to the slot that is returned. */
static struct got *ask(struct rig *rig, const char *key)
{
    return ask_as(rig, key, SENDER, CLIENT);
}

static void got_expect(struct rig *rig, const struct got *got, enum answer_status status, const char *text)
{
    INNER_UNTIL(rig->loop, got->here);
    assert_int_equal(got->status, status);
    if (text)
        assert_string_equal(got->text, text);
}

static void ask_and_expect(struct rig *rig, const char *key, enum answer_status status, const char *text)
{
    got_expect(rig, ask(rig, key), status, text);
}

static unsigned heard_count(const struct inner *inner, const char *word)
{
    struct slice heard = buf_slice(&inner->heard);
    unsigned count = 0;
    for (size_t at; (at = slice_find_slice(heard, slice_text(word))) != SLICE_NOT_FOUND; count++)
        heard = slice_from(heard, at + 1);
    return count;
}

#endif
