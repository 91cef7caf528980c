/* What findings lead to: check WORD { … }, and override { … } for some clients, senders or recipients. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "core/override.h"
#include "wire/domain.h"
#include "wire/syn_match.h"

#include <string.h>

#define NAME_MAX_OCTETS 255
#define WORDS_MAX       200 /* octets of a block's words: they stand in a reply */

/* --- check --------------------------------------------------------------------------------------------- */

static struct slice finding_nearest(struct slice word)
{
    unsigned best = 4;
    struct slice nearest = SLICE_NONE;

    for (unsigned i = 0; i < FIND_LIMIT; i++) {
        const struct finding_info *info = finding_info(i);
        const unsigned distance = info ? text_distance(word, slice_text(info->word), 3) : 4;
        if (distance >= best || 2 * distance > word.len)
            continue;
        best = distance;
        nearest = slice_text(info->word);
    }
    return nearest;
}

static bool finding_read(const struct conf_at *at, enum finding *ret_finding)
{
    const struct slice word = at->node->values[0].text, shown = conf_shown(at->maker, word);

    if (!finding_parse(word, ret_finding)) {
        const struct slice nearest = finding_nearest(word);
        if (nearest.len)
            conf_mistake(at->maker, conf_place_of(at), "there is no finding \"%.*s\": did you mean %.*s?",
                         SLICE_ARGS(shown), SLICE_ARGS(nearest));
        else
            conf_mistake(at->maker, conf_place_of(at),
                         "there is no finding \"%.*s\": expected one of postern-findings(7)",
                         SLICE_ARGS(shown));
        return false;
    }
    if (!finding_is_firm(*ret_finding))
        return true;
    conf_mistake(at->maker, conf_place_of(at), "%.*s is no matter of policy: expected another finding",
                 SLICE_ARGS(shown));
    return false;
}

static void read_change(const struct conf_at *at)
{
    const char *expected = "";

    if (!rule_change_read(at->subject, at->node->name, at->node->values[0].text, &expected))
        conf_bad_value(at, 0, expected);
}

static const struct conf_word check_words[] = {
    {"mode", "mode off|observe|enforce", read_change, 1, 1, CONF_BLOCK_NONE, true},
    {"weight", "weight NUMBER", read_change, 1, 1, CONF_BLOCK_NONE, true},
    {"action", "action none|slow|defer|discard|reject|trap|drop", read_change, 1, 1, CONF_BLOCK_NONE, true},
};

static bool check_is_first(const struct conf_at *at, unsigned block, struct slice word)
{
    const struct conf_place *first = conf_first(at->maker, block, "check", word, conf_place_of(at));

    if (!first)
        return true;
    const struct slice place = conf_place_shown(at->maker, first);
    conf_mistake(at->maker, conf_place_of(at),
                 "check %.*s stands twice: expected it once, and it is at %.*s already", SLICE_ARGS(word),
                 SLICE_ARGS(place));
    return false;
}

/* The same finding may stand once in the file, and once in each override. */
static bool check_read(const struct conf_at *at, unsigned block, struct rule_change *ret_change)
{
    static const struct conf_words words = {
        .what = "a check", .words = check_words, .count = sizeof check_words / sizeof *check_words};
    enum finding finding;

    *ret_change = (struct rule_change){0};
    if (!finding_read(at, &finding) || !check_is_first(at, block, at->node->values[0].text))
        return false;
    ret_change->finding = (uint8_t)finding;
    if (!at->node->children)
        conf_mistake(at->maker, conf_place_of(at),
                     "check %s changes nothing: expected mode, weight or action in it",
                     finding_info(finding)->word);
    conf_block_read(at->maker, at->source, at->node->children, &words, ret_change);
    return true;
}

void conf_check_read(const struct conf_at *at)
{
    struct rule_change change;

    if (check_read(at, 0, &change))
        rule_change_apply(&change, &at->maker->site->rules[change.finding]);
}

/* --- override: whom it is about ------------------------------------------------------------------------ */

struct override_draft {
    struct override override;
    struct conf_list networks, by[OVERRIDE_BY_COUNT], changes;
    unsigned id; /* for what may stand in an override only once */
    bool said;   /* whom it is about, be it misshapen */
    bool tried;  /* a check stands in it, be it misshapen */
};

static void read_network(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    const struct conf_network_use use = {.list = &draft->networks};

    draft->said = true;
    conf_networks_read(at, &use);
}

/* "example.org", or ".example.org" for all below it. */
static bool is_domain(struct slice text)
{
    if (slice_starts(text, SLICE(".")))
        text = slice_from(text, 1);
    return text.len && domain_check(text, true, NULL) == DOMAIN_DONE;
}

/* What clients say in HELO need not be a domain. */
static bool is_helo(struct slice text)
{
    return slice_is_printable(text) && slice_find(text, ' ') == SLICE_NOT_FOUND &&
           text.len <= NAME_MAX_OCTETS && text.len;
}

static bool is_recipient(struct slice text)
{
    const size_t at = slice_find_last(text, '@');
    const struct slice local = slice_head(text, at);

    if (at == SLICE_NOT_FOUND)
        return is_domain(text);
    return local.len && local.len <= 64 && slice_is_utf8(local) &&
           domain_check(slice_from(text, at + 1), true, NULL) == DOMAIN_DONE;
}

static bool is_sender(struct slice text)
{
    return slice_equal(text, SLICE("<>")) || is_recipient(text);
}

static bool is_as(struct slice text)
{
    uint64_t number;

    return text_parse_u64(text, &number) && number > 0 && number <= UINT32_MAX && text.at[0] != '0';
}

