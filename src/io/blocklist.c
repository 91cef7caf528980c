#include "io/blocklist.h"
#include "base/memory.h"
#include "io/blocklist_part.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t clock_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- words --------------------------------------------------------------------------------------------- */

static const char *test_entry(const struct address *code)
{
    return code->family == ADDRESS_IPV6 ? "::ffff:7f00:" : "127.0.0.";
}

struct slice blocklist_trouble_words(enum blocklist_trouble trouble, const struct address *code,
                                     char room[BLOCKLIST_WORDS_MAX])
{
    char text[ADDRESS_TEXT_SIZE];
    int len = 0;
    address_print(code, text);
    switch (trouble) {
    case BLOCKLIST_NO_TROUBLE: break;
    case BLOCKLIST_UNANSWERED: return SLICE("does not answer");
    case BLOCKLIST_EMPTY:
        len = snprintf(room, BLOCKLIST_WORDS_MAX,
                       "does not list %s2, as it must (RFC 5782): it is empty or gone", test_entry(code));
        break;
    case BLOCKLIST_EVERYTHING:
        len = snprintf(room, BLOCKLIST_WORDS_MAX,
                       "lists %s1, which must not be listed (RFC 5782): it lists everything",
                       test_entry(code));
        break;
    case BLOCKLIST_ERROR:
        len = snprintf(room, BLOCKLIST_WORDS_MAX, "answers %s: %s", text, dnsbl_error_words(code));
        break;
    case BLOCKLIST_OUTSIDE:
        len = snprintf(room, BLOCKLIST_WORDS_MAX, "answers %s, which is outside 127.0.0.0/8", text);
        break;
    }
    return slice_of(room, len > 0 ? (size_t)len : 0);
}

/* From the lowest: one and the state, the trouble, the code's family, and four octets of it: codes of IPv4
 * are all that lists give, and of any other its family says enough. */
uint64_t blocklist_condition_pack(const struct blocklist_counts *counts)
{
    const uint8_t *octets = counts->code.octets;
    const uint64_t code = (uint64_t)octets[0] << 24 | (uint64_t)octets[1] << 16 | (uint64_t)octets[2] << 8 |
                          octets[3];
    return code << 32 | (uint64_t)counts->code.family << 16 | (uint64_t)counts->trouble << 8 |
           ((uint64_t)counts->state + 1);
}

bool blocklist_condition_unpack(uint64_t condition, struct blocklist_counts *ret_counts)
{
    uint8_t octets[16] = {0};
    if (!condition)
        return false;
    for (unsigned i = 0; i < 4; i++)
        octets[i] = (uint8_t)(condition >> (56 - 8 * i));
    ret_counts->state = (enum blocklist_state)((condition & 255) - 1);
    ret_counts->trouble = (enum blocklist_trouble)(condition >> 8 & 255);
    ret_counts->code = (struct address){.family = (uint8_t)(condition >> 16)};
    memcpy(ret_counts->code.octets, octets, sizeof octets);
    return true;
}

static struct slice failure_words(const struct blocklist_item *list, enum blocklist_trouble trouble,
                                  const struct address *code)
{
    char words[BLOCKLIST_WORDS_MAX];
    const struct slice what = blocklist_trouble_words(trouble, code, words);
    const bool off = list->counts.state == BLOCKLIST_OFF;
    const int len = snprintf(list->lists->value, BLOCKLIST_VALUE_MAX, "the list %s%.*s",
                             off ? "is switched off: it " : "", SLICE_ARGS(what));
    return slice_of(list->lists->value, (size_t)len);
}

/* --- answers ------------------------------------------------------------------------------------------- */

enum blocklist_trouble answer_trouble(const struct resolver_answer *answer, struct address *ret_code)
{
    if (answer->status == ANSWER_NONE)
        return BLOCKLIST_NO_TROUBLE;
    if (answer->status != ANSWER_FOUND)
        return BLOCKLIST_UNANSWERED;
    switch (dnsbl_answer_read(answer->value, ret_code)) {
    case DNSBL_LISTED: return BLOCKLIST_NO_TROUBLE;
    case DNSBL_ERROR: return BLOCKLIST_ERROR;
    case DNSBL_OUTSIDE: break;
    }
    return BLOCKLIST_OUTSIDE;
}

