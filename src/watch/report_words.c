#include "watch/report_part.h"

#include "core/event.h"
#include "journal/words.h"

#include <inttypes.h>

/* Octets of the text up to which parts are begun. Encoded it may be three times as long. */
enum { HOSTS_UPTO = 12288, ATTEMPTS_UPTO = 24576, WORDS_UPTO = 36864, RECIPIENTS_TOLD = 5, PART_MAX = 65536 };

static void put(struct buf *out, const char *text)
{
    (void)buf_add(out, slice_text(text));
}

static void put_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    char text[JOURNAL_COUNT_SIZE];

    journal_count(count, text);
    (void)buf_add_format(out, "%s %s", text, count == 1 ? one : many);
}

static void put_address(struct buf *out, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];

    (void)buf_add(out, slice_of(text, address_print(address, text)));
}

/* A paragraph that is made in `made`, wrapped; `made` is empty then. */
static void put_paragraph(struct buf *out, struct buf *made)
{
    report_put_wrapped(out, buf_slice(made), 0);
    buf_clear(made);
}

/* --- who and what -------------------------------------------------------------------------------------- */

static void put_opening(const struct report *report, struct buf *out, struct buf *made)
{
    struct arena arena;

    put(made, "This is a report of abuse, from the mail server ");
    report_put_safe(made, report->host, 200);
    arena_init(&arena, NULL, 0);
    const struct slice owner = report_owner_words(&report->owner, &arena);
    put(made, owner.len ? " to whoever answers for this network:"
                        : " to whoever answers for the hosts named below.");
    put_paragraph(out, made);
    if (owner.len) {
        put(out, "\n  ");
        report_put_utf8(out, owner, REPORT_LINE - 10);
        put(out, "\n");
    }
    arena_drop(&arena);
    put(out, "\n");
}

static void put_span(const struct report *report, struct buf *made)
{
    put_count(made, report->attempts, "attempt", "attempts");
    put(made, " to bring us unwanted mail came from ");
    if (report->host_total == 1)
        put_address(made, &report->hosts[0].address);
    else
        put_count(made, report->host_total, "host", "hosts in it");
    if (report->first_ms == report->last_ms) {
        put(made, ", at ");
        report_put_time(made, report->first_ms);
    } else {
        put(made, ", between ");
        report_put_time(made, report->first_ms);
        put(made, " and ");
        report_put_time(made, report->last_ms);
    }
    put(made, ".");
}

static void put_campaign(const struct report *report, struct buf *made)
{
    if (!report->sentence.len)
        return;
    put(made, report->attempts == 1 ? " It is part of more that we have seen: "
                                    : " They are part of what we have seen: ");
    report_put_safe(made, report->sentence, 1200);
    put(made, ".");
    if (!report->reason.len)
        return;
    put(made, " What this says of each host: ");
    report_put_safe(made, report->reason, 100);
    put(made, ".");
}

static void put_summary(const struct report *report, struct buf *out, struct buf *made)
{
    put_span(report, made);
    put_campaign(report, made);
    put_paragraph(out, made);
    put(out, "\n");
}

/* --- hosts --------------------------------------------------------------------------------------------- */

static void put_host(const struct report_host *host, struct buf *out)
{
    put(out, "  ");
    put_address(out, &host->address);
    if (host->ptr.len) {
        put(out, "  ");
        report_put_safe(out, host->ptr, 90);
        put(out, host->ptr_confirmed ? "" : " (not confirmed)");
    }
    put(out, "\n    ");
    put_count(out, host->attempts, "attempt", "attempts");
    put(out, host->attempts == 1 ? ", " : ", from ");
    report_put_time(out, host->first_ms);
    if (host->attempts > 1) {
        put(out, "\n    to ");
        report_put_time(out, host->last_ms);
    }
    put(out, "\n");
}

static void put_hosts(const struct report *report, struct buf *out, struct buf *made)
{
    size_t told = 0;

    put(out, report->host_total == 1 ? "The host; times are UTC:\n\n" : "The hosts; times are UTC:\n\n");
    while (told < report->host_count) {
        put_host(&report->hosts[told], made);
        if (out->len + made->len > HOSTS_UPTO)
            break;
        (void)buf_add(out, buf_slice(made));
        buf_clear(made);
        told++;
    }
    buf_clear(made);
    if (told < report->host_total) {
        put(out, "  and ");
        put_count(out, report->host_total - told, "more", "more");
        put(out, "\n");
    }
    put(out, "\n");
}

/* --- attempts ------------------------------------------------------------------------------------------ */

static const char *verdict_words(const struct report_attempt *attempt)
{
    if (attempt->fooled)
        return "not delivered";
    switch (attempt->verdict) {
    case ATTEMPT_ACCEPTED: return "taken";
    case ATTEMPT_DEFERRED: return "put off";
    case ATTEMPT_REFUSED: return "refused";
    case ATTEMPT_DROPPED: return "we closed the connection";
    case ATTEMPT_LEFT: break;
    }
    return "the client left before it was answered";
}

static void put_client(const struct report_attempt *attempt, struct buf *out)
{
    put(out, "    client:     ");
    put_address(out, &attempt->peer);
    if (attempt->peer.port)
        (void)buf_add_format(out, " port %u", attempt->peer.port);
    if (attempt->has_helo) {
        put(out, ", HELO ");
        report_put_safe(out, attempt->helo, 100);
    }
    put(out, "\n");
}

