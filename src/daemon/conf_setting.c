/* Settings of one value: limits.recipients 100, or limits { recipients 100 }. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "core/say.h"
#include "io/origin.h"
#include "journal/notice.h"
#include "watch/block_list.h"
#include "wire/domain.h"
#include "wire/path.h"

#include <string.h>

/* --- what texts must look like ------------------------------------------------------------------------- */

static bool is_domain(struct slice text)
{
    struct domain_facts facts;

    return domain_check(text, false, &facts) == DOMAIN_DONE && !facts.numeric && !facts.dot_last;
}

/* A name of the system's users: what useradd(8) takes. */
static bool is_user(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text_is_alnum(text.at[i]) && !memchr("_-.", text.at[i], 3))
            return false;
    return text.len < 32 && !(text.len && text.at[0] == '-');
}

/* What stands in braces is {number} or a slip. */
static bool has_good_braces(struct slice text)
{
    const size_t at = slice_find_slice(text, SLICE(SAY_URL_NUMBER));
    const struct slice rest = at == SLICE_NOT_FOUND ? text : slice_from(text, at + sizeof SAY_URL_NUMBER - 1);

    return slice_find(rest, '{') == SLICE_NOT_FOUND && slice_find(rest, '}') == SLICE_NOT_FOUND &&
           (at == SLICE_NOT_FOUND || slice_find(slice_head(text, at), '{') == SLICE_NOT_FOUND);
}

static bool is_url(struct slice text)
{
    return slice_is_printable(text) && has_good_braces(text) && slice_find(text, ' ') == SLICE_NOT_FOUND &&
           text.len < 400 && (slice_starts(text, SLICE("https://")) || slice_starts(text, SLICE("http://")));
}

static bool is_notice_classes(struct slice text)
{
    unsigned classes;

    return notice_classes_parse(text, &classes);
}

static bool is_separators(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("!#$%&'*+-/=?^_`{|}~.", text.at[i], 20))
            return false;
    return true;
}

static bool is_facility(struct slice text)
{
    static const char *const words[] = {"kern",   "user",   "mail",   "daemon", "auth",   "syslog",
                                        "lpr",    "news",   "uucp",   "cron",   "local0", "local1",
                                        "local2", "local3", "local4", "local5", "local6", "local7"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(text, slice_text(words[i])))
            return true;
    return false;
}

/* A mailbox, or an address with a domain. */
static bool is_address(struct slice text)
{
    const size_t at = slice_find_last(text, '@');
    const struct slice local = at == SLICE_NOT_FOUND ? text : slice_head(text, at);

    for (size_t i = 0; i < local.len; i++)
        if (local.at[i] <= ' ' || local.at[i] == 0x7f || memchr("<>\"@,:;/", local.at[i], 8))
            return false;
    return local.len && local.len <= 64 && local.at[0] != '.' &&
           (at == SLICE_NOT_FOUND || is_domain(slice_from(text, at + 1)));
}

static bool is_name_servers(struct slice text)
{
    struct slice word;
    struct address address;
    size_t count = 0;

    if (slice_equal(text, SLICE("none")))
        return true;
    while (slice_word(&text, &word)) {
        if (!address_parse(word, &address) && !address_port_parse(word, 53, &address))
            return false;
        count++;
    }
    return count > 0 && count <= 4;
}

static bool is_short_domain(struct slice text)
{
    return text.len <= 200 && is_domain(text);
}

#define CLASSES_EXPECTED "words out of policy, protocol, resource, software and campaign"
#define EXPORT_EXPECTED  "a file's name in printable ASCII"
#define ZONE_EXPECTED    "a zone such as origin.example.org, of at most 180 octets and without a last dot"

static bool is_zone(struct slice text)
{
    return text.len <= ORIGIN_ZONE_MAX && is_domain(text);
}

