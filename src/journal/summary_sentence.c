/* A session in one sentence: who, what came of it, and why. */
#include "journal/summary.h"

#include "base/text.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/phrase.h"
#include "journal/words.h"

static void put(struct buf *out, const char *text)
{
    buf_add(out, slice_text(text));
}

static void put_stranger(struct buf *out, struct slice text)
{
    text_escape(out, slice_head(text, 300), true);
}

/* --- who ----------------------------------------------------------------------------------------------- */

static void put_who(struct buf *out, const struct summary *summary)
{
    char address[ADDRESS_TEXT_SIZE];
    address_print(&summary->peer, address);
    if (summary->ptr.len) {
        put_stranger(out, summary->ptr);
        buf_add_format(out, " [%s]", address);
    } else {
        buf_add_format(out, "[%s]", address);
    }
    if (!summary->helo.len || slice_equal_fold(summary->helo, summary->ptr))
        return;
    put(out, ", which calls itself ");
    put_stranger(out, summary->helo);
    put(out, ",");
}

static void put_path(struct buf *out, struct slice path)
{
    put(out, "<");
    put_stranger(out, path);
    put(out, ">");
}

static void put_envelope(struct buf *out, const struct summary *summary)
{
    if (summary->has_sender) {
        put(out, " from ");
        if (summary->sender.len)
            put_path(out, summary->sender);
        else
            put(out, "the null sender <>");
    }
    if (!summary->recipient_count)
        return;
    put(out, " to ");
    put_path(out, summary->recipients[0]);
    if (summary->recipient_count == 2)
        put(out, " and one other recipient");
    else if (summary->recipient_count > 2)
        buf_add_format(out, " and %zu other recipients", summary->recipient_count - 1);
}

/* --- why ----------------------------------------------------------------------------------------------- */

/* A sentence out of a catalogue as a part of another: without its dot, and small at its beginning. */
static void put_clause(struct buf *out, const char *sentence)
{
    size_t len = strlen(sentence);
    bool acronym = len > 1 && sentence[1] >= 'A' && sentence[1] <= 'Z';
    char first = acronym ? sentence[0] : text_lower(sentence[0]);
    buf_add_octet(out, first);
    buf_add(out, slice_of(sentence + 1, len - 1 - (sentence[len - 1] == '.')));
}

static void put_finding(struct buf *out, struct slice word)
{
    enum finding finding = FIND_NOTHING;
    const struct finding_phrase *phrase = finding_parse(word, &finding) ? phrase_finding(finding) : NULL;
    if (phrase)
        put(out, phrase->because);
    else
        put_stranger(out, word);
}

bool summary_part(struct slice *parts, struct slice *ret_word, int64_t *ret_weight)
{
    struct slice part;
    while (slice_cut(parts, ',', &part)) {
        part = slice_trim(part);
        const size_t blank = slice_find_last(part, ' ');
        if (blank == SLICE_NOT_FOUND || !text_parse_i64(slice_from(part, blank + 1), ret_weight))
            continue;
        *ret_word = slice_head(part, blank);
        return true;
    }
    return false;
}

/* "several things together weigh 12, and from 10 on mail is refused: it began … (10); its address … (2)", or
 * for one thing alone "it began … (which weighs 10, and from 10 on mail is refused)" */
static void put_sum(struct buf *out, const struct summary_cause *cause)
{
    struct slice rest = cause->parts, word, next;
    const unsigned long long sum = cause->sum, threshold = cause->threshold;
    int64_t weight;
    size_t count = 0;
    (void)summary_part(&rest, &word, &weight);
    if (!summary_part(&rest, &next, &weight)) {
        put_finding(out, word);
        buf_add_format(out, " (which weighs %llu, and from %llu on mail is refused)", sum, threshold);
        return;
    }
    buf_add_format(out, "several things together weigh %llu, and from %llu on mail is refused", sum,
                   threshold);
    rest = cause->parts;
    while (summary_part(&rest, &word, &weight)) {
        put(out, count++ ? "; " : ": ");
        put_finding(out, word);
        buf_add_format(out, " (%lld)", (long long)weight);
    }
}

/* What the reply tells, too, is not told twice. */
static void put_evidence(struct buf *out, struct slice reason, struct slice reply)
{
    if (!reason.len || slice_find_slice(reply, reason) != SLICE_NOT_FOUND)
        return;
    put(out, ": ");
    put_stranger(out, reason);
}

static void put_reply_cause(struct buf *out, uint64_t number)
{
    const struct say_info *info = number < SAY_LIMIT ? say_info((unsigned)number) : NULL;
    if (info && info->cause[0])
        put_clause(out, info->cause);
    else
        put(out, "a newer program had its reasons");
}

/* Where the cause is that they went on after refusals, the first of these is the reason behind it. */
static bool has_first(const struct summary *summary)
{
    const struct summary_cause *cause = &summary->cause, *first = &summary->first;
    const bool goes_on = cause->finding == FIND_ERRORS || cause->finding == FIND_HEADER_AS_COMMAND ||
                         (!cause->finding && cause->number == SAY_TOO_MANY_ERRORS);
    return goes_on && first->number && first->number != cause->number;
}

static bool is_sum(const struct summary_cause *cause)
{
    return cause->verdict && !cause->finding && cause->parts.len;
}

