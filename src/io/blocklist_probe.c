/* Whether a list is to be believed: its test entries (RFC 5782 section 5). */
#include "io/blocklist_part.h"

/* --- what a probe shows -------------------------------------------------------------------------------- */

static void tell(struct blocklist_item *list, bool works, const char *reason)
{
    const struct blocklists_settings *settings = &list->lists->settings;
    if (settings->tell)
        settings->tell(settings->data, (size_t)(list - list->lists->items), works, reason);
}

static void timer_set(struct blocklist_item *list, uint64_t in_ms)
{
    struct loop *loop = list->lists->settings.loop;
    loop_timer_set(loop, &list->probe.timer, loop_now_ms(loop) + in_ms);
}

static void passed(struct blocklist_item *list)
{
    const bool news = list->counts.state == BLOCKLIST_OFF;
    list->counts.state = BLOCKLIST_WORKS;
    list->counts.trouble = BLOCKLIST_NO_TROUBLE;
    list->probe.unanswered = 0;
    timer_set(list, list->lists->settings.probe_each_ms);
    if (news)
        tell(list, true, "its test entries are as they should be again");
}

static void switch_off(struct blocklist_item *list)
{
    char room[BLOCKLIST_WORDS_MAX], reason[BLOCKLIST_WORDS_MAX + 8];
    const struct probe *probe = &list->probe;
    const bool news = list->counts.state != BLOCKLIST_OFF;
    list->counts.state = BLOCKLIST_OFF;
    list->counts.trouble = probe->trouble;
    list->counts.code = probe->code;
    timer_set(list, list->lists->settings.retry_ms);
    const struct slice words = blocklist_trouble_words(probe->trouble, &probe->code, room);
    memcpy(reason, "it ", 3);
    memcpy(reason + 3, words.at, words.len);
    reason[3 + words.len] = '\0';
    if (news)
        tell(list, false, reason);
}

static bool nobody_answers_at_all(const struct blocklist_item *list)
{
    struct resolver_counts counts;
    resolver_counts(list->lists->settings.resolver, &counts);
    return counts.state == RESOLVER_SILENT;
}

/* Once may be chance. Where no name server answers, the list is not to blame, and stays what it was. */
static void unanswered(struct blocklist_item *list)
{
    const uint64_t retry_ms = list->lists->settings.retry_ms;
    if (nobody_answers_at_all(list))
        list->probe.unanswered = 0;
    else if (++list->probe.unanswered >= 2) {
        switch_off(list);
        return;
    }
    timer_set(list, retry_ms < BLOCKLIST_AGAIN_MS ? retry_ms : BLOCKLIST_AGAIN_MS);
}

static void conclude(struct blocklist_item *list)
{
    switch (list->probe.trouble) {
    case BLOCKLIST_NO_TROUBLE: passed(list); break;
    case BLOCKLIST_UNANSWERED:
        if (list->counts.state == BLOCKLIST_OFF)
            timer_set(list, list->lists->settings.retry_ms);
        else
            unanswered(list);
        break;
    case BLOCKLIST_EMPTY:
    case BLOCKLIST_EVERYTHING:
    case BLOCKLIST_ERROR:
    case BLOCKLIST_OUTSIDE: switch_off(list); break;
    }
    held_release(list);
}

/* --- its questions ------------------------------------------------------------------------------------- */

