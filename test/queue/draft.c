/* A draft gives back what was added, from memory or from its file, leaves nothing behind, and says when it
 * could not keep something. */
#include "unit.h"

#include "../crash/sim.h"
#include "base/memory.h"
#include "io/draft.h"

#include <errno.h>

static struct sim *sim;
static struct drafts drafts;

static int setup(void **state)
{
    (void)state;
    sim = sim_new();
    sim_put(sim, "/spool/incoming/other", SLICE("x"));
    drafts_init(&drafts, sim_files(sim), "/spool/incoming", 12345);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(sim_open_descriptors(sim), 0);
    sim_free(sim);
    return 0;
}

static void count_file(void *whom, const char *path)
{
    (void)path;
    ++*(unsigned *)whom;
}

static unsigned files_there(void)
{
    unsigned count = 0;

    sim_each(sim, "/spool/incoming", count_file, &count);
    return count;
}

static void fill(struct draft *draft, size_t size, size_t step)
{
    char octets[4096];

    for (size_t at = 0; at < size;) {
        const size_t len = step < size - at ? step : size - at;
        for (size_t i = 0; i < len; i++)
            octets[i] = (char)((at + i) * 7 / 3);
        assert_true(draft_add(draft, slice_of(octets, len)));
        at += len;
    }
    assert_int_equal(draft_size(draft), size);
}

static void check(struct draft *draft, size_t size)
{
    struct slice piece;
    size_t at = 0;

    for (;;) {
        assert_int_equal(draft_next(draft, &piece, NULL), 0);
        if (!piece.len)
            break;
        for (size_t i = 0; i < piece.len; i++)
            assert_int_equal((uint8_t)piece.at[i], (uint8_t)((at + i) * 7 / 3));
        at += piece.len;
        if (draft_in_memory(draft))
            break;
    }
    assert_int_equal(at, size);
}

static void comes_back_twice_at_every_size(void **state)
{
    const size_t sizes[] = {0,      1, DRAFT_MEMORY - 1, DRAFT_MEMORY, DRAFT_MEMORY + 1, 3 * DRAFT_MEMORY,
                            3000000};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct draft *draft = draft_new(&drafts);
        fill(draft, sizes[i], 3333);
        assert_true(draft_in_memory(draft) == (sizes[i] <= DRAFT_MEMORY));
        assert_int_equal(files_there(), sizes[i] <= DRAFT_MEMORY ? 1 : 2);
        check(draft, sizes[i]);
        draft_rewind(draft);
        check(draft, sizes[i]);
        assert_null(draft_trouble(draft));
        draft_free(draft);
        assert_int_equal(files_there(), 1);
    }
}

static void full_disk_is_told_once_and_for_all(void **state)
{
    struct draft *draft = draft_new(&drafts);

    (void)state;
    sim_set_room(sim, 100000);
    fill(draft, DRAFT_MEMORY, 4096);
    char big[DRAFT_MEMORY] = {0};
    assert_true(draft_add(draft, slice_of(big, sizeof(big))));
    assert_false(draft_add(draft, SLICE("x")));
    sim_set_room(sim, 1000000);
    assert_false(draft_add(draft, SLICE("x")));
    assert_int_equal(draft_trouble(draft)->number, ENOSPC);
    draft_free(draft);
    assert_int_equal(files_there(), 1);
}

static void missing_folder_is_an_error_of_large_drafts_alone(void **state)
{
    struct draft *draft;

    (void)state;
    drafts_init(&drafts, sim_files(sim), "/nowhere", 1);
    draft = draft_new(&drafts);
    fill(draft, DRAFT_MEMORY, 4096);
    assert_false(draft_add(draft, SLICE("x")));
    assert_int_equal(draft_trouble(draft)->number, ENOENT);
    draft_free(draft);
}

static void settled_draft_tells_its_checksum(void **state)
{
    struct draft *draft = draft_new(&drafts);
    struct draft_file file;

    (void)state;
    fill(draft, 200000, 4096);
    assert_int_equal(draft_settle(draft, &file, NULL), 0);
    assert_int_equal(file.size, 200000);
    assert_int_equal(sim_content(sim, file.path).len, DRAFT_HEAD + 200000);
    draft_kept(draft);
    draft_free(draft);
    assert_int_equal(files_there(), 2);
    draft_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back_twice_at_every_size, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk_is_told_once_and_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_folder_is_an_error_of_large_drafts_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(settled_draft_tells_its_checksum, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
