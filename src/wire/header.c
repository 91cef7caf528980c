#include "wire/header.h"

#include "base/text.h"
#include "wire/plain.h"

#include <assert.h>

/*
 * section = *( field / junk ) end
 * field   = name [ 1*blank ] ":" *octet end *( blank *octet end )   ; blanks before the colon: obsolete,
 * flagged name    = 1*( %x21-39 / %x3B-7E ) blank   = SP / HT junk    = 1*octet end *( blank *octet end ) ;
 * what does not match field end     = CRLF / LF
 */

#define LINE_MAX 998 /* RFC 5322 section 2.1.1 */
#define RUN_MAX  4096

enum state {
    STATE_BEGIN, /* at the first octet of a line */
    STATE_NAME,
    STATE_BLANK, /* between name and colon */
    STATE_VALUE,
    STATE_JUNK
};

static const struct slice names[HEADER_KIND_COUNT] = {
    [HEADER_MESSAGE_ID] = {"Message-ID", 10},
    [HEADER_FROM] = {"From", 4},
    [HEADER_DATE] = {"Date", 4},
    [HEADER_SUBJECT] = {"Subject", 7},
    [HEADER_SENDER] = {"Sender", 6},
    [HEADER_TO] = {"To", 2},
    [HEADER_CONTENT_TYPE] = {"Content-Type", 12},
    [HEADER_REPLY_TO] = {"Reply-To", 8},
    [HEADER_CC] = {"Cc", 2},
    [HEADER_BCC] = {"Bcc", 3},
    [HEADER_IN_REPLY_TO] = {"In-Reply-To", 11},
    [HEADER_REFERENCES] = {"References", 10},
    [HEADER_RECEIVED] = {"Received", 8},
    [HEADER_RETURN_PATH] = {"Return-Path", 11},
    [HEADER_DELIVERED_TO] = {"Delivered-To", 12},
    [HEADER_MIME_VERSION] = {"MIME-Version", 12},
    [HEADER_CONTENT_ENCODING] = {"Content-Transfer-Encoding", 25},
    [HEADER_LIST_ID] = {"List-ID", 7},
    [HEADER_AUTO_SUBMITTED] = {"Auto-Submitted", 14},
    [HEADER_DKIM_SIGNATURE] = {"DKIM-Signature", 14},
    [HEADER_ARC_SEAL] = {"ARC-Seal", 8},
    [HEADER_AUTHENTICATION_RESULTS] = {"Authentication-Results", 22},
    [HEADER_OTHER] = {"other", 5},
};

enum header_kind header_kind_of(struct slice name)
{
    for (unsigned kind = 0; kind < HEADER_OTHER; kind++)
        if (slice_equal_fold(name, names[kind]))
            return (enum header_kind)kind;
    return HEADER_OTHER;
}

struct slice header_kind_name(enum header_kind kind)
{
    return names[kind];
}

void header_init(struct header *header, struct header_limits limits, struct arena *arena)
{
    assert(limits.received_max <= HEADER_RECEIVED_MAX);
    *header = (struct header){.limits = limits, .arena = arena};
    buf_init(&header->kept, limits.value_max);
}

/* Well-formed UTF-8 after RFC 3629 section 4, an octet at a time. */
static void utf8_look(struct header *header, unsigned char octet)
{
    if (header->utf8_left > 0) {
        bool fits = octet >= header->utf8_low && octet <= header->utf8_high;
        header->utf8_left = fits ? (uint8_t)(header->utf8_left - 1) : 0;
        header->utf8_low = 0x80;
        header->utf8_high = 0xbf;
        if (!fits)
            header->flags |= HEADER_BAD_UTF8;
        if (fits || octet < 0x80)
            return;
    }
    if (octet < 0x80)
        return;
    if (octet < 0xc2 || octet > 0xf4)
        header->flags |= HEADER_BAD_UTF8;
    else
        header->utf8_left = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
    header->utf8_low = octet == 0xe0 ? 0xa0 : octet == 0xf0 ? 0x90 : 0x80;
    header->utf8_high = octet == 0xed ? 0x9f : octet == 0xf4 ? 0x8f : 0xbf;
}

static bool octet_is_control(unsigned char octet)
{
    return (octet < 0x20 && octet != '\t') || octet == 0x7f;
}

static void octet_look(struct header *header, unsigned char octet)
{
    if (octet > 127)
        header->flags |= HEADER_EIGHT_BIT;
    if (octet == 0)
        header->flags |= HEADER_NUL;
    else if (octet_is_control(octet))
        header->flags |= HEADER_CONTROL;
    if (octet > 127 || header->utf8_left > 0)
        utf8_look(header, octet);
    if (++header->line_len > LINE_MAX)
        header->flags |= HEADER_LONG_LINE;
}

static void value_cut(struct header *header)
{
    if (header->kind < HEADER_KEEP_COUNT)
        header->value_cut[header->kind] = true;
}

static void value_add(struct header *header, unsigned char octet)
{
    if (!header->keeping || (header->kept.len == 0 && (octet == ' ' || octet == '\t')))
        return;
    if (!buf_add_octet(&header->kept, octet_is_control(octet) ? '?' : (char)octet))
        value_cut(header);
}

/* The field at hand, if there is one, has come to its end. */
static void field_end(struct header *header)
{
    if (header->keeping) {
        bool received = header->kind == HEADER_RECEIVED;
        struct slice *value = received ? &header->received[header->received_count++]
                                       : &header->value[header->kind];
        *value = arena_copy(header->arena, slice_trim(buf_slice(&header->kept)));
    }
    buf_clear(&header->kept);
    header->keeping = false;
    header->field = false;
}

static bool limits_hold(const struct header *header)
{
    return !(header->flags & (HEADER_TOO_MANY | HEADER_TOO_LARGE));
}

