/* A certificate and its key for tests, signed by itself, in two files. */
#ifndef TEST_IO_CERTIFICATE_H
#define TEST_IO_CERTIFICATE_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

static inline EVP_PKEY *certificate_key(bool ecdsa)
{
    return ecdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
}

/* Negative: OpenSSL or the disk refuses. */
static inline int certificate_write(bool ecdsa, const char *name, const char *chain_file,
                                    const char *key_file)
{
    EVP_PKEY *key = certificate_key(ecdsa);
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    char names[128];
    snprintf(names, sizeof names, "DNS:%s", name);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
    FILE *chain = fopen(chain_file, "we"), *keys = fopen(key_file, "we");
    int written = chain && keys && PEM_write_X509(chain, certificate) &&
                          PEM_write_PrivateKey(keys, key, NULL, NULL, 0, NULL, NULL)
                      ? 0
                      : -1;
    if (chain)
        fclose(chain);
    if (keys)
        fclose(keys);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return written;
}

#endif
