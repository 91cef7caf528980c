/* Proves that a session takes as many recipients as a configuration can allow, each of them once, at a cost
 * that does not grow with their number: looking through them all for each would outlast the test's time. */
#include "unit.h"

#include "base/memory.h"
#include "core/machine.h"

#include <stdio.h>

#define RECIPIENTS 100000u

struct rig {
    struct site *site;
    struct session_world world;
    struct outbox outbox;
    struct session *session;
};

static struct route route = {.name = {"example.org", 11}, .kind = ROUTE_MAILDIR};

static void give(struct rig *rig, enum input_kind kind, struct slice octets, const char *reply)
{
    struct input input = {.kind = kind, .now_ms = 1000, .unix_us = 1700000000000000};
    if (kind == INPUT_BYTES)
        input.bytes = octets;
    outbox_clear(&rig->outbox);
    assert_int_equal(session_step(rig->session, &input, &rig->outbox), octets.len);
    assert_true(slice_starts(buf_slice(&rig->outbox.send), slice_text(reply)));
}

static void say_line(struct rig *rig, const char *line, const char *reply)
{
    give(rig, INPUT_BYTES, slice_text(line), reply);
}

static void name_all(struct rig *rig)
{
    char line[80];
    for (unsigned i = 0; i < RECIPIENTS; i++) {
        snprintf(line, sizeof line, "RCPT TO:<somebody-with-a-name-%06u@example.org>\r\n", i);
        say_line(rig, line, "250 ");
    }
}

static void rig_begin(struct rig *rig)
{
    *rig = (struct rig){.site = site_new()};
    rig->site->routes = &route;
    rig->site->route_count = 1;
    rig->site->set.host_name = SLICE("mx.example");
    rig->site->set.banner_delay = 0;
    rig->site->set.limit_recipients = RECIPIENTS + 1;
    rig->site->set.limit_commands = 4 * RECIPIENTS;
    site_add_domain(rig->site, &route, route.name);
    rig->world = (struct session_world){.site = rig->site, .seed = 7};
    outbox_init(&rig->outbox);
    rig->session = session_init(memory_take(session_size()), &rig->world, 1, SLICE_NONE);
    give(rig, INPUT_OPENED, SLICE_NONE, "220 ");
    say_line(rig, "HELO client.example\r\n", "250 ");
    say_line(rig, "MAIL FROM:<a@client.example>\r\n", "250 ");
}

static void rig_end(struct rig *rig)
{
    session_done(rig->session);
    memory_give(rig->session, session_size());
    outbox_done(&rig->outbox);
    site_free(rig->site);
}

static void each_recipient_is_taken_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    const struct transaction *transaction = &rig.session->mail->transaction;
    name_all(&rig);
    assert_int_equal(transaction->recipient_count, RECIPIENTS);
    name_all(&rig);
    assert_int_equal(transaction->recipient_count, RECIPIENTS);
    say_line(&rig, "RCPT TO:<one-more@example.org>\r\n", "250 ");
    say_line(&rig, "RCPT TO:<too-many@example.org>\r\n", "452 ");
    unsigned count = 0;
    for (const struct recipient *r = transaction->recipients; r; r = r->next)
        count++;
    assert_int_equal(count, RECIPIENTS + 1);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipient_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
