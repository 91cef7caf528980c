/* The records of a month, put into the order in which they come, and given out as attempts. */
#include "part.h"

#include "base/memory.h"

#include <stdlib.h>

#define ARRIVAL_MS UINT64_C(120000) /* how far the order of arrival is off */

/* --- records -------------------------------------------------------------------------------------------- */

struct record *record_new(struct month *month, uint32_t host, int64_t unix_ms)
{
    if (month->record_count == month->record_room) {
        const size_t room = month->record_room ? month->record_room * 2 : 4096;
        month->records = memory_resize(month->records, month->record_room * sizeof *month->records,
                                       room * sizeof *month->records);
        month->record_room = room;
    }
    struct record *record = &month->records[month->record_count++];
    *record = (struct record){
        .host = host, .unix_ms = unix_ms, .stage = STAGE_END, .code = 250, .went_on = true};
    record->duration_ms = draw_from(month, 600, 9000);
    record->lacks_ptr = chance_of(month, 10);
    record->lacks_spf = chance_of(month, 20);
    record->lacks_fingerprint = chance_of(month, 100);
    record->lacks_origin = chance_of(month, 30);
    return record;
}

void record_find(struct record *record, enum finding finding)
{
    for (unsigned i = 0; i < RECORD_FINDINGS; i++)
        if (!record->findings[i] || record->findings[i] == finding) {
            record->findings[i] = (uint8_t)finding;
            return;
        }
}

void record_accept(struct record *record)
{
    record->verdict = ATTEMPT_ACCEPTED;
    record->stage = STAGE_END;
    record->code = 250;
    record->went_on = true;
}

static void record_end(struct record *record, enum stage stage, enum finding finding, uint16_t code)
{
    record->stage = (uint8_t)stage;
    record->code = code;
    record->went_on = false;
    if (finding)
        record_find(record, finding);
}

void record_defer(struct month *month, struct record *record, enum finding finding)
{
    record->verdict = ATTEMPT_DEFERRED;
    record_end(record, finding == FIND_GREY_MESSAGE ? STAGE_END : STAGE_RCPT, finding, 450);
    record->duration_ms = draw_from(month, 300, 6000);
}

void record_refuse(struct record *record, enum stage stage, enum finding finding, uint16_t code)
{
    record->verdict = code == 421 ? ATTEMPT_DROPPED : ATTEMPT_REFUSED;
    record_end(record, stage, finding, code);
}

void record_unknown(struct record *record, uint16_t count)
{
    record_refuse(record, STAGE_RCPT, FIND_UNKNOWN_RECIPIENT, 550);
    record->unknown = count;
}

struct record *record_again(struct month *month, const struct record *before, uint32_t host, int64_t unix_ms)
{
    const struct record kept = *before;
    struct record *record = record_new(month, host, unix_ms);
    record->sender = kept.sender;
    record->helo = kept.helo;
    record->spf_pass = kept.spf_pass;
    record->recipients = kept.recipients;
    record->recipient_count = kept.recipient_count;
    record->tried = kept.tried;
    record->body = kept.body;
    record->octets = kept.octets;
    record->size = kept.size;
    record->campaign = kept.campaign;
    record->message_id_lacks = kept.message_id_lacks;
    return record;
}

/* --- order ---------------------------------------------------------------------------------------------- */

static int by_arrival(const void *one, const void *other)
{
    const struct record *a = one, *b = other;
    if (a->arrival_ms != b->arrival_ms)
        return a->arrival_ms < b->arrival_ms ? -1 : 1;
    return a->host != b->host ? (a->host < b->host ? -1 : 1)
                              : (a->unix_ms > b->unix_ms) - (a->unix_ms < b->unix_ms);
}

/* Most come at once, some late. */
static void records_order(struct month *month)
{
    for (size_t i = 0; i < month->record_count; i++) {
        struct record *record = &month->records[i];
        record->arrival_ms = record->unix_ms + record->duration_ms +
                             (int64_t)random_below(&month->random, chance(month, 10) ? ARRIVAL_MS : 1000);
    }
    qsort(month->records, month->record_count, sizeof *month->records, by_arrival);
}

/* --- truth ---------------------------------------------------------------------------------------------- */

