/*
 * bench-bots - many short sessions of many kinds from many addresses, beside good clients
 *
 *   bench-bots -p PORT [options] [-g SCRIPT] [SCRIPT ...]
 *
 *   -a ADDRESS   of the server (127.0.0.1)
 *   -p PORT
 *   -N BOTS      in all, of the scripts in turn (0)
 *   -r RATE      bots that begin in a second (1000)
 *   -g SCRIPT    what each good client says, again and again
 *   -n CLIENTS   good ones, at once (50)
 *   -i MS        a good client's pause between two sessions (100)
 *   -t SECONDS   how long the good ones go on (as long as bots begin)
 *   -T SECONDS   after which a session that says and hears nothing is given up (300)
 *
 * Scripts are as bench/bots/README has them. Bot number n of kind k (both from 0) comes from
 * 127.(16 + k).(n / 200).(1 + n % 200), good client n from 127.2.0.(1 + n). The result is one JSON object:
 * for the good ones how long sessions and replies took (a reply from the end of what was sent to its last
 * octet, the banner left out), for each kind of bot how its sessions ended. Ends when all bots have.
 */
#include "bot.h"
#include "histogram.h"
#include "reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, KINDS_MAX = 64, SWEEP_US = 500 * 1000, SAMPLE_SIZE = 160, A_NETWORK = 200 };

/* How a session came to its end. */
enum ending { ENDED_DONE, ENDED_CLOSED, ENDED_ODD, ENDED_LATE, ENDED_BROKEN, ENDED_COUNT };
static const char *const ENDINGS[ENDED_COUNT] = {
    "done",   /* the script was said to its end */
    "closed", /* the gate closed before that */
    "odd",    /* the gate said something else than the script expects */
    "late",   /* it said nothing for too long */
    "broken"  /* no connection, or it was reset */
};

struct kind {
    struct bot bot;
    unsigned begun;
    uint64_t ended[ENDED_COUNT];
    struct histogram session_us, reply_us;
    char sample[SAMPLE_SIZE]; /* of what was odd */
};

struct client {
    struct kind *kind;
    int fd; /* -1: none */
    unsigned number, at;
    bool good, greeted, open;
    struct reply reply;
    uint64_t begun_us, asked_us, active_us;
};

struct plan {
    struct sockaddr_in server;
    unsigned bots, rate, good, pause_ms;
    uint64_t run_us, late_us;
};

struct field {
    struct plan plan;
    struct kind kinds[KINDS_MAX]; /* of bots; the last one is the good clients' */
    unsigned kind_count;
    struct client *clients; /* the good ones first */
    unsigned bots_begun, live;
    int epoll;
    uint64_t start_us, now_us;
};

static struct kind *good_kind(struct field *f)
{
    return &f->kinds[KINDS_MAX - 1];
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t time_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- one session --------------------------------------------------------------------------------------- */

static void client_end(struct field *f, struct client *c, enum ending ending)
{
    struct kind *kind = c->kind;
    kind->ended[ending]++;
    histogram_add(&kind->session_us, f->now_us - c->begun_us);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->open = false;
    c->active_us = f->now_us;
    f->live--;
}

static void sample_keep(struct kind *kind, const char *data, size_t size)
{
    if (*kind->sample)
        return;
    for (size_t i = 0; i < size && i + 1 < SAMPLE_SIZE; i++)
        kind->sample[i] = data[i] >= ' ' && data[i] < 0x7f && data[i] != '"' && data[i] != '\\' ? data[i]
                                                                                                : '~';
}

/* Says what is to be said until something has to come. */
static void client_go_on(struct field *f, struct client *c)
{
    const struct bot *bot = &c->kind->bot;
    char room[BOT_TEXT_MAX];
    for (; c->at < bot->count; c->at++) {
        const struct bot_step *step = &bot->steps[c->at];
        if (step->what != BOT_SEND)
            return;
        size_t len = bot_say(step, c->number, room);
        if (send(c->fd, room, len, MSG_NOSIGNAL) != (ssize_t)len) {
            client_end(f, c, errno == EPIPE || errno == ECONNRESET ? ENDED_CLOSED : ENDED_BROKEN);
            return;
        }
        c->asked_us = c->active_us = f->now_us;
    }
    client_end(f, c, ENDED_DONE);
}

static bool is_expected(const struct bot_step *step, unsigned code)
{
    char digits[8];
    snprintf(digits, sizeof digits, "%u", code);
    return !strncmp(digits, step->text, step->len);
}

static void reply_came(struct field *f, struct client *c, const char *data, size_t size)
{
    const struct bot_step *step = &c->kind->bot.steps[c->at];
    unsigned code = c->reply.first;
    c->reply = (struct reply){0};
    if (step->what != BOT_EXPECT)
        return; /* it does not listen any more */
    if (!is_expected(step, code)) {
        sample_keep(c->kind, data, size);
        client_end(f, c, ENDED_ODD);
        return;
    }
    if (c->greeted && c->asked_us)
        histogram_add(&c->kind->reply_us, f->now_us - c->asked_us);
    c->greeted = true;
    c->at++;
    client_go_on(f, c);
}

static void client_take(struct field *f, struct client *c, const char *data, size_t size)
{
    c->active_us = f->now_us;
    while (size && c->fd >= 0) {
        size_t used = 0;
        enum reply_status status = reply_take(&c->reply, data, size, &used);
        if (status == REPLY_BAD) {
            sample_keep(c->kind, data, size);
            client_end(f, c, ENDED_ODD);
            return;
        }
        if (status == REPLY_DONE)
            reply_came(f, c, data, used);
        data += used;
        size -= used;
    }
}

static void client_closed(struct field *f, struct client *c, bool broken)
{
    const struct bot *bot = &c->kind->bot;
    bool wanted = c->at < bot->count && bot->steps[c->at].what == BOT_CLOSED;
    client_end(f, c, wanted ? ENDED_DONE : broken ? ENDED_BROKEN : ENDED_CLOSED);
}

static void client_event(struct field *f, struct client *c, uint32_t events)
{
    char data[4096];
    if (c->fd < 0)
        return;
    if (!c->open) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        int on = 1;
        if (events & (EPOLLERR | EPOLLHUP)) {
            client_end(f, c, ENDED_BROKEN);
            return;
        }
        c->open = true;
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(f->epoll, EPOLL_CTL_MOD, c->fd, &event);
        client_go_on(f, c);
        return;
    }
    ssize_t got = recv(c->fd, data, sizeof data, 0);
    if (got > 0)
        client_take(f, c, data, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        client_closed(f, c, got != 0 && errno != ECONNRESET);
}

static int source_bind(const struct field *f, const struct client *c)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET};
    uint32_t second = c->good ? 2 : 16 + (uint32_t)(c->kind - f->kinds);
    at.sin_addr.s_addr = htonl(127u << 24 | second << 16 | (c->number / A_NETWORK) << 8 |
                               (1 + c->number % A_NETWORK));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(c->fd, (struct sockaddr *)&at, sizeof at);
}

