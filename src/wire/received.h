/* Received fields as mail servers write them (RFC 5321 section 4.4): who handed the message to whom. */
#ifndef WIRE_RECEIVED_H
#define WIRE_RECEIVED_H

#include "base/address.h"
#include "base/slice.h"

/* All slices point into the value. What is not told is empty. */
struct received {
    struct slice helo;      /* as the client gave it */
    struct slice name;      /* that its address pointed to */
    struct address address; /* the client's; ADDRESS_NONE: not told, or there was no client */
    bool several;           /* it names more than one address for the client: the first counts */
    bool forged;            /* the server says that the name does not lead back to the address */
    bool looked_up;         /* the server looks names up: where there is none here, there was none */
    struct slice by;
    struct slice with; /* its first word */
    struct slice id;
    struct slice recipient; /* of "for", without brackets */
    struct slice date;
};

/* The value of the field, unfolded: its line ends have become blanks. Sendmail, Postfix, Exim, qmail and
 * others that write like them are understood. False: that is no such field, or one that tells neither of a
 * client nor of a server. */
bool received_parse(struct slice value, struct received *ret_received);

#endif
