#include "cli/archive.h"

#include "base/text.h"
#include "wire/mail_date.h"
#include "wire/received.h"

#define HOSTS_MAX 16 /* of our own, that a message went through; more are not remembered */

const char *archive_word(enum archive_status status)
{
    static const char *const words[ARCHIVE_STATUS_COUNT] = {
        [ARCHIVE_DONE] = "played",
        [ARCHIVE_NO_MESSAGE] = "no message",
        [ARCHIVE_NO_CLIENT] = "no client from outside",
        [ARCHIVE_NO_SENDER] = "no sender",
    };

    return words[status];
}

/* --- fields -------------------------------------------------------------------------------------------- */

struct field {
    struct slice whole; /* with its line ends */
    struct slice name;  /* empty: it is none */
    struct slice value;
};

static struct slice line_next(struct slice text)
{
    const size_t end = slice_find(text, '\n');

    return end == SLICE_NOT_FOUND ? text : slice_head(text, end + 1);
}

static bool is_empty(struct slice line)
{
    return slice_equal(line, SLICE("\n")) || slice_equal(line, SLICE("\r\n"));
}

/* False: the header is over; the empty line stays. */
static bool field_next(struct slice *rest, struct field *ret_field)
{
    struct slice line = line_next(*rest);
    size_t size = 0;

    if (!line.len || is_empty(line))
        return false;
    do {
        size += line.len;
        line = line_next(slice_from(*rest, size));
    } while (line.len && (line.at[0] == ' ' || line.at[0] == '\t'));
    ret_field->whole = slice_head(*rest, size);
    const size_t colon = slice_find(ret_field->whole, ':');
    const struct slice name = slice_trim(slice_head(ret_field->whole, colon));
    const bool named = colon != SLICE_NOT_FOUND && name.len && slice_is_printable(name) &&
                       slice_find(name, ' ') == SLICE_NOT_FOUND;
    ret_field->name = named ? name : SLICE_NONE;
    ret_field->value = named ? slice_from(ret_field->whole, colon + 1) : ret_field->whole;
    *rest = slice_from(*rest, size);
    return true;
}

static struct slice unfolded(struct slice value, struct arena *arena)
{
    char *text = arena_take(arena, value.len + 1);

    for (size_t i = 0; i < value.len; i++)
        text[i] = value.at[i] == '\r' || value.at[i] == '\n' ? ' ' : value.at[i];
    return slice_trim(slice_of(text, value.len));
}

static bool is_named(const struct field *field, const char *name)
{
    return slice_equal_fold(field->name, slice_text(name));
}

/* --- which hop ----------------------------------------------------------------------------------------- */

struct search {
    const struct site *site;
    struct arena *arena;
    struct received hosts[HOSTS_MAX]; /* what our own hosts wrote, the last one is that of the session */
    size_t host_count;
    const char *below; /* where the session's field ends */
};

/* Whoever fetched it from a mailbox brought nothing. */
static bool is_fetched(const struct received *hop)
{
    return slice_starts_fold(hop->with, SLICE("POP3")) || slice_starts_fold(hop->with, SLICE("IMAP"));
}

static bool is_from_outside(const struct site *site, const struct received *hop)
{
    const struct address *client = &hop->address;

    return client->family != ADDRESS_NONE && !is_fetched(hop) && !address_is_special(client) &&
           !networks_contain(&site->own, client) && !networks_contain(&site->trusted, client);
}

static bool hop_find(struct search *search, struct slice header)
{
    struct field field;
    struct received hop;

    while (field_next(&header, &field)) {
        if (!is_named(&field, "Received") || !received_parse(unfolded(field.value, search->arena), &hop))
            continue;
        const bool found = is_from_outside(search->site, &hop);
        if (search->host_count < HOSTS_MAX || found)
            search->hosts[search->host_count < HOSTS_MAX ? search->host_count++ : HOSTS_MAX - 1] = hop;
        search->below = field.whole.at + field.whole.len;
        if (found)
            return true;
    }
    return false;
}

/* --- what was added since ------------------------------------------------------------------------------ */

/* What hosts and mail programs put in front of a header, or keep there of their own. */
static bool is_ours_above(const struct field *field)
{
    static const char *const names[] = {"Return-Path",   "Received",         "Delivered-To", "X-Original-To",
                                        "Delivery-Date", "Received-SPF",     "Envelope-To",  "Status",
                                        "X-Status",      "X-Keywords",       "X-UID",        "Replied",
                                        "Forwarded",     "Return-Receipt-To"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_named(field, names[i]))
            return true;
    return !field->name.len || slice_starts_fold(field->name, SLICE("X-Spam"));
}

