/* Proves that names are resolved beside the loop: answers come once, are kept, shared, forgotten, and outlive
 * a resolver that is freed meanwhile. */
#include "base/memory.h"
#include "io/loop.h"
#include "io/resolve.h"
#include "unit.h"

struct rig {
    struct loop *loop;
    struct resolve *resolve;
    unsigned told;
    uint64_t sum;
    struct resolve_answer last;
};

static void told(void *whom, uint64_t number, const struct resolve_answer *answer)
{
    struct rig *rig = whom;
    rig->told++;
    rig->sum += number;
    rig->last = *answer;
}

static bool ask(struct rig *rig, const char *name, uint64_t number, struct resolve_answer *ret_answer)
{
    return resolve_ask(rig->resolve, slice_text(name), number, told, rig, ret_answer);
}

static void wait_for(struct rig *rig, unsigned count)
{
    uint64_t end_ms = loop_now_ms(rig->loop) + 30000;
    while (rig->told < count) {
        assert_true(loop_now_ms(rig->loop) < end_ms);
        loop_turn(rig->loop, 100);
    }
}

static int rig_open(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    rig->loop = loop_open(NULL);
    rig->resolve = resolve_new(rig->loop);
    *state = rig;
    return 0;
}

static int rig_close(void **state)
{
    struct rig *rig = *state;
    resolve_free(rig->resolve);
    loop_close(rig->loop);
    memory_give(rig, sizeof *rig);
    return 0;
}

static void resolves_and_keeps(void **state)
{
    struct rig *rig = *state;
    struct resolve_answer answer;
    assert_false(ask(rig, "localhost", 1, &answer));
    assert_int_equal(rig->told, 0);
    wait_for(rig, 1);
    assert_true(rig->last.count > 0 && address_is_loopback(&rig->last.addresses[0]));
    assert_int_equal(rig->last.addresses[0].port, 0);
    assert_true(ask(rig, "localhost", 2, &answer));
    assert_true(answer.count == rig->last.count);
    assert_int_equal(rig->told, 1);
}

static void shares_and_forgets(void **state)
{
    struct rig *rig = *state;
    struct resolve_answer answer;
    for (uint64_t number = 1; number <= 4; number++)
        assert_false(ask(rig, "localhost", number, &answer));
    resolve_forget(rig->resolve, rig, 2);
    resolve_forget(rig->resolve, rig, 9);
    wait_for(rig, 3);
    assert_int_equal(rig->sum, 1 + 3 + 4);
}

static void says_why_not(void **state)
{
    struct rig *rig = *state;
    struct resolve_answer answer;
    assert_true(ask(rig, "", 1, &answer) && answer.count == 0 && answer.trouble.len > 0);
    assert_true(resolve_ask(rig->resolve, SLICE("a\0b"), 1, told, rig, &answer) && answer.count == 0);
    assert_false(ask(rig, "no such name", 1, &answer));
    wait_for(rig, 1);
    assert_int_equal(rig->last.count, 0);
    assert_true(ask(rig, "no such name", 1, &answer));
    assert_true(answer.count == 0 && answer.trouble.len > 0);
}

static void freed_meanwhile(void **state)
{
    struct rig *rig = *state;
    struct resolve_answer answer;
    assert_false(ask(rig, "localhost", 1, &answer));
    assert_false(ask(rig, "no such name", 2, &answer));
    resolve_free(rig->resolve);
    rig->resolve = NULL;
    for (unsigned i = 0; i < 5; i++)
        loop_turn(rig->loop, 1);
    assert_int_equal(rig->told, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_open, rig_close)
    const struct CMUnitTest tests[] = {
        TEST(resolves_and_keeps),
        TEST(shares_and_forgets),
        TEST(says_why_not),
        TEST(freed_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