static void client_begin(struct field *f, struct client *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->at = 0;
    c->greeted = c->open = false;
    c->reply = (struct reply){0};
    c->begun_us = c->active_us = f->now_us;
    c->asked_us = 0;
    c->kind->begun++;
    f->live++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    int connected = source_bind(f, c);
    if (connected == 0)
        connected = connect(c->fd, (struct sockaddr *)&f->plan.server, sizeof f->plan.server);
    if (connected != 0 && errno != EINPROGRESS) {
        client_end(f, c, ENDED_BROKEN);
        return;
    }
    if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll_ctl");
}

/* --- all of them --------------------------------------------------------------------------------------- */

static bool good_go_on(const struct field *f)
{
    return f->now_us - f->start_us < f->plan.run_us;
}

static void good_begin(struct field *f)
{
    for (unsigned i = 0; i < f->plan.good; i++) {
        struct client *c = &f->clients[i];
        if (c->fd < 0 && f->now_us >= c->active_us + (uint64_t)f->plan.pause_ms * 1000)
            client_begin(f, c);
    }
}

static void bots_begin(struct field *f)
{
    uint64_t due = (f->now_us - f->start_us) * f->plan.rate / 1000000 + 1;
    for (; f->bots_begun < f->plan.bots && f->bots_begun < due; f->bots_begun++) {
        struct client *c = &f->clients[f->plan.good + f->bots_begun];
        c->kind = &f->kinds[f->bots_begun % f->kind_count];
        c->number = f->bots_begun / f->kind_count;
        client_begin(f, c);
    }
}

static void sweep(struct field *f)
{
    for (unsigned i = 0; i < f->plan.good + f->bots_begun; i++) {
        struct client *c = &f->clients[i];
        if (c->fd >= 0 && f->now_us - c->active_us > f->plan.late_us)
            client_end(f, c, ENDED_LATE);
    }
}

static void field_run(struct field *f)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t swept_us = f->start_us = f->now_us = time_us();
    /* The good ones begin one after the other, not all at one moment. */
    for (unsigned i = 0; i < f->plan.good; i++)
        f->clients[i].active_us = f->start_us - (uint64_t)f->plan.pause_ms * 1000 +
                                  (uint64_t)f->plan.pause_ms * 1000 * i / f->plan.good;
    while (good_go_on(f) || f->bots_begun < f->plan.bots || f->live) {
        if (good_go_on(f))
            good_begin(f);
        bots_begin(f);
        int count = epoll_wait(f->epoll, events, EVENTS_MAX, 1);
        for (int i = 0; i < count; i++) {
            f->now_us = time_us();
            client_event(f, events[i].data.ptr, events[i].events);
        }
        f->now_us = time_us();
        if (f->now_us - swept_us >= SWEEP_US) {
            swept_us = f->now_us;
            sweep(f);
        }
    }
}

