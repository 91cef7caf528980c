/* What a server offers in its reply to EHLO or LHLO (RFC 5321 section 4.1.1.1, RFC 2033). */
#ifndef WIRE_CAPABILITY_H
#define WIRE_CAPABILITY_H

#include "wire/reply.h"

#define CAPABILITY_PIPELINING 0x001u
#define CAPABILITY_8BITMIME   0x002u
#define CAPABILITY_SMTPUTF8   0x004u
#define CAPABILITY_CHUNKING   0x008u
#define CAPABILITY_DSN        0x010u
#define CAPABILITY_STARTTLS   0x020u
#define CAPABILITY_ENHANCED   0x040u /* ENHANCEDSTATUSCODES */
#define CAPABILITY_SIZE       0x080u
#define CAPABILITY_XCLIENT    0x100u
#define CAPABILITY_BINARYMIME 0x200u
#define CAPABILITY_AUTH       0x400u

struct capability {
    unsigned set;          /* CAPABILITY_… bits */
    uint64_t size;         /* of SIZE; 0: no limit stated */
    unsigned xclient;      /* bits 1 << enum xclient_name (xclient.h) */
    struct slice greeting; /* the first line: the server's name and what it adds; points into the reply */
};

/* Keywords without regard to case; unknown ones are passed over; a keyword twice counts once. */
void capability_parse(const struct reply *reply, struct capability *ret_capability);

#endif
