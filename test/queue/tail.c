/* A segment is read along as far as it is safe; after its writer has gone everything whole in it is found;
 * torn ends are no damage, rot is, and costs the message that it hit alone. */
#include "unit.h"

#include "../crash/sim.h"
#include "base/memory.h"
#include "queue/segment.h"
#include "queue/tail.h"

#include <errno.h>
#include <stdio.h>

#define INCOMING "/spool/incoming"
#define MARK     UINT64_C(0xfeedbeefcafe)

static struct sim *sim;
static struct segment segment;
static struct tail *tail;
static char name[64];

static int setup(void **state)
{
    (void)state;
    sim = sim_new();
    sim_put(sim, INCOMING "/x", SLICE(""));
    sim_put(sim, "/spool/done/x", SLICE(""));
    sim_put(sim, "/spool/damaged/x", SLICE(""));
    assert_int_equal(segment_begin(&segment, sim_files(sim), INCOMING, 4711, MARK, NULL), 0);
    snprintf(name, sizeof(name), "%s", strrchr(segment.path, '/') + 1);
    assert_int_equal(tail_open(sim_files(sim), INCOMING, "/spool/done", name, &tail, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tail_close(tail);
    segment_close(&segment);
    assert_int_equal(sim_open_descriptors(sim), 0);
    sim_free(sim);
    return 0;
}

static void add(uint32_t number, struct slice content)
{
    struct recipient recipient = {.address = SLICE("a@example.net")};
    const struct transaction t = {
        .session = 9, .number = number, .recipients = &recipient, .recipient_count = 1};
    struct buf records;

    buf_init(&records, UINT32_MAX);
    record_add(&records, MARK, RECORD_CONTENT, content);
    message_add_envelope(&records, MARK, &t, SLICE("r"), content.len);
    assert_int_equal(segment_add(&segment, buf_slice(&records), NULL), 0);
    buf_drop(&records);
}

static void sync_segment(void)
{
    assert_int_equal(segment_sync(&segment, NULL), 0);
}

/* The numbers of the messages that are handed out: "1 2 3". */
static const char *taken(void)
{
    static char text[400];
    struct tail_message *first;

    text[0] = '\0';
    do {
        assert_int_equal(tail_read(tail, 4096, &first, NULL), 0);
        for (const struct tail_message *at = first; at; at = at->next)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", *text ? " " : "",
                     at->message->transaction.number);
        tail_messages_free(first);
    } while (first);
    return text;
}

static void tail_again(void)
{
    tail_close(tail);
    assert_int_equal(tail_open(sim_files(sim), INCOMING, "/spool/done", name, &tail, NULL), 0);
}

static void only_what_is_synced_is_handed_out(void **state)
{
    (void)state;
    assert_string_equal(taken(), "");
    add(1, SLICE("one"));
    add(2, SLICE(""));
    assert_string_equal(taken(), "");
    sync_segment();
    assert_string_equal(taken(), "1 2");
    add(3, SLICE("three"));
    assert_string_equal(taken(), "");
    sync_segment();
    add(4, SLICE("four"));
    assert_string_equal(taken(), "3");
    assert_false(tail->ended);
    sync_segment();
    segment_close(&segment);
    assert_string_equal(taken(), "4");
    assert_true(tail->ended && !tail->damaged);
}

/* Its last SYNCED record may have been lost while the 250 was given. */
static void all_that_is_whole_is_found_when_the_writer_has_gone(void **state)
{
    (void)state;
    add(1, SLICE("one"));
    sync_segment();
    add(2, SLICE("two"));
    assert_string_equal(taken(), "1");
    sim_files(sim)->close(sim_files(sim), segment.descriptor);
    segment.descriptor = -1;
    assert_string_equal(taken(), "2");
    assert_true(tail->ended && !tail->damaged);
}

static void torn_end_is_no_damage(void **state)
{
    const uint64_t size = segment.end;

    (void)state;
    add(1, SLICE("one"));
    sync_segment();
    const uint64_t safe = segment.end;
    add(2, SLICE("two"));
    add(3, SLICE("three"));
    const uint64_t end = segment.end;
    for (uint64_t cut = end - 1; cut >= safe; cut--) {
        assert_int_equal(sim_files(sim)->truncate(sim_files(sim), segment.descriptor, cut, NULL), 0);
        sim_files(sim)->close(sim_files(sim), segment.descriptor);
        tail_again();
        const char *found = taken();
        assert_true(strcmp(found, "1") == 0 || strcmp(found, "1 2") == 0);
        assert_true(tail->ended && !tail->damaged);
        assert_int_equal(
            sim_files(sim)->open(sim_files(sim), segment.path, FILES_WRITE, &segment.descriptor, NULL), 0);
    }
    assert_true(size > 0);
}

/* Where the first of two unsynced messages is torn, the other is still found: nobody can know which was safe.
 */
static void hole_in_the_end_is_passed_over(void **state)
{
    (void)state;
    add(1, SLICE("one"));
    sync_segment();
    const uint64_t at = segment.end;
    add(2, SLICE("two"));
    add(3, SLICE("three"));
    sim_rot(sim, segment.path, at + 40, SLICE("\0\0\0\0"));
    assert_string_equal(taken(), "1");
    sim_files(sim)->close(sim_files(sim), segment.descriptor);
    segment.descriptor = -1;
    assert_string_equal(taken(), "3");
    assert_true(tail->ended && !tail->damaged);
}

static void rot_costs_the_message_that_it_hit(void **state)
{
    char kept[FILES_PATH_MAX];

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        const uint64_t at = segment.end;
        add(i, SLICE("some content"));
        if (i == 2)
            sim_rot(sim, segment.path, at + RECORD_HEAD + 3, SLICE("XX"));
    }
    sync_segment();
    add(4, SLICE("four"));
    sync_segment();
    assert_string_equal(taken(), "1 3 4");
    assert_true(tail->damaged);
    segment_close(&segment);
    assert_string_equal(taken(), "");
    assert_true(tail->ended);
    assert_int_equal(tail_remove(tail, INCOMING, "/spool/done", "/spool/damaged", kept, NULL), 0);
    assert_true(sim_exists(sim, kept));
    assert_false(sim_exists(sim, segment.path));
}

