#include "client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    SOURCES = 200,        /* client addresses, 127.0.1-3.x, taken in turn */
    REST_US = 100 * 1000, /* a client that met an error starts again after this, at the soonest */
    DRAIN_US = 10 * 1000 * 1000,
    DRIP_SLICES = 10, /* of 10 ms: the clients' octets are spread over the 100 ms */
    NUMBER_DIGITS = 10
};

struct client {
    int fd; /* -1: none */
    uint8_t step;
    bool wants_out;
    uint8_t drip_at;
    unsigned messages_left;
    struct reply reply;
    uint64_t number; /* of the message under way */
    size_t sent;     /* octets of it that the socket has taken */
    uint64_t session_us, message_us,
        step_us; /* when each began; step_us of a resting client: when it failed */
};

struct herd {
    struct client_plan plan;
    struct client_totals totals;
    struct client *clients;
    int epoll;
    unsigned source, opening, resting, live;
    uint64_t start_us, now_us, number;
    char *message;
    size_t message_size; /* with the dot */
    char *number_at[2];
};

static const char DRIP[] = "NOOP\r\n";

static uint64_t time_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static bool herd_in_window(const struct herd *h)
{
    uint64_t since = h->now_us - h->start_us;
    return since >= h->plan.warm_us && (!h->plan.run_us || since < h->plan.warm_us + h->plan.run_us);
}

static void client_shut(struct herd *h, struct client *c)
{
    if (c->fd < 0)
        return;
    close(c->fd);
    c->fd = -1;
    h->live--;
    if (c->step < STEP_MAIL)
        h->opening--;
    if (c->step == STEP_HOLD)
        h->totals.held--;
}

static void client_fail(struct herd *h, struct client *c, enum client_error error)
{
    h->totals.errors[c->step][error]++;
    client_shut(h, c);
    c->step_us = h->now_us;
    h->resting++;
}

static void client_send(struct herd *h, struct client *c, const char *text, size_t size,
                        enum client_step step)
{
    c->step = (uint8_t)step;
    c->step_us = h->now_us;
    c->reply = (struct reply){0};
    if (send(c->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        client_fail(h, c, ERROR_RESET);
}

static int source_bind(struct herd *h, int fd)
{
    int on = 1;
    unsigned n = h->source++ % SOURCES;
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(0x7f000000u | (1 + n % 3) << 8 | (1 + n / 3));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&at, sizeof at);
}

/* The banner tells that the connection stands: no event for the connect itself. */
static void client_open(struct herd *h, struct client *c)
{
    c->step = STEP_CONNECT;
    c->wants_out = false;
    c->drip_at = 0;
    c->reply = (struct reply){0};
    c->messages_left = h->plan.messages;
    c->session_us = c->step_us = h->now_us;
    h->totals.started++;
    h->opening++;
    h->live++;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (c->fd < 0) {
        h->opening--;
        h->live--;
    }
    if (c->fd < 0 || source_bind(h, c->fd) != 0) {
        client_fail(h, c, ERROR_SYSTEM);
        return;
    }
    if (connect(c->fd, (struct sockaddr *)&h->plan.server, sizeof h->plan.server) != 0 &&
        errno != EINPROGRESS) {
        client_fail(h, c, errno == ECONNREFUSED ? ERROR_REFUSED : ERROR_SYSTEM);
        return;
    }
    if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        client_fail(h, c, ERROR_SYSTEM);
}

static bool herd_time_over(const struct herd *h)
{
    return h->plan.run_us && h->now_us - h->start_us >= h->plan.warm_us + h->plan.run_us;
}

static bool herd_may_open(const struct herd *h)
{
    return !herd_time_over(h) && (!h->plan.sessions_max || h->totals.started < h->plan.sessions_max);
}

static void client_done(struct herd *h, struct client *c)
{
    h->totals.sessions++;
    if (herd_in_window(h)) {
        h->totals.window_sessions++;
        histogram_add(&h->totals.session_us, h->now_us - c->session_us);
    }
    client_shut(h, c);
    c->step_us = 0;
    if (herd_may_open(h))
        client_open(h, c);
}

static void client_wait_out(struct herd *h, struct client *c, bool wants_out)
{
    if (c->wants_out == wants_out)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wants_out ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(h->epoll, EPOLL_CTL_MOD, c->fd, &event) != 0)
        die("epoll_ctl");
    c->wants_out = wants_out;
}