/* RFC 5782 writes IPv6's as ::FFFF:7F00:2: IPv4-mapped, but asked for by nibbles. */
static struct address point_address(const struct blocklist_item *list, enum probe_point point)
{
    const uint8_t last = point == PROBE_LISTED ? 2 : 1;
    const uint8_t ipv4[4] = {127, 0, 0, last};
    const uint8_t ipv6[16] = {[10] = 0xff, 0xff, 127, 0, 0, last};
    struct address address = {.family = list->ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
    memcpy(address.octets, list->ipv4 ? ipv4 : ipv6, list->ipv4 ? sizeof ipv4 : sizeof ipv6);
    return address;
}

/* ret_code: the code that is none, or of whose family the test entry is. */
static enum blocklist_trouble point_judge(const struct blocklist_item *list, enum probe_point point,
                                          const struct resolver_answer *answer, struct address *ret_code)
{
    const enum blocklist_trouble trouble = answer_trouble(answer, ret_code);
    if (trouble != BLOCKLIST_NO_TROUBLE)
        return trouble;
    *ret_code = point_address(list, point);
    if (point == PROBE_LISTED)
        return answer->status == ANSWER_FOUND ? BLOCKLIST_NO_TROUBLE : BLOCKLIST_EMPTY;
    return answer->status == ANSWER_FOUND ? BLOCKLIST_EVERYTHING : BLOCKLIST_NO_TROUBLE;
}

/* What the list says counts for more than that it says nothing. */
static void answered(struct blocklist_item *list, enum probe_point point,
                     const struct resolver_answer *answer)
{
    struct probe *probe = &list->probe;
    struct address code = {.family = ADDRESS_NONE};
    const enum blocklist_trouble trouble = point_judge(list, point, answer, &code);
    if (probe->trouble == BLOCKLIST_NO_TROUBLE || probe->trouble == BLOCKLIST_UNANSWERED) {
        if (trouble != BLOCKLIST_NO_TROUBLE) {
            probe->trouble = trouble;
            probe->code = code;
        }
    }
    if (--probe->open == 0)
        conclude(list);
}

static void listed_came(struct resolver_waiter *asks, const struct resolver_answer *answer)
{
    answered(LIST_OF(asks, struct blocklist_item, probe.asks[PROBE_LISTED]), PROBE_LISTED, answer);
}

static void unlisted_came(struct resolver_waiter *asks, const struct resolver_answer *answer)
{
    answered(LIST_OF(asks, struct blocklist_item, probe.asks[PROBE_UNLISTED]), PROBE_UNLISTED, answer);
}

static void probe_due(struct loop_timer *timer)
{
    struct blocklist_item *list = LIST_OF(timer, struct blocklist_item, probe.timer);
    struct probe *probe = &list->probe;
    struct resolver *resolver = list->lists->settings.resolver;
    probe->asks[PROBE_LISTED].done = listed_came;
    probe->asks[PROBE_UNLISTED].done = unlisted_came;
    probe->trouble = BLOCKLIST_NO_TROUBLE;
    probe->open = PROBE_POINTS;
    for (unsigned point = 0; point < PROBE_POINTS; point++) {
        char room[DNSBL_NAME_MAX];
        struct resolver_answer answer;
        const struct address address = point_address(list, (enum probe_point)point);
        const struct slice name = dnsbl_name(&address, list->zone, room);
        if (resolver_ask(resolver, DNS_A, name, &probe->asks[point], &answer))
            answered(list, (enum probe_point)point, &answer);
    }
}

/* One that nobody answered is repeated soon anyway. */
void probe_soon(struct blocklist_item *list)
{
    const struct probe *probe = &list->probe;
    if (list->probes && !probe->open && !probe->unanswered && list->counts.state == BLOCKLIST_WORKS &&
        !nobody_answers_at_all(list))
        timer_set(list, 0);
}

void probe_begin(struct blocklist_item *list)
{
    list->probe.timer.due = probe_due;
    if (!list->probes) {
        list->counts.state = BLOCKLIST_WORKS;
        return;
    }
    list->probe.open = PROBE_POINTS; /* whoever asks from now on is held */
    timer_set(list, 0);
}

void probe_end(struct blocklist_item *list)
{
    loop_timer_clear(list->lists->settings.loop, &list->probe.timer);
    for (unsigned point = 0; point < PROBE_POINTS; point++)
        resolver_forget(&list->probe.asks[point]);
}
