/* What a check may look at: facts of the session and of the command at hand, all borrowed for the turn. */
#ifndef CORE_FACTS_H
#define CORE_FACTS_H

#include "core/transaction.h"
#include "wire/path.h"

struct facts {
    const struct site *site;
    int64_t unix_ms; /* now */
    const struct address *peer;
    const struct address *forwarder; /* through whom the peer's message comes; NULL: from itself */
    const struct address *local;     /* ours, that the client called */
    struct slice peer_name;          /* confirmed, or empty */
    struct slice pool;        /* whom the client counts as beyond this session, or empty: not established */
    struct slice fingerprint; /* of its TCP, or empty: unknown */
    struct slice as;          /* "64500 64501": the numbers of its autonomous systems, or empty: unknown */
    struct slice country;     /* "NL", or empty: unknown */
    struct slice helo;        /* empty before the first */
    bool ehlo;                /* it came by EHLO */
    bool own;                 /* the client is in our own networks */
    bool trusted;             /* it brings other people's mail: a trusted forwarder or backup MX */
    bool own_list;            /* there are entries that ASK_OWN may find */
    struct slice allowance;   /* the prefix that somebody has allowed for a time, or empty */
    bool known;               /* it has proved itself in earlier sessions */
    bool suspect;             /* neither own nor known, and the sum is at policy.suspect or above */
    bool tls;

    /* from MAIL on */
    struct slice sender; /* empty for the null sender */
    bool smtputf8;
    struct slice auth_domain; /* that SPF has confirmed: the sender's, else that of HELO; or empty */

    /* RCPT */
    const struct path *recipient;   /* as sent */
    struct slice recipient_address; /* local@domain; a bare postmaster has got a domain */
    const struct route *route;      /* of its domain; NULL: not ours */
    bool postmaster;                /* the recipient is postmaster, in whatever case of letters */

    /* the end of the message */
    const struct transaction *transaction;
    const struct header *header;
};

#endif
