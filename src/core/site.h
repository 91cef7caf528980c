/* The configuration in force, as the code reads it: immutable once made. A new configuration is a new site;
 * sessions keep the one that they began with.
 *
 * daemon/conf makes it from the file. The scalar settings are generated from setting.def. */
#ifndef CORE_SITE_H
#define CORE_SITE_H

#include "base/address.h"
#include "base/arena.h"
#include "base/table.h"
#include "core/rule.h"
#include "wire/dnsbl.h"
#include "wire/message_id.h"

/* The words of each CHOICE, in the order of their values. */
enum reply_number { REPLY_NUMBER_NEGATIVE, REPLY_NUMBER_ALL };
enum policy_url_for { POLICY_URL_REFUSALS, POLICY_URL_NEGATIVE };
enum bare_newline { BARE_NEWLINE_NORMALISE, BARE_NEWLINE_REJECT };
enum ehlo_refuse { EHLO_REFUSE_OFF, EHLO_REFUSE_SUSPECT, EHLO_REFUSE_UNKNOWN };
enum grey_mode { GREY_OFF, GREY_SUSPECT, GREY_UNKNOWN };
enum blocks_mode { BLOCKS_SUGGEST, BLOCKS_AUTO, BLOCKS_OFF };
enum log_to { LOG_TO_SYSLOG, LOG_TO_JOURNALD, LOG_TO_FILE, LOG_TO_NONE };
#define CHOICES                                                                                              \
    CHOICE(reply_number, "negative", "all")                                                                  \
    CHOICE(policy_url_for, "refusals", "negative")                                                           \
    CHOICE(message_bare_newline, "normalise", "reject")                                                      \
    CHOICE(ehlo_refuse, "off", "suspect", "unknown")                                                         \
    CHOICE(grey_mode, "off", "suspect", "unknown")                                                           \
    CHOICE(message_id_syntax, "default", "strict", "seed")                                                   \
    CHOICE(blocks_mode, "suggest", "auto", "off")                                                            \
    CHOICE(log_to, "syslog", "journald", "file", "none")

#define SETTING_C_NUMBER   uint64_t
#define SETTING_C_SIZE     uint64_t
#define SETTING_C_DURATION uint64_t
#define SETTING_C_SWITCH   bool
#define SETTING_C_TEXT     struct slice
#define SETTING_C_CHOICE   uint8_t

struct settings {
#define SETTING(type, field, name, preset, low, high, doc) SETTING_C_##type field;
#include "core/setting.def"
#undef SETTING
};

enum setting_type {
    SETTING_NUMBER,
    SETTING_SIZE,
    SETTING_DURATION,
    SETTING_SWITCH,
    SETTING_TEXT,
    SETTING_CHOICE
};

struct setting_info {
    const char *name;   /* "limits.recipients" */
    const char *preset; /* the default, as it would stand in the file */
    const char *doc;
    const char *const *choices; /* CHOICE: NULL-terminated words */
    enum setting_type type;
    uint64_t low, high; /* both 0: no bounds; high 0: no upper bound */
    size_t offset;      /* in struct settings */
};

extern const struct setting_info setting_infos[];
extern const size_t setting_count;

const struct setting_info *setting_find(struct slice name); /* NULL: unknown */
#define SETTING_TEXT_MAX 1024                               /* octets of a TEXT value */

/* Reads text into *settings; TEXT is copied into the arena. On failure `expected` tells what was expected ("a
 * duration such as 30s, from 1s to 1h"), in the arena. */
bool setting_set(struct settings *settings, const struct setting_info *info, struct slice text,
                 struct arena *arena, struct slice *ret_expected);
void settings_preset(struct settings *settings, struct arena *arena); /* every default */
/* The value as it would stand in the file, in the arena. */
struct slice setting_print(const struct settings *settings, const struct setting_info *info,
                           struct arena *arena);

/* --- lists --------------------------------------------------------------------------------------------- */

struct networks {
    struct prefix *items;
    size_t count;
};

#define NETWORKS_UNSORTED_MAX 8 /* more must have been put in order by networks_sort */

/* Puts them in order and takes those out that others hold. */
void networks_sort(struct networks *networks);
bool networks_contain(const struct networks *networks, const struct address *address);

/* listen 0.0.0.0:25 { proxy 192.0.2.0/24; optional yes }: an address that is listened on. */
struct listen {
    struct address address;
    bool optional;         /* where the system refuses it, the gate goes on without */
    struct networks proxy; /* from these a PROXY header must come first */
};

/* certificate FILE KEY { name mx.example.net }: ECDSA ones are preferred whatever their order. */
struct certificate {
    struct slice chain_file;
    struct slice key_file;
    struct slice *names; /* SNI; none: the default */
    size_t name_count;
};

enum route_kind { ROUTE_RELAY, ROUTE_MAILDIR, ROUTE_LMTP, ROUTE_SMTP };
enum route_tls { ROUTE_TLS_MAY, ROUTE_TLS_MUST, ROUTE_TLS_NEVER };
/* How the inner server learns who the client was. */
enum route_tell {
    ROUTE_TELL_NOTHING,
    ROUTE_TELL_XCLIENT,
    ROUTE_TELL_PROXY,   /* version 1 of the PROXY protocol */
    ROUTE_TELL_PROXY_V2 /* version 2 */
};
enum route_mailboxes { ROUTE_MAILBOXES_LISTED, ROUTE_MAILBOXES_ANY, ROUTE_MAILBOXES_ASK };

