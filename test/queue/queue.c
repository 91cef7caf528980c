/* The queue does with each message what its envelope asks: delivers, waits, gives up, tells the sender when
 * and only when that is due, and goes on when the disk, a mailbox or a server is in trouble. */
#include "unit.h"

#include "../crash/world.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static struct world *world;

static int setup(void **state)
{
    (void)state;
    world = world_new(4711);
    world_courier(world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_courier_end(world);
    world_gate_close(world);
    assert_int_equal(sim_open_descriptors(world->sim), 0);
    world_free(world);
    return 0;
}

static void commit_all(void)
{
    world_commit(world, 0, world->message_count);
    world_gate_close(world);
}

/* --- notifications ----------------------------------------------------------------------------------------
 */

static const struct {
    const char *to;
    uint8_t notify;
    bool dsn; /* the other server knows DSN */
    const char *action;
    unsigned wanted;
} notified[] = {
    {"fail@away.example", 0, false, "failed", 1},
    {"fail@away.example", NOTIFY_FAILURE, false, "failed", 1},
    {"fail@away.example", NOTIFY_NEVER, false, "failed", 0},
    {"fail@away.example", NOTIFY_SUCCESS, false, "failed", 0},
    {"fail@away.example", NOTIFY_DELAY, false, "failed", 0},
    {"nobody@our.example", 0, false, "failed", 1},
    {"box0@our.example", 0, false, "delivered", 0},
    {"box0@our.example", NOTIFY_SUCCESS, false, "delivered", 1},
    {"box0@our.example", NOTIFY_NEVER, false, "delivered", 0},
    {"x@lmtp.example", NOTIFY_SUCCESS, false, "delivered", 1},
    {"x@away.example", NOTIFY_SUCCESS, false, "relayed", 1},
    {"x@away.example", NOTIFY_SUCCESS, true, "relayed", 0},
    {"x@away.example", NOTIFY_SUCCESS, true, "delivered", 0},
    {"x@away.example", NOTIFY_FAILURE, false, "relayed", 0},
    {"twin@our.example", NOTIFY_SUCCESS, false, "expanded", 1},
    {"twin@our.example", NOTIFY_FAILURE, false, "expanded", 0},
};

static void notifications_are_sent_when_due(void **state)
{
    static const char *const actions[] = {"failed", "delayed", "delivered", "relayed", "expanded"};

    (void)state;
    for (size_t i = 0; i < COUNT(notified); i++) {
        teardown(NULL);
        setup(NULL);
        struct world_message *message = world_message(world, notified[i].to, 100);
        message->notify[0] = notified[i].notify;
        world->remote_dsn = notified[i].dsn;
        commit_all();
        world_run(world, DAY_MS);
        for (size_t k = 0; k < COUNT(actions); k++)
            if (strcmp(actions[k], notified[i].action) == 0)
                assert_int_equal(world_notifications(world, message, actions[k]), notified[i].wanted);
            else
                assert_int_equal(world_notifications(world, message, actions[k]), 0);
        assert_int_equal(world->events[EVENT_KIND_notification_queued], notified[i].wanted);
        assert_int_equal(world_files(world, "queue"), 0);
    }
}

static void null_sender_is_never_told(void **state)
{
    (void)state;
    struct world_message *message = world_message(world, "fail@away.example nobody@our.example", 100);
    message->null_sender = true;
    message->notify[0] = NOTIFY_FAILURE | NOTIFY_SUCCESS | NOTIFY_DELAY;
    commit_all();
    world_run(world, DAY_MS);
    assert_int_equal(world->events[EVENT_KIND_notification_queued], 0);
    assert_int_equal(world->events[EVENT_KIND_delivery_failed], 2);
    assert_int_equal(world->events[EVENT_KIND_message_removed], 1);
}

static void delay_is_told_once_to_who_asked(void **state)
{
    (void)state;
    struct world_message *message = world_message(world, "later@away.example", 100);
    message->notify[0] = NOTIFY_DELAY;
    commit_all();
    world_run(world, 3 * HOUR_MS);
    assert_int_equal(world_notifications(world, message, "delayed"), 0);
    world_run(world, 2 * DAY_MS);
    assert_int_equal(world_notifications(world, message, "delayed"), 1);
    world_courier_end(world);
    world_courier(world);
    world_run(world, DAY_MS);
    assert_int_equal(world_notifications(world, message, "delayed"), 1);
    assert_int_equal(message->remote[0], 0);
}

static void delay_is_told_where_the_setting_wants_it(void **state)
{
    (void)state;
    world->site->set.retry_warn = HOUR_MS;
    struct world_message *message = world_message(world, "later@away.example", 100);
    struct world_message *other = world_message(world, "later@away.example", 100);
    other->notify[0] = NOTIFY_FAILURE;
    commit_all();
    world_run(world, 3 * HOUR_MS);
    assert_int_equal(world_notifications(world, message, "delayed"), 1);
    assert_int_equal(world_notifications(world, other, "delayed"), 0);
}

static void what_cannot_be_delivered_expires(void **state)
{
    (void)state;
    struct world_message *message = world_message(world, "later@away.example", 100);
    commit_all();
    world_run(world, 5 * DAY_MS - HOUR_MS);
    assert_int_equal(world->events[EVENT_KIND_delivery_failed], 0);
    const unsigned attempts = world->events[EVENT_KIND_delivery_deferred];
    assert_true(attempts > 25 && attempts < 50);
    world_run(world, 2 * HOUR_MS);
    assert_int_equal(world->events[EVENT_KIND_delivery_failed], 1);
    assert_int_equal(world_notifications(world, message, "failed"), 1);
    assert_int_equal(world_files(world, "queue"), 0);
}

/* A notification to a domain without a route waits until it expires, and makes no notification of its own. */
static void notification_without_a_route_is_dropped(void **state)
{
    (void)state;
    world_message(world, "fail@away.example", 100)->sender = SLICE("x@elsewhere.example");
    commit_all();
    world_run(world, HOUR_MS);
    assert_int_equal(world->events[EVENT_KIND_notification_queued], 1);
    assert_int_equal(world_files(world, "queue"), 1);
    assert_non_null(strstr(world->last_reason, "no route"));
    world_run(world, 6 * DAY_MS);
    assert_int_equal(world->events[EVENT_KIND_notification_queued], 1);
    assert_int_equal(world_files(world, "queue"), 0);
}

static void find_text(void *whom, const char *path)
{
    struct slice *found = whom;

    if (strstr(path, "/new/"))
        *found = sim_content(world->sim, path);
}

static struct slice only_file(const char *folder)
{
    struct slice found = SLICE_NONE;

    sim_each(world->sim, folder, find_text, &found);
    return found;
}

static void assert_has(struct slice text, const char *part)
{
    if (slice_find_slice(text, slice_text(part)) == SLICE_NOT_FOUND)
        fail_msg("\"%s\" is missing in:\n%.*s", part, SLICE_ARGS(text));
}

static void assert_lacks(struct slice text, const char *part)
{
    if (slice_find_slice(text, slice_text(part)) != SLICE_NOT_FOUND)
        fail_msg("\"%s\" stands in:\n%.*s", part, SLICE_ARGS(text));
}

static void notification_reads_as_the_standards_say(void **state)
{
    (void)state;
    world_message(world, "fail@away.example", 100);
    commit_all();
    world_run(world, DAY_MS);
    const struct slice text = only_file("/mail/box7");
    static const char *const parts[] = {
        "Return-Path: <>\nDelivered-To: sender@our.example\n",
        "\nFrom: Mail delivery <postmaster@mx.example.net>\nTo: <sender@our.example>\n",
        "\nAuto-Submitted: auto-replied\n",
        "\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"=_",
        "\nContent-Type: message/delivery-status\n\nOriginal-Envelope-Id: QQ+314\n"
        "Reporting-MTA: dns; mx.example.net\nReceived-From-MTA: dns; client.example\nArrival-Date: ",
        "\n\nFinal-Recipient: rfc822; fail@away.example\nAction: failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; [192.0.2.1]\nDiagnostic-Code: smtp; 550 5.1.1 no such user\nLast-Attempt-Date: ",
        "\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@example.org>\nX-Key: 1\n\n--=_",
        "--\n"};
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_has(text, parts[i]);
    assert_lacks(text, "end 1");
}

static void whole_message_comes_back_where_it_is_wanted(void **state)
{
    (void)state;
    world_message(world, "fail@away.example", 90000)->ret = RET_FULL;
    commit_all();
    world_run(world, DAY_MS);
    const struct slice text = only_file("/mail/box7");
    assert_has(text, "\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.org>\n");
    assert_has(text, "\nend 1\n\n--=_");
}

static void utf8_is_kept(void **state)
{
    (void)state;
    struct world_message *message = world_message(world, "j\xc3\xb6rg@our.example fail-\xd0\xb6@away.example",
                                                  100);
    message->smtputf8 = true;
    commit_all();
    world_run(world, DAY_MS);
    const struct slice text = only_file("/mail/box7");
    assert_has(text, "Content-Type: message/global-delivery-status\n");
    assert_has(text, "Final-Recipient: utf-8; fail-\xd0\xb6@away.example\n");
    assert_has(text, "Final-Recipient: utf-8; j\xc3\xb6rg@our.example\n");
    assert_has(text, "Content-Type: message/global-headers\nContent-Transfer-Encoding: 8bit\n");
}

/* --- kinds of messages ------------------------------------------------------------------------------------
 */

static void odd_contents_arrive_as_they_are(void **state)
{
    static const struct {
        const char *sent;
        const char *arrived;
    } odd[] = {{"", ""},
               {"no header at all\r\n", "no header at all\n"},
               {"\r\nbody alone\r\n", "\nbody alone\n"},
               {"Subject: \xe9\xff\x80\r\n\r\n\xff\r\n", "Subject: \xe9\xff\x80\n\n\xff\n"},
               {".\r\n..\r\nFrom here\r\n", ".\n..\nFrom here\n"},
               {"no end of line", "no end of line"}};

    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        char wanted[200];
        teardown(NULL);
        setup(NULL);
        world_message(world, "box0@our.example", 0)->raw = slice_of(odd[i].sent, strlen(odd[i].sent));
        commit_all();
        world_run(world, DAY_MS);
        snprintf(wanted, sizeof(wanted),
                 "Return-Path: <sender@our.example>\nDelivered-To: box0@our.example\n%s", odd[i].arrived);
        const struct slice arrived = only_file("/mail/box0");
        assert_true(slice_equal(arrived, slice_text(wanted)));
    }
}