static void put_envelope(const struct report_attempt *attempt, struct buf *out)
{
    if (attempt->has_sender) {
        put(out, "    sender:     ");
        report_put_path(out, attempt->sender);
        put(out, "\n");
    }
    for (uint32_t i = 0; i < attempt->recipient_count && i < RECIPIENTS_TOLD; i++) {
        put(out, i ? "                " : "    recipients: ");
        report_put_path(out, attempt->recipients[i]);
        put(out, "\n");
    }
    if (attempt->recipients_tried > RECIPIENTS_TOLD)
        (void)buf_add_format(out, "                and %" PRIu32 " more\n",
                             attempt->recipients_tried - RECIPIENTS_TOLD);
}

static void put_message(const struct report_attempt *attempt, struct buf *out)
{
    if (!attempt->message)
        return;
    put(out, "    message:    ");
    put_count(out, attempt->octets, "octet", "octets");
    if (attempt->message_id.len) {
        put(out, ", Message-ID ");
        report_put_safe(out, attempt->message_id, 130);
    } else {
        put(out, ", without a Message-ID");
    }
    put(out, "\n");
}

static void put_result(const struct report_attempt *attempt, struct buf *out)
{
    put(out, "    result:     ");
    put(out, verdict_words(attempt));
    put(out, "\n");
    if (attempt->queue_id.len) {
        put(out, "    taken as:   ");
        report_put_safe(out, attempt->queue_id, 40);
        put(out, "\n");
    }
    if (attempt->reply.len) {
        put(out, "    we said:    ");
        report_put_safe(out, attempt->reply, REPORT_LINE - 20);
        put(out, "\n");
    }
    if (attempt->said.len) {
        put(out, "    we noticed: ");
        report_put_safe(out, attempt->said, REPORT_LINE - 20);
        put(out, "\n");
    }
}

static void put_attempt(const struct report_attempt *attempt, struct buf *out)
{
    char id[EVENT_ID_SIZE];

    put(out, "  ");
    report_put_time(out, attempt->unix_ms);
    if (attempt->session) {
        event_id_print(attempt->session, id);
        (void)buf_add_format(out, ", session %s", id);
    }
    put(out, "\n");
    put_client(attempt, out);
    put_envelope(attempt, out);
    put_message(attempt, out);
    put_result(attempt, out);
}

static void put_attempts(const struct report *report, struct buf *out, struct buf *made)
{
    uint64_t told = 0;

    if (!report->listed_count)
        return;
    put(out, "The attempts; times are UTC:\n\n");
    while (told < report->listed_count) {
        put(made, told ? "\n" : "");
        put_attempt(&report->listed[told], made);
        if (out->len + made->len > ATTEMPTS_UPTO)
            break;
        (void)buf_add(out, buf_slice(made));
        buf_clear(made);
        told++;
    }
    buf_clear(made);
    if (told < report->attempts) {
        put(out, "  and ");
        put_count(out, report->attempts - told, "more", "more");
        put(out, "\n");
    }
    put(out, "\n");
}

/* --- transcripts --------------------------------------------------------------------------------------- */

static void put_transcript(const struct report_transcript *transcript, struct buf *out)
{
    struct slice rest = transcript->text, line;

    while (slice_cut(&rest, '\n', &line)) {
        put(out, line.len ? "  " : "");
        report_put_safe(out, line, REPORT_LINE - 2);
        put(out, "\n");
    }
    put(out, "\n");
}

static void put_transcripts(const struct report *report, struct buf *out, struct buf *made)
{
    size_t told = 0;

    for (; told < report->transcript_count; told++) {
        put_transcript(&report->transcripts[told], made);
        if (out->len + made->len > WORDS_UPTO)
            break;
        if (!told)
            put(out, "What was said, as our server recorded it: Out is the server, In the client.\n\n");
        (void)buf_add(out, buf_slice(made));
        buf_clear(made);
    }
    buf_clear(made);
    if (told < report->transcript_count)
        put(out, "A longer dialogue was recorded, and left out here.\n\n");
}

/* --- the end ------------------------------------------------------------------------------------------- */

static bool any_message(const struct report *report)
{
    return report->listed_count && report->listed[report->key].message;
}

static void put_closing(const struct report *report, struct buf *out, struct buf *made)
{
    if (report->listed_count && !any_message(report)) {
        put(made, "No message was sent, or none that we have seen: what stands here is all that there is.");
        put_paragraph(out, made);
        put(out, "\n");
    }
    if (report->redacted) {
        put(made, "The names of our recipients, and addresses of other hosts, are replaced here (RFC 6590); "
                  "the same one has the same stand-in throughout.");
        put_paragraph(out, made);
        put(out, "\n");
    }
    put(made, report->host_total == 1 ? "Please find out what this host does, and stop it."
                                      : "Please find out what these hosts do, and stop it.");
    put(made, " An answer to this mail reaches the postmaster of ");
    report_put_safe(made, report->host, 200);
    put(made, ", who has the records behind it.");
    put_paragraph(out, made);
}

void report_put_words(const struct report *report, struct buf *out)
{
    struct buf made;

    buf_init(&made, PART_MAX);
    put_opening(report, out, &made);
    put_summary(report, out, &made);
    put_hosts(report, out, &made);
    put_attempts(report, out, &made);
    put_transcripts(report, out, &made);
    put_closing(report, out, &made);
    buf_drop(&made);
}
