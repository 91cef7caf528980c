/* Senders who have many hosts: pools that retry from another one, newsletters, mailing lists. */
#include "part.h"

enum { POOL_HOSTS_MAX = 256 };

/* How one can tell that its hosts belong together. */
enum pool_kind {
    POOL_NAMED,     /* one PTR domain; in its own AS or in rented places of several */
    POOL_PASSES,    /* generic names or none, but SPF passes */
    POOL_ONE_AS,    /* confirmed names of several domains, in one AS */
    POOL_NEIGHBOURS /* neither name nor SPF; neighbours in one /24 */
};

struct pool {
    enum pool_kind kind;
    struct slice domain;
    bool passes; /* SPF */
    uint32_t host_count;
    uint32_t hosts[POOL_HOSTS_MAX];
};

static uint32_t pool_host(struct month *month, const struct pool *pool, uint32_t as, uint32_t i)
{
    const uint16_t third = (uint16_t)(as % 256);
    switch (pool->kind) {
    case POOL_NAMED:
        if (chance(month, 15))
            as = as_of_kind(month, AS_CLOUD);
        return host_in(month, as, PTR_OWN, MONTH_INNOCENT, text_of(month, "out-%u", i), pool->domain);
    case POOL_PASSES:
        return host_in(month, as_of_kind(month, AS_CLOUD), chance(month, 70) ? PTR_GENERIC : PTR_NONE,
                       MONTH_INNOCENT, SLICE("vm"), pool->domain);
    case POOL_ONE_AS:
        return host_in(month, as, PTR_OWN, MONTH_INNOCENT, SLICE("mta"),
                       text_of(month, "x%u-%.*s", i % 12, SLICE_ARGS(pool->domain)));
    case POOL_NEIGHBOURS: break;
    }
    return host_at(month, as, address_in_net(month, as, third), PTR_NONE, MONTH_INNOCENT, SLICE("n"),
                   pool->domain);
}

static void pool_make(struct month *month, uint32_t number, enum pool_kind kind, struct pool *ret_pool)
{
    struct pool pool = {.kind = kind, .domain = text_of(month, "bigpost%u.example", number)};
    const uint32_t as = as_of_kind(month, AS_CLOUD);
    pool.host_count = kind == POOL_NEIGHBOURS ? draw_from(month, 4, 12) : draw_from(month, 8, POOL_HOSTS_MAX);
    pool.passes = kind == POOL_PASSES || (kind == POOL_NAMED && chance(month, 75));
    for (uint32_t i = 0; i < pool.host_count; i++)
        pool.hosts[i] = pool_host(month, &pool, as, i);
    *ret_pool = pool;
}

static uint32_t of_pool(struct month *month, const struct pool *pool)
{
    return pool->hosts[draw(month, pool->host_count)];
}

static struct slice pool_sender(struct month *month, const struct pool *pool)
{
    const struct slice local = person(month, draw(month, 200000));
    return text_of(month, "%.*s@%.*s", SLICE_ARGS(local), SLICE_ARGS(pool->domain));
}

static struct record *pool_record(struct month *month, const struct pool *pool, int64_t unix_ms,
                                  struct slice sender, struct slice recipient)
{
    const uint32_t host = of_pool(month, pool);
    struct record *record = record_new(month, host, unix_ms);
    record->sender = sender;
    record->helo = month->hosts[host].ptr_kind == PTR_OWN
                       ? month->hosts[host].ptr
                       : text_of(month, "out.%.*s", SLICE_ARGS(pool->domain));
    record->spf_pass = pool->passes ? pool->domain : SLICE_NONE;
    record->recipients = recipient_of(month, recipient);
    record->recipient_count = 1;
    record->octets = draw_octets(month);
    record->size = chance(month, 90) ? record->octets + 17 : 0;
    record->body = random_next(&month->random) | 1;
    return record;
}

