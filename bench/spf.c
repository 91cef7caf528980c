/* What one SPF evaluation costs when all its answers are there: the parsing and matching alone, as it is done
 * again after each answer.
 *
 * usage: bench-spf [EVALUATIONS] */
#include "base/memory.h"
#include "checks/spf.h"
#include "core/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#define IP4_16(n)                                                                                            \
    "ip4:198.51.100." n "0 ip4:198.51.100." n "1 ip4:198.51.100." n "2 ip4:198.51.100." n                    \
    "3 ip4:203.0.113.0/25 ip4:203.0.113.128/26 ip4:203.0.113.192/27 ip4:203.0.113.224/28 "                   \
    "ip6:2001:db8:1::/48 ip6:2001:db8:2::/48 ip6:2001:db8:3::/48 ip4:198.51.100." n "4 ip4:198.51.100." n    \
    "5 ip4:198.51.100." n "6 ip4:198.51.100." n "7 ip4:198.51.100." n "8 "

/* Name, record: the last of a group is asked for. */
static const struct {
    const char *name, *record;
} zone[] = {
    {"short.example", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"b1.example", "v=spf1 " IP4_16("1") "~all"},
    {"b2.example", "v=spf1 " IP4_16("2") "~all"},
    {"b3.example", "v=spf1 " IP4_16("3") "ip4:192.0.2.0/24 ~all"},
    {"big.example", "v=spf1 redirect=big2.example"},
    {"big2.example", "v=spf1 include:b1.example include:b2.example include:b3.example ~all"},
    {"macro.example", "v=spf1 exists:%{ir}.%{v}.%{l1r+-}.lp._spf.%{d2} a:%{h} mx mx:m.example -all"},
    {"most.example", "v=spf1 a a:a1.example a:a2.example mx mx:m.example ptr exists:%{i}.x.example "
                     "include:b1.example include:b2.example include:b3.example -all"},
};

static struct slice answer_value(enum ask_kind kind, struct slice key, struct arena *arena)
{
    if (kind == ASK_MX)
        return SLICE("10 mx1.example 20 mx2.example 30 mx3.example");
    if (kind == ASK_POINTER)
        return SLICE("host.far.example");
    if (kind != ASK_TXT)
        return SLICE("198.51.100.200 198.51.100.201");
    for (size_t i = 0; i < sizeof zone / sizeof *zone; i++)
        if (slice_equal(key, slice_text(zone[i].name)))
            return arena_format(arena, "22:some-verification=1234,%zu:%s,", strlen(zone[i].record),
                                zone[i].record);
    return SLICE("");
}

static void answers_fill(struct session *session)
{
    for (struct ask *ask = session->asks; ask; ask = ask->next) {
        ask->status = ask->kind == ASK_ADDRESS4 && slice_starts(ask->key, SLICE("3.2.0.192.")) ? ANSWER_NONE
                                                                                               : ANSWER_FOUND;
        ask->value = answer_value(ask->kind, ask->key, &session->stage);
    }
}

static void measure(struct step *step, const char *domain, uint64_t count)
{
    struct address address;
    struct spf_verdict verdict;
    struct turn turn;
    uint64_t questions = 0;
    address_parse(SLICE("192.0.2.3"), &address);
    struct spf_query query = {.local = SLICE("strong-bad+list"),
                              .domain = slice_text(domain),
                              .helo = SLICE("mail.example.com"),
                              .receiver = SLICE("mx.example.org"),
                              .address = &address};
    turn_init(&turn, step);
    while (spf_evaluate(&turn, &query, &verdict) == CHECK_WAIT)
        answers_fill(step->session);
    for (const struct ask *ask = step->session->asks; ask; ask = ask->next)
        questions++;
    uint64_t started = nanoseconds();
    for (uint64_t i = 0; i < count; i++)
        (void)spf_evaluate(&turn, &query, &verdict);
    uint64_t took = nanoseconds() - started;
    turn_done(&turn);
    printf("%-14s %-9s %2" PRIu64 " answers  %6.2f us\n", domain, spf_result_word(verdict.result), questions,
           (double)took / (double)count / 1000);
}

int main(int argc, char **argv)
{
    static const char *const domains[] = {"short.example", "big.example", "macro.example", "most.example"};
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    struct session_world world = {.site = site_new()};
    struct input input = {.kind = INPUT_ANSWER};
    static struct outbox outbox;
    outbox_init(&outbox);
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        struct session *session = session_init(memory_take(session_size()), &world, 1, SLICE_NONE);
        struct step step = {session, &input, &outbox};
        measure(&step, domains[i], count);
        outbox_clear(&outbox);
        session_done(session);
        memory_give(session, session_size());
    }
    outbox_done(&outbox);
    site_free((struct site *)(uintptr_t)world.site);
    return 0;
}