static void large_message_arrives_everywhere(void **state)
{
    (void)state;
    struct world_message *message = world_message(
        world, "box0@our.example x@away.example x@lmtp.example fail@away.example", 20000000);
    commit_all();
    world_run(world, DAY_MS);
    assert_int_equal(world_copies(world, "box0", message), 1);
    assert_true(message->remote[1] == 1 && message->remote[2] == 1);
    assert_int_equal(world->remote_bad, 0);
    world_check(world);
}

static void many_recipients(void **state)
{
    (void)state;
    struct world_message *message = world_message(world, "box0@our.example later@lmtp.example", 100);
    message->extra = 2500;
    commit_all();
    world_run(world, MINUTE_MS);
    assert_int_equal(message->remote_extra, 2500);
    assert_int_equal(world_files(world, "queue"), 1);
    world->remote_up = true;
    world_run(world, DAY_MS);
    assert_int_equal(message->remote_extra, 2500);
    assert_int_equal(message->remote[1], 1);
    assert_int_equal(world_files(world, "queue"), 0);
}

static void recipients_at_one_place_get_one_copy(void **state)
{
    (void)state;
    struct world_message *message = world_message(
        world, "box0@our.example BOX0@our.example twin@our.example box0+x@our.example", 100);
    commit_all();
    world_run(world, DAY_MS);
    assert_int_equal(world_copies(world, "box0", message), 1);
    assert_int_equal(world_copies(world, "box1", message), 1);
    assert_int_equal(world->events[EVENT_KIND_delivered], 5);
}

