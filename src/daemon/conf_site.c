/* The words of the file itself: banner, listen, certificate, networks. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "wire/domain.h"

#define BANNER_LINES_MAX  20
#define BANNER_LINE_MAX   400  /* octets; a reply's line has 512 */
#define BANNER_OCTETS_MAX 1600 /* of all lines; what a greeting may hold */
#define PORT_SMTP         25

/* --- banner -------------------------------------------------------------------------------------------- */

static void banner_line(const struct conf_at *at, size_t index)
{
    struct conf_maker *maker = at->maker;
    const struct slice text = at->node->values[index].text;

    if (!slice_is_printable(text) || text.len > BANNER_LINE_MAX) {
        /* RFC 5321 section 4.2: the text of a greeting is printable ASCII. */
        conf_bad_value(at, index, "a line of printable ASCII, at most 400 octets");
        return;
    }
    const struct slice line = arena_copy(&maker->site->arena, text);
    maker->banner_octets += line.len;
    conf_list_add(&maker->banner, &line, sizeof line);
}

static void read_banner(const struct conf_at *at)
{
    for (size_t i = 0; i < at->node->value_count; i++)
        banner_line(at, i);
    if (at->maker->banner_octets > BANNER_OCTETS_MAX)
        conf_mistake(at->maker, conf_place_of(at),
                     "banner has %zu octets: expected at most %d in all its lines", at->maker->banner_octets,
                     BANNER_OCTETS_MAX);
}

/* --- networks ------------------------------------------------------------------------------------------ */

static bool prefix_within(const struct prefix *prefix, const char *const *wider)
{
    for (; *wider; wider++) {
        struct prefix item;
        if (prefix_parse(slice_text(*wider), &item) && prefix->bits >= item.bits &&
            prefix_contains(&item, &prefix->network))
            return true;
    }
    return false;
}

/* RFC 1918, 6598, 3927, 4193, 4291. */
bool conf_prefix_is_private(const struct prefix *prefix)
{
    static const char *const networks[] = {
        "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10",
        "169.254.0.0/16", "::1/128",       "fc00::/7",       "fe80::/10",   NULL};

    return prefix_within(prefix, networks);
}

static bool prefix_is_wide(const struct prefix *prefix, unsigned bits_ipv4, unsigned bits_ipv6)
{
    return !conf_prefix_is_private(prefix) &&
           prefix->bits < (prefix->network.family == ADDRESS_IPV4 ? bits_ipv4 : bits_ipv6);
}

void conf_networks_read(const struct conf_at *at, const struct conf_network_use *use)
{
    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice text = at->node->values[i].text;
        struct prefix prefix;
        if (!prefix_parse(text, &prefix)) {
            conf_bad_value(at, i,
                           "a network such as 192.0.2.0/24 or 2001:db8::/32, without bits behind its length");
            continue;
        }
        conf_list_add(use->list, &prefix, sizeof prefix);
        if (use->danger && prefix_is_wide(&prefix, use->bits_ipv4, use->bits_ipv6))
            conf_warning(at->maker, conf_place_of_value(at, i), "%.*s %.*s is a wide network: %s",
                         SLICE_ARGS(at->node->name), SLICE_ARGS(text), use->danger);
    }
}

static void read_own(const struct conf_at *at)
{
    const struct conf_network_use use = {&at->maker->own, 16, 32,
                                         "whoever connects from it may relay through route *"};
    conf_networks_read(at, &use);
}

static void read_xclient(const struct conf_at *at)
{
    const struct conf_network_use use = {
        &at->maker->xclient, 24, 64,
        "whoever connects from it may pass for any address, your own networks' too"};
    conf_networks_read(at, &use);
}

static void read_bare_newline(const struct conf_at *at)
{
    const struct conf_network_use use = {.list = &at->maker->bare_newline};
    conf_networks_read(at, &use);
}

static void read_trusted(const struct conf_at *at)
{
    const struct conf_network_use use = {&at->maker->trusted, 16, 32,
                                         "nobody who connects from it is judged by its address"};
    conf_networks_read(at, &use);
}

static const struct conf_word network_words[] = {
    {"own", "own NETWORK ...", read_own, 1, 0, CONF_BLOCK_NONE, false},
    {"xclient", "xclient NETWORK ...", read_xclient, 1, 0, CONF_BLOCK_NONE, false},
    {"bare-newline", "bare-newline NETWORK ...", read_bare_newline, 1, 0, CONF_BLOCK_NONE, false},
    {"trusted", "trusted NETWORK ...", read_trusted, 1, 0, CONF_BLOCK_NONE, false},
};

static void read_networks_block(const struct conf_at *at)
{
    static const struct conf_words words = {
        .what = "networks", .words = network_words, .count = sizeof network_words / sizeof *network_words};

    conf_block_read(at->maker, at->source, at->node->children, &words, NULL);
}

/* --- listen -------------------------------------------------------------------------------------------- */

struct listen_draft {
    struct listen listen;
    struct conf_list proxy;
};

static void read_proxy(const struct conf_at *at)
{
    struct listen_draft *draft = at->subject;
    const struct conf_network_use use = {
        &draft->proxy, 24, 64, "whoever connects from it may pass for any address, your own networks' too"};
    conf_networks_read(at, &use);
}

