/* Whatever a table holds: the reader comes to its end, lines are counted, and no entry smuggles in a command,
 * a file, or a folder outside its own. */
#include "property.h"
#include "wire/alias.h"

static void entry_is_sound(const struct alias_entry *entry, enum alias_form form, struct slice text)
{
    struct slice right = entry->right, target;
    unsigned count = 0;
    assert(entry->left.len > 0 && slice_is_within(entry->left, text) && slice_is_within(entry->right, text));
    while (alias_target(&right, &target)) {
        assert(target.len > 0 && slice_is_within(target, text));
        assert(target.at[0] != '/' && slice_find(target, '\n') == SLICE_NOT_FOUND);
        assert(form == MAILBOX_TABLE || target.at[0] != '|');
        assert(form == ALIAS_TABLE || !slice_equal(target, SLICE("..")));
        count++;
    }
    assert(form == MAILBOX_TABLE ? count <= 1 : count > 0);
}

static void table_is_sound(struct slice text, enum alias_form form)
{
    struct alias_reader reader;
    struct alias_entry entry;
    enum alias_status status;
    unsigned lines = 1, line_before = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.at[i] == '\n';
    alias_init(&reader, form, text);
    while ((status = alias_next(&reader, &entry)) != ALIAS_END) {
        assert(entry.line > line_before && entry.line <= lines);
        line_before = entry.line;
        assert((status == ALIAS_BAD) == (reader.complaint.len > 0));
        if (status == ALIAS_ENTRY)
            entry_is_sound(&entry, form, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    table_is_sound(text, ALIAS_TABLE);
    table_is_sound(text, MAILBOX_TABLE);
    return 0;
}
