/* route DOMAIN … { … }: where the mail of some domains goes. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "wire/domain.h"

#define ROUTES_MAX  60000 /* a route's number has 16 bits */
#define PORT_SMTP   25
#define PORT_LMTP   24
#define SOCKET_MAX  107 /* octets of a unix socket's path (unix(7)) */
#define MAILBOX_MAX 200

struct route_draft {
    struct route route;
    struct conf_list domains, targets, mailboxes, aliases;
    unsigned id; /* for what may stand in a route only once */
    bool way;    /* one of relay, maildir, lmtp, smtp was there */
    bool mailboxes_said, tls_said, tell_said;
};

/* --- domains ------------------------------------------------------------------------------------------- */

static bool domain_is_good(struct slice text)
{
    struct domain_facts facts;
    struct address address;

    if (slice_equal(text, SLICE("*")) || domain_literal_parse(text, &address, NULL))
        return true;
    if (slice_starts(text, SLICE(".")))
        text = slice_from(text, 1);
    return domain_check(text, true, &facts) == DOMAIN_DONE && !facts.numeric && !facts.dot_last;
}

/* ".com", ".co.uk": whole registries rather than somebody's domain. */
static bool domain_is_catch_all(struct slice domain)
{
    static const char *const seconds[] = {"ac", "co", "com", "edu", "gob", "gov", "net", "or", "org"};
    struct slice label;

    if (!slice_starts(domain, SLICE(".")))
        return false;
    struct slice rest = slice_from(domain, 1);
    (void)slice_cut(&rest, '.', &label);
    if (rest.len == 0)
        return true;
    if (rest.len != 2 || slice_find(rest, '.') != SLICE_NOT_FOUND)
        return false;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (slice_equal(label, slice_text(seconds[i])))
            return true;
    return false;
}

static void domain_add(const struct conf_at *at, size_t index, struct route_draft *draft)
{
    const struct slice text = at->node->values[index].text;

    if (!domain_is_good(text)) {
        conf_bad_value(at, index, "a domain such as example.org, .example.org for all below it, or *");
        return;
    }
    const struct slice domain = conf_lower(at->maker, text);
    if (!conf_is_first(at, "domain", domain))
        return;
    if (domain_is_catch_all(domain))
        conf_warning(
            at->maker, conf_place_of_value(at, index),
            "route %.*s takes the mail of everybody's domains: strangers may relay through it to %.*s",
            SLICE_ARGS(domain), SLICE_ARGS(domain));
    conf_list_add(&draft->domains, &domain, sizeof domain);
}

/* --- targets ------------------------------------------------------------------------------------------- */

static bool target_parse_unix(struct slice path, struct target *ret_target)
{
    *ret_target = (struct target){.host = path, .is_unix = true};
    return path.len > 1 && path.len <= SOCKET_MAX && path.at[0] == '/';
}

/* Where it is an address, the host is left for the caller to print. */
static bool target_parse(struct slice text, uint16_t port_default, struct target *ret_target)
{
    struct domain_facts facts;
    uint64_t port = port_default;
    size_t colon = slice_find_last(text, ':');

    *ret_target = (struct target){.host = text};
    if (address_port_parse(text, port_default, &ret_target->address)) {
        ret_target->port = ret_target->address.port;
        return ret_target->port != 0;
    }
    if (colon != SLICE_NOT_FOUND) {
        ret_target->host = slice_head(text, colon);
        if (!text_parse_u64(slice_from(text, colon + 1), &port) || port == 0 || port > 65535)
            return false;
    }
    ret_target->port = (uint16_t)port;
    return domain_check(ret_target->host, false, &facts) == DOMAIN_DONE && !facts.numeric;
}

static void target_add(const struct conf_at *at, size_t index, struct route_draft *draft)
{
    const struct slice text = at->node->values[index].text;
    const bool lmtp = draft->route.kind == ROUTE_LMTP;
    struct arena *arena = &at->maker->site->arena;
    char address[ADDRESS_TEXT_SIZE];
    struct target target;

    const bool is_unix = lmtp && slice_starts(text, SLICE("unix:"));
    const bool good = is_unix ? target_parse_unix(slice_from(text, 5), &target)
                              : target_parse(text, lmtp ? PORT_LMTP : PORT_SMTP, &target);
    if (!good) {
        conf_bad_value(at, index,
                       lmtp ? "HOST:PORT, or unix:PATH with an absolute path"
                            : "HOST:PORT, such as mail.example.net:25, 192.0.2.1:25 or [2001:db8::1]:25");
        return;
    }
    if (target.address.family != ADDRESS_NONE) {
        (void)address_print(&target.address, address);
        target.host = slice_text(address);
    }
    target.host = arena_copy(arena, target.host);
    conf_list_add(&draft->targets, &target, sizeof target);
}

