#include "watch/pack.h"

void pack_number(struct pack *pack, uint64_t number)
{
    char octets[10];
    size_t len = 0;
    do {
        octets[len++] = (char)(unsigned char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        number >>= 7;
    } while (number);
    pack->fits = pack->fits && buf_add(pack->buf, slice_of(octets, len));
}

void pack_text(struct pack *pack, struct slice text)
{
    pack_number(pack, text.len);
    pack->fits = pack->fits && buf_add(pack->buf, text);
}

uint64_t unpack_number(struct unpack *unpack, uint64_t most)
{
    uint64_t number = 0;
    for (unsigned shift = 0; unpack->good && unpack->rest.len && shift < 64; shift += 7) {
        const unsigned char octet = (unsigned char)unpack->rest.at[0];
        unpack->rest = slice_from(unpack->rest, 1);
        if (shift == 63 && (octet & 0x7e))
            break;
        number |= (uint64_t)(octet & 0x7f) << shift;
        if (octet & 0x80)
            continue;
        if (number > most)
            break;
        return number;
    }
    unpack->good = false;
    return 0;
}

struct slice unpack_text(struct unpack *unpack, size_t most)
{
    const size_t len = (size_t)unpack_number(unpack, most);
    if (!unpack->good || len > unpack->rest.len) {
        unpack->good = false;
        return SLICE_NONE;
    }
    const struct slice text = slice_head(unpack->rest, len);
    unpack->rest = slice_from(unpack->rest, len);
    return text;
}
