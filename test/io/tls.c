/* Proves handshakes of both sides over a socket pair: the certificate that fits the name, ECDSA first,
 * verification and its refusal in words, that no session is taken up again, and the end of a stream. */
#include "io/tls.h"
#include "certificate.h"
#include "unit.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[FOLDER_SIZE];
static char files[4][2][FOLDER_SIZE + 32]; /* default RSA, default ECDSA, mail.example.org, other.example.org;
                                              chain and key */
static struct certificate certificates[4];
static struct slice names[] = {SLICE("mail.example.org"), SLICE("*.example.net")};

static int files_make(void **state)
{
    (void)state;
    static const char *const subjects[] = {"rsa.example.com", "ecdsa.example.com", "mail.example.org",
                                           "spare"};
    if (folder_new(folder, "tls") < 0)
        return -1;
    for (int i = 0; i < 4; i++) {
        snprintf(files[i][0], sizeof files[i][0], "%s/%d.crt", folder, i);
        snprintf(files[i][1], sizeof files[i][1], "%s/%d.key", folder, i);
        if (certificate_write(i > 0, subjects[i], files[i][0], files[i][1]) < 0)
            return -1;
        certificates[i].chain_file = slice_text(files[i][0]);
        certificates[i].key_file = slice_text(files[i][1]);
    }
    certificates[2].names = names;
    certificates[2].name_count = 2;
    return 0;
}

static int files_remove(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        unlink(files[i][0]);
        unlink(files[i][1]);
    }
    return rmdir(folder);
}

static struct tls_server *server_new(void)
{
    struct error error;
    struct tls_server *server = tls_server_new(certificates, 3, &error);
    assert_non_null(server);
    return server;
}

struct pair {
    int fds[2];
    struct tls *server, *client;
};

static void pair_open(struct pair *pair, struct tls_server *server, struct tls_client *client,
                      const char *name)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
    pair->server = tls_accept(server, pair->fds[0]);
    pair->client = tls_connect(client, pair->fds[1], slice_text(name));
}

static void pair_close(struct pair *pair)
{
    tls_free(pair->server);
    tls_free(pair->client);
    close(pair->fds[0]);
    close(pair->fds[1]);
}

/* Both sides in turn until both are done or one has failed. */
static void shake(struct pair *pair, enum tls_status *ret_server, enum tls_status *ret_client)
{
    *ret_server = *ret_client = TLS_WANT_READ;
    for (int i = 0; i < 20 && *ret_server != TLS_FAILED && *ret_client != TLS_FAILED; i++) {
        if (*ret_client != TLS_DONE)
            *ret_client = tls_handshake(pair->client);
        if (*ret_server != TLS_DONE)
            *ret_server = tls_handshake(pair->server);
        if (*ret_server == TLS_DONE && *ret_client == TLS_DONE)
            return;
    }
}

static void pair_talk(struct pair *pair)
{
    char text[16];
    size_t size = 0;
    assert_int_equal(tls_write(pair->client, SLICE("EHLO"), &size), TLS_DONE);
    assert_int_equal(size, 4);
    assert_int_equal(tls_read(pair->server, text, 2, &size), TLS_DONE);
    assert_int_equal(size, 2);
    assert_true(tls_has_pending(pair->server));
    assert_int_equal(tls_read(pair->server, text, sizeof text, &size), TLS_DONE);
    assert_memory_equal(text, "LO", 2);
    assert_int_equal(tls_read(pair->server, text, sizeof text, &size), TLS_WANT_READ);
    tls_end(pair->client);
    assert_int_equal(tls_read(pair->server, text, sizeof text, &size), TLS_CLOSED);
    assert_int_equal(tls_write(pair->server, SLICE("221"), &size), TLS_DONE);
    assert_int_equal(tls_read(pair->client, text, sizeof text, &size), TLS_DONE);
}

/* A client that trusts only `authority`. */
static struct tls_client *client_trusting(const char *authority)
{
    struct error error;
    struct tls_client *client = tls_client_new(true, slice_text(authority), &error);
    assert_non_null(client);
    return client;
}

static void shake_expecting(struct tls_server *server, int authority, const char *name, bool good)
{
    struct tls_client *client = client_trusting(files[authority][0]);
    struct pair pair;
    enum tls_status at_server, at_client;
    pair_open(&pair, server, client, name);
    shake(&pair, &at_server, &at_client);
    assert_int_equal(at_client, good ? TLS_DONE : TLS_FAILED);
    if (good) {
        assert_int_equal(at_server, TLS_DONE);
        assert_slice_equal(tls_version(pair.server), "TLSv1.3");
        assert_true(tls_cipher(pair.server).len > 0);
        assert_true(slice_equal(tls_server_name(pair.server), slice_text(name)));
        pair_talk(&pair);
    } else {
        assert_true(slice_starts(tls_trouble(pair.client), SLICE("the certificate is not trusted: ")));
    }
    pair_close(&pair);
    tls_client_free(client);
}

