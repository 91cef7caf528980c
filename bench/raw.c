/*
 * bench-raw - the least an SMTP server can cost
 *
 * One thread, epoll, no SMTP logic beyond matching the dialogue: 220, EHLO, HELO, MAIL, RCPT, DATA, the
 * dot, RSET, NOOP, QUIT. Messages are dropped. Recipients at example.net are accepted, all others get 550.
 * Nothing is logged. This is the baseline that a gate is measured against, and the sink behind relays.
 *
 *   bench-raw -p PORT [-a ADDRESS] [-c FILE] [-l]
 *
 *   -p  port, 0: any that is free. "listening ADDRESS PORT" on standard output says that it is open
 *   -c  keep the struct tally below in FILE while running, and tell messages apart by the number in
 *       their X-Bench-Number header field, so that one that came twice is seen
 *   -l  LMTP: after the dot, one reply for each recipient (RFC 2033, section 4.2)
 *
 * At SIGTERM or SIGINT it prints the tally as one line of JSON and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    ACCEPTS_MAX = 64,      /* a turn of the loop */
    READ_SIZE = 64 * 1024, /* one read; shared by all connections */
    LINE_SIZE = 4 * 1024,  /* a longer line ends the connection */
    OUT_SIZE = 16 * 1024,  /* replies to one read */
    NUMBER_MAX = 1 << 24   /* message numbers that are told apart */
};

enum conn_state { CONN_FREE, CONN_COMMAND, CONN_DATA_FIRST, CONN_DATA };

/* What was not a whole line yet is kept in part; NULL while there is none. */
struct conn {
    char *part;
    uint16_t part_size;
    uint16_t recipients;
    uint8_t state;
    bool numbered;
};

/* Laid out for readers outside: native byte order, in this order, 8 octets each. */
struct tally {
    uint64_t sessions, messages, octets, refused, distinct, duplicates, unnumbered, broken;
};

struct server {
    int epoll, listener, signals;
    bool lmtp;
    struct tally *tally;
    uint8_t *seen; /* a bit for each number; NULL unless -c */
    struct conn *conns;
    size_t conn_max;
    size_t out_size;
    char out[OUT_SIZE];
    char in[READ_SIZE];
};

static const char BANNER[] = "220 raw.example ESMTP\r\n";
static const char EHLO_REPLY[] = "250-raw.example\r\n"
                                 "250-PIPELINING\r\n"
                                 "250-SIZE 26214400\r\n"
                                 "250-ENHANCEDSTATUSCODES\r\n"
                                 "250 8BITMIME\r\n";
static const char NUMBER_FIELD[] = "X-Bench-Number: ";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void out_add(struct server *s, const char *text, size_t size)
{
    if (s->out_size + size > sizeof s->out)
        return; /* a client that pipelines this much is none of ours: it will miss a reply and say so */
    memcpy(s->out + s->out_size, text, size);
    s->out_size += size;
}

#define OUT(s, text) out_add((s), (text), sizeof(text) - 1)

static void conn_close(struct server *s, int fd)
{
    struct conn *c = &s->conns[fd];
    free(c->part);
    *c = (struct conn){0};
    close(fd);
}

