/* What an answer costs that is kept: asked of the resolver, and of a blocklist that names four codes. It asks
 * its own name server on loopback, once each.
 *
 * usage: bench-dns [QUESTIONS] */
#include "io/blocklist.h"
#include "io/resolver.h"

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char record[] = "\xc0\x0c\0\1\0\1\0\0\16\20\0\4\177\0\0\2"; /* 127.0.0.2, for an hour */

struct server {
    struct loop_watch watch;
    unsigned asked;
};

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Every name has the address, but for text. */
static void query_came(struct loop_watch *watch, unsigned ready)
{
    struct server *server = LIST_OF(watch, struct server, watch);
    struct sockaddr_in from;
    socklen_t from_size = sizeof from;
    char packet[600];
    (void)ready;
    const ssize_t got = recvfrom(watch->fd, packet, 512, 0, (struct sockaddr *)&from, &from_size);
    size_t end = 12;
    while (got > 16 && end + 5 < (size_t)got && packet[end])
        end += 1 + (size_t)packet[end];
    end += 5;
    if (got < 17 || end > (size_t)got)
        return;
    const bool address = packet[end - 3] == DNS_A;
    packet[2] = (char)0x84;
    packet[3] = (char)0x80;
    memset(packet + 6, 0, 6);
    packet[7] = address;
    if (address)
        memcpy(packet + end, record, sizeof record - 1);
    server->asked++;
    sendto(watch->fd, packet, end + (address ? sizeof record - 1 : 0), 0, (struct sockaddr *)&from,
           from_size);
}

static unsigned server_open(struct server *server, struct loop *loop)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t at_size = sizeof at;
    server->watch.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    server->watch.ready = query_came;
    if (server->watch.fd < 0 || bind(server->watch.fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(server->watch.fd, (struct sockaddr *)&at, &at_size) != 0 ||
        loop_add(loop, &server->watch, LOOP_READ, NULL) != 0) {
        perror("bench-dns");
        exit(1);
    }
    return ntohs(at.sin_port);
}

static bool told;

static void answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    (void)waiter;
    (void)answer;
    told = true;
}

static void list_answered(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    (void)waiter;
    (void)answer;
    told = true;
}

static double resolver_cost(struct loop *loop, struct resolver *resolver, unsigned count)
{
    struct resolver_waiter waiter = {.done = answered};
    struct resolver_answer answer;
    told = resolver_ask(resolver, DNS_A, SLICE("mx.client.example"), &waiter, &answer);
    while (!told)
        loop_turn(loop, 1000);
    const uint64_t begin = nanoseconds();
    for (unsigned i = 0; i < count; i++)
        if (!resolver_ask(resolver, DNS_A, SLICE("mx.client.example"), &waiter, &answer))
            abort();
    return (double)(nanoseconds() - begin) / count;
}

static double blocklist_cost(struct loop *loop, struct resolver *resolver, unsigned count)
{
    const struct blocklist_settings list = {
        .name = SLICE("example-list"), .zone = SLICE("list.example"), .reasons = true, .ipv4 = true};
    const struct blocklists_settings settings = {.loop = loop,
                                                 .resolver = resolver,
                                                 .lists = &list,
                                                 .count = 1,
                                                 .probe_each_ms = 1000,
                                                 .retry_ms = 1000};
    struct blocklists *lists = blocklists_open(&settings);
    struct blocklist_waiter waiter = {.done = list_answered};
    struct resolver_answer answer;
    struct address address;
    address_parse(SLICE("192.0.2.7"), &address);
    told = blocklists_ask(lists, list.name, &address, &waiter, &answer);
    while (!told)
        loop_turn(loop, 1000);
    const uint64_t begin = nanoseconds();
    for (unsigned i = 0; i < count; i++)
        if (!blocklists_ask(lists, list.name, &address, &waiter, &answer))
            abort();
    const double cost = (double)(nanoseconds() - begin) / count;
    blocklists_close(lists);
    return cost;
}

int main(int argc, char **argv)
{
    const unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
    struct server server = {.asked = 0};
    struct error error;
    struct loop *loop = loop_open(&error);
    char text[32];
    if (!loop || !count)
        return 1;
    snprintf(text, sizeof text, "127.0.0.1:%u", server_open(&server, loop));
    const struct resolver_settings settings = {
        .loop = loop, .servers = slice_text(text), .deadline_ms = 5000, .cache_octets = 1u << 20};
    struct resolver *resolver = resolver_open(&settings, &error);
    if (!resolver)
        return 1;
    printf("%u answers each: the resolver's %.0f ns", count, resolver_cost(loop, resolver, count));
    printf(", a blocklist's with its reason %.0f ns; the server was asked %u times\n",
           blocklist_cost(loop, resolver, count), server.asked);
    resolver_close(resolver);
    loop_remove(loop, &server.watch);
    close(server.watch.fd);
    loop_close(loop);
    return 0;
}