/* The message's text is shared by all clients, so its number is set anew before each piece. */
static void message_send(struct herd *h, struct client *c)
{
    char digits[NUMBER_DIGITS + 1];
    snprintf(digits, sizeof digits, "%0*llu", NUMBER_DIGITS, (unsigned long long)(c->number % 10000000000u));
    memcpy(h->number_at[0], digits, NUMBER_DIGITS);
    memcpy(h->number_at[1], digits, NUMBER_DIGITS);
    ssize_t sent = send(c->fd, h->message + c->sent, h->message_size - c->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        client_fail(h, c, ERROR_RESET);
        return;
    }
    if (sent > 0) {
        c->sent += (size_t)sent;
        c->step_us = h->now_us;
    }
    client_wait_out(h, c, c->sent < h->message_size);
}

static void mail_begin(struct herd *h, struct client *c)
{
    static const char MAIL[] = "MAIL FROM:<bench@client.example>\r\n";
    h->opening -= c->step < STEP_MAIL;
    c->number = h->number++;
    c->message_us = h->now_us;
    client_send(h, c, MAIL, sizeof MAIL - 1, STEP_MAIL);
}

static void recipient_send(struct herd *h, struct client *c)
{
    char line[80];
    const char *domain = h->plan.mode == MODE_REJECT ? "reject.example" : "example.net";
    int size = snprintf(line, sizeof line, "RCPT TO:<b%u@%s>\r\n", (unsigned)(c->number % h->plan.mailboxes),
                        domain);
    client_send(h, c, line, (size_t)size, STEP_RCPT);
}

static void message_done(struct herd *h, struct client *c)
{
    h->totals.messages++;
    if (herd_in_window(h)) {
        h->totals.window_messages++;
        histogram_add(&h->totals.message_us, h->now_us - c->message_us);
    }
    c->messages_left--;
}

static void hold_begin(struct herd *h, struct client *c)
{
    h->opening--;
    c->step = STEP_HOLD;
    c->step_us = h->now_us;
    c->reply = (struct reply){0};
    h->totals.held++;
}

/* What follows the expected reply to a step. */
static void client_next(struct herd *h, struct client *c)
{
    static const char EHLO[] = "EHLO client.example\r\n", DATA[] = "DATA\r\n", QUIT[] = "QUIT\r\n";
    switch ((enum client_step)c->step) {
    case STEP_CONNECT: client_send(h, c, EHLO, sizeof EHLO - 1, STEP_EHLO); return;
    case STEP_EHLO:
        if (h->plan.mode >= MODE_IDLE)
            hold_begin(h, c);
        else
            mail_begin(h, c);
        return;
    case STEP_MAIL: recipient_send(h, c); return;
    case STEP_RCPT:
        if (h->plan.mode == MODE_MAIL)
            client_send(h, c, DATA, sizeof DATA - 1, STEP_DATA);
        else
            client_send(h, c, QUIT, sizeof QUIT - 1, STEP_QUIT);
        return;
    case STEP_DATA:
        c->step = STEP_DOT;
        c->sent = 0;
        c->reply = (struct reply){0};
        message_send(h, c);
        return;
    case STEP_DOT:
        message_done(h, c);
        if (c->messages_left && !herd_time_over(h))
            mail_begin(h, c);
        else
            client_send(h, c, QUIT, sizeof QUIT - 1, STEP_QUIT);
        return;
    case STEP_QUIT: client_done(h, c); return;
    case STEP_HOLD: c->reply = (struct reply){0}; return;
    case STEP_COUNT: return;
    }
}

static bool reply_expected(const struct herd *h, enum client_step step, unsigned code)
{
    switch (step) {
    case STEP_CONNECT: return code == 220;
    case STEP_RCPT: return h->plan.mode == MODE_REJECT ? code >= 500 && code < 560 : code == 250;
    case STEP_DATA: return code == 354;
    case STEP_QUIT: return code == 221;
    case STEP_EHLO:
    case STEP_MAIL:
    case STEP_DOT:
    case STEP_HOLD:
    case STEP_COUNT: return code == 250;
    }
    return false;
}

