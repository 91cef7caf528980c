#include "watch/attempt.h"

#include "base/format.h"
#include "base/text.h"

#include <string.h>

int64_t attempt_end_ms(const struct attempt *attempt)
{
    return attempt->unix_ms + attempt->duration_ms;
}

/* --- printing ------------------------------------------------------------------------------------------- */

static void put_raw(struct buf *buf, bool *fits, struct slice text)
{
    if (*fits && !buf_add(buf, text))
        *fits = false;
}

static bool is_plain(char octet)
{
    return octet > ' ' && octet <= '~' && octet != '%' && octet != ',';
}

/* What is longer than ATTEMPT_TEXT_MAX is cut. */
static void put_value(struct buf *buf, bool *fits, struct slice text)
{
    static const char digits[] = "0123456789abcdef";
    text = slice_head(text, ATTEMPT_TEXT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char octet = (unsigned char)text.at[i];
        const char coded[3] = {'%', digits[octet >> 4], digits[octet & 15]};
        put_raw(buf, fits, is_plain(text.at[i]) ? slice_of(text.at + i, 1) : slice_of(coded, 3));
    }
}

static void put_text(struct buf *buf, bool *fits, const char *name, struct slice value)
{
    put_raw(buf, fits, SLICE(" "));
    put_raw(buf, fits, slice_text(name));
    put_raw(buf, fits, SLICE("="));
    put_value(buf, fits, value);
}

static void put_number(struct buf *buf, bool *fits, const char *name, uint64_t value)
{
    char text[TEXT_UNIT_SIZE];
    const size_t len = text_print_u64(value, text);
    put_text(buf, fits, name, slice_of(text, len));
}

static void put_time(struct buf *buf, bool *fits, int64_t unix_ms)
{
    if (unix_ms >= 0)
        put_number(buf, fits, "time", (uint64_t)unix_ms);
    else if (*fits)
        *fits = buf_add_format(buf, " time=%lld", (long long)unix_ms);
}

static void put_who(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    if (attempt_has(attempt, ATTEMPT_HAS_PTR))
        put_text(buf, fits,
                 attempt->ptr_confirmed ? "name"
                 : attempt->ptr.len     ? "unconfirmed"
                                        : "noname",
                 attempt->ptr);
    if (attempt->ptr_generic)
        put_text(buf, fits, "generic", SLICE("yes"));
    if (attempt_has(attempt, ATTEMPT_HAS_POOL))
        put_text(buf, fits, "pool", attempt->pool);
    if (attempt_has(attempt, ATTEMPT_HAS_HELO))
        put_text(buf, fits, "helo", attempt->helo);
    if (attempt_has(attempt, ATTEMPT_HAS_FINGERPRINT))
        put_text(buf, fits, "tcp", attempt->fingerprint);
}

static void put_origin(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    if (!attempt_has(attempt, ATTEMPT_HAS_ORIGIN))
        return;
    put_number(buf, fits, "as", attempt->as_number);
    if (attempt->netblock.network.family != ADDRESS_NONE) {
        const size_t len = prefix_print(&attempt->netblock, text);
        put_text(buf, fits, "net", slice_of(text, len));
    }
    if (attempt->country[0])
        put_text(buf, fits, "country", slice_text(attempt->country));
    if (attempt->owner.len)
        put_text(buf, fits, "owner", attempt->owner);
}

static void put_envelope(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    if (attempt_has(attempt, ATTEMPT_HAS_SENDER))
        put_text(buf, fits, "from", attempt->sender);
    if (attempt_has(attempt, ATTEMPT_HAS_RECIPIENTS)) {
        for (uint32_t i = 0; i < attempt->recipient_count; i++)
            put_text(buf, fits, "to", attempt->recipients[i]);
        put_number(buf, fits, "tried", attempt->recipients_tried);
    }
    if (attempt_has(attempt, ATTEMPT_HAS_UNKNOWN))
        put_number(buf, fits, "unknown", attempt->recipients_unknown);
    if (attempt_has(attempt, ATTEMPT_HAS_SPF))
        put_text(buf, fits, "spf", attempt->spf_pass);
}

static void put_message(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    if (attempt_has(attempt, ATTEMPT_HAS_SIZE))
        put_number(buf, fits, "size", attempt->size);
    if (attempt_has(attempt, ATTEMPT_HAS_OCTETS))
        put_number(buf, fits, "octets", attempt->octets);
    if (attempt_has(attempt, ATTEMPT_HAS_BODY) && *fits)
        *fits = buf_add_format(buf, " body=%016llx", (unsigned long long)attempt->body_digest);
    if (attempt_has(attempt, ATTEMPT_HAS_MESSAGE_ID))
        put_text(buf, fits, "message-id", attempt->message_id ? SLICE("yes") : SLICE("no"));
}

static const char *const verdict_words[] = {"accepted", "deferred", "refused", "dropped", "left"};

enum { VERDICTS = sizeof verdict_words / sizeof verdict_words[0] };

