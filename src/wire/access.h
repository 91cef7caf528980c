/* The source text of an access table, after the manner of sendmail's access(5): one entry a line, a key, then
 * blanks, then a value. Lines whose first octet other than a blank is `#`, and blank lines, are passed over.
 *
 * A key is an address or its beginning (192.0.2.7, 192.0.2, 192; IPv6:2001:db8:1), a domain, which stands for
 * all below it, too, or in From: and To: an address (user@domain) or a local part (user@). Before it may
 * stand what it is compared with: Connect:, From:, To:, Helo:. Without such a tag it is compared with the
 * client, the sender and the recipient. */
#ifndef WIRE_ACCESS_H
#define WIRE_ACCESS_H

#include "base/address.h"
#include "base/slice.h"

enum access_tag { ACCESS_CONNECT = 1, ACCESS_FROM = 2, ACCESS_TO = 4, ACCESS_HELO = 8 };

enum access_action {
    ACCESS_OK,     /* OK, and RELAY, for who may relay is said elsewhere */
    ACCESS_SKIP,   /* nothing is said; less specific keys are not looked at */
    ACCESS_REJECT, /* REJECT; ERROR and a bare code with 5yz */
    ACCESS_DEFER,  /* ERROR and a bare code with 4yz */
    ACCESS_DISCARD
};

/* Points into the text. */
struct access_entry {
    unsigned tags;    /* ACCESS_ bits */
    struct slice key; /* without the tag, as written; for IPv6 behind "IPv6:" */
    bool ipv6;
    enum access_action action;
    uint16_t code;         /* of ERROR or a bare code; else 0 */
    struct slice enhanced; /* "5.7.1", or empty */
    struct slice text;     /* for the client, without quotes; printable; or empty */
    unsigned line;         /* from 1 */
};

enum access_status {
    ACCESS_ENTRY,
    ACCESS_END,
    ACCESS_BAD,    /* no entry: reader->complaint */
    ACCESS_PASSED, /* an entry that means nothing here (GreetPause:, TLS_Clt:, …): reader->complaint */
};

struct access_reader {
    struct slice rest;
    unsigned line;          /* of the next line, from 1 */
    struct slice complaint; /* of the last ACCESS_BAD or ACCESS_PASSED; constant text */
};

void access_init(struct access_reader *reader, struct slice text);
enum access_status access_next(struct access_reader *reader, struct access_entry *ret_entry);

/* Octets of a key in its one form, which makes equal keys equal texts. */
#define ACCESS_KEY_SIZE 320

/* The entry's key in lower case, IPv6 groups without leading zeros and none left out; the length, or 0 where
 * it is too long. */
size_t access_key_print(const struct access_entry *entry, char text[ACCESS_KEY_SIZE]);
/* The same for a whole address: "192.0.2.7", "ipv6:2001:db8:0:0:0:0:0:1". */
size_t access_address_print(const struct address *address, char text[ACCESS_KEY_SIZE]);
/* Whether the key in its one form is an address or the beginning of one. */
bool access_key_is_address(struct slice key);
/* The next less specific key: false where there is none. Of an address the last octet or group goes, of a
 * domain the first label, of user@domain the local part. */
bool access_key_widen(struct slice *key);

#endif
