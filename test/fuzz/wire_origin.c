/* Whatever a zone or another process says: what is believed holds the address, texts are short and clean, and
 * an origin reads back as it was written. */
#include "property.h"
#include "wire/origin.h"

static void assert_clean(struct slice name)
{
    assert(name.len <= ORIGIN_NAME_MAX && slice_is_utf8(name));
    for (size_t i = 0; i < name.len; i++)
        assert((unsigned char)name.at[i] >= ' ' && name.at[i] != 0x7f);
}

static void assert_reads_back(const struct origin *origin, struct arena *arena)
{
    char text[ORIGIN_TEXT_MAX], again[ORIGIN_TEXT_MAX];
    struct origin read;
    const size_t len = origin_print(origin, text);
    assert_clean(origin->name);
    assert_clean(origin->country_name);
    assert(origin_parse(slice_of(text, len), arena, &read) == !origin_is_empty(origin));
    assert(slice_equal(slice_of(again, origin_print(&read, again)), slice_of(text, len)));
    assert(origin_is_empty(origin) || origin_words(origin, arena).len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    struct origin said = {.as_count = 0}, read;
    struct address address;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    (void)address_parse(SLICE("192.0.2.7"), &address);
    if (origin_zone_read(&said, text, &address))
        assert(prefix_contains(&said.netblock, &address));
    origin_set_name(&said, origin_description(text, &arena), &arena);
    assert_reads_back(&said, &arena);
    (void)origin_parse(text, &arena, &read);
    assert_reads_back(&read, &arena);
    arena_drop(&arena);
    return 0;
}
