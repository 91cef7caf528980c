#include "journal/notice_mail.h"

#include "base/calendar.h"
#include "base/text.h"
#include "core/event.h"
#include "core/say.h"
#include "journal/notice_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOSTS_SHOWN    8
#define WIDTH          76
#define TRANSCRIPT_MAX 65536 /* octets of one session */

struct composing {
    const struct notice_mail *mail;
    struct buf *out;
};

static void add(struct composing *composing, const char *text)
{
    (void)buf_add(composing->out, slice_text(text));
}

/* Configured texts: no line end can come of them. */
static void add_safe(struct composing *composing, struct slice text)
{
    struct buf safe;
    buf_init(&safe, 4096);
    (void)text_escape(&safe, slice_head(text, 500), false);
    (void)buf_add(composing->out, buf_slice(&safe));
    buf_drop(&safe);
}

static void add_date(struct composing *composing, int64_t unix_ms)
{
    const struct notice_mail *mail = composing->mail;
    const int zone = mail->zone_minutes ? mail->zone_minutes(unix_ms / 1000) : 0;
    char date[CALENDAR_TEXT_SIZE];
    const size_t len = calendar_print_mail(unix_ms / 1000, zone, date);
    (void)buf_add(composing->out, slice_of(date, len));
}

/* --- header -------------------------------------------------------------------------------------------- */

void notice_mail_sums(const struct notice *notice, struct buf *out)
{
    bool first = true;
    for (unsigned i = 0; i < NOTICE_CLASSES; i++) {
        if (!notice->heaps[i].count)
            continue;
        (void)buf_add_format(out, "%s%s %" PRIu64, first ? "" : ", ", notice_class_word((enum notice_class)i),
                             notice->heaps[i].count);
        first = false;
    }
}