/* --- the way ------------------------------------------------------------------------------------------- */

static bool way_is_first(const struct conf_at *at, enum route_kind kind)
{
    struct route_draft *draft = at->subject;
    const struct conf_place *first = conf_first(at->maker, draft->id, "way", SLICE_NONE, conf_place_of(at));

    if (!first) {
        draft->route.kind = kind;
        draft->way = true;
        return true;
    }
    const struct slice place = conf_place_shown(at->maker, first);
    conf_mistake(
        at->maker, conf_place_of(at),
        "a route has one way: expected only one of relay, maildir, lmtp and smtp, and one is at %.*s already",
        SLICE_ARGS(place));
    return false;
}

static void read_targets(const struct conf_at *at, enum route_kind kind)
{
    struct route_draft *draft = at->subject;

    if (!way_is_first(at, kind))
        return;
    for (size_t i = 0; i < at->node->value_count; i++)
        target_add(at, i, draft);
}

static void read_relay(const struct conf_at *at)
{
    read_targets(at, ROUTE_RELAY);
}

static void read_lmtp(const struct conf_at *at)
{
    read_targets(at, ROUTE_LMTP);
}

static void read_smtp(const struct conf_at *at)
{
    read_targets(at, ROUTE_SMTP);
}

/* No % but one %s. */
static bool maildir_is_good(struct slice text)
{
    const size_t percent = slice_find(text, '%');

    if (percent == SLICE_NOT_FOUND)
        return text.len > 0;
    return slice_starts(slice_from(text, percent), SLICE("%s")) &&
           slice_find(slice_from(text, percent + 2), '%') == SLICE_NOT_FOUND;
}

static void read_maildir(const struct conf_at *at)
{
    struct route_draft *draft = at->subject;
    const struct slice text = at->node->values[0].text;

    if (!way_is_first(at, ROUTE_MAILDIR))
        return;
    if (maildir_is_good(text))
        draft->route.maildir = conf_path(at, text);
    else
        conf_bad_value(at, 0, "a folder of mailboxes, or a path with %s where the mailbox's name stands");
}

/* --- who is there -------------------------------------------------------------------------------------- */

/* The index among NULL-terminated words, or -1 with the mistake told. */
static int word_index(const struct conf_at *at, const char *const *words, const char *expected)
{
    for (int i = 0; words[i]; i++)
        if (slice_equal(at->node->values[0].text, slice_text(words[i])))
            return i;
    conf_bad_value(at, 0, expected);
    return -1;
}

static void read_mailboxes(const struct conf_at *at)
{
    static const char *const words[] = {[ROUTE_MAILBOXES_LISTED] = "listed",
                                        [ROUTE_MAILBOXES_ANY] = "any",
                                        [ROUTE_MAILBOXES_ASK] = "ask",
                                        NULL};
    struct route_draft *draft = at->subject;
    const int index = word_index(at, words, "listed, any or ask");

    if (index < 0)
        return;
    draft->route.mailboxes = (enum route_mailboxes)index;
    draft->mailboxes_said = true;
}

/* It becomes the name of a folder, or a local part: neither may hold what could lead elsewhere. */
static bool mailbox_is_good(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        const unsigned char octet = (unsigned char)name.at[i];
        if (octet <= 0x20 || octet == 0x7f || octet == '/' || octet == '@')
            return false;
    }
    return name.len > 0 && name.len <= MAILBOX_MAX && name.at[0] != '.' && slice_is_utf8(name);
}