static void addresses_note(struct month *month)
{
    table_init(&month->addresses, 1);
    for (size_t i = 0; i < month->host_count; i++) {
        struct host *host = &month->hosts[i];
        struct host *there = table_get(&month->addresses, slice_of((const char *)host->key, 16));
        if (!there || (there->role == MONTH_STRAY && host->role != MONTH_STRAY))
            table_put(&month->addresses, slice_of((const char *)host->key, 16), host);
        else if (there->role != MONTH_INNOCENT &&
                 host->role == MONTH_INNOCENT) /* chance gave both one address */
            there->role = MONTH_INNOCENT;
    }
}

static void truths_note(struct month *month)
{
    uint8_t *seen = memory_take(month->host_count + 1);
    for (size_t i = 0; i < month->record_count; i++) {
        const struct record *record = &month->records[i];
        if (!record->campaign)
            continue;
        struct month_truth *truth = &month->truths[record->campaign - 1];
        if (!truth->attempts || record->unix_ms < truth->first_ms)
            truth->first_ms = record->unix_ms;
        if (!truth->attempts || record->unix_ms > truth->last_ms)
            truth->last_ms = record->unix_ms;
        truth->attempts++;
        truth->hosts += !seen[record->host]; /* a host is of one campaign */
        seen[record->host] = 1;
    }
    memory_give(seen, month->host_count + 1);
}

enum month_role month_role(const struct month *month, const struct address *address)
{
    uint8_t key[16];
    address_key(address, key);
    const struct host *host = table_get(&month->addresses, slice_of((const char *)key, 16));
    return host ? host->role : MONTH_NOBODY;
}

/* --- giving out ----------------------------------------------------------------------------------------- */

static void fill_name(const struct record *record, const struct host *host, struct attempt *attempt)
{
    if (record->lacks_ptr)
        return;
    attempt->has |= ATTEMPT_HAS_PTR | ATTEMPT_HAS_POOL;
    attempt->ptr = host->ptr;
    attempt->ptr_confirmed = host->ptr_kind == PTR_OWN || host->ptr_kind == PTR_GENERIC;
    attempt->ptr_generic = host->ptr_kind == PTR_GENERIC;
    attempt->pool = host->domain;
}

static void fill_origin(const struct month *month, const struct record *record, const struct host *host,
                        struct attempt *attempt)
{
    const struct as *as = &month->as[host->as];
    if (record->lacks_origin || month->settings.without_origin)
        return;
    attempt->has |= ATTEMPT_HAS_ORIGIN;
    attempt->as_number = as->number;
    attempt->owner = as->owner;
    memcpy(attempt->country, as->country, sizeof as->country);
    host_netblock(host, &attempt->netblock);
}

static void fill_client(const struct month *month, const struct record *record, const struct host *host,
                        struct attempt *attempt)
{
    static const char *const prints[] = {
        "4:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0",
        "4:128:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0",
        "4:64:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0",
        "4:128:0:1460:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0",
        "4:64:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0",
        "4:64:0:1412:mss*10,4:mss,sok,ts,nop,ws:df,id+:0",
        "4:128:0:1440:8192,2:mss,nop,ws,nop,nop,sok:df,id+:0",
        "4:255:0:1460:4128,0:mss::0",
    };
    fill_name(record, host, attempt);
    fill_origin(month, record, host, attempt);
    if (!record->lacks_fingerprint) {
        attempt->has |= ATTEMPT_HAS_FINGERPRINT;
        attempt->fingerprint = slice_text(prints[host->fingerprint % 8]);
    }
    if (record->helo.len) {
        attempt->has |= ATTEMPT_HAS_HELO;
        attempt->helo = record->helo;
    }
}

