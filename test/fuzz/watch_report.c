/* Whatever a session's events hold, and whatever a zone says of its owner: a report about it is a mail in
 * whole lines of printable ASCII that are not too long, of three parts and no more fields than it should
 * have; in the other forms nothing can steer a terminal.
 *
 * The input is taken as records with sound heads: a kind, a length, the body; behind the first zero kind as
 * the owner's name. The boundary's random number is the input's checksum, so that it cannot foresee it. */
#include "base/checksum.h"
#include "core/event.h"
#include "property.h"
#include "watch/report_case.h"

#include <inttypes.h>
#include <stdio.h>

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

static struct slice records_make(struct slice rest, struct buf *records)
{
    while (rest.len >= 2 && rest.at[0]) {
        const struct slice body = slice_head(slice_from(rest, 2), (unsigned char)rest.at[1]);
        record_add(records, (unsigned char)rest.at[0], body);
        rest = slice_from(rest, 2 + body.len);
    }
    return slice_from(rest, 1);
}

/* A session that ends, whatever came before. */
static void end_add(struct buf *records)
{
    struct event_session_ended ended = {.why = 3, .ptr = SLICE("mail.example.net")};
    const struct event_stamp stamp = {.session = 1, .unix_us = 1};
    (void)address_parse(SLICE("192.0.2.7"), &ended.peer);
    (void)event_add_session_ended(records, &stamp, &ended);
}

static void look_at_mail(const struct report *report, struct slice text)
{
    char boundary[64];
    struct slice line;
    (void)snprintf(boundary, sizeof boundary, "--=_%016" PRIx64 "_%016" PRIx64, report->id, report->chance);
    unsigned boundaries = 0, fields = 0, types = 0;
    bool header = true;
    assert(text.len < REPORT_MAX);
    while (slice_cut(&text, '\n', &line)) {
        assert(line.len && line.at[line.len - 1] == '\r');
        line.len--;
        assert(slice_is_printable(slice_from(line, slice_starts(line, SLICE("\t")))) && line.len <= 998);
        header = header && line.len;
        fields += header && line.at[0] != ' ' && line.at[0] != '\t';
        boundaries += slice_starts(line, slice_text(boundary));
        types += boundaries == 2 && slice_starts(line, SLICE("Feedback-Type:")); /* in the second part */
    }
    assert(boundaries == 4 && types == 1 && fields == 7);
}

static void look_at_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        assert((unsigned char)text.at[i] >= ' ' || text.at[i] == '\n');
    assert(slice_is_utf8(text));
}

static void look(const struct report *report)
{
    struct buf out;
    buf_init(&out, 1u << 22);
    assert(report_arf(report, &out));
    look_at_mail(report, buf_slice(&out));
    buf_clear(&out);
    assert(report_text(report, &out));
    look_at_text(buf_slice(&out));
    buf_clear(&out);
    assert(report_json(report, &out) && report_text_mail(report, &out));
    buf_drop(&out);
}

static void report(const struct history *history, uint64_t chance, struct slice owner,
                   struct redaction *redaction)
{
    const struct report form = {.host = SLICE("mx.example.net"),
                                .from = SLICE("postmaster@example.net"),
                                .software = SLICE("Postern/1"),
                                .id = 1,
                                .chance = chance,
                                .sentence = owner,
                                .reason = owner,
                                .redacted = redaction != NULL};
    struct report_case *of = report_case_new(0);
    const struct report *reports;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    if (report_case_add(of, history, true)) {
        report_case_own(of, 0, &(struct report_owner){.as = 64500, .name = owner});
        if (redaction)
            report_case_redact(of, redaction);
        const struct report_transcript transcript = {1, report_transcript(history, &arena)};
        for (size_t i = report_case_make(of, &form, &reports); i > 0; i--) {
            struct report with = reports[i - 1];
            with.transcripts = &transcript;
            with.transcript_count = 1;
            look(&with);
        }
    }
    arena_drop(&arena);
    report_case_free(of);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct redaction *redaction = redaction_new();
    struct history history;
    struct buf records;
    buf_init(&records, 1u << 24);
    const struct slice input = slice_of((const char *)octets, len);
    const uint64_t chance = checksum_add(0, input);
    const struct slice owner = records_make(input, &records);
    end_add(&records);
    history_init(&history, 1);
    history_add(&history, buf_slice(&records));
    report(&history, chance, owner, NULL);
    report(&history, chance, owner, redaction);
    history_drop(&history);
    buf_drop(&records);
    redaction_free(redaction);
    return 0;
}
