/* What the parts of the configuration's loader share; nobody else includes this.
 *
 * conf.c reads files and follows includes, conf_words.c walks over directives by tables of words,
 * conf_site.c, conf_route.c, conf_policy.c, conf_access.c and their like know what the words mean,
 * conf_files.c and conf_export.c look at the files that are named, conf_judge.c at what only the whole can
 * show. */
#ifndef DAEMON_CONF_MAKE_H
#define DAEMON_CONF_MAKE_H

#include "base/digest.h"
#include "base/error.h"
#include "base/table.h"
#include "daemon/conf.h"
#include "wire/conf_text.h"

#include <sys/stat.h>

/* One file, as it is being read. */
struct conf_source {
    struct slice name;   /* for the notes */
    struct slice folder; /* absolute: relative paths begin here */
    const struct conf_source *parent;
    uint64_t device, inode; /* both 0: from memory */
    unsigned number;        /* in the order in which they were opened, from 0 */
    unsigned depth;
};

struct conf_place {
    const struct conf_source *source;
    unsigned line; /* 0: the whole file */
};

/* A growing array of items of one size. */
struct conf_list {
    struct buf buf;
    size_t count;
};

struct conf_maker {
    struct conf_report *report;
    struct site *site;
    struct arena scratch; /* texts, nodes, places: they live as long as the loading does */
    enum conf_care care;
    const struct conf_source *first_source;
    struct table firsts; /* "BLOCK KIND KEY" → struct conf_place, where it stands first */
    struct conf_list listens, listen_places;
    struct conf_list certificates;
    struct conf_list routes, route_places;
    struct conf_list own, xclient, bare_newline, trusted;
    struct conf_list overrides;
    struct conf_list blocklists;
    struct conf_list origin_files;
    struct conf_list banner;
    size_t banner_octets;
    struct digest *digest; /* of all the text that was read; NULL after its end */
    unsigned source_count;
    unsigned block_count;
};

/* --- words (conf_words.c) ------------------------------------------------------------------------------ */

/* One directive at hand. */
struct conf_at {
    struct conf_maker *maker;
    const struct conf_source *source;
    const struct conf_node *node;
    void *subject; /* what the block fills; the word's table knows its type */
};

enum conf_block { CONF_BLOCK_NONE, CONF_BLOCK_MAY, CONF_BLOCK_MUST };

struct conf_word {
    const char *name;
    const char *shape; /* the whole directive, for mistakes: "relay HOST:PORT …" */
    void (*read)(const struct conf_at *at);
    unsigned values_min,
        values_max; /* values_max 0: no value where values_min is 0, else as many as there are */
    enum conf_block block;
    bool once; /* within its block */
};

struct conf_words {
    const char *what; /* "a route"; NULL for the file itself */
    const struct conf_word *words;
    size_t count;
    /* Takes what is in no table: true where it knew the name, mistakes told. May be NULL. */
    bool (*other)(const struct conf_at *at);
    /* Names beyond the table's that `other` knows: the index-th, or an empty slice at the end. May be NULL.
     */
    struct slice (*other_name)(const struct conf_at *at, size_t index);
};

/* One block's life: the table, what it fills, and its number for what may stand in it only once. */
struct conf_walk {
    const struct conf_words *words;
    void *subject;
    unsigned block;
};

/* Reads directives of a block, includes among them. */
void conf_block_read(struct conf_maker *maker, const struct conf_source *source,
                     const struct conf_node *first, const struct conf_words *words, void *subject);
void conf_walk_nodes(struct conf_maker *maker, const struct conf_source *source,
                     const struct conf_node *first, const struct conf_walk *walk);

/* Reads the directive as if it stood under that name in the table; false: the table has no such word. Its
 * `once` does not count here. */
bool conf_word_read(const struct conf_at *at, const struct conf_words *words, struct slice name);

/* NULL: it stands here for the first time, and is remembered. Else where it stood first. block 0: the whole
 * configuration. */
const struct conf_place *conf_first(struct conf_maker *maker, unsigned block, const char *kind,
                                    struct slice key, struct conf_place here);
/* Where it stands first, or NULL: it stands nowhere. */
const struct conf_place *conf_find(struct conf_maker *maker, unsigned block, const char *kind,
                                   struct slice key);
/* Tells the mistake where it is a second time. */
bool conf_is_first(const struct conf_at *at, const char *kind, struct slice key);