static void fill_message(const struct record *record, struct attempt *attempt)
{
    attempt->has |= ATTEMPT_HAS_SENDER | ATTEMPT_HAS_RECIPIENTS | ATTEMPT_HAS_UNKNOWN;
    attempt->envelope = 1;
    attempt->sender = record->sender;
    attempt->recipients = record->recipients;
    attempt->recipient_count = record->recipient_count;
    attempt->recipients_tried = record->tried > record->recipient_count ? record->tried
                                                                        : record->recipient_count;
    attempt->recipients_unknown = record->unknown;
    if (!record->lacks_spf) {
        attempt->has |= ATTEMPT_HAS_SPF;
        attempt->spf_pass = record->spf_pass;
    }
    if (record->size) {
        attempt->has |= ATTEMPT_HAS_SIZE;
        attempt->size = record->size;
    }
    if (record->stage >= STAGE_HEADER && record->octets) {
        attempt->has |= ATTEMPT_HAS_OCTETS | ATTEMPT_HAS_MESSAGE_ID;
        attempt->octets = record->octets;
        attempt->message_id = !record->message_id_lacks;
    }
    if (record->stage == STAGE_END && record->body) {
        attempt->has |= ATTEMPT_HAS_BODY;
        attempt->body_digest = record->body;
    }
}

static void fill_findings(const struct record *record, const struct host *host, struct attempt *attempt)
{
    attempt->has |= ATTEMPT_HAS_FINDINGS;
    for (unsigned i = 0; i < RECORD_FINDINGS; i++)
        if (record->findings[i])
            attempt_finding_set(attempt, record->findings[i]);
    if (record->lacks_ptr)
        return;
    if (host->ptr_kind == PTR_NONE)
        attempt_finding_set(attempt, FIND_NO_PTR);
    if (host->ptr_kind == PTR_FORGED)
        attempt_finding_set(attempt, FIND_FORGED);
    if (host->ptr_kind == PTR_GENERIC)
        attempt_finding_set(attempt, FIND_PTR_GENERIC);
}

bool month_next(struct month *month, struct attempt *ret_attempt, uint32_t *ret_campaign)
{
    if (month->at == month->record_count)
        return false;
    const struct record *record = &month->records[month->at++];
    const struct host *host = &month->hosts[record->host];
    struct attempt attempt = {
        .has = ATTEMPT_HAS_VERDICT | ATTEMPT_HAS_DURATION | ATTEMPT_HAS_END,
        .id = month->at,
        .unix_ms = record->unix_ms,
        .duration_ms = record->duration_ms,
        .peer = host->address,
        .verdict = (enum attempt_verdict)record->verdict,
        .code = record->code,
        .gave_up = !record->went_on,
    };
    fill_client(month, record, host, &attempt);
    if (record->stage > STAGE_CONNECT)
        fill_message(record, &attempt);
    fill_findings(record, host, &attempt);
    *ret_attempt = attempt;
    *ret_campaign = record->campaign;
    return true;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

struct month *month_new(const struct month_settings *settings)
{
    struct month *month = memory_take(sizeof *month);
    month->settings = *settings;
    month->random.state = settings->seed;
    month->random.state = random_next(&month->random); /* near seeds are to have nothing in common */
    month->used = memory_take(USED_OCTETS);
    arena_init(&month->texts, NULL, 0);
    world_make(month);
    background_make(month);
    campaigns_make(month);
    records_order(month);
    addresses_note(month);
    truths_note(month);
    return month;
}

size_t month_attempts(const struct month *month)
{
    return month->record_count;
}

size_t month_hosts(const struct month *month)
{
    return month->host_count;
}

size_t month_campaigns(const struct month *month)
{
    return month->truth_count;
}

const struct month_truth *month_truth(const struct month *month, uint32_t campaign)
{
    return &month->truths[campaign - 1];
}

const char *month_kind_word(enum month_kind kind)
{
    static const char *const words[MONTH_KINDS] = {
        "none", "relay-rotation", "botnet", "repeat-host", "repeat-netblock", "dictionary", "open-proxy"};
    return words[kind];
}

const struct prefix *month_trusted(const struct month *month, size_t index)
{
    return index < month->trusted_count ? &month->trusted[index] : NULL;
}

void month_free(struct month *month)
{
    if (!month)
        return;
    table_drop(&month->addresses);
    memory_give(month->used, USED_OCTETS);
    memory_give(month->hosts, month->host_room * sizeof *month->hosts);
    memory_give(month->records, month->record_room * sizeof *month->records);
    memory_give(month->truths, month->truth_room * sizeof *month->truths);
    arena_drop(&month->texts);
    memory_give(month, sizeof *month);
}
