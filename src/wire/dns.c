#include "wire/dns.h"

#include "base/text.h"

#include <string.h>

/*
 * message  = header question answer authority additional
 * header   = id(2) flags(2) qdcount(2) ancount(2) nscount(2) arcount(2)
 * question = name type(2) class(2)
 * record   = name type(2) class(2) ttl(4) length(2) data
 * name     = *( length(1) octets ) ( %x00 / pointer )     ; pointer = %b11 and 14 bits: an offset before it
 */

enum { HEADER_SIZE = 12, CLASS_IN = 1, ALIASES_MAX = 16, RECORDS_MAX = 256, JUMPS_MAX = 64, TYPE_OPT = 41 };
enum { FLAG_ANSWER = 0x8000, FLAG_CUT = 0x0200, CODE_OK = 0, CODE_NO_NAME = 3 };

struct name {
    size_t len;
    bool odd; /* it cannot be written as text */
    char text[DNS_NAME_MAX + 1];
};

struct reader {
    struct slice packet;
    size_t at;
    bool bad;
};

struct record {
    struct name owner;
    uint16_t type, class;
    uint32_t ttl;
    size_t data, end; /* offsets */
};

const char *dns_type_word(enum dns_type type)
{
    switch (type) {
    case DNS_A: return "A";
    case DNS_CNAME: return "CNAME";
    case DNS_SOA: return "SOA";
    case DNS_PTR: return "PTR";
    case DNS_MX: return "MX";
    case DNS_TXT: return "TXT";
    case DNS_AAAA: return "AAAA";
    }
    return "?";
}

const char *dns_code_words(uint8_t code)
{
    static const char *const words[] = {"no error",     "format error",      "server failure",
                                        "no such name", "no such operation", "refused"};
    return code < sizeof words / sizeof *words ? words[code] : "an unknown error";
}

/* --- questions ----------------------------------------------------------------------------------------- */

static bool octet_is_sound(char octet)
{
    return octet > ' ' && octet < 0x7f && octet != '\\';
}

bool dns_name_is_sound(struct slice name)
{
    size_t label = 0;
    if (name.len == 0 || name.len > DNS_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        const char octet = name.at[i];
        if (octet != '.') {
            if (!octet_is_sound(octet) || ++label > 63)
                return false;
            continue;
        }
        if (label == 0)
            return false;
        label = 0;
    }
    return label > 0;
}

static void put_number(struct buf *buf, unsigned number)
{
    buf_add_octet(buf, (char)(number >> 8 & 255));
    buf_add_octet(buf, (char)(number & 255));
}

void dns_query_write(struct buf *buf, uint16_t id, struct slice name, enum dns_type type)
{
    static const char rest[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 1}; /* recursion; one question, one OPT */
    struct slice label;
    put_number(buf, id);
    buf_add(buf, slice_of(rest, sizeof rest));
    while (slice_cut(&name, '.', &label)) {
        buf_add_octet(buf, (char)label.len);
        buf_add(buf, label);
    }
    buf_add_octet(buf, 0);
    put_number(buf, type);
    put_number(buf, CLASS_IN);
    buf_add_octet(buf, 0); /* OPT: the root, our size, no flags, no options */
    put_number(buf, TYPE_OPT);
    put_number(buf, DNS_UDP_SIZE);
    buf_add(buf, slice_of("\0\0\0\0\0\0", 6));
}

struct slice dns_reverse(struct arena *arena, const struct address *address, struct slice zone)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *octets = address->octets;
    char text[64];
    if (address->family == ADDRESS_IPV4)
        return arena_format(arena, "%u.%u.%u.%u.%.*s", octets[3], octets[2], octets[1], octets[0],
                            SLICE_ARGS(zone));
    for (size_t i = 0; i < 32; i++) {
        const uint8_t octet = octets[15 - i / 2];
        text[2 * i] = digits[i & 1 ? octet >> 4 : octet & 15];
        text[2 * i + 1] = '.';
    }
    return arena_join(arena, slice_of(text, sizeof text), zone);
}

struct slice dns_pointer_name(struct arena *arena, const struct address *address)
{
    return dns_reverse(arena, address,
                       address->family == ADDRESS_IPV4 ? SLICE("in-addr.arpa") : SLICE("ip6.arpa"));
}

