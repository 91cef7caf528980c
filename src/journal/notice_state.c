/* What notices keep, as text: a line an item, words parted by blanks, free text last.
 *
 *   heap CLASS OPEN COUNT OTHERS FIRST LAST     what follows is of this class
 *   cause COUNT REPLY TEXT
 *   host COUNT OVER ADDRESS
 *   example SESSION CAUSE SEQUENCE OFFSET TEXT
 *   sent TIME                                   the newest first
 *   day BEGAN DUE LOUD
 *   notice ID DIGEST FROM TO
 *
 * Numbers are decimal, times milliseconds since 1970. */
#include "base/text.h"
#include "journal/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- printing ------------------------------------------------------------------------------------------ */

static void heap_print(const struct notice_heap *heap, unsigned which, int64_t open_ms, struct buf *out)
{
    char address[ADDRESS_TEXT_SIZE];

    if (!heap->count)
        return;
    buf_add_format(out, "heap %s %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 "\n",
                   notice_class_word((enum notice_class)which), open_ms, heap->count, heap->others,
                   heap->first_ms, heap->last_ms);
    for (size_t i = 0; i < heap->cause_count; i++)
        buf_add_format(out, "cause %" PRIu64 " %u %s\n", heap->causes[i].count, heap->causes[i].reply,
                       heap->causes[i].text);
    for (size_t i = 0; i < heap->host_count; i++) {
        address_print(&heap->hosts[i].address, address);
        buf_add_format(out, "host %" PRIu64 " %" PRIu64 " %s\n", heap->hosts[i].count, heap->hosts[i].over,
                       address);
    }
    for (size_t i = 0; i < heap->example_count; i++) {
        const struct notice_example *example = &heap->examples[i];
        buf_add_format(out, "example %" PRIu64 " %u %u %u %s\n", example->session, example->cause,
                       example->sequence, example->offset, example->text);
    }
}

void notices_print(const struct notices *notices, enum notices_part part, struct buf *out)
{
    const struct notice *pending = &notices->pending;

    if (part == NOTICES_PENDING && !pending->id)
        return;
    if (part == NOTICES_PENDING)
        buf_add_format(out, "notice %" PRIu64 " %d %" PRId64 " %" PRId64 "\n", pending->id, pending->digest,
                       pending->from_ms, pending->to_ms);
    if (part == NOTICES_DAY && notices->settings.digest)
        buf_add_format(out, "day %" PRId64 " %" PRId64 " %d\n", notices->day_began_ms, notices->digest_ms,
                       notices->day_loud);
    for (size_t i = 0; part == NOTICES_GATHERED && i < NOTICE_RATE_MAX && notices->sent_ms[i]; i++)
        buf_add_format(out, "sent %" PRId64 "\n", notices->sent_ms[i]);
    const struct notice_heap *heaps = part == NOTICES_PENDING ? pending->heaps
                                      : part == NOTICES_DAY   ? notices->day
                                                              : notices->gathered;
    for (unsigned which = 0; which < NOTICE_CLASSES; which++)
        heap_print(&heaps[which], which, notices->open_ms[which], out);
}

/* --- reading ------------------------------------------------------------------------------------------- */

struct reading {
    struct notices *notices;
    enum notices_part part;
    struct notice_heap *heap; /* NULL: its class is not wanted, or not known */
    int64_t now_ms;
    size_t sent;
    bool bad; /* the line has something else where a number belongs */
};

static uint64_t number(struct reading *reading, struct slice *line)
{
    struct slice word;
    uint64_t value = 0;
    if (!slice_cut(line, ' ', &word) || !text_parse_u64(word, &value))
        reading->bad = true;
    return value;
}

static int64_t point(struct reading *reading, struct slice *line)
{
    const uint64_t value = number(reading, line);
    return value <= INT64_MAX ? (int64_t)value : 0;
}

static void text_read(struct slice text, char *room, size_t size)
{
    text = slice_head(text, size - 1);
    if (slice_is_printable(text) && text.len)
        memcpy(room, text.at, text.len);
}

static bool class_wanted(const struct reading *reading, unsigned which)
{
    const struct notice_settings *settings = &reading->notices->settings;
    const unsigned wanted = reading->part == NOTICES_GATHERED ? settings->classes
                            : reading->part == NOTICES_DAY    ? settings->digest
                                                              : ~0u;
    return wanted & NOTICE_BIT(which);
}

