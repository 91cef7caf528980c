#include "wire/json.h"

#include <assert.h>
#include <string.h>

/*
 * value  = object / array / string / number / "true" / "false" / "null"      ; RFC 8259
 * string = DQUOTE *( character / escape ) DQUOTE
 *
 * Escaped are what must be (quote, backslash, below U+0020) and DEL, for the sake of terminals.
 */

static uint32_t level_bit(const struct json *json)
{
    return (uint32_t)1 << json->depth;
}

static void add(struct json *json, struct slice text)
{
    json->failed = json->failed || !buf_add(json->buf, text);
}

static void add_octet(struct json *json, char octet)
{
    json->failed = json->failed || !buf_add_octet(json->buf, octet);
}

/* The comma before a member or element. */
static void separate(struct json *json)
{
    if (json->nonempty & level_bit(json))
        add_octet(json, ',');
    json->nonempty |= level_bit(json);
}

static bool in_object(const struct json *json)
{
    return json->depth > 0 && !(json->arrays & level_bit(json));
}

static void before_value(struct json *json)
{
    assert(in_object(json) == json->keyed);
    assert(json->depth > 0 || !(json->nonempty & 1));
    if (!json->keyed)
        separate(json);
    json->keyed = false;
}

void json_begin(struct json *json, struct buf *buf)
{
    *json = (struct json){.buf = buf, .start = buf->len};
}

bool json_end(struct json *json)
{
    assert(json->depth == 0 && (json->nonempty & 1));
    if (json->failed)
        json->buf->len = json->start;
    return !json->failed;
}

static void level_open(struct json *json, bool array)
{
    before_value(json);
    assert(json->depth < JSON_DEPTH_MAX);
    json->depth++;
    json->nonempty &= ~level_bit(json);
    json->arrays = array ? json->arrays | level_bit(json) : json->arrays & ~level_bit(json);
    add_octet(json, array ? '[' : '{');
}

static void level_close(struct json *json, bool array)
{
    assert(json->depth > 0 && !json->keyed && in_object(json) == !array);
    json->depth--;
    add_octet(json, array ? ']' : '}');
}

void json_object_open(struct json *json)
{
    level_open(json, false);
}

void json_object_close(struct json *json)
{
    level_close(json, false);
}

void json_array_open(struct json *json)
{
    level_open(json, true);
}

void json_array_close(struct json *json)
{
    level_close(json, true);
}

static bool add_escape(struct buf *buf, char octet)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt", digits[] = "0123456789abcdef";
    const char *at = octet ? strchr(plain, octet) : NULL;
    if (at)
        return buf_add_octet(buf, '\\') && buf_add_octet(buf, letters[at - plain]);
    return buf_add(buf, SLICE("\\u00")) && buf_add_octet(buf, digits[(unsigned char)octet >> 4]) &&
           buf_add_octet(buf, digits[octet & 15]);
}

/* Octets at the front that may stand as they are. */
static size_t clean_len(struct slice text)
{
    size_t len = 0;
    while (len < text.len) {
        unsigned char octet = (unsigned char)text.at[len];
        if (octet < 0x20 || octet == '"' || octet == '\\' || octet == 0x7f)
            break;
        size_t size = octet < 0x80 ? 1 : slice_utf8_size(slice_from(text, len));
        if (size == 0)
            break;
        len += size;
    }
    return len;
}

static bool add_string(struct buf *buf, struct slice text)
{
    if (!buf_add_octet(buf, '"'))
        return false;
    while (text.len > 0) {
        size_t len = clean_len(text);
        if (!buf_add(buf, slice_head(text, len)))
            return false;
        text = slice_from(text, len);
        if (text.len == 0)
            break;
        bool malformed = (unsigned char)text.at[0] > 127;
        if (!(malformed ? buf_add(buf, SLICE("\xef\xbf\xbd")) : add_escape(buf, text.at[0])))
            return false;
        text = slice_from(text, 1);
    }
    return buf_add_octet(buf, '"');
}

bool json_quote(struct buf *buf, struct slice text)
{
    uint32_t start = buf->len;
    bool added = add_string(buf, text);
    if (!added)
        buf->len = start;
    return added;
}

void json_key_slice(struct json *json, struct slice key)
{
    assert(in_object(json) && !json->keyed);
    separate(json);
    json->failed = json->failed || !add_string(json->buf, key);
    add_octet(json, ':');
    json->keyed = true;
}

void json_key(struct json *json, const char *key)
{
    json_key_slice(json, slice_text(key));
}

void json_text(struct json *json, struct slice text)
{
    before_value(json);
    json->failed = json->failed || !add_string(json->buf, text);
}

void json_u64(struct json *json, uint64_t value)
{
    before_value(json);
    json->failed = json->failed || !buf_add_format(json->buf, "%llu", (unsigned long long)value);
}

void json_i64(struct json *json, int64_t value)
{
    before_value(json);
    json->failed = json->failed || !buf_add_format(json->buf, "%lld", (long long)value);
}

void json_decimal(struct json *json, int64_t value, unsigned decimals)
{
    assert(decimals <= 18);
    uint64_t whole = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    before_value(json);
    if (value < 0)
        add_octet(json, '-');
    json->failed = json->failed || !buf_add_format(json->buf, "%llu", (unsigned long long)(whole / unit));
    if (decimals > 0)
        json->failed = json->failed || !buf_add_format(json->buf, ".%0*llu", (int)decimals,
                                                       (unsigned long long)(whole % unit));
}

void json_bool(struct json *json, bool value)
{
    before_value(json);
    add(json, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json *json)
{
    before_value(json);
    add(json, SLICE("null"));
}

void json_put_text(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

void json_put_i64(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_i64(json, value);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