static void each_rotten_octet_costs_two_messages_at_most(void **state)
{
    uint64_t begins[6];

    (void)state;
    for (uint32_t i = 1; i <= 5; i++) {
        begins[i] = segment.end;
        add(i, SLICE("some content of a message"));
        sync_segment();
    }
    const struct slice whole = sim_content(sim, segment.path);
    sim_files(sim)->close(sim_files(sim), segment.descriptor);
    segment.descriptor = -1;
    for (uint64_t at = begins[2]; at < begins[4]; at++) {
        const char before = whole.at[at];
        const char after = (char)(before ^ 0x21);
        sim_rot(sim, segment.path, at, slice_of(&after, 1));
        tail_again();
        const char *found = taken();
        assert_true(tail->ended);
        assert_non_null(strstr(found, "1"));
        assert_non_null(strstr(found, "4 5"));
        assert_true(strlen(found) >= strlen("1 2 4 5"));
        sim_rot(sim, segment.path, at, slice_of(&before, 1));
    }
}

/* What a client sends cannot pass for a message, even where the one that holds it is spoilt. */
static void content_cannot_forge(void **state)
{
    struct recipient recipient = {.address = SLICE("victim@example.net")};
    const struct transaction t = {.session = 9, .number = 66, .recipients = &recipient, .recipient_count = 1};
    struct buf forged;

    (void)state;
    buf_init(&forged, UINT32_MAX);
    record_add(&forged, MARK ^ 1, RECORD_CONTENT, SLICE("forged"));
    message_add_envelope(&forged, MARK ^ 1, &t, SLICE("r"), 6);
    const uint64_t at = segment.end;
    add(1, buf_slice(&forged));
    add(2, SLICE("two"));
    sync_segment();
    sim_rot(sim, segment.path, at + RECORD_HEAD, SLICE("\0"));
    assert_string_equal(taken(), "2");
    buf_drop(&forged);
}

static void what_a_failed_gate_cut_off_is_not_delivered(void **state)
{
    (void)state;
    add(1, SLICE("one"));
    sync_segment();
    add(2, SLICE("two"));
    assert_string_equal(taken(), "1"); /* 2 was seen */
    segment_abandon(&segment);
    assert_string_equal(taken(), "");
    assert_true(tail->ended && !tail->damaged);
}

/* The disk was full just for the SYNCED record: what was synced before had its 250. */
static void what_was_synced_before_the_cut_is_delivered(void **state)
{
    (void)state;
    add(1, SLICE("one"));
    assert_string_equal(taken(), "");
    sim_set_room(sim, 10);
    sync_segment();
    assert_int_equal(segment.descriptor, -1);
    assert_string_equal(taken(), "1");
    assert_true(tail->ended && !tail->damaged);
}

