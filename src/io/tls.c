#include "io/tls_part.h"
#include "base/address.h"
#include "base/memory.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct tls {
    SSL *ssl;
    bool failed;
    char trouble[200];
};

static struct tls *tls_new(SSL_CTX *context, int fd)
{
    struct tls *tls = memory_take(sizeof *tls);
    tls->ssl = SSL_new(context);
    assert(tls->ssl); /* only without memory */
    int set = SSL_set_fd(tls->ssl, fd);
    assert(set == 1);
    return tls;
}

struct tls *tls_accept(struct tls_server *server, int fd)
{
    struct tls *tls = tls_new(server->context, fd);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

/* The name to ask for, and to find in the certificate. A name that OpenSSL does not take leaves the
 * connection without a chance when it is verified, as it should be. */
static void name_expect(struct tls *tls, bool verify, struct slice server_name)
{
    char name[256];
    size_t len = server_name.len < sizeof name - 1 ? server_name.len : sizeof name - 1;
    memcpy(name, server_name.at, len);
    name[len] = 0;
    struct address address;
    bool is_address = address_parse(server_name, &address);
    if (!is_address)
        SSL_set_tlsext_host_name(tls->ssl, name);
    if (!verify)
        return;
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, name)
                         : X509_VERIFY_PARAM_set1_host(param, name, len);
    if (set != 1)
        X509_VERIFY_PARAM_set1_host(param, "invalid", 0);
}

struct tls *tls_connect(struct tls_client *client, int fd, struct slice server_name)
{
    struct tls *tls = tls_new(client->context, fd);
    SSL_set_connect_state(tls->ssl);
    if (server_name.len)
        name_expect(tls, client->verify, server_name);
    return tls;
}

static void trouble_set(struct tls *tls, int system)
{
    long verified = SSL_get_verify_result(tls->ssl);
    tls->failed = true;
    if (!SSL_is_server(tls->ssl) && verified != X509_V_OK &&
        SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE) {
        snprintf(tls->trouble, sizeof tls->trouble, "the certificate is not trusted: %s",
                 X509_verify_cert_error_string(verified));
        ERR_clear_error();
        return;
    }
    if (ERR_peek_error()) {
        tls_reason(tls->trouble, sizeof tls->trouble);
        return;
    }
    snprintf(tls->trouble, sizeof tls->trouble, "%s",
             system ? strerror(system) : "the other side closed the connection");
}

/* What a call's result means; `result` as the OpenSSL call gave it. */
static enum tls_status status_of(struct tls *tls, int result)
{
    int system = errno;
    if (result > 0)
        return TLS_DONE;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
    default: trouble_set(tls, system); return TLS_FAILED;
    }
}

enum tls_status tls_handshake(struct tls *tls)
{
    ERR_clear_error();
    errno = 0;
    enum tls_status status = status_of(tls, SSL_do_handshake(tls->ssl));
    if (status != TLS_CLOSED)
        return status;
    trouble_set(tls, 0);
    return TLS_FAILED;
}

enum tls_status tls_read(struct tls *tls, char *at, size_t size, size_t *ret_size)
{
    ERR_clear_error();
    errno = 0;
    return status_of(tls, SSL_read_ex(tls->ssl, at, size, ret_size));
}

enum tls_status tls_write(struct tls *tls, struct slice octets, size_t *ret_size)
{
    assert(octets.len);
    ERR_clear_error();
    errno = 0;
    return status_of(tls, SSL_write_ex(tls->ssl, octets.at, octets.len, ret_size));
}

bool tls_has_pending(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl);
}

void tls_end(struct tls *tls)
{
    if (tls->failed || !SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl); /* whether it goes out or not, the connection is closed next */
    ERR_clear_error();
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    memory_give(tls, sizeof *tls);
}

struct slice tls_version(const struct tls *tls)
{
    return slice_text(SSL_get_version(tls->ssl));
}

struct slice tls_cipher(const struct tls *tls)
{
    return slice_text(SSL_get_cipher_name(tls->ssl));
}

struct slice tls_server_name(const struct tls *tls)
{
    return slice_text(SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name));
}

struct slice tls_trouble(const struct tls *tls)
{
    return slice_text(tls->trouble);
}
