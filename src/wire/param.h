/* ESMTP parameters of MAIL and RCPT (RFC 5321 section 4.1.2), and xtext (RFC 3461 section 4). */
#ifndef WIRE_PARAM_H
#define WIRE_PARAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* Slices point into the text. */
struct param {
    struct slice key;   /* as sent; compared without regard to case */
    struct slice value; /* as sent; empty without one */
    bool has_value;     /* there was a `=` */
};

enum param_status {
    PARAM_DONE, /* one parameter */
    PARAM_END,  /* no more */
    PARAM_BAD   /* ret_param->key is the word that is no parameter */
};

/* Takes the next `key[=value]` off the front of *rest. */
enum param_status param_next(struct slice *rest, struct param *ret_param);

enum params_status {
    PARAMS_DONE,
    PARAMS_SYNTAX,    /* a word that is no `key[=value]` */
    PARAMS_UNKNOWN,   /* a key that this command does not have: 555 5.5.4 */
    PARAMS_DUPLICATE, /* a key twice */
    PARAMS_VALUE      /* a value that the key does not take, or none where it wants one */
};

enum body_kind { BODY_NONE, BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
enum ret_kind { RET_NONE, RET_FULL, RET_HDRS };

#define ENVID_SIZE_MAX 100 /* RFC 3461 section 4.4, octets as sent */
#define ORCPT_SIZE_MAX 500 /* section 4.2 */

/* Whether an extension was offered is the session's to judge: what was given shows here. */
struct mail_params {
    uint64_t size; /* SIZE (RFC 1870); numbers past 64 bits become UINT64_MAX */
    bool has_size;
    bool smtputf8;       /* SMTPUTF8 (RFC 6531) */
    enum body_kind body; /* BODY (RFC 6152, 3030) */
    enum ret_kind ret;   /* RET (RFC 3461) */
    struct slice envid;  /* ENVID as sent, valid xtext; points into the text */
};

#define NOTIFY_NEVER   1u /* stands alone */
#define NOTIFY_SUCCESS 2u
#define NOTIFY_FAILURE 4u
#define NOTIFY_DELAY   8u

struct rcpt_params {
    unsigned notify;          /* NOTIFY_… bits; 0: not given */
    struct slice orcpt_type;  /* "rfc822", "utf-8", as sent; empty: not given */
    struct slice orcpt;       /* what follows the `;` as sent, valid xtext (utf-8: RFC 6533); into the text */
    struct slice orcpt_whole; /* type, `;` and address: to be passed on as it came */
};

/* The parameters behind the path. ret_culprit (not NULL) is the key, or the word, that is wrong. On anything
 * but PARAMS_DONE the results hold what was read so far. */
enum params_status mail_params_parse(struct slice text, struct mail_params *ret_params,
                                     struct slice *ret_culprit);
enum params_status rcpt_params_parse(struct slice text, struct rcpt_params *ret_params,
                                     struct slice *ret_culprit);

struct slice body_kind_name(enum body_kind body); /* "7BIT", …; empty for BODY_NONE */

/* xtext: printable ASCII but `+` and `=`; other octets as +XX. */
bool xtext_check(struct slice text);
/* False: no xtext. The result points into the text where nothing was encoded, else into the arena. */
bool xtext_decode(struct slice text, struct arena *arena, struct slice *ret_plain);
/* False: the buf's maximum; nothing was added then. */
bool xtext_encode(struct buf *buf, struct slice plain);

#endif
