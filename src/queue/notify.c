#include "queue/notify.h"

#include "base/address.h"
#include "base/calendar.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *notify_action_word(enum notify_action action)
{
    static const char *const words[] = {"none", "failed", "delayed", "delivered", "relayed", "expanded"};

    return words[action];
}

enum notify_action notify_due(const struct message *message, const struct recipient *recipient,
                              enum outcome outcome, bool preset)
{
    const unsigned notify = recipient->notify;

    if (!message->transaction.sender.len || notify & NOTIFY_NEVER)
        return NOTIFY_ACTION_NONE;
    switch (outcome) {
    case OUTCOME_FAILED:
        return !notify || notify & NOTIFY_FAILURE ? NOTIFY_ACTION_FAILED : NOTIFY_ACTION_NONE;
    case OUTCOME_DEFERRED:
        return notify & NOTIFY_DELAY || (!notify && preset) ? NOTIFY_ACTION_DELAYED : NOTIFY_ACTION_NONE;
    case OUTCOME_DELIVERED: return notify & NOTIFY_SUCCESS ? NOTIFY_ACTION_DELIVERED : NOTIFY_ACTION_NONE;
    case OUTCOME_RELAYED: return notify & NOTIFY_SUCCESS ? NOTIFY_ACTION_RELAYED : NOTIFY_ACTION_NONE;
    case OUTCOME_EXPANDED: return notify & NOTIFY_SUCCESS ? NOTIFY_ACTION_EXPANDED : NOTIFY_ACTION_NONE;
    case OUTCOME_NONE:
    case OUTCOME_COUNT: break;
    }
    return NOTIFY_ACTION_NONE;
}

int notify_read_header(struct content *content, struct buf *buf, struct error *error)
{
    struct slice piece;

    content_rewind(content);
    for (;;) {
        if (content_next(content, &piece, error) < 0)
            return -1;
        if (!piece.len)
            return 0;
        buf_add(buf, slice_head(piece, NOTIFY_HEADER_MAX - buf->len));
        const struct slice all = buf_slice(buf);
        const size_t end = slice_starts(all, SLICE("\r\n")) ? 0 : slice_find_slice(all, SLICE("\r\n\r\n"));
        if (end != SLICE_NOT_FOUND) {
            buf->len = (uint32_t)(end ? end + 2 : 0);
            return 0;
        }
        if (buf->len >= NOTIFY_HEADER_MAX)
            return 0;
    }
}

/* --- text ---------------------------------------------------------------------------------------------- */

struct composing {
    const struct notify_form *form;
    struct buf *buf;
    bool utf8;
    char boundary[80];
};

static void add(struct composing *composing, const char *text)
{
    buf_add(composing->buf, slice_text(text));
}

/* Whatever came from outside: no line end, and only ASCII where nothing else may stand. */
static void add_harmless(struct composing *composing, struct slice text, bool utf8)
{
    for (size_t i = 0; i < text.len;) {
        const size_t size = slice_utf8_size(slice_from(text, i));
        const bool good = size == 1 ? (uint8_t)text.at[i] >= 0x20 && text.at[i] != 0x7f : size > 1 && utf8;
        if (good)
            buf_add(composing->buf, slice_of(text.at + i, size));
        else
            buf_add_octet(composing->buf, '?');
        i += size ? size : 1;
    }
}

static void add_field(struct composing *composing, const char *name, const char *type, struct slice value)
{
    if (!value.len)
        return;
    add(composing, name);
    add(composing, ": ");
    add(composing, type);
    add_harmless(composing, slice_head(value, 800), composing->utf8);
    add(composing, "\r\n");
}

static void add_date(struct composing *composing, const char *name, int64_t unix_ms)
{
    char date[CALENDAR_TEXT_SIZE];

    if (!unix_ms)
        return;
    add_field(composing, name, "", slice_of(date, calendar_print_mail(unix_ms / 1000, 0, date)));
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.at[i] > 0x7f)
            return false;
    return true;
}

/* xtext (RFC 3461 section 4): +XX is an octet. What is malformed stays. */
static struct slice xtext_plain(struct slice text, char *room, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < size; i++) {
        const int high = text.at[i] == '+' && i + 2 < text.len ? text_hex_digit(text.at[i + 1]) : -1;
        const int low = high >= 0 ? text_hex_digit(text.at[i + 2]) : -1;
        if (low >= 0)
            i += 2;
        room[len++] = low >= 0 ? (char)(uint8_t)(high * 16 + low) : text.at[i];
    }
    return slice_of(room, len);
}

