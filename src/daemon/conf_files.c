/* Looks at the files that the configuration names: certificates with their keys, and alias tables. */
#include "daemon/conf_make.h"

#include "base/text.h"
#include "io/files.h"
#include "io/tls.h"
#include "queue/book.h"
#include "wire/alias.h"

#include <stdio.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#define ALIASES_SIZE_MAX (64u * 1024 * 1024)
#define COMPLAINT_MAX    400 /* octets */
#define EXPIRES_SOON_S   (14 * 86400)

/* --- certificates -------------------------------------------------------------------------------------- */

static X509 *certificate_read(const char *file)
{
    BIO *bio = BIO_new_file(file, "r");

    if (!bio)
        return NULL;
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    return certificate;
}

/* What a client would not take is no mistake of the file's: the gate still serves those that do not look. */
static void check_dates(const struct conf_at *at, const struct certificate *certificate)
{
    X509 *x509 = certificate_read(certificate->chain_file.at);
    time_t soon = time(NULL) + EXPIRES_SOON_S;

    if (!x509)
        return;
    if (X509_cmp_current_time(X509_get0_notAfter(x509)) < 0)
        conf_warning(at->maker, conf_place_of(at), "certificate %.*s has expired",
                     SLICE_ARGS(certificate->chain_file));
    else if (X509_cmp_time(X509_get0_notAfter(x509), &soon) < 0)
        conf_warning(at->maker, conf_place_of(at), "certificate %.*s expires within 14 days",
                     SLICE_ARGS(certificate->chain_file));
    else if (X509_cmp_current_time(X509_get0_notBefore(x509)) > 0)
        conf_warning(at->maker, conf_place_of(at), "certificate %.*s is not valid yet",
                     SLICE_ARGS(certificate->chain_file));
    X509_free(x509);
}

/* By the very code that serves it. */
void conf_check_certificate(const struct conf_at *at, const struct certificate *certificate)
{
    struct error error = {0};
    struct tls_server *server = tls_server_new(certificate, 1, &error);

    if (server)
        check_dates(at, certificate);
    else
        conf_mistake(at->maker, conf_place_of(at),
                     "certificate: %s: expected a chain and its key in PEM form", error.text);
    tls_server_free(server);
}

/* --- aliases ------------------------------------------------------------------------------------------- */

/* Behind the files of the configuration itself. */
static struct conf_place alias_place(struct conf_maker *maker, struct slice file, unsigned line)
{
    struct conf_source *source = arena_take(&maker->scratch, sizeof *source);

    *source = (struct conf_source){.name = file, .number = CONF_INCLUDE_FILES};
    return (struct conf_place){source, line};
}

void conf_check_aliases(const struct conf_at *at, size_t index, struct slice file)
{
    struct alias_reader reader;
    struct alias_entry entry;
    enum alias_status status;
    struct error error;
    struct slice text;

    if (conf_file_read(at->maker, file.at, ALIASES_SIZE_MAX, &text, NULL, &error) < 0) {
        const struct slice shown = conf_shown(at->maker, at->node->values[index].text);
        conf_mistake(at->maker, conf_place_of_value(at, index), "aliases \"%.*s\": the file %s",
                     SLICE_ARGS(shown), error.text);
        return;
    }
    alias_init(&reader, ALIAS_TABLE, text);
    while ((status = alias_next(&reader, &entry)) != ALIAS_END)
        if (status == ALIAS_BAD)
            conf_mistake(at->maker, alias_place(at->maker, file, entry.line), "%.*s",
                         SLICE_ARGS(reader.complaint));
}

/* "FILE:LINE: what is wrong" */
static void alias_warning(struct conf_maker *maker, struct slice complaint)
{
    const size_t end = slice_find_slice(complaint, SLICE(": "));
    const struct slice place = slice_head(complaint, end);
    const size_t colon = slice_find_last(place, ':');
    uint64_t line = 0;

    if (end == SLICE_NOT_FOUND || colon == SLICE_NOT_FOUND)
        return;
    (void)text_parse_u64(slice_from(place, colon + 1), &line);
    const struct slice text = conf_shown_within(maker, slice_from(complaint, end + 2), COMPLAINT_MAX);
    conf_warning(maker, alias_place(maker, slice_head(place, colon), (unsigned)line), "%.*s",
                 SLICE_ARGS(text));
}

/* By the courier's own book: names that lead nowhere, or stand twice. */
void conf_judge_aliases(struct conf_maker *maker)
{
    struct book *book = book_make(maker->site, &files_system);
    struct slice rest = book_complaints(book), line;

    while (slice_cut(&rest, '\n', &line))
        alias_warning(maker, line);
    book_free(book);
}
