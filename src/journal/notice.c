#include "journal/notice.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS    INT64_C(3600000)
#define DAY_MS     INT64_C(86400000)
#define NEVER      INT64_MAX
#define GATHER_MAX HOUR_MS /* doubling comes to its end here */

static const char *const words[NOTICE_CLASSES] = {"policy", "protocol", "resource", "software", "campaign"};

const char *notice_class_word(enum notice_class which)
{
    return words[which];
}

bool notice_classes_parse(struct slice text, unsigned *ret_classes)
{
    unsigned classes = 0;
    struct slice word;

    while (slice_word(&text, &word)) {
        unsigned which = 0;
        while (which < NOTICE_CLASSES && !slice_equal(word, slice_text(words[which])))
            which++;
        if (which == NOTICE_CLASSES)
            return false;
        classes |= NOTICE_BIT(which);
    }
    *ret_classes = classes;
    return true;
}

/* --- one class ----------------------------------------------------------------------------------------- */

/* Only what belongs in a line of plain ASCII; cut to its room. */
static void text_keep(char *room, size_t size, struct slice text)
{
    struct buf buf;
    buf_init(&buf, size * 8);
    (void)text_escape(&buf, slice_head(text, size), false);
    const struct slice kept = slice_head(buf_slice(&buf), size - 1);
    if (kept.len)
        memcpy(room, kept.at, kept.len);
    room[kept.len] = 0;
    buf_drop(&buf);
}

/* Its place among the causes; NOTICE_CAUSES: no room is left for it. */
static size_t heap_cause(struct notice_heap *heap, const struct notice_incident *incident)
{
    struct notice_cause cause = {.reply = incident->reply};
    if (!cause.reply)
        text_keep(cause.text, sizeof cause.text, incident->cause);
    size_t i = 0;
    while (i < heap->cause_count &&
           (heap->causes[i].reply != cause.reply || strcmp(heap->causes[i].text, cause.text) != 0))
        i++;
    if (i == heap->cause_count && i < NOTICE_CAUSES)
        heap->causes[heap->cause_count++] = cause;
    return i;
}

static struct address host_of(const struct address *address)
{
    struct address host = *address;
    host.port = 0;
    if (host.family == ADDRESS_IPV6)
        memset(host.octets + 8, 0, 8);
    return host;
}

static void heap_host(struct notice_heap *heap, const struct address *address)
{
    const struct address host = host_of(address);
    struct notice_host *least = heap->hosts;

    if (host.family == ADDRESS_NONE)
        return;
    for (size_t i = 0; i < heap->host_count; i++) {
        if (address_equal(&heap->hosts[i].address, &host)) {
            heap->hosts[i].count++;
            return;
        }
        if (heap->hosts[i].count < least->count)
            least = &heap->hosts[i];
    }
    if (heap->host_count < NOTICE_HOSTS)
        heap->hosts[heap->host_count++] = (struct notice_host){host, 1, 0};
    else
        *least = (struct notice_host){host, least->count + 1, least->count};
}

/* Each cause is to be shown once before one is shown twice: where there is no room left, the example of a
 * new cause takes the place of the last that shares its cause with another. */
static struct notice_example *example_room(struct notice_heap *heap, size_t most, size_t cause)
{
    size_t shown[NOTICE_CAUSES + 1] = {0};

    if (heap->example_count < most)
        return &heap->examples[heap->example_count++];
    for (size_t i = 0; i < heap->example_count; i++)
        shown[heap->examples[i].cause]++;
    if (shown[cause])
        return NULL;
    for (size_t i = heap->example_count; i > 0; i--)
        if (shown[heap->examples[i - 1].cause] > 1)
            return &heap->examples[i - 1];
    return NULL;
}

static void heap_example(struct notice_heap *heap, const struct notice_incident *incident, size_t cause,
                         size_t most)
{
    if (!incident->session && !incident->example.len)
        return;
    struct notice_example *example = example_room(heap, most, cause);
    if (!example)
        return;
    *example = (struct notice_example){.session = incident->session,
                                       .sequence = incident->sequence,
                                       .offset = incident->offset,
                                       .cause = (uint16_t)cause};
    if (!incident->session)
        text_keep(example->text, sizeof example->text, incident->example);
}

static void heap_add(struct notice_heap *heap, const struct notice_incident *incident, size_t examples)
{
    const size_t cause = heap_cause(heap, incident);

    heap->count++;
    if (cause < NOTICE_CAUSES)
        heap->causes[cause].count++;
    else
        heap->others++;
    if (!heap->first_ms || incident->unix_ms < heap->first_ms)
        heap->first_ms = incident->unix_ms;
    if (incident->unix_ms > heap->last_ms)
        heap->last_ms = incident->unix_ms;
    heap_host(heap, &incident->host);
    heap_example(heap, incident, cause, examples);
}

/* --- when ---------------------------------------------------------------------------------------------- */

/* The next time of the digest behind `now`, by the clock on the wall. */
static int64_t digest_after(const struct notice_settings *settings, int64_t now_ms)
{
    int64_t day = now_ms;

    if (!settings->digest)
        return NEVER;
    for (;;) {
        const int zone = settings->zone_minutes ? settings->zone_minutes(day / 1000) : 0;
        const int64_t midnight = (day + zone * INT64_C(60000)) / DAY_MS * DAY_MS - zone * INT64_C(60000);
        const int64_t due = midnight + (int64_t)settings->digest_at_ms;
        if (due > now_ms)
            return due;
        day += DAY_MS;
    }
}