static unsigned number_at(const char *at)
{
    return (unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1];
}

/* Servers repeat the name as it was sent, or in other letters; never compressed, for nothing stands before
 * it.
 */
bool dns_question_is(struct slice packet, struct slice name, enum dns_type type)
{
    const size_t end = HEADER_SIZE + name.len +
                       2; /* each dot and the beginning have a length, and the root */
    size_t at = HEADER_SIZE;
    struct slice label;
    if (packet.len < end + 4 || number_at(packet.at + 4) != 1)
        return false;
    while (slice_cut(&name, '.', &label)) {
        if ((uint8_t)packet.at[at++] != label.len)
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (text_lower(packet.at[at++]) != label.at[i])
                return false;
    }
    return packet.at[at] == 0 && number_at(packet.at + end) == (unsigned)type &&
           number_at(packet.at + end + 2) == CLASS_IN;
}

/* --- octets of an answer ---------------------------------------------------------------------------------
 */

static unsigned octet_take(struct reader *reader)
{
    if (reader->at >= reader->packet.len) {
        reader->bad = true;
        return 0;
    }
    return (unsigned char)reader->packet.at[reader->at++];
}

static uint16_t number_take(struct reader *reader)
{
    unsigned high = octet_take(reader);
    return (uint16_t)(high << 8 | octet_take(reader));
}

static uint32_t number4_take(struct reader *reader)
{
    uint32_t high = number_take(reader);
    return high << 16 | number_take(reader);
}

static void label_take(struct reader *reader, size_t len, struct name *name)
{
    if (name->len + (name->len > 0) + len > DNS_NAME_MAX) {
        reader->bad = true;
        return;
    }
    if (name->len)
        name->text[name->len++] = '.';
    for (size_t i = 0; i < len; i++) {
        char octet = text_lower((char)octet_take(reader));
        name->odd |= !octet_is_sound(octet) || octet == '.';
        name->text[name->len++] = octet;
    }
}

/* A pointer leads to before where it stands, and each further one to before that: there is an end. */
static void name_take(struct reader *reader, struct name *ret_name)
{
    size_t back = SLICE_NOT_FOUND, limit = reader->at;
    ret_name->len = 0;
    ret_name->odd = false;
    for (unsigned jumps = 0; jumps <= JUMPS_MAX;) {
        unsigned len = octet_take(reader);
        if (reader->bad || len == 0)
            break;
        if (len < 64) {
            label_take(reader, len, ret_name);
            continue;
        }
        size_t target = (size_t)(len & 63) << 8 | octet_take(reader);
        if (back == SLICE_NOT_FOUND)
            back = reader->at;
        reader->bad |= len < 192 || target >= limit || ++jumps > JUMPS_MAX;
        limit = reader->at = target;
    }
    if (back != SLICE_NOT_FOUND)
        reader->at = back;
    if (!ret_name->len)
        ret_name->text[ret_name->len++] = '.';
}

static struct slice name_text(const struct name *name)
{
    return slice_of(name->text, name->len);
}

static void record_take(struct reader *reader, struct record *ret_record)
{
    name_take(reader, &ret_record->owner);
    ret_record->type = number_take(reader);
    ret_record->class = number_take(reader);
    ret_record->ttl = number4_take(reader);
    const size_t size = number_take(reader);
    ret_record->data = reader->at;
    ret_record->end = reader->at + size;
    reader->bad |= size > reader->packet.len - reader->at;
    reader->at += reader->bad ? 0 : size;
    if (ret_record->ttl & 0x80000000u) /* RFC 2181 section 8 */
        ret_record->ttl = 0;
}

/* --- an answer -------------------------------------------------------------------------------------------
 */

struct header {
    uint16_t flags, questions, answers, authorities;
};

struct gathering {
    struct reader *reader;
    struct arena *arena;
    struct dns_answer *answer;
    enum dns_type type;
    struct buf values;
    struct {
        uint16_t preference;
        struct slice name;
    } exchanges[RECORDS_MAX];
    size_t exchange_count;
};

