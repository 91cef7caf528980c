#include "io/digest.h"
#include <assert.h>
#include <openssl/evp.h>

/* A struct digest is an EVP_MD_CTX by another name: there is nothing to add to it. */
static EVP_MD_CTX *context_of(struct digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

static struct digest *digest_start(enum digest_kind kind)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *method = kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
    int begun = context ? EVP_DigestInit_ex(context, method, NULL) : 0;
    assert(begun == 1); /* only without memory, and then a process ends (base/memory.h) */
    return (struct digest *)context;
}

static void digest_add(struct digest *digest, struct slice s)
{
    int added = EVP_DigestUpdate(context_of(digest), s.at, s.len);
    assert(added == 1);
}

static void digest_drop(struct digest *digest)
{
    EVP_MD_CTX_free(context_of(digest));
}

static void digest_finish(struct digest *digest, uint8_t ret_digest[DIGEST_SIZE_MAX])
{
    unsigned size = 0;
    int finished = EVP_DigestFinal_ex(context_of(digest), ret_digest, &size);
    assert(finished == 1 && size <= DIGEST_SIZE_MAX);
    digest_drop(digest);
}

const struct digest_driver *digest_openssl(void)
{
    static const struct digest_driver driver = {digest_start, digest_add, digest_finish, digest_drop};
    return &driver;
}
