/* Wherever the machine stops, and whatever the disk loses of what was not synced: each message that had its
 * 250 is delivered whole, or its sender is told; to a Maildir once, to another server twice at most where the
 * stop came between its answer and the sync of the mark. Nothing is taken for damaged, nothing stays behind.
 *
 * Small scenarios are run with a stop at each operation on the disk, larger ones at places by chance. */
#include "unit.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS UINT64_C(86400000)

typedef void scenario(struct world *world);

static void one_message(struct world *world)
{
    world_message(world, "box0@our.example", 100);
    world_courier(world);
    world_commit(world, 0, 1);
    world_run(world, 0);
    world_gate_close(world);
    world_run(world, DAY_MS);
}

/* The gate is ahead of the courier, and a batch follows in the same segment. */
static void two_batches(struct world *world)
{
    world_message(world, "box0@our.example", 100);
    world_message(world, "box1@our.example box2@our.example", 3000);
    world_message(world, "box3@our.example", 0);
    world_commit(world, 0, 2);
    world_courier(world);
    for (unsigned i = 0; i < 5; i++)
        world_step(world);
    world_commit(world, 2, 1);
    world_gate_close(world);
    world_run(world, DAY_MS);
}

static void must_wait(struct world *world)
{
    world_message(world, "later@away.example box0@our.example", 100);
    world_message(world, "ahead@our.example", 100);
    world_commit(world, 0, 2);
    world_gate_close(world);
    world_courier(world);
    world_run(world, 600000);
    world->remote_up = true;
    world_run(world, DAY_MS);
}

static void is_refused(struct world *world)
{
    world_message(world, "fail@away.example box1@our.example", 100);
    world_message(world, "nobody@our.example", 200)->null_sender = true;
    world_commit(world, 0, 2);
    world_gate_close(world);
    world_courier(world);
    world_run(world, DAY_MS);
}

static void large_one(struct world *world)
{
    world_message(world, "box0@our.example", 70000);
    world_message(world, "later@lmtp.example", 90000);
    world_courier(world);
    world_commit(world, 0, 2);
    world_run(world, 1000);
    world->remote_up = true;
    world_run(world, DAY_MS);
}

static void gate_fails_and_goes_on(struct world *world)
{
    world_message(world, "box0@our.example", 100);
    world_message(world, "box1@our.example", 100);
    world_message(world, "box2@our.example", 100);
    world_courier(world);
    world_commit(world, 0, 1);
    sim_fail(world->sim, SIM_SYNC, 1, 1, 5, "segment");
    world_commit(world, 1, 1);
    world_commit(world, 2, 1);
    world_run(world, 0);
    world_gate_close(world);
    world_run(world, DAY_MS);
}

static void many_kinds(struct world *world)
{
    static const char *const to[] = {"box0@our.example",   "twin@our.example",
                                     "later@away.example", "fail@away.example box4@our.example",
                                     "nobody@our.example", "x@lmtp.example fail@lmtp.example",
                                     "lost@away.example",  "box5@our.example box6@our.example x@away.example",
                                     "ahead@our.example"};

    world_courier(world);
    for (unsigned i = 0; i < 24; i++) {
        struct world_message *message = world_message(world, to[random_below(&world->random, COUNT(to))],
                                                      random_below(&world->random, 9) ? 200 : 80000);
        message->null_sender = random_below(&world->random, 4) == 0;
    }
    for (size_t at = 0; at < 24;) {
        const size_t count = 1 + (size_t)random_below(&world->random, 24 - at < 6 ? 24 - at : 6);
        world_commit(world, at, count);
        at += count;
        for (uint64_t steps = random_below(&world->random, 30); steps; steps--)
            world_step(world);
        if (random_below(&world->random, 5) == 0)
            world_gate_close(world);
    }
    world->remote_up = random_below(&world->random, 2);
    world_gate_close(world);
    world_run(world, DAY_MS / 24);
    world->remote_up = true;
    world_run(world, DAY_MS);
}

static const struct {
    const char *name;
    scenario *run;
} small[] = {{"one message", one_message}, {"two batches", two_batches},
             {"must wait", must_wait},     {"is refused", is_refused},
             {"large one", large_one},     {"gate fails", gate_fails_and_goes_on}};

static void recover(struct world *world)
{
    world->remote_up = true;
    world_courier(world);
    world_run(world, 6 * DAY_MS);
}

static char running[200]; /* what to repeat when it fails */

