/* What a mail host sees every day: persons' mail, forwarders, a backup MX, monitoring, bounces, scanners, and
 * machines that try once. */
#include "part.h"

void background_make(struct month *month)
{
    const uint64_t all = month->settings.background;
    senders_make(month, (uint32_t)(all * 25 / 100));
    pools_make(month, (uint32_t)(all * 15 / 100));
    newsletters_make(month, (uint32_t)(all * 10 / 100));
    lists_make(month, (uint32_t)(all * 5 / 100));
    forwards_make(month, (uint32_t)(all * 2 / 100));
    backups_make(month, (uint32_t)(all * 1 / 100));
    monitors_make(month, (uint32_t)(all * 15 / 1000));
    bounces_make(month, (uint32_t)(all * 5 / 1000));
    scanners_make(month, (uint32_t)(all * 10 / 1000));
    strays_make(month, (uint32_t)(all * 40 / 100));
}

static struct record *to_one(struct month *month, uint32_t host, int64_t unix_ms, struct slice sender,
                             struct slice to)
{
    struct record *record = record_new(month, host, unix_ms);
    record->sender = sender;
    record->helo = host_helo(month, host);
    record->recipients = recipient_of(month, to);
    record->recipient_count = 1;
    record->octets = draw_octets(month);
    record->size = chance(month, 85) ? vary(month, record->octets, 20) : 0;
    record->body = random_next(&month->random) | 1;
    return record;
}

/* --- persons' mail from small hosts --------------------------------------------------------------------- */

static uint32_t small_host(struct month *month, uint32_t number)
{
    const uint32_t as = as_of_kind(month, chance(month, 70)   ? AS_HOSTING
                                          : chance(month, 50) ? AS_CLOUD
                                                              : AS_ACCESS);
    const struct slice domain = text_of(month, "firm%u.example", number);
    const uint32_t kind = draw(month, 100);
    return host_in(month, as,
                   kind < 90   ? PTR_OWN
                   : kind < 96 ? PTR_GENERIC
                   : kind < 99 ? PTR_FORGED
                               : PTR_NONE,
                   MONTH_INNOCENT, SLICE("mail"), domain);
}

/* A message, and what comes of it: taken, or deferred and brought again by the same host, or refused. */
static void person_sends(struct month *month, uint32_t host, uint32_t number)
{
    const struct slice local = person(month, draw(month, 40));
    const struct slice domain = text_of(month, "firm%u.example", number);
    const struct slice sender = text_of(month, "%.*s@%.*s", SLICE_ARGS(local), SLICE_ARGS(domain));
    const bool typo = chance_of(month, 12);
    struct record *record = to_one(month, host, draw_time(month), sender,
                                   typo ? nobody(month) : mailbox_any(month));
    const uint32_t luck = draw(month, 1000);
    record->spf_pass = chance(month, 70) ? domain : SLICE_NONE;
    if (typo) {
        record_unknown(record, 1);
    } else if (luck < 40) {
        record_defer(month, record, FIND_GREY);
        record = record_again(month, record, host, record->unix_ms + draw_from(month, 60000, 1800000));
        record_accept(record);
    } else if (luck < 43) {
        record_refuse(record, STAGE_END, FIND_HEADER_DUPLICATE, 550);
    }
}

/* A host that nobody has set up well: what it brings is deferred, its queue tries for days; or it is refused,
 * and the person tries once more. */