/* Replies are small and the client waits for them: a socket buffer that is full is a client gone wrong. */
static bool conn_flush(struct server *s, int fd)
{
    size_t size = s->out_size;
    s->out_size = 0;
    if (!size)
        return true;
    return send(fd, s->out, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void message_number(struct server *s, struct conn *c, const char *data, size_t size)
{
    const char *field = memmem(data, size, NUMBER_FIELD, sizeof NUMBER_FIELD - 1);
    if (!field)
        return;
    const char *end = data + size;
    uint64_t number = 0;
    for (field += sizeof NUMBER_FIELD - 1; field < end && *field >= '0' && *field <= '9'; field++)
        number = (number * 10 + (uint64_t)(*field - '0')) % NUMBER_MAX;
    uint8_t bit = (uint8_t)(1u << (number & 7));
    if (s->seen[number >> 3] & bit)
        s->tally->duplicates++;
    else
        s->tally->distinct++;
    s->seen[number >> 3] |= bit;
    c->numbered = true;
}

static void message_end(struct server *s, struct conn *c)
{
    s->tally->messages++;
    if (s->seen && !c->numbered)
        s->tally->unnumbered++;
    c->state = CONN_COMMAND;
    c->numbered = false;
    size_t replies = s->lmtp ? c->recipients : 1;
    while (replies--)
        OUT(s, "250 2.0.0 taken\r\n");
    c->recipients = 0;
}

/* Takes message content up to and with its dot. The last four octets stay behind: the dot may be split. */
static size_t data_take(struct server *s, struct conn *c, const char *data, size_t size)
{
    if (c->state == CONN_DATA_FIRST) {
        if (size < 3)
            return 0;
        c->state = CONN_DATA;
        if (memcmp(data, ".\r\n", 3) == 0) {
            message_end(s, c);
            return 3;
        }
    }
    const char *dot = memmem(data, size, "\r\n.\r\n", 5);
    size_t used = dot ? (size_t)(dot - data) + 5 : size > 4 ? size - 4 : 0;
    if (s->seen && !c->numbered)
        message_number(s, c, data, dot ? used : size);
    s->tally->octets += used;
    if (dot)
        message_end(s, c);
    return used;
}

static void recipient_take(struct server *s, struct conn *c, const char *line, size_t size)
{
    if (memmem(line, size, "@example.net>", 13)) {
        c->recipients++;
        OUT(s, "250 2.1.5 ok\r\n");
        return;
    }
    s->tally->refused++;
    OUT(s, "550 5.1.1 no such mailbox\r\n");
}

static void data_begin(struct server *s, struct conn *c)
{
    if (!c->recipients) {
        OUT(s, "503 5.5.1 no recipient\r\n");
        return;
    }
    c->state = CONN_DATA_FIRST;
    OUT(s, "354 go on\r\n");
}

static uint32_t verb(const char *line, size_t size)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4 && i < size; i++)
        word = word << 8 | (uint8_t)(line[i] & ~0x20);
    return word;
}

#define VERB(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* False: this was QUIT. */
static bool command_take(struct server *s, struct conn *c, const char *line, size_t size)
{
    switch (verb(line, size)) {
    case VERB('E', 'H', 'L', 'O'):
    case VERB('L', 'H', 'L', 'O'): OUT(s, EHLO_REPLY); return true;
    case VERB('R', 'C', 'P', 'T'): recipient_take(s, c, line, size); return true;
    case VERB('D', 'A', 'T', 'A'): data_begin(s, c); return true;
    case VERB('Q', 'U', 'I', 'T'): OUT(s, "221 2.0.0 bye\r\n"); return false;
    case VERB('M', 'A', 'I', 'L'):
    case VERB('R', 'S', 'E', 'T'):
        c->recipients = 0;
        OUT(s, "250 2.0.0 ok\r\n");
        return true;
    case VERB('H', 'E', 'L', 'O'):
    case VERB('N', 'O', 'O', 'P'): OUT(s, "250 2.0.0 ok\r\n"); return true;
    default: OUT(s, "500 5.5.2 what\r\n"); return true;
    }
}

/* Takes all it can of what was read; -1: QUIT. */
static ssize_t input_take(struct server *s, struct conn *c, const char *in, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (c->state != CONN_COMMAND) {
            size_t used = data_take(s, c, in + at, size - at);
            at += used;
            if (c->state != CONN_COMMAND)
                break;
            continue;
        }
        const char *end = memchr(in + at, '\n', size - at);
        if (!end)
            break;
        size_t line_size = (size_t)(end - in) + 1 - at;
        if (!command_take(s, c, in + at, line_size))
            return -1;
        at += line_size;
    }
    return (ssize_t)at;
}

/* Keeps the rest for the next read. False: more than a line may have. */
static bool part_keep(struct conn *c, const char *rest, size_t size)
{
    if (!size) {
        free(c->part);
        c->part = NULL;
        c->part_size = 0;
        return true;
    }
    if (size > LINE_SIZE)
        return false;
    char *part = realloc(c->part, size);
    if (!part)
        die("realloc");
    memcpy(part, rest, size);
    c->part = part;
    c->part_size = (uint16_t)size;
    return true;
}

