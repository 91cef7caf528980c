/* Octets of answers as a name server sends them, for tests. */
#ifndef TEST_DNS_H
#define TEST_DNS_H

#include "wire/dns.h"

static inline void dns_put(struct buf *buf, unsigned number)
{
    buf_add_octet(buf, (char)(number >> 8));
    buf_add_octet(buf, (char)number);
}

static inline void dns_put_name(struct buf *buf, const char *text)
{
    struct slice name = slice_text(text), label;
    while (slice_cut(&name, '.', &label)) {
        buf_add_octet(buf, (char)label.len);
        buf_add(buf, label);
    }
    buf_add_octet(buf, 0);
}

/* The question that a packet asks, without the OPT behind it; the header is 12 octets. */
static inline struct slice dns_question_of(struct slice query)
{
    size_t end = 12;
    while (end < query.len && query.at[end])
        end += 1 + (unsigned char)query.at[end];
    return slice_head(slice_from(query, 12), end + 5 - 12);
}

/* The head of an answer to the query: its id and question, these flags and counts. */
static inline void dns_put_head(struct buf *buf, struct slice query, unsigned flags, unsigned answers,
                                unsigned authorities)
{
    buf_add(buf, slice_head(query, 2));
    dns_put(buf, 0x8180 | flags);
    dns_put(buf, 1);
    dns_put(buf, answers);
    dns_put(buf, authorities);
    dns_put(buf, 0);
    buf_add(buf, dns_question_of(query));
}

/* A record; owner NULL: the name that was asked for. */
static inline void dns_put_record(struct buf *buf, const char *owner, enum dns_type type, unsigned ttl,
                                  struct slice data)
{
    if (owner)
        dns_put_name(buf, owner);
    else
        dns_put(buf, 0xc00c);
    dns_put(buf, type);
    dns_put(buf, 1);
    dns_put(buf, ttl >> 16);
    dns_put(buf, ttl & 65535);
    dns_put(buf, (unsigned)data.len);
    buf_add(buf, data);
}

static inline void dns_put_soa(struct buf *buf, unsigned ttl, unsigned minimum)
{
    struct buf data;
    buf_init(&data, 512);
    dns_put_name(&data, "ns.example");
    dns_put_name(&data, "hostmaster.example");
    for (unsigned i = 0; i < 4; i++)
        buf_add(&data, SLICE("\0\0\0\1"));
    dns_put(&data, minimum >> 16);
    dns_put(&data, minimum & 65535);
    dns_put_record(buf, "example", DNS_SOA, ttl, buf_slice(&data));
    buf_drop(&data);
}

#endif
