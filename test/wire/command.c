/* Proves that each verb is known in any case of letters, and that argument, blanks and header look-alikes are
 * told apart. */
#include "unit.h"
#include "wire/command.h"

struct command_case {
    const char *line;
    enum verb verb;
    const char *word, *argument;
    bool extra_space, header_like;
};

static const struct command_case cases[] = {
    {"", VERB_NONE, "", "", false, false},
    {"  ", VERB_NONE, "", "", true, false},
    {"HELO Made-Up-Name-desk98", VERB_HELO, "HELO", "Made-Up-Name-desk98", false, false},
    {"quit", VERB_QUIT, "quit", "", false, false},
    {"QUIT ", VERB_QUIT, "QUIT", "", true, false},
    {" QUIT", VERB_QUIT, "QUIT", "", true, false},
    {"MaIl FROM:<a@b.example> SIZE=1", VERB_MAIL, "MaIl", "FROM:<a@b.example> SIZE=1", false, false},
    {"MAIL  FROM:<>", VERB_MAIL, "MAIL", "FROM:<>", true, false},
    {"MAIL\tFROM:<>", VERB_MAIL, "MAIL", "FROM:<>", true, false},
    {"RCPT TO: <recipes@hypertouch.com> ", VERB_RCPT, "RCPT", "TO: <recipes@hypertouch.com>", true, false},
    {"MAILFROM:<>", VERB_UNKNOWN, "MAILFROM:<>", "", false, false},
    {"DATAX", VERB_UNKNOWN, "DATAX", "", false, false},
    {"DAT", VERB_UNKNOWN, "DAT", "", false, false},
    {"POST / HTTP/1.0", VERB_UNKNOWN, "POST", "/ HTTP/1.0", false, false},
    {"Content-Type: text/plain", VERB_UNKNOWN, "Content-Type:", "text/plain", false, true},
    {"To: <a@b.example>", VERB_UNKNOWN, "To:", "<a@b.example>", false, true},
    {"From:", VERB_UNKNOWN, "From:", "", false, true},
    {":", VERB_UNKNOWN, ":", "", false, false},
    {"a:b:", VERB_UNKNOWN, "a:b:", "", false, false},
    {"http://x", VERB_UNKNOWN, "http://x", "", false, false},
    {"DATA\r", VERB_UNKNOWN, "DATA\r", "", false, false},
};

static void lines_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct command command;
        command_parse(slice_text(cases[i].line), &command);
        if (command.verb != cases[i].verb || !slice_equal(command.word, slice_text(cases[i].word)) ||
            !slice_equal(command.argument, slice_text(cases[i].argument)) ||
            command.extra_space != cases[i].extra_space || command.header_like != cases[i].header_like)
            fail_msg("\"%s\": %.*s \"%.*s\" \"%.*s\" %d %d", cases[i].line,
                     SLICE_ARGS(verb_name(command.verb)), SLICE_ARGS(command.word),
                     SLICE_ARGS(command.argument), command.extra_space, command.header_like);
    }
}

static void each_verb_is_known_by_its_name(void **state)
{
    (void)state;
    for (enum verb verb = VERB_HELO; verb < VERB_COUNT; verb++) {
        struct command command;
        command_parse(verb_name(verb), &command);
        assert_int_equal(command.verb, verb);
    }
    assert_slice_equal(verb_name(VERB_NONE), "-");
    assert_slice_equal(verb_name(VERB_UNKNOWN), "?");
}

static void nul_is_part_of_a_word(void **state)
{
    struct command command;
    (void)state;
    command_parse(SLICE("QUIT\0 x"), &command);
    assert_int_equal(command.verb, VERB_UNKNOWN);
    assert_int_equal(command.word.len, 5);
}

struct bdat_case {
    const char *argument;
    bool good;
    uint64_t size;
    bool last;
};

static const struct bdat_case bdat_cases[] = {
    {"1000", true, 1000, false},
    {"0 LAST", true, 0, true},
    {"86 last", true, 86, true},
    {"86  LAST", true, 86, true},
    {"9223372036854775807", true, INT64_MAX, false},
    {"18446744073709551616", false, 0, false},
    {"", false, 0, false},
    {"LAST", false, 0, false},
    {"-1", false, 0, false},
    {"+1", false, 0, false},
    {"0x10", false, 0, false},
    {"10 LASTS", false, 0, false},
    {"10 LAST x", false, 0, false},
    {"10LAST", false, 0, false},
};

static void bdat_takes_a_number_and_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bdat_cases); i++) {
        uint64_t size = 0;
        bool last = false;
        bool good = command_parse_bdat(slice_text(bdat_cases[i].argument), &size, &last);
        if (good != bdat_cases[i].good ||
            (good && (size != bdat_cases[i].size || last != bdat_cases[i].last)))
            fail_msg("BDAT %s", bdat_cases[i].argument);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_taken_apart),
        cmocka_unit_test(each_verb_is_known_by_its_name),
        cmocka_unit_test(nul_is_part_of_a_word),
        cmocka_unit_test(bdat_takes_a_number_and_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
