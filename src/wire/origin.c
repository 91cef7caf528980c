#include "wire/origin.h"

#include "base/text.h"
#include "wire/netstring.h"

/*
 * record      = numbers "|" netblock "|" country *( "|" anything )
 * description = number "|" country "|" anything "|" anything "|" name [ "," country ]
 * numbers     = number *( blanks number )
 * number      = [ "AS" ] decimal digits, 1 to 4294967295
 *
 * with blanks around each field
 */

#define AS_NUMBER_MAX 4294967295u

bool origin_is_empty(const struct origin *origin)
{
    return !origin->as_count && origin->netblock.network.family == ADDRESS_NONE && !origin->country[0] &&
           !origin->name.len && !origin->country_name.len;
}

/* --- parts --------------------------------------------------------------------------------------------- */

void origin_add_as(struct origin *origin, uint64_t number)
{
    if (number == 0 || number > AS_NUMBER_MAX || origin->as_count == ORIGIN_AS_MAX)
        return;
    for (size_t i = 0; i < origin->as_count; i++)
        if (origin->as[i] == number)
            return;
    origin->as[origin->as_count++] = (uint32_t)number;
}

static bool is_capital(char octet)
{
    return octet >= 'A' && octet <= 'Z';
}

void origin_set_country(struct origin *origin, struct slice code)
{
    if (origin->country[0] || code.len != 2 || !is_capital(code.at[0]) || !is_capital(code.at[1]))
        return;
    memcpy(origin->country, code.at, 2);
}

/* The octets of the next character that may stay, or 0. */
static size_t good_size(struct slice rest)
{
    const size_t size = slice_utf8_size(rest);
    const unsigned char first = (unsigned char)rest.at[0], second = size > 1 ? (unsigned char)rest.at[1] : 0;
    if (size == 1)
        return first >= ' ' && first < 0x7f;
    return first == 0xc2 && second < 0xa0 ? 0 : size; /* U+0080 to U+009F are controls */
}

static struct slice clean(struct slice text, struct arena *arena)
{
    const struct slice trimmed = slice_trim(text);
    char room[ORIGIN_NAME_MAX];
    size_t len = 0, size;
    for (struct slice rest = trimmed; rest.len; rest = slice_from(rest, size)) {
        const size_t good = good_size(rest);
        size = good ? good : 1;
        if (len + size > sizeof room)
            break;
        memcpy(room + len, good ? rest.at : rest.at[0] == '\t' ? " " : "?", size);
        len += size;
    }
    return arena_copy(arena, slice_trim(slice_of(room, len)));
}

void origin_set_name(struct origin *origin, struct slice name, struct arena *arena)
{
    if (!origin->name.len)
        origin->name = clean(name, arena);
}

void origin_set_country_name(struct origin *origin, struct slice name, struct arena *arena)
{
    if (!origin->country_name.len)
        origin->country_name = clean(name, arena);
}

/* --- what name servers say ----------------------------------------------------------------------------- */

static void numbers_read(struct origin *origin, struct slice words)
{
    struct slice word;
    uint64_t number;
    while (slice_word(&words, &word)) {
        const size_t letters = slice_starts_fold(word, SLICE("AS")) ? 2 : 0;
        if (text_parse_u64(slice_from(word, letters), &number))
            origin_add_as(origin, number);
    }
}

static bool field_cut(struct slice *record, struct slice *ret_field)
{
    if (!slice_cut(record, '|', ret_field))
        return false;
    *ret_field = slice_trim(*ret_field);
    return true;
}

static bool record_read(struct slice record, const struct address *address, struct origin *ret_origin)
{
    struct origin origin = {.as_count = 0};
    struct slice numbers, netblock, country;
    if (!field_cut(&record, &numbers) || !field_cut(&record, &netblock) ||
        !prefix_parse(netblock, &origin.netblock) || !origin.netblock.bits ||
        !prefix_contains(&origin.netblock, address))
        return false;
    numbers_read(&origin, numbers);
    if (field_cut(&record, &country))
        origin_set_country(&origin, country);
    *ret_origin = origin;
    return true;
}

static void merge(struct origin *origin, const struct origin *said)
{
    if (!origin->as_count) {
        memcpy(origin->as, said->as, sizeof origin->as);
        origin->as_count = said->as_count;
    }
    if (origin->netblock.network.family == ADDRESS_NONE)
        origin->netblock = said->netblock;
    if (!origin->country[0])
        memcpy(origin->country, said->country, sizeof origin->country);
}