/* --- the command line ---------------------------------------------------------------------------------- */

static void usage(void)
{
    fprintf(stderr, "usage: bench-bots -p PORT [-a ADDRESS] [-N BOTS] [-r RATE] [-g SCRIPT] [-n CLIENTS]\n"
                    "       [-i MS] [-t SECONDS] [-T SECONDS] [SCRIPT ...]\n");
    exit(64);
}

static unsigned number_of(const char *text, unsigned long max)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end || value > max)
        usage();
    return (unsigned)value;
}

static void option_set(struct field *f, int option, const char *value)
{
    struct plan *plan = &f->plan;
    switch (option) {
    case 'a':
        if (inet_pton(AF_INET, value, &plan->server.sin_addr) != 1)
            usage();
        return;
    case 'p': plan->server.sin_port = htons((uint16_t)number_of(value, 65535)); return;
    case 'N': plan->bots = number_of(value, 1000000); return;
    case 'r': plan->rate = number_of(value, 1000000); return;
    case 'g': bot_read(&good_kind(f)->bot, value); return;
    case 'n': plan->good = number_of(value, A_NETWORK); return;
    case 'i': plan->pause_ms = number_of(value, 1000000); return;
    case 't': plan->run_us = (uint64_t)number_of(value, 100000) * 1000000; return;
    case 'T': plan->late_us = (uint64_t)number_of(value, 100000) * 1000000; return;
    default: usage();
    }
}

static void plan_read(struct field *f, int argc, char **argv)
{
    f->plan = (struct plan){.rate = 1000, .good = 50, .pause_ms = 100, .late_us = UINT64_C(300000000)};
    f->plan.server.sin_family = AF_INET;
    f->plan.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int option; (option = getopt(argc, argv, "a:p:N:r:g:n:i:t:T:")) != -1;)
        option_set(f, option, optarg);
    for (; optind < argc && f->kind_count < KINDS_MAX - 1; optind++)
        bot_read(&f->kinds[f->kind_count++].bot, argv[optind]);
    if (!good_kind(f)->bot.count)
        f->plan.good = 0;
    if (!f->plan.server.sin_port || !f->plan.rate || optind < argc || (f->plan.bots && !f->kind_count) ||
        (!f->plan.bots && !f->plan.run_us))
        usage();
    if (!f->plan.run_us)
        f->plan.run_us = (uint64_t)f->plan.bots * 1000000 / f->plan.rate;
}

static void field_open(struct field *f)
{
    struct rlimit limit = {f->plan.good + f->plan.bots + 64, f->plan.good + f->plan.bots + 64};
    setrlimit(RLIMIT_NOFILE, &limit); /* where it may not, sockets will tell */
    f->clients = calloc(f->plan.good + f->plan.bots + 1, sizeof *f->clients);
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!f->clients || f->epoll < 0)
        die("bench-bots");
    for (unsigned i = 0; i < f->plan.good + f->plan.bots; i++)
        f->clients[i].fd = -1;
    for (unsigned i = 0; i < f->plan.good; i++) {
        f->clients[i].kind = good_kind(f);
        f->clients[i].good = true;
        f->clients[i].number = i;
    }
}

/* --- the result ---------------------------------------------------------------------------------------- */

static void latency_print(const char *name, const struct histogram *histogram)
{
    printf(", \"%s\": {\"count\": %llu, \"p50\": %llu, \"p99\": %llu, \"max\": %llu}", name,
           (unsigned long long)histogram->count, (unsigned long long)histogram_at(histogram, 0.50),
           (unsigned long long)histogram_at(histogram, 0.99), (unsigned long long)histogram->max_us);
}

static void kind_print(const struct kind *kind)
{
    printf("\"%s\": {\"begun\": %u", kind->bot.name, kind->begun);
    for (unsigned i = 0; i < ENDED_COUNT; i++)
        printf(", \"%s\": %llu", ENDINGS[i], (unsigned long long)kind->ended[i]);
    latency_print("session_us", &kind->session_us);
    latency_print("reply_us", &kind->reply_us);
    printf(", \"sample\": \"%s\"}", kind->sample);
}

static void field_print(struct field *f)
{
    printf("{\"seconds\": %.3f", (double)(f->now_us - f->start_us) / 1e6);
    if (f->plan.good) {
        printf(", ");
        kind_print(good_kind(f));
    }
    for (unsigned i = 0; i < f->kind_count; i++) {
        printf(", ");
        kind_print(&f->kinds[i]);
    }
    printf("}\n");
}

int main(int argc, char **argv)
{
    static struct field field;
    plan_read(&field, argc, argv);
    field_open(&field);
    field_run(&field);
    field_print(&field);
    for (unsigned i = 0; i < field.kind_count; i++)
        bot_drop(&field.kinds[i].bot);
    bot_drop(&good_kind(&field)->bot);
    close(field.epoll);
    free(field.clients);
    return 0;
}
