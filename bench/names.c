/*
 * bench-names - a name server on loopback that knows no name
 *
 *   bench-names [-a ADDRESS] [-p PORT]       (127.0.0.1, 53; 0: any port that is free)
 *
 * Each query over UDP is answered NXDOMAIN at once. Servers that look their clients up are measured with
 * their look-ups on, and without waiting for time-outs. Ends at SIGTERM; "listening ADDRESS PORT" says that
 * it is open.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER_SIZE = 12, MESSAGE_MAX = 512 };

/* The size of header and first question, or 0 where the message is no query. */
static size_t question_end(const uint8_t *message, size_t size)
{
    size_t at = HEADER_SIZE;
    if (size < HEADER_SIZE || message[2] & 0x80 || message[4] != 0 || message[5] != 1)
        return 0;
    while (at < size && message[at]) {
        if (message[at] > 63)
            return 0;
        at += (size_t)message[at] + 1;
    }
    return at + 5 <= size ? at + 5 : 0;
}

/* Turns the query into its answer: one question, nothing else (RFC 1035, section 4.1.1). */
static size_t answer_make(uint8_t *message, size_t size)
{
    size_t end = question_end(message, size);
    if (!end)
        return 0;
    message[2] = (uint8_t)(0x84 | (message[2] & 0x01)); /* an authoritative answer; RD as it came */
    message[3] = 0x80 | 3;                              /* RA, NXDOMAIN */
    memset(message + 6, 0, 6);
    return end;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
    const char *address = "127.0.0.1";
    for (int option; (option = getopt(argc, argv, "a:p:")) != -1;) {
        if (option == 'a')
            address = optarg;
        else if (option == 'p')
            at.sin_port = htons((uint16_t)strtol(optarg, NULL, 10));
        else
            return 64;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || fd < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        perror("bench-names");
        return 1;
    }
    socklen_t at_size = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &at_size);
    printf("listening %s %u\n", address, (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        uint8_t message[MESSAGE_MAX];
        struct sockaddr_storage from;
        socklen_t from_size = sizeof from;
        ssize_t got = recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &from_size);
        size_t size = got > 0 ? answer_make(message, (size_t)got) : 0;
        if (size)
            sendto(fd, message, size, 0, (struct sockaddr *)&from, from_size);
    }
}
