/* Proves the catalogue of statistics: numbers and names are those of the golden list, which only grows; every
 * finding, verdict, reply and question has one of its own, with a section; and each section is walked whole,
 * its first statistic first. */
#include "journal/stat.h"

#include "base/text.h"
#include "core/ask.h"
#include "core/finding.h"
#include "core/say.h"
#include "unit.h"

static const char *golden_folder;

static bool has(unsigned number, const char *name)
{
    struct stat_info info;
    return stat_info(number, &info) && strcmp(info.name, name) == 0;
}

static void numbers_and_names_are_for_ever(void **state)
{
    (void)state;
    char path[4096], room[256];
    bool listed[STAT_LIMIT] = {false};
    uint64_t number;
    struct stat_info info;
    snprintf(path, sizeof path, "%s/statistics", golden_folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(room, sizeof room, file)) {
        room[strcspn(room, "\n")] = '\0';
        assert_true(text_parse_u64(slice_of(room, strcspn(room, " ")), &number));
        assert_true(number && number < STAT_LIMIT);
        assert_false(listed[number]); /* used twice */
        listed[number] = true;
        if (!has((unsigned)number, room + strcspn(room, " ") + 1))
            fail_msg("%s: a number is never used again, and a name never changed", room);
    }
    fclose(file);
    for (unsigned i = 0; i < STAT_LIMIT; i++)
        if (stat_info(i, &info) && !listed[i])
            fail_msg("%03u %s is new: doc/man/tables adds it to %s", i, info.name, path);
}

static void names_are_unlike(void **state)
{
    (void)state;
    struct stat_info info;
    for (unsigned i = 1; i < STAT_LIMIT; i++)
        if (stat_info(i, &info)) {
            assert_true(strlen(info.name) < STAT_NAME_SIZE - 1);
            assert_int_equal(stat_parse(slice_text(info.name)), i); /* the first of that name */
        }
}

static void seeds_have_their_numbers(void **state)
{
    (void)state;
    assert_true(has(30, "ehlo-no-helo"));
    assert_true(has(31, "helo-schizophrenic"));
    assert_int_equal(stat_parse(SLICE("030")), 30);
    assert_int_equal(stat_parse(SLICE("EHLO-no-HELO")), 30);
    assert_int_equal(stat_parse(SLICE("29")), STAT_NONE);
    assert_int_equal(stat_parse(SLICE("99999")), STAT_NONE);
    assert_int_equal(stat_parse(SLICE("nonsense")), STAT_NONE);
    assert_int_equal(stat_parse(SLICE("")), STAT_NONE);
}

static void each_finding_has_one(void **state)
{
    (void)state;
    for (unsigned i = 1; i < FIND_LIMIT; i++) {
        const struct finding_info *finding = finding_info(i);
        if (finding)
            assert_true(has(stat_of_finding(i), finding->word));
    }
    assert_int_equal(stat_of_finding(FIND_LIMIT), STAT_NONE);
    assert_int_equal(stat_of_finding(UINT64_MAX), STAT_NONE);
}

static void each_verdict_has_one(void **state)
{
    (void)state;
    static const char *const stages[] = {"connect", "helo", "mail", "rcpt", "data", "message"};
    static const char *const verdicts[] = {"pass", "defer", "reject", "drop", "slow", "discard", "trap"};
    char name[64];
    for (unsigned stage = 0; stage < COUNT(stages); stage++)
        for (unsigned verdict = 0; verdict < COUNT(verdicts); verdict++) {
            snprintf(name, sizeof name, "%s-%s", stages[stage], verdicts[verdict]);
            assert_true(has(stat_of_verdict(stage, verdict, false), name));
            snprintf(name, sizeof name, "%s-%s-observed", stages[stage], verdicts[verdict]);
            assert_true(has(stat_of_verdict(stage, verdict, true), name));
            assert_string_equal(action_word(verdict), verdict ? verdicts[verdict] : "none");
        }
    assert_int_equal(stat_of_verdict(COUNT(stages), 0, false), STAT_NONE);
    assert_int_equal(stat_of_verdict(0, COUNT(verdicts), false), STAT_NONE);
}

static void each_reply_and_question_has_one(void **state)
{
    (void)state;
    struct stat_info info;
    for (unsigned i = 1; i < SAY_LIMIT; i++)
        assert_int_equal(say_info(i) != NULL, stat_info(stat_of_reply(i), &info));
    for (unsigned i = 1; i < ASK_KIND_LIMIT; i++)
        assert_int_equal(ask_word((enum ask_kind)i) != NULL, stat_info(stat_of_question(i), &info));
    assert_true(has(stat_of_reply(SAY_RELAY_DENIED), "reply-relay-denied"));
    assert_true(has(stat_of_question(ASK_POINTER), "ask-pointer"));
    assert_int_equal(stat_of_reply(0), STAT_NONE);
    assert_int_equal(stat_of_reply(SAY_LIMIT), STAT_NONE);
    assert_int_equal(stat_of_question(ASK_KIND_LIMIT), STAT_NONE);
}

/* Each statistic is in exactly one walk. */
static void sections_are_whole(void **state)
{
    (void)state;
    unsigned seen[STAT_LIMIT] = {0};
    struct stat_info info;
    enum stat_section section;
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++) {
        section = (enum stat_section)i;
        unsigned number = stat_next(section, 0);
        assert_int_equal(number, stat_base(section));
        for (; number; number = stat_next(section, number))
            seen[number]++;
        assert_true(stat_section_parse(slice_text(stat_section_word((enum stat_section)i)), &section));
        assert_int_equal(section, i);
    }
    for (unsigned i = 0; i < STAT_LIMIT; i++)
        assert_int_equal(seen[i], stat_info(i, &info));
    assert_false(stat_section_parse(SLICE("nonsense"), &section));
}

/* Metrics are what the names of Prometheus allow: counters end in _total, and have at most labels behind. */
static void metrics_are_well_formed(void **state)
{
    (void)state;
    struct stat_info info;
    unsigned count = 0;
    for (unsigned i = stat_next_own(0); i; i = stat_next_own(i), count++) {
        assert_true(stat_info(i, &info));
        assert_true((i >= 256 && i < 400) ||
                    (i >= 600 && i < 700)); /* the others' numbers are not its to take */
        if (!*info.metric)
            continue;
        struct slice metric = slice_text(info.metric), name = slice_head(metric, slice_find(metric, '{'));
        assert_true(name.len > 6 && slice_equal(slice_from(name, name.len - 6), SLICE("_total")));
        for (size_t k = 0; k < name.len; k++)
            assert_true(name.at[k] == '_' || (name.at[k] >= 'a' && name.at[k] <= 'z') || name.at[k] == '6');
        assert_true(name.len == metric.len || metric.at[metric.len - 1] == '}');
    }
    assert_true(count > 60);
}

int main(int argc, char **argv)
{
    assert_int_equal(argc, 2);
    golden_folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_names_are_for_ever),
        cmocka_unit_test(names_are_unlike),
        cmocka_unit_test(seeds_have_their_numbers),
        cmocka_unit_test(each_finding_has_one),
        cmocka_unit_test(each_verdict_has_one),
        cmocka_unit_test(each_reply_and_question_has_one),
        cmocka_unit_test(sections_are_whole),
        cmocka_unit_test(metrics_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