/* A host to connect to: host:port by name or address, or a unix socket. */
struct target {
    struct slice host;      /* name or address without brackets; for a unix socket its path */
    struct address address; /* family ADDRESS_NONE where host is a name or a path */
    uint16_t port;
    bool is_unix;
};

/* route DOMAIN … { … }: where the mail of some domains goes, and how. */
struct route {
    struct slice name; /* its first domain, or "*" */
    uint16_t number;   /* place in site.routes */
    enum route_kind kind;
    struct slice
        *domains; /* lower case; ".example.org" matches all below; "*": everything, for own networks only */
    size_t domain_count;
    struct target *targets; /* relay, lmtp, smtp: tried in order */
    size_t target_count;
    struct slice maildir; /* ROUTE_MAILDIR: "…/%s" where %s is the mailbox, or a folder of mailboxes */
    enum route_mailboxes
        mailboxes; /* who exists: those listed (and aliases), anybody, or ask the target (LMTP, relay) */
    struct slice *mailbox_names; /* listed ones */
    size_t mailbox_count;
    struct slice *alias_files;
    size_t alias_file_count;
    enum route_tls tls;
    enum route_tell tell;
};

/* access FILE: what the tables say of one key. */
struct access_rule {
    struct slice key;      /* as the table has it, with its tag: for evidence */
    uint8_t action;        /* enum access_action of wire/access.h */
    struct slice enhanced; /* "5.7.1", or empty */
    struct slice text;     /* for the client, or empty */
};

/* blocklist NAME { … }: a list of addresses that is asked by DNS (RFC 5782), and what its word weighs. */
struct blocklist_code {
    struct dnsbl_pattern pattern;
    int32_t weight;
};

struct blocklist {
    struct slice name; /* as people see it: the zone may hold a key */
    struct slice zone; /* lower case, without a final dot */
    struct blocklist_code *codes;
    size_t code_count;
    int32_t weight; /* of codes that none of `codes` holds; below nothing the list speaks for the client */
    bool reasons;   /* its TXT records are asked for */
    bool probes;    /* it has the test entries of RFC 5782 section 5 */
    bool ipv4, ipv6;
};

#define BLOCKLISTS_MAX   16
#define ORIGIN_FILES_MAX 4

struct override;

struct site {
    struct arena arena; /* everything below lives here */
    struct settings set;
    struct slice digest; /* of the configuration's text, hexadecimal digits */
    struct slice file;
    struct slice *banner; /* lines of policy text behind the host name; may be none */
    size_t banner_count;
    struct listen *listens;
    size_t listen_count;
    struct certificate *certificates;
    size_t certificate_count;
    struct route *routes;
    size_t route_count;
    struct table routes_by_domain;   /* lower-case domain → struct route */
    struct table access;             /* "connect:192.0.2" → struct access_rule; site_add_access */
    bool access_allows;              /* an entry says OK of something else than addresses */
    struct table traps;              /* addresses that nobody uses, in lower case */
    struct networks own;             /* our own networks */
    struct networks xclient;         /* may use XCLIENT */
    struct networks bare_newline;    /* exempt from message.bare-newline reject */
    struct networks trusted;         /* forwarders and backup MX: they bring other people's mail */
    struct slice *message_id_exempt; /* words as in message-id.exempt, from the file */
    size_t message_id_exempt_count;
    struct rule rules[FIND_LIMIT]; /* in force where no override says otherwise */
    struct override *overrides;
    size_t override_count;
    struct blocklist *blocklists; /* BLOCKLISTS_MAX at most */
    size_t blocklist_count;
    struct slice *origin_files; /* ORIGIN_FILES_MAX at most, absolute */
    size_t origin_file_count;
    /* by overrides_note, once they are all there */
    uint64_t raised[FIND_LIMIT / 64]; /* findings that an override may switch on */
    bool by_recipient;                /* an override looks at recipients */
    bool by_origin;                   /* an override looks at where clients belong in the net */
    bool by_fingerprint;              /* one looks at how their TCP began, or weighs it */
};

struct site *site_new(void);       /* every setting at its default, no lists */
void site_free(struct site *site); /* NULL is taken */

/* Enters a domain of the route: lower case, in the site's arena. Returns the route that has it already, which
 * then keeps it, or NULL. */
const struct route *site_add_domain(struct site *site, struct route *route, struct slice domain);

/* Enters the rule for the key (one form, wire/access.h) under each of the tags (ACCESS_ bits), in the site's
 * arena. False: one of them was there already, and stays. */
bool site_add_access(struct site *site, unsigned tags, struct slice key, const struct access_rule *rule);
/* What the tables say of the key or, where they are silent, of wider ones; NULL: nothing, or SKIP. `tag` is
 * one ACCESS_ bit; the key is in its one form. */
const struct access_rule *site_access(const struct site *site, unsigned tag, struct slice key);

/* An address that nobody uses; without regard to case. */
void site_add_trap(struct site *site, struct slice address);
bool site_is_trap(const struct site *site, struct slice address);

/* False: dns.server is none. */
bool site_asks_names(const struct site *site);

/* The route for a domain, without regard to case; a parent's ".domain" counts, the nearest first; "*" only
 * when `own` says that the client is from our own networks. NULL: not ours. */
const struct route *site_route(const struct site *site, struct slice domain, bool own);
/* A domain of ours, for a mailbox that is named without one: host-name, where that is ours, or else our
 * first. Empty: none is. */
struct slice site_home_domain(const struct site *site);

#endif