static void conn_read(struct server *s, int fd)
{
    struct conn *c = &s->conns[fd];
    size_t have = c->part_size;
    if (have)
        memcpy(s->in, c->part, have);
    ssize_t got = recv(fd, s->in + have, sizeof s->in - have, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        s->tally->broken++;
        conn_close(s, fd);
        return;
    }
    size_t size = have + (size_t)got;
    ssize_t used = input_take(s, c, s->in, size);
    bool kept = used >= 0 &&
                (have || (size_t)used < size ? part_keep(c, s->in + used, size - (size_t)used) : true);
    bool sent = conn_flush(s, fd);
    if (used >= 0 && !(kept && sent))
        s->tally->broken++;
    if (!kept || !sent)
        conn_close(s, fd);
}

static void conn_accept(struct server *s)
{
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if ((size_t)fd >= s->conn_max || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            s->tally->broken++;
            close(fd);
            continue;
        }
        s->conns[fd].state = CONN_COMMAND;
        s->tally->sessions++;
        OUT(s, BANNER);
        if (!conn_flush(s, fd))
            conn_close(s, fd);
    }
}

static void watch(struct server *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

static void serve(struct server *s)
{
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int count = epoll_wait(s->epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == s->signals)
                return;
            if (fd == s->listener)
                conn_accept(s);
            else
                conn_read(s, fd);
        }
    }
}

static void server_listen(struct server *s, const char *address, uint16_t port)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        fprintf(stderr, "bench-raw: not an IPv4 address: %s\n", address);
        exit(64);
    }
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->listener < 0)
        die("socket");
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(s->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(s->listener, (struct sockaddr *)&at, sizeof at) != 0)
        die("bind");
    if (listen(s->listener, 4096) != 0)
        die("listen");
    socklen_t size = sizeof at;
    getsockname(s->listener, (struct sockaddr *)&at, &size);
    printf("listening %s %u\n", address, (unsigned)ntohs(at.sin_port));
    fflush(stdout);
}

static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* With a file the tally is shared with whoever maps or reads it; without, it is ours alone. */
static struct tally *tally_open(const char *file)
{
    int flags = file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    int fd = -1;
    if (file) {
        fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || ftruncate(fd, sizeof(struct tally)) != 0)
            die(file);
    }
    struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (tally == MAP_FAILED)
        die("mmap");
    return tally;
}

static struct server *server_new(const char *tally_file)
{
    struct server *s = calloc(1, sizeof *s);
    struct rlimit limit;
    if (!s || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("start");
    s->conn_max = (size_t)limit.rlim_cur;
    s->conns = calloc(s->conn_max, sizeof *s->conns);
    s->tally = tally_open(tally_file);
    if (tally_file)
        s->seen = calloc(NUMBER_MAX / 8, 1);
    if (!s->conns || (tally_file && !s->seen))
        die("calloc");
    s->signals = signals_open();
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->signals < 0 || s->epoll < 0)
        die("start");
    return s;
}

static void server_free(struct server *s)
{
    for (size_t i = 0; i < s->conn_max; i++)
        free(s->conns[i].part);
    free(s->conns);
    free(s->seen);
    free(s);
}

static void tally_print(const struct tally *t)
{
    printf(
        "{\"sessions\": %llu, \"messages\": %llu, \"octets\": %llu, \"refused\": %llu, \"distinct\": %llu, "
        "\"duplicates\": %llu, \"unnumbered\": %llu, \"broken\": %llu}\n",
        (unsigned long long)t->sessions, (unsigned long long)t->messages, (unsigned long long)t->octets,
        (unsigned long long)t->refused, (unsigned long long)t->distinct, (unsigned long long)t->duplicates,
        (unsigned long long)t->unnumbered, (unsigned long long)t->broken);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1", *tally_file = NULL;
    long port = -1;
    bool lmtp = false;
    for (int option; (option = getopt(argc, argv, "a:p:c:l")) != -1;) {
        switch (option) {
        case 'a': address = optarg; break;
        case 'p': port = strtol(optarg, NULL, 10); break;
        case 'c': tally_file = optarg; break;
        case 'l': lmtp = true; break;
        default:
            port = -1;
            optind = argc;
            break;
        }
    }
    if (port < 0 || port > 65535) {
        fprintf(stderr, "usage: bench-raw -p PORT [-a ADDRESS] [-c FILE] [-l]\n");
        return 64;
    }
    struct server *s = server_new(tally_file);
    s->lmtp = lmtp;
    server_listen(s, address, (uint16_t)port);
    watch(s, s->listener);
    watch(s, s->signals);
    serve(s);
    tally_print(s->tally);
    server_free(s);
    return 0;
}
