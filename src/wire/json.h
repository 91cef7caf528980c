/* Writing JSON (RFC 8259) into a buf. Commas, quotes and escapes are seen to; malformed UTF-8 becomes U+FFFD.
 *
 * A writer never fails halfway unseen: once the buf's maximum stops it, everything later is dropped and
 * json_end says so. Names and values out of order are our own mistake: assert. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/buf.h"
#include "base/slice.h"

#define JSON_DEPTH_MAX 30

struct json {
    struct buf *buf;
    uint32_t start;    /* where in buf it began */
    uint32_t arrays;   /* a bit for each open level that is an array */
    uint32_t nonempty; /* a bit for each open level that has something in it */
    uint8_t depth;
    bool keyed;  /* a name was written, its value is wanted */
    bool failed; /* the maximum was reached */
};

void json_begin(struct json *json, struct buf *buf);
/* True: all was written, and all that was opened was closed. False: the buf is as at json_begin. */
bool json_end(struct json *json);

void json_object_open(struct json *json);
void json_object_close(struct json *json);
void json_array_open(struct json *json);
void json_array_close(struct json *json);
void json_key(struct json *json, const char *key); /* within an object, before each value */
void json_key_slice(struct json *json, struct slice key);

void json_text(struct json *json, struct slice text);
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
/* value / 10^decimals, exact: json_decimal(j, 6350, 2) is 63.50. */
void json_decimal(struct json *json, int64_t value, unsigned decimals);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* Name and value at once, within an object. */
void json_put_text(struct json *json, const char *key, struct slice text);
void json_put_u64(struct json *json, const char *key, uint64_t value);
void json_put_i64(struct json *json, const char *key, int64_t value);
void json_put_bool(struct json *json, const char *key, bool value);

/* Adds text as a JSON string, quotes included: for those that need no more than this. */
bool json_quote(struct buf *buf, struct slice text);

#endif
