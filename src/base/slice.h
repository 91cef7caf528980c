/* A slice is a borrowed run of octets: a pointer and a length, passed by value.
 *
 * A slice owns nothing. A slice argument is borrowed for the call; whoever returns a slice says in a
 * comment which memory it points into. The octets are not terminated and may hold NUL. An empty slice may
 * have a NULL pointer. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at;
    size_t len;
};

/* A slice of a string literal, and its printf arguments for "%.*s". */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})
#define SLICE_ARGS(s)  (int)(s).len, ((s).at ? (s).at : "")

static inline struct slice slice_of(const char *at, size_t len)
{
    return (struct slice){at, len};
}

/* text is terminated; NULL gives an empty slice */
static inline struct slice slice_text(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool slice_equal_fold(struct slice a, struct slice b); /* ASCII letters without regard to case */
int slice_compare(struct slice a, struct slice b);     /* as memcmp, the shorter first */
static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

bool slice_starts_fold(struct slice s, struct slice prefix);
bool slice_ends_fold(struct slice s, struct slice suffix);

#define SLICE_NOT_FOUND ((size_t)-1)
/* index or SLICE_NOT_FOUND */
static inline size_t slice_find(struct slice s, char octet)
{
    const char *found = s.len ? (const char *)memchr(s.at, octet, s.len) : NULL;

    return found ? (size_t)(found - s.at) : SLICE_NOT_FOUND;
}

size_t slice_find_last(struct slice s, char octet); /* index or SLICE_NOT_FOUND */
size_t slice_find_slice(struct slice s, struct slice part);

/* Parts; never past the end: n is cut to the length. */
/* the first n octets */
static inline struct slice slice_head(struct slice s, size_t n)
{
    return slice_of(s.at, n < s.len ? n : s.len);
}

/* all but the first n */
static inline struct slice slice_from(struct slice s, size_t n)
{
    if (n > s.len)
        n = s.len;
    return n ? slice_of(s.at + n, s.len - n) : s;
}

struct slice slice_trim(struct slice s); /* without SP and HT at both ends */

/* Takes the part before the first `octet` off the front of *s, and the octet with it. Without one the
 * whole rest is taken. Returns false when *s is empty already. */
bool slice_cut(struct slice *s, char octet, struct slice *ret_part);

/* Next run of octets other than SP and HT; false when none is left. */
bool slice_word(struct slice *s, struct slice *ret_word);

/* Whether each octet is printable ASCII (0x20 to 0x7e). */
bool slice_is_printable(struct slice s);
/* Whether the whole is well-formed UTF-8 (RFC 3629) without NUL. */
bool slice_is_utf8(struct slice s);
/* Octets of the UTF-8 sequence that s begins with: 1 to 4, or 0 where it is not well-formed or s is empty. */
size_t slice_utf8_size(struct slice s);

/* FNV-1a, for tables whose keys no stranger chooses; `seed` perturbs it. For keys that strangers choose the
 * seed must be secret and random. */
uint64_t slice_hash(struct slice s, uint64_t seed);
uint64_t slice_hash_fold(struct slice s, uint64_t seed); /* ASCII letters as lower case */

#endif
