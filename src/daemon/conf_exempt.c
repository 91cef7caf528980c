/* Whose messages need no Message-ID: the words of message-id.exempt, and of the file that may be named. */
#include "daemon/conf_make.h"

#include "wire/domain.h"

#define EXEMPT_SIZE_MAX (1024u * 1024)

/* A network, the end of a host's name, a sender, or @ and a sender's domain. */
static bool word_fits(struct slice word)
{
    const size_t at = slice_find_last(word, '@');
    struct prefix prefix;

    if (prefix_parse(word, &prefix))
        return true;
    const struct slice domain = at != SLICE_NOT_FOUND ? slice_from(word, at + 1)
                                : word.at[0] == '.'   ? slice_from(word, 1)
                                                      : word;
    return domain_check(domain, true, NULL) == DOMAIN_DONE;
}

bool conf_exempt_fits(struct slice text)
{
    struct slice word;

    while (slice_word(&text, &word))
        if (!word_fits(word))
            return false;
    return true;
}

static void line_read(const struct conf_at *at, struct slice line, struct conf_list *list)
{
    struct slice word, copy;

    line = slice_head(line, slice_find(line, '#'));
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    while (slice_word(&line, &word)) {
        if (word_fits(word)) {
            copy = arena_copy(&at->maker->site->arena, word);
            conf_list_add(list, &copy, sizeof copy);
            continue;
        }
        const struct slice shown = conf_shown(at->maker, word);
        conf_mistake(at->maker, conf_place_of_value(at, 0), "%.*s: the file has \"%.*s\": expected %s",
                     SLICE_ARGS(at->node->name), SLICE_ARGS(shown), CONF_EXEMPT_EXPECTED);
    }
}

void conf_exempt_read(const struct conf_at *at, struct slice path)
{
    struct conf_maker *maker = at->maker;
    struct site *site = maker->site;
    struct conf_list list = {.count = 0};
    struct slice text, line;
    struct error error;

    if (conf_file_read(maker, path.at, EXEMPT_SIZE_MAX, &text, NULL, &error) < 0) {
        const struct slice shown = conf_shown(maker, at->node->values[0].text);
        conf_mistake(maker, conf_place_of_value(at, 0), "%.*s \"%.*s\": the file %s",
                     SLICE_ARGS(at->node->name), SLICE_ARGS(shown), error.text);
        return;
    }
    while (slice_cut(&text, '\n', &line))
        line_read(at, line, &list);
    site->message_id_exempt = conf_list_finish(&list, &site->arena, &site->message_id_exempt_count);
}
