/* How the table of mailboxes stands in its file, which gates map: numbers as the machine has them, for it
 * never leaves the machine. A head, the routes, the slots of a hash table (open addressing, a power of two,
 * at most half full), the texts. */
#ifndef QUEUE_MAILBOXES_FORM_H
#define QUEUE_MAILBOXES_FORM_H

#include <stdint.h>

#define MAILBOXES_MAGIC UINT64_C(0x3130584f42545350) /* PSTBOX01 */

struct mailboxes_head {
    uint64_t magic;
    uint32_t replaced; /* not 0: a newer file stands under the name; not in the checksum */
    uint32_t checksum; /* CRC-32C of all behind this field */
    uint64_t size;     /* of the whole file */
    uint64_t seed;     /* of slice_hash */
    uint32_t route_count;
    uint32_t slot_count;
    uint64_t routes_at; /* offsets in the file */
    uint64_t slots_at;
};

struct mailboxes_route {
    uint64_t name_at;
    uint32_t name_len;
    uint32_t mode; /* enum route_mailboxes */
};

/* The key is the route's place in the table (four octets) and the folded name: "joe", "joe@example.net",
 * "@example.net". */
struct mailboxes_slot {
    uint64_t key_at; /* 0: the slot is empty */
    uint32_t key_len;
    uint32_t is_alias;
};

#endif
