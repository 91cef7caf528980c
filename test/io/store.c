/* Proves one contract for all classes of store: what was put is there until its time, whatever the sweep
 * does; counters add up and touches merge in whatever order they come; a walk comes by each; a batch is
 * applied whole with its positions; what lasts is there when it is opened again, and seen by other processes;
 * and the overlay answers until the store has caught up. */
#include "base/random.h"
#include "base/text.h"
#include "store_rig.h"

#include <sys/wait.h>

/* --- the contract --------------------------------------------------------------------------------------- */

static void values_come_and_go(struct store *store)
{
    assert_value(store, SLICE("a"), NOW, NULL);
    put(store, SLICE("a"), SLICE("1"), 0);
    assert_value(store, SLICE("a"), NOW, "1");
    put(store, SLICE("a"), SLICE("22"), NOW + 10);
    assert_value(store, SLICE("a"), NOW + 9, "22");
    assert_value(store, SLICE("a"), NOW + 10, NULL);
    put(store, SLICE("a"), SLICE(""), 0);
    assert_value(store, SLICE("a"), NOW, "");
    put_removed(store, SLICE("a"));
    put_removed(store, SLICE("a"));
    assert_value(store, SLICE("a"), NOW, NULL);
    put(store, SLICE("with\0nul"), SLICE("x"), 0);
    assert_value(store, SLICE("with"), NOW, NULL);
    assert_value(store, SLICE("with\0nul"), NOW, "x");
}

static void keys_of_every_length(struct store *store)
{
    static char key[STORE_KEY_MAX];
    char text[24];
    memset(key, 'k', sizeof key);
    for (size_t len = 1; len <= sizeof key; len += len < 600 ? 1 : 101) {
        snprintf(text, sizeof text, "%zu", len);
        put(store, slice_of(key, len), slice_text(text), 0);
    }
    for (size_t len = 1; len <= sizeof key; len += len < 600 ? 1 : 101) {
        snprintf(text, sizeof text, "%zu", len);
        assert_value(store, slice_of(key, len), NOW, text);
    }
    static char value[STORE_VALUE_MAX];
    memset(value, 'v', sizeof value);
    put(store, SLICE("largest"), slice_of(value, sizeof value), 0);
    struct slice got;
    assert_int_equal(store_get(store, SLICE("largest"), NOW, &got, NULL), STORE_FOUND);
    assert_true(slice_equal(got, slice_of(value, sizeof value)));
}

static void batches_move_positions(struct store *store)
{
    struct store_position position;
    const struct store_write writes[] = {
        {.verb = STORE_PUT, .key = SLICE("b"), .value = SLICE("first"), .expires_unix_ms = 0},
        {.verb = STORE_REMOVE, .key = SLICE("b")},
        {.verb = STORE_PUT, .key = SLICE("c"), .value = SLICE("1"), .expires_unix_ms = 0},
        {.verb = STORE_PUT, .key = SLICE("c"), .value = SLICE("2"), .expires_unix_ms = 0},
    };
    const struct store_stream streams[] = {{SLICE("gate-0"), {1, 100}}, {SLICE("gate-1"), {7, 4000000000}}};
    assert_int_equal(store_position(store, SLICE("gate-0"), &position, NULL), STORE_NONE);
    assert_int_equal(store_apply(store, &(struct store_batch){writes, COUNT(writes), streams, 2}, NULL), 0);
    assert_value(store, SLICE("b"), NOW, NULL);
    assert_value(store, SLICE("c"), NOW, "2");
    assert_int_equal(store_position(store, SLICE("gate-1"), &position, NULL), STORE_FOUND);
    assert_int_equal(position.sequence, 7);
    assert_int_equal(position.offset, 4000000000);
    assert_int_equal(store_position(store, SLICE("gate-0"), &position, NULL), STORE_FOUND);
    assert_int_equal(position.offset, 100);
    /* Positions are no values. */
    assert_value(store, SLICE("gate-0"), NOW, NULL);
}

