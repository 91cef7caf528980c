#include "wire/body_text.h"

#include "base/text.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 29;
}

void body_text_add(struct body_text *text, struct slice octets)
{
    octets = slice_head(octets, BODY_TEXT_MAX - text->seen);
    for (size_t i = 0; i < octets.len; i++) {
        const unsigned char octet = (unsigned char)octets.at[i];
        if (!text_is_alpha((char)octet) && octet < 128)
            continue;
        text->word = text->word << 8 | (octet < 128 ? octet | 0x20u : octet);
        if (++text->letters % 8 == 0)
            text->hash = mix(text->hash, text->word);
    }
    text->seen += (uint32_t)octets.len;
}

uint64_t body_text_digest(const struct body_text *text)
{
    if (text->letters < BODY_TEXT_LEAST)
        return 0;
    const uint64_t rest = text->letters % 8 ? text->word & ((UINT64_C(1) << (text->letters % 8 * 8)) - 1) : 0;
    const uint64_t hash = mix(mix(text->hash, rest), text->letters);
    return hash ? hash : 1;
}
