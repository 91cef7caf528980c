/* Proves that each of client, HELO name, sender and recipient is looked up, that an entry that allows beats
 * one that refuses, and that the client's name is waited for. */
#include "rig.h"
#include "wire/access.h"

struct row {
    unsigned tags;
    const char *key;
    enum access_action action;
    const char *text;
    enum finding finding;
    const char *words;
};

static const struct row rows[] = {
    {ACCESS_CONNECT, "192.0.2", ACCESS_REJECT, "", FIND_ACCESS_REJECT, "access denied"},
    {ACCESS_CONNECT, "far.example", ACCESS_REJECT, "go away", FIND_ACCESS_REJECT, "go away"},
    {ACCESS_HELO, "pushy.example", ACCESS_DEFER, "later", FIND_ACCESS_DEFER, "later"},
    {ACCESS_FROM, "a@", ACCESS_OK, "", FIND_ACCESS_OK, ""},
    {ACCESS_TO, "joe@example.org", ACCESS_REJECT, "", FIND_ACCESS_REJECT, "access denied"},
    {ACCESS_TO, "far.example", ACCESS_REJECT, "", FIND_NOTHING, ""},
    {ACCESS_FROM, "a@b.example", ACCESS_SKIP, "", FIND_NOTHING, ""},
};

static void row_begin(struct rig *rig, const struct row *row)
{
    const struct access_rule rule = {.action = (uint8_t)row->action, .text = slice_text(row->text)};
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    rig_recipient(rig, "TO:<Joe@example.org>", true);
    rig->turn.facts.peer_name = SLICE("mx.FAR.example");
    rig->turn.facts.helo = SLICE("Pushy.example");
    rig->turn.facts.sender = SLICE("a@b.example");
    assert_true(site_add_access(rig->site, row->tags, slice_text(row->key), &rule));
}

static void everything_is_looked_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        row_begin(&rig, &rows[i]);
        rig.turn.unfinished = true;
        assert_int_equal(check_access.run(&rig.turn), CHECK_WAIT);
        rig.turn.unfinished = false;
        assert_int_equal(check_access.run(&rig.turn), CHECK_DONE);
        if (rows[i].finding == FIND_NOTHING) {
            assert_int_equal(rig.turn.found_count, 0);
        } else {
            rig_found(&rig, rows[i].finding);
            assert_true(slice_equal(rig.turn.found[0].words, slice_text(rows[i].words)));
        }
        rig_end(&rig);
    }
}

static void what_allows_beats_what_refuses(void **state)
{
    (void)state;
    struct rig rig;
    row_begin(&rig, &rows[0]);
    site_add_access(rig.site, ACCESS_FROM, SLICE("b.example"), &(struct access_rule){.action = ACCESS_OK});
    assert_int_equal(check_access.run(&rig.turn), CHECK_DONE);
    rig_found(&rig, FIND_ACCESS_OK);
    rig_end(&rig);
}

static void without_a_table_nothing_waits(void **state)
{
    (void)state;
    struct rig rig;
    rig_begin(&rig);
    rig.turn.unfinished = true;
    assert_int_equal(check_access.run(&rig.turn), CHECK_DONE);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_looked_up),
        cmocka_unit_test(what_allows_beats_what_refuses),
        cmocka_unit_test(without_a_table_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