/* The numbers of the findings, parted by commas. */
static void put_findings(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    bool any = false;
    for (unsigned finding = 0; finding < ATTEMPT_FINDING_WORDS * 64u; finding++) {
        char text[TEXT_UNIT_SIZE];
        if (!attempt_finding(attempt, finding))
            continue;
        put_raw(buf, fits, any ? SLICE(",") : SLICE(" found="));
        put_raw(buf, fits, slice_of(text, text_print_u64(finding, text)));
        any = true;
    }
    if (attempt_has(attempt, ATTEMPT_HAS_FINDINGS))
        put_text(buf, fits, "all-found", SLICE("yes"));
}

static void put_outcome(struct buf *buf, bool *fits, const struct attempt *attempt)
{
    if (attempt_has(attempt, ATTEMPT_HAS_VERDICT)) {
        put_text(buf, fits, "verdict", slice_text(verdict_words[(unsigned)attempt->verdict % VERDICTS]));
        put_number(buf, fits, "code", attempt->code);
    }
    put_findings(buf, fits, attempt);
    if (attempt_has(attempt, ATTEMPT_HAS_DURATION))
        put_number(buf, fits, "took", attempt->duration_ms);
    if (attempt_has(attempt, ATTEMPT_HAS_END))
        put_text(buf, fits, "gave-up", attempt->gave_up ? SLICE("yes") : SLICE("no"));
}

bool attempt_print(const struct attempt *attempt, struct buf *buf)
{
    char text[ADDRESS_TEXT_SIZE];
    const uint32_t before = buf->len;
    bool fits = true;
    const size_t len = address_print(&attempt->peer, text);
    put_raw(buf, &fits, SLICE("address="));
    put_raw(buf, &fits, slice_of(text, len));
    put_time(buf, &fits, attempt->unix_ms);
    if (attempt->id)
        put_number(buf, &fits, "id", attempt->id);
    if (attempt->envelope)
        put_number(buf, &fits, "envelope", attempt->envelope);
    put_who(buf, &fits, attempt);
    put_origin(buf, &fits, attempt);
    put_envelope(buf, &fits, attempt);
    put_message(buf, &fits, attempt);
    put_outcome(buf, &fits, attempt);
    if (!fits)
        buf->len = before;
    return fits;
}

/* --- parsing -------------------------------------------------------------------------------------------- */

struct parse {
    struct arena *arena;
    struct attempt *attempt;
    struct slice *recipients;
};

static bool take_value(struct arena *arena, struct slice coded, struct slice *ret_value)
{
    char *at = arena_take(arena, coded.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < coded.len; i++, len++) {
        at[len] = coded.at[i];
        if (coded.at[i] != '%')
            continue;
        if (coded.len - i < 3 || text_hex_digit(coded.at[i + 1]) < 0 || text_hex_digit(coded.at[i + 2]) < 0)
            return false;
        at[len] = (char)(text_hex_digit(coded.at[i + 1]) << 4 | text_hex_digit(coded.at[i + 2]));
        i += 2;
    }
    *ret_value = slice_of(at, len);
    return len <= ATTEMPT_TEXT_MAX;
}

