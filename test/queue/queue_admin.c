/* The administrator sees what waits, and what he changes stays changed. */
#include "unit.h"

#include "../crash/world.h"

#include <stdio.h>

#define MINUTE_MS UINT64_C(60000)
#define DAY_MS    UINT64_C(86400000)

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

static void assert_has(struct slice text, const char *part)
{
    if (slice_find_slice(text, slice_text(part)) == SLICE_NOT_FOUND)
        fail_msg("\"%s\" is missing in:\n%.*s", part, SLICE_ARGS(text));
}

struct answers {
    struct buf text;
    unsigned lines;
    bool ended;
    char trouble[200];
};

static bool answer_line(void *whom, struct slice json)
{
    struct answers *answers = whom;

    answers->lines++;
    buf_add(&answers->text, json);
    return buf_add_octet(&answers->text, '\n');
}

static bool answer_ready(void *whom)
{
    (void)whom;
    return true;
}

static void answer_end(void *whom, const char *trouble)
{
    struct answers *answers = whom;

    assert_false(answers->ended);
    answers->ended = true;
    snprintf(answers->trouble, sizeof(answers->trouble), "%s", trouble ? trouble : "");
}

static struct answers answers;

static const char *ask(enum queue_command command, const char *id)
{
    const struct queue_question question = {.command = command,
                                            .id = slice_text(id),
                                            .whom = &answers,
                                            .line = answer_line,
                                            .ready = answer_ready,
                                            .end = answer_end};

    buf_drop(&answers.text);
    memset(&answers, 0, sizeof(answers));
    buf_init(&answers.text, UINT32_MAX);
    queue_ask(world->queue, &question);
    while (!answers.ended)
        world_step(world);
    return answers.trouble;
}

static void administrator_sees_and_changes(void **state)
{
    char id[QUEUE_ID_SIZE];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        world_message(world, "later@away.example", 100);
    commit_all();
    world_run(world, MINUTE_MS);
    assert_string_equal(ask(QUEUE_LIST, ""), "");
    assert_int_equal(answers.lines, 100);
    queue_id_print(world->messages[5].session, world->messages[5].number, id);
    assert_has(buf_slice(&answers.text), id);
    assert_string_equal(ask(QUEUE_SHOW, id), "");
    assert_has(buf_slice(&answers.text), "\"state\":\"waiting\"");
    assert_has(buf_slice(&answers.text), "\"text\":\"come back later\"");
    assert_string_equal(ask(QUEUE_HOLD, id), "");
    assert_string_equal(ask(QUEUE_HOLD, id), "the message is held already");
    assert_string_equal(ask(QUEUE_RETRY, id), "the message is held: release it first");
    world->remote_up = true;
    assert_string_equal(ask(QUEUE_RETRY, ""), "");
    world_run(world, 0);
    assert_int_equal(world_files(world, "queue"), 1);
    /* It stays held over a restart. */
    world_courier_end(world);
    world_courier(world);
    world_run(world, DAY_MS);
    assert_int_equal(world->messages[5].remote[0], 0);
    assert_string_equal(ask(QUEUE_SHOW, id), "");
    assert_has(buf_slice(&answers.text), "\"state\":\"held\"");
    assert_string_equal(ask(QUEUE_RELEASE, ""), "");
    assert_string_equal(ask(QUEUE_RELEASE, "0000000000001.1"), "there is no such message");
    world_run(world, 0);
    assert_int_equal(world->messages[5].remote[0], 1);
    assert_int_equal(world_files(world, "queue"), 0);
    assert_int_equal(world->events[EVENT_KIND_message_held], 2);
    assert_string_equal(ask(QUEUE_SHOW, "what"),
                        "this is no id of a message; expected one such as 06p3qj7x4r0a1.1");
    assert_string_equal(ask(QUEUE_DELETE, ""), "which message? Expected its id");
    buf_drop(&answers.text);
}

static void deleted_is_gone_for_good(void **state)
{
    char id[QUEUE_ID_SIZE];

    (void)state;
    world_message(world, "later@away.example", 100);
    commit_all();
    world_run(world, MINUTE_MS);
    queue_id_print(world->messages[0].session, world->messages[0].number, id);
    assert_string_equal(ask(QUEUE_DELETE, id), "");
    assert_string_equal(ask(QUEUE_DELETE, id), "there is no such message");
    world_crash(world, SIM_LOSE_ALL);
    world->remote_up = true;
    world_courier(world);
    world_run(world, 6 * DAY_MS);
    assert_int_equal(world->messages[0].remote[0], 0);
    assert_int_equal(world->events[EVENT_KIND_notification_queued], 0);
    assert_string_equal(world->last_reason, "deleted by the administrator");
    assert_int_equal(world_files(world, "queue"), 0);
    buf_drop(&answers.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(administrator_sees_and_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(deleted_is_gone_for_good, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
