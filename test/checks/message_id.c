/* Proves when a Message-ID is missed, when it is found malformed, and who is exempt. */
#include "answers.h"

static void begin(struct rig *rig, struct header *header, const char *value)
{
    rig_begin(rig);
    rig_peer(rig, "192.0.2.7");
    *header = (struct header){.count = 3};
    if (value) {
        header->counts[HEADER_MESSAGE_ID] = 1;
        header->value[HEADER_MESSAGE_ID] = slice_text(value);
    }
    rig->turn.facts.header = header;
    rig->turn.facts.sender = SLICE("a@far.example");
    rig->turn.facts.peer_name = SLICE("mail.far.example");
}

static void set(struct rig *rig, const char *name, const char *value)
{
    struct slice expected;
    assert_true(setting_set(&rig->site->set, setting_find(slice_text(name)), slice_text(value),
                            &rig->site->arena, &expected));
}

static void each_grammar_has_its_mind(void **state)
{
    (void)state;
    static const struct {
        const char *value, *relaxed, *strict, *seed;
    } samples[] = {
        {NULL, "message-id-absent", "message-id-absent", "message-id-absent"},
        {"<a1@b2>", "", "", ""},
        {"<a.1@b.example>", "", "", "message-id-malformed"},
        {"<a..1@b.example>", "", "message-id-malformed", "message-id-malformed"},
        {"<a@b@c>", "message-id-malformed", "message-id-malformed", "message-id-malformed"},
        {"a@b", "message-id-malformed", "message-id-malformed", "message-id-malformed"},
        {"<a b@c>", "message-id-malformed", "message-id-malformed", "message-id-malformed"},
        {"", "message-id-malformed", "message-id-malformed", "message-id-malformed"},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        const char *const grammars[] = {"default", "strict", "seed"};
        const char *const words[] = {samples[i].relaxed, samples[i].strict, samples[i].seed};
        for (size_t n = 0; n < 3; n++) {
            struct rig rig;
            struct header header;
            begin(&rig, &header, samples[i].value);
            set(&rig, "message-id.syntax", grammars[n]);
            rig_run(&rig, &check_message_id, NULL);
            assert_string_equal(rig_words(&rig), words[n]);
            rig_end(&rig);
        }
    }
}

static void the_exempt_are_left_alone(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool exempt;
    } samples[] = {
        {"", false},
        {"192.0.2.7", true},
        {"192.0.2.0/24", true},
        {"198.51.100.0/24", false},
        {"far.example", true},
        {".far.example", true},
        {"mail.far.example", true},
        {".mail.far.example", false},
        {"ar.example", false},
        {"near.example FAR.example", true},
        {"a@far.example", true},
        {"A@Far.Example", true},
        {"b@far.example", false},
        {"@far.example", true},
        {"@example", false},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        struct header header;
        begin(&rig, &header, NULL);
        set(&rig, "message-id.exempt", samples[i].list);
        rig_run(&rig, &check_message_id, NULL);
        if ((rig.turn.found_count == 0) != samples[i].exempt)
            fail_msg("%s", samples[i].list);
        rig_end(&rig);
    }
}

static void the_file_counts_as_the_setting_does(void **state)
{
    (void)state;
    struct rig rig;
    struct header header;
    struct slice words[] = {SLICE("near.example"), SLICE("@far.example")};
    begin(&rig, &header, NULL);
    rig.site->message_id_exempt = words;
    rig.site->message_id_exempt_count = 1;
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "message-id-absent");
    rig.site->message_id_exempt_count = 2;
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "");
    rig_end(&rig);
}

static void without_a_confirmed_name_no_name_fits(void **state)
{
    (void)state;
    struct rig rig;
    struct header header;
    begin(&rig, &header, NULL);
    set(&rig, "message-id.exempt", "far.example .far.example");
    rig.turn.facts.peer_name = SLICE_NONE;
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "message-id-absent");
    rig_end(&rig);
}

static void what_cannot_be_known_is_not_found(void **state)
{
    (void)state;
    struct rig rig;
    struct header header;
    begin(&rig, &header, NULL);
    rig.turn.facts.sender = SLICE_NONE; /* a bounce */
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "");
    rig.turn.facts.sender = SLICE("a@far.example");
    header.flags = HEADER_TOO_LARGE;
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "");
    header.counts[HEADER_MESSAGE_ID] = 1;
    header.value[HEADER_MESSAGE_ID] = SLICE("<cut");
    header.value_cut[HEADER_MESSAGE_ID] = true;
    rig_run(&rig, &check_message_id, NULL);
    assert_string_equal(rig_words(&rig), "");
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_grammar_has_its_mind),
        cmocka_unit_test(the_exempt_are_left_alone),
        cmocka_unit_test(the_file_counts_as_the_setting_does),
        cmocka_unit_test(without_a_confirmed_name_no_name_fits),
        cmocka_unit_test(what_cannot_be_known_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
