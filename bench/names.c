/*
 * bench-names - a name server on loopback that knows one name, or none
 *
 *   bench-names [-a ADDRESS] [-p PORT] [-k NAME] [-t SECONDS]      (127.0.0.1, 53; 0: any port that is free)
 *
 * Each query over UDP is answered at once: that there is no such name; with -k that NAME has the address
 * 192.0.2.1, and that each IPv4 address has a name of its own below NAME that leads back to it; for names
 * that are known and anything else, that there is no such data. -t: how long answers may be kept, 0: each
 * question comes here; without, 300 s, and of what is not there it is not said. Servers that look their
 * clients up are measured with their look-ups on, and without waiting for time-outs. Ends at SIGTERM;
 * "listening ADDRESS PORT" says that it is open.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
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

struct names {
    uint8_t known[200]; /* as it stands in a question, or empty */
    size_t known_size;
    uint32_t ttl;
    bool negative; /* it is said how long it may be kept that there is nothing */
};

static void known_set(struct names *names, const char *name)
{
    while (*name && names->known_size + 65 < sizeof names->known) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > 63)
            exit(64);
        names->known[names->known_size++] = (uint8_t)label;
        memcpy(names->known + names->known_size, name, label);
        names->known_size += label;
        name += label + (name[label] == '.');
    }
    names->known[names->known_size++] = 0;
}

static size_t record_add(uint8_t *message, size_t at, const uint8_t *type, uint32_t ttl, const uint8_t *data,
                         uint8_t size)
{
    const uint8_t head[] = {0xc0,
                            HEADER_SIZE,
                            0,
                            *type,
                            0,
                            1,
                            (uint8_t)(ttl >> 24),
                            (uint8_t)(ttl >> 16),
                            (uint8_t)(ttl >> 8),
                            (uint8_t)ttl,
                            0,
                            size};
    memcpy(message + at, head, sizeof head);
    memcpy(message + at + sizeof head, data, size);
    return at + sizeof head + size;
}

/* Its owner is the name that was asked for; the last of its five numbers says how long "no" may be kept (RFC
 * 2308). */
static size_t authority_add(const struct names *names, uint8_t *message, size_t at)
{
    static const uint8_t type = 6;
    uint8_t data[22] = {0};
    for (unsigned i = 0; i < 4; i++)
        data[18 + i] = (uint8_t)(names->ttl >> (24 - 8 * i));
    message[9] = 1;
    return record_add(message, at, &type, names->ttl, data, sizeof data);
}

/* A host's label is its address, each half of an octet as a letter: nothing that looks made. */
enum { HOST_LABEL = 8 };

static void host_label(const uint8_t address[4], uint8_t *label)
{
    for (unsigned i = 0; i < HOST_LABEL; i++)
        label[i] = (uint8_t)('a' + (address[i / 2] >> (i % 2 ? 0 : 4) & 15));
}

/* The address of a host below NAME, by its label. */
static bool host_address(const struct names *names, const uint8_t *name, size_t size, uint8_t address[4])
{
    if (size != 1 + HOST_LABEL + names->known_size || name[0] != HOST_LABEL ||
        memcmp(name + 1 + HOST_LABEL, names->known, names->known_size) != 0)
        return false;
    memset(address, 0, 4);
    for (unsigned i = 0; i < HOST_LABEL; i++) {
        unsigned half = (unsigned)name[1 + i] - 'a';
        if (half > 15)
            return false;
        address[i / 2] |= (uint8_t)(half << (i % 2 ? 0 : 4));
    }
    return true;
}

/* "5.1.0.127.in-addr.arpa" is asked about 127.0.1.5. */
static bool reverse_address(const uint8_t *name, size_t size, uint8_t address[4])
{
    static const uint8_t arpa[] = "\7in-addr\4arpa"; /* and the root's length */
    for (unsigned i = 4; i-- > 0;) {
        size_t label = name[0];
        if (label == 0 || label > 3 || label + 1 >= size)
            return false;
        address[i] = 0;
        for (size_t j = 1; j <= label; j++)
            address[i] = (uint8_t)(10 * address[i] + name[j] - '0');
        name += label + 1;
        size -= label + 1;
    }
    return size == sizeof arpa && memcmp(name, arpa, sizeof arpa) == 0;
}

/* What is known of the name: data and its type, or nothing but that it is there. */
struct fact {
    bool known;
    uint8_t type; /* of the data */
    uint8_t data[1 + HOST_LABEL + 256];
    uint8_t size;
};

static void fact_find(const struct names *names, const uint8_t *name, size_t size, struct fact *ret_fact)
{
    static const uint8_t home[] = {192, 0, 2, 1};
    uint8_t address[4];
    *ret_fact = (struct fact){.known = names->known_size > 0, .type = 1, .size = 4};
    if (size == names->known_size && memcmp(name, names->known, size) == 0) {
        memcpy(ret_fact->data, home, sizeof home);
    } else if (host_address(names, name, size, address)) {
        memcpy(ret_fact->data, address, sizeof address);
    } else if (reverse_address(name, size, address)) {
        ret_fact->type = 12;
        ret_fact->data[0] = HOST_LABEL;
        host_label(address, ret_fact->data + 1);
        memcpy(ret_fact->data + 1 + HOST_LABEL, names->known, names->known_size);
        ret_fact->size = (uint8_t)(1 + HOST_LABEL + names->known_size);
    } else {
        ret_fact->known = false;
    }
}

/* Turns the query into its answer (RFC 1035, section 4.1.1). */
static size_t answer_make(const struct names *names, uint8_t *message, size_t size)
{
    struct fact fact;
    size_t end = question_end(message, size);
    if (!end)
        return 0;
    fact_find(names, message + HEADER_SIZE, end - HEADER_SIZE - 4, &fact);
    if (end + 64 + fact.size > MESSAGE_MAX)
        return 0;
    message[2] = (uint8_t)(0x84 | (message[2] & 0x01)); /* an authoritative answer; RD as it came */
    message[3] = fact.known ? 0x80 : 0x80 | 3;          /* RA, and NXDOMAIN */
    memset(message + 6, 0, 6);
    if (!fact.known || message[end - 3] != fact.type)
        return names->negative ? authority_add(names, message, end) : end;
    message[7] = 1;
    return record_add(message, end, &fact.type, names->ttl, fact.data, fact.size);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
    const char *address = "127.0.0.1";
    struct names names = {.ttl = 300};
    for (int option; (option = getopt(argc, argv, "a:p:k:t:")) != -1;) {
        if (option == 'a')
            address = optarg;
        else if (option == 'p')
            at.sin_port = htons((uint16_t)strtol(optarg, NULL, 10));
        else if (option == 'k')
            known_set(&names, optarg);
        else if (option == 't')
            names.negative = true, names.ttl = (uint32_t)strtoul(optarg, NULL, 10);
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
        size_t size = got > 0 ? answer_make(&names, message, (size_t)got) : 0;
        if (size)
            sendto(fd, message, size, 0, (struct sockaddr *)&from, from_size);
    }
}