/* --- trouble ----------------------------------------------------------------------------------------------
 */

static void mailbox_that_cannot_be_written_waits_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        char to[32];
        snprintf(to, sizeof(to), "box%u@our.example", i);
        world_message(world, to, 100);
    }
    sim_fail(world->sim, SIM_MAKE_FOLDER, 1, 1000000, EACCES, "box3");
    commit_all();
    world_run(world, HOUR_MS);
    for (unsigned i = 0; i < 8; i++) {
        char box[8];
        snprintf(box, sizeof(box), "box%u", i % 10);
        assert_int_equal(world_copies(world, box, &world->messages[i]), i != 3);
    }
    assert_int_equal(world_files(world, "queue"), 1);
    assert_non_null(strstr(world->last_reason, "Permission denied"));
    assert_null(strstr(world->last_reason, "/mail"));
    sim_heal(world->sim);
    world_run(world, DAY_MS);
    world_check(world);
}

/* Whatever the disk refuses, for however long: when it is well again, all is delivered. */
static void disk_in_trouble_loses_nothing(void **state)
{
    const int errors[] = {ENOSPC, EIO, EROFS, EACCES};

    (void)state;
    for (unsigned kind = 0; kind < SIM_KINDS; kind++)
        for (size_t e = 0; e < COUNT(errors); e++) {
            teardown(NULL);
            setup(NULL);
            world_message(world, "box0@our.example later@away.example", 100);
            world_message(world, "fail@away.example box1@our.example", 80000);
            world_message(world, "x@lmtp.example", 100);
            commit_all();
            sim_fail(world->sim, (enum sim_kind)kind, 1, 1000000, errors[e], NULL);
            world_run(world, HOUR_MS);
            sim_heal(world->sim);
            world->remote_up = true;
            world_run(world, DAY_MS);
            for (unsigned i = 0; i < 3; i++)
                world->messages[i].accepted = true;
            world->crashes = 100; /* results that could not be kept may have cost copies */
            world_check(world);
            assert_int_equal(world->events[EVENT_KIND_queue_damaged], 0);
        }
}

