#include "journal/redact.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "wire/command.h"

#include <stdio.h>

#define HIDDEN   "(hidden)"
#define TEXT_MAX (8u * EVENT_SIZE_MAX)

struct redaction {
    struct arena arena;   /* keys and stand-ins */
    struct table persons; /* local part, lower case: struct person */
    struct table hosts;   /* 16 octets of an address: struct host */
    unsigned person_count;
    unsigned host_count[2]; /* IPv4, IPv6 */
};

struct person {
    unsigned number; /* from 1; 0: the name stays */
};

struct host {
    struct address stand_in;
};

/* Keys are strangers' words; the table lives as long as one export, and what it holds is in the journal
 * already. */
#define SEED 0x9e3779b97f4a7c15

struct redaction *redaction_new(void)
{
    struct redaction *redaction = memory_take(sizeof *redaction);
    arena_init(&redaction->arena, NULL, 0);
    table_init(&redaction->persons, SEED);
    table_init(&redaction->hosts, SEED);
    return redaction;
}

void redaction_free(struct redaction *redaction)
{
    if (!redaction)
        return;
    table_drop(&redaction->persons);
    table_drop(&redaction->hosts);
    arena_drop(&redaction->arena);
    memory_give(redaction, sizeof *redaction);
}

/* --- persons ------------------------------------------------------------------------------------------- */

/* New ones have the number 0. */
static struct person *person_of(struct redaction *redaction, struct slice local, bool *ret_new)
{
    char *key = arena_take(&redaction->arena, local.len + 1);
    for (size_t i = 0; i < local.len; i++)
        key[i] = text_lower(local.at[i]);
    struct person *person = table_get(&redaction->persons, slice_of(key, local.len));
    *ret_new = !person;
    if (!person) {
        person = arena_take(&redaction->arena, sizeof *person);
        table_put(&redaction->persons, slice_of(key, local.len), person);
    }
    return person;
}

static void put_person(struct redaction *redaction, struct slice local, struct buf *out)
{
    bool new;
    struct person *person = person_of(redaction, local, &new);
    if (new)
        person->number = ++redaction->person_count;
    if (person->number)
        buf_add_format(out, "person-%u", person->number);
    else
        buf_add(out, local);
}

void redaction_keep_person(struct redaction *redaction, struct slice local)
{
    bool new;
    person_of(redaction, local, &new)->number = 0;
}

/* --- hosts --------------------------------------------------------------------------------------------- */