static void failed(struct blocklist_item *list, const struct resolver_answer *asked,
                   enum blocklist_trouble trouble, const struct address *code,
                   struct resolver_answer *ret_answer)
{
    list->counts.failed++;
    *ret_answer = (struct resolver_answer){.status = ANSWER_FAILED};
    if (trouble == BLOCKLIST_UNANSWERED) { /* the resolver's own words */
        const size_t len = asked->value.len < BLOCKLIST_VALUE_MAX ? asked->value.len : BLOCKLIST_VALUE_MAX;
        memcpy(list->lists->value, asked->value.at, len);
        ret_answer->value = slice_of(list->lists->value, len);
        ret_answer->gone = asked->gone;
    } else {
        ret_answer->value = failure_words(list, trouble, code);
    }
    if (++list->row >= BLOCKLIST_ROW) {
        list->row = 0;
        probe_soon(list);
    }
}

/* A reason that names the zone would give its key away. */
static bool shows_zone(const struct blocklist_item *list, struct slice reason)
{
    if (slice_equal_fold(list->name, list->zone))
        return false;
    for (size_t i = 0; i + list->zone.len <= reason.len; i++)
        if (slice_starts_fold(slice_from(reason, i), list->zone))
            return true;
    return false;
}

static struct resolver_answer found(struct blocklist_waiter *waiter, const struct resolver_answer *text)
{
    struct blocklist_item *list = waiter->list;
    char *value = list->lists->value, reason[DNSBL_REASON_MAX];
    size_t len = waiter->codes_len;
    const struct slice said = text->status == ANSWER_FOUND ? dnsbl_reason(text->value, reason) : SLICE_NONE;
    memcpy(value, waiter->codes, len);
    if (said.len && !shows_zone(list, said)) {
        value[len++] = '\n';
        memcpy(value + len, said.at, said.len);
        len += said.len;
    }
    list->counts.listed++;
    return (struct resolver_answer){.status = ANSWER_FOUND, .value = slice_of(value, len)};
}

/* Codes beyond the room are left out, whole ones only. */
static void codes_keep(struct blocklist_waiter *waiter, struct slice codes)
{
    size_t len = codes.len;
    if (len > sizeof waiter->codes) {
        len = slice_find_last(slice_head(codes, sizeof waiter->codes), ' ');
        assert(len != SLICE_NOT_FOUND);
    }
    memcpy(waiter->codes, codes.at, len);
    waiter->codes_len = (uint16_t)len;
}

static bool ask_type(struct blocklist_waiter *waiter, enum dns_type type, struct resolver_answer *ret_answer)
{
    char room[DNSBL_NAME_MAX];
    const struct slice name = dnsbl_name(&waiter->address, waiter->list->zone, room);
    return resolver_ask(waiter->list->lists->settings.resolver, type, name, &waiter->asks, ret_answer);
}

static void tell(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    list_remove(&waiter->link);
    waiter->done(waiter, answer);
}

static void text_came(struct resolver_waiter *asks, const struct resolver_answer *text)
{
    struct blocklist_waiter *waiter = LIST_OF(asks, struct blocklist_waiter, asks);
    const struct resolver_answer answer = found(waiter, text);
    tell(waiter, &answer);
}

/* True: *ret_answer is it. False: the reason is being asked for. */
static bool codes_judge(struct blocklist_waiter *waiter, const struct resolver_answer *codes,
                        struct resolver_answer *ret_answer)
{
    struct blocklist_item *list = waiter->list;
    struct address code = {.family = ADDRESS_NONE};
    const enum blocklist_trouble trouble = answer_trouble(codes, &code);
    struct resolver_answer text = {.status = ANSWER_NONE};
    if (trouble != BLOCKLIST_NO_TROUBLE) {
        failed(list, codes, trouble, &code, ret_answer);
        return true;
    }
    list->row = 0;
    if (codes->status == ANSWER_NONE) {
        *ret_answer = (struct resolver_answer){.status = ANSWER_NONE};
        return true;
    }
    codes_keep(waiter, codes->value);
    waiter->asks.done = text_came;
    if (list->reasons && !ask_type(waiter, DNS_TXT, &text))
        return false;
    *ret_answer = found(waiter, &text);
    return true;
}

static void codes_came(struct resolver_waiter *asks, const struct resolver_answer *codes)
{
    struct blocklist_waiter *waiter = LIST_OF(asks, struct blocklist_waiter, asks);
    struct blocklist_item *list = waiter->list;
    struct resolver_answer answer;
    list->counts.waited++;
    list->counts.took_us += clock_now_us() - waiter->asked_us;
    if (codes_judge(waiter, codes, &answer))
        tell(waiter, &answer);
}

/* --- questions ----------------------------------------------------------------------------------------- */

static struct blocklist_item *list_find(struct blocklists *lists, struct slice name)
{
    for (size_t i = 0; i < lists->count; i++)
        if (slice_equal(lists->items[i].name, name))
            return &lists->items[i];
    return NULL;
}

