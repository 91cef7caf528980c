#include "wire/maillog_postfix.h"

#include "base/text.h"

/*
 * message = [ ( id / "NOQUEUE" ) ":" SP ] words
 * refusal = action ":" SP stage SP "from" SP client ":" SP reply [ ";" SP envelope ]
 * envelope= *( ( "from=" / "to=" / "helo=" ) path / "proto=" word ), parted by blanks, or by ", "
 */

static bool take(struct slice *text, struct slice prefix)
{
    if (!slice_starts(*text, prefix))
        return false;
    *text = slice_from(*text, prefix.len);
    return true;
}

/* Marks are short and begin with an octet that is seldom, or stand near the front: there this is quicker than
 * a search that prepares itself first. */
static size_t find_mark(struct slice text, struct slice mark)
{
    for (size_t at = 0; at + mark.len <= text.len; at++) {
        const char *found = memchr(text.at + at, mark.at[0], text.len - mark.len - at + 1);
        if (!found)
            break;
        at = (size_t)(found - text.at);
        if (memcmp(found, mark.at, mark.len) == 0)
            return at;
    }
    return SLICE_NOT_FOUND;
}

/* Takes what stands before `mark`, and the mark. */
static bool take_until(struct slice *text, struct slice mark, struct slice *ret_part)
{
    const size_t at = find_mark(*text, mark);

    if (at == SLICE_NOT_FOUND)
        return false;
    *ret_part = slice_head(*text, at);
    *text = slice_from(*text, at + mark.len);
    return true;
}

/* "4F1B2C3D4E: ", "3ZzYxW2vTsz1: ", "NOQUEUE: "; false: the text begins otherwise. */
static bool take_id(struct slice *text, struct slice *ret_id)
{
    size_t end = 0;

    while (end < text->len && text_is_alnum(text->at[end]))
        end++;
    if (end < 5 || end > 32 || end + 1 >= text->len || text->at[end] != ':' || text->at[end + 1] != ' ')
        return false;
    *ret_id = slice_head(*text, end);
    *text = slice_from(*text, end + 2);
    return true;
}