static void read_mailbox(const struct conf_at *at)
{
    struct route_draft *draft = at->subject;

    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice text = at->node->values[i].text;
        if (!mailbox_is_good(text)) {
            conf_bad_value(at, i,
                           "the name of a mailbox, without its domain, blanks or /, and no dot in front");
            continue;
        }
        const struct slice name = conf_lower(at->maker, text);
        const struct conf_place *first = conf_first(at->maker, draft->id, "mailbox", name,
                                                    conf_place_of_value(at, i));
        if (first) {
            const struct slice shown = conf_shown(at->maker, text),
                               place = conf_place_shown(at->maker, first);
            conf_mistake(at->maker, conf_place_of_value(at, i),
                         "mailbox %.*s stands twice: expected it once, and it is at %.*s already",
                         SLICE_ARGS(shown), SLICE_ARGS(place));
            continue;
        }
        const struct slice copy = arena_copy(&at->maker->site->arena, text);
        conf_list_add(&draft->mailboxes, &copy, sizeof copy);
    }
}

static void read_aliases(const struct conf_at *at)
{
    struct route_draft *draft = at->subject;

    for (size_t i = 0; i < at->node->value_count; i++) {
        if (at->node->values[i].text.len == 0) {
            conf_bad_value(at, i, "a file of aliases");
            continue;
        }
        const struct slice file = conf_path(at, at->node->values[i].text);
        conf_list_add(&draft->aliases, &file, sizeof file);
        if (at->maker->care == CONF_CARE_FILES)
            conf_check_aliases(at, i, file);
    }
}

static void read_tls(const struct conf_at *at)
{
    static const char *const words[] = {
        [ROUTE_TLS_MAY] = "may", [ROUTE_TLS_MUST] = "must", [ROUTE_TLS_NEVER] = "never", NULL};
    struct route_draft *draft = at->subject;
    const int index = word_index(at, words, "may, must or never");

    if (index < 0)
        return;
    draft->route.tls = (enum route_tls)index;
    draft->tls_said = true;
}

static void read_tell(const struct conf_at *at)
{
    static const char *const words[] = {[ROUTE_TELL_NOTHING] = "nothing",
                                        [ROUTE_TELL_XCLIENT] = "xclient",
                                        [ROUTE_TELL_PROXY] = "proxy",
                                        [ROUTE_TELL_PROXY_V2] = "proxy-v2",
                                        NULL};
    struct route_draft *draft = at->subject;
    const int index = word_index(at, words, "nothing, xclient, proxy or proxy-v2");

    if (index < 0)
        return;
    draft->route.tell = (enum route_tell)index;
    draft->tell_said = true;
}

/* --- the route ----------------------------------------------------------------------------------------- */

#define WAYS 4 /* the first of these words */

static const struct conf_word route_words[] = {
    {"relay", "relay HOST:PORT ...", read_relay, 1, 0, CONF_BLOCK_NONE, true},
    {"maildir", "maildir \"FOLDER\"", read_maildir, 1, 1, CONF_BLOCK_NONE, true},
    {"lmtp", "lmtp HOST:PORT or unix:PATH ...", read_lmtp, 1, 0, CONF_BLOCK_NONE, true},
    {"smtp", "smtp HOST:PORT ...", read_smtp, 1, 0, CONF_BLOCK_NONE, true},
    {"mailboxes", "mailboxes listed|any|ask", read_mailboxes, 1, 1, CONF_BLOCK_NONE, true},
    {"mailbox", "mailbox NAME ...", read_mailbox, 1, 0, CONF_BLOCK_NONE, false},
    {"aliases", "aliases FILE ...", read_aliases, 1, 0, CONF_BLOCK_NONE, false},
    {"tls", "tls may|must|never", read_tls, 1, 1, CONF_BLOCK_NONE, true},
    {"tell", "tell nothing|xclient|proxy|proxy-v2", read_tell, 1, 1, CONF_BLOCK_NONE, true},
};

/* Who exists where the route does not say it: listed ones where there are such, else whom the target takes.
 */
static enum route_mailboxes mailboxes_preset(const struct route_draft *draft, bool everything)
{
    if (draft->route.kind == ROUTE_MAILDIR || (draft->mailboxes.count && draft->route.kind != ROUTE_RELAY))
        return ROUTE_MAILBOXES_LISTED;
    return everything && draft->route.kind == ROUTE_SMTP ? ROUTE_MAILBOXES_ANY : ROUTE_MAILBOXES_ASK;
}

