/* Whatever a table or a zone says: what is taken for a contact can stand in the header of a mail, and there
 * are never more than a few. */
#include "property.h"
#include "wire/contact.h"

static void assert_sound(const struct contacts *contacts)
{
    assert(contacts->count <= CONTACTS_MAX);
    for (size_t i = 0; i < contacts->count; i++) {
        const struct slice address = contacts->address[i];
        assert(contact_is_sound(address) && slice_is_printable(address) && address.len <= CONTACT_SIZE_MAX);
        for (size_t k = 0; k < address.len; k++)
            assert(!strchr(" <>(),;:\"\\[]%`", address.at[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    const uint32_t as[] = {64500, 64501};
    struct contacts contacts = {.count = 0};
    struct contact_line line;
    struct address address;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    (void)address_parse(SLICE("192.0.2.7"), &address);
    if (contact_line_read(text, &line) == CONTACT_LINE_DONE)
        assert_sound(&line.to);
    (void)contact_table_find(text, &address, as, 2, &contacts);
    assert_sound(&contacts);
    contact_records_read(text, &arena, &contacts);
    assert_sound(&contacts);
    arena_drop(&arena);
    return 0;
}
