/* Whatever the store gives back for what notices keep, reading and printing it again comes to rest, within
 * its bounds; and whatever a session's events hold, a notice about it is a message of nine fields in whole
 * lines of plain ASCII that are not too long.
 *
 * The input is taken as each part of what is kept, and as the bodies of records with sound heads: a kind, a
 * length, the body. */
#include "base/checksum.h"
#include "journal/notice_mail.h"
#include "journal/notice_transcript.h"
#include "journal/notice_watch.h"
#include "property.h"

#define NOW_MS INT64_C(1784860556000)

static const struct notice_settings settings = {
    .classes = 31, .digest = 31, .gather_ms = 1000, .rate = 6, .examples = NOTICE_EXAMPLES};

/* --- what is kept -------------------------------------------------------------------------------------- */

static void print(const struct notices *notices, enum notices_part part, struct buf *out)
{
    buf_init(out, NOTICES_PART_MAX);
    notices_print(notices, part, out);
    assert(out->len < NOTICES_PART_MAX);
}

static void keep(struct slice input, enum notices_part part)
{
    struct notices *notices = memory_take(sizeof *notices);
    struct buf once, again;
    notices_init(notices, &settings, NOW_MS);
    notices_read(notices, part, input, NOW_MS);
    print(notices, part, &once);
    notices_init(notices, &settings, NOW_MS);
    notices_read(notices, part, buf_slice(&once), NOW_MS);
    print(notices, part, &again);
    assert(slice_equal(buf_slice(&once), buf_slice(&again)));
    (void)notices_take(notices, notice_id_make(NOW_MS, 1), NOW_MS + 86400000);
    buf_drop(&once);
    buf_drop(&again);
    memory_give(notices, sizeof *notices);
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static void record_add(struct buf *records, unsigned kind, struct slice body)
{
    char head[EVENT_HEAD_SIZE] = {0};
    const uint32_t size = (uint32_t)(EVENT_HEAD_SIZE + body.len), start = records->len;
    memcpy(head, &size, 4);
    head[8] = (char)kind;
    head[12] = 1;
    buf_add(records, slice_of(head, sizeof head));
    buf_add(records, body);
    const uint32_t checksum = checksum_add(0, slice_from(buf_slice(records), start + 8));
    memcpy(records->at + start + 4, &checksum, 4);
}

static void records_make(struct slice rest, struct buf *records)
{
    while (rest.len >= 2) {
        const struct slice body = slice_head(slice_from(rest, 2), (unsigned char)rest.at[1]);
        record_add(records, (unsigned char)rest.at[0], body);
        rest = slice_from(rest, 2 + body.len);
    }
}

static bool transcript(void *data, const struct notice_example *example, struct buf *out)
{
    const struct notice_transcript_settings form = {.lines_max = 40};
    (void)example;
    notice_transcript(data, &form, out);
    return true;
}

static void look_at_message(struct slice text)
{
    struct slice line;
    unsigned fields = 0;
    bool header = true;
    while (slice_cut(&text, '\n', &line)) {
        assert(line.len && line.at[line.len - 1] == '\r');
        line.len--;
        assert(slice_is_printable(line) && line.len <= NOTICE_LINE);
        header = header && line.len;
        fields += header;
    }
    assert(fields == 9);
}

static void mail(struct notices *notices, struct history *history)
{
    struct buf out;
    if (!notices_take(notices, notice_id_make(NOW_MS, 1), NOW_MS + 2000))
        return;
    const struct notice_mail form = {.notice = &notices->pending,
                                     .host = SLICE("mx.example.net"),
                                     .to = SLICE("joe@example.net"),
                                     .now_ms = NOW_MS,
                                     .transcript = transcript,
                                     .data = history};
    buf_init(&out, NOTICE_MAIL_MAX);
    notice_mail_compose(&form, &out);
    look_at_message(buf_slice(&out));
    buf_drop(&out);
}

static void watch(struct slice input)
{
    struct notices *notices = memory_take(sizeof *notices);
    struct notice_watch *eyes = notice_watch_new(4);
    struct notice_incident incidents[NOTICE_CLASSES];
    struct history history;
    struct buf records;
    buf_init(&records, 1u << 24);
    records_make(input, &records);
    history_init(&history, 1);
    history_add(&history, buf_slice(&records));
    notices_init(notices, &settings, NOW_MS);
    for (size_t i = 0; i < history.count; i++) {
        const size_t count = notice_watch_event(eyes, &history.events[i], incidents);
        assert(count <= NOTICE_CLASSES);
        for (size_t k = 0; k < count; k++)
            notices_add(notices, &incidents[k], NOW_MS);
    }
    mail(notices, &history);
    history_drop(&history);
    buf_drop(&records);
    notice_watch_free(eyes);
    memory_give(notices, sizeof *notices);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice input = slice_of((const char *)octets, len);
    for (unsigned part = 0; part < NOTICES_PARTS; part++)
        keep(input, (enum notices_part)part);
    watch(input);
    return 0;
}