static void check_everything(const struct conf_at *at, const struct route_draft *draft)
{
    if (at->node->value_count > 1)
        conf_mistake(at->maker, conf_place_of(at),
                     "route * stands for every other domain: expected no domain beside it");
    if (draft->way && draft->route.kind != ROUTE_RELAY && draft->route.kind != ROUTE_SMTP)
        conf_mistake(at->maker, conf_place_of(at), "route * leads to other hosts: expected relay or smtp");
    if (draft->mailboxes.count || draft->aliases.count)
        conf_mistake(at->maker, conf_place_of(at),
                     "route * has no mailboxes of its own: expected no mailbox and no aliases");
}

/* Words that have no use with the way that was chosen: whoever wrote them expects something that will not be.
 */
static void check_way(const struct conf_at *at, const struct route_draft *draft)
{
    const struct route *route = &draft->route;
    const struct conf_place place = conf_place_of(at);

    if (route->kind == ROUTE_MAILDIR && route->mailboxes == ROUTE_MAILBOXES_ASK)
        conf_mistake(at->maker, place,
                     "mailboxes ask needs a server to ask: expected listed or any with maildir");
    if (route->kind == ROUTE_MAILDIR && draft->tls_said)
        conf_mistake(at->maker, place, "tls is for servers: expected no tls with maildir");
    if (route->kind != ROUTE_RELAY && draft->tell_said && route->tell != ROUTE_TELL_NOTHING)
        conf_mistake(at->maker, place,
                     "tell xclient and tell proxy are for inner servers: expected relay with it");
    if (route->kind == ROUTE_RELAY && (draft->mailboxes.count || route->mailboxes == ROUTE_MAILBOXES_LISTED))
        conf_mistake(
            at->maker, place,
            "the inner server says who exists: expected mailboxes ask or any with relay, and no mailbox");
    if (route->kind == ROUTE_RELAY && draft->aliases.count)
        conf_mistake(
            at->maker, place,
            "aliases need a route that stores its mail: expected maildir, lmtp or smtp with aliases");
}

static void route_finish(const struct conf_at *at, struct route_draft *draft)
{
    struct arena *arena = &at->maker->site->arena;
    const struct conf_place place = conf_place_of(at);
    struct route *route = &draft->route;

    route->domains = conf_list_finish(&draft->domains, arena, &route->domain_count);
    route->targets = conf_list_finish(&draft->targets, arena, &route->target_count);
    route->mailbox_names = conf_list_finish(&draft->mailboxes, arena, &route->mailbox_count);
    route->alias_files = conf_list_finish(&draft->aliases, arena, &route->alias_file_count);
    if (route->domain_count == 0)
        return;
    route->name = route->domains[0];
    conf_list_add(&at->maker->routes, route, sizeof *route);
    conf_list_add(&at->maker->route_places, &place, sizeof place);
}

/* Whether one of the four words is there at all, be it misshapen: one mistake is enough then. */
static bool way_is_named(const struct conf_node *child)
{
    for (; child; child = child->next)
        for (size_t i = 0; i < WAYS; i++)
            if (slice_equal(child->name, slice_text(route_words[i].name)))
                return true;
    return false;
}

void conf_route_read(const struct conf_at *at)
{
    static const struct conf_words words = {
        .what = "a route", .words = route_words, .count = sizeof route_words / sizeof *route_words};
    struct route_draft draft = {.id = ++at->maker->block_count};
    bool everything = false;

    for (size_t i = 0; i < at->node->value_count; i++) {
        domain_add(at, i, &draft);
        everything = everything || slice_equal(at->node->values[i].text, SLICE("*"));
    }
    conf_block_read(at->maker, at->source, at->node->children, &words, &draft);
    if (!draft.way && !way_is_named(at->node->children))
        conf_mistake(at->maker, conf_place_of(at),
                     "route leads nowhere: expected relay, maildir, lmtp or smtp in it");
    if (!draft.mailboxes_said)
        draft.route.mailboxes = mailboxes_preset(&draft, everything);
    if (everything)
        check_everything(at, &draft);
    if (draft.way)
        check_way(at, &draft);
    if (at->maker->routes.count == ROUTES_MAX)
        conf_mistake(at->maker, conf_place_of(at), "there are too many routes: expected at most %d",
                     ROUTES_MAX);
    route_finish(at, &draft);
}
