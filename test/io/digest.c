/* Proves the digests against the examples of FIPS 180-2, fed whole and in pieces. */
#include "io/digest.h"
#include "unit.h"

static void hex(const uint8_t *octets, size_t count, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *text++ = digits[octets[i] >> 4];
        *text++ = digits[octets[i] & 15];
    }
    *text = 0;
}

static void known_answers(void **state)
{
    (void)state;
    const struct digest_driver *driver = digest_openssl();
    uint8_t octets[DIGEST_SIZE_MAX];
    char text[2 * DIGEST_SIZE_MAX + 1];
    struct digest *digest = driver->start(DIGEST_SHA256);
    driver->add(digest, SLICE("a"));
    driver->add(digest, SLICE_NONE);
    driver->add(digest, SLICE("bc"));
    driver->finish(digest, octets);
    hex(octets, 32, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest = driver->start(DIGEST_SHA1);
    driver->add(digest, SLICE("abc"));
    driver->finish(digest, octets);
    hex(octets, 20, text);
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
    driver->drop(driver->start(DIGEST_SHA256));
    driver->drop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
