/* What tls.c and tls_context.c share: not for others. */
#ifndef IO_TLS_PART_H
#define IO_TLS_PART_H

#include "io/tls.h"
#include <openssl/ssl.h>

/* A context for connections, with everything set that both sides want. NULL with *error filled. */
SSL_CTX *tls_context_new(const SSL_METHOD *method, struct error *error);

struct tls_name {
    struct slice name; /* lower case; may begin with "*." */
    SSL_CTX *context;
};

struct tls_server {
    SSL_CTX *context; /* of the default certificates */
    struct tls_name *names;
    size_t name_count;
};

struct tls_client {
    SSL_CTX *context;
    bool verify;
};

/* The first reason of OpenSSL's queue, in its words; empties the queue. */
void tls_reason(char *text, size_t size);

#endif