bool origin_zone_read(struct origin *origin, struct slice records, const struct address *address)
{
    struct origin best = {.as_count = 0}, one;
    struct slice record;
    bool any = false;
    while (netstring_cut(&records, &record)) {
        if (!record_read(record, address, &one) || (any && one.netblock.bits <= best.netblock.bits))
            continue;
        best = one;
        any = true;
    }
    if (any)
        merge(origin, &best);
    return any;
}

/* "EXAMPLE-AS Example Telecom, NZ": the country stands in a field of its own. */
static struct slice without_country(struct slice name, struct slice country)
{
    const size_t comma = slice_find_last(name, ',');
    if (comma == SLICE_NOT_FOUND || !slice_equal(slice_trim(slice_from(name, comma + 1)), country))
        return name;
    return slice_trim(slice_head(name, comma));
}

struct slice origin_description(struct slice records, struct arena *arena)
{
    struct slice record;
    while (netstring_cut(&records, &record)) {
        struct slice fields[4] = {{0}};
        size_t count = 0;
        while (count < 4 && field_cut(&record, &fields[count]))
            count++;
        const struct slice name = without_country(slice_trim(record), fields[1]);
        if (count == 4 && name.len)
            return clean(name, arena);
    }
    return SLICE_NONE;
}

/* --- one text ------------------------------------------------------------------------------------------ */

#define NUMBERS_MAX (ORIGIN_AS_MAX * 13)

static size_t put(char *text, size_t at, struct slice part)
{
    if (part.len)
        memcpy(text + at, part.at, part.len);
    return at + part.len;
}

static struct slice numbers_print(const struct origin *origin, char room[NUMBERS_MAX])
{
    char digits[TEXT_UNIT_SIZE];
    size_t len = 0;
    for (size_t i = 0; i < origin->as_count; i++) {
        len = put(room, len, i ? SLICE(" AS") : SLICE("AS"));
        len = put(room, len, slice_of(digits, text_print_u64(origin->as[i], digits)));
    }
    return slice_of(room, len);
}

static struct slice netblock_print(const struct origin *origin, char room[ADDRESS_PORT_TEXT_SIZE])
{
    if (origin->netblock.network.family == ADDRESS_NONE)
        return SLICE_NONE;
    return slice_of(room, prefix_print(&origin->netblock, room));
}

static struct slice country_of(const struct origin *origin)
{
    return slice_of(origin->country, origin->country[0] ? 2 : 0);
}

_Static_assert(NUMBERS_MAX + ADDRESS_PORT_TEXT_SIZE + 2 + 2 * ORIGIN_NAME_MAX + 4 < ORIGIN_TEXT_MAX,
               "all parts and the tabs between them have room");

size_t origin_print(const struct origin *origin, char text[ORIGIN_TEXT_MAX])
{
    char numbers[NUMBERS_MAX], netblock[ADDRESS_PORT_TEXT_SIZE];
    const struct slice parts[] = {numbers_print(origin, numbers), netblock_print(origin, netblock),
                                  country_of(origin), origin->name, origin->country_name};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i)
            text[len++] = '\t';
        len = put(text, len, slice_head(parts[i], ORIGIN_NAME_MAX));
    }
    text[len] = '\0';
    return len;
}

bool origin_parse(struct slice text, struct arena *arena, struct origin *ret_origin)
{
    struct origin origin = {.as_count = 0};
    struct slice parts[5] = {{0}};
    for (size_t i = 0; i < 5 && slice_cut(&text, '\t', &parts[i]); i++) {}
    numbers_read(&origin, parts[0]);
    (void)prefix_parse(parts[1], &origin.netblock);
    origin_set_country(&origin, parts[2]);
    origin_set_name(&origin, parts[3], arena);
    origin_set_country_name(&origin, parts[4], arena);
    *ret_origin = origin;
    return !origin_is_empty(&origin);
}

struct slice origin_words(const struct origin *origin, struct arena *arena)
{
    char numbers[NUMBERS_MAX], netblock[ADDRESS_PORT_TEXT_SIZE];
    const struct slice as = numbers_print(origin, numbers), block = netblock_print(origin, netblock);
    const struct slice country = origin->country_name.len ? origin->country_name : country_of(origin);
    struct slice words = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(as),
                                      as.len && origin->name.len ? " " : "", SLICE_ARGS(origin->name));
    words = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(words), words.len && block.len ? ", " : "",
                         SLICE_ARGS(block));
    return arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(words), words.len && country.len ? ", " : "",
                        SLICE_ARGS(country));
}
