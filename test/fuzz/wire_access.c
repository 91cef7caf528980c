/* Whatever an access table holds: the reader comes to its end, entries are of the text and sane, a key
 * printed is at most as long as it may be, and widening it ends. */
#include "property.h"
#include "wire/access.h"

static void key_is_sound(const struct access_entry *entry)
{
    char text[ACCESS_KEY_SIZE];
    size_t len = access_key_print(entry, text);
    assert(len > 0 && len < ACCESS_KEY_SIZE);
    struct slice key = slice_of(text, len);
    for (size_t before = len + 1; key.len;) {
        assert(key.len < before && slice_is_within(key, slice_of(text, len)));
        before = key.len;
        if (!access_key_widen(&key))
            break;
    }
}

static void entry_is_sound(const struct access_entry *entry, struct slice text)
{
    bool refuses = entry->action == ACCESS_REJECT || entry->action == ACCESS_DEFER;
    assert(entry->tags && entry->key.len && slice_is_within(entry->key, text));
    assert(slice_is_within(entry->text, text) && slice_is_printable(entry->text));
    assert(!entry->code || (refuses && entry->code >= 400 && entry->code <= 599));
    assert(!entry->enhanced.len || entry->enhanced.at[0] == (entry->code < 500 ? '4' : '5'));
    key_is_sound(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    struct access_reader reader;
    struct access_entry entry;
    enum access_status status;
    unsigned line = 0;
    access_init(&reader, text);
    while ((status = access_next(&reader, &entry)) != ACCESS_END) {
        assert(entry.line > line);
        line = entry.line;
        assert((status == ACCESS_ENTRY) == (reader.complaint.len == 0));
        if (status == ACCESS_ENTRY)
            entry_is_sound(&entry, text);
    }
    return 0;
}