static struct address documentation4(unsigned number)
{
    static const uint8_t blocks[3][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
    struct address address = {.family = ADDRESS_IPV4};
    if (number < 3 * 254) {
        memcpy(address.octets, blocks[number / 254], 3);
        address.octets[3] = (uint8_t)(number % 254 + 1);
        return address;
    }
    /* More than the documentation has: the benchmarks' (RFC 2544). */
    number -= 3 * 254;
    address.octets[0] = 198;
    address.octets[1] = (uint8_t)(18 + (number >> 16) % 2);
    address.octets[2] = (uint8_t)(number >> 8);
    address.octets[3] = (uint8_t)number;
    return address;
}

static struct address documentation6(unsigned number)
{
    struct address address = {.family = ADDRESS_IPV6, .octets = {0x20, 1, 0xd, 0xb8}};
    for (unsigned i = 0; i < 4; i++)
        address.octets[15 - i] = (uint8_t)((number + 1) >> (8 * i));
    return address;
}

static struct host *host_find(const struct redaction *redaction, const struct address *address)
{
    uint8_t key[16];
    address_key(address, key);
    return table_get(&redaction->hosts, slice_of((const char *)key, sizeof key));
}

static struct address stand_in(struct redaction *redaction, const struct address *address)
{
    struct host *host = host_find(redaction, address);
    struct address result;
    if (address_is_loopback(address) || address_is_unspecified(address) || !address->family)
        return *address;
    if (!host) {
        const bool six = address->family == ADDRESS_IPV6;
        char *key = arena_take(&redaction->arena, 16);
        address_key(address, (uint8_t *)key);
        host = arena_take(&redaction->arena, sizeof *host);
        host->stand_in = six ? documentation6(redaction->host_count[1]++)
                             : documentation4(redaction->host_count[0]++);
        table_put(&redaction->hosts, slice_of(key, 16), host);
    }
    result = host->stand_in;
    result.port = address->port;
    return result;
}

void redaction_keep_host(struct redaction *redaction, const struct address *address)
{
    struct host *host = host_find(redaction, address);
    if (!host) {
        char *key = arena_take(&redaction->arena, 16);
        address_key(address, (uint8_t *)key);
        host = arena_take(&redaction->arena, sizeof *host);
        table_put(&redaction->hosts, slice_of(key, 16), host);
    }
    host->stand_in = *address;
}

static struct address turned_round(const struct address *address)
{
    struct address turned = *address;
    for (unsigned i = 0; i < 4; i++)
        turned.octets[i] = address->octets[3 - i];
    return turned;
}

/* --- addresses in texts -------------------------------------------------------------------------------- */

static bool is_hex(char octet)
{
    return text_hex_digit(octet) >= 0;
}

static size_t run_of(struct slice text, bool (*is)(char octet))
{
    size_t len = 0;
    while (len < text.len && is(text.at[len]))
        len++;
    return len;
}

/* Four numbers up to 255 with the same mark between them: "36.37.0.13", "36-37-0-13". Their length, or 0. */
static size_t four_numbers(struct slice text, struct address *ret_address, char *ret_mark)
{
    struct address address = {.family = ADDRESS_IPV4};
    size_t at = 0;
    char mark = 0;
    for (unsigned i = 0; i < 4; i++) {
        const size_t digits = run_of(slice_from(text, at), text_is_digit);
        uint64_t number;
        if (!digits || digits > 3 || !text_parse_u64(slice_of(text.at + at, digits), &number) || number > 255)
            return 0;
        address.octets[i] = (uint8_t)number;
        at += digits;
        if (i == 3)
            break;
        if (at >= text.len || (text.at[at] != '.' && text.at[at] != '-' && text.at[at] != '_') ||
            (mark && text.at[at] != mark))
            return 0;
        mark = text.at[at++];
    }
    *ret_address = address;
    *ret_mark = mark;
    return at;
}

static void put_numbers(const struct address *address, char mark, struct buf *out)
{
    for (unsigned i = 0; i < 4; i++)
        buf_add_format(out, "%u%.*s", address->octets[i], i < 3, &mark);
}

/* Names of access lines and zones of lists have the octets the other way round. */
static void put_four(struct redaction *redaction, const struct address *address, char mark, struct buf *out)
{
    const struct address turned = turned_round(address);
    if (!host_find(redaction, address) && host_find(redaction, &turned)) {
        const struct address shown = stand_in(redaction, &turned), back = turned_round(&shown);
        put_numbers(&back, mark, out);
    } else {
        const struct address shown = stand_in(redaction, address);
        put_numbers(&shown, mark, out);
    }
}

/* Twelve digits or eight hexadecimal ones that are an address which is known already. */
static size_t packed(struct redaction *redaction, struct slice text, struct buf *out)
{
    const size_t digits = run_of(text, text_is_digit), hex = run_of(text, is_hex);
    struct address address = {.family = ADDRESS_IPV4};
    const bool decimal = digits == 12;
    if (!decimal && hex != 8)
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t number = 0;
        const bool read = decimal ? text_parse_u64(slice_of(text.at + 3 * i, 3), &number)
                                  : text_parse_hex(slice_of(text.at + 2 * i, 2), &number);
        if (!read || number > 255)
            return 0;
        address.octets[i] = (uint8_t)number;
    }
    if (!host_find(redaction, &address))
        return 0;
    address = stand_in(redaction, &address);
    for (unsigned i = 0; i < 4; i++)
        buf_add_format(out, decimal ? "%03u" : "%02x", address.octets[i]);
    return decimal ? 12 : 8;
}

static bool is_of_ipv6(char octet)
{
    return is_hex(octet) || octet == ':' || octet == '.';
}

static size_t six(struct redaction *redaction, struct slice text, struct buf *out)
{
    char shown[ADDRESS_TEXT_SIZE];
    struct address address;
    size_t len = run_of(text, is_of_ipv6);
    /* A dot or colon that ends a sentence is no part of it. */
    while (len > 2 && !(address_parse(slice_of(text.at, len), &address) && address.family == ADDRESS_IPV6)) {
        const char last = text.at[len - 1];
        if (last != '.' && last != ':')
            return 0;
        len--;
    }
    if (len <= 2)
        return 0;
    address = stand_in(redaction, &address);
    address_print(&address, shown);
    buf_add(out, slice_text(shown));
    return len;
}