static bool take_u32(struct slice value, uint32_t *ret_number)
{
    uint64_t number;
    if (!text_parse_u64(value, &number) || number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool take_bool(struct slice value, bool *ret_is)
{
    *ret_is = slice_equal(value, SLICE("yes"));
    return *ret_is || slice_equal(value, SLICE("no"));
}

static bool take_address(struct parse *parse, struct slice value)
{
    return address_parse(value, &parse->attempt->peer);
}

static bool take_time(struct parse *parse, struct slice value)
{
    return text_parse_i64(value, &parse->attempt->unix_ms);
}

static bool take_id(struct parse *parse, struct slice value)
{
    return text_parse_u64(value, &parse->attempt->id);
}

static bool take_envelope(struct parse *parse, struct slice value)
{
    return take_u32(value, &parse->attempt->envelope);
}

static bool take_unconfirmed(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_PTR;
    return take_value(parse->arena, value, &parse->attempt->ptr);
}

static bool take_name(struct parse *parse, struct slice value)
{
    parse->attempt->ptr_confirmed = true;
    return take_unconfirmed(parse, value);
}

static bool take_noname(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_PTR;
    return value.len == 0;
}

static bool take_generic(struct parse *parse, struct slice value)
{
    return take_bool(value, &parse->attempt->ptr_generic);
}

static bool take_pool(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_POOL;
    return take_value(parse->arena, value, &parse->attempt->pool);
}

static bool take_helo(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_HELO;
    return take_value(parse->arena, value, &parse->attempt->helo);
}

static bool take_tcp(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_FINGERPRINT;
    return take_value(parse->arena, value, &parse->attempt->fingerprint);
}

static bool take_as(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_ORIGIN;
    return take_u32(value, &parse->attempt->as_number);
}

static bool take_net(struct parse *parse, struct slice value)
{
    return prefix_parse(value, &parse->attempt->netblock);
}

static bool take_country(struct parse *parse, struct slice value)
{
    if (value.len != 2 || !text_is_alpha(value.at[0]) || !text_is_alpha(value.at[1]))
        return false;
    memcpy(parse->attempt->country, value.at, 2);
    return true;
}

static bool take_owner(struct parse *parse, struct slice value)
{
    return take_value(parse->arena, value, &parse->attempt->owner);
}

static bool take_from(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_SENDER;
    return take_value(parse->arena, value, &parse->attempt->sender);
}

static bool take_to(struct parse *parse, struct slice value)
{
    struct attempt *attempt = parse->attempt;
    if (!parse->recipients)
        parse->recipients = arena_take(parse->arena, ATTEMPT_RECIPIENTS_MAX * sizeof *parse->recipients);
    attempt->recipients = parse->recipients;
    attempt->has |= ATTEMPT_HAS_RECIPIENTS;
    return attempt->recipient_count < ATTEMPT_RECIPIENTS_MAX &&
           take_value(parse->arena, value, &parse->recipients[attempt->recipient_count++]);
}

static bool take_tried(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_RECIPIENTS;
    return take_u32(value, &parse->attempt->recipients_tried);
}

static bool take_unknown(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_UNKNOWN;
    return take_u32(value, &parse->attempt->recipients_unknown);
}

static bool take_spf(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_SPF;
    return take_value(parse->arena, value, &parse->attempt->spf_pass);
}

static bool take_size(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_SIZE;
    return text_parse_u64(value, &parse->attempt->size);
}

static bool take_octets(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_OCTETS;
    return text_parse_u64(value, &parse->attempt->octets);
}

static bool take_body(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_BODY;
    return text_parse_hex(value, &parse->attempt->body_digest) && parse->attempt->body_digest;
}

static bool take_message_id(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_MESSAGE_ID;
    return take_bool(value, &parse->attempt->message_id);
}

static bool take_verdict(struct parse *parse, struct slice value)
{
    for (unsigned i = 0; i < VERDICTS; i++)
        if (slice_equal(value, slice_text(verdict_words[i]))) {
            parse->attempt->verdict = (enum attempt_verdict)i;
            parse->attempt->has |= ATTEMPT_HAS_VERDICT;
            return true;
        }
    return false;
}

static bool take_code(struct parse *parse, struct slice value)
{
    return take_u32(value, &parse->attempt->code);
}

static bool take_found(struct parse *parse, struct slice value)
{
    struct slice part;
    uint32_t finding;
    while (slice_cut(&value, ',', &part)) {
        if (!take_u32(part, &finding) || finding >= ATTEMPT_FINDING_WORDS * 64u)
            return false;
        attempt_finding_set(parse->attempt, finding);
    }
    return true;
}

static bool take_all_found(struct parse *parse, struct slice value)
{
    bool all;
    if (!take_bool(value, &all))
        return false;
    parse->attempt->has |= all ? ATTEMPT_HAS_FINDINGS : 0u;
    return true;
}

static bool take_took(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_DURATION;
    return take_u32(value, &parse->attempt->duration_ms);
}

static bool take_gave_up(struct parse *parse, struct slice value)
{
    parse->attempt->has |= ATTEMPT_HAS_END;
    return take_bool(value, &parse->attempt->gave_up);
}

static const struct word {
    const char *name;
    bool (*take)(struct parse *parse, struct slice value);
} words[] = {
    {"address", take_address}, {"time", take_time},
    {"id", take_id},           {"envelope", take_envelope},
    {"name", take_name},       {"unconfirmed", take_unconfirmed},
    {"noname", take_noname},   {"generic", take_generic},
    {"pool", take_pool},       {"helo", take_helo},
    {"tcp", take_tcp},         {"as", take_as},
    {"net", take_net},         {"country", take_country},
    {"owner", take_owner},     {"from", take_from},
    {"to", take_to},           {"tried", take_tried},
    {"unknown", take_unknown}, {"spf", take_spf},
    {"size", take_size},       {"octets", take_octets},
    {"body", take_body},       {"message-id", take_message_id},
    {"verdict", take_verdict}, {"code", take_code},
    {"found", take_found},     {"all-found", take_all_found},
    {"took", take_took},       {"gave-up", take_gave_up},
};

static bool word_take(struct parse *parse, struct slice name, struct slice value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_equal(name, slice_text(words[i].name)))
            return words[i].take(parse, value);
    return true;
}

bool attempt_parse(struct slice line, struct arena *arena, struct attempt *ret_attempt)
{
    struct attempt attempt = {0};
    struct parse parse = {arena, &attempt, NULL};
    struct slice word, name;
    if (!slice_starts(line, SLICE("address=")))
        return false;
    while (slice_cut(&line, ' ', &word))
        if (!slice_cut(&word, '=', &name) || !word_take(&parse, name, word))
            return false;
    if (attempt.recipients_tried < attempt.recipient_count)
        attempt.recipients_tried = attempt.recipient_count;
    *ret_attempt = attempt;
    return true;
}
