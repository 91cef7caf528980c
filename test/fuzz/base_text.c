/* Whatever the octets are, what a text form of base takes it prints and takes again as the same. */
#include "base/address.h"
#include "base/calendar.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

static void address_there_and_back(struct slice s)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct address address;
    struct address back;
    struct prefix prefix;
    struct prefix prefix_back;

    if (address_parse(s, &address)) {
        address_print(&address, text);
        assert(address_parse(slice_text(text), &back) && address_equal(&address, &back));
    }
    if (address_port_parse(s, 25, &address)) {
        address_port_print(&address, text);
        assert(address_port_parse(slice_text(text), 0, &back) && address_equal(&address, &back));
    }
    if (prefix_parse(s, &prefix)) {
        prefix_print(&prefix, text);
        assert(prefix_parse(slice_text(text), &prefix_back) && prefix.bits == prefix_back.bits);
        assert(prefix_contains(&prefix, &prefix_back.network));
    }
}

static void units_there_and_back(struct slice s)
{
    char text[CALENDAR_TEXT_SIZE];
    uint64_t number;
    uint64_t back;
    int64_t ms;
    int64_t ms_back;

    if (text_parse_duration(s, &number)) {
        text_print_duration(number, text);
        assert(text_parse_duration(slice_text(text), &back) && number == back);
    }
    if (text_parse_size(s, &number)) {
        text_print_size(number, text);
        assert(text_parse_size(slice_text(text), &back) && number == back);
    }
    /* A date whose offset carries it past the years 0 to 9999 is printed cut to them. */
    if (calendar_parse_iso(s, &ms) && ms >= INT64_C(-62167219200000) && ms <= INT64_C(253402300799999)) {
        calendar_print_iso(ms, 0, text);
        assert(calendar_parse_iso(slice_text(text), &ms_back) && ms == ms_back);
    }
}

static void escaped_is_printable(struct slice s)
{
    struct buf buf;

    buf_init(&buf, 2 * s.len);
    if (text_escape(&buf, s, false))
        assert(slice_is_printable(buf_slice(&buf)));
    buf_clear(&buf);
    if (text_escape(&buf, s, true))
        assert(slice_is_utf8(buf_slice(&buf)) && slice_find(buf_slice(&buf), '\n') == SLICE_NOT_FOUND);
    buf_drop(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice s = slice_of((const char *)octets, len);

    address_there_and_back(s);
    units_there_and_back(s);
    escaped_is_printable(s);
    return 0;
}
