/* Proves that the header checks find loops, headers without measure and headers without form, and nothing
 * else.
 */
#include "answers.h"

static void run(struct rig *rig, const struct header *header)
{
    rig_begin(rig);
    rig->turn.facts.header = header;
    assert_int_equal(check_header.run(&rig->turn), CHECK_DONE);
}

static void an_ordinary_header_has_no_finding(void **state)
{
    (void)state;
    struct rig rig;
    struct header header = {.count = 10, .counts = {[HEADER_RECEIVED] = 50}};
    run(&rig, &header);
    assert_int_equal(rig.turn.found_count, 0);
    rig_end(&rig);
}

static void one_received_too_many_is_a_loop(void **state)
{
    (void)state;
    struct rig rig;
    struct header header = {.counts = {[HEADER_RECEIVED] = 51}};
    run(&rig, &header);
    rig_found(&rig, FIND_HEADER_LOOP);
    assert_slice_equal(rig.turn.found[0].words, "51");
    rig_end(&rig);
}

static void too_many_and_too_large_are_excess(void **state)
{
    (void)state;
    static const unsigned flags[] = {HEADER_TOO_MANY, HEADER_TOO_LARGE};
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct rig rig;
        struct header header = {.flags = flags[i]};
        run(&rig, &header);
        rig_found(&rig, FIND_HEADER_EXCESS);
        rig_end(&rig);
    }
}

/* Each flaw alone, from real header text. */
static void each_flaw_of_form_has_its_finding(void **state)
{
    (void)state;
#define FINE "From: a@far.example\r\nDate: Thu, 24 Jul 2003 05:35:45 +0000\r\n"
    static const struct {
        const char *text;
        bool smtputf8;
        const char *words;
    } samples[] = {
        {FINE "\r\n", false, ""},
        {FINE "Received: by a\r\nReceived: by b\r\n\r\n", false, ""},
        {"Date: Thu, 24 Jul 2003 05:35:45 +0000\r\n\r\n", false, "header-no-from"},
        {"From: x\r\n\r\n", false, "header-no-date"},
        {"\r\n", false, "header-no-from header-no-date"},
        {FINE "from: b\r\n\r\n", false, "header-duplicate"},
        {FINE "Subject: a\r\nSubject: b\r\nSubject: c\r\nTo: a\r\nTo: b\r\n\r\n", false, "header-duplicate"},
        {FINE "this is no field\r\n\r\n", false, "header-junk"},
        {FINE "Subject: gr\xc3\xbc\xc3\x9f\r\n\r\n", false, "header-eight-bit"},
        {FINE "Subject: gr\xc3\xbc\xc3\x9f\r\n\r\n", true, ""},
        {FINE "Subject: gr\xfc\xdf\r\n\r\n", true, "header-eight-bit"},
        {FINE, false, "header-no-end"},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        struct header header;
        struct arena arena;
        arena_init(&arena, NULL, 0);
        header_init(&header, HEADER_LIMITS_DEFAULT, &arena);
        header_feed(&header, slice_text(samples[i].text));
        header_end(&header);
        rig_begin(&rig);
        settings_preset(&rig.site->set, &rig.site->arena);
        rig.turn.facts.unix_ms = INT64_C(1059024945000);
        rig.turn.facts.header = &header;
        rig.turn.facts.smtputf8 = samples[i].smtputf8;
        rig_run(&rig, &check_header_form, NULL);
        if (strcmp(rig_words(&rig), samples[i].words) != 0)
            fail_msg("%s: %s", samples[i].text, rig_words(&rig));
        rig_end(&rig);
        header_drop(&header);
        arena_drop(&arena);
    }
}

static void of_a_header_without_measure_nothing_is_missed(void **state)
{
    (void)state;
    struct rig rig;
    struct header header = {.flags = HEADER_TOO_LARGE};
    rig_begin(&rig);
    rig.turn.facts.header = &header;
    rig_run(&rig, &check_header_form, NULL);
    assert_string_equal(rig_words(&rig), "");
    rig_end(&rig);
}

/* Where now is 24 July 2003, 05:35:45 UTC. */
static void a_date_is_one_and_near(void **state)
{
    (void)state;
    static const struct {
        const char *date, *words;
    } samples[] = {
        {"Thu, 24 Jul 2003 05:35:45 +0000", ""},
        {"Thu, 24 Jul 2003 09:35:45 +0000", ""},
        {"Thu, 24 Jul 2003 09:35:46 +0000", "header-date-far"},
        {"Thu, 17 Jul 2003 05:35:45 +0000", ""},
        {"Thu, 17 Jul 2003 05:35:44 GMT", "header-date-far"},
        {"24 Jul 2003 05:35:45", "header-date-syntax"},
        {"24 Jul 1999 05:35:45", "header-date-syntax header-date-far"},
        {"yesterday", "header-date-syntax"},
        {"", "header-date-syntax"},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct rig rig;
        struct header header = {.counts = {[HEADER_FROM] = 1, [HEADER_DATE] = 1}};
        header.value[HEADER_DATE] = slice_text(samples[i].date);
        rig_begin(&rig);
        settings_preset(&rig.site->set, &rig.site->arena);
        rig.turn.facts.header = &header;
        rig.turn.facts.unix_ms = INT64_C(1059024945000);
        rig_run(&rig, &check_header_form, NULL);
        if (strcmp(rig_words(&rig), samples[i].words) != 0)
            fail_msg("%s: %s", samples[i].date, rig_words(&rig));
        rig_end(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_header_has_no_finding),
        cmocka_unit_test(one_received_too_many_is_a_loop),
        cmocka_unit_test(too_many_and_too_large_are_excess),
        cmocka_unit_test(each_flaw_of_form_has_its_finding),
        cmocka_unit_test(of_a_header_without_measure_nothing_is_missed),
        cmocka_unit_test(a_date_is_one_and_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
