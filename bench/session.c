/* What one lock-step session costs the pure machine, journal records included, without any system call:
 * connect, EHLO, MAIL, RCPT (refused), QUIT.
 *
 * usage: bench-session [SESSIONS] */
#include "base/memory.h"
#include "checks/list.h"
#include "core/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t events, octets;

/* Each question is answered at once: there is no such thing. */
static void step(struct session *session, struct input *input, struct outbox *outbox)
{
    uint32_t asked[OUTBOX_ACTIONS];
    size_t count = 0;
    outbox_clear(outbox);
    session_step(session, input, outbox);
    events += outbox->events.len;
    octets += outbox->send.len;
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->actions[i].kind == OUTBOX_ASK)
            asked[count++] = outbox->actions[i].number;
    for (size_t i = 0; i < count; i++) {
        struct input answer = {.kind = INPUT_ANSWER, .now_ms = input->now_ms, .unix_us = input->unix_us};
        answer.answer = (struct answer){.number = asked[i], .status = ANSWER_NONE};
        step(session, &answer, outbox);
    }
}

static void run(const struct session_world *world, void *memory, struct outbox *outbox, uint64_t id)
{
    static const char *const lines[] = {"EHLO client.example\r\n", "MAIL FROM:<a@client.example>\r\n",
                                        "RCPT TO:<b1@example.net>\r\n", "QUIT\r\n"};
    char room[128];
    struct session *session = session_init(memory, world, id, slice_of(room, sizeof room));
    struct input input = {.kind = INPUT_OPENED, .now_ms = 1000, .unix_us = 1700000000000000};
    input.opened = (struct opened){.slots_used = 1, .host_used = 1, .carried = CARRY_ALL};
    address_parse(SLICE("192.0.2.7"), &input.opened.peer);
    step(session, &input, outbox);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        input.kind = INPUT_BYTES;
        input.bytes = slice_text(lines[i]);
        step(session, &input, outbox);
    }
    session_done(session);
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    struct site *site = site_new();
    static struct outbox outbox;
    static const struct slice domain = {"example.net", 11};
    static struct route route = {.name = {"example.net", 11}, .kind = ROUTE_MAILDIR};
    site->routes = &route;
    site->route_count = 1;
    site->set.host_name = SLICE("mx.example");
    site->set.banner_delay = 0; /* nobody lets the time pass here */
    site_add_domain(site, &route, domain);
    struct session_world world = {.site = site};
    session_world_checks(&world, check_list);
    outbox_init(&outbox);
    void *memory = memory_take(session_size());
    uint64_t start = nanoseconds();
    for (uint64_t i = 0; i < count; i++) {
        __builtin_memset(memory, 0, session_size());
        run(&world, memory, &outbox, i);
    }
    uint64_t took = nanoseconds() - start;
    printf("{\"sessions\": %" PRIu64 ", \"ns_per_session\": %" PRIu64
           ", \"journal_octets_per_session\": %" PRIu64 ", \"sent_octets_per_session\": %" PRIu64 "}\n",
           count, took / count, events / count, octets / count);
    memory_give(memory, session_size());
    outbox_done(&outbox);
    site_free(site);
    return 0;
}