static bool is_steps(struct slice text)
{
    int64_t step_ms[BLOCK_STEPS_MAX];
    unsigned steps;

    return block_steps_parse(text, step_ms, &steps);
}

static bool is_path(struct slice text)
{
    return text.len > 0;
}

static bool is_file(struct slice text)
{
    return text.len && text.at[text.len - 1] != '/' && slice_is_printable(text);
}

struct text_rule {
    const char *name;
    bool (*fits)(struct slice text);
    const char *expected;
    bool may_be_empty;
    bool path;
    void (*read)(const struct conf_at *at, struct slice path); /* the file's own words, or NULL */
};

static const struct text_rule text_rules[] = {
    {"host-name", is_domain, "a domain name, such as mx.example.net", true, false, NULL},
    {"postmaster", is_address, "a mailbox or an address, such as joe or joe@example.net", false, false, NULL},
    {"user", is_user, "the name of a user of this system", true, false, NULL},
    {"group", is_user, "the name of a group of this system", true, false, NULL},
    {"state-directory", is_path, "a folder", false, true, NULL},
    {"run-directory", is_path, "a folder", false, true, NULL},
    {"policy-url", is_url,
     "a page's address, such as https://example.net/policy or \"https://example.net/replies.html#{number}\"",
     true, false, NULL},
    {"blocks.expiry", is_steps, "durations of at least a second, such as \"1d 7d 30d\", eight at most", false,
     false, NULL},
    {"notify.classes", is_notice_classes, CLASSES_EXPECTED, true, false, NULL},
    {"notify.digest", is_notice_classes, CLASSES_EXPECTED, true, false, NULL},
    {"notify.to", is_address, "a mailbox or an address, such as joe or joe@example.net", false, false, NULL},
    {"deliver.separators", is_separators, "characters such as + or -, and no letters, digits or blanks", true,
     false, NULL},
    {"dns.server", is_name_servers,
     "none, or addresses of name servers, such as 127.0.0.1 or \"192.0.2.53 [2001:db8::53]:5353\"", true,
     false, NULL},
    {"dns.probe", is_short_domain, "a domain such as com", true, false, NULL},
    {"origin.zone", is_zone, ZONE_EXPECTED, true, false, NULL},
    {"origin.zone6", is_zone, ZONE_EXPECTED, true, false, NULL},
    {"origin.names", is_zone, ZONE_EXPECTED, true, false, NULL},
    {"origin.contacts", is_zone, ZONE_EXPECTED, true, false, NULL},
    {"origin.contacts-file", is_path, "a file", true, true, conf_contacts_read},
    {"log.file", is_path, "a file", true, true, NULL},
    {"export.access", is_file, EXPORT_EXPECTED, true, false, NULL},
    {"export.cidr", is_file, EXPORT_EXPECTED, true, false, NULL},
    {"export.nftables", is_file, EXPORT_EXPECTED, true, false, NULL},
    {"export.rbldnsd", is_file, EXPORT_EXPECTED, true, false, NULL},
    {"export.json", is_file, EXPORT_EXPECTED, true, false, NULL},
    {"log.facility", is_facility, "a facility of syslog(3), such as mail or local0", false, false, NULL},
    {"message-id.exempt", conf_exempt_fits, CONF_EXEMPT_EXPECTED, true, false, NULL},
    {"message-id.exempt-file", is_path, "a file", true, true, conf_exempt_read},
};

static const struct text_rule *text_rule(const struct setting_info *info)
{
    for (size_t i = 0; i < sizeof text_rules / sizeof *text_rules; i++)
        if (strcmp(text_rules[i].name, info->name) == 0)
            return &text_rules[i];
    return NULL;
}

