/* Addresses to shut out, in the forms in which other programs read them:
 *
 *   access     source of sendmail's access database, for makemap(8); Postern's own tables, too
 *   cidr       Postfix, cidr_table(5), for check_client_access and postscreen_access_list
 *   nftables   commands for nft -f: the sets blocked4 and blocked6 of the table inet postern, all at once
 *   rbldnsd    a zone of the type combined, by which other hosts ask over DNS
 *   json       an object a line
 *
 * Each entry is told with its reason and when it expires. What has expired is left out, and what stands there
 * twice. Reasons are strangers to none of these forms: what could end a field, a comment or a line stands in
 * them as something harmless.
 *
 * An allowance beats every entry: those within it are left out, and where it lies within one it is told as an
 * exception, or the networks around it are told instead. */
#ifndef WATCH_EXPORT_H
#define WATCH_EXPORT_H

#include "base/address.h"
#include "base/buf.h"
#include "base/error.h"

enum export_form {
    EXPORT_ACCESS,
    EXPORT_CIDR,
    EXPORT_NFTABLES,
    EXPORT_RBLDNSD,
    EXPORT_JSON,
    EXPORT_FORM_COUNT
};

struct export_entry {
    struct prefix address;
    struct slice reason;   /* "Apparent open relay" */
    struct slice evidence; /* the id of a campaign or a session, or who said so; may be empty */
    int64_t made_ms;
    int64_t expires_ms; /* 0: never */
    uint64_t hits;
    bool allowed;        /* no entry but an allowance */
    struct slice object; /* what there is to tell of it in JSON; empty: what stands above */
};

const char *export_form_word(enum export_form form);
bool export_form_parse(struct slice word, enum export_form *ret_form);

/* Adds the whole, in the order of the addresses. Where the form has no word for a network (an access table
 * knows whole octets and groups alone) it stands there as several, up to 256, or else as a remark. False: the
 * buf's maximum stopped it; nothing was added then. */
bool export_print(enum export_form form, const struct export_entry *entries, size_t count, int64_t now_ms,
                  struct buf *out);

/* Makes the file hold the text, whole or not at all: who reads it meanwhile reads what was there before. It
 * is readable for all, and safe on disk when this returns 0. -1: it could not be written, and is as it was.
 */
int export_save(const char *path, struct slice text, struct error *error);

#endif