static void add_header(struct composing *composing)
{
    const struct notice_mail *mail = composing->mail;
    char message_id[400];

    add(composing, "Date: ");
    add_date(composing, mail->now_ms);
    add(composing, "\r\nFrom: Postern <postmaster@");
    add_safe(composing, mail->host);
    add(composing, ">\r\nTo: <");
    add_safe(composing, mail->to);
    add(composing, ">\r\nSubject: Postern ");
    add_safe(composing, mail->host);
    add(composing, mail->notice->digest ? ", the day: " : ": ");
    notice_mail_sums(mail->notice, composing->out);
    add(composing, "\r\nMessage-ID: ");
    (void)notice_message_id_print(mail->notice->id, mail->host, message_id, sizeof message_id);
    add(composing, message_id);
    add(composing, "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
}

/* --- a class ------------------------------------------------------------------------------------------- */

static const struct {
    const char *one, *many;
    const char *what;
} headings[NOTICE_CLASSES] = {
    [NOTICE_POLICY] = {"session", "sessions", "refused by the policy of this host"},
    [NOTICE_PROTOCOL] = {"session", "sessions", "broke the protocol, or spoke another"},
    [NOTICE_RESOURCE] = {"event", "events", "something was lacking: mail waits, or is judged with less"},
    [NOTICE_SOFTWARE] = {"event", "events", "a program of the gate failed, or a file was damaged"},
    [NOTICE_CAMPAIGN] = {"event", "events", "attempts of many hosts that belong together"},
};

/* Words after an indent, wrapped; further lines begin under the first word. */
static void add_wrapped(struct composing *composing, struct slice text, size_t indent)
{
    size_t column = indent;
    struct slice word;
    bool first = true;

    while (slice_word(&text, &word)) {
        if (!first && column + 1 + word.len > WIDTH) {
            (void)buf_add_format(composing->out, "\r\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            add(composing, " ");
            column++;
        }
        (void)buf_add(composing->out, slice_head(word, 180));
        column += word.len;
        first = false;
    }
    add(composing, "\r\n");
}

static void add_cause(struct composing *composing, const struct notice_cause *cause)
{
    const struct say_info *info = cause->reply ? say_info(cause->reply) : NULL;

    (void)buf_add_format(composing->out, "%8" PRIu64 "  ", cause->count);
    if (!info) {
        add_wrapped(composing,
                    cause->reply ? SLICE("a reply that this program does not know") : slice_text(cause->text),
                    10);
        return;
    }
    char number[16];
    (void)snprintf(number, sizeof number, "#%u", info->number);
    (void)buf_add_format(composing->out, "%-5s%u  ", number, info->code);
    add_wrapped(composing, slice_text(info->cause), 20);
}

/* The most frequent first. There are few: the simplest way will do. */
static void add_causes(struct composing *composing, const struct notice_heap *heap)
{
    bool done[NOTICE_CAUSES] = {false};

    for (size_t n = 0; n < heap->cause_count; n++) {
        size_t most = NOTICE_CAUSES;
        for (size_t i = 0; i < heap->cause_count; i++)
            if (!done[i] && (most == NOTICE_CAUSES || heap->causes[i].count > heap->causes[most].count))
                most = i;
        done[most] = true;
        add_cause(composing, &heap->causes[most]);
    }
    if (heap->others)
        (void)buf_add_format(composing->out, "%8" PRIu64 "  by other causes\r\n", heap->others);
}

static void add_host(struct composing *composing, const struct notice_host *host)
{
    char text[ADDRESS_TEXT_SIZE];
    address_print(&host->address, text);
    (void)buf_add_format(composing->out, "%8" PRIu64 "  %s%s", host->count, text,
                         host->address.family == ADDRESS_IPV6 ? "/64" : "");
    if (host->over)
        (void)buf_add_format(composing->out, " (%" PRIu64 " at least)", host->count - host->over);
    add(composing, "\r\n");
}

static void add_hosts(struct composing *composing, const struct notice_heap *heap)
{
    bool done[NOTICE_HOSTS] = {false};

    if (heap->host_count)
        add(composing, "\r\n  The busiest clients:\r\n");
    for (size_t n = 0; n < heap->host_count && n < HOSTS_SHOWN; n++) {
        size_t most = NOTICE_HOSTS;
        for (size_t i = 0; i < heap->host_count; i++)
            if (!done[i] && (most == NOTICE_HOSTS || heap->hosts[i].count > heap->hosts[most].count))
                most = i;
        done[most] = true;
        add_host(composing, &heap->hosts[most]);
    }
}

static void add_class(struct composing *composing, unsigned which, const struct notice_heap *heap)
{
    char line[200];
    (void)snprintf(line, sizeof line, "%s (%" PRIu64 " %s): %s", notice_class_word((enum notice_class)which),
                   heap->count, heap->count == 1 ? headings[which].one : headings[which].many,
                   headings[which].what);
    add_wrapped(composing, slice_text(line), 0);
    add(composing, "\r\n");
    add_causes(composing, heap);
    add_hosts(composing, heap);
    add(composing, "\r\n");
}

/* --- examples ------------------------------------------------------------------------------------------ */

static void add_lines(struct composing *composing, struct slice text)
{
    struct slice line;
    while (slice_cut(&text, '\n', &line)) {
        (void)buf_add(composing->out, line);
        add(composing, "\r\n");
    }
}

static void add_session(struct composing *composing, const struct notice_example *example)
{
    const struct notice_mail *mail = composing->mail;
    struct buf text;
    buf_init(&text, TRANSCRIPT_MAX);
    if (mail->transcript && mail->transcript(mail->data, example, &text)) {
        add_lines(composing, buf_slice(&text));
    } else {
        char id[EVENT_ID_SIZE];
        event_id_print(example->session, id);
        (void)buf_add_format(composing->out, "Session %s: its records are not in the journal any more.\r\n",
                             id);
    }
    buf_drop(&text);
}

static void add_examples(struct composing *composing, unsigned which, const struct notice_heap *heap)
{
    for (size_t i = 0; i < heap->example_count; i++) {
        const struct notice_example *example = &heap->examples[i];
        if (composing->out->len + 2 * TRANSCRIPT_MAX > composing->out->max)
            return;
        (void)buf_add_format(composing->out, "--- %s, example %zu of %zu",
                             notice_class_word((enum notice_class)which), i + 1, heap->example_count);
        if (example->cause < heap->cause_count && heap->causes[example->cause].reply)
            (void)buf_add_format(composing->out, ": #%u", heap->causes[example->cause].reply);
        add(composing, " ---\r\n\r\n");
        if (example->session)
            add_session(composing, example);
        else
            add_wrapped(composing, slice_text(example->text), 0);
        add(composing, "\r\n");
    }
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void add_opening(struct composing *composing)
{
    const struct notice_mail *mail = composing->mail;
    add(composing, "This is Postern on ");
    add_safe(composing, mail->host);
    add(composing,
        mail->notice->digest ? ".\r\nThe sums of the day, from " : ".\r\nWhat has gathered, from ");
    add_date(composing, mail->notice->from_ms);
    add(composing, "\r\nto ");
    add_date(composing, mail->notice->to_ms);
    add(composing, ":\r\n\r\n");
}

static void add_closing(struct composing *composing)
{
    if (composing->mail->notice->heaps[NOTICE_CAMPAIGN].count)
        add(composing, "postern campaigns ID lists a campaign's hosts and attempts.\r\n");
    add(composing, "postern why NUMBER tells what a reply means, and what its cause is;\r\n"
                   "postern explain ID shows a session whole. Which classes are told of, how\r\n"
                   "often and to whom: the settings notify.* in postern.conf(5).\r\n");
}

void notice_mail_compose(const struct notice_mail *mail, struct buf *out)
{
    struct composing composing = {mail, out};
    const struct notice_heap *heaps = mail->notice->heaps;

    add_header(&composing);
    add_opening(&composing);
    for (unsigned i = 0; i < NOTICE_CLASSES; i++)
        if (heaps[i].count)
            add_class(&composing, i, &heaps[i]);
    for (unsigned i = 0; i < NOTICE_CLASSES; i++)
        add_examples(&composing, i, &heaps[i]);
    add_closing(&composing);
}