/* What stands at the front, where a number or a name may begin. Its length, or 0: it is no address. */
static size_t host_at(struct redaction *redaction, struct slice text, struct buf *out)
{
    struct address address;
    char mark;
    size_t len = four_numbers(text, &address, &mark);
    if (len && (len == text.len || !text_is_digit(text.at[len]))) {
        put_four(redaction, &address, mark, out);
        return len;
    }
    len = packed(redaction, text, out);
    return len ? len : six(redaction, text, out);
}

/* --- persons in texts ---------------------------------------------------------------------------------- */

static bool is_local(char octet)
{
    static const char marks[] = "!#$%&'*+-/=?^_`{|}~.";
    return text_is_alnum(octet) || (unsigned char)octet >= 0x80 || (octet && strchr(marks, octet));
}

/* The local part that ends before an @, as much of it as was not passed yet. */
static size_t local_before(struct slice passed)
{
    size_t from = passed.len;
    if (from && passed.at[from - 1] == '"') {
        while (--from && passed.at[from - 1] != '"')
            ;
        return from ? from - 1 : 0;
    }
    while (from && is_local(passed.at[from - 1]))
        from--;
    return from;
}

static bool is_domain_start(struct slice text)
{
    return text.len && (text_is_alnum(text.at[0]) || text.at[0] == '[' || (unsigned char)text.at[0] >= 0x80);
}

/* The next place where a local part begins that ends at an @, or the end. */
static size_t next_person(struct slice text, size_t from, size_t *ret_end)
{
    for (size_t at = from; at < text.len; at++) {
        if (text.at[at] != '@' || !is_domain_start(slice_from(text, at + 1)))
            continue;
        const size_t begin = from + local_before(slice_of(text.at + from, at - from));
        if (begin < at) {
            *ret_end = at;
            return begin;
        }
    }
    return text.len;
}

/* Whether an address may begin behind this octet: not within a number or name. "mail36-37-0-13" has one
 * behind its letters. */
static bool may_begin(char last, char next)
{
    if (text_is_digit(last))
        return false;
    return !is_hex(last) || text_is_digit(next);
}

static void put_hosts(struct redaction *redaction, struct slice text, struct buf *out)
{
    bool may = true;
    while (text.len) {
        const bool prefix = slice_starts_fold(text, SLICE("IPv6:"));
        size_t len = may && !prefix ? host_at(redaction, text, out) : 0;
        if (!len) {
            len = prefix ? 5 : 1;
            buf_add(out, slice_head(text, len));
        }
        const char last = text.at[len - 1];
        text = slice_from(text, len);
        may = text.len && may_begin(last, text.at[0]);
    }
}

struct slice redaction_text(struct redaction *redaction, struct slice text, struct arena *arena)
{
    struct buf out;
    size_t at = 0;
    buf_init(&out, TEXT_MAX);
    while (at < text.len) {
        size_t end = text.len;
        const size_t begin = next_person(text, at, &end);
        put_hosts(redaction, slice_of(text.at + at, begin - at), &out);
        if (begin < end)
            put_person(redaction, slice_of(text.at + begin, end - begin), &out);
        at = begin < end ? end : text.len;
        /* The @ itself. */
        if (at < text.len) {
            buf_add_octet(&out, '@');
            at++;
        }
    }
    struct slice shown = arena_copy(arena, buf_slice(&out));
    buf_drop(&out);
    return shown;
}

/* --- what is hidden as a whole ------------------------------------------------------------------------- */

/* "Subject: …" and the names of people in front of their addresses, sent where commands belong. */
static struct slice without_header(struct slice line, struct arena *arena)
{
    static const char *const names[] = {"Subject:", "From:", "To:", "Cc:", "Bcc:", "Sender:", "Reply-To:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct slice name = slice_text(names[i]);
        if (slice_starts_fold(line, name))
            return arena_format(arena, "%.*s %s", (int)name.len, line.at, HIDDEN);
    }
    return line;
}