/* A path with its brackets. */
static bool take_recipient(struct slice *text, struct slice *ret_recipient)
{
    const struct slice whole = *text;
    struct slice path;

    if (!maillog_take_path(text, &path))
        return false;
    *ret_recipient = slice_head(whole, whole.len - text->len);
    return true;
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static bool stage_read(struct slice word, enum maillog_stage *ret_stage)
{
    static const struct {
        struct slice word;
        enum maillog_stage stage;
    } words[] = {
        {{"RCPT", 4}, MAILLOG_AT_RCPT},       {{"END-OF-MESSAGE", 14}, MAILLOG_AT_END},
        {{"CONNECT", 7}, MAILLOG_AT_CONNECT}, {{"MAIL", 4}, MAILLOG_AT_MAIL},
        {{"EHLO", 4}, MAILLOG_AT_HELO},       {{"HELO", 4}, MAILLOG_AT_HELO},
        {{"DATA", 4}, MAILLOG_AT_DATA},       {{"DATA content", 12}, MAILLOG_AT_END},
        {{"BDAT", 4}, MAILLOG_AT_DATA},       {{"STARTTLS", 8}, MAILLOG_AT_OTHER},
        {{"VRFY", 4}, MAILLOG_AT_OTHER},      {{"ETRN", 4}, MAILLOG_AT_OTHER},
        {{"UNKNOWN", 7}, MAILLOG_AT_OTHER},   {{"AUTH", 4}, MAILLOG_AT_OTHER},
        {{"LOGIN", 5}, MAILLOG_AT_OTHER},     {{"body", 4}, MAILLOG_AT_END},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(word, words[i].word)) {
            *ret_stage = words[i].stage;
            return true;
        }
    return false;
}

/* "from=<a> to=<b> proto=ESMTP helo=<c>", also with commas; unknown words are passed over. */
static void envelope_read(struct slice text, struct maillog_record *record)
{
    struct slice path;

    while (text.len) {
        if (take(&text, SLICE("from=")) && maillog_take_path(&text, &path)) {
            record->sender = path;
            record->has |= MAILLOG_HAS_SENDER;
        } else if (take(&text, SLICE("to=")) && take_recipient(&text, &path)) {
            record->recipients = path;
            record->has |= MAILLOG_HAS_RECIPIENTS;
        } else if (take(&text, SLICE("helo=")) && maillog_take_path(&text, &path)) {
            record->helo = path;
            record->has |= MAILLOG_HAS_HELO;
        } else {
            const size_t blank = slice_find(text, ' ');
            text = slice_from(text, blank == SLICE_NOT_FOUND ? text.len : blank);
        }
        while (text.len && (text.at[0] == ' ' || text.at[0] == ','))
            text = slice_from(text, 1);
    }
}

/* The action decides whether it was a refusal at all. */
static bool action_read(struct slice action, struct maillog_record *record)
{
    static const struct {
        struct slice word;
        bool warning, discarded;
    } words[] = {
        {{"reject", 6}, false, false},        {{"milter-reject", 13}, false, false},
        {{"proxy-reject", 12}, false, false}, {{"reject_warning", 14}, true, false},
        {{"discard", 7}, false, true},        {{"milter-discard", 14}, false, true},
        {{"warn", 4}, true, false},           {{"hold", 4}, true, false},
        {{"milter-hold", 11}, true, false},   {{"filter", 6}, true, false},
        {{"redirect", 8}, true, false},       {{"bcc", 3}, true, false},
        {{"info", 4}, true, false},           {{"delay", 5}, true, false},
        {{"replace", 7}, true, false},        {{"prepend", 7}, true, false},
        {{"strip", 5}, true, false},          {{"ignore", 6}, true, false},
        {{"proxy-accept", 12}, true, false},  {{"permit", 6}, true, false},
        {{"trigger", 7}, true, false},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(action, words[i].word)) {
            record->warning = words[i].warning;
            record->discarded = words[i].discarded;
            return true;
        }
    return false;
}

/* "reject: header Subject: TEXT from CLIENT; from=<a> to=<b> proto=ESMTP helo=<c>: 5.7.1 reply": the text is
 * the client's, so that nothing is read of it; who the client is, the queue id tells. */
static bool content_refusal(struct slice text, struct maillog_record *record)
{
    record->stage = take(&text, SLICE("body ")) ? MAILLOG_AT_END : MAILLOG_AT_HEADER;
    const size_t reply = slice_find_slice(text, SLICE(">: "));
    if (reply != SLICE_NOT_FOUND)
        maillog_set_reply(record, slice_from(text, reply + 3));
    if (!record->code && !record->warning && !record->discarded)
        record->code = 550; /* cleanup's default is 5.7.1 */
    return true;
}

bool maillog_postfix_refusal(struct slice text, struct maillog_record *record)
{
    struct slice action, stage, reply;

    if (!take_until(&text, SLICE(": "), &action) || !action_read(action, record))
        return false;
    record->kind = MAILLOG_REFUSED;
    if (slice_starts(text, SLICE("header ")) || slice_starts(text, SLICE("body ")) ||
        slice_starts(text, SLICE("mime-header ")) || slice_starts(text, SLICE("mime-error ")) ||
        slice_starts(text, SLICE("nested-header ")))
        return content_refusal(text, record);
    if (!take_until(&text, SLICE(" from "), &stage) || !stage_read(stage, &record->stage))
        return take(&text, SLICE("END-OF-MESSAGE: ")); /* proxy-accept */
    if (!maillog_take_client(&text, record))
        return false;
    if (!take(&text, SLICE(": ")) && !take(&text, SLICE("; ")))
        return true;
    if (take_until(&text, SLICE("; from=<"), &reply)) {
        maillog_set_reply(record, reply);
        envelope_read(slice_of(text.at - 6, text.len + 6), record); /* from "from=<" on */
    } else {
        const size_t proto = find_mark(text, SLICE("; proto="));
        maillog_set_reply(record, slice_head(text, proto));
        if (proto != SLICE_NOT_FOUND)
            envelope_read(slice_from(text, proto + 2), record);
    }
    return true;
}

/* --- smtpd --------------------------------------------------------------------------------------------- */

/* "client=host.example[192.0.2.7], sasl_method=PLAIN, sasl_username=joe, orig_client=…" */
static void client_read(struct slice text, struct maillog_record *record)
{
    if (!maillog_take_client(&text, record))
        return;
    record->kind = MAILLOG_CLIENT;
    record->authenticated = find_mark(text, SLICE(", sasl_username=")) != SLICE_NOT_FOUND;
}

static void warning_read(struct slice text, struct maillog_record *record)
{
    record->kind = MAILLOG_NOTHING;
    if (!take(&text, SLICE("non-SMTP command from ")) || !maillog_take_client(&text, record))
        return;
    record->kind = MAILLOG_FOREIGN;
    (void)take(&text, SLICE(": "));
    record->reply = text;
}

/* "lost connection after RCPT from host.example[192.0.2.7]" */
static void lost_read(struct slice text, enum maillog_kind kind, struct maillog_record *record)
{
    struct slice where;

    if (take_until(&text, SLICE(" from "), &where) && maillog_take_client(&text, record))
        record->kind = kind;
}

static void smtpd_words(struct slice text, struct maillog_record *record)
{
    static const struct slice nothing[] = {
        {"Anonymous TLS ", 14},
        {"Trusted TLS ", 12},
        {"Untrusted TLS ", 14},
        {"Verified TLS ", 13},
        {"setting up TLS ", 15},
        {"SSL_accept ", 11},
        {"initializing ", 13},
        {"table ", 6},
        {"fatal: ", 7},
        {"error: ", 7},
        {"panic: ", 7},
        {"statistics: ", 12},
        {"info: ", 6},
        {"watchdog ", 9},
        {"daemon started", 14},
        {"reload ", 7},
        {"process ", 8},
        {"TLS SNI ", 8},
        {"issuing session ", 16},
        {"auth_", 5},
        {"SSL3 ", 5},
        {"connect to ", 11},
        {"host ", 5},
        {"milter ", 7},
        {"proxymap ", 9},
        {"idle timeout", 12},
        {"certificate ", 12},
        {"disconnect: ", 12},
    };

    if (take(&text, SLICE("connect from "))) {
        record->kind = maillog_take_client(&text, record) ? MAILLOG_CONNECTED : MAILLOG_UNKNOWN;
    } else if (take(&text, SLICE("disconnect from "))) {
        record->kind = maillog_take_client(&text, record) ? MAILLOG_DISCONNECTED : MAILLOG_UNKNOWN;
    } else if (take(&text, SLICE("warning: "))) {
        warning_read(text, record);
    } else if (take(&text, SLICE("lost connection after ")) || take(&text, SLICE("timeout after ")) ||
               take(&text, SLICE("too many errors after "))) {
        lost_read(text, MAILLOG_LOST, record);
    } else if (take(&text, SLICE("improper command pipelining after "))) {
        lost_read(text, MAILLOG_EARLY, record);
    }
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing && record->kind == MAILLOG_UNKNOWN; i++)
        if (slice_starts(text, nothing[i]))
            record->kind = MAILLOG_NOTHING;
}

