#include "queue/message.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/event.h"
#include "queue/field.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

size_t queue_id_print(uint64_t session, uint32_t number, char text[QUEUE_ID_SIZE])
{
    char id[EVENT_ID_SIZE];

    event_id_print(session, id);
    return (size_t)snprintf(text, QUEUE_ID_SIZE, "%s.%u", id, number);
}

bool queue_id_parse(struct slice text, uint64_t *ret_session, uint32_t *ret_number)
{
    uint64_t number;
    const size_t dot = slice_find(text, '.');

    if (dot == SLICE_NOT_FOUND || !text_parse_u64(slice_from(text, dot + 1), &number) || number > UINT32_MAX)
        return false;
    if (!event_id_parse(slice_head(text, dot), ret_session))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

struct message *message_new(void)
{
    struct message *message = memory_take(sizeof(*message));

    arena_init(&message->arena, NULL, 0);
    message->results_end = &message->results;
    return message;
}

void message_free(struct message *message)
{
    if (!message)
        return;
    arena_drop(&message->arena);
    memory_give(message, sizeof(*message));
}

struct slice message_id(const struct message *message)
{
    return slice_text(message->id);
}

static void file_result(struct message *message, struct result *result)
{
    const uint32_t count = message->transaction.recipient_count;

    assert(result->recipient < count);
    if (!message->results_of)
        message->results_of = arena_take(&message->arena, count * sizeof(*message->results_of));
    struct results *same = &message->results_of[result->recipient];
    if (same->last)
        same->last->next_same = result;
    else
        same->first = result;
    same->last = result;
}

struct result *message_add_result(struct message *message, const struct result *result)
{
    struct result *copy = arena_take(&message->arena, sizeof(*copy));

    *copy = *result;
    copy->next = copy->next_same = NULL;
    copy->address = arena_copy(&message->arena, result->address);
    copy->target = arena_copy(&message->arena, result->target);
    copy->enhanced = arena_copy(&message->arena, result->enhanced);
    copy->text = arena_copy(&message->arena, result->text);
    *message->results_end = copy;
    message->results_end = &copy->next;
    file_result(message, copy);
    return copy;
}

const struct result *message_first_result(const struct message *message, uint32_t recipient)
{
    return message->results_of ? message->results_of[recipient].first : NULL;
}

const struct result *message_find_result(const struct message *message, uint32_t recipient,
                                         struct slice address)
{
    const struct result *found = NULL;
    const struct result *result = message_first_result(message, recipient);

    for (; result; result = result->next_same)
        if (slice_equal(result->address, address))
            found = result;
    return found;
}

/* --- writing ------------------------------------------------------------------------------------------- */

/* The payload is made behind room for its head, in the same buf, and the head put before it. */
static size_t payload_begin(struct buf *buf, bool *ret_good)
{
    const size_t at = buf->len;

    *ret_good = buf_room(buf, RECORD_HEAD) != NULL;
    if (*ret_good)
        buf_grow(buf, RECORD_HEAD);
    return at;
}

static bool payload_end(struct buf *buf, size_t at, uint64_t mark, enum record_kind kind, bool good)
{
    if (!good) {
        buf->len = (uint32_t)at;
        return false;
    }
    const struct slice payload = slice_from(buf_slice(buf), at + RECORD_HEAD);
    const struct record record = {.kind = kind, .length = payload.len, .checksum = checksum_add(0, payload)};
    record_put_head(buf->at + at, mark, &record);
    return true;
}

#define FLAG_SMTPUTF8   1u
#define FLAG_ESMTP      2u
#define FLAG_TLS        4u
#define FLAG_HEADER_BAD 8u

static bool add_envelope(struct buf *buf, uint64_t mark, const struct transaction *t, struct slice route)
{
    bool good;
    const size_t at = payload_begin(buf, &good);
    const uint64_t flags = (t->smtputf8 ? FLAG_SMTPUTF8 : 0) | (t->esmtp ? FLAG_ESMTP : 0) |
                           (t->tls ? FLAG_TLS : 0) | (t->header_bad ? FLAG_HEADER_BAD : 0);

    good = good && field_add_number(buf, t->session) && field_add_number(buf, t->number) &&
           field_add_number(buf, (uint64_t)t->received_unix_ms) && field_add_number(buf, flags) &&
           field_add_number(buf, (uint64_t)t->body) && field_add_number(buf, (uint64_t)t->ret) &&
           field_add_text(buf, t->sender) && field_add_text(buf, t->envid) && field_add_text(buf, route) &&
           field_add_address(buf, &t->peer) && field_add_address(buf, &t->local) &&
           field_add_text(buf, t->peer_name) && field_add_text(buf, t->helo) &&
           field_add_number(buf, t->octets);
    return payload_end(buf, at, mark, RECORD_ENVELOPE, good);
}

static bool add_recipient(struct buf *buf, uint64_t mark, const struct recipient *recipient)
{
    bool good;
    const size_t at = payload_begin(buf, &good);

    good = good && field_add_text(buf, recipient->address) && field_add_number(buf, recipient->notify) &&
           field_add_text(buf, recipient->orcpt);
    return payload_end(buf, at, mark, RECORD_RECIPIENT, good);
}

static bool add_end(struct buf *buf, uint64_t mark, uint64_t recipients, uint64_t octets)
{
    bool good;
    const size_t at = payload_begin(buf, &good);

    good = good && field_add_number(buf, octets) && field_add_number(buf, recipients);
    return payload_end(buf, at, mark, RECORD_END, good);
}

bool message_add_envelope(struct buf *buf, uint64_t mark, const struct transaction *transaction,
                          struct slice route, uint64_t content_octets)
{
    const uint32_t before = buf->len;
    bool good = add_envelope(buf, mark, transaction, route);
    uint64_t count = 0;

    for (const struct recipient *r = transaction->recipients; good && r; r = r->next, count++)
        good = add_recipient(buf, mark, r);
    good = good && add_end(buf, mark, count, content_octets);
    if (!good)
        buf->len = before;
    return good;
}

bool message_add_result_record(struct buf *buf, uint64_t mark, const struct result *result)
{
    bool good;
    const size_t at = payload_begin(buf, &good);

    good = good && field_add_number(buf, result->recipient) && field_add_number(buf, result->outcome) &&
           field_add_number(buf, result->told) && field_add_number(buf, result->code) &&
           field_add_number(buf, (uint64_t)result->unix_ms) && field_add_text(buf, result->address) &&
           field_add_text(buf, result->target) && field_add_text(buf, result->enhanced) &&
           field_add_text(buf, result->text);
    return payload_end(buf, at, mark, RECORD_RESULT, good);
}

bool message_add_schedule_record(struct buf *buf, uint64_t mark, const struct schedule *schedule)
{
    bool good;
    const size_t at = payload_begin(buf, &good);

    good = good && field_add_number(buf, schedule->attempts) &&
           field_add_number(buf, (uint64_t)schedule->next_unix_ms) && field_add_number(buf, schedule->held) &&
           field_add_number(buf, schedule->warned);
    return payload_end(buf, at, mark, RECORD_SCHEDULE, good);
}

/* --- reading ------------------------------------------------------------------------------------------- */

static struct slice keep(struct message *message, struct slice text)
{
    return text.len ? arena_copy(&message->arena, text) : SLICE_NONE;
}

static bool read_envelope(struct message *message, struct slice payload)
{
    struct transaction *t = &message->transaction;
    struct fields fields = {.rest = payload};

    t->session = field_number(&fields);
    t->number = (uint32_t)field_number(&fields);
    t->received_unix_ms = (int64_t)field_number(&fields);
    const uint64_t flags = field_number(&fields);
    const uint64_t body = field_number(&fields);
    const uint64_t ret = field_number(&fields);
    t->sender = keep(message, field_text(&fields));
    t->envid = keep(message, field_text(&fields));
    message->route = keep(message, field_text(&fields));
    t->peer = field_address(&fields);
    t->local = field_address(&fields);
    t->peer_name = keep(message, field_text(&fields));
    t->helo = keep(message, field_text(&fields));
    t->octets = field_number(&fields);
    t->smtputf8 = flags & FLAG_SMTPUTF8;
    t->esmtp = flags & FLAG_ESMTP;
    t->tls = flags & FLAG_TLS;
    t->header_bad = flags & FLAG_HEADER_BAD;
    if (fields.bad || body > BODY_BINARYMIME || ret > RET_HDRS)
        return false;
    t->body = (enum body_kind)body;
    t->ret = (enum ret_kind)ret;
    queue_id_print(t->session, t->number, message->id);
    return true;
}

static struct recipient *read_recipient(struct message *message, struct slice payload)
{
    struct recipient *recipient = arena_take(&message->arena, sizeof(*recipient));
    struct fields fields = {.rest = payload};

    recipient->address = keep(message, field_text(&fields));
    recipient->notify = (uint8_t)field_number(&fields);
    recipient->orcpt = keep(message, field_text(&fields));
    return fields.bad ? NULL : recipient;
}

static bool read_end(struct message *message, struct slice payload)
{
    struct fields fields = {.rest = payload};
    const uint32_t count = message->transaction.recipient_count;
    uint32_t at = 0;

    message->content_octets = field_number(&fields);
    if (field_number(&fields) != count || fields.bad)
        return false;
    message->recipients = arena_take(&message->arena, count * sizeof(*message->recipients));
    for (struct recipient *r = message->transaction.recipients; r; r = r->next)
        message->recipients[at++] = r;
    return true;
}

enum record_status message_read_envelope(struct slice octets, uint64_t mark, struct message *message,
                                         size_t *ret_size)
{
    struct recipient **last = &message->transaction.recipients;
    struct record record;
    size_t at = 0;

    for (bool end = false; !end; at += RECORD_HEAD + record.length) {
        const enum record_status status = record_read(slice_from(octets, at), mark, &record);
        if (status != RECORD_OK)
            return status;
        if ((at == 0) != (record.kind == RECORD_ENVELOPE))
            return RECORD_BAD;
        if (record.kind == RECORD_RECIPIENT) {
            *last = read_recipient(message, record.payload);
            if (!*last)
                return RECORD_BAD;
            last = &(*last)->next;
            message->transaction.recipient_count++;
            continue;
        }
        end = record.kind == RECORD_END;
        if (end ? !read_end(message, record.payload) : at != 0 || !read_envelope(message, record.payload))
            return RECORD_BAD;
    }
    *ret_size = at;
    return RECORD_OK;
}

static bool read_result(struct message *message, struct slice payload)
{
    struct fields fields = {.rest = payload};
    struct result result = {.recipient = (uint32_t)field_number(&fields)};
    const uint64_t outcome = field_number(&fields);

    result.told = field_number(&fields) != 0;
    result.code = (uint16_t)field_number(&fields);
    result.unix_ms = (int64_t)field_number(&fields);
    result.address = field_text(&fields);
    result.target = field_text(&fields);
    result.enhanced = field_text(&fields);
    result.text = field_text(&fields);
    if (fields.bad || outcome >= OUTCOME_COUNT || result.recipient >= message->transaction.recipient_count)
        return false;
    result.outcome = (enum outcome)outcome;
    message_add_result(message, &result);
    return true;
}

static bool read_schedule(struct message *message, struct slice payload)
{
    struct fields fields = {.rest = payload};
    struct schedule schedule = {.attempts = (uint32_t)field_number(&fields)};

    schedule.next_unix_ms = (int64_t)field_number(&fields);
    schedule.held = field_number(&fields) != 0;
    schedule.warned = field_number(&fields) != 0;
    if (fields.bad)
        return false;
    message->schedule = schedule;
    return true;
}

size_t message_read_results(struct slice octets, uint64_t mark, struct message *message)
{
    struct record record;
    size_t at = 0;

    while (record_read(slice_from(octets, at), mark, &record) == RECORD_OK) {
        const bool good = record.kind == RECORD_RESULT     ? read_result(message, record.payload)
                          : record.kind == RECORD_SCHEDULE ? read_schedule(message, record.payload)
                                                           : false;
        if (!good)
            break;
        at += RECORD_HEAD + (size_t)record.length;
    }
    return at;
}

enum record_status message_read(struct slice octets, uint64_t mark, struct message *message,
                                struct slice *ret_content, size_t *ret_size)
{
    struct record content;
    size_t size;
    enum record_status status = record_read(octets, mark, &content);

    if (status != RECORD_OK)
        return status;
    if (content.kind != RECORD_CONTENT)
        return RECORD_BAD;
    const size_t taken = RECORD_HEAD + (size_t)content.length;
    status = message_read_envelope(slice_from(octets, taken), mark, message, &size);
    if (status != RECORD_OK)
        return status;
    if (message->content_octets != content.length)
        return RECORD_BAD;
    message->content_checksum = content.checksum;
    *ret_content = content.payload;
    *ret_size = taken + size;
    return RECORD_OK;
}
