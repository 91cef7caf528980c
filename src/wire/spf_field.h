/* The Received-SPF field (RFC 7208 section 9.1). */
#ifndef WIRE_SPF_FIELD_H
#define WIRE_SPF_FIELD_H

#include "base/buf.h"
#include "wire/spf.h"

struct spf_field {
    enum spf_result result;
    bool helo_identity; /* the HELO name was judged, else the sender */
    const struct address *address;
    struct slice sender; /* empty: the null sender */
    struct slice helo;
    struct slice receiver;  /* our name */
    struct slice mechanism; /* may be empty */
    struct slice problem;   /* may be empty */
};

#define SPF_FIELD_MAX   5120u /* octets: it always fits, since longer values are cut */
#define SPF_FIELD_USUAL 512u  /* most are shorter */

/* Adds the whole field, folded, with its line end. Whatever a peer chose stands in quotes and holds no
 * control octet. False: it did not fit. */
bool spf_field_add(struct buf *buf, const struct spf_field *field);

#endif
