/* What a write makes of what stands under its key: one rule for all classes and for the overlay.
 *
 * The record of a counter is its count; that of touches is first, last, count and then a digest for each
 * thing told apart. All are numbers of eight octets, little-endian. */
#include "base/text.h"
#include "io/store_class.h"

#include <assert.h>
#include <openssl/sha.h>

#define NUMBER_SIZE 8
#define TOUCHES_MIN (3 * NUMBER_SIZE)

struct touches {
    uint64_t first, last, count;
    uint64_t digests[STORE_DISTINCT_MAX];
    unsigned distinct;
};

static uint64_t number_get(const char *at)
{
    uint64_t value = 0;
    for (unsigned i = NUMBER_SIZE; i--;)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static void number_put(char *at, uint64_t value)
{
    for (unsigned i = 0; i < NUMBER_SIZE; i++, value >>= 8)
        at[i] = (char)(value & 0xff);
}

static bool touches_read(const struct store_entry *entry, struct touches *ret)
{
    struct slice record = entry->value;
    if (entry->kind != STORE_KIND_TOUCHES || record.len < TOUCHES_MIN || record.len > STORE_RECORD_MAX)
        return false;
    ret->first = number_get(record.at);
    ret->last = number_get(record.at + NUMBER_SIZE);
    ret->count = number_get(record.at + 2 * NUMBER_SIZE);
    ret->distinct = (unsigned)((record.len - TOUCHES_MIN) / NUMBER_SIZE);
    for (unsigned i = 0; i < ret->distinct; i++)
        ret->digests[i] = number_get(record.at + TOUCHES_MIN + (size_t)i * NUMBER_SIZE);
    return true;
}

static size_t touches_write(const struct touches *touches, char room[STORE_RECORD_MAX])
{
    number_put(room, touches->first);
    number_put(room + NUMBER_SIZE, touches->last);
    number_put(room + 2 * NUMBER_SIZE, touches->count);
    for (unsigned i = 0; i < touches->distinct; i++)
        number_put(room + TOUCHES_MIN + (size_t)i * NUMBER_SIZE, touches->digests[i]);
    return TOUCHES_MIN + (size_t)touches->distinct * NUMBER_SIZE;
}

/* Strangers choose what is told apart: a hash for which equal ones can be made at will would let them stay
 * few. */
static uint64_t digest_of(struct slice value)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)value.at, value.len, digest);
    return number_get((const char *)digest);
}

static void tell_apart(struct touches *touches, struct slice value)
{
    if (!value.len || touches->distinct == STORE_DISTINCT_MAX)
        return;
    uint64_t digest = digest_of(value);
    for (unsigned i = 0; i < touches->distinct; i++)
        if (touches->digests[i] == digest)
            return;
    touches->digests[touches->distinct++] = digest;
}

static size_t touch(const struct store_entry *before, const struct store_write *write,
                    char room[STORE_RECORD_MAX])
{
    struct touches touches;
    uint64_t at = (uint64_t)write->at_unix_ms;
    if (!before || !touches_read(before, &touches))
        touches = (struct touches){.first = at, .last = at};
    touches.first = at < touches.first ? at : touches.first;
    touches.last = at > touches.last ? at : touches.last;
    touches.count += touches.count < UINT64_MAX;
    tell_apart(&touches, write->value);
    return touches_write(&touches, room);
}

static size_t add(const struct store_entry *before, const struct store_write *write,
                  char room[STORE_RECORD_MAX])
{
    uint64_t count = 0, more = 0;
    if (before)
        store_entry_count(before, &count);
    bool sane = text_parse_u64(write->value, &more);
    assert(sane);
    (void)sane;
    number_put(room, more > UINT64_MAX - count ? UINT64_MAX : count + more);
    return NUMBER_SIZE;
}

static int64_t later(int64_t a, int64_t b)
{
    return !a || !b ? 0 : a > b ? a : b;
}

void store_entry_fold(const struct store_entry *before, const struct store_write *write,
                      char room[STORE_RECORD_MAX], struct store_entry *ret_after)
{
    enum store_kind kind = write->verb == STORE_ADD ? STORE_KIND_COUNT : STORE_KIND_TOUCHES;
    if (write->verb == STORE_PUT) {
        *ret_after = (struct store_entry){STORE_KIND_VALUE, write->expires_unix_ms, write->value};
        return;
    }
    assert(write->verb == STORE_ADD || write->verb == STORE_SEEN);
    if (before && (before->kind != kind || store_is_over(before->expires_unix_ms, write->at_unix_ms)))
        before = NULL;
    int64_t expires = before ? later(before->expires_unix_ms, write->expires_unix_ms)
                             : write->expires_unix_ms;
    size_t len = kind == STORE_KIND_COUNT ? add(before, write, room) : touch(before, write, room);
    *ret_after = (struct store_entry){kind, expires, slice_of(room, len)};
}

bool store_entry_count(const struct store_entry *entry, uint64_t *ret_count)
{
    if (entry->kind != STORE_KIND_COUNT || entry->value.len != NUMBER_SIZE)
        return false;
    *ret_count = number_get(entry->value.at);
    return true;
}

bool store_entry_touches(const struct store_entry *entry, struct store_touches *ret_touches)
{
    struct touches touches;
    if (!touches_read(entry, &touches))
        return false;
    *ret_touches = (struct store_touches){(int64_t)touches.first, (int64_t)touches.last, touches.count,
                                          touches.distinct};
    return true;
}
