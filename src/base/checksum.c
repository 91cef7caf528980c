#include "base/checksum.h"

#include <string.h>

/* The polynomial 0x1EDC6F41, its bits reversed (RFC 3720, appendix B.4). */

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t add_by_instruction(uint32_t state, const char *at,
                                                                     size_t len)
{
    uint64_t wide = state;

    for (; len >= 8; at += 8, len -= 8) {
        uint64_t octets;
        memcpy(&octets, at, sizeof(octets));
        wide = _mm_crc32_u64(wide, octets);
    }
    state = (uint32_t)wide;
    if (len & 4) {
        uint32_t octets;
        memcpy(&octets, at, sizeof(octets));
        state = _mm_crc32_u32(state, octets);
        at += 4;
    }
    if (len & 2) {
        uint16_t octets;
        memcpy(&octets, at, sizeof(octets));
        state = _mm_crc32_u16(state, octets);
        at += 2;
    }
    return len & 1 ? _mm_crc32_u8(state, (unsigned char)*at) : state;
}

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t add_by_instruction(uint32_t state, const char *at, size_t len)
{
    (void)at;
    (void)len;
    return state;
}

static bool has_instruction(void)
{
    return false;
}
#endif

/* Slicing by eight: table k holds the remainder of each octet with k zero octets behind it. A remainder is
 * the sum of those of the octet's single bits, so that eight constants make a table. */
#define BIT(n, bit, remainder) ((n) >> (bit)&1 ? (remainder) : 0U)
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                                     \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^               \
     BIT(n, 6, g) ^ BIT(n, 7, h))
#define ENTRIES_4(n, ...)                                                                                    \
    ENTRY(n, __VA_ARGS__), ENTRY(n + 1, __VA_ARGS__), ENTRY(n + 2, __VA_ARGS__), ENTRY(n + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                                   \
    ENTRIES_4(n, __VA_ARGS__), ENTRIES_4(n + 4, __VA_ARGS__), ENTRIES_4(n + 8, __VA_ARGS__),                 \
        ENTRIES_4(n + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                                   \
    ENTRIES_16(n, __VA_ARGS__), ENTRIES_16(n + 16, __VA_ARGS__), ENTRIES_16(n + 32, __VA_ARGS__),            \
        ENTRIES_16(n + 48, __VA_ARGS__)
#define TABLE(...)                                                                                           \
    {                                                                                                        \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),               \
            ENTRIES_64(192, __VA_ARGS__)                                                                     \
    }

static const uint32_t tables[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

static uint32_t add_by_tables(uint32_t state, const char *at, size_t len)
{
    const unsigned char *octets = (const unsigned char *)at;

    for (; len >= 8; octets += 8, len -= 8)
        state = tables[7][octets[0] ^ (state & 0xff)] ^ tables[6][octets[1] ^ (state >> 8 & 0xff)] ^
                tables[5][octets[2] ^ (state >> 16 & 0xff)] ^ tables[4][octets[3] ^ state >> 24] ^
                tables[3][octets[4]] ^ tables[2][octets[5]] ^ tables[1][octets[6]] ^ tables[0][octets[7]];
    for (; len; octets++, len--)
        state = tables[0][(*octets ^ state) & 0xff] ^ state >> 8;
    return state;
}

uint32_t checksum_add(uint32_t checksum, struct slice s)
{
    if (has_instruction())
        return ~add_by_instruction(~checksum, s.at, s.len);
    return checksum_add_by_tables(checksum, s);
}

uint32_t checksum_add_by_tables(uint32_t checksum, struct slice s)
{
    return ~add_by_tables(~checksum, s.at, s.len);
}