static void smtpd_of_id(struct slice text, struct maillog_record *record)
{
    if (take(&text, SLICE("client=")))
        client_read(text, record);
    else if (!maillog_postfix_refusal(text, record))
        record->kind = slice_starts(text, SLICE("sasl_")) || slice_starts(text, SLICE("lost connection"))
                           ? MAILLOG_NOTHING
                           : MAILLOG_UNKNOWN;
}

/* --- cleanup, qmgr, those that deliver ------------------------------------------------------------------ */

static void cleanup_of_id(struct slice text, struct maillog_record *record)
{
    if (take(&text, SLICE("message-id="))) {
        struct slice path;
        record->kind = MAILLOG_MESSAGE_ID;
        record->message_id = maillog_take_path(&text, &path) ? path : text;
        record->has |= MAILLOG_HAS_MESSAGE_ID;
    } else if (slice_starts(text, SLICE("resent-message-id=")) || slice_starts(text, SLICE("to=")) ||
               slice_starts(text, SLICE("uid="))) {
        record->kind = MAILLOG_NOTHING;
    } else if (!maillog_postfix_refusal(text, record)) {
        record->kind = MAILLOG_UNKNOWN;
    }
}

/* "from=<a@b.example>, size=1762, nrcpt=1 (queue active)" */
static void queued_read(struct slice text, struct maillog_record *record)
{
    struct slice path, part;
    uint64_t number;

    if (!maillog_take_path(&text, &path))
        return;
    record->kind = MAILLOG_FROM;
    record->sender = path;
    record->has |= MAILLOG_HAS_SENDER;
    if (take(&text, SLICE(", size=")) && take_until(&text, SLICE(", "), &part) &&
        text_parse_u64(part, &number)) {
        record->size = number;
        record->has |= MAILLOG_HAS_SIZE;
        if (take(&text, SLICE("nrcpt=")) && take_until(&text, SLICE(" "), &part) &&
            text_parse_u64(part, &number) && number <= UINT32_MAX) {
            record->recipient_count = (uint32_t)number;
            record->has |= MAILLOG_HAS_COUNT;
        }
    } else if (slice_starts(text, SLICE(", status=expired")) ||
               slice_starts(text, SLICE(", status=force-expired"))) {
        record->kind = MAILLOG_TO;
        record->delivery = MAILLOG_EXPIRED;
    }
}