static void put_cause(struct buf *out, const struct summary *summary)
{
    const struct summary_cause *cause = &summary->cause;
    const struct finding_phrase *phrase = phrase_finding(cause->finding);
    if (is_sum(cause)) {
        put_sum(out, cause);
    } else if (cause->verdict && phrase) {
        put(out, phrase->because);
        put_evidence(out, cause->reason, cause->reply);
    } else if (summary->failed.len) {
        put(out, "of trouble on our side: ");
        put_stranger(out, summary->failed);
    } else if (cause->verdict && cause->reason.len) {
        put_stranger(out, cause->reason);
    } else {
        put_reply_cause(out, cause->number);
    }
    if (!has_first(summary))
        return;
    put(out, "; the first refusal was because ");
    put_reply_cause(out, summary->first.number);
}

static void put_because(struct buf *out, const struct summary *summary)
{
    put(out, " because ");
    put_cause(out, summary);
    if (!summary->cause.reply.len)
        return;
    put(out, " (");
    put_stranger(out, summary->cause.reply);
    put(out, ")");
}

/* --- what came of it ----------------------------------------------------------------------------------- */

static void put_deliveries(struct buf *out, const struct summary *summary)
{
    if (summary->delivered) {
        put(out, ", and delivered to ");
        put_stranger(out, summary->delivered_to);
        if (summary->delivered > 1)
            buf_add_format(out, " and %zu more", summary->delivered - 1);
    }
    if (summary->deferred)
        put(out, ", but a delivery waits");
    else if (summary->undeliverable)
        put(out, ", but a delivery failed");
    if ((summary->deferred || summary->undeliverable) && summary->trouble.len) {
        put(out, ": ");
        put_stranger(out, summary->trouble);
    }
}

static void put_something_else(struct buf *out, const struct summary *summary)
{
    const bool later = summary->cause.code >= 400 && summary->cause.code < 500;
    put(out, later ? "; something else was put off until later" : "; something else was refused");
    put_because(out, summary);
}

static void put_accepted(struct buf *out, const struct summary *summary)
{
    if (summary->accepted == 1)
        put(out, " sent a message");
    else
        buf_add_format(out, " sent %llu messages", (unsigned long long)summary->accepted);
    if (summary->accepted == 1 && summary->content) {
        char octets[JOURNAL_COUNT_SIZE];
        journal_count(summary->content, octets);
        buf_add_format(out, " of %s octets", octets);
    }
    put_envelope(out, summary);
    if (summary->discarded) {
        put(out, summary->accepted == 1 ? "; it seemed to be taken, but was thrown away"
                                        : "; they seemed to be taken, but were thrown away");
        put_because(out, summary);
        return;
    }
    put(out, summary->accepted == 1 ? "; it was accepted" : "; they were accepted");
    put_deliveries(out, summary);
    if (!summary->number)
        return;
    put_something_else(out, summary);
}

static const char *refusal_of(const struct summary *summary)
{
    const struct summary_cause *cause = &summary->cause;
    if (cause->code == 421 || cause->verdict == ACTION_DROP)
        return summary->ended && summary->why == END_CLIENT_CLOSED
                   ? "the gate was about to close the connection"
                   : "the gate closed the connection";
    if (cause->verdict == ACTION_DISCARD || cause->verdict == ACTION_TRAP)
        return "it seemed to be welcome, but was to be thrown away";
    return cause->code >= 500 ? "it was refused" : "it was put off until later";
}

/* What was refused, was it the mail? */
static bool is_refused(const struct summary *summary)
{
    const struct summary_cause *cause = &summary->cause;
    return cause->verdict || cause->of_mail || cause->code == 421;
}

static void put_no_mail(struct buf *out, const struct summary *summary)
{
    const bool closed = summary->cause.code == 421 || summary->cause.verdict == ACTION_DROP;
    if (summary->ehlo_left && !closed) {
        put(out, " sent no mail: it is suspect, so its modern greeting (EHLO) was refused, and it went away "
                 "instead of using the old one (HELO), as every mail server does");
    } else if (summary->cause.verdict || summary->cause.number) {
        put(out, closed ? " sent no mail; the gate closed the connection"
                        : " sent no mail; what it asked for was refused");
        put_because(out, summary);
    } else {
        put(out, " connected and sent no mail");
    }
}

static void put_tried(struct buf *out, const struct summary *summary)
{
    put(out, " tried to send a message");
    put_envelope(out, summary);
    if (is_refused(summary)) {
        put(out, "; ");
        put(out, refusal_of(summary));
        put_because(out, summary);
        return;
    }
    put(out, "; it was not completed");
    if (!summary->cause.number)
        return;
    put_something_else(out, summary);
}

static void put_outcome(struct buf *out, const struct summary *summary)
{
    if (summary->accepted)
        put_accepted(out, summary);
    else if (summary->has_sender)
        put_tried(out, summary);
    else
        put_no_mail(out, summary);
}

static void put_ending(struct buf *out, const struct summary *summary)
{
    if (!summary->ended) {
        put(out, "; no end of the session is recorded");
        return;
    }
    char time[JOURNAL_DURATION_SIZE];
    journal_duration(summary->took_ms, time);
    buf_add_format(out, "; after %s %s", time, journal_ending_phrase(summary->why));
}

void summary_sentence(const struct summary *summary, struct buf *out)
{
    if (summary->opened || summary->ended)
        put_who(out, summary);
    else
        put(out, "A client whose beginning is not recorded any more");
    put_outcome(out, summary);
    put_ending(out, summary);
    put(out, ".");
}
