/* Proves CRC-32C against the vectors of RFC 3720 appendix B.4 and against long division bit by bit, by
 * instruction and by tables, whole and in parts. */
#include "base/checksum.h"
#include "base/random.h"
#include "unit.h"

#include <string.h>

static uint32_t by_long_division(const unsigned char *at, size_t len)
{
    uint32_t rest = ~0U;

    for (size_t i = 0; i < len; i++) {
        rest ^= at[i];
        for (unsigned bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ (rest & 1 ? 0x82f63b78U : 0);
    }
    return ~rest;
}

static void gives_the_vectors(void **state)
{
    char octets[32];

    (void)state;
    assert_int_equal(checksum_add(0, SLICE_NONE), 0);
    assert_int_equal(checksum_add(0, SLICE("123456789")), 0xe3069283);
    memset(octets, 0, sizeof(octets));
    assert_int_equal(checksum_add(0, slice_of(octets, 32)), 0x8a9136aa);
    memset(octets, 0xff, sizeof(octets));
    assert_int_equal(checksum_add(0, slice_of(octets, 32)), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        octets[i] = (char)i;
    assert_int_equal(checksum_add(0, slice_of(octets, 32)), 0x46dd794e);
    for (unsigned i = 0; i < 32; i++)
        octets[i] = (char)(31 - i);
    assert_int_equal(checksum_add(0, slice_of(octets, 32)), 0x113fdb5c);
}

static void agrees_with_long_division(void **state)
{
    struct random random = {8};
    unsigned char octets[300];

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        const size_t skip = (size_t)random_below(&random, 16);
        const size_t len = (size_t)random_below(&random, sizeof(octets) - skip);
        const size_t part = (size_t)random_below(&random, len + 1);

        for (size_t n = 0; n < sizeof(octets); n++)
            octets[n] = (unsigned char)random_next(&random);
        const struct slice s = slice_of((const char *)octets + skip, len);
        const uint32_t wanted = by_long_division(octets + skip, len);
        assert_int_equal(checksum_add(0, s), wanted);
        assert_int_equal(checksum_add_by_tables(0, s), wanted);
        assert_int_equal(checksum_add(checksum_add(0, slice_head(s, part)), slice_from(s, part)), wanted);
        assert_int_equal(checksum_add_by_tables(checksum_add(0, slice_head(s, part)), slice_from(s, part)),
                         wanted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_vectors),
        cmocka_unit_test(agrees_with_long_division),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