/* Deferred, and brought again by other hosts of the pool until it is taken; some are in a hurry. */
static uint32_t pool_retries(struct month *month, const struct pool *pool, struct record *record)
{
    const bool hurry = chance(month, 30);
    const uint32_t tries = hurry ? draw_from(month, 2, 8) : draw_from(month, 1, 4);
    int64_t at_ms = record->unix_ms;
    const enum finding why = chance(month, 80) ? FIND_GREY : FIND_GREY_MESSAGE;
    for (uint32_t i = 0; i < tries; i++) {
        record_defer(month, record, why);
        at_ms += hurry ? draw_from(month, 8000, 60000) : draw_from(month, 60000, 1800000);
        record = record_again(month, record, of_pool(month, pool), at_ms);
        record->spf_pass = pool->passes ? pool->domain : SLICE_NONE;
    }
    record_accept(record);
    return tries + 1;
}

static uint32_t pool_sends(struct month *month, const struct pool *pool)
{
    const bool unknown = chance_of(month, 15);
    struct record *record = pool_record(month, pool, draw_time(month), pool_sender(month, pool),
                                        unknown ? nobody(month) : mailbox_any(month));
    const uint32_t luck = draw(month, 1000);
    if (unknown)
        record_unknown(record, 1);
    else if (luck < 60)
        return pool_retries(month, pool, record);
    else if (luck < 75)
        record_refuse(record, STAGE_END, FIND_HEADER_JUNK, 550);
    return 1;
}

/* A customer of the pool's, or a thief of one's password, sends spam: the pool tries what it was given. */
static uint32_t pool_is_abused(struct month *month, const struct pool *pool)
{
    const uint32_t count = draw_from(month, 20, 90);
    const struct slice sender = pool_sender(month, pool);
    const uint64_t body = random_next(&month->random) | 1;
    const uint32_t octets = draw_from(month, 2000, 20000);
    int64_t at_ms = draw_time(month);
    for (uint32_t i = 0; i < count; i++, at_ms += draw_from(month, 500, 20000)) {
        struct record *record = pool_record(month, pool, at_ms, sender, mailbox_any(month));
        record->octets = vary(month, octets, 15);
        record->body = body;
        record_refuse(record, STAGE_END, FIND_HEADER_JUNK, 550);
    }
    return count;
}

void pools_make(struct month *month, uint32_t attempts)
{
    enum { POOLS = 60 };
    static struct pool pools[POOLS];
    for (uint32_t i = 0; i < POOLS; i++)
        pool_make(month, i,
                  i % 12 == 11  ? POOL_NEIGHBOURS
                  : i % 6 == 4  ? POOL_PASSES
                  : i % 12 == 5 ? POOL_ONE_AS
                                : POOL_NAMED,
                  &pools[i]);
    uint32_t abused = attempts / 10000;
    for (uint32_t done = 0; done < attempts;) {
        const struct pool *pool = &pools[draw(month, 1 + (uint64_t)draw(month, POOLS))];
        if (abused && pool->kind != POOL_NEIGHBOURS) {
            abused--;
            done += pool_is_abused(month, pool);
        } else {
            done += pool_sends(month, pool);
        }
    }
}

/* --- newsletters ---------------------------------------------------------------------------------------- */

static struct slice newsletter_sender(struct month *month, const struct pool *pool, uint32_t issue, bool each)
{
    return each ? text_of(month, "bounce-%u-%u@mail.%.*s", issue, draw(month, 9000000),
                          SLICE_ARGS(pool->domain))
                : text_of(month, "news@mail.%.*s", SLICE_ARGS(pool->domain));
}