static const char *text_problem(const struct text_rule *rule, struct slice text)
{
    if (!rule || (rule->may_be_empty && text.len == 0) || (text.len && rule->fits(text)))
        return NULL;
    return rule->expected;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void refuse(const struct conf_at *at, const struct setting_info *info, const char *expected)
{
    const struct slice shown = conf_shown(at->maker, at->node->values[0].text);

    conf_mistake(at->maker, conf_place_of_value(at, 0), "%s cannot be \"%.*s\": expected %s", info->name,
                 SLICE_ARGS(shown), expected);
}

static bool one_value(const struct conf_at *at, const struct setting_info *info)
{
    const struct conf_node *node = at->node;
    struct settings unused = at->maker->site->set;
    struct slice expected = SLICE("text");

    if (node->value_count == 1 && !node->block && !node->values[0].list)
        return true;
    if (info->type != SETTING_TEXT) /* nothing fits a setting but text, so the control character never does */
        (void)setting_set(&unused, info, SLICE("\1"), &at->maker->scratch, &expected);
    conf_mistake(at->maker, conf_place_of(at), "%s wants one value%s: expected %.*s", info->name,
                 node->block ? " and no block" : "", SLICE_ARGS(expected));
    return false;
}

static void setting_read(const struct conf_at *at, const struct setting_info *info)
{
    struct site *site = at->maker->site;
    struct slice expected;

    if (!conf_is_first(at, "", slice_text(info->name)) || !one_value(at, info))
        return;
    struct slice text = at->node->values[0].text;
    const struct text_rule *rule = info->type == SETTING_TEXT ? text_rule(info) : NULL;
    const char *problem = text_problem(rule, text);
    if (problem) {
        refuse(at, info, problem);
        return;
    }
    if (rule && rule->path && text.len)
        text = conf_path(at, text);
    if (!setting_set(&site->set, info, text, &site->arena, &expected))
        refuse(at, info, arena_copy(&at->maker->scratch, expected).at);
    else if (rule && rule->read && text.len)
        rule->read(at, text);
}

/* --- sections ------------------------------------------------------------------------------------------ */

static bool in_section(const char *name, struct slice section)
{
    return slice_starts(slice_text(name), section) && name[section.len] == '.';
}

static bool section_other(const struct conf_at *at)
{
    const struct slice *section = at->subject;
    const struct slice name = arena_format(&at->maker->scratch, "%.*s.%.*s", SLICE_ARGS(*section),
                                           SLICE_ARGS(at->node->name));
    const struct setting_info *info = setting_find(name);

    if (info)
        setting_read(at, info);
    return info || conf_word_read(at, &conf_site_words, name);
}

static struct slice section_other_name(const struct conf_at *at, size_t index)
{
    const struct slice *section = at->subject;

    for (size_t i = 0; i < setting_count; i++)
        if (in_section(setting_infos[i].name, *section) && index-- == 0)
            return slice_text(setting_infos[i].name);
    return SLICE_NONE;
}

static void section_read(const struct conf_at *at)
{
    const struct slice shown = conf_shown(at->maker, at->node->name);
    struct slice section = at->node->name;
    const struct conf_words words = {.what = arena_copy(&at->maker->scratch, section).at,
                                     .other = section_other,
                                     .other_name = section_other_name};

    if (at->node->value_count || !at->node->block) {
        conf_mistake(at->maker, conf_place_of(at), "%.*s is a block of settings: expected %.*s { ... }",
                     SLICE_ARGS(shown), SLICE_ARGS(shown));
        return;
    }
    conf_block_read(at->maker, at->source, at->node->children, &words, &section);
}

bool conf_setting_other(const struct conf_at *at)
{
    const struct setting_info *info = setting_find(at->node->name);

    if (info) {
        setting_read(at, info);
        return true;
    }
    for (size_t i = 0; i < setting_count; i++) {
        if (!in_section(setting_infos[i].name, at->node->name))
            continue;
        section_read(at);
        return true;
    }
    return false;
}

struct slice conf_setting_name(const struct conf_at *at, size_t index)
{
    (void)at;
    return index < setting_count ? slice_text(setting_infos[index].name) : SLICE_NONE;
}