static unsigned run_with_stop(scenario *run, uint64_t seed, uint64_t stop_at, enum sim_loss loss,
                              uint64_t again_at)
{
    struct world *world = world_new(seed);

    snprintf(running, sizeof(running), "seed %llu, stop at %llu, loss %d, again at %llu",
             (unsigned long long)seed, (unsigned long long)stop_at, (int)loss, (unsigned long long)again_at);
    if (getenv("TRACE"))
        fprintf(stderr, "%s\n", running);
    sim_stop_at(world->sim, stop_at);
    run(world);
    const uint64_t operations = sim_operations(world->sim);
    if (stop_at) {
        world_crash(world, loss);
        sim_stop_at(world->sim, again_at ? sim_operations(world->sim) + again_at : 0);
        recover(world);
    }
    if (again_at) {
        world_crash(world, loss);
        recover(world);
    }
    world_check(world);
    if (world->events[EVENT_KIND_queue_damaged])
        fail_msg("something was taken for damaged: %s", world->last_reason);
    world_free(world);
    running[0] = '\0';
    return (unsigned)operations;
}

static void every_stop_in_small_scenarios(void **state)
{
    unsigned runs = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(small); i++) {
        const unsigned operations = run_with_stop(small[i].run, 7, 0, SIM_LOSE_ALL, 0);
        for (uint64_t at = 1; at <= operations; at++) {
            run_with_stop(small[i].run, 7, at, SIM_LOSE_ALL, 0);
            run_with_stop(small[i].run, 7, at, SIM_LOSE_NOTHING, 0);
            for (uint64_t seed = 0; seed < 8; seed++)
                run_with_stop(small[i].run, 7 + seed * 1000, at, SIM_LOSE_SOME, 0);
            runs += 10;
        }
        print_message("%s: %u operations\n", small[i].name, operations);
    }
    print_message("%u stops\n", runs);
}

/* The second stop falls into the recovery from the first. */
static void a_stop_while_recovering(void **state)
{
    struct random random = {.state = 99};

    (void)state;
    for (size_t i = 0; i < COUNT(small); i++) {
        const unsigned operations = run_with_stop(small[i].run, 7, 0, SIM_LOSE_ALL, 0);
        for (uint64_t at = 1; at <= operations; at++)
            for (unsigned k = 0; k < 4; k++)
                run_with_stop(small[i].run, 7 + k, at, (enum sim_loss)random_below(&random, SIM_LOSSES),
                              1 + random_below(&random, 40));
    }
}

/* What was settled before the stop is not done a second time. */
static void settled_is_settled(void **state)
{
    static const char *const to[] = {"x@away.example",
                                     "x@lmtp.example later@away.example",
                                     "y@away.example fail@away.example",
                                     "ahead@our.example",
                                     "later@away.example",
                                     "z@away.example"};

    (void)state;
    for (unsigned loss = 0; loss < SIM_LOSSES; loss++)
        for (unsigned closed = 0; closed < 2; closed++) {
            struct world *world = world_new(77 + closed);
            world_courier(world);
            for (size_t i = 0; i < COUNT(to); i++)
                world_message(world, to[i], 100 + i % 2 * 80000);
            world_commit(world, 0, COUNT(to));
            if (closed)
                world_gate_close(world);
            world_run(world, 60000);
            world_crash(world, (enum sim_loss)loss);
            world_courier(world);
            world->remote_up = true;
            world_run(world, DAY_MS);
            world_crash(world, (enum sim_loss)loss);
            recover(world);
            world_check(world);
            for (size_t i = 0; i < COUNT(to); i++) {
                assert_int_equal(world->messages[i].remote[0], 1);
                if (i == 2)
                    assert_int_equal(world_notifications(world, &world->messages[i], "failed"), 1);
            }
            world_free(world);
        }
}

static void stops_by_chance_in_a_large_one(void **state)
{
    const char *runs_text = getenv("POSTERN_CRASH_RUNS");
    const uint64_t runs = runs_text ? strtoull(runs_text, NULL, 10) : 300;
    struct random random = {.state = 4711};

    (void)state;
    for (uint64_t i = 0; i < runs; i++) {
        const uint64_t seed = random_next(&random);
        const uint64_t stop_at = 1 + random_below(&random, 500);
        run_with_stop(many_kinds, seed, i % 10 ? stop_at : 0,
                      (enum sim_loss)random_below(&random, SIM_LOSSES),
                      i % 10 && i % 3 == 0 ? 1 + random_below(&random, 200) : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stop_in_small_scenarios),
        cmocka_unit_test(a_stop_while_recovering),
        cmocka_unit_test(settled_is_settled),
        cmocka_unit_test(stops_by_chance_in_a_large_one),
    };

    const int failed = cmocka_run_group_tests(tests, NULL, NULL);

    if (running[0])
        print_message("the last to fail: %s\n", running);
    return failed;
}