static bool is_country(struct slice text)
{
    return text.len == 2 && text_is_alpha(text.at[0]) && text_is_alpha(text.at[1]);
}

static const struct {
    bool (*fits)(struct slice text);
    const char *expected;
} name_rules[OVERRIDE_BY_COUNT] = {
    [OVERRIDE_PTR] = {is_domain, "a name such as mx.example.org, or .example.org for all below it"},
    [OVERRIDE_HELO] = {is_helo, "a name such as mx.example.org, or .example.org for all below it"},
    [OVERRIDE_SENDER] = {is_sender, "joe@example.org, example.org, .example.org for all below it, or \"<>\""},
    [OVERRIDE_RECIPIENT] = {is_recipient, "joe@example.org, example.org, or .example.org for all below it"},
    [OVERRIDE_AUTHENTICATED] = {is_domain, "a domain such as example.org, or .example.org for all below it"},
    [OVERRIDE_AS] = {is_as, "the number of an autonomous system, such as 64500"},
    [OVERRIDE_COUNTRY] = {is_country, "a country's two letters, such as NL"},
    [OVERRIDE_FINGERPRINT] =
        {syn_pattern_check, "a signature of p0f, such as \"*:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0\""},
};

static void read_names(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    unsigned by = 0;

    draft->said = true;
    while (by < OVERRIDE_BY_COUNT && !slice_equal(at->node->name, slice_text(override_by_word(by))))
        by++;
    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice name = arena_copy(&at->maker->site->arena, at->node->values[i].text);
        if (name_rules[by].fits(name))
            conf_list_add(&draft->by[by], &name, sizeof name);
        else
            conf_bad_value(at, i, name_rules[by].expected);
    }
}

/* --- override: what it does ---------------------------------------------------------------------------- */

static void read_allow(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    draft->override.allow = true;
}

static void read_known(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    draft->override.known = true;
}

static void read_observe(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    draft->override.observe = true;
}

static void read_block(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;

    draft->override.block = true;
    if (!at->node->value_count)
        return;
    const struct slice words = at->node->values[0].text;
    if (slice_is_printable(words) && words.len <= WORDS_MAX)
        draft->override.words = arena_copy(&at->maker->site->arena, words);
    else
        conf_bad_value(at, 0, "a reason in printable ASCII, at most 200 octets");
}

static void read_override_check(const struct conf_at *at)
{
    struct override_draft *draft = at->subject;
    struct rule_change change;

    draft->tried = true;
    if (check_read(at, draft->id, &change))
        conf_list_add(&draft->changes, &change, sizeof change);
}

static const struct conf_word override_words[] = {
    {"network", "network NETWORK ...", read_network, 1, 0, CONF_BLOCK_NONE, false},
    {"ptr", "ptr NAME ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"helo", "helo NAME ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"sender", "sender ADDRESS ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"recipient", "recipient ADDRESS ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"authenticated", "authenticated DOMAIN ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"as", "as NUMBER ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"country", "country LETTERS ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"fingerprint", "fingerprint SIGNATURE ...", read_names, 1, 0, CONF_BLOCK_NONE, false},
    {"allow", "allow", read_allow, 0, 0, CONF_BLOCK_NONE, true},
    {"block", "block [\"REASON\"]", read_block, 0, 1, CONF_BLOCK_NONE, true},
    {"known", "known", read_known, 0, 0, CONF_BLOCK_NONE, true},
    {"observe", "observe", read_observe, 0, 0, CONF_BLOCK_NONE, true},
    {"check", "check FINDING { ... }", read_override_check, 1, 1, CONF_BLOCK_MUST, false},
};

static void override_check(const struct conf_at *at, const struct override_draft *draft)
{
    const struct override *override = &draft->override;
    const bool does = override->allow || override->block || override->known || override->observe;

    if (!draft->said)
        conf_mistake(at->maker, conf_place_of(at),
                     "override says of nobody what it is about: expected network, ptr, helo, sender, "
                     "recipient, authenticated, as, country or fingerprint in it");
    if (!does && !draft->tried)
        conf_mistake(at->maker, conf_place_of(at),
                     "override changes nothing: expected allow, block, known, observe or check in it");
    if (override->allow && override->block)
        conf_mistake(at->maker, conf_place_of(at), "override allows and blocks: expected one of the two");
}

static void override_finish(const struct conf_at *at, struct override_draft *draft)
{
    struct arena *arena = &at->maker->site->arena;
    struct override *override = &draft->override;
    const struct conf_place place = conf_place_of(at);

    override->name = arena_copy(arena, conf_place_shown(at->maker, &place));
    override->networks.items = conf_list_finish(&draft->networks, arena, &override->networks.count);
    networks_sort(&override->networks);
    for (unsigned by = 0; by < OVERRIDE_BY_COUNT; by++)
        override->by[by].items = conf_list_finish(&draft->by[by], arena, &override->by[by].count);
    override->changes = conf_list_finish(&draft->changes, arena, &override->change_count);
    conf_list_add(&at->maker->overrides, override, sizeof *override);
}

void conf_override_read(const struct conf_at *at)
{
    static const struct conf_words words = {.what = "an override",
                                            .words = override_words,
                                            .count = sizeof override_words / sizeof *override_words};
    struct override_draft draft = {.id = ++at->maker->block_count};

    conf_block_read(at->maker, at->source, at->node->children, &words, &draft);
    override_check(at, &draft);
    override_finish(at, &draft);
}