/* --- the parts ----------------------------------------------------------------------------------------- */

static const char *subject(const struct notify_form *form)
{
    enum notify_action worst = form->items[0].action;

    for (size_t i = 1; i < form->count; i++)
        if (form->items[i].action < worst)
            worst = form->items[i].action;
    switch (worst) {
    case NOTIFY_ACTION_FAILED: return "Your message could not be delivered";
    case NOTIFY_ACTION_DELAYED: return "Your message is delayed";
    case NOTIFY_ACTION_DELIVERED: return "Your message was delivered";
    case NOTIFY_ACTION_RELAYED:
    case NOTIFY_ACTION_EXPANDED:
    case NOTIFY_ACTION_NONE: break;
    }
    return "Your message was passed on";
}

static void add_header(struct composing *composing)
{
    const struct notify_form *form = composing->form;

    add_date(composing, "Date", form->now_unix_ms);
    add(composing, "From: Mail delivery <postmaster@");
    add_harmless(composing, form->host, composing->utf8);
    add(composing, ">\r\nTo: <");
    add_harmless(composing, form->about->transaction.sender, composing->utf8);
    add(composing, ">\r\nSubject: ");
    add(composing, subject(form));
    buf_add_format(composing->buf, "\r\nMessage-ID: <%s@", form->id);
    add_harmless(composing, form->host, composing->utf8);
    add(composing, ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    buf_add_format(composing->buf, "\tboundary=\"%s\"\r\n\r\n", composing->boundary);
}

static void add_boundary(struct composing *composing, const char *type, bool eight_bit)
{
    buf_add_format(composing->buf, "--%s\r\nContent-Type: %s\r\n", composing->boundary, type);
    if (eight_bit)
        add(composing, "Content-Transfer-Encoding: 8bit\r\n");
    add(composing, "\r\n");
}

static const char *said_of(enum notify_action action)
{
    switch (action) {
    case NOTIFY_ACTION_FAILED: return "could not be delivered, and will not be tried again";
    case NOTIFY_ACTION_DELAYED:
        return "has not been delivered yet; it is tried again, and you need not do anything";
    case NOTIFY_ACTION_DELIVERED: return "was delivered to the mailbox";
    case NOTIFY_ACTION_RELAYED:
        return "was passed on to a mail server that does not report what becomes of it";
    case NOTIFY_ACTION_EXPANDED: return "was passed on to several recipients, whose delivery is not reported";
    case NOTIFY_ACTION_NONE: break;
    }
    return "";
}

static struct slice address_of(const struct notify_item *item)
{
    return item->final_address.len ? item->final_address : item->recipient->address;
}

static void add_words(struct composing *composing)
{
    const struct notify_form *form = composing->form;

    add_boundary(composing, composing->utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
                 composing->utf8);
    add(composing, "This is the mail server ");
    add_harmless(composing, form->host, composing->utf8);
    add(composing, ".\r\n");
    for (size_t i = 0; i < form->count; i++) {
        const struct notify_item *item = &form->items[i];
        add(composing, "\r\nYour message to <");
        add_harmless(composing, item->recipient->address, composing->utf8);
        add(composing, ">\r\n    ");
        add(composing, said_of(item->action));
        add(composing, ".\r\n");
        if (item->result->text.len) {
            add(composing, "    The reason given: ");
            add_harmless(composing, slice_head(item->result->text, 800), composing->utf8);
            add(composing, "\r\n");
        }
    }
    add(composing, "\r\n");
}

static void add_about(struct composing *composing)
{
    const struct transaction *t = &composing->form->about->transaction;
    char room[ENVID_SIZE_MAX + 1];

    add_field(composing, "Original-Envelope-Id", "", xtext_plain(t->envid, room, sizeof(room)));
    add_field(composing, "Reporting-MTA", "dns; ", composing->form->host);
    add_field(composing, "Received-From-MTA", "dns; ", t->peer_name.len ? t->peer_name : t->helo);
    add_date(composing, "Arrival-Date", t->received_unix_ms);
}

static void add_original_recipient(struct composing *composing, struct slice orcpt)
{
    char room[ORCPT_SIZE_MAX + 1];

    /* The form of the type utf-8 has its own encoding, which may stand here as it is (RFC 6533 section 3). */
    if (slice_starts_fold(orcpt, SLICE("utf-8;")))
        add_field(composing, "Original-Recipient", "", orcpt);
    else
        add_field(composing, "Original-Recipient", "", xtext_plain(orcpt, room, sizeof(room)));
}

static struct slice status_of(const struct notify_item *item)
{
    const char class = item->action == NOTIFY_ACTION_FAILED    ? '5'
                       : item->action == NOTIFY_ACTION_DELAYED ? '4'
                                                               : '2';

    /* Delivery that was given up after a time has a status of class 4, with action failed (RFC 3464 2.3.4).
     */
    if (item->result->enhanced.len && (item->result->enhanced.at[0] == class || class == '5'))
        return item->result->enhanced;
    return class == '5' ? SLICE("5.0.0") : class == '4' ? SLICE("4.0.0") : SLICE("2.0.0");
}

/* "192.0.2.7:25" as an address literal; the path of a socket is nobody's business. */
static void add_remote(struct composing *composing, struct slice target)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address;

    if (!address_port_parse(target, 0, &address))
        return;
    const size_t len = address_print(&address, text);
    buf_add_format(composing->buf, "Remote-MTA: dns; [%s%.*s]\r\n",
                   address.family == ADDRESS_IPV6 ? "IPv6:" : "", (int)len, text);
}