static void each_batch_makes_a_version(struct store *store)
{
    uint64_t before = store_version(store);
    assert_true(before);
    for (unsigned i = 0; i < 3; i++) {
        put(store, SLICE("version"), i == 1 ? SLICE("") : SLICE("x"), 0);
        assert_true(store_version(store) > before);
        before = store_version(store);
        assert_value(store, SLICE("version"), NOW, i == 1 ? "" : "x");
        assert_true(store_version(store) == before);
    }
}

static void sweep_takes_what_is_over(struct store *store)
{
    struct store_counts before, after;
    assert_int_equal(store_counts(store, &before, NULL), 0);
    for (unsigned i = 0; i < 1000; i++) {
        char key[24];
        snprintf(key, sizeof key, "sweep %u", i);
        put(store, slice_text(key), SLICE("x"), i % 2 ? NOW + 5 : 0);
    }
    assert_int_equal(store_sweep(store, NOW, 100000, NULL), 0);
    int removed = 0;
    for (unsigned round = 0; round < 200 && removed < 500; round++) {
        int now = store_sweep(store, NOW + 5, 50, NULL);
        assert_true(now >= 0 && now <= 50);
        removed += now;
    }
    assert_int_equal(removed, 500);
    assert_int_equal(store_counts(store, &after, NULL), 0);
    assert_int_equal(after.entries, before.entries + 500);
    assert_value(store, SLICE("sweep 1"), NOW, NULL);
    assert_value(store, SLICE("sweep 2"), NOW, "x");
}

static void counters_add_up(struct store *store)
{
    struct slice key = SLICE("counter");
    assert_count(store, key, NOW, 0);
    add(store, key, "1", NOW, NOW + 100);
    add(store, key, "41", NOW + 1, NOW + 50); /* the longest time to live holds */
    assert_count(store, key, NOW + 99, 42);
    assert_count(store, key, NOW + 100, 0);
    add(store, key, "7", NOW + 100, NOW + 200); /* what was over begins anew */
    assert_count(store, key, NOW + 100, 7);
    add(store, key, "0", NOW + 100, 0); /* for ever */
    add(store, key, "1", NOW + 100, NOW + 300);
    assert_count(store, key, NOW + 1000000, 8);
    add(store, key, "18446744073709551615", NOW + 100, 0);
    assert_count(store, key, NOW, UINT64_MAX);
}

static void touches_are_merged(struct store *store)
{
    struct slice key = SLICE("touched");
    assert_seen(store, key, NOW, NULL);
    touch(store, key, "", NOW + 5, NOW + 100);
    assert_seen(store, key, NOW + 5, &(struct store_touches){NOW + 5, NOW + 5, 1, 0});
    /* Another gate's, earlier, comes later. */
    touch(store, key, "a", NOW + 2, NOW + 90);
    touch(store, key, "b", NOW + 9, NOW + 110);
    touch(store, key, "a", NOW + 7, NOW + 107);
    assert_seen(store, key, NOW + 109, &(struct store_touches){NOW + 2, NOW + 9, 4, 2});
    assert_seen(store, key, NOW + 110, NULL);
    touch(store, key, "c", NOW + 110, NOW + 200);
    assert_seen(store, key, NOW + 110, &(struct store_touches){NOW + 110, NOW + 110, 1, 1});
    for (unsigned i = 0; i < 3 * STORE_DISTINCT_MAX; i++) {
        char thing[24];
        snprintf(thing, sizeof thing, "%u", i);
        touch(store, key, thing, NOW + 120, 0);
    }
    assert_seen(
        store, key, NOW + 900,
        &(struct store_touches){NOW + 110, NOW + 120, 1 + 3 * STORE_DISTINCT_MAX, STORE_DISTINCT_MAX});
}