static struct header header_take(struct reader *reader)
{
    struct header header;
    reader->at = 2; /* the id was looked at by whoever sent the question */
    header.flags = number_take(reader);
    header.questions = number_take(reader);
    header.answers = number_take(reader);
    header.authorities = number_take(reader);
    number_take(reader);
    return header;
}

static bool question_fits(struct reader *reader, struct slice name, enum dns_type type)
{
    struct name asked;
    if (dns_question_is(reader->packet, name, type)) { /* nearly always */
        reader->at += name.len + 2 + 4;
        return true;
    }
    name_take(reader, &asked);
    const uint16_t asked_type = number_take(reader), asked_class = number_take(reader);
    return !reader->bad && asked_type == type && asked_class == CLASS_IN &&
           slice_equal_fold(name_text(&asked), name);
}

static void ttl_lower(struct dns_answer *answer, uint32_t ttl)
{
    if (!answer->has_ttl || ttl < answer->ttl)
        answer->ttl = ttl;
    answer->has_ttl = true;
}

static void value_add(struct gathering *gathering, struct slice value)
{
    bool fits = !gathering->values.len || buf_add_octet(&gathering->values, ' ');
    gathering->reader->bad |= !fits || !buf_add(&gathering->values, value);
}

static void address_gather(struct gathering *gathering, struct slice data)
{
    const bool six = gathering->type == DNS_AAAA;
    char text[ADDRESS_TEXT_SIZE];
    if (data.len != (six ? 16u : 4u)) {
        gathering->reader->bad = true;
        return;
    }
    const struct address address = address_from_octets(six ? ADDRESS_IPV6 : ADDRESS_IPV4,
                                                       (const uint8_t *)data.at, 0);
    size_t len = address_print(&address, text);
    value_add(gathering, slice_of(text, len));
}

static void pointer_gather(struct gathering *gathering)
{
    struct name name;
    name_take(gathering->reader, &name);
    if (!name.odd && !gathering->reader->bad)
        value_add(gathering, name_text(&name));
}

static void exchange_gather(struct gathering *gathering)
{
    const uint16_t preference = number_take(gathering->reader);
    struct name name;
    name_take(gathering->reader, &name);
    if (name.odd || gathering->reader->bad || gathering->exchange_count == RECORDS_MAX)
        return;
    size_t at = gathering->exchange_count++;
    for (; at > 0 && gathering->exchanges[at - 1].preference > preference; at--)
        gathering->exchanges[at] = gathering->exchanges[at - 1];
    gathering->exchanges[at].preference = preference;
    gathering->exchanges[at].name = arena_copy(gathering->arena, name_text(&name));
}

/* RFC 1035 section 3.3.14: strings, each behind its length. */
static void text_gather(struct gathering *gathering, struct slice data)
{
    struct buf text;
    buf_init(&text, 65536);
    while (data.len) {
        const size_t len = (unsigned char)data.at[0];
        gathering->reader->bad |= len + 1 > data.len;
        buf_add(&text, slice_head(slice_from(data, 1), len));
        data = slice_from(data, len + 1);
    }
    gathering->reader->bad |= !buf_add_format(&gathering->values, "%u:", (unsigned)text.len) ||
                              !buf_add(&gathering->values, buf_slice(&text)) ||
                              !buf_add_octet(&gathering->values, ',');
    buf_drop(&text);
}

static void record_gather(struct gathering *gathering, const struct record *record)
{
    struct reader *reader = gathering->reader;
    const size_t after = reader->at;
    const struct slice data = slice_of(reader->packet.at + record->data, record->end - record->data);
    reader->at = record->data;
    switch (gathering->type) {
    case DNS_A:
    case DNS_AAAA: address_gather(gathering, data); break;
    case DNS_PTR: pointer_gather(gathering); break;
    case DNS_MX: exchange_gather(gathering); break;
    case DNS_TXT: text_gather(gathering, data); break;
    case DNS_CNAME:
    case DNS_SOA: break;
    }
    reader->bad |= reader->at > record->end;
    reader->at = after;
}