static void heap_read(struct reading *reading, struct slice line)
{
    struct notices *notices = reading->notices;
    struct slice word;
    unsigned classes = 0, which = 0;

    reading->heap = NULL;
    if (!slice_cut(&line, ' ', &word) || !notice_classes_parse(word, &classes) || !classes)
        return;
    while (!(classes & NOTICE_BIT(which)))
        which++;
    struct notice_heap heap = {0};
    const int64_t open_ms = point(reading, &line);
    heap.count = number(reading, &line);
    heap.others = number(reading, &line);
    heap.first_ms = point(reading, &line);
    heap.last_ms = point(reading, &line);
    if (reading->bad || !class_wanted(reading, which))
        return;
    reading->heap = reading->part == NOTICES_PENDING ? &notices->pending.heaps[which]
                    : reading->part == NOTICES_DAY   ? &notices->day[which]
                                                     : &notices->gathered[which];
    *reading->heap = heap;
    if (reading->part == NOTICES_GATHERED)
        notices->open_ms[which] = open_ms;
}

static void cause_read(struct reading *reading, struct slice line)
{
    struct notice_heap *heap = reading->heap;
    struct notice_cause cause = {.count = number(reading, &line)};
    cause.reply = (uint16_t)number(reading, &line);
    text_read(line, cause.text, sizeof cause.text);
    if (heap && !reading->bad && heap->cause_count < NOTICE_CAUSES)
        heap->causes[heap->cause_count++] = cause;
}

static void host_read(struct reading *reading, struct slice line)
{
    struct notice_heap *heap = reading->heap;
    struct notice_host host = {.count = number(reading, &line)};
    host.over = number(reading, &line);
    if (heap && !reading->bad && heap->host_count < NOTICE_HOSTS && address_parse(line, &host.address))
        heap->hosts[heap->host_count++] = host;
}

static void example_read(struct reading *reading, struct slice line)
{
    struct notice_heap *heap = reading->heap;
    struct notice_example example = {.session = number(reading, &line)};
    const uint64_t cause = number(reading, &line);
    example.cause = (uint16_t)(cause < NOTICE_CAUSES ? cause : NOTICE_CAUSES);
    example.sequence = (uint32_t)number(reading, &line);
    example.offset = (uint32_t)number(reading, &line);
    text_read(line, example.text, sizeof example.text);
    if (heap && !reading->bad && heap->example_count < NOTICE_EXAMPLES)
        heap->examples[heap->example_count++] = example;
}

/* The time of the next digest is the settings' business, but for one that was missed. */
static void day_read(struct reading *reading, struct slice line)
{
    struct notices *notices = reading->notices;
    const int64_t began = point(reading, &line);
    const int64_t due = point(reading, &line);
    const bool loud = number(reading, &line) != 0;
    if (reading->bad || !notices->settings.digest)
        return;
    notices->day_began_ms = began;
    notices->day_loud = loud;
    if (due <= reading->now_ms)
        notices->digest_ms = due;
}

static void notice_read(struct reading *reading, struct slice line)
{
    struct notice notice = {.id = number(reading, &line)};
    notice.digest = number(reading, &line) != 0;
    notice.from_ms = point(reading, &line);
    notice.to_ms = point(reading, &line);
    if (!reading->bad)
        reading->notices->pending = notice;
}

static void sent_read(struct reading *reading, struct slice line)
{
    const int64_t at = point(reading, &line);
    if (!reading->bad && reading->sent < NOTICE_RATE_MAX)
        reading->notices->sent_ms[reading->sent++] = at;
}

void notices_read(struct notices *notices, enum notices_part part, struct slice text, int64_t now_ms)
{
    static const struct {
        const char *word;
        void (*read)(struct reading *reading, struct slice line);
    } rows[] = {{"heap", heap_read}, {"cause", cause_read}, {"host", host_read},    {"example", example_read},
                {"sent", sent_read}, {"day", day_read},     {"notice", notice_read}};
    struct reading reading = {.notices = notices, .part = part, .now_ms = now_ms};
    struct slice line, word;

    while (slice_cut(&text, '\n', &line)) {
        reading.bad = false;
        if (!slice_cut(&line, ' ', &word))
            continue;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (slice_equal(word, slice_text(rows[i].word)))
                rows[i].read(&reading, line);
    }
}
