/* What lists of addresses have on the client (RFC 5782): those that speak against it, and those that speak
 * for it. */
#include "checks/list.h"

/* One list's word counts once: of several return codes that which weighs most. */
static int weight_of(const struct blocklist *list, struct slice codes)
{
    struct slice word;
    int heaviest = 0;
    bool any = false;
    while (slice_word(&codes, &word)) {
        struct address code;
        int weight = list->weight;
        if (!address_parse(word, &code))
            continue;
        for (size_t i = list->code_count; i-- > 0;)
            if (dnsbl_pattern_matches(&list->codes[i].pattern, &code))
                weight = list->codes[i].weight; /* the first that is written counts */
        if (!any || (weight < 0 ? -weight : weight) > (heaviest < 0 ? -heaviest : heaviest))
            heaviest = weight;
        any = true;
    }
    return heaviest;
}

static void find(struct turn *turn, const struct blocklist *list, struct slice address, struct slice value)
{
    struct slice reason = value, codes;
    slice_cut(&reason, '\n', &codes);
    const int weight = weight_of(list, codes);
    const bool against = weight >= 0;
    const struct slice words = turn_format(turn, "[%.*s] blocked using %.*s%s%.*s", SLICE_ARGS(address),
                                           SLICE_ARGS(list->name), reason.len ? ", reason: " : "",
                                           SLICE_ARGS(reason));
    turn_find_weighing(turn, against ? FIND_LISTED : FIND_ALLOW_LISTED, weight, against ? words : SLICE_NONE,
                       "%.*s is listed by %.*s as %.*s%s%.*s", SLICE_ARGS(address), SLICE_ARGS(list->name),
                       SLICE_ARGS(codes), reason.len ? ": " : "", SLICE_ARGS(reason));
}

static const struct ask *ask(struct turn *turn, const struct blocklist *list, struct slice address)
{
    const struct slice name = turn_join(turn, list->name, SLICE(" "));
    return turn_ask(turn, ASK_LISTED, turn_join(turn, name, address));
}

static enum check_result run(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct site *site = facts->site;
    const struct ask *answers[BLOCKLISTS_MAX];
    char text[ADDRESS_TEXT_SIZE];
    bool all = true;
    if (!site->blocklist_count)
        return CHECK_DONE;
    const struct slice address = slice_of(text, address_print(facts->peer, text));
    for (size_t i = 0; i < site->blocklist_count; i++) {
        answers[i] = ask(turn, &site->blocklists[i], address);
        all = all && answers[i];
    }
    if (!all)
        return CHECK_WAIT;
    for (size_t i = 0; i < site->blocklist_count; i++)
        if (answers[i]->status == ANSWER_FOUND) /* fails open: what a list cannot say is no listing */
            find(turn, &site->blocklists[i], address, answers[i]->value);
    return CHECK_DONE;
}

static const uint8_t finds[] = {FIND_LISTED, FIND_ALLOW_LISTED, 0};

const struct check check_listed = {
    .name = "listed",
    .doc = "whether lists that are asked by DNS have the client's address",
    .starts = STAGE_CONNECT,
    .joins = STAGE_HELO,
    .once = true,
    .about_address = true,
    .behind = true,
    .audience = AUDIENCE_STRANGERS,
    .finds = finds,
    .wanted = site_asks_names,
    .run = run,
};