/* The order in which the touches of three gates arrive is of no account. */
static void any_order_gives_the_same(struct store *store)
{
    static const char *const things[] = {"x", "", "y", "x", "z", "y"};
    const struct store_touches wanted = {NOW, NOW + 5, COUNT(things), 3};
    unsigned order[COUNT(things)] = {0, 1, 2, 3, 4, 5};
    struct random random = {11};
    for (unsigned round = 0; round < 50; round++) {
        char key[24];
        snprintf(key, sizeof key, "order %u", round);
        for (unsigned i = 0; i < COUNT(things); i++) {
            unsigned other = (unsigned)random_below(&random, COUNT(things)), kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (unsigned i = 0; i < COUNT(things); i++)
            touch(store, slice_text(key), things[order[i]], NOW + order[i], NOW + 100 + order[i]);
        assert_seen(store, slice_text(key), NOW + 104, &wanted);
        assert_seen(store, slice_text(key), NOW + 105, NULL);
    }
}

/* What a walk has come by: a mark for each of "walk 0" to "walk 99". */
struct walked {
    unsigned counts[100];
    unsigned values, counters, touched;
};

static void walked_by(void *data, const struct store_item *item)
{
    struct walked *walked = data;
    struct slice rest = item->key, word;
    uint64_t number;
    assert_true(slice_word(&rest, &word) && slice_equal(word, SLICE("walk")));
    assert_true(slice_word(&rest, &word) && text_parse_u64(word, &number) && number < 100);
    walked->counts[number]++;
    assert_int_equal(item->expires_unix_ms, number % 5 ? NOW + 50 : 0);
    if (item->by == STORE_PUT) {
        assert_slice_equal(item->value, "v");
        walked->values++;
    } else if (item->by == STORE_ADD) {
        assert_int_equal(item->count, number);
        walked->counters++;
    } else {
        assert_int_equal(item->touches.last_unix_ms, NOW);
        walked->touched++;
    }
}

static void walk_all(struct store *store, int64_t now, size_t most, struct walked *ret_walked)
{
    struct store_walk walk = {.prefix = SLICE("walk "), .most = most};
    unsigned calls = 0;
    *ret_walked = (struct walked){.values = 0};
    do {
        assert_int_equal(store_walk(store, &walk, now, walked_by, ret_walked, NULL), 0);
        assert_true(++calls < 10000);
    } while (walk.cursor_len);
}

static void walks_come_by_each(struct store *store)
{
    static const size_t steps[] = {1, 7, 100, 1000000};
    struct walked walked;
    put(store, SLICE("walk"), SLICE("-"), 0); /* none of them, nor what stands before and behind */
    put(store, SLICE("walj 5"), SLICE("-"), 0);
    put(store, SLICE("walk!"), SLICE("-"), 0);
    for (unsigned i = 0; i < 100; i++) {
        char key[24], number[24];
        snprintf(key, sizeof key, "walk %u", i);
        snprintf(number, sizeof number, "%u", i);
        int64_t expires = i % 5 ? NOW + 50 : 0;
        if (i % 3 == 0)
            put(store, slice_text(key), SLICE("v"), expires);
        else if (i % 3 == 1)
            add(store, slice_text(key), number, NOW, expires);
        else
            touch(store, slice_text(key), number, NOW, expires);
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        walk_all(store, NOW, steps[i], &walked);
        for (unsigned k = 0; k < 100; k++)
            assert_int_equal(walked.counts[k], 1);
        assert_int_equal(walked.values, 34);
        assert_int_equal(walked.counters, 33);
        assert_int_equal(walked.touched, 33);
        walk_all(store, NOW + 50, steps[i], &walked);
        for (unsigned k = 0; k < 100; k++)
            assert_int_equal(walked.counts[k], k % 5 == 0);
    }
}

static void each_verb_sees_its_own(struct store *store)
{
    struct slice key = SLICE("of three kinds"), value;
    struct store_item item;
    assert_int_equal(store_item(store, key, NOW, &item, NULL), STORE_NONE);
    put(store, key, SLICE("5"), NOW + 7);
    assert_int_equal(store_item(store, key, NOW, &item, NULL), STORE_FOUND);
    assert_true(item.by == STORE_PUT && item.expires_unix_ms == NOW + 7 &&
                slice_equal(item.value, SLICE("5")));
    assert_int_equal(store_item(store, key, NOW + 7, &item, NULL), STORE_NONE);
    assert_count(store, key, NOW, 0);
    assert_seen(store, key, NOW, NULL);
    add(store, key, "3", NOW, 0);
    assert_count(store, key, NOW, 3);
    assert_int_equal(store_item(store, key, NOW, &item, NULL), STORE_FOUND);
    assert_true(item.by == STORE_ADD && item.count == 3);
    assert_int_equal(store_get(store, key, NOW, &value, NULL), STORE_NONE);
    touch(store, key, "", NOW, 0);
    assert_count(store, key, NOW, 0);
    assert_seen(store, key, NOW, &(struct store_touches){NOW, NOW, 1, 0});
    put_removed(store, key);
    assert_seen(store, key, NOW, NULL);
}

/* --- the overlay --------------------------------------------------------------------------------------- */

static void assert_overlay(struct store_overlay *overlay, struct slice key, int64_t now, const char *wanted)
{
    struct slice value = SLICE_NONE;
    assert_int_equal(store_overlay_get(overlay, key, now, &value, NULL), wanted ? STORE_FOUND : STORE_NONE);
    if (wanted)
        assert_true(slice_equal(value, slice_text(wanted)));
}

static void move_position(struct store *store, struct store_position position)
{
    struct store_stream stream = {SLICE("gate-0"), position};
    assert_int_equal(store_apply(store, &(struct store_batch){.streams = &stream, .stream_count = 1}, NULL),
                     0);
}

static void overlay_answers_until_it_is_applied(struct store *store)
{
    struct store_overlay *overlay = store_overlay_new(store, SLICE("gate-0"), 3);
    struct store_write write = {
        .verb = STORE_PUT, .key = SLICE("a"), .value = SLICE("new"), .expires_unix_ms = NOW + 1000};
    put(store, SLICE("a"), SLICE("old"), 0);
    assert_overlay(overlay, SLICE("a"), NOW, "old");
    store_overlay_tell(overlay, &write, (struct store_position){2, 500}, NOW);
    assert_overlay(overlay, SLICE("a"), NOW, "new");
    assert_overlay(overlay, SLICE("a"), NOW + 1000, NULL);
    move_position(store, (struct store_position){1, 9999});
    assert_overlay(overlay, SLICE("a"), NOW, "new");
    move_position(store, (struct store_position){2, 500});
    assert_overlay(overlay, SLICE("a"), NOW, "new");
    move_position(store, (struct store_position){2, 501});
    assert_overlay(overlay, SLICE("a"), NOW, "old"); /* the store's own word, whatever it is */
    assert_int_equal(store_overlay_count(overlay), 0);

    write.verb = STORE_REMOVE;
    store_overlay_tell(overlay, &write, (struct store_position){3, 1}, NOW);
    assert_overlay(overlay, SLICE("a"), NOW, NULL);
    assert_overlay(overlay, SLICE("a"), NOW + 60000, NULL);
    assert_overlay(overlay, SLICE("a"), NOW + 60001, "old"); /* it was never applied */

    for (unsigned i = 0; i < 5; i++) {
        char key[2] = {(char)('p' + i), 0};
        write = (struct store_write){
            .verb = STORE_PUT, .key = slice_text(key), .value = SLICE("x"), .expires_unix_ms = 0};
        store_overlay_tell(overlay, &write, (struct store_position){4, i}, NOW);
    }
    assert_int_equal(store_overlay_count(overlay), 3);
    assert_overlay(overlay, SLICE("q"), NOW, NULL);
    assert_overlay(overlay, SLICE("r"), NOW, "x");
    store_overlay_free(overlay);
}

static void overlay_tell(struct store_overlay *overlay, struct store_write write, uint32_t offset)
{
    store_overlay_tell(overlay, &write, (struct store_position){1, offset}, write.at_unix_ms);
}

static void apply_at(struct store *store, struct store_write write, uint32_t offset)
{
    struct store_stream stream = {SLICE("gate-0"), {1, offset}};
    assert_int_equal(store_apply(store, &(struct store_batch){&write, 1, &stream, 1}, NULL), 0);
}

/* Ten touches and additions are told; the store gets them one by one, and one of another gate between each
 * two. */
static void overlay_counts_each_touch_once(struct store *store)
{
    struct store_overlay *overlay = store_overlay_new(store, SLICE("gate-0"), 1000);
    struct slice key = SLICE("seen"), counter = SLICE("counter");
    struct store_touches seen;
    uint64_t count;
    for (uint32_t i = 0; i < 10; i++) {
        char thing[2] = {(char)('a' + i), 0};
        overlay_tell(overlay, (struct store_write){STORE_SEEN, key, slice_text(thing), 0, NOW + i}, 2 * i);
        overlay_tell(overlay, (struct store_write){STORE_ADD, counter, SLICE("3"), 0, NOW + i}, 2 * i + 1);
    }
    for (uint32_t i = 0; i <= 10; i++) {
        assert_int_equal(store_overlay_seen(overlay, key, NOW, &seen, NULL), STORE_FOUND);
        assert_int_equal(seen.count, 10 + i);
        assert_int_equal(seen.distinct, 10);
        assert_int_equal(seen.last_unix_ms, i ? NOW + 90 + i : NOW + 9);
        assert_int_equal(store_overlay_counter(overlay, counter, NOW, &count, NULL), STORE_FOUND);
        assert_int_equal(count, 30);
        if (i == 10)
            break;
        char thing[2] = {(char)('a' + i), 0};
        apply_at(store, (struct store_write){STORE_SEEN, key, slice_text(thing), 0, NOW + i}, 2 * i + 1);
        apply_at(store, (struct store_write){STORE_ADD, counter, SLICE("3"), 0, NOW + i}, 2 * i + 2);
        touch(store, key, "b", NOW + 91 + i, 0); /* of another gate */
    }
    assert_int_equal(store_overlay_count(overlay), 0);
    store_overlay_free(overlay);
}

static void overlay_puts_take_the_place_of_touches(struct store *store)
{
    struct store_overlay *overlay = store_overlay_new(store, SLICE("gate-0"), 1000);
    struct slice key = SLICE("k");
    struct store_touches seen;
    overlay_tell(overlay, (struct store_write){STORE_SEEN, key, SLICE_NONE, NOW + 100, NOW}, 1);
    overlay_tell(overlay, (struct store_write){STORE_SEEN, key, SLICE_NONE, NOW + 100, NOW + 1}, 2);
    assert_int_equal(store_overlay_seen(overlay, key, NOW + 1, &seen, NULL), STORE_FOUND);
    assert_int_equal(seen.count, 2);
    assert_int_equal(store_overlay_seen(overlay, key, NOW + 100, &seen, NULL), STORE_NONE);
    overlay_tell(overlay, (struct store_write){STORE_REMOVE, key, SLICE_NONE, 0, 0}, 3);
    assert_int_equal(store_overlay_seen(overlay, key, NOW + 1, &seen, NULL), STORE_NONE);
    overlay_tell(overlay, (struct store_write){STORE_SEEN, key, SLICE_NONE, NOW + 100, NOW + 5}, 4);
    assert_int_equal(store_overlay_seen(overlay, key, NOW + 5, &seen, NULL), STORE_FOUND);
    assert_int_equal(seen.count, 1);
    overlay_tell(overlay, (struct store_write){STORE_PUT, key, SLICE("v"), 0, NOW}, 5);
    assert_overlay(overlay, key, NOW, "v");
    assert_int_equal(store_overlay_count(overlay), 1);
    /* A key that is hammered while the store stands still costs no more than a thousand tells. */
    for (uint32_t i = 0; i < 3000; i++)
        overlay_tell(overlay, (struct store_write){STORE_ADD, SLICE("hot"), SLICE("1"), 0, NOW}, 6 + i);
    assert_true(store_overlay_count(overlay) <= 1000);
    store_overlay_free(overlay);
}

/* --- for every class ------------------------------------------------------------------------------------ */

static void (*const parts[])(struct store *store) = {
    counters_add_up,    touches_are_merged,       any_order_gives_the_same, each_verb_sees_its_own,
    values_come_and_go, keys_of_every_length,     batches_move_positions,   each_batch_makes_a_version,
    walks_come_by_each, sweep_takes_what_is_over,
};

/* Each with a store of its own: they use the same keys. */
static void (*const overlay_parts[])(struct store *store) = {
    overlay_answers_until_it_is_applied,
    overlay_counts_each_touch_once,
    overlay_puts_take_the_place_of_touches,
};

static void conformance(const struct class *class)
{
    struct folder folder;
    folder_make(&folder);
    struct store *store = class->open(&folder, true);
    for (size_t i = 0; i < COUNT(parts); i++)
        parts[i](store);
    store_close(store);
    folder_remove(&folder);
}

static void overlay_conformance(const struct class *class)
{
    for (size_t i = 0; i < COUNT(overlay_parts); i++) {
        struct folder folder;
        folder_make(&folder);
        struct store *store = class->open(&folder, true);
        overlay_parts[i](store);
        store_close(store);
        folder_remove(&folder);
    }
}

static bool has_all(struct store *store)
{
    struct slice value;
    struct store_position position;
    struct store_touches seen;
    uint64_t count;
    return store_get(store, SLICE("value"), NOW, &value, NULL) == STORE_FOUND &&
           slice_equal(value, SLICE("v")) &&
           store_count(store, SLICE("count"), NOW, &count, NULL) == STORE_FOUND && count == 7 &&
           store_seen(store, SLICE("seen"), NOW, &seen, NULL) == STORE_FOUND && seen.distinct == 1 &&
           store_position(store, SLICE("gate-0"), &position, NULL) == STORE_FOUND && position.offset == 9;
}

static void what_lasts(const struct class *class)
{
    struct folder folder;
    folder_make(&folder);
    struct store *store = class->open(&folder, true);
    put(store, SLICE("value"), SLICE("v"), NOW + 10);
    add(store, SLICE("count"), "7", NOW, NOW + 10);
    touch(store, SLICE("seen"), "thing", NOW, 0);
    move_position(store, (struct store_position){1, 9});
    /* Another process looks while the writer has it open. */
    pid_t child = fork();
    if (child == 0) {
        struct store *reader = class->open(&folder, false);
        bool fine = has_all(reader);
        store_close(reader);
        _exit(fine ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    store_close(store);
    store = class->open(&folder, true);
    assert_true(has_all(store));
    assert_value(store, SLICE("value"), NOW + 10, NULL);
    store_close(store);
    folder_remove(&folder);
}

static void all_classes_conform(void **state)
{
    (void)state;
    for_classes(conformance, false);
}

static void overlays_of_all_classes_conform(void **state)
{
    (void)state;
    for_classes(overlay_conformance, false);
}

static void lasting_classes_last(void **state)
{
    (void)state;
    for_classes(what_lasts, true);
}

static void insane_writes_are_told(void **state)
{
    (void)state;
    static char long_key[STORE_KEY_MAX + 1];
    const struct store_write insane[] = {
        {.verb = STORE_PUT},
        {.verb = STORE_PUT, .key = slice_of(long_key, sizeof long_key)},
        {.verb = STORE_ADD, .key = SLICE("a")},
        {.verb = STORE_ADD, .key = SLICE("a"), .value = SLICE("-1")},
        {.verb = STORE_ADD, .key = SLICE("a"), .value = SLICE("18446744073709551616")},
        {.verb = (enum store_verb)0, .key = SLICE("a")},
        {.verb = (enum store_verb)5, .key = SLICE("a")},
    };
    for (size_t i = 0; i < COUNT(insane); i++)
        assert_false(store_write_is_sane(&insane[i]));
    assert_true(store_write_is_sane(&(struct store_write){.verb = STORE_SEEN, .key = SLICE("a")}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insane_writes_are_told),
        cmocka_unit_test(all_classes_conform),
        cmocka_unit_test(overlays_of_all_classes_conform),
        cmocka_unit_test(lasting_classes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