static void certificate_fits_name(void **state)
{
    (void)state;
    struct tls_server *server = server_new();
    shake_expecting(server, 1, "ecdsa.example.com", true); /* though the RSA one comes first in the list */
    shake_expecting(server, 2, "mail.example.org", true);
    shake_expecting(server, 2, "ecdsa.example.com",
                    false); /* another certificate comes, and is not trusted */
    shake_expecting(server, 1, "elsewhere.example.com", false);
    tls_server_free(server);
}

static void wildcard_takes_one_label(void **state)
{
    (void)state;
    struct tls_server *server = server_new();
    struct tls_client *client = client_trusting(files[2][0]);
    struct pair pair;
    enum tls_status at_server, at_client;
    pair_open(&pair, server, client, "a.example.net"); /* gets 2, whose certificate lacks this name */
    shake(&pair, &at_server, &at_client);
    assert_slice_equal(tls_trouble(pair.client), "the certificate is not trusted: hostname mismatch");
    pair_close(&pair);
    tls_client_free(client);
    tls_server_free(server);
}

static void anything_goes_without_verification(void **state)
{
    (void)state;
    struct error error;
    struct tls_server *server = server_new();
    struct tls_client *client = tls_client_new(false, SLICE_NONE, &error);
    struct pair pair;
    enum tls_status at_server, at_client;
    pair_open(&pair, server, client, "192.0.2.1");
    shake(&pair, &at_server, &at_client);
    assert_int_equal(at_server, TLS_DONE);
    assert_int_equal(tls_server_name(pair.server).len, 0); /* an address is no server name */
    pair_talk(&pair);
    pair_close(&pair);
    tls_client_free(client);
    tls_server_free(server);
}

static void plaintext_is_told_in_words(void **state)
{
    (void)state;
    struct tls_server *server = server_new();
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct tls *tls = tls_accept(server, fds[0]);
    assert_int_equal(tls_handshake(tls), TLS_WANT_READ);
    assert_int_equal(write(fds[1], "EHLO a.example\r\n", 16), 16);
    assert_int_equal(tls_handshake(tls), TLS_FAILED);
    assert_slice_equal(tls_trouble(tls), "wrong version number");
    tls_free(tls);
    tls = tls_accept(server, fds[0]);
    close(fds[1]);
    assert_int_equal(tls_handshake(tls), TLS_FAILED);
    assert_true(tls_trouble(tls).len > 0);
    tls_free(tls);
    close(fds[0]);
    tls_server_free(server);
}

/* A client that would take its session up again gets no ticket, and a whole handshake each time. */
static void sessions_are_new(int version)
{
    struct tls_server *server = server_new();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_SESSION *session = NULL;
    SSL_CTX_set_max_proto_version(context, version);
    for (int round = 0; round < 2; round++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        struct tls *tls = tls_accept(server, fds[0]);
        SSL *ssl = SSL_new(context);
        char octet;
        size_t size;
        SSL_set_fd(ssl, fds[1]);
        if (session)
            SSL_set_session(ssl, session);
        for (int i = 0; i < 10; i++) {
            SSL_connect(ssl);
            tls_handshake(tls);
        }
        assert_int_equal(SSL_version(ssl), version);
        assert_int_equal(tls_write(tls, SLICE("x"), &size), TLS_DONE);
        assert_int_equal(SSL_read(ssl, &octet, 1), 1); /* would take a ticket up, too */
        assert_false(SSL_session_reused(ssl));
        SSL_SESSION_free(session);
        session = SSL_get1_session(ssl);
        assert_false(SSL_SESSION_has_ticket(session));
        SSL_shutdown(ssl); /* else the session counts as spoilt */
        SSL_free(ssl);
        tls_free(tls);
        close(fds[0]);
        close(fds[1]);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(context);
    tls_server_free(server);
}

static void no_session_is_taken_up_again(void **state)
{
    (void)state;
    sessions_are_new(TLS1_2_VERSION);
    sessions_are_new(TLS1_3_VERSION);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    struct error error;
    struct certificate bad = certificates[0];
    bad.chain_file = SLICE("/nowhere/at.crt");
    assert_null(tls_server_new(&bad, 1, &error));
    assert_string_equal(error.text, "cannot read the certificate /nowhere/at.crt: No such file or directory");
    bad = certificates[0];
    bad.key_file = SLICE("/nowhere/at.key");
    assert_null(tls_server_new(&bad, 1, &error));
    assert_string_equal(error.text, "cannot read the key /nowhere/at.key: No such file or directory");
    bad = certificates[0];
    bad.key_file = certificates[3].key_file;
    assert_null(tls_server_new(&bad, 1, &error));
    assert_non_null(strstr(error.text, "the key does not belong to the certificate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_fits_name),
        cmocka_unit_test(wildcard_takes_one_label),
        cmocka_unit_test(anything_goes_without_verification),
        cmocka_unit_test(plaintext_is_told_in_words),
        cmocka_unit_test(no_session_is_taken_up_again),
        cmocka_unit_test(bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
