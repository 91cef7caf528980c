/* Contexts: certificates, keys, and which certificate answers to which name. */
#include "io/tls_part.h"
#include "base/memory.h"
#include "base/text.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

void tls_reason(char *text, size_t size)
{
    unsigned long number = ERR_get_error();
    const char *reason = number ? ERR_reason_error_string(number) : NULL;
    if (number && ERR_SYSTEM_ERROR(number))
        reason = strerror(ERR_GET_REASON(number));
    snprintf(text, size, "%s", reason ? reason : "no reason was given");
    ERR_clear_error();
}

static int openssl_error(struct error *error, const char *what, struct slice file)
{
    char reason[160];
    tls_reason(reason, sizeof reason);
    return error_set(error, 0, "%s %.*s: %s", what, SLICE_ARGS(file), reason);
}

/* A key with a passphrase is refused instead of asking the terminal for it. */
static int passphrase_none(char *at, int size, int writing, void *data)
{
    (void)at;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

SSL_CTX *tls_context_new(const SSL_METHOD *method, struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (!context) {
        openssl_error(error, "cannot make a TLS context", SLICE_NONE);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_default_passwd_cb(context, passphrase_none);
    SSL_CTX_set_read_ahead(context, 1); /* head and body of a record in one system call */
    return context;
}

static void path_make(struct slice file, char path[4096])
{
    size_t len = file.len < 4095 ? file.len : 4095;
    memcpy(path, file.at, len);
    path[len] = 0;
}

static EVP_PKEY *key_read(struct slice file, struct error *error)
{
    char path[4096];
    path_make(file, path);
    FILE *stream = fopen(path, "re");
    if (!stream) {
        error_set(error, errno, "cannot read the key %s", path);
        return NULL;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(stream, NULL, passphrase_none, NULL);
    fclose(stream);
    if (!key)
        openssl_error(error, "cannot use the key", file);
    return key;
}

/* Kinds of keys that a context has already: one certificate of each kind fits in. */
#define KEY_RSA   1u
#define KEY_ECDSA 2u
#define KEY_OTHER 4u

static unsigned key_kind(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA"))
        return KEY_RSA;
    return EVP_PKEY_is_a(key, "EC") ? KEY_ECDSA : KEY_OTHER;
}

static int chain_use(SSL_CTX *context, const struct certificate *certificate, EVP_PKEY *key,
                     struct error *error)
{
    char path[4096];
    path_make(certificate->chain_file, path);
    FILE *stream = fopen(path, "re"); /* OpenSSL's own words for a file that is not there are poor */
    if (!stream)
        return error_set(error, errno, "cannot read the certificate %s", path);
    fclose(stream);
    if (SSL_CTX_use_certificate_chain_file(context, path) != 1)
        return openssl_error(error, "cannot use the certificate", certificate->chain_file);
    if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
        return openssl_error(error, "the key does not belong to the certificate", certificate->chain_file);
    return 0;
}

static int certificate_use(SSL_CTX *context, const struct certificate *certificate, unsigned *kinds,
                           struct error *error)
{
    EVP_PKEY *key = key_read(certificate->key_file, error);
    if (!key)
        return -1;
    int used = 0;
    if (!(*kinds & key_kind(key))) {
        *kinds |= key_kind(key);
        used = chain_use(context, certificate, key, error);
    }
    EVP_PKEY_free(key);
    return used;
}

static bool certificate_is_for(const struct certificate *certificate, struct slice name)
{
    for (size_t i = 0; i < certificate->name_count; i++) {
        if (slice_equal_fold(certificate->names[i], name))
            return true;
    }
    return !name.len && !certificate->name_count;
}

struct server_plan {
    const struct certificate *certificates;
    size_t count;
};

/* Without the second line TLS 1.3 would give tickets that are names of sessions kept here. */
static void forget_sessions(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/* Fills a context with the certificates for a name (empty: the default ones, or else the first). */
static int context_fill(SSL_CTX *context, const struct server_plan *plan, struct slice name,
                        struct error *error)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (certificate_is_for(&plan->certificates[i], name) &&
            certificate_use(context, &plan->certificates[i], &kinds, error) < 0)
            return -1;
    }
    if (!kinds && certificate_use(context, &plan->certificates[0], &kinds, error) < 0)
        return -1;
    forget_sessions(context);
    return 0;
}

static SSL_CTX *server_context(const struct server_plan *plan, struct slice name, struct error *error)
{
    SSL_CTX *context = tls_context_new(TLS_server_method(), error);
    if (context && context_fill(context, plan, name, error) < 0) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

static bool name_fits(struct slice pattern, struct slice name)
{
    if (!slice_starts(pattern, SLICE("*.")))
        return slice_equal_fold(pattern, name);
    size_t dot = slice_find(name, '.');
    return dot != SLICE_NOT_FOUND && dot > 0 &&
           slice_equal_fold(slice_from(pattern, 1), slice_from(name, dot));
}

static int name_chosen(SSL *ssl, int *alert, void *data)
{
    (void)alert;
    const struct tls_server *server = data;
    struct slice name = slice_text(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    for (size_t i = 0; name.len && i < server->name_count; i++) {
        if (name_fits(server->names[i].name, name)) {
            SSL_set_SSL_CTX(ssl, server->names[i].context);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_OK; /* a name that is not ours gets the default: mail goes on */
}

static bool name_is_known(const struct tls_server *server, struct slice name)
{
    for (size_t i = 0; i < server->name_count; i++) {
        if (slice_equal_fold(server->names[i].name, name))
            return true;
    }
    return false;
}

static int name_add(struct tls_server *server, const struct server_plan *plan, struct slice name,
                    struct error *error)
{
    if (name_is_known(server, name))
        return 0;
    SSL_CTX *context = server_context(plan, name, error);
    if (!context)
        return -1;
    size_t size = server->name_count * sizeof *server->names;
    server->names = memory_resize(server->names, size, size + sizeof *server->names);
    char *copy = memory_take(name.len + 1);
    memcpy(copy, name.at, name.len);
    server->names[server->name_count++] = (struct tls_name){slice_of(copy, name.len), context};
    return 0;
}

static int names_add(struct tls_server *server, const struct server_plan *plan, struct error *error)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct certificate *certificate = &plan->certificates[i];
        for (size_t k = 0; k < certificate->name_count; k++) {
            if (name_add(server, plan, certificate->names[k], error) < 0)
                return -1;
        }
    }
    return 0;
}

struct tls_server *tls_server_new(const struct certificate *certificates, size_t count, struct error *error)
{
    assert(count > 0);
    struct server_plan plan = {certificates, count};
    struct tls_server *server = memory_take(sizeof *server);
    server->context = server_context(&plan, SLICE_NONE, error);
    if (!server->context || names_add(server, &plan, error) < 0) {
        tls_server_free(server);
        return NULL;
    }
    SSL_CTX_set_tlsext_servername_callback(server->context, name_chosen);
    SSL_CTX_set_tlsext_servername_arg(server->context, server);
    return server;
}

void tls_server_free(struct tls_server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->name_count; i++) {
        SSL_CTX_free(server->names[i].context);
        memory_give((char *)(uintptr_t)server->names[i].name.at, server->names[i].name.len + 1);
    }
    memory_give(server->names, server->name_count * sizeof *server->names);
    SSL_CTX_free(server->context);
    memory_give(server, sizeof *server);
}

static int authorities_use(SSL_CTX *context, struct slice authorities, struct error *error)
{
    if (!authorities.len)
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? 0
                   : openssl_error(error, "cannot read the system's authorities", SLICE_NONE);
    char path[4096];
    path_make(authorities, path);
    return SSL_CTX_load_verify_file(context, path) == 1
               ? 0
               : openssl_error(error, "cannot read the authorities", authorities);
}

struct tls_client *tls_client_new(bool verify, struct slice authorities, struct error *error)
{
    struct tls_client *client = memory_take(sizeof *client);
    client->verify = verify;
    client->context = tls_context_new(TLS_client_method(), error);
    if (!client->context || (verify && authorities_use(client->context, authorities, error) < 0)) {
        tls_client_free(client);
        return NULL;
    }
    SSL_CTX_set_verify(client->context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    return client;
}

void tls_client_free(struct tls_client *client)
{
    if (!client)
        return;
    SSL_CTX_free(client->context);
    memory_give(client, sizeof *client);
}