static void bad_host_sends(struct month *month, uint32_t number)
{
    const struct slice domain = text_of(month, "ill-kept%u.example", number);
    const struct slice local = person(month, draw(month, 5));
    const struct slice sender = text_of(month, "%.*s@%.*s", SLICE_ARGS(local), SLICE_ARGS(domain));
    const uint32_t host = host_in(month, as_of_kind(month, AS_ACCESS),
                                  chance(month, 50) ? PTR_NONE : PTR_GENERIC, MONTH_INNOCENT, SLICE("mail"),
                                  domain);
    const bool waits = chance(month, 60);
    const uint32_t tries = waits ? draw_from(month, 4, 14) : draw_from(month, 1, 4);
    int64_t at_ms = BEGIN_MS + draw(month, (uint64_t)(20 * DAY_MS / 1000)) * INT64_C(1000);
    struct record *record = to_one(month, host, at_ms, sender, mailbox_any(month));
    for (uint32_t i = 1; i <= tries; i++) {
        if (waits)
            record_defer(month, record, FIND_SPF_TEMPERROR);
        else
            record_refuse(record, STAGE_RCPT, FIND_SPF_FAIL, 550);
        if (i == tries)
            return;
        at_ms += waits ? (int64_t)draw_from(month, 900, 14400) * 1000
                       : (int64_t)draw_from(month, 7200, 200000) * 1000;
        record = record_again(month, record, host, at_ms);
        if (!waits)
            record->octets = draw_octets(month);
    }
}

void senders_make(struct month *month, uint32_t attempts)
{
    const uint32_t hosts = attempts / 12 + 1;
    const uint32_t first = (uint32_t)month->host_count;
    for (uint32_t i = 0; i < hosts; i++)
        small_host(month, i);
    for (uint32_t i = 0; i < attempts * 96 / 100; i++) {
        const uint32_t number = draw(month, 1 + (uint64_t)draw(month, hosts));
        person_sends(month, first + number, number);
    }
    for (uint32_t i = 0; i < attempts / 150; i++)
        bad_host_sends(month, i);
}

/* --- forwarders ----------------------------------------------------------------------------------------- */

/* What came for an address elsewhere goes on to the mailbox here, under its first sender. */
static void forward_one(struct month *month, uint32_t host, const struct record *like, int64_t unix_ms,
                        uint32_t luck)
{
    struct record *record = record_again(month, like, host, unix_ms);
    record->helo = host_helo(month, host);
    record->octets = vary(month, like->octets, 8);
    if (luck < 10) {
        record_refuse(record, STAGE_HEADER, FIND_MESSAGE_ID_ABSENT, 553);
        record->message_id_lacks = true;
    } else if (luck < 30) {
        record_defer(month, record, FIND_GREY);
        record = record_again(month, record, host, unix_ms + draw_from(month, 300000, 1800000));
        record_accept(record);
    }
}

void forwards_make(struct month *month, uint32_t attempts)
{
    enum { HOSTS = 300 };
    const uint32_t first = (uint32_t)month->host_count;
    for (uint32_t i = 0; i < HOSTS; i++)
        host_in(month, as_of_kind(month, AS_SCHOOL), PTR_OWN, MONTH_INNOCENT, SLICE("relay"),
                text_of(month, "school%u.example", i));
    while (attempts > 4) {
        const int64_t at_ms = draw_time(month);
        const struct slice local = letters(month, 4, 10);
        const struct slice sender = text_of(month, "%.*s@post%u.example", SLICE_ARGS(local), draw(month, 60));
        const struct slice owner = mailbox(month, draw(month, 600) * 31);
        const struct record like = *to_one(month, first + draw(month, HOSTS), at_ms, sender, owner);
        attempts--;
        if (draw(month, 100) >= 3) /* the usual: one forwarder, one copy */
            continue;
        const uint32_t luck = draw(month, 100); /* to all the addresses that a person has */
        for (uint32_t i = draw_from(month, 1, 3); i; i--, attempts--)
            forward_one(month, first + draw(month, HOSTS), &like, at_ms + draw(month, 150000), luck);
    }
}

/* --- the backup MX -------------------------------------------------------------------------------------- */