static void delivery_read(struct slice text, struct maillog_record *record)
{
    static const struct {
        struct slice word;
        enum maillog_delivery delivery;
    } words[] = {
        {{"sent", 4}, MAILLOG_SENT},
        {{"deferred", 8}, MAILLOG_DEFERRED},
        {{"bounced", 7}, MAILLOG_BOUNCED},
        {{"expired", 7}, MAILLOG_EXPIRED},
    };
    struct slice path, part;

    if (!take_recipient(&text, &path))
        return;
    record->kind = MAILLOG_TO;
    record->delivery = MAILLOG_DELIVERY_OTHER;
    record->has |= MAILLOG_HAS_RECIPIENTS;
    record->recipients = path;
    if (take(&text, SLICE(", orig_to=")) && take_recipient(&text, &path))
        record->recipients = path;
    if (!take_until(&text, SLICE(", status="), &part))
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts(text, words[i].word))
            record->delivery = words[i].delivery;
}

static void delivery_of_id(struct slice text, struct maillog_record *record)
{
    if (take(&text, SLICE("to=")))
        delivery_read(text, record);
    else /* "host mx.example[192.0.2.1] said: 450 …", "conversation with … timed out", "enabling PIX
            workarounds" */
        record->kind = MAILLOG_NOTHING;
}

static void qmgr_of_id(struct slice text, struct maillog_record *record)
{
    if (take(&text, SLICE("from=")))
        queued_read(text, record);
    else if (slice_equal(text, SLICE("removed")))
        record->kind = MAILLOG_GONE;
    else if (take(&text, SLICE("to=")))
        delivery_read(text, record);
    else
        record->kind = slice_starts(text, SLICE("skipped")) || slice_starts(text, SLICE("expired")) ||
                               slice_starts(text, SLICE("sender"))
                           ? MAILLOG_NOTHING
                           : MAILLOG_UNKNOWN;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void with_id(enum maillog_program program, struct slice text, struct maillog_record *record)
{
    switch (program) {
    case MAILLOG_SMTPD: smtpd_of_id(text, record); return;
    case MAILLOG_CLEANUP: cleanup_of_id(text, record); return;
    case MAILLOG_QMGR: qmgr_of_id(text, record); return;
    case MAILLOG_DELIVERY: delivery_of_id(text, record); return;
    case MAILLOG_OTHER:
    case MAILLOG_SENDMAIL:
    case MAILLOG_POSTSCREEN:
    case MAILLOG_SERVICE: record->kind = MAILLOG_NOTHING; return;
    }
}

/* "warning: …" has the shape of a queue id. */
static bool is_complaint(struct slice text)
{
    static const struct slice words[] = {
        {"warning: ", 9}, {"error: ", 7}, {"fatal: ", 7}, {"panic: ", 7}, {"statistics: ", 12},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts(text, words[i]))
            return true;
    return false;
}

void maillog_postfix_parse(enum maillog_program program, struct slice message,
                           struct maillog_record *ret_record)
{
    struct slice id;

    *ret_record = (struct maillog_record){.kind = MAILLOG_UNKNOWN};
    if (program == MAILLOG_SERVICE) {
        ret_record->kind = MAILLOG_NOTHING;
    } else if (!is_complaint(message) && take_id(&message, &id)) {
        ret_record->id = slice_equal(id, SLICE("NOQUEUE")) ? SLICE_NONE : id;
        with_id(program, message, ret_record);
    } else if (program == MAILLOG_SMTPD) {
        smtpd_words(message, ret_record);
    } else {
        ret_record->kind = MAILLOG_NOTHING; /* complaints, connections to other hosts, table changes */
    }
}
