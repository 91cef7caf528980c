/* Numbers and units from text, and back; ASCII only, no locale. Parsers take the whole slice or fail. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"
#include "base/slice.h"

bool text_parse_u64(struct slice text, uint64_t *ret_value); /* decimal, no sign, overflow fails */
bool text_parse_i64(struct slice text, int64_t *ret_value);
bool text_parse_hex(struct slice text, uint64_t *ret_value);
/* "250ms", "30s", "10m", "2h", "7d", "4w", "0"; also "1h30m", the larger unit first. Milliseconds. A number
 * without unit fails but for 0. */
bool text_parse_duration(struct slice text, uint64_t *ret_ms);
/* "512", "64KiB", "25MiB", "1GiB", "10kB" (1000), "5MB"; units to TiB and TB. Octets. */
bool text_parse_size(struct slice text, uint64_t *ret_octets);
bool text_parse_bool(struct slice text, bool *ret_value); /* yes no on off true false */

#define TEXT_UNIT_SIZE 32
/* Both print what reads back equal: a duration in one unit or in all that it fills, a size in one unit or
 * none, whichever is shorter. */
size_t text_print_duration(uint64_t ms, char text[TEXT_UNIT_SIZE]);
size_t text_print_size(uint64_t octets, char text[TEXT_UNIT_SIZE]);
size_t text_print_u64(uint64_t value, char text[TEXT_UNIT_SIZE]);

/* ASCII alone, whatever the locale. */
static inline char text_lower(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet | 0x20) : octet;
}

static inline bool text_is_alpha(char octet)
{
    return (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z';
}

static inline bool text_is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

static inline bool text_is_alnum(char octet)
{
    return text_is_alpha(octet) || text_is_digit(octet);
}

int text_hex_digit(char octet); /* 0..15 or -1 */

/* The number of single-octet edits between two words without regard to case, cut at `most` + 1: for "did you
 * mean". Words over 64 octets count as `most` + 1. */
unsigned text_distance(struct slice a, struct slice b, unsigned most);

/* Whether the whole text is like the pattern, in which * stands for any octets, or none. */
bool text_match(struct slice pattern, struct slice text);

/* Adds s to buf with everything that is not printable ASCII as \xHH, \r, \n, \t, and a backslash doubled.
 * UTF-8 that is well-formed stays when `keep_utf8`, but for controls that steer a terminal or turn text
 * round. False when the buf's maximum stops it; nothing was added then. */
bool text_escape(struct buf *buf, struct slice s, bool keep_utf8);

#endif