static void file_without_its_beginning(void **state)
{
    (void)state;
    sim_files(sim)->truncate(sim_files(sim), segment.descriptor, 30, NULL);
    assert_string_equal(taken(), "");
    assert_false(tail->ended); /* its writer is still there */
    sim_files(sim)->close(sim_files(sim), segment.descriptor);
    segment.descriptor = -1;
    assert_string_equal(taken(), "");
    assert_true(tail->ended && !tail->damaged);
    sim_put(sim, INCOMING "/0000000000009.segment",
            SLICE("this is no segment at all, but a file that somebody put here, and longer than a head"));
    tail_close(tail);
    assert_int_equal(tail_open(sim_files(sim), INCOMING, "/spool/done", "0000000000009.segment", &tail, NULL),
                     0);
    assert_string_equal(taken(), "");
    assert_true(tail->ended && tail->damaged);
}

static void messages_larger_than_a_window(void **state)
{
    const size_t size = 1000000;
    char *content = memory_take(size);

    (void)state;
    memset(content, 'x', size);
    add(1, slice_of(content, size));
    add(2, SLICE("small"));
    add(3, slice_of(content, size));
    sync_segment();
    assert_string_equal(taken(), "1 2 3");
    memory_give(content, size);
}

static void marks_are_remembered(void **state)
{
    struct tail_message *first;
    uint64_t offsets[2];
    char kept[FILES_PATH_MAX];

    (void)state;
    for (uint32_t i = 1; i <= 4; i++)
        add(i, SLICE("content"));
    sync_segment();
    assert_int_equal(tail_read(tail, 1 << 20, &first, NULL), 0);
    offsets[0] = first->next->offset;
    offsets[1] = first->next->next->next->offset;
    tail_messages_free(first);
    assert_int_equal(tail_mark(tail, offsets, 1, 55, NULL), 0);
    assert_int_equal(tail_mark(tail, offsets + 1, 1, 56, NULL), 0);
    tail_again();
    assert_string_equal(taken(), "1 3");
    assert_int_equal(tail_mark(tail, offsets, 2, 57, NULL), 0);
    sim_rot(sim, tail->done_path, 70, SLICE("x")); /* the first mark, which stands there a second time */
    tail_again();
    assert_string_equal(taken(), "1 3");
    sim_rot(sim, tail->done_path, 10, SLICE("xxxx")); /* all of them */
    tail_again();
    assert_string_equal(taken(), "1 2 3 4");
    assert_int_equal(tail_mark(tail, offsets, 2, 58, NULL), 0);
    tail_again();
    assert_string_equal(taken(), "1 3");
    segment_close(&segment);
    assert_string_equal(taken(), "");
    assert_int_equal(tail_remove(tail, INCOMING, "/spool/done", "/spool/damaged", kept, NULL), 0);
    assert_string_equal(kept, "");
    assert_false(sim_exists(sim, tail->done_path));
}

static void failed_mark_is_written_again(void **state)
{
    struct tail_message *first;

    (void)state;
    add(1, SLICE("content"));
    sync_segment();
    assert_int_equal(tail_read(tail, 1 << 20, &first, NULL), 0);
    const uint64_t offset = first->offset;
    tail_messages_free(first);
    for (unsigned kind = 0; kind < SIM_KINDS; kind++)
        for (unsigned skip = 0; skip < 3; skip++) {
            sim_fail(sim, (enum sim_kind)kind, sim_operations(sim) + 1 + skip, 1, EIO, "done");
            while (tail_mark(tail, &offset, 1, 99, NULL) < 0)
                ;
            sim_heal(sim);
        }
    tail_again();
    assert_string_equal(taken(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_synced_is_handed_out, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_is_whole_is_found_when_the_writer_has_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(torn_end_is_no_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(hole_in_the_end_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(rot_costs_the_message_that_it_hit, setup, teardown),
        cmocka_unit_test_setup_teardown(each_rotten_octet_costs_two_messages_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(content_cannot_forge, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_failed_gate_cut_off_is_not_delivered, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_synced_before_the_cut_is_delivered, setup, teardown),
        cmocka_unit_test_setup_teardown(file_without_its_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_larger_than_a_window, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_are_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_mark_is_written_again, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
