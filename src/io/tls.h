/* TLS (1.2 and newer) over OpenSSL, non-blocking, directly on a descriptor: server side with several
 * certificates, client side with or without verification.
 *
 * No call waits. Where a call wants the descriptor to be readable or writable first it says so; the caller
 * watches for that and calls again. Errors are in words. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/error.h"
#include "base/slice.h"
#include "core/site.h"

struct tls_server; /* what all connections of a gate share; made before the processes part */

/* Reads the certificates' files. Of those that fit a name ECDSA comes before RSA. Without names a certificate
 * is the default. NULL with *error filled, naming the file, when one cannot be used.
 *
 * No session is taken up again: there are neither tickets nor a cache. The key of a ticket opens every
 * session that was taken up under it, so it would have to change by the hour in all gates at once and be
 * forgotten by the supervisor, too; and mail servers seldom keep tickets. A whole handshake costs one
 * signature. */
struct tls_server *tls_server_new(const struct certificate *certificates, size_t count, struct error *error);
void tls_server_free(struct tls_server *server); /* connections must be gone; NULL is taken */

struct tls_client;

/* `verify`: the server's name and chain are checked against the system's authorities, else anything goes
 * (opportunistic, RFC 7435). `authorities`: a file to use instead of the system's, or empty. */
struct tls_client *tls_client_new(bool verify, struct slice authorities, struct error *error);
void tls_client_free(struct tls_client *client); /* NULL is taken */

struct tls; /* one connection */

enum tls_status {
    TLS_DONE,
    TLS_WANT_READ,  /* again when the descriptor can be read */
    TLS_WANT_WRITE, /* again when it can be written */
    TLS_CLOSED,     /* the other side has ended its stream */
    TLS_FAILED      /* tls_trouble says why; the connection is useless */
};

struct tls *tls_accept(struct tls_server *server, int fd);
/* server_name: for SNI and, with verification, the certificate; an address is taken, too. */
struct tls *tls_connect(struct tls_client *client, int fd, struct slice server_name);
enum tls_status tls_handshake(struct tls *tls); /* until TLS_DONE */
/* DONE: at least one octet was read. */
enum tls_status tls_read(struct tls *tls, char *at, size_t size, size_t *ret_size);
/* DONE: *ret_size octets are on their way, at least one. After WANT_* the same octets must come first again;
 * they may stand elsewhere and be more. */
enum tls_status tls_write(struct tls *tls, struct slice octets, size_t *ret_size);
bool tls_has_pending(
    const struct tls *tls);     /* octets are decrypted that the descriptor does not show any more */
void tls_end(struct tls *tls);  /* says goodbye, without waiting; nothing may be written after */
void tls_free(struct tls *tls); /* the descriptor stays open; NULL is taken */

/* Good as long as the connection. */
struct slice tls_version(const struct tls *tls);     /* "TLSv1.3" */
struct slice tls_cipher(const struct tls *tls);      /* "TLS_AES_256_GCM_SHA384" */
struct slice tls_server_name(const struct tls *tls); /* SNI, or empty */
struct slice tls_trouble(const struct tls *tls);     /* after TLS_FAILED, in words */

#endif
