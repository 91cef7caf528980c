/* Where an address belongs in the net (wire/origin.h): out of files in MaxMind's format, over libmaxminddb,
 * and for what these do not know out of zones that are asked by DNS.
 *
 * Known are autonomous_system_number and autonomous_system_organization, isp and organization beside a
 * number, these below traits, too; iso_code and names.en of country, else of registered_country; and asn,
 * as_name, country_code and country where they are texts. The first file that has a part counts; the netblock
 * is that of the file with the AS number, else of the first that has anything.
 *
 * A file is mapped into memory. Whoever renews it should write another one and rename it; one that is changed
 * in its place is not looked at any more, which is seen within ten milliseconds. */
#ifndef IO_ORIGIN_H
#define IO_ORIGIN_H

#include "base/error.h"
#include "io/resolver.h"
#include "wire/origin.h"

#define ORIGIN_ZONE_MAX 180 /* octets of a zone */

struct origins;

struct origins_settings {
    struct resolver *resolver; /* NULL: no zone is asked */
    const struct slice *files; /* terminated */
    size_t file_count;
    struct slice zone, zone6; /* for IPv4 and IPv6; empty: none */
    struct slice names;       /* tells the name of an AS; empty: none */
    /* What became of each file, once, while they are opened; the error is NULL where it can be used. */
    void (*tell)(void *data, struct slice file, const struct error *error);
    void *data;
};

/* Part of its owner's struct. */
struct origin_waiter {
    void (*done)(struct origin_waiter *waiter, const struct resolver_answer *answer);
    /* its own */
    struct resolver_waiter asks;
    struct link link;
    struct origins *origins;
    struct address address;
    uint16_t so_far_len;
    char so_far[ORIGIN_TEXT_MAX];
};

/* Whether the file can be used, without keeping it open. */
int origin_file_check(const char *file, struct error *error);

/* Files that cannot be used are left out, and told. The texts are copied; the resolver outlives it. */
struct origins *origins_open(const struct origins_settings *settings);
void origins_close(struct origins *origins); /* nobody who waits is told; NULL is taken */

/* True: *ret_answer is the answer, good until the next call. False: it will come to waiter->done, once, from
 * the loop. FOUND: as origin_print has it; NONE: nothing is known; FAILED and why. Of special addresses
 * (address_is_special) only name servers at home are asked. */
bool origins_ask(struct origins *origins, const struct address *address, struct origin_waiter *waiter,
                 struct resolver_answer *ret_answer);

#endif
