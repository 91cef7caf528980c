#include "wire/command.h"

#include "base/text.h"

/*
 * command  = verb [ 1*blank argument ] *blank
 * verb     = 1*octet              ; ends at a blank; known without regard to case
 * blank    = SP / HT              ; RFC 5321 has one SP only: anything more is tolerated and flagged
 * bdat-arg = 1*DIGIT [ 1*blank "LAST" ]
 */

static const struct slice verbs[VERB_COUNT] = {
    [VERB_NONE] = {"-", 1},
    [VERB_UNKNOWN] = {"?", 1},
    [VERB_HELO] = {"HELO", 4},
    [VERB_EHLO] = {"EHLO", 4},
    [VERB_LHLO] = {"LHLO", 4},
    [VERB_MAIL] = {"MAIL", 4},
    [VERB_RCPT] = {"RCPT", 4},
    [VERB_DATA] = {"DATA", 4},
    [VERB_BDAT] = {"BDAT", 4},
    [VERB_RSET] = {"RSET", 4},
    [VERB_NOOP] = {"NOOP", 4},
    [VERB_QUIT] = {"QUIT", 4},
    [VERB_VRFY] = {"VRFY", 4},
    [VERB_EXPN] = {"EXPN", 4},
    [VERB_HELP] = {"HELP", 4},
    [VERB_TURN] = {"TURN", 4},
    [VERB_ETRN] = {"ETRN", 4},
    [VERB_AUTH] = {"AUTH", 4},
    [VERB_STARTTLS] = {"STARTTLS", 8},
    [VERB_XCLIENT] = {"XCLIENT", 7},
};

struct slice verb_name(enum verb verb)
{
    return verbs[verb];
}

static enum verb verb_find(struct slice word)
{
    for (enum verb verb = VERB_HELO; verb < VERB_COUNT; verb++)
        if (word.len == verbs[verb].len && slice_equal_fold(word, verbs[verb]))
            return verb;
    return VERB_UNKNOWN;
}

/* RFC 5322 section 2.2: a field name is printable ASCII without the colon. */
static bool word_is_header(struct slice word)
{
    return word.len > 1 && slice_find(word, ':') == word.len - 1 && slice_is_printable(word);
}

void command_parse(struct slice line, struct command *ret_command)
{
    *ret_command = (struct command){.verb = VERB_NONE};
    struct slice body = slice_trim(line);
    ret_command->extra_space = body.len != line.len;
    struct slice rest = body;
    if (!slice_word(&rest, &ret_command->word))
        return;
    ret_command->verb = verb_find(ret_command->word);
    ret_command->header_like = ret_command->verb == VERB_UNKNOWN && word_is_header(ret_command->word);
    ret_command->argument = slice_trim(rest);
    size_t gap = body.len - ret_command->word.len - ret_command->argument.len;
    if (ret_command->argument.len > 0 && (gap != 1 || body.at[ret_command->word.len] != ' '))
        ret_command->extra_space = true;
}

bool command_parse_bdat(struct slice argument, uint64_t *ret_size, bool *ret_last)
{
    struct slice size, last, more;
    if (!slice_word(&argument, &size) || size.len > BDAT_DIGITS_MAX || !text_parse_u64(size, ret_size))
        return false;
    *ret_last = slice_word(&argument, &last);
    if (*ret_last && !slice_equal_fold(last, SLICE("LAST")))
        return false;
    return !slice_word(&argument, &more);
}