/* What a buf has grown to for one maximum, it keeps under a smaller one. */
static void room_set(struct header *header)
{
    uint32_t max = header->kind == HEADER_RECEIVED ? HEADER_RECEIVED_VALUE_MAX : header->limits.value_max;
    if (header->kept.max == max)
        return;
    buf_drop(&header->kept);
    buf_init(&header->kept, max);
}

/* Of most kinds the first; of Received the topmost ones. */
static bool is_kept(const struct header *header)
{
    if (!limits_hold(header))
        return false;
    if (header->kind == HEADER_RECEIVED)
        return header->received_count < header->limits.received_max;
    return header->kind < HEADER_KEEP_COUNT && header->counts[header->kind] == 1;
}

static void field_begin(struct header *header)
{
    header->state = STATE_VALUE;
    header->field = true;
    header->kind = HEADER_OTHER;
    if (header->name_len <= HEADER_NAME_MAX)
        header->kind = (uint8_t)header_kind_of(slice_of(header->name, header->name_len));
    if (++header->count > header->limits.count_max)
        header->flags |= HEADER_TOO_MANY;
    uint16_t *count = &header->counts[header->kind];
    if (*count < UINT16_MAX)
        ++*count;
    header->keeping = is_kept(header);
    if (header->keeping)
        room_set(header);
}

static void junk_begin(struct header *header)
{
    header->state = STATE_JUNK;
    header->flags |= HEADER_JUNK;
    header->junk_lines++;
}

static void name_octet(struct header *header, unsigned char octet)
{
    if (octet == ':' && header->name_len > 0) {
        field_begin(header);
    } else if (octet > 0x20 && octet < 0x7f && octet != ':') {
        if (header->name_len < HEADER_NAME_MAX)
            header->name[header->name_len] = (char)octet;
        if (header->name_len <= HEADER_NAME_MAX)
            header->name_len++;
    } else if ((octet == ' ' || octet == '\t') && header->name_len > 0) {
        header->state = STATE_BLANK;
    } else {
        junk_begin(header);
    }
}

static void blank_octet(struct header *header, unsigned char octet)
{
    if (octet == ':') {
        header->flags |= HEADER_BLANK_COLON;
        field_begin(header);
    } else if (octet != ' ' && octet != '\t') {
        junk_begin(header);
    }
}

static void begin_octet(struct header *header, unsigned char octet)
{
    bool first = header->count == 0 && header->junk_lines == 0;
    if ((octet == ' ' || octet == '\t') && !first) {
        header->state = header->field ? STATE_VALUE : STATE_JUNK;
        value_add(header, octet);
        return;
    }
    field_end(header);
    header->name_len = 0;
    header->state = STATE_NAME;
    name_octet(header, octet);
}

static void line_octet(struct header *header, unsigned char octet)
{
    octet_look(header, octet);
    switch ((enum state)header->state) {
    case STATE_BEGIN: begin_octet(header, octet); break;
    case STATE_NAME: name_octet(header, octet); break;
    case STATE_BLANK: blank_octet(header, octet); break;
    case STATE_VALUE: value_add(header, octet); break;
    case STATE_JUNK: break;
    }
}

static void line_end(struct header *header)
{
    if (header->state == STATE_BEGIN) {
        field_end(header);
        header->done = true;
    } else if (header->state == STATE_NAME || header->state == STATE_BLANK) {
        junk_begin(header);
    }
    /* A character does not go on over a line end. */
    if (header->utf8_left > 0)
        header->flags |= HEADER_BAD_UTF8;
    header->utf8_left = 0;
    header->line_len = 0;
    header->state = STATE_BEGIN;
}

static void octet_add(struct header *header, unsigned char octet)
{
    if (++header->size > header->limits.size_max)
        header->flags |= HEADER_TOO_LARGE;
    bool cr = header->cr;
    header->cr = octet == '\r';
    if (octet == '\n') {
        line_end(header);
        return;
    }
    if (cr)
        line_octet(header, '\r');
    if (octet != '\r')
        line_octet(header, octet);
}

/* Octets within a value or a junk line that are nothing special: how many at the front were dealt with. */
static size_t run_add(struct header *header, struct slice content)
{
    if (header->cr || header->utf8_left > 0 || (header->state != STATE_VALUE && header->state != STATE_JUNK))
        return 0;
    struct slice run = slice_head(content, plain_len(content));
    header->line_len += (uint32_t)run.len;
    header->size += run.len;
    if (header->line_len > LINE_MAX)
        header->flags |= HEADER_LONG_LINE;
    if (header->size > header->limits.size_max)
        header->flags |= HEADER_TOO_LARGE;
    if (!header->keeping || header->state != STATE_VALUE)
        return run.len;
    struct slice kept = run;
    while (header->kept.len == 0 && kept.len > 0 && kept.at[0] == ' ')
        kept = slice_from(kept, 1);
    size_t room = header->kept.max - header->kept.len;
    if (kept.len > room)
        value_cut(header);
    buf_add(&header->kept, slice_head(kept, room));
    return run.len;
}

size_t header_feed(struct header *header, struct slice content)
{
    size_t taken = 0;
    while (taken < content.len && !header->done) {
        taken += run_add(header, slice_head(slice_from(content, taken), RUN_MAX));
        if (taken < content.len)
            octet_add(header, (unsigned char)content.at[taken++]);
    }
    return taken;
}

void header_end(struct header *header)
{
    if (header->done)
        return;
    if (header->cr)
        line_octet(header, '\r');
    if (header->state != STATE_BEGIN)
        line_end(header);
    field_end(header);
    header->flags |= HEADER_NO_END;
    header->done = true;
}

void header_drop(struct header *header)
{
    if (header)
        buf_drop(&header->kept);
}