/* VRFY and EXPN name people without a domain. */
static struct slice without_people(struct slice line, struct arena *arena)
{
    struct command command;
    command_parse(line, &command);
    if ((command.verb == VERB_VRFY || command.verb == VERB_EXPN) && command.argument.len)
        return arena_format(arena, "%.*s %s", SLICE_ARGS(command.word), HIDDEN);
    return command.header_like ? without_header(line, arena) : line;
}

static struct slice quoted_header(struct slice evidence, struct arena *arena)
{
    const size_t quote = slice_find(evidence, '"');
    if (quote == SLICE_NOT_FOUND)
        return evidence;
    const struct slice line = slice_from(evidence, quote + 1), shown = without_header(line, arena);
    if (shown.at == line.at)
        return evidence;
    return arena_format(arena, "%.*s%.*s\"", (int)quote + 1, evidence.at, SLICE_ARGS(shown));
}

/* A mailbox's name is a local part. */
static struct slice mailbox(struct redaction *redaction, struct slice name, struct arena *arena)
{
    if (!name.len || slice_find(name, '@') != SLICE_NOT_FOUND || slice_find(name, ':') != SLICE_NOT_FOUND ||
        slice_find(name, '[') != SLICE_NOT_FOUND || slice_find(name, '.') != SLICE_NOT_FOUND)
        return name;
    struct buf out;
    buf_init(&out, TEXT_MAX);
    put_person(redaction, name, &out);
    const struct slice shown = arena_copy(arena, buf_slice(&out));
    buf_drop(&out);
    return shown;
}

static void hide(struct slice *text)
{
    if (text->len)
        *text = SLICE(HIDDEN);
}

static void hide_whole(struct redaction *redaction, struct event *event, struct arena *arena)
{
    union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_line_received:
        body->line_received.text = without_people(body->line_received.text, arena);
        if (slice_ends_fold(body->line_received.text, SLICE(HIDDEN)))
            body->line_received.rest = SLICE_NONE;
        break;
    case EVENT_KIND_octets_seen:
        body->octets_seen.head = without_people(body->octets_seen.head, arena);
        break;
    case EVENT_KIND_finding: body->finding.evidence = quoted_header(body->finding.evidence, arena); break;
    case EVENT_KIND_verdict: body->verdict.reason = quoted_header(body->verdict.reason, arena); break;
    case EVENT_KIND_message_received:
        hide(&body->message_received.subject);
        if (slice_find(body->message_received.message_id, '@') == SLICE_NOT_FOUND)
            hide(&body->message_received.message_id);
        hide(&body->message_received.message_id_rest);
        break;
    case EVENT_KIND_delivered:
        body->delivered.target = mailbox(redaction, body->delivered.target, arena);
        break;
    case EVENT_KIND_delivery_deferred:
        body->delivery_deferred.target = mailbox(redaction, body->delivery_deferred.target, arena);
        break;
    case EVENT_KIND_delivery_failed:
        body->delivery_failed.target = mailbox(redaction, body->delivery_failed.target, arena);
        break;
    default: break;
    }
}

/* --- events -------------------------------------------------------------------------------------------- */

static void each_field(struct redaction *redaction, struct event *event, enum event_type type,
                       struct arena *arena)
{
    for (size_t i = 0; event->info && i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        void *value = (char *)&event->body + field->offset;
        if (field->type != type)
            continue;
        if (type == EVENT_TYPE_ADDRESS)
            *(struct address *)value = stand_in(redaction, value);
        else
            *(struct slice *)value = redaction_text(redaction, *(struct slice *)value, arena);
    }
}

static void texts(struct redaction *redaction, struct event *event, struct arena *arena)
{
    hide_whole(redaction, event, arena);
    each_field(redaction, event, EVENT_TYPE_TEXT, arena);
}

void redaction_event(struct redaction *redaction, struct event *event, struct arena *arena)
{
    each_field(redaction, event, EVENT_TYPE_ADDRESS, arena);
    texts(redaction, event, arena);
}

/* Addresses first: names that are made out of them can be told then. */
void redaction_apply(struct redaction *redaction, struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        each_field(redaction, &history->events[i], EVENT_TYPE_ADDRESS, &history->arena);
    for (size_t i = 0; i < history->count; i++)
        texts(redaction, &history->events[i], &history->arena);
}