/* One issue to many mailboxes, a few of which are gone. */
static uint32_t newsletter_goes_out(struct month *month, const struct pool *pool, uint32_t issue,
                                    uint32_t most)
{
    const uint32_t count = draw_from(month, most / 10 + 1, most);
    const uint32_t octets = draw_from(month, 20000, 90000);
    const uint64_t body = random_next(&month->random) | 1;
    const int64_t start_ms = draw_time(month);
    const bool each = chance(month, 70), personal = chance(month, 50);
    uint32_t done = 0;
    for (uint32_t i = 0; i < count; i++, done++) {
        const bool gone = chance_of(month, 30);
        struct record *record = pool_record(month, pool, start_ms + draw(month, (uint64_t)(90 * MINUTE_MS)),
                                            newsletter_sender(month, pool, issue, each),
                                            gone ? nobody(month) : mailbox_any(month));
        record->octets = vary(month, octets, 15);
        record->body = personal ? random_next(&month->random) | 1 : body;
        if (gone)
            record_unknown(record, 1);
        else if (chance_of(month, 20))
            done += pool_retries(month, pool, record);
    }
    return done;
}

void newsletters_make(struct month *month, uint32_t attempts)
{
    enum { MAILERS = 20 };
    static struct pool mailers[MAILERS];
    const uint32_t most = attempts / 60 + 20;
    for (uint32_t i = 0; i < MAILERS; i++)
        pool_make(month, 100 + i, i % 5 == 4 ? POOL_PASSES : POOL_NAMED, &mailers[i]);
    uint32_t issue = 0;
    for (uint32_t done = 0; done < attempts; issue++)
        done += newsletter_goes_out(month, &mailers[draw(month, MAILERS)], issue, most);
}

/* --- mailing lists -------------------------------------------------------------------------------------- */

struct post {
    uint64_t body;
    uint32_t octets;
    int64_t unix_ms;
};

static uint32_t list_host(struct month *month, uint32_t i)
{
    return host_in(month, as_of_kind(month, chance(month, 50) ? AS_SCHOOL : AS_HOSTING), PTR_OWN,
                   MONTH_INNOCENT, SLICE("lists"), text_of(month, "club%u.example", i));
}

/* A list's host passes a post on to its members here, a copy each. Members are the same in every post. */
static uint32_t list_sends(struct month *month, uint32_t host, uint32_t list, const struct post *post)
{
    const uint32_t members = 3 + list * 7 % 40;
    for (uint32_t i = 0; i < members; i++) {
        const uint32_t member = (list / 3 * 1009 + i * 37) % MAILBOXES; /* three lists share their members */
        struct record *record = record_new(month, host, post->unix_ms + draw(month, 90000));
        record->helo = host_helo(month, host);
        record->sender = list % 2 ? text_of(month, "talk-bounces+m%u@club%u.example", member, list)
                                  : text_of(month, "talk-bounces@club%u.example", list);
        record->recipients = recipient_of(month, mailbox(month, member));
        record->recipient_count = 1;
        record->octets = vary(month, post->octets, 5);
        record->size = record->octets;
        record->body = post->body;
        record->spf_pass = chance(month, 80) ? text_of(month, "club%u.example", list) : SLICE_NONE;
        if (chance_of(month, 5)) {
            record_defer(month, record, FIND_GREY);
            record_accept(
                record_again(month, record, host, record->unix_ms + draw_from(month, 60000, 900000)));
        }
    }
    return members;
}

void lists_make(struct month *month, uint32_t attempts)
{
    enum { LISTS = 240 };
    uint32_t hosts[LISTS];
    for (uint32_t i = 0; i < LISTS; i++)
        hosts[i] = list_host(month, i);
    for (uint32_t done = 0; done < attempts;) {
        const uint32_t list = draw(month, LISTS);
        struct post post = {random_next(&month->random) | 1, draw_from(month, 2000, 30000), draw_time(month)};
        done += list_sends(month, hosts[list], list, &post);
        if (!chance(month, 8))
            continue;
        for (uint32_t other = list / 3 * 3; other < list / 3 * 3 + 3;
             other++) /* posted to related lists, too */
            if (other != list)
                done += list_sends(month, hosts[other], other, &post);
    }
}
