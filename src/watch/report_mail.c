/* The report as a mail. As a feedback report it has three parts (RFC 5965 section 2): words for people,
 * fields for programs, and what was seen of the message's header. */
#include "watch/report_part.h"

#include "core/event.h"
#include "wire/domain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define WORDS_MAX   65536u
#define PART_MAX    32768u
#define FIELD_VALUE 700 /* octets of a field's value that a stranger chose */
#define PATH_VALUE  320 /* of an address in one */

struct mail {
    const struct report *report;
    struct buf *out;                  /* has room: each part has its own measure */
    const struct report_attempt *key; /* NULL: no attempt is known in detail */
    char boundary[64];
};

static void put(struct mail *mail, const char *text)
{
    (void)buf_add(mail->out, slice_text(text));
}

static void put_safe(struct mail *mail, struct slice text)
{
    report_put_safe(mail->out, text, FIELD_VALUE);
}

/* --- the header ---------------------------------------------------------------------------------------- */

/* A feedback report bears the subject of the message that it is about, behind FW: at most (RFC 5965 section
 * 2); where no subject was seen, and in plain mail, one of our own. */
static void put_subject(struct mail *mail, bool feedback)
{
    const struct report *report = mail->report;
    struct arena arena;

    arena_init(&arena, NULL, 0);
    const bool seen = feedback && mail->key && mail->key->message && mail->key->subject.len;
    put(mail, seen ? "Subject: FW: " : "Subject: ");
    report_put_unstructured(mail->out, seen ? mail->key->subject : report_subject(report, &arena));
    put(mail, "\r\n");
    arena_drop(&arena);
}

static void put_to(struct mail *mail)
{
    const struct contacts *to = &mail->report->to;

    for (size_t i = 0; i < to->count; i++) {
        put(mail, i ? ",\r\n " : "To: ");
        put_safe(mail, to->address[i]);
    }
    if (to->count)
        put(mail, "\r\n");
}