static void read_optional(const struct conf_at *at)
{
    struct listen_draft *draft = at->subject;

    if (!text_parse_bool(at->node->values[0].text, &draft->listen.optional))
        conf_bad_value(at, 0, "yes or no");
}

static const struct conf_word listen_words[] = {
    {"proxy", "proxy NETWORK ...", read_proxy, 1, 0, CONF_BLOCK_NONE, false},
    {"optional", "optional yes|no", read_optional, 1, 1, CONF_BLOCK_NONE, true},
};

static void listen_add(const struct conf_at *at, struct listen_draft *draft)
{
    const struct conf_place place = conf_place_of(at);
    char text[ADDRESS_PORT_TEXT_SIZE];

    const size_t len = address_port_print(&draft->listen.address, text);
    if (!conf_is_first(at, "listen", slice_of(text, len)))
        return;
    conf_list_add(&at->maker->listens, &draft->listen, sizeof draft->listen);
    conf_list_add(&at->maker->listen_places, &place, sizeof place);
}

static void read_listen(const struct conf_at *at)
{
    static const struct conf_words words = {
        .what = "listen", .words = listen_words, .count = sizeof listen_words / sizeof *listen_words};
    struct listen_draft draft = {0};
    struct networks *proxy = &draft.listen.proxy;

    conf_block_read(at->maker, at->source, at->node->children, &words, &draft);
    proxy->items = conf_list_finish(&draft.proxy, &at->maker->site->arena, &proxy->count);
    networks_sort(proxy);
    if (!address_port_parse(at->node->values[0].text, PORT_SMTP, &draft.listen.address) ||
        draft.listen.address.port == 0)
        conf_bad_value(at, 0, "ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25");
    else
        listen_add(at, &draft);
}

/* --- certificate --------------------------------------------------------------------------------------- */

static void read_name(const struct conf_at *at)
{
    struct conf_list *names = at->subject;

    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice text = at->node->values[i].text;
        const struct slice rest = slice_starts(text, SLICE("*.")) ? slice_from(text, 2) : text;
        if (domain_check(rest, false, NULL) != DOMAIN_DONE) {
            conf_bad_value(at, i, "a domain name, such as mx.example.net or *.example.net");
            continue;
        }
        const struct slice name = conf_lower(at->maker, text);
        conf_list_add(names, &name, sizeof name);
    }
}

static const struct conf_word certificate_words[] = {
    {"name", "name DOMAIN ...", read_name, 1, 0, CONF_BLOCK_NONE, false},
};

static void read_certificate(const struct conf_at *at)
{
    static const struct conf_words words = {.what = "a certificate",
                                            .words = certificate_words,
                                            .count = sizeof certificate_words / sizeof *certificate_words};
    struct certificate certificate = {0};
    struct conf_list names = {0};

    for (size_t i = 0; i < 2; i++)
        if (at->node->values[i].text.len == 0)
            conf_bad_value(at, i, "a file in PEM form");
    conf_block_read(at->maker, at->source, at->node->children, &words, &names);
    certificate.chain_file = conf_path(at, at->node->values[0].text);
    certificate.key_file = conf_path(at, at->node->values[1].text);
    certificate.names = conf_list_finish(&names, &at->maker->site->arena, &certificate.name_count);
    conf_list_add(&at->maker->certificates, &certificate, sizeof certificate);
    if (at->maker->care == CONF_CARE_FILES && at->node->values[0].text.len && at->node->values[1].text.len)
        conf_check_certificate(at, &certificate);
}

/* --- the file ------------------------------------------------------------------------------------------ */

static const struct conf_word site_words[] = {
    {"banner", "banner \"LINE\" ...", read_banner, 1, BANNER_LINES_MAX, CONF_BLOCK_NONE, true},
    {"listen", "listen ADDRESS:PORT { ... }", read_listen, 1, 1, CONF_BLOCK_MAY, false},
    {"certificate", "certificate CHAIN-FILE KEY-FILE { ... }", read_certificate, 2, 2, CONF_BLOCK_MAY, false},
    {"route", "route DOMAIN ... { ... }", conf_route_read, 1, 0, CONF_BLOCK_MUST, false},
    {"networks", "networks { ... }", read_networks_block, 0, 0, CONF_BLOCK_MUST, false},
    {"check", "check FINDING { ... }", conf_check_read, 1, 1, CONF_BLOCK_MUST, false},
    {"override", "override { ... }", conf_override_read, 0, 0, CONF_BLOCK_MUST, false},
    {"blocklist", "blocklist NAME { ... }", conf_blocklist_read, 1, 1, CONF_BLOCK_MUST, false},
    {"origin.file", "origin.file FILE ...", conf_origin_read, 1, 0, CONF_BLOCK_NONE, false},
    {"access", "access FILE ...", conf_access_read, 1, 0, CONF_BLOCK_NONE, false},
    {"trap", "trap ADDRESS ...", conf_trap_read, 1, 0, CONF_BLOCK_NONE, false},
};

const struct conf_words conf_site_words = {
    .words = site_words,
    .count = sizeof site_words / sizeof *site_words,
    .other = conf_setting_other,
    .other_name = conf_setting_name,
};
