/* Digests and keyed hashes as an interface: the pure floors call it, io implements it (OpenSSL, libsodium),
 * and whoever makes a session hands the implementation in. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

#define DIGEST_SIZE_MAX 32

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256 };

struct digest; /* one running digest, opaque */

struct digest_driver {
    struct digest *(*start)(enum digest_kind kind);
    void (*add)(struct digest *digest, struct slice s);
    /* Ends it and gives it back; 20 or 32 octets. */
    void (*finish)(struct digest *digest, uint8_t ret_digest[DIGEST_SIZE_MAX]);
    void (*drop)(struct digest *digest); /* ends it without a result; NULL is taken */
};

#endif
