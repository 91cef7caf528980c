/* Whatever a line holds: verb and argument are parts of it in order, and its own name is what a verb is known
 * by. */
#include "property.h"
#include "wire/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice line = slice_of((const char *)octets, len);
    struct command command;
    uint64_t size = 0;
    bool last;
    command_parse(line, &command);
    assert(command.verb < VERB_COUNT);
    assert(slice_is_within(command.word, line) && slice_is_within(command.argument, line));
    assert(slice_trim(command.argument).len == command.argument.len);
    assert((command.verb == VERB_NONE) == (command.word.len == 0));
    if (command.verb > VERB_UNKNOWN)
        assert(slice_equal_fold(command.word, verb_name(command.verb)) && !command.header_like);
    if (command.argument.len > 0)
        assert(command.argument.at > command.word.at + command.word.len);
    if (!command.extra_space)
        assert(line.len == command.word.len + (command.argument.len ? 1 + command.argument.len : 0));
    if (command_parse_bdat(line, &size, &last))
        assert(size <= INT64_MAX || size < 10000000000000000000ULL);
    return 0;
}
