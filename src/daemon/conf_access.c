/* access FILE …, trap ADDRESS …: lists of addresses and names with a meaning. */
#include "daemon/conf_make.h"

#include "wire/access.h"
#include "wire/path.h"

#define ACCESS_SIZE_MAX (256u * 1024 * 1024)

/* Behind the files of the configuration itself. */
static struct conf_place place_in(struct conf_maker *maker, struct slice file, unsigned line)
{
    struct conf_source *source = arena_take(&maker->scratch, sizeof *source);

    *source = (struct conf_source){.name = file, .number = CONF_INCLUDE_FILES};
    return (struct conf_place){source, line};
}

static void entry_add(struct conf_maker *maker, struct slice file, const struct access_entry *entry)
{
    const struct access_rule rule = {
        .action = (uint8_t)entry->action, .enhanced = entry->enhanced, .text = entry->text};
    char key[ACCESS_KEY_SIZE];
    const size_t len = access_key_print(entry, key);

    if (!site_add_access(maker->site, entry->tags, slice_of(key, len), &rule))
        conf_warning(maker, place_in(maker, file, entry->line),
                     "the key stands twice: the first entry counts");
}

/* One warning for all that is passed over: sendmail's own tables are full of it. */
static void access_read(struct conf_maker *maker, struct slice file, struct slice text)
{
    struct access_reader reader;
    struct access_entry entry;
    enum access_status status;
    unsigned passed = 0, first_passed = 0;

    access_init(&reader, text);
    while ((status = access_next(&reader, &entry)) != ACCESS_END)
        if (status == ACCESS_ENTRY)
            entry_add(maker, file, &entry);
        else if (status == ACCESS_BAD)
            conf_mistake(maker, place_in(maker, file, entry.line), "%.*s", SLICE_ARGS(reader.complaint));
        else if (passed++ == 0)
            first_passed = entry.line;
    if (passed)
        conf_warning(maker, place_in(maker, file, first_passed),
                     "here begin %u entries whose tags mean nothing to this gate: they are passed over",
                     passed);
}

void conf_access_read(const struct conf_at *at)
{
    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice value = at->node->values[i].text;
        struct slice text;
        struct error error;
        if (!value.len) {
            conf_bad_value(at, i, "a file");
            continue;
        }
        const struct slice file = conf_path(at, value), shown = conf_shown(at->maker, value);
        if (at->maker->care == CONF_CARE_TEXT)
            continue;
        if (conf_file_read(at->maker, file.at, ACCESS_SIZE_MAX, &text, NULL, &error) < 0)
            conf_mistake(at->maker, conf_place_of_value(at, i), "access \"%.*s\": the file %s",
                         SLICE_ARGS(shown), error.text);
        else
            access_read(at->maker, file, text);
    }
}

void conf_trap_read(const struct conf_at *at)
{
    for (size_t i = 0; i < at->node->value_count; i++) {
        const struct slice address = at->node->values[i].text;
        struct path path;
        if (path_parse_mailbox(address, &at->maker->scratch, &path) != PATH_DONE)
            conf_bad_value(at, i, "an address that nobody uses, such as trap@example.org");
        else
            site_add_trap(at->maker->site, address);
    }
}