static void sample_keep(struct herd *h, const char *data, size_t size)
{
    for (size_t i = 0; i < sizeof h->totals.samples / sizeof *h->totals.samples; i++) {
        char *sample = h->totals.samples[i];
        if (*sample)
            continue;
        if (size >= sizeof h->totals.samples[i])
            size = sizeof h->totals.samples[i] - 1;
        for (size_t j = 0; j < size; j++)
            sample[j] = data[j] >= ' ' && data[j] < 0x7f && data[j] != '"' && data[j] != '\\' ? data[j] : '~';
        return;
    }
}

static enum client_error error_of_code(unsigned code)
{
    return code >= 500 ? ERROR_PERMANENT : code >= 400 ? ERROR_TEMPORARY : ERROR_ODD;
}

static void client_take(struct herd *h, struct client *c, const char *data, size_t size)
{
    size_t used = 0;
    enum reply_status status = reply_take(&c->reply, data, size, &used);
    if (status == REPLY_PARTIAL)
        return;
    bool expected = status == REPLY_DONE && reply_expected(h, c->step, c->reply.first);
    if (expected && used == size && !(c->step == STEP_DOT && c->sent < h->message_size)) {
        client_next(h, c);
        return;
    }
    sample_keep(h, data, size);
    if (status == REPLY_BAD)
        client_fail(h, c, ERROR_MALFORMED);
    else
        client_fail(h, c, expected ? ERROR_UNASKED : error_of_code(c->reply.first));
}

static void client_event(struct herd *h, struct client *c, uint32_t events)
{
    char data[4096];
    if (c->fd < 0)
        return;
    if (!(events & ~(uint32_t)EPOLLOUT)) {
        message_send(h, c);
        return;
    }
    ssize_t got = recv(c->fd, data, sizeof data, 0);
    h->totals.heard += got > 0 ? (uint64_t)got : 0;
    if (got > 0)
        client_take(h, c, data, (size_t)got);
    else if (got == 0)
        client_fail(h, c, ERROR_CLOSED);
    else if (errno != EAGAIN && errno != EINTR)
        client_fail(h, c, errno == ECONNREFUSED ? ERROR_REFUSED : ERROR_RESET);
}

static bool client_is_resting(const struct client *c)
{
    return c->fd < 0 && c->step_us;
}

/* Each 100 ms: clients that wait too long end, clients that rested start again. */
static void herd_sweep(struct herd *h)
{
    bool held = h->plan.mode >= MODE_IDLE;
    for (unsigned i = 0; i < h->plan.concurrency; i++) {
        struct client *c = &h->clients[i];
        if (c->fd >= 0 && c->step != STEP_HOLD && h->now_us - c->step_us > h->plan.step_ms * 1000)
            client_fail(h, c, ERROR_TIMEOUT);
        else if (!held && client_is_resting(c) && h->now_us - c->step_us >= REST_US && herd_may_open(h)) {
            h->resting--;
            client_open(h, c);
        }
    }
}

static void drip_slice(struct herd *h, unsigned slice)
{
    for (unsigned i = slice; i < h->plan.concurrency; i += DRIP_SLICES) {
        struct client *c = &h->clients[i];
        if (c->fd < 0 || c->step != STEP_HOLD)
            continue;
        if (send(c->fd, DRIP + c->drip_at, 1, MSG_NOSIGNAL) != 1) {
            client_fail(h, c, ERROR_RESET);
            continue;
        }
        c->drip_at = (uint8_t)((c->drip_at + 1) % (sizeof DRIP - 1));
        h->totals.octets++;
    }
}

static void herd_wait(struct herd *h, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(h->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        h->now_us = time_us();
        client_event(h, events[i].data.ptr, events[i].events);
    }
    h->now_us = time_us();
}

static void herd_run_load(struct herd *h, const volatile bool *stop)
{
    uint64_t swept_us = h->now_us;
    for (unsigned i = 0; i < h->plan.concurrency && herd_may_open(h); i++)
        client_open(h, &h->clients[i]);
    while (!*stop && (h->live || h->resting) && (h->live || herd_may_open(h))) {
        herd_wait(h, 100);
        if (h->now_us - swept_us >= REST_US) {
            swept_us = h->now_us;
            herd_sweep(h);
        }
        uint64_t end_us = h->start_us + h->plan.warm_us + h->plan.run_us;
        if (h->plan.run_us && h->now_us > end_us + DRAIN_US)
            break;
    }
}

