/*
 * reply - an SMTP reply, read octet by octet as it arrives (RFC 5321, section 4.2)
 *
 * A reply is one or more lines "DDD-text" and a last line "DDD text" or "DDD", all with the same code, each
 * ended by CR LF and at most 512 octets long. Nothing of the text is kept.
 */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include <stddef.h>
#include <stdint.h>

enum reply_status { REPLY_PARTIAL, REPLY_DONE, REPLY_BAD };

/* All zero is a reply of which nothing has come. */
struct reply {
    uint16_t code;  /* of the line being read */
    uint16_t first; /* code of the first line; 0 until that line has ended */
    uint16_t at;    /* octets of this line so far */
    uint8_t more, cr;
};

/*
 * Takes octets of data until the reply ends. ret_used is how many were taken: all of them when PARTIAL, those
 * up to the CR LF when DONE. The code of a reply that is DONE stands in first. Zero the reply before the
 * next.
 */
enum reply_status reply_take(struct reply *reply, const char *data, size_t size, size_t *ret_used);

#endif