/* --- notes (conf_note.c) ------------------------------------------------------------------------------- */

/* A mistake of the grammar: the line's other ones are not told. */
void conf_garbled(struct conf_maker *maker, struct conf_place place, struct slice text);
void conf_mistake(struct conf_maker *maker, struct conf_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void conf_warning(struct conf_maker *maker, struct conf_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct conf_place conf_place_of(const struct conf_at *at);
struct conf_place conf_place_of_value(const struct conf_at *at, size_t index);
/* As it may be shown: what could steer a terminal is escaped, and 80 octets are enough. In scratch. */
struct slice conf_shown(struct conf_maker *maker, struct slice text);
struct slice conf_shown_within(struct conf_maker *maker, struct slice text, size_t most);
/* "FILE:LINE", in scratch. */
struct slice conf_place_shown(struct conf_maker *maker, const struct conf_place *place);
/* The value is not what was expected. */
void conf_bad_value(const struct conf_at *at, size_t index, const char *expected);

/* --- lists, paths -------------------------------------------------------------------------------------- */

void conf_list_add(struct conf_list *list, const void *item, size_t size);
/* The items in the arena; the list is empty then. */
void *conf_list_finish(struct conf_list *list, struct arena *arena, size_t *ret_count);
/* In ASCII lower case, in the site's arena. */
struct slice conf_lower(struct conf_maker *maker, struct slice text);
/* Absolute and terminated, in the site's arena. */
struct slice conf_path(const struct conf_at *at, struct slice path);

/* --- what the words mean ------------------------------------------------------------------------------- */

extern const struct conf_words conf_site_words; /* the file itself */
/* Whether nobody reaches it from the Internet. */
bool conf_prefix_is_private(const struct prefix *prefix);
void conf_include(const struct conf_at *at, const struct conf_walk *walk);
void conf_route_read(const struct conf_at *at);                       /* route DOMAIN … { … } */
void conf_check_read(const struct conf_at *at);                       /* check FINDING { … } */
void conf_access_read(const struct conf_at *at);                      /* access FILE … */
void conf_trap_read(const struct conf_at *at);                        /* trap ADDRESS … */
void conf_blocklist_read(const struct conf_at *at);                   /* blocklist NAME { … } */
void conf_origin_read(const struct conf_at *at);                      /* origin.file FILE … */
void conf_contacts_read(const struct conf_at *at, struct slice path); /* origin.contacts-file, its lines */
void conf_override_read(const struct conf_at *at);                    /* override { … } */

struct conf_network_use {
    struct conf_list *list;
    unsigned bits_ipv4, bits_ipv6; /* shorter prefixes of public addresses are a danger */
    const char *danger;            /* NULL: there is none */
};

/* A directive whose values are networks: adds them to the list, a struct prefix each. */
void conf_networks_read(const struct conf_at *at, const struct conf_network_use *use);
/* For the file's words: settings by their dotted names, and blocks of them. */
bool conf_setting_other(const struct conf_at *at);
struct slice conf_setting_name(const struct conf_at *at, size_t index);

/* For message-id.exempt (conf_exempt.c): whether all its words are such as they must be, and its file. */
#define CONF_EXEMPT_EXPECTED                                                                                 \
    "networks, ends of host names, or senders such as joe@example.net or @example.net"
bool conf_exempt_fits(struct slice text);
void conf_exempt_read(const struct conf_at *at, struct slice path);

/* --- files (conf.c, conf_files.c) ---------------------------------------------------------------------- */

/* A whole regular file of at most size_max octets, in scratch. ret_status (may be NULL) is of the open file.
 */
int conf_file_read(struct conf_maker *maker, const char *path, size_t size_max, struct slice *ret_text,
                   struct stat *ret_status, struct error *error);
void conf_check_certificate(const struct conf_at *at, const struct certificate *certificate);
void conf_check_aliases(const struct conf_at *at, size_t index, struct slice file);
/* Warnings from the alias tables as a whole; the site is finished and without mistakes. */
void conf_judge_aliases(struct conf_maker *maker);

/* The files of export.* (conf_export.c): mistakes and warnings. The site is finished. */
void conf_judge_exports(struct conf_maker *maker);

/* What only the whole can show: mistakes and warnings. The site is finished. */
void conf_judge(struct conf_maker *maker);

#endif
