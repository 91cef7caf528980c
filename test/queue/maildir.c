/* A copy is delivered only when file and name are safe; one mailbox's trouble is no other's; lines end in LF.
 */
#include "unit.h"

#include "../crash/sim.h"
#include "base/memory.h"
#include "queue/maildir.h"

#include <errno.h>
#include <stdio.h>

#define COPIES 40

static struct sim *sim;
static struct maildir_state maildir;
static struct maildir_copy copies[COPIES];
static struct content contents[COPIES];
static char folders[COPIES][32], names[COPIES][32];

static int setup(void **state)
{
    (void)state;
    sim = sim_new();
    sim_put(sim, "/mail/x", SLICE(""));
    memset(&maildir, 0, sizeof(maildir));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(sim_open_descriptors(sim), 0);
    sim_free(sim);
    return 0;
}

static void make(size_t count, size_t boxes, struct slice content)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(folders[i], sizeof(folders[i]), "/mail/box%u", (unsigned)(i % boxes) % 100);
        snprintf(names[i], sizeof(names[i]), "name%u", (unsigned)i % 100);
        content_init_memory(&contents[i], content);
        copies[i] = (struct maildir_copy){.folder = slice_text(folders[i]),
                                          .base = 5,
                                          .name = slice_text(names[i]),
                                          .head = SLICE("Return-Path: <a@b>\n"),
                                          .content = &contents[i]};
    }
}

static struct slice file_of(size_t i, const char *part)
{
    static char path[100];

    snprintf(path, sizeof(path), "%.31s/%s/%.31s", folders[i], part, names[i]);
    return sim_content(sim, path);
}

static void check_delivered(size_t count, const char *wanted)
{
    struct random random = {1};

    for (size_t i = 0; i < count; i++)
        assert_true(copies[i].delivered);
    sim_crash(sim, SIM_LOSE_ALL, &random);
    for (size_t i = 0; i < count; i++)
        assert_true(slice_equal(file_of(i, "new"), slice_text(wanted)));
}

static void few_and_many_are_safe(void **state)
{
    const size_t counts[] = {1, 3, 5, COPIES};

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++)
        for (size_t boxes = 1; boxes <= counts[i]; boxes += 3) {
            teardown(NULL);
            setup(NULL);
            make(counts[i], boxes, SLICE("Subject: x\r\n\r\nbody\r\n"));
            maildir_deliver(sim_files(sim), &maildir, copies, counts[i]);
            check_delivered(counts[i], "Return-Path: <a@b>\nSubject: x\n\nbody\n");
        }
}

static void lines_end_in_lf_wherever_pieces_end(void **state)
{
    const size_t size = 3 * CONTENT_PIECE + 7;
    char *content = memory_take(size);
    char *wanted = memory_take(size);

    (void)state;
    /* CRLF, and lone CR and LF, falling on every place of a piece's end. */
    for (size_t shift = 0; shift < 8; shift++) {
        size_t len = 0;
        for (size_t i = 0; i < size; i++)
            content[i] = "ab\r\nc\rd\n"[(i + shift) % 8];
        for (size_t i = 0; i < size; i++)
            if (!(content[i] == '\r' && i + 1 < size && content[i + 1] == '\n'))
                wanted[len++] = content[i];
        make(1, 1, slice_of(content, size));
        copies[0].head = SLICE_NONE;
        maildir_deliver(sim_files(sim), &maildir, copies, 1);
        assert_true(copies[0].delivered);
        assert_true(slice_equal(file_of(0, "new"), slice_of(wanted, len)));
        content_done(&contents[0]);
    }
    memory_give(content, size);
    memory_give(wanted, size);
}

static void empty_content_is_a_copy(void **state)
{
    (void)state;
    make(1, 1, SLICE(""));
    maildir_deliver(sim_files(sim), &maildir, copies, 1);
    check_delivered(1, "Return-Path: <a@b>\n");
}

static void folder_of_the_mailboxes_is_not_made(void **state)
{
    (void)state;
    make(1, 1, SLICE("x\r\n"));
    snprintf(folders[0], sizeof(folders[0]), "/gone/box");
    copies[0].folder = slice_text(folders[0]);
    maildir_deliver(sim_files(sim), &maildir, copies, 1);
    assert_false(copies[0].delivered);
    assert_int_equal(copies[0].error.number, ENOENT);
    assert_false(sim_exists(sim, "/gone"));
    snprintf(folders[0], sizeof(folders[0]), "/mail/joe/Maildir");
    copies[0].folder = slice_text(folders[0]);
    maildir_deliver(sim_files(sim), &maildir, copies, 1);
    check_delivered(1, "Return-Path: <a@b>\nx\n");
}

