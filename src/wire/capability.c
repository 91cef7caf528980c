#include "wire/capability.h"

#include "base/text.h"
#include "wire/xclient.h"

/*
 * reply   = greeting *keyword-line
 * keyword-line = keyword *( 1*blank word )      ; "AUTH=…", an old way, counts as AUTH
 */

struct keyword {
    struct slice word;
    unsigned bit;
};

static const struct keyword keywords[] = {
    {{"PIPELINING", 10}, CAPABILITY_PIPELINING},
    {{"8BITMIME", 8}, CAPABILITY_8BITMIME},
    {{"SMTPUTF8", 8}, CAPABILITY_SMTPUTF8},
    {{"CHUNKING", 8}, CAPABILITY_CHUNKING},
    {{"DSN", 3}, CAPABILITY_DSN},
    {{"STARTTLS", 8}, CAPABILITY_STARTTLS},
    {{"ENHANCEDSTATUSCODES", 19}, CAPABILITY_ENHANCED},
    {{"SIZE", 4}, CAPABILITY_SIZE},
    {{"XCLIENT", 7}, CAPABILITY_XCLIENT},
    {{"BINARYMIME", 10}, CAPABILITY_BINARYMIME},
    {{"AUTH", 4}, CAPABILITY_AUTH},
};

static unsigned keyword_bit(struct slice word)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (slice_equal_fold(word, keywords[i].word))
            return keywords[i].bit;
    return slice_starts_fold(word, SLICE("AUTH=")) ? CAPABILITY_AUTH : 0;
}

static unsigned xclient_names(struct slice words)
{
    unsigned names = 0;
    struct slice word;
    while (slice_word(&words, &word))
        for (enum xclient_name name = 0; name < XCLIENT_COUNT; name++)
            if (slice_equal_fold(word, xclient_attribute(name)))
                names |= 1u << name;
    return names;
}

static void line_add(struct capability *capability, struct slice line)
{
    struct slice word, value;
    if (!slice_word(&line, &word))
        return;
    unsigned bit = keyword_bit(word);
    /* What is said first counts: the second of two SIZE lines is not obeyed. */
    bool again = (capability->set & bit) != 0;
    capability->set |= bit;
    if (again)
        return;
    if (bit == CAPABILITY_XCLIENT)
        capability->xclient = xclient_names(line);
    if (bit == CAPABILITY_SIZE && slice_word(&line, &value) && !text_parse_u64(value, &capability->size))
        capability->size = 0;
}

void capability_parse(const struct reply *reply, struct capability *ret_capability)
{
    size_t at = 0;
    struct slice line;
    *ret_capability = (struct capability){.set = 0};
    if (!reply_line(reply, &at, &ret_capability->greeting))
        return;
    while (reply_line(reply, &at, &line))
        line_add(ret_capability, line);
}