static void put_header(struct mail *mail, bool feedback)
{
    put(mail, "Date: ");
    report_put_time(mail->out, mail->report->now_ms);
    put(mail, "\r\nFrom: ");
    put_safe(mail, mail->report->from);
    put(mail, "\r\n");
    put_to(mail);
    put_subject(mail, feedback);
    (void)buf_add_format(mail->out, "Message-ID: <%016" PRIx64 ".report@", mail->report->id);
    put_safe(mail, mail->report->host);
    put(mail, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

/* --- the second part ----------------------------------------------------------------------------------- */

static void put_time(struct mail *mail, const char *name, int64_t unix_ms)
{
    put(mail, name);
    report_put_time(mail->out, unix_ms);
    put(mail, "\r\n");
}

static void put_source(struct mail *mail, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];

    (void)address_print(address, text);
    (void)buf_add_format(mail->out, "Source-IP: %s\r\n", text);
    if (address->port)
        (void)buf_add_format(mail->out, "Source-Port: %u\r\n", address->port);
}

static void put_envelope(struct mail *mail)
{
    const struct report_attempt *key = mail->key;

    if (key->has_sender) {
        put(mail, "Original-Mail-From: <");
        report_put_safe(mail->out, key->sender, PATH_VALUE);
        put(mail, ">\r\n");
    }
    for (uint32_t i = 0; i < key->recipient_count && i < REPORT_RECIPIENTS; i++) {
        put(mail, "Original-Rcpt-To: <");
        report_put_safe(mail->out, key->recipients[i], PATH_VALUE);
        put(mail, ">\r\n");
    }
}

static bool is_domain(struct slice text)
{
    return domain_check(text, false, NULL) == DOMAIN_DONE;
}

static const struct report_host *host_of(const struct mail *mail)
{
    const struct report *report = mail->report;

    for (size_t i = 0; mail->key && i < report->host_count; i++) {
        const struct address one = report_host_key(&report->hosts[i].address),
                             other = report_host_key(&mail->key->peer);
        if (address_equal(&one, &other))
            return &report->hosts[i];
    }
    return &report->hosts[0];
}

/* A domain that is named must have to do with the host: its confirmed name, or a sender's that lets the host
 * send. What a sender just claims names the innocent as a rule. */
static void put_domains(struct mail *mail)
{
    const struct report_host *host = host_of(mail);
    const struct report_attempt *key = mail->key;
    const bool sure = key && key->spf && strcmp(key->spf, "pass") == 0;

    if (key && key->spf && is_domain(key->spf_domain)) {
        put(mail, "Authentication-Results: ");
        put_safe(mail, mail->report->host);
        (void)buf_add_format(mail->out, ";\r\n spf=%s smtp.mailfrom=%.*s\r\n", key->spf,
                             SLICE_ARGS(key->spf_domain));
    }
    if (host->ptr_confirmed && is_domain(host->ptr))
        (void)buf_add_format(mail->out, "Reported-Domain: %.*s\r\n", SLICE_ARGS(host->ptr));
    if (sure && is_domain(key->spf_domain) && !slice_equal_fold(key->spf_domain, host->ptr))
        (void)buf_add_format(mail->out, "Reported-Domain: %.*s\r\n", SLICE_ARGS(key->spf_domain));
}

static void put_feedback(struct mail *mail)
{
    const struct report *report = mail->report;

    put(mail, "Content-Type: message/feedback-report\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
              "Feedback-Type: abuse\r\nUser-Agent: ");
    put_safe(mail, report->software);
    put(mail, "\r\nVersion: 1\r\n");
    if (mail->key)
        put_envelope(mail);
    put_time(mail, "Arrival-Date: ", mail->key ? mail->key->unix_ms : report->last_ms);
    put(mail, "Reporting-MTA: dns; ");
    put_safe(mail, report->host);
    put(mail, "\r\n");
    put_source(mail, mail->key ? &mail->key->peer : &report->hosts[0].address);
    (void)buf_add_format(mail->out, "Incidents: %" PRIu64 "\r\n",
                         report->attempts > UINT32_MAX ? UINT32_MAX : report->attempts);
    put_domains(mail);
}

/* --- the third part ------------------------------------------------------------------------------------ */

static void literal_put(const struct address *address, struct buf *out)
{
    char text[ADDRESS_TEXT_SIZE];

    (void)address_print(address, text);
    (void)buf_add_format(out, "[%s%s]", address->family == ADDRESS_IPV6 ? "IPv6:" : "", text);
}

/* The trace field that a message would have got (RFC 5321 section 4.4). */
static void put_received(const struct mail *mail, struct buf *out)
{
    const struct report *report = mail->report;
    const struct report_attempt *key = mail->key;
    const struct report_host *host = host_of(mail);
    const struct address *address = key ? &key->peer : &host->address;
    char id[EVENT_ID_SIZE];

    (void)buf_add(out, SLICE("Received: from "));
    if (key && key->has_helo && is_domain(key->helo) && key->helo.len < 200)
        (void)buf_add(out, key->helo);
    else
        literal_put(address, out);
    (void)buf_add(out, SLICE(" ("));
    if (host->ptr_confirmed && is_domain(host->ptr))
        (void)buf_add_format(out, "%.*s ", SLICE_ARGS(host->ptr));
    literal_put(address, out);
    (void)buf_add(out, SLICE(")\n by "));
    report_put_safe(out, report->host, 200);
    (void)buf_add(out, SLICE(" with SMTP"));
    if (key && key->session) {
        event_id_print(key->session, id);
        (void)buf_add_format(out, " id %s", id);
    }
    (void)buf_add(out, SLICE(";\n "));
    report_put_time(out, key ? key->unix_ms : report->last_ms);
    (void)buf_add_octet(out, '\n');
}

/* As it came, but that no octet of it can end the line. */
static void put_seen(const char *name, struct slice value, struct buf *out)
{
    if (!value.len)
        return;
    (void)buf_add_format(out, "%s: ", name);
    for (size_t i = 0; i < value.len && i < FIELD_VALUE; i++) {
        const unsigned char octet = (unsigned char)value.at[i];
        (void)buf_add_octet(out, octet < ' ' || octet == 0x7f ? (octet == '\t' ? ' ' : '?') : value.at[i]);
    }
    (void)buf_add_octet(out, '\n');
}

static void put_headers(struct mail *mail)
{
    const struct report_attempt *key = mail->key;
    struct buf seen;

    buf_init(&seen, PART_MAX);
    put_received(mail, &seen);
    if (key && key->message) {
        put_seen("Message-ID", key->message_id, &seen);
        put_seen("Date", key->date, &seen);
        put_seen("Subject", key->subject, &seen);
    }
    put(mail, "Content-Type: text/rfc822-headers; charset=utf-8\r\n");
    report_put_body(mail->out, buf_slice(&seen));
    buf_drop(&seen);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void put_words(struct mail *mail)
{
    struct buf words;

    buf_init(&words, WORDS_MAX);
    report_put_words(mail->report, &words);
    put(mail, "Content-Type: text/plain; charset=utf-8\r\n");
    report_put_body(mail->out, buf_slice(&words));
    buf_drop(&words);
}

/* Nobody who wrote what is in the parts could foresee it; and no encoded line can hold "=_". */
static void boundary_make(struct mail *mail)
{
    (void)snprintf(mail->boundary, sizeof mail->boundary, "=_%016" PRIx64 "_%016" PRIx64, mail->report->id,
                   mail->report->chance);
}

static void put_boundary(struct mail *mail, const char *behind)
{
    (void)buf_add_format(mail->out, "--%s%s\r\n", mail->boundary, behind);
}

static void mail_begin(struct mail *mail, const struct report *report, struct buf *made)
{
    assert(report->host_count && (!report->listed_count || report->key < report->listed_count));
    buf_init(made, REPORT_MAX);
    *mail = (struct mail){
        .report = report, .out = made, .key = report->listed_count ? &report->listed[report->key] : NULL};
    boundary_make(mail);
}

static bool mail_end(struct buf *made, struct buf *out)
{
    const bool whole = buf_add(out, buf_slice(made));

    buf_drop(made);
    return whole;
}

bool report_arf(const struct report *report, struct buf *out)
{
    struct mail mail;
    struct buf made;

    mail_begin(&mail, report, &made);
    put_header(&mail, true);
    put(&mail, "Content-Type: multipart/report; report-type=feedback-report;\r\n");
    (void)buf_add_format(&made, "\tboundary=\"%s\"\r\n\r\n", mail.boundary);
    put_boundary(&mail, "");
    put_words(&mail);
    put(&mail, "\r\n");
    put_boundary(&mail, "");
    put_feedback(&mail);
    put(&mail, "\r\n");
    put_boundary(&mail, "");
    put_headers(&mail);
    put(&mail, "\r\n");
    put_boundary(&mail, "--");
    return mail_end(&made, out);
}

bool report_text_mail(const struct report *report, struct buf *out)
{
    struct mail mail;
    struct buf made;

    mail_begin(&mail, report, &made);
    put_header(&mail, false);
    put_words(&mail);
    return mail_end(&made, out);
}

bool report_text(const struct report *report, struct buf *out)
{
    struct buf made;
    struct arena arena;
    char host[ADDRESS_TEXT_SIZE];
    bool whole;

    arena_init(&arena, NULL, 0);
    buf_init(&made, REPORT_MAX);
    (void)buf_add(&made, SLICE("To: "));
    for (size_t i = 0; i < report->to.count; i++) {
        (void)buf_add_format(&made, "%s", i ? ", " : "");
        report_put_safe(&made, report->to.address[i], FIELD_VALUE);
    }
    if (!report->to.count) {
        (void)address_print(&report->hosts[0].address, host);
        (void)buf_add_format(&made, "(not known: whois %s tells)", host);
    }
    (void)buf_add(&made, SLICE("\nSubject: "));
    (void)buf_add(&made, report_subject(report, &arena));
    (void)buf_add(&made, SLICE("\n\n"));
    report_put_words(report, &made);
    whole = buf_add(out, buf_slice(&made));
    buf_drop(&made);
    arena_drop(&arena);
    return whole;
}
