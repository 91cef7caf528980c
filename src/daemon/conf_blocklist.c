/* blocklist NAME { … }: lists of addresses that are asked by DNS. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "wire/domain.h"

#define NAME_MAX_OCTETS 60 /* it stands in replies */
#define WEIGHT_PRESET   5

struct blocklist_draft {
    struct blocklist list;
    struct conf_list codes;
    bool zoned; /* a zone stands in it, be it misshapen */
};

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text_is_alnum(text.at[i]) && !memchr(".-_", text.at[i], 3))
            return false;
    return text.len > 0 && text.len <= NAME_MAX_OCTETS;
}

static bool weight_read(const struct conf_at *at, size_t index, int32_t *ret_weight)
{
    struct rule_change change = {0};
    const char *expected;

    if (!rule_change_read(&change, SLICE("weight"), at->node->values[index].text, &expected)) {
        conf_bad_value(at, index, expected);
        return false;
    }
    *ret_weight = change.rule.weight;
    return true;
}

static void read_zone(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;
    const struct slice text = at->node->values[0].text;
    struct domain_facts facts;

    draft->zoned = true;
    if (text.len > DNSBL_ZONE_MAX || domain_check(text, false, &facts) != DOMAIN_DONE || facts.numeric ||
        facts.dot_last) {
        conf_bad_value(at, 0,
                       "a zone such as list.example.org, of at most 180 octets and without a last dot");
        return;
    }
    draft->list.zone = conf_lower(at->maker, text);
}

static void read_weight(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;

    (void)weight_read(at, 0, &draft->list.weight);
}

static void read_code(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;
    const size_t last = at->node->value_count - 1;
    struct blocklist_code code;

    if (!weight_read(at, last, &code.weight))
        return;
    for (size_t i = 0; i < last; i++) {
        if (dnsbl_pattern_parse(at->node->values[i].text, &code.pattern))
            conf_list_add(&draft->codes, &code, sizeof code);
        else
            conf_bad_value(at, i, "a return code such as 127.0.0.2, 127.0.0.4-7 or 127.0.*.3");
    }
}

static void read_switch(const struct conf_at *at, bool *ret_value)
{
    if (!text_parse_bool(at->node->values[0].text, ret_value))
        conf_bad_value(at, 0, "yes or no");
}

static void read_reasons(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;

    read_switch(at, &draft->list.reasons);
}

static void read_probes(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;

    read_switch(at, &draft->list.probes);
}

static void read_for(const struct conf_at *at)
{
    struct blocklist_draft *draft = at->subject;

    draft->list.ipv4 = draft->list.ipv6 = false;
    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice word = at->node->values[i].text;
        if (slice_equal(word, SLICE("ipv4")))
            draft->list.ipv4 = true;
        else if (slice_equal(word, SLICE("ipv6")))
            draft->list.ipv6 = true;
        else
            conf_bad_value(at, i, "ipv4 or ipv6");
    }
}

static const struct conf_word blocklist_words[] = {
    {"zone", "zone DOMAIN", read_zone, 1, 1, CONF_BLOCK_NONE, true},
    {"weight", "weight NUMBER", read_weight, 1, 1, CONF_BLOCK_NONE, true},
    {"code", "code CODE ... WEIGHT", read_code, 2, 0, CONF_BLOCK_NONE, false},
    {"reason", "reason yes|no", read_reasons, 1, 1, CONF_BLOCK_NONE, true},
    {"probe", "probe yes|no", read_probes, 1, 1, CONF_BLOCK_NONE, true},
    {"for", "for ipv4|ipv6 ...", read_for, 1, 2, CONF_BLOCK_NONE, true},
};

static void blocklist_add(const struct conf_at *at, const struct blocklist_draft *draft)
{
    struct conf_maker *maker = at->maker;
    const struct slice name = at->node->values[0].text, shown = conf_shown(maker, name);

    if (!is_name(name))
        conf_bad_value(at, 0, "a name of letters, digits, dots, - and _, of at most 60 octets");
    else if (!draft->zoned)
        conf_mistake(maker, conf_place_of(at), "blocklist %.*s cannot be asked: expected zone DOMAIN in it",
                     SLICE_ARGS(shown));
    else if (maker->blocklists.count == BLOCKLISTS_MAX)
        conf_mistake(maker, conf_place_of(at), "there are too many blocklists: expected at most %d",
                     BLOCKLISTS_MAX);
    else if (conf_is_first(at, "blocklist", name))
        conf_list_add(&maker->blocklists, &draft->list, sizeof draft->list);
}

void conf_blocklist_read(const struct conf_at *at)
{
    static const struct conf_words words = {.what = "a blocklist",
                                            .words = blocklist_words,
                                            .count = sizeof blocklist_words / sizeof *blocklist_words};
    struct blocklist_draft draft = {
        .list = {.weight = WEIGHT_PRESET, .reasons = true, .probes = true, .ipv4 = true, .ipv6 = true}};

    conf_block_read(at->maker, at->source, at->node->children, &words, &draft);
    draft.list.name = arena_copy(&at->maker->site->arena, at->node->values[0].text);
    draft.list.codes = conf_list_finish(&draft.codes, &at->maker->site->arena, &draft.list.code_count);
    blocklist_add(at, &draft);
}
