/* origin.contacts-file FILE: where complaints about networks go. Only `postern report` reads it; here it is
 * looked at for mistakes. */
#include "daemon/conf_make.h"

#include "wire/contact.h"

static const char *complaint_of(enum contact_line_status status)
{
    switch (status) {
    case CONTACT_LINE_WHOSE: return "expected an AS such as AS64500, or a network such as 192.0.2.0/24";
    case CONTACT_LINE_NOBODY: return "expected mail addresses behind it, or - for nobody";
    case CONTACT_LINE_ADDRESS: return "expected up to four mail addresses, such as abuse@example.net";
    case CONTACT_LINE_EMPTY:
    case CONTACT_LINE_DONE: break;
    }
    return NULL;
}

static void line_check(const struct conf_at *at, struct slice text, unsigned number)
{
    struct contact_line line;
    const char *complaint = complaint_of(contact_line_read(text, &line));

    if (!complaint)
        return;
    const struct slice shown = conf_shown(at->maker, line.wrong_word);
    conf_mistake(at->maker, conf_place_of_value(at, 0), "%.*s: line %u of the file has \"%.*s\": %s",
                 SLICE_ARGS(at->node->name), number, SLICE_ARGS(shown), complaint);
}

void conf_contacts_read(const struct conf_at *at, struct slice path)
{
    struct slice text, line;
    struct error error;
    unsigned number = 0;

    if (at->maker->care == CONF_CARE_TEXT)
        return;
    if (conf_file_read(at->maker, path.at, CONTACT_TABLE_MAX, &text, NULL, &error) < 0) {
        const struct slice shown = conf_shown(at->maker, at->node->values[0].text);
        conf_mistake(at->maker, conf_place_of_value(at, 0), "%.*s \"%.*s\": the file %s",
                     SLICE_ARGS(at->node->name), SLICE_ARGS(shown), error.text);
        return;
    }
    while (slice_cut(&text, '\n', &line))
        line_check(at, line, ++number);
}