static void sent_add(struct notices *notices, int64_t now_ms)
{
    memmove(notices->sent_ms + 1, notices->sent_ms, sizeof notices->sent_ms - sizeof *notices->sent_ms);
    notices->sent_ms[0] = now_ms;
}

/* Of a clock that was set back nothing is believed. */
static size_t sent_within_hour(const struct notices *notices, int64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < NOTICE_RATE_MAX; i++)
        count += notices->sent_ms[i] > now_ms - HOUR_MS && notices->sent_ms[i] <= now_ms &&
                 notices->sent_ms[i] > 0;
    return count;
}

/* When the rate lets the next mail go. */
static int64_t rate_allows(const struct notices *notices, size_t most, int64_t now_ms)
{
    if (sent_within_hour(notices, now_ms) < most)
        return now_ms;
    return most ? notices->sent_ms[most - 1] + HOUR_MS : NEVER;
}

static int64_t class_due(const struct notices *notices, unsigned which, int64_t now_ms)
{
    const struct notice_settings *settings = &notices->settings;
    const bool urgent = NOTICE_BIT(which) & NOTICE_URGENT;
    const size_t most = urgent || settings->rate < 2 ? settings->rate : settings->rate - 1;
    int64_t gather = (int64_t)settings->gather_ms;

    if (!notices->open_ms[which])
        return NEVER;
    for (size_t i = sent_within_hour(notices, now_ms); !urgent && i > 0 && gather < GATHER_MAX; i--)
        gather = gather * 2 < GATHER_MAX ? gather * 2 : GATHER_MAX;
    const int64_t allowed = rate_allows(notices, most, now_ms);
    const int64_t due = notices->open_ms[which] + gather;
    return due > allowed ? due : allowed;
}

static int64_t mail_due(const struct notices *notices, int64_t now_ms)
{
    int64_t due = NEVER;
    for (unsigned which = 0; which < NOTICE_CLASSES; which++) {
        const int64_t at = class_due(notices, which, now_ms);
        if (at < due)
            due = at;
    }
    return due;
}

int64_t notices_due(const struct notices *notices, int64_t now_ms)
{
    if (notices->pending.id)
        return NEVER;
    const int64_t due = mail_due(notices, now_ms);
    return due < notices->digest_ms ? due : notices->digest_ms;
}

/* --- in and out ---------------------------------------------------------------------------------------- */

void notices_init(struct notices *notices, const struct notice_settings *settings, int64_t now_ms)
{
    *notices = (struct notices){.settings = *settings};
    struct notice_settings *set = &notices->settings;
    if (set->rate > NOTICE_RATE_MAX)
        set->rate = NOTICE_RATE_MAX;
    if (set->examples > NOTICE_EXAMPLES)
        set->examples = NOTICE_EXAMPLES;
    notices->day_began_ms = now_ms;
    notices->digest_ms = digest_after(set, now_ms);
}

void notices_add(struct notices *notices, const struct notice_incident *incident, int64_t now_ms)
{
    const enum notice_class which = incident->class;

    if (notices->settings.classes & NOTICE_BIT(which)) {
        if (!notices->open_ms[which] && !incident->quiet)
            notices->open_ms[which] = now_ms;
        heap_add(&notices->gathered[which], incident, notices->settings.examples);
        notices->changed = true;
    }
    if (notices->settings.digest & NOTICE_BIT(which)) {
        heap_add(&notices->day[which], incident, 0);
        notices->day_loud = notices->day_loud || !incident->quiet;
        notices->changed = true;
    }
}

static bool take_mail(struct notices *notices, int64_t now_ms)
{
    struct notice *pending = &notices->pending;

    if (mail_due(notices, now_ms) > now_ms)
        return false;
    *pending = (struct notice){.from_ms = now_ms, .to_ms = now_ms};
    memcpy(pending->heaps, notices->gathered, sizeof pending->heaps);
    for (unsigned which = 0; which < NOTICE_CLASSES; which++)
        if (notices->gathered[which].count && notices->gathered[which].first_ms < pending->from_ms)
            pending->from_ms = notices->gathered[which].first_ms;
    memset(notices->gathered, 0, sizeof notices->gathered);
    memset(notices->open_ms, 0, sizeof notices->open_ms);
    sent_add(notices, now_ms);
    return true;
}

/* A day on which nothing happened is not worth a mail. */
static bool take_digest(struct notices *notices, int64_t now_ms)
{
    struct notice *pending = &notices->pending;
    const bool loud = notices->day_loud;

    if (notices->digest_ms > now_ms)
        return false;
    if (loud) {
        *pending = (struct notice){.digest = true, .from_ms = notices->day_began_ms, .to_ms = now_ms};
        memcpy(pending->heaps, notices->day, sizeof pending->heaps);
    }
    memset(notices->day, 0, sizeof notices->day);
    notices->day_began_ms = now_ms;
    notices->day_loud = false;
    notices->digest_ms = digest_after(&notices->settings, now_ms);
    notices->changed = true;
    return loud;
}

bool notices_take(struct notices *notices, uint64_t id, int64_t now_ms)
{
    assert(id);
    if (notices->pending.id || (!take_digest(notices, now_ms) && !take_mail(notices, now_ms)))
        return false;
    notices->pending.id = id;
    notices->changed = true;
    return true;
}

void notices_sent(struct notices *notices)
{
    notices->pending = (struct notice){0};
    notices->changed = true;
}