static void one_mailbox_in_trouble(void **state)
{
    (void)state;
    make(COPIES, 8, SLICE("x\r\n"));
    sim_fail(sim, SIM_OPEN, 1, 1000, EACCES, "box3/");
    maildir_deliver(sim_files(sim), &maildir, copies, COPIES);
    for (size_t i = 0; i < COPIES; i++) {
        assert_int_equal(copies[i].delivered, i % 8 != 3);
        if (i % 8 == 3)
            assert_int_equal(copies[i].error.number, EACCES);
    }
}

static void look_for_rests(void *whom, const char *path)
{
    *(bool *)whom |= strstr(path, "/tmp/") != NULL;
}

/* Whatever fails once: what is delivered is safe, what is not leaves nothing in tmp, and goes the next time.
 */
static void every_single_fault(void **state)
{
    const size_t counts[] = {2, COPIES};

    (void)state;
    for (unsigned kind = 0; kind < SIM_KINDS; kind++)
        for (uint64_t from = 1; from < 260; from += from < 40 ? 1 : 17)
            for (size_t c = 0; c < COUNT(counts); c++) {
                struct random random = {1};
                bool rests = false;
                teardown(NULL);
                setup(NULL);
                make(counts[c], 6, SLICE("x\r\n"));
                sim_fail(sim, (enum sim_kind)kind, from, 1, ENOSPC, NULL);
                maildir_deliver(sim_files(sim), &maildir, copies, counts[c]);
                sim_each(sim, "/mail", look_for_rests, &rests);
                assert_false(rests && kind != SIM_REMOVE);
                sim_crash(sim, SIM_LOSE_ALL, &random);
                for (size_t i = 0; i < counts[c]; i++)
                    if (copies[i].delivered)
                        assert_slice_equal(file_of(i, "new"), "Return-Path: <a@b>\nx\n");
                maildir_deliver(sim_files(sim), &maildir, copies, counts[c]);
                check_delivered(counts[c], "Return-Path: <a@b>\nx\n");
            }
}

static void second_delivery_replaces_the_first(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        make(1, 1, SLICE("x\r\n"));
        maildir_deliver(sim_files(sim), &maildir, copies, 1);
        assert_true(copies[0].delivered);
    }
    (void)count;
    assert_slice_equal(file_of(0, "new"), "Return-Path: <a@b>\nx\n");
    assert_int_equal(file_of(0, "tmp").len, 0);
}

static void unreadable_content_is_no_copy(void **state)
{
    (void)state;
    int descriptor;
    sim_put(sim, "/spool/file", SLICE("short"));
    sim_files(sim)->open(sim_files(sim), "/spool/file", 0, &descriptor, NULL);
    make(1, 1, SLICE_NONE);
    content_init_file(&contents[0], sim_files(sim), descriptor, 0, 100);
    maildir_deliver(sim_files(sim), &maildir, copies, 1);
    assert_false(copies[0].delivered);
    assert_false(sim_exists(sim, "/mail/box0/new/name0"));
    content_done(&contents[0]);
    sim_files(sim)->close(sim_files(sim), descriptor);
}

static void names_keep_the_convention(void **state)
{
    char text[MAILDIR_NAME_MAX];

    (void)state;
    assert_printed(maildir_name(1700000000999, "06p3qj7x4r0a1.12", SLICE("mx.example.net"), text), text,
                   "1700000000.Q06p3qj7x4r0a1N12.mx.example.net");
    assert_printed(maildir_name(1700000000999, "1.1", SLICE("a/b:c,d\n"), text), text,
                   "1700000000.Q1N1.a\\057b\\072c\\054d");
    char host[400];
    memset(host, 'h', sizeof(host));
    assert_true(maildir_name(1700000000999, "06p3qj7x4r0a1.12", slice_of(host, sizeof(host)), text) <
                MAILDIR_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(few_and_many_are_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_end_in_lf_wherever_pieces_end, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_content_is_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(folder_of_the_mailboxes_is_not_made, setup, teardown),
        cmocka_unit_test_setup_teardown(one_mailbox_in_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(every_single_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(second_delivery_replaces_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(unreadable_content_is_no_copy, setup, teardown),
        cmocka_unit_test(names_keep_the_convention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