static void add_item(struct composing *composing, const struct notify_item *item)
{
    const struct result *result = item->result;
    const struct slice address = address_of(item);

    add(composing, "\r\n");
    add_original_recipient(composing, item->recipient->orcpt);
    add_field(composing, "Final-Recipient", is_ascii(address) ? "rfc822; " : "utf-8; ", address);
    add_field(composing, "Action", "", slice_text(notify_action_word(item->action)));
    add_field(composing, "Status", "", status_of(item));
    if (result->code) {
        char diagnostic[24];
        add_remote(composing, result->target);
        snprintf(diagnostic, sizeof(diagnostic), "smtp; %u ", result->code);
        if (result->enhanced.len)
            buf_add_format(composing->buf, "Diagnostic-Code: %s%.*s ", diagnostic,
                           SLICE_ARGS(result->enhanced));
        else
            buf_add_format(composing->buf, "Diagnostic-Code: %s", diagnostic);
        add_harmless(composing, slice_head(result->text, 800), composing->utf8);
        add(composing, "\r\n");
    }
    add_date(composing, "Last-Attempt-Date", result->unix_ms);
    if (item->action == NOTIFY_ACTION_DELAYED)
        add_date(composing, "Will-Retry-Until", composing->form->retry_until_unix_ms);
}

static void add_status(struct composing *composing)
{
    add_boundary(composing, composing->utf8 ? "message/global-delivery-status" : "message/delivery-status",
                 composing->utf8);
    add_about(composing);
    for (size_t i = 0; i < composing->form->count; i++)
        add_item(composing, &composing->form->items[i]);
    add(composing, "\r\n");
}

/* The whole comes back when the sender wants it and a failure is told (RFC 3461 section 4.3); else the
 * header. */
static bool wants_whole(const struct notify_form *form)
{
    bool failed = false;

    for (size_t i = 0; i < form->count; i++)
        failed |= form->items[i].action == NOTIFY_ACTION_FAILED;
    return failed && form->about->transaction.ret == RET_FULL;
}

static bool needs_utf8(const struct notify_form *form)
{
    bool ascii = is_ascii(form->about->transaction.sender);

    for (size_t i = 0; i < form->count; i++)
        ascii = ascii && is_ascii(form->items[i].recipient->address) && is_ascii(address_of(&form->items[i]));
    return form->about->transaction.smtputf8 || !ascii;
}

void notify_compose(const struct notify_form *form, struct slice header, struct buf *before,
                    struct buf *behind, struct notify_shape *ret_shape)
{
    struct composing composing = {.form = form, .buf = before, .utf8 = needs_utf8(form)};
    const enum body_kind body = form->about->transaction.body;
    const bool whole = wants_whole(form);
    const bool eight_bit = composing.utf8 ||
                           (whole ? body != BODY_7BIT && body != BODY_NONE : !is_ascii(header));

    assert(form->count > 0);
    snprintf(composing.boundary, sizeof(composing.boundary), "=_%s_%016llx", form->id,
             (unsigned long long)form->chance);
    add_header(&composing);
    add_words(&composing);
    add_status(&composing);
    if (composing.utf8)
        add_boundary(&composing, whole ? "message/global" : "message/global-headers", true);
    else
        add_boundary(&composing, whole ? "message/rfc822" : "text/rfc822-headers", eight_bit);
    if (!whole)
        buf_add(before, header);
    buf_add_format(behind, "\r\n--%s--\r\n", composing.boundary);
    *ret_shape = (struct notify_shape){.whole = whole, .utf8 = composing.utf8, .eight_bit = eight_bit};
}