/* Sendmail, Postfix and Exim make it of their queue id and their name. */
static bool is_id_of(struct slice value, const struct received *host)
{
    const size_t at = slice_find_last(value, '@');

    if (at == SLICE_NOT_FOUND || host->id.len < 4)
        return false;
    const struct slice right = slice_from(value, at + 1);
    return slice_find_slice(slice_head(value, at), host->id) != SLICE_NOT_FOUND &&
           slice_starts_fold(right, host->by) && slice_equal(slice_from(right, host->by.len), SLICE(">"));
}

static bool is_added(const struct search *search, const struct field *field)
{
    const bool id = is_named(field, "Message-ID"), date = is_named(field, "Date");
    struct slice value;

    if (!id && !date)
        return false;
    value = unfolded(field->value, search->arena);
    for (size_t i = 0; i < search->host_count; i++)
        if ((id && is_id_of(value, &search->hosts[i])) ||
            (date && search->hosts[i].date.len && slice_equal(value, search->hosts[i].date)))
            return true;
    return false;
}

static struct slice content_make(const struct search *search, struct slice message)
{
    char *text = arena_take(search->arena, message.len + 1);
    struct slice rest = message;
    struct field field;
    size_t len = 0;

    while (field_next(&rest, &field)) {
        const bool above = field.whole.at < search->below;
        if ((above && is_ours_above(&field)) || is_added(search, &field))
            continue;
        memcpy(text + len, field.whole.at, field.whole.len);
        len += field.whole.len;
    }
    if (rest.len)
        memcpy(text + len, rest.at, rest.len);
    return slice_of(text, len + rest.len);
}

/* --- the envelope -------------------------------------------------------------------------------------- */

/* "<a@b.example>", "a@b.example" */
static struct slice path_inside(struct slice path)
{
    const size_t from = slice_find(path, '<'), to = slice_find_last(path, '>');

    if (from != SLICE_NOT_FOUND && to != SLICE_NOT_FOUND && to > from)
        return slice_of(path.at + from + 1, to - from - 1);
    return slice_trim(path);
}

/* Mail programs write the reader's own name there, too. */
static bool is_sender(struct slice value, struct slice inside)
{
    return slice_find(inside, '@') != SLICE_NOT_FOUND || slice_equal(value, SLICE("<>"));
}

static bool sender_find(struct slice header, struct slice front, struct arena *arena,
                        struct slice *ret_sender)
{
    struct field field;

    while (field_next(&header, &field)) {
        if (!is_named(&field, "Return-Path"))
            continue;
        const struct slice value = unfolded(field.value, arena);
        *ret_sender = path_inside(value);
        if (is_sender(value, *ret_sender))
            return true;
    }
    *ret_sender = slice_equal_fold(front, SLICE("MAILER-DAEMON")) ? SLICE_NONE : path_inside(front);
    return front.len;
}

static struct slice lowered(struct slice text, struct arena *arena)
{
    char *copy = arena_take(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = text_lower(text.at[i]);
    return slice_of(copy, text.len);
}

/* Who said nothing is written down by its address. */
static struct slice helo_of(const struct received *hop, struct arena *arena)
{
    char address[ADDRESS_TEXT_SIZE];

    if (hop->helo.len)
        return hop->helo;
    (void)address_print(&hop->address, address);
    return arena_format(arena, "[%s%s]", hop->address.family == ADDRESS_IPV6 ? "IPv6:" : "", address);
}

/* Of whatever begins otherwise, the first word before a colon is no name that anybody gives a field. */
static bool is_message(struct slice text)
{
    struct field first;

    if (!field_next(&text, &first) || !first.name.len)
        return false;
    for (size_t i = 0; i < first.name.len; i++)
        if (!text_is_alnum(first.name.at[i]) && first.name.at[i] != '-' && first.name.at[i] != '_')
            return false;
    return true;
}

enum archive_status archive_read(const struct site *site, struct slice message, struct slice front,
                                 struct arena *arena, struct archived *ret_archived)
{
    struct search search = {.site = site, .arena = arena};
    struct slice sender;

    if (!is_message(message))
        return ARCHIVE_NO_MESSAGE;
    if (!hop_find(&search, message))
        return ARCHIVE_NO_CLIENT;
    if (!sender_find(message, front, arena, &sender))
        return ARCHIVE_NO_SENDER;
    const struct received *hop = &search.hosts[search.host_count - 1];
    *ret_archived = (struct archived){
        .client = hop->address,
        .name = lowered(hop->name, arena),
        .looked_up = hop->looked_up,
        .forged = hop->forged,
        .esmtp = slice_starts_fold(hop->with, SLICE("ESMTP")),
        .helo = helo_of(hop, arena),
        .sender = sender,
        .recipient = hop->recipient,
        .content = content_make(&search, message),
    };
    (void)mail_date_parse(hop->date, &ret_archived->unix_seconds, NULL);
    return ARCHIVE_DONE;
}