/* Most are answered from what the resolver has kept: the clock is read only where one has to wait. */
static bool ask(struct blocklist_waiter *waiter, struct resolver_answer *ret_answer)
{
    struct blocklist_item *list = waiter->list;
    struct resolver_answer codes;
    if (list->counts.state != BLOCKLIST_WORKS) {
        const bool off = list->counts.state == BLOCKLIST_OFF;
        list->counts.failed++;
        *ret_answer = (struct resolver_answer){
            .status = ANSWER_FAILED,
            .value = off ? failure_words(list, list->counts.trouble, &list->counts.code)
                         : SLICE("the list has not been heard yet")};
        return true;
    }
    waiter->asks.done = codes_came;
    if (ask_type(waiter, DNS_A, &codes)) {
        if (codes_judge(waiter, &codes, ret_answer))
            return true;
    } else {
        waiter->asked_us = clock_now_us();
    }
    list_add_last(&list->waiting, &waiter->link);
    return false;
}

bool blocklists_ask(struct blocklists *lists, struct slice name, const struct address *address,
                    struct blocklist_waiter *waiter, struct resolver_answer *ret_answer)
{
    struct blocklist_item *list = list_find(lists, name);
    list_init(&waiter->link);
    list_init(&waiter->asks.link);
    if (!list) {
        *ret_answer = (struct resolver_answer){.status = ANSWER_FAILED, .value = SLICE("no such list")};
        return true;
    }
    list->counts.asked++;
    if (!(address->family == ADDRESS_IPV4 ? list->ipv4 : list->ipv6)) {
        *ret_answer = (struct resolver_answer){.status = ANSWER_NONE};
        return true;
    }
    waiter->list = list;
    waiter->address = *address;
    if (list->counts.state != BLOCKLIST_UNPROVED || !list->probe.open)
        return ask(waiter, ret_answer);
    list_add_last(&list->held, &waiter->link);
    return false;
}

void held_release(struct blocklist_item *list)
{
    struct link held;
    if (list_is_empty(&list->held))
        return;
    held = list->held;
    held.next->prev = held.prev->next = &held;
    list_init(&list->held);
    while (!list_is_empty(&held)) {
        struct blocklist_waiter *waiter = LIST_OF(held.next, struct blocklist_waiter, link);
        struct resolver_answer answer;
        list_remove(&waiter->link);
        if (ask(waiter, &answer))
            waiter->done(waiter, &answer);
    }
}

/* --- their life ---------------------------------------------------------------------------------------- */

static void list_begin(struct blocklists *lists, struct blocklist_item *list,
                       const struct blocklist_settings *settings)
{
    list->lists = lists;
    list->name = arena_copy(&lists->arena, settings->name);
    list->zone = arena_copy(&lists->arena, settings->zone);
    list->reasons = settings->reasons;
    list->probes = settings->probes;
    list->ipv4 = settings->ipv4;
    list->ipv6 = settings->ipv6;
    list_init(&list->waiting);
    list_init(&list->held);
    probe_begin(list);
}

struct blocklists *blocklists_open(const struct blocklists_settings *settings)
{
    struct blocklists *lists = memory_take(sizeof *lists);
    lists->settings = *settings;
    lists->settings.lists = NULL;
    lists->count = settings->count;
    arena_init(&lists->arena, NULL, 0);
    lists->items = memory_take((lists->count + 1) * sizeof *lists->items);
    for (size_t i = 0; i < lists->count; i++)
        list_begin(lists, &lists->items[i], &settings->lists[i]);
    return lists;
}

static void waiters_drop(struct link *waiters)
{
    while (!list_is_empty(waiters)) {
        struct blocklist_waiter *waiter = LIST_OF(waiters->next, struct blocklist_waiter, link);
        list_remove(&waiter->link);
        resolver_forget(&waiter->asks);
    }
}

void blocklists_close(struct blocklists *lists)
{
    if (!lists)
        return;
    for (size_t i = 0; i < lists->count; i++) {
        probe_end(&lists->items[i]);
        waiters_drop(&lists->items[i].waiting);
        waiters_drop(&lists->items[i].held);
    }
    memory_give(lists->items, (lists->count + 1) * sizeof *lists->items);
    arena_drop(&lists->arena);
    memory_give(lists, sizeof *lists);
}

void blocklists_counts(const struct blocklists *lists, size_t list, struct blocklist_counts *ret_counts)
{
    assert(list < lists->count);
    *ret_counts = lists->items[list].counts;
}