/* Where aliases lead from the name on. Servers put them in order, but nobody has to. */
static struct name aliases_follow(struct reader *reader, unsigned answers, struct slice name,
                                  struct dns_answer *answer)
{
    const size_t begin = reader->at;
    struct name at = {.len = name.len};
    memcpy(at.text, name.at, name.len);
    bool moved = true;
    for (unsigned turn = 0; moved && turn < ALIASES_MAX; turn++) {
        moved = false;
        reader->at = begin;
        for (unsigned i = 0; i < answers && !reader->bad && !moved; i++) {
            struct record record;
            record_take(reader, &record);
            if (reader->bad || record.type != DNS_CNAME ||
                !slice_equal_fold(name_text(&record.owner), name_text(&at)))
                continue;
            reader->at = record.data;
            name_take(reader, &at);
            ttl_lower(answer, record.ttl);
            moved = true;
        }
    }
    reader->bad |= moved;
    reader->at = begin;
    return at;
}

static void exchanges_put(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->exchange_count; i++)
        value_add(gathering,
                  arena_format(gathering->arena, "%u %.*s", (unsigned)gathering->exchanges[i].preference,
                               SLICE_ARGS(gathering->exchanges[i].name)));
}

static bool answers_gather(struct gathering *gathering, unsigned answers, const struct name *owner)
{
    struct reader *reader = gathering->reader;
    for (unsigned i = 0; i < answers && !reader->bad; i++) {
        struct record record;
        record_take(reader, &record);
        if (reader->bad || record.type != gathering->type || record.class != CLASS_IN ||
            !slice_equal_fold(name_text(&record.owner), name_text(owner)))
            continue;
        ttl_lower(gathering->answer, record.ttl);
        record_gather(gathering, &record);
    }
    exchanges_put(gathering);
    return gathering->values.len > 0;
}

/* RFC 2308 section 5: the lower of the SOA's own time and its last number. */
static void negative_ttl(struct reader *reader, unsigned authorities, struct dns_answer *answer)
{
    answer->has_ttl = false;
    for (unsigned i = 0; i < authorities && !reader->bad; i++) {
        struct record record;
        record_take(reader, &record);
        if (reader->bad || record.type != DNS_SOA || record.end - record.data < 22)
            continue;
        struct reader last = {.packet = reader->packet, .at = record.end - 4};
        const uint32_t minimum = number4_take(&last);
        ttl_lower(answer, record.ttl < minimum ? record.ttl : minimum);
    }
    if (answer->ttl > DNS_NEGATIVE_MAX)
        answer->ttl = DNS_NEGATIVE_MAX;
}

static void sections_read(struct gathering *gathering, const struct header *header, struct slice name)
{
    struct reader *reader = gathering->reader;
    struct dns_answer *answer = gathering->answer;
    const struct name owner = aliases_follow(reader, header->answers, name, answer);
    const bool found = answers_gather(gathering, header->answers, &owner);
    if (answer->ttl > DNS_TTL_MAX)
        answer->ttl = DNS_TTL_MAX;
    answer->status = found ? DNS_FOUND : answer->code == CODE_NO_NAME ? DNS_NO_NAME : DNS_NO_DATA;
    if (found)
        answer->value = arena_copy(gathering->arena, buf_slice(&gathering->values));
    else
        negative_ttl(reader, header->authorities, answer);
}

struct dns_answer dns_answer_read(struct slice packet, struct slice name, enum dns_type type,
                                  struct arena *arena)
{
    struct reader reader = {.packet = packet};
    struct dns_answer answer = {.status = DNS_BAD};
    struct gathering gathering; /* large: what is not counted is not set */
    const struct header header = header_take(&reader);
    answer.code = header.flags & 15;
    if (reader.bad || !(header.flags & FLAG_ANSWER) || header.questions != 1 ||
        header.answers > RECORDS_MAX || !question_fits(&reader, name, type))
        return answer;
    if (answer.code != CODE_OK && answer.code != CODE_NO_NAME)
        answer.status = DNS_REFUSED;
    else if (header.flags & FLAG_CUT)
        answer.status = DNS_CUT;
    else {
        gathering.reader = &reader;
        gathering.arena = arena;
        gathering.answer = &answer;
        gathering.type = type;
        gathering.exchange_count = 0;
        buf_init(&gathering.values, DNS_VALUE_MAX);
        sections_read(&gathering, &header, name);
        buf_drop(&gathering.values);
    }
    if (reader.bad)
        answer = (struct dns_answer){.status = DNS_BAD, .code = answer.code};
    return answer;
}
