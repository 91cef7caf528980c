/* A message of an archive, taken back to the session in which it came: who brought it, as what, and the
 * content as it was then.
 *
 * Its Received fields tell. Those of our own hosts stand above: the first one below them, whose client is
 * neither in the site's own networks nor among its trusted forwarders, nor at an address that only we know,
 * is that session. What our hosts have added since is taken out again: the fields above, and a Message-ID or
 * a Date that bears their mark. */
#ifndef CLI_ARCHIVE_H
#define CLI_ARCHIVE_H

#include "base/arena.h"
#include "core/site.h"

enum archive_status {
    ARCHIVE_DONE,
    ARCHIVE_NO_MESSAGE, /* it has no header */
    ARCHIVE_NO_CLIENT,  /* no Received field tells of a client from outside */
    ARCHIVE_NO_SENDER,  /* there is neither Return-Path nor a line in front */
    ARCHIVE_STATUS_COUNT
};

const char *archive_word(enum archive_status status);

struct archived {
    struct address client;
    struct slice name; /* that the address pointed to, in lower case; empty: none, where looked_up */
    bool looked_up;    /* the record tells whether there was one */
    bool forged;       /* it did not lead back */
    bool esmtp;        /* EHLO, not HELO */
    struct slice helo;
    struct slice sender;    /* empty: the null sender */
    struct slice recipient; /* empty: not told */
    int64_t unix_seconds;   /* when it came; 0: not told */
    struct slice content;   /* with the line ends of the archive */
};

/* `front` is the sender of an mbox's line in front, or empty. The result lives as long as the arena and the
 * message. */
enum archive_status archive_read(const struct site *site, struct slice message, struct slice front,
                                 struct arena *arena, struct archived *ret_archived);

#endif