/* No endless trying while the disk is full: an hour of it costs a bounded number of operations. */
static void full_disk_is_no_spin(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        world_message(world, "later@away.example", 100);
    commit_all();
    sim_set_room(world->sim, 0);
    const uint64_t before = sim_operations(world->sim);
    world_run(world, HOUR_MS);
    assert_true(sim_operations(world->sim) - before < 10000);
    assert_true(world->events[EVENT_KIND_trouble] > 0 && world->events[EVENT_KIND_trouble] < 100);
    sim_set_room(world->sim, 1 << 30);
    world->remote_up = true;
    world_run(world, DAY_MS);
    world_check(world);
}

static void damaged_file_is_set_aside_and_the_rest_goes_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        world_message(world, "later@away.example", 100);
    commit_all();
    world_run(world, MINUTE_MS);
    assert_int_equal(world_files(world, "queue"), 3);
    world_courier_end(world);
    char path[100];
    char id[QUEUE_ID_SIZE];
    queue_id_print(world->messages[1].session, world->messages[1].number, id);
    snprintf(path, sizeof(path), "/state/spool/queue/%s.message", id);
    sim_rot(world->sim, path, 100, SLICE("X"));
    sim_put(world->sim, "/state/spool/queue/0000000000001.9.message", SLICE("rubbish"));
    world->remote_up = true;
    world_courier(world);
    world_run(world, DAY_MS);
    assert_int_equal(world_files(world, "damaged"), 2);
    assert_int_equal(world->events[EVENT_KIND_queue_damaged], 2);
    assert_int_equal(world_files(world, "queue"), 0);
    assert_true(world->messages[0].remote[0] == 1 && world->messages[2].remote[0] == 1);
    assert_int_equal(world->messages[1].remote[0], 0);
}

/* --- many -------------------------------------------------------------------------------------------------
 */

/* Mail for a server that never answers, and more than is taken in hand of it, does not stop the others. */
static void slow_destination_does_not_hold_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 600; i++)
        world_message(world, "x@away.example", 100);
    for (unsigned i = 0; i < 50; i++)
        world_message(world, "box0@our.example", 100);
    for (size_t at = 0; at < world->message_count; at += 50)
        world_commit(world, at, 50);
    world_gate_close(world);
    /* All but the other servers' answers. */
    for (unsigned quiet = 0; quiet < 50;) {
        queue_turn(world->queue);
        queue_look(world->queue, NULL);
        const size_t shipped = world->shipped_count;
        world->shipped_count = 0;
        quiet = world_step(world) ? quiet : quiet + 1;
        memmove(world->shipped + shipped, world->shipped, world->shipped_count * sizeof(world->shipped[0]));
        world->shipped_count += shipped;
        unsigned arrived = 0;
        for (unsigned i = 600; i < 650; i++)
            arrived += world->events[EVENT_KIND_delivered] >= 50;
        if (arrived == 50 && world_files(world, "queue") >= 350)
            break;
    }
    assert_true(world->shipped_count <= world->site->set.deliver_connections);
    assert_int_equal(world->events[EVENT_KIND_delivered], 50);
    assert_true(world_files(world, "queue") >= 350);
    world_run(world, DAY_MS);
    for (unsigned i = 0; i < 600; i++)
        assert_int_equal(world->messages[i].remote[0], 1);
    world_check(world);
}

static void what_is_under_way_is_bounded(void **state)
{
    (void)state;
    world_courier_end(world);
    world->active_max = 40;
    world_courier(world);
    for (unsigned i = 0; i < 400; i++)
        world_message(world, i % 2 ? "box0@our.example" : "later@away.example", 4000);
    for (size_t at = 0; at < world->message_count; at += 8)
        world_commit(world, at, 8);
    world_gate_close(world);
    world_run(world, 10 * MINUTE_MS);
    assert_int_equal(world_files(world, "queue"), 200);
    world->remote_up = true;
    world_run(world, DAY_MS);
    assert_true(world->active_most > 20 && world->active_most < 40 + 8);
    world_check(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(notifications_are_sent_when_due, setup, teardown),
        cmocka_unit_test_setup_teardown(null_sender_is_never_told, setup, teardown),
        cmocka_unit_test_setup_teardown(delay_is_told_once_to_who_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(delay_is_told_where_the_setting_wants_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_delivered_expires, setup, teardown),
        cmocka_unit_test_setup_teardown(notification_without_a_route_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(notification_reads_as_the_standards_say, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_message_comes_back_where_it_is_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(utf8_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_contents_arrive_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(large_message_arrives_everywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(many_recipients, setup, teardown),
        cmocka_unit_test_setup_teardown(recipients_at_one_place_get_one_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(mailbox_that_cannot_be_written_waits_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(disk_in_trouble_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_is_no_spin, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_file_is_set_aside_and_the_rest_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_destination_does_not_hold_others, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_under_way_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
