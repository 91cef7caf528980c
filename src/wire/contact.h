/* Where complaints about a network go: addresses out of the administrator's own table, or of a zone that is
 * asked by DNS. Both are read with suspicion, for what they name is put into the header of a mail.
 *
 * The table has a line for each AS or network, # begins a comment:
 *
 *   AS64500          abuse@example.net
 *   192.0.2.0/24     noc@example.org abuse@example.org
 *   2001:db8::/32    -                                     (nobody: no zone is asked either)
 *
 * Zones answer, at the address turned round, with TXT records of one or more addresses, parted by blanks,
 * commas or semicolons; some put "mailto:" before each. */
#ifndef WIRE_CONTACT_H
#define WIRE_CONTACT_H

#include "base/address.h"
#include "base/arena.h"

#define CONTACTS_MAX      4           /* addresses of one network that are kept */
#define CONTACT_SIZE_MAX  254         /* octets of one */
#define CONTACT_TABLE_MAX (16u << 20) /* octets of the table */

/* Whether it is a plain mailbox in the DNS: local@domain in printable ASCII, without quotes, blanks, routes
 * and address literals, of a domain with a dot that is no number. */
bool contact_is_sound(struct slice address);

struct contacts {
    struct slice address[CONTACTS_MAX]; /* sound, each once without regard to case */
    size_t count;
};

enum contact_line_status {
    CONTACT_LINE_EMPTY, /* nothing, or a comment */
    CONTACT_LINE_DONE,
    CONTACT_LINE_WHOSE,  /* it begins neither with AS and a number nor with an address or network */
    CONTACT_LINE_NOBODY, /* no address behind it */
    CONTACT_LINE_ADDRESS /* one of its words is no sound address, or there are too many */
};

struct contact_line {
    uint32_t as;             /* not 0: of this AS */
    struct prefix network;   /* where as is 0 */
    struct contacts to;      /* in the line; count 0 with "-" */
    struct slice wrong_word; /* what the status is about */
};

enum contact_line_status contact_line_read(struct slice line, struct contact_line *ret_line);

/* What the table says of an address: the longest network that has it, or else the first of its AS numbers
 * that the table knows. Lines that are wrong are passed over. False: nothing. The result points into the
 * table. */
bool contact_table_find(struct slice table, const struct address *address, const uint32_t *as,
                        size_t as_count, struct contacts *ret_contacts);

/* The sound addresses of a zone's answer: netstrings, one a record. In the arena. */
void contact_records_read(struct slice records, struct arena *arena, struct contacts *ret_contacts);

#endif
