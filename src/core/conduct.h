/* How a client behaves, beyond the words it says, and what is held back from it for that.
 *
 * hold.c waits; banner.c greets late and sees who speaks first; overlap.c judges pipelining; foreign.c meets
 * other protocols, tunnel.c reads on what an HTTP request carries; ehlo.c refuses EHLO and remembers who got
 * on with it; slow.c is the tarpit. */
#ifndef CORE_CONDUCT_H
#define CORE_CONDUCT_H

#include "base/slice.h"
#include "core/finding.h"
#include "wire/command.h"

struct session;
struct step;
struct turn;
struct http;
struct drip;

/* What the session waits for by itself: nothing is consumed meanwhile, but what comes is seen. */
enum hold {
    HOLD_NOTHING,
    HOLD_BANNER, /* the time before the banner, or before what the teaser has left of it */
    HOLD_NAMING, /* further octets of a protocol that is not SMTP */
    HOLD_REPLY   /* the next octet of a reply */
};

/* What most sessions never need. In the session's life arena, made with its first use. */
struct conduct {
    uint64_t due_ms;         /* of the hold, or of the tunnel's end */
    struct slice first_name; /* of the first HELO or EHLO, a refused one counts */
    struct http *http;       /* the request that came instead of SMTP */
    struct drip *drip;       /* the reply that goes out octet by octet */
    uint16_t delays;         /* negative replies that were held back */
    uint16_t fields;         /* header fields that came as commands */
    uint8_t hold;            /* enum hold */
    bool teased;             /* the banner's first line is out */
    bool early;              /* octets came before the banner */
    bool foreign;            /* another protocol was met */
    bool name_now;           /* no further octets are waited for */
    bool refused;            /* EHLO */
    bool slow;
};

struct conduct *conduct_of(struct session *session);
void conduct_free(struct session *session);
/* It was the front's: the client behind is unknown by it. */
void fingerprint_forget(struct session *session);
/* Neither our own network, nor known. */
bool conduct_is_strange(const struct session *session);
/* A stranger whose weights sum to policy.suspect. */
bool conduct_is_suspect(const struct session *session);
/* Whether the gate may put the client to the test: hold back, refuse EHLO, slow down. */
bool conduct_tests(const struct session *session);
enum mode conduct_mode(const struct session *session, enum finding finding);
/* Whether the finding alone ends the session. */
bool conduct_drops(const struct session *session, enum finding finding);
/* What ends with the session: what HTTP carried, whether HELO came after EHLO was refused. */
void conduct_close(struct step *step, bool politely);

/* --- hold.c */
void hold_begin(struct step *step, enum hold hold, uint64_t due_ms);
void hold_end(struct step *step);
/* When time has to be told of; UINT64_MAX: no hold. */
uint64_t hold_deadline(const struct session *session);
/* The time has come. */
void hold_due(struct step *step);
/* Octets come meanwhile. Returns how many are consumed: none, unless they end the hold. */
size_t hold_look(struct step *step, struct slice octets);

/* --- banner.c */
void banner_begin(struct step *step);
void banner_end(struct step *step);
/* Octets before the banner. As hold_look. */
size_t banner_early(struct step *step, struct slice octets);

/* --- overlap.c */
/* Before a command is run: has the client sent more than it may before the reply? False: that was refused. */
bool overlap_judge(struct turn *turn);
/* What comes behind the end of a message, before its reply: nothing is refused for that. */
void overlap_note(struct step *step, struct slice behind);
/* Octets while the reply to the last command still goes out. */
void overlap_look(struct step *step);

/* --- foreign.c */
enum foreign_result {
    FOREIGN_IS_NOT, /* go on */
    FOREIGN_WAITS,  /* perhaps: more octets are needed */
    FOREIGN_TAKEN   /* it was, and the session has ended or collects what comes */
};
/* The first octets of a connection. */
enum foreign_result foreign_meet(struct step *step, struct slice octets);
/* An unknown command's line. False: the session has ended or collects what comes. */
bool foreign_line(struct turn *turn);

/* --- tunnel.c */
void tunnel_begin(struct step *step);
size_t tunnel_take(struct step *step, struct slice octets);
/* The collecting is over: nothing more comes, or enough has. */
void tunnel_end(struct step *step, bool client_gone);
/* In a session that goes on for all that: one more line of it, with its end. */
void tunnel_line(struct step *step, struct slice line);
/* Reports what was carried, if any, once. */
void tunnel_report(struct step *step);

/* --- ehlo.c */
/* False: EHLO was refused, and that was said. */
bool ehlo_accept(struct turn *turn);
/* Remembers the first name, and finds when another one is given. */
void ehlo_compare(struct turn *turn);
void ehlo_close(struct step *step, bool politely);

/* --- slow.c */
/* Whether the client is one whose replies go out slowly. */
bool slow_is_meant(const struct session *session);
/* At the end of a step: what was said from `start` on goes out slowly, where the client deserves it. */
void slow_take(struct step *step, size_t start);
void slow_next(struct step *step);
/* Whether the time at hand is that of a reply's next octet. */
bool slow_drips(const struct session *session);
/* The rest goes out at once. */
void slow_flush(struct step *step);

#endif
