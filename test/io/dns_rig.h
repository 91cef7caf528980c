/* A loop, a name server for a zone of the test's own, and a resolver that asks it; and what a question heard.
 */
#ifndef DNS_RIG_H
#define DNS_RIG_H

#include "io/resolver.h"
#include "unit.h"

#include "dns_server.h"

struct dns_rig {
    struct loop *loop;
    struct dns_server server;
    struct resolver *resolver;
};

static inline void dns_rig_open(struct dns_rig *rig, dns_zone *zone)
{
    struct error error;
    rig->loop = loop_open(&error);
    server_open(&rig->server, rig->loop, zone);
    const struct resolver_settings settings = {.loop = rig->loop,
                                               .servers = slice_text(rig->server.address),
                                               .deadline_ms = 400,
                                               .cache_octets = 100000};
    rig->resolver = resolver_open(&settings, &error);
    assert_non_null(rig->resolver);
}

static inline void dns_rig_close(struct dns_rig *rig)
{
    resolver_close(rig->resolver);
    server_close(&rig->server);
    loop_close(rig->loop);
}

/* Turns of the loop until the condition holds: half a minute at most. */
#define turns_until(loop, condition)                                                                         \
    do {                                                                                                     \
        const uint64_t turns_end_ms = loop_now_ms(loop) + 30000;                                             \
        while (!(condition)) {                                                                               \
            assert_true(loop_now_ms(loop) < turns_end_ms);                                                   \
            loop_turn(loop, 100);                                                                            \
        }                                                                                                    \
    } while (0)

struct heard {
    unsigned told; /* how often */
    enum answer_status status;
    bool gone;
    char value[1200];
};

static inline void heard_keep(struct heard *heard, const struct resolver_answer *answer)
{
    heard->told++;
    heard->status = answer->status;
    heard->gone = answer->gone;
    snprintf(heard->value, sizeof heard->value, "%.*s", SLICE_ARGS(answer->value));
}

/* A TXT record of one string. Returns how many it put: 1. */
static inline int put_text(struct buf *records, const char *text)
{
    char data[257];
    const int len = snprintf(data, sizeof data, "%c%s", (char)strlen(text), text);
    dns_put_record(records, NULL, DNS_TXT, 0, slice_of(data, (size_t)len));
    return 1;
}

#endif