void backups_make(struct month *month, uint32_t attempts)
{
    uint32_t hosts[2];
    for (unsigned i = 0; i < 2; i++) {
        hosts[i] = host_in(month, as_of_kind(month, AS_HOSTING), PTR_OWN, MONTH_INNOCENT,
                           i ? SLICE("mx3") : SLICE("mx2"), SLICE("backup.example"));
        month->trusted[i].network = month->hosts[hosts[i]].address;
        month->trusted[i].bits = month->trusted[i].network.family == ADDRESS_IPV4 ? 32 : 128;
        month->trusted_count++;
    }
    for (uint32_t i = 0; i < attempts; i++) {
        const struct slice local = letters(month, 3, 12);
        const struct slice sender = text_of(month, "%.*s@post%u.example", SLICE_ARGS(local),
                                            draw(month, 900));
        const bool known = chance(month, 70);
        struct record *record = to_one(month, hosts[chance(month, 30)], draw_time(month), sender,
                                       known ? mailbox_any(month) : nobody(month));
        if (!known)
            record_unknown(record, 1);
        else if (chance(month, 25))
            record_refuse(record, STAGE_HEADER, FIND_MESSAGE_ID_ABSENT, 553);
    }
}

/* --- monitoring ----------------------------------------------------------------------------------------- */

struct service {
    uint32_t number;
    uint32_t hosts[6];
    uint32_t host_count;
    bool passes; /* SPF */
    bool sends;  /* a whole message, not just up to RCPT */
    struct slice sender;
    const struct slice *recipients;
};

/* From several places that have nothing in common but who rents them. */
static void service_make(struct month *month, uint32_t number, struct service *ret_service)
{
    struct service service = {.number = number, .host_count = draw_from(month, 3, 6)};
    const struct slice domain = text_of(month, "uptime%u.example", number);
    for (uint32_t i = 0; i < service.host_count; i++)
        service.hosts[i] = host_in(month, as_of_kind(month, chance(month, 50) ? AS_CLOUD : AS_HOSTING),
                                   number % 2 ? PTR_OWN : PTR_GENERIC, MONTH_INNOCENT,
                                   text_of(month, "probe%u", i), domain);
    service.passes = number % 3 == 0;
    service.sends = number % 4 == 1;
    service.sender = text_of(month, "probe@uptime%u.example", number);
    service.recipients = recipient_of(month, mailbox(month, number));
    *ret_service = service;
}

static void service_probes(struct month *month, const struct service *service, uint32_t turn, int64_t unix_ms)
{
    struct record *record = record_new(month, service->hosts[turn % service->host_count], unix_ms);
    record->helo = text_of(month, "probe.uptime%u.example", service->number);
    record->sender = service->sender;
    record->recipients = service->recipients;
    record->recipient_count = 1;
    record->spf_pass = service->passes ? text_of(month, "uptime%u.example", service->number) : SLICE_NONE;
    record->duration_ms = draw_from(month, 300, 900);
    if (service->sends) {
        record->octets = 900 + turn % 3;
        record->body = service->number + 77;
        return;
    }
    record->verdict = ATTEMPT_LEFT; /* it was told 250 and has seen enough */
    record->stage = STAGE_RCPT;
    record->went_on = false;
}

void monitors_make(struct month *month, uint32_t attempts)
{
    enum { SERVICES = 6 };
    const uint32_t each = attempts / SERVICES;
    for (uint32_t i = 0; i < SERVICES; i++) {
        struct service service;
        const int64_t every_ms = i % 2 ? MINUTE_MS : 5 * MINUTE_MS;
        int64_t at_ms = BEGIN_MS + draw(month, (uint64_t)DAY_MS);
        service_make(month, i, &service);
        for (uint32_t turn = 0; turn < each && at_ms < BEGIN_MS + MONTH_MS; turn++, at_ms += every_ms)
            service_probes(month, &service, turn, at_ms + draw(month, 2000));
    }
}

/* --- bounces -------------------------------------------------------------------------------------------- */

