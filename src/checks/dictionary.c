/* Does the host guess addresses? Unknown recipients that it names are kept for a while. */
#include "base/text.h"
#include "checks/list.h"
#include "checks/place.h"

static struct slice key_of(struct turn *turn)
{
    return turn_join(turn, SLICE("dictionary "), place_host(turn));
}

/* The last number of the answer to ASK_SEEN; a look-up that failed fails open: nothing was seen. */
static uint64_t distinct(const struct ask *answer)
{
    struct slice rest = answer->value, word;
    uint64_t number = 0;
    if (answer->status != ANSWER_FOUND)
        return 0;
    while (slice_word(&rest, &word))
        if (!text_parse_u64(word, &number))
            return 0;
    return number;
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct settings *set = &facts->site->set;
    if (!facts->route || facts->postmaster)
        return CHECK_DONE;
    struct slice key = key_of(turn);
    const struct ask *seen = turn_ask(turn, ASK_SEEN, key);
    const struct ask *mailbox = turn_ask(
        turn, ASK_RECIPIENT,
        turn_format(turn, "%u %.*s", facts->route->number, SLICE_ARGS(facts->recipient_address)));
    if (!seen || !mailbox)
        return CHECK_WAIT;
    uint64_t before = distinct(seen);
    if (mailbox->status == ANSWER_NONE && before < set->dictionary_limit)
        turn_tell(turn, TELL_SEEN, key, place_lower(turn, facts->recipient_address), set->dictionary_window);
    if (before >= set->dictionary_limit)
        turn_find(turn, FIND_DICTIONARY, "%llu unknown recipients or more from %.*s",
                  (unsigned long long)before, SLICE_ARGS(place_host(turn)));
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_DICTIONARY, 0};

const struct check check_dictionary = {
    .name = "dictionary",
    .doc = "whether a stranger guesses addresses: many unknown recipients from one host",
    .starts = STAGE_RCPT,
    .joins = STAGE_RCPT,
    .about_address = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = finds,
    .run = run,
};