static void herd_run_held(struct herd *h, const volatile bool *stop,
                          void (*ready)(const struct client_totals *))
{
    unsigned next = 0, slice = 0;
    bool told = false;
    uint64_t slice_us = h->now_us, swept_us = h->now_us, told_us = 0;
    while (!*stop && (!told || !h->plan.run_us || h->now_us - told_us < h->plan.run_us)) {
        while (next < h->plan.concurrency && h->opening < h->plan.opening_max)
            client_open(h, &h->clients[next++]);
        if (!told && next == h->plan.concurrency && !h->opening) {
            ready(&h->totals);
            told = true;
            slice_us = told_us = h->now_us;
        }
        herd_wait(h, 10);
        if (h->now_us - swept_us >= REST_US) {
            swept_us = h->now_us;
            herd_sweep(h);
        }
        for (; told && h->plan.mode == MODE_DRIP && h->now_us >= slice_us + REST_US / DRIP_SLICES; slice++) {
            slice_us += REST_US / DRIP_SLICES;
            drip_slice(h, slice % DRIP_SLICES);
        }
    }
    h->totals.window_us = told ? h->now_us - told_us : 0;
}

void herd_run(struct herd *h, const volatile bool *stop, void (*ready)(const struct client_totals *))
{
    h->start_us = h->now_us = time_us();
    if (h->plan.mode >= MODE_IDLE) {
        herd_run_held(h, stop, ready);
        return;
    }
    herd_run_load(h, stop);
    uint64_t window_us = h->now_us - h->start_us - h->plan.warm_us;
    if (h->now_us - h->start_us < h->plan.warm_us)
        window_us = 0;
    h->totals.window_us = h->plan.run_us && window_us > h->plan.run_us ? h->plan.run_us : window_us;
}

/* Headers as a careful sender writes them, then lines of 72 characters. */
static void message_build(struct herd *h)
{
    char date[64];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc));
    char *text = calloc(1, h->plan.message_size + 1024);
    if (!text)
        die("calloc");
    int head = snprintf(text, 1024,
                        "From: Bench <bench@client.example>\r\nTo: Reader <b0@example.net>\r\nDate: %s\r\n"
                        "Message-ID: <0000000000.%ld@client.example>\r\nX-Bench-Number: 0000000000\r\n"
                        "Subject: a message of the benchmark\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
                        date, (long)getpid());
    size_t size = (size_t)head;
    while (size + 2 < h->plan.message_size) {
        size_t line = h->plan.message_size - size - 2 < 72 ? h->plan.message_size - size - 2 : 72;
        for (size_t i = 0; i < line; i++)
            text[size + i] = (char)('a' + (size + i * 7) % 26);
        memcpy(text + size + line, "\r\n", 2);
        size += line + 2;
    }
    memcpy(text + size, ".\r\n", 3);
    h->message = text;
    h->message_size = size + 3;
    h->number_at[0] = strstr(text, "Message-ID: <") + 13;
    h->number_at[1] = strstr(text, "X-Bench-Number: ") + 16;
}

struct herd *herd_new(const struct client_plan *plan)
{
    struct herd *h = calloc(1, sizeof *h);
    if (!h)
        die("calloc");
    h->plan = *plan;
    h->number = plan->number;
    h->clients = calloc(plan->concurrency, sizeof *h->clients);
    if (!h->clients)
        die("calloc");
    for (unsigned i = 0; i < plan->concurrency; i++)
        h->clients[i].fd = -1;
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (h->epoll < 0)
        die("epoll_create1");
    message_build(h);
    return h;
}

void herd_free(struct herd *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->plan.concurrency; i++)
        if (h->clients[i].fd >= 0)
            close(h->clients[i].fd);
    close(h->epoll);
    free(h->clients);
    free(h->message);
    free(h);
}

const struct client_totals *herd_totals(const struct herd *h)
{
    return &h->totals;
}
