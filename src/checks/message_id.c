/* Has the message an identifier, and one that is well made? (RFC 5322 section 3.6.4 wants one; whoever must
 * trace a message needs it.) */
#include "checks/list.h"

#include "base/text.h"
#include "wire/header.h"
#include "wire/message_id.h"

/* A list's word is a network, the end of the client's confirmed name (".example.org", "example.org"), a
 * sender, or, with an @ in front, a sender's domain. */
static bool word_fits(const struct facts *facts, struct slice word)
{
    struct prefix prefix;
    size_t at = slice_find(word, '@');
    if (at == 0)
        return slice_ends_fold(facts->sender, word);
    if (at != SLICE_NOT_FOUND)
        return slice_equal_fold(facts->sender, word);
    if (prefix_parse(word, &prefix))
        return prefix_contains(&prefix, facts->peer);
    struct slice name = facts->peer_name;
    if (word.len && word.at[0] == '.')
        return slice_ends_fold(name, word);
    return slice_equal_fold(name, word) ||
           (slice_ends_fold(name, word) && word.len && name.at[name.len - word.len - 1] == '.');
}

static bool exempt(const struct facts *facts)
{
    struct slice list = facts->site->set.message_id_exempt, word;
    while (slice_word(&list, &word))
        if (word_fits(facts, word))
            return true;
    for (size_t i = 0; i < facts->site->message_id_exempt_count; i++)
        if (word_fits(facts, facts->site->message_id_exempt[i]))
            return true;
    return false;
}

static void judge_absent(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct header *header = facts->header;
    if (!facts->sender.len) /* real bounces often lack one */
        return;
    if (header->flags & (HEADER_TOO_MANY | HEADER_TOO_LARGE)) /* it may stand in what was not read */
        return;
    turn_find_saying(turn, FIND_MESSAGE_ID_ABSENT, SLICE("the message has no Message-ID"),
                     "the header has no Message-ID");
}

static void judge_value(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    struct slice value = facts->header->value[HEADER_MESSAGE_ID];
    enum message_id_grammar grammar = (enum message_id_grammar)facts->site->set.message_id_syntax;
    if (facts->header->value_cut[HEADER_MESSAGE_ID] || message_id_check(value, grammar))
        return;
    turn_find_saying(turn, FIND_MESSAGE_ID_MALFORMED, SLICE("its Message-ID is none"), "Message-ID: %.*s",
                     SLICE_ARGS(slice_head(value, 200)));
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    if (exempt(facts))
        return CHECK_DONE;
    if (facts->header->counts[HEADER_MESSAGE_ID])
        judge_value(turn);
    else
        judge_absent(turn);
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_MESSAGE_ID_ABSENT, FIND_MESSAGE_ID_MALFORMED, 0};

const struct check check_message_id = {
    .name = "message-id",
    .doc = "whether the message has an identifier, and one that is well made",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = finds,
    .run = run,
};
