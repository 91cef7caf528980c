/* Proves that everything the catalogues know has its sentence for people: each finding, reply, question and
 * kind of event, each command, verdict, stage, state and ending. */
#include "journal/phrase.h"

#include "core/ask.h"
#include "core/event.h"
#include "core/finding.h"
#include "core/machine.h"
#include "core/say.h"
#include "unit.h"

/* Whole sentences: a capital, a dot, and no gap but where the table says so. */
static void assert_sentence(const char *who, const char *text, bool gap)
{
    if (!text || strlen(text) < 3)
        fail_msg("%s has no sentence", who);
    const size_t len = strlen(text);
    if (text[0] < 'A' || text[0] > 'Z' || text[len - 1] != '.')
        fail_msg("%s is no sentence: %s", who, text);
    if (!gap && strstr(text, "{}"))
        fail_msg("%s has a gap: %s", who, text);
    if (strchr(text, '\n') || strstr(text, "  "))
        fail_msg("%s is no line: %s", who, text);
}

static void every_finding_has_its_phrases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        const struct finding_info *info = finding_info(i);
        const struct finding_phrase *phrase = phrase_finding(i);
        if (!info != !phrase)
            fail_msg("finding %u (%s) is in one catalogue alone: see src/journal/phrase_finding.def", i,
                     info ? info->word : "?");
        if (!phrase)
            continue;
        assert_sentence(info->word, phrase->means, false);
        assert_sentence(info->word, phrase->remedy, false);
        if (strlen(phrase->because) < 10 || strchr(phrase->because, '.') ||
            strstr(phrase->because, info->word))
            fail_msg("%s: no part of a sentence in words of its own: %s", info->word, phrase->because);
    }
}

static void every_reply_has_its_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAY_LIMIT; i++) {
        const struct say_info *info = say_info(i);
        if (!info != !phrase_reply(i))
            fail_msg("reply %u (%s) is in one catalogue alone: see src/journal/phrase_reply.def", i,
                     info ? info->name : "?");
        if (info)
            assert_sentence(info->name, phrase_reply(i), false);
    }
}

static void every_question_has_its_sentences(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ASK_KIND_LIMIT; i++) {
        const char *word = ask_word(i);
        const struct ask_phrase *phrase = phrase_ask(i);
        if (!word != !phrase)
            fail_msg("question %u (%s) is in one catalogue alone: see src/journal/phrase_ask.def", i,
                     word ? word : "?");
        if (!phrase)
            continue;
        assert_sentence(word, phrase->asks, true);
        assert_sentence(word, phrase->found, true);
        assert_sentence(word, phrase->none, false);
        assert_sentence(word, phrase->unsure, false);
    }
}

static void every_event_has_its_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EVENT_KIND_LIMIT; i++) {
        const struct event_type_info *info = event_info(i);
        if (!info != !phrase_event(i))
            fail_msg("event %u (%s) is in one catalogue alone: see src/journal/phrase_event.def", i,
                     info ? info->word : "?");
        if (info)
            assert_sentence(info->word, phrase_event(i), false);
    }
}

static void every_word_of_the_core_has_its_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VERB_COUNT; i++)
        assert_sentence("a command", phrase_command(i), false);
    for (unsigned i = 0; i <= ACTION_TRAP; i++) {
        assert_sentence(action_word(i), phrase_verdict(i), false);
        assert_non_null(phrase_otherwise(i));
    }
    for (unsigned i = 0; i < STAGE_COUNT; i++)
        assert_non_null(phrase_stage(i));
    for (unsigned i = 0; i < STATE_COUNT; i++)
        assert_sentence("a state", phrase_state(i), false);
    for (unsigned i = 0; i <= END_KILLED; i++)
        assert_sentence("an ending", phrase_ending(i), false);
    for (unsigned digit = 2; digit <= 5; digit++)
        assert_sentence("a digit", phrase_code(digit * 100), false);
    assert_null(phrase_command(VERB_COUNT));
    assert_null(phrase_verdict(ACTION_TRAP + 1));
    assert_null(phrase_stage(STAGE_COUNT));
    assert_null(phrase_state(STATE_COUNT));
    assert_null(phrase_ending(END_KILLED + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_has_its_phrases),
        cmocka_unit_test(every_reply_has_its_sentence),
        cmocka_unit_test(every_question_has_its_sentences),
        cmocka_unit_test(every_event_has_its_sentence),
        cmocka_unit_test(every_word_of_the_core_has_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