/* Somebody has forged our addresses: mail hosts all over the world send the bounces to us. */
void bounces_make(struct month *month, uint32_t attempts)
{
    enum { FLOODS = 6 };
    for (uint32_t flood = 0; flood < FLOODS; flood++) {
        const bool one = flood % 2 == 0; /* one address was forged, or invented ones of a domain of ours */
        const struct slice victim = mailbox_any(month);
        const uint32_t ours = draw(month, DOMAINS);
        const int64_t start_ms = draw_time(month);
        for (uint32_t i = 0; i < attempts / FLOODS; i++) {
            const uint32_t host = host_in(month, as_of_kind(month, AS_HOSTING),
                                          chance(month, 88) ? PTR_OWN : PTR_GENERIC, MONTH_INNOCENT,
                                          SLICE("mx"), text_of(month, "far%u-%u.example", flood, i));
            const struct slice local = letters(month, 5, 8);
            struct record *record = to_one(
                month, host, start_ms + draw(month, (uint64_t)(6 * HOUR_MS)), SLICE_NONE,
                one ? victim : text_of(month, "%.*s-y@house%u.example", SLICE_ARGS(local), ours));
            record->octets = draw_from(month, 3500, 6500);
            record->size = chance(month, 80) ? record->octets : 0;
            if (!one)
                record_unknown(record, 1);
        }
    }
}

/* --- scanners, and those who try once ------------------------------------------------------------------- */

void scanners_make(struct month *month, uint32_t attempts)
{
    for (uint32_t i = 0; i < attempts; i++) {
        struct record *record = record_new(month, host_stray(month), draw_time(month));
        if (chance(month, 40))
            record_refuse(record, STAGE_CONNECT, FIND_FOREIGN_PROTOCOL, 421);
        else {
            record->verdict = ATTEMPT_LEFT;
            record->stage = STAGE_CONNECT;
            record->code = 220;
            record->went_on = false;
        }
    }
}

static struct slice stray_helo(struct month *month, uint32_t host)
{
    switch (draw(month, 6)) {
    case 0: return letters(month, 5, 12);
    case 1: return text_of(month, "user-%u", draw(month, 100000));
    case 2: return SLICE("localhost");
    case 3: return text_of(month, "mail.brand%u.example", draw(month, 3000));
    default: return month->hosts[host].ptr.len ? month->hosts[host].ptr : SLICE("pc");
    }
}

static void stray_tries(struct month *month, uint32_t host, int64_t unix_ms)
{
    const struct slice local = letters(month, 4, 12);
    struct record *record = to_one(month, host, unix_ms,
                                   text_of(month, "%.*s@free%u.example", SLICE_ARGS(local), draw(month, 400)),
                                   chance(month, 85) ? mailbox_any(month) : nobody(month));
    const uint32_t luck = draw(month, 100);
    record->helo = stray_helo(month, host);
    record->size = chance(month, 10) ? record->octets : 0;
    record->message_id_lacks = chance(month, 30);
    if (luck < 45)
        record_refuse(record, STAGE_RCPT, FIND_LISTED, 550);
    else if (luck < 60)
        record_defer(month, record, FIND_GREY); /* and never comes again */
    else if (luck < 75)
        record_refuse(record, STAGE_HEADER,
                      record->message_id_lacks ? FIND_MESSAGE_ID_ABSENT : FIND_HEADER_JUNK, 553);
    else if (luck < 85)
        record_refuse(record, STAGE_CONNECT, FIND_EARLY_TALK, 421);
    else if (luck < 92)
        record_refuse(record, STAGE_RCPT, FIND_RELAY_DENIED, 550);
    else
        record_accept(record); /* spam that came through */
}

void strays_make(struct month *month, uint32_t attempts)
{
    while (attempts) {
        const uint32_t host = host_stray(month);
        const uint32_t visits = chance(month, 85) ? 1 : draw_from(month, 2, 3);
        for (uint32_t i = 0; i < visits && attempts; i++, attempts--)
            stray_tries(month, host, draw_time(month));
    }
}
