/* Walks over directives by a table of words: how many values, a block or none, how often; and what was
 * perhaps meant by a word that nobody knows. */
#include "daemon/conf_make.h"

#include "base/text.h"

#include <string.h>

/* --- what stood first ---------------------------------------------------------------------------------- */

static struct slice first_key(struct conf_maker *maker, unsigned block, const char *kind, struct slice key)
{
    const struct slice head = arena_format(&maker->scratch, "%u %s ", block, kind);

    return arena_join(&maker->scratch, head, key);
}

const struct conf_place *conf_find(struct conf_maker *maker, unsigned block, const char *kind,
                                   struct slice key)
{
    return table_get(&maker->firsts, first_key(maker, block, kind, key));
}

const struct conf_place *conf_first(struct conf_maker *maker, unsigned block, const char *kind,
                                    struct slice key, struct conf_place here)
{
    const struct slice name = first_key(maker, block, kind, key);
    const struct conf_place *first = table_get(&maker->firsts, name);

    if (first)
        return first;
    struct conf_place *place = arena_take(&maker->scratch, sizeof *place);
    *place = here;
    (void)table_put(&maker->firsts, name, place);
    return NULL;
}

static bool is_first(const struct conf_at *at, unsigned block, const char *kind, struct slice key)
{
    const struct conf_place *first = conf_first(at->maker, block, kind, key, conf_place_of(at));

    if (!first)
        return true;
    const struct slice shown = conf_shown(at->maker, key), place = conf_place_shown(at->maker, first);
    conf_mistake(at->maker, conf_place_of(at),
                 "%s%s%.*s stands twice: expected it once, and it is at %.*s already", kind,
                 kind[0] ? " " : "", SLICE_ARGS(shown), SLICE_ARGS(place));
    return false;
}

bool conf_is_first(const struct conf_at *at, const char *kind, struct slice key)
{
    return is_first(at, 0, kind, key);
}

/* --- the nearest known word ---------------------------------------------------------------------------- */

struct near {
    struct slice word; /* as it stands in the file */
    struct slice best;
    unsigned distance;
};

static unsigned distance_most(struct slice word)
{
    return word.len < 4 ? 1 : word.len < 8 ? 2 : 3;
}

static void near_try(struct near *near, struct slice candidate, struct slice part, unsigned handicap)
{
    const unsigned most = distance_most(near->word);
    const unsigned distance = text_distance(near->word, part, most) + handicap;

    if (distance > most || (near->best.len && distance >= near->distance))
        return;
    near->best = candidate;
    near->distance = distance;
}

/* "recipients" is near to "limits.recipients", and "limit" to "limits", too. */
static void near_try_setting(struct near *near, struct slice name)
{
    const size_t dot = slice_find_last(name, '.');

    near_try(near, name, name, 0);
    if (dot == SLICE_NOT_FOUND)
        return;
    near_try(near, slice_head(name, dot), slice_head(name, dot), 0);
    near_try(near, name, slice_from(name, dot + 1), 1);
}

static struct slice words_nearest(const struct conf_at *at, const struct conf_words *words)
{
    struct near near = {.word = at->node->name};

    for (size_t i = 0; i < words->count; i++)
        near_try(&near, slice_text(words->words[i].name), slice_text(words->words[i].name), 0);
    for (size_t i = 0; words->other_name; i++) {
        const struct slice name = words->other_name(at, i);
        if (name.len == 0)
            break;
        near_try_setting(&near, name);
    }
    return near.best;
}

/* "relay, maildir, lmtp or smtp" */
static struct slice words_all(struct arena *arena, const struct conf_words *words)
{
    struct slice text = SLICE_NONE;

    for (size_t i = 0; i < words->count; i++) {
        const char *before = i == 0 ? "" : i + 1 < words->count ? ", " : " or ";
        text = arena_format(arena, "%.*s%s%s", SLICE_ARGS(text), before, words->words[i].name);
    }
    return text;
}

static void unknown(const struct conf_at *at, const struct conf_words *words)
{
    struct conf_maker *maker = at->maker;
    if (maker->report->mistakes.count >= CONF_NOTES_MAX) {
        conf_mistake(maker, conf_place_of(at), "unknown"); /* is counted only: a guess would be dear */
        return;
    }
    const struct slice shown = conf_shown(maker, at->node->name);
    const struct slice nearest = words_nearest(at, words);
    const struct slice all = words_all(&maker->scratch, words);

    if (nearest.len && words->what)
        conf_mistake(maker, conf_place_of(at), "%s knows no \"%.*s\": did you mean %.*s?", words->what,
                     SLICE_ARGS(shown), SLICE_ARGS(nearest));
    else if (nearest.len)
        conf_mistake(maker, conf_place_of(at), "unknown setting \"%.*s\": did you mean %.*s?",
                     SLICE_ARGS(shown), SLICE_ARGS(nearest));
    else if (words->what && words->count)
        conf_mistake(maker, conf_place_of(at), "%s knows no \"%.*s\": expected %.*s", words->what,
                     SLICE_ARGS(shown), SLICE_ARGS(all));
    else
        conf_mistake(maker, conf_place_of(at), "unknown setting \"%.*s\": expected one of postern.conf(5)",
                     SLICE_ARGS(shown));
}

/* --- the walk ------------------------------------------------------------------------------------------ */

static bool shape_is_good(const struct conf_at *at, const struct conf_word *word)
{
    const struct conf_node *node = at->node;
    const bool few = node->value_count < word->values_min;
    const bool bounded = word->values_max || !word->values_min;
    const bool many = bounded && node->value_count > word->values_max;
    const char *what = few                                              ? "has too few values"
                       : many                                           ? "has too many values"
                       : node->block && word->block == CONF_BLOCK_NONE  ? "takes no block"
                       : !node->block && word->block == CONF_BLOCK_MUST ? "wants a block"
                                                                        : NULL;

    if (!what)
        return true;
    conf_mistake(at->maker, conf_place_of(at), "%s %s: expected %s", word->name, what, word->shape);
    return false;
}

static const struct conf_word *word_find(const struct conf_words *words, struct slice name)
{
    for (size_t i = 0; i < words->count; i++)
        if (slice_equal(name, slice_text(words->words[i].name)))
            return &words->words[i];
    return NULL;
}

bool conf_word_read(const struct conf_at *at, const struct conf_words *words, struct slice name)
{
    const struct conf_word *word = word_find(words, name);

    if (word && shape_is_good(at, word))
        word->read(at);
    return word;
}

static void node_read(const struct conf_at *at, const struct conf_walk *walk)
{
    const struct conf_word *word = word_find(walk->words, at->node->name);

    if (slice_equal(at->node->name, SLICE("include"))) {
        conf_include(at, walk);
        return;
    }
    if (!word) {
        if (!walk->words->other || !walk->words->other(at))
            unknown(at, walk->words);
        return;
    }
    if (word->once && !is_first(at, walk->block, "", at->node->name))
        return;
    if (shape_is_good(at, word))
        word->read(at);
}

void conf_walk_nodes(struct conf_maker *maker, const struct conf_source *source,
                     const struct conf_node *first, const struct conf_walk *walk)
{
    for (const struct conf_node *node = first; node; node = node->next) {
        const struct conf_at at = {maker, source, node, walk->subject};
        node_read(&at, walk);
    }
}

void conf_block_read(struct conf_maker *maker, const struct conf_source *source,
                     const struct conf_node *first, const struct conf_words *words, void *subject)
{
    const struct conf_walk walk = {words, subject, ++maker->block_count};

    conf_walk_nodes(maker, source, first, &walk);
}

/* --- lists --------------------------------------------------------------------------------------------- */

void conf_list_add(struct conf_list *list, const void *item, size_t size)
{
    list->buf.max = UINT32_MAX;
    (void)buf_add(&list->buf, slice_of(item, size));
    list->count++;
}

struct slice conf_lower(struct conf_maker *maker, struct slice text)
{
    char *lower = arena_take(&maker->site->arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        lower[i] = text_lower(text.at[i]);
    return slice_of(lower, text.len);
}

void *conf_list_finish(struct conf_list *list, struct arena *arena, size_t *ret_count)
{
    char *items = arena_take(arena, list->buf.len + 1);

    if (list->buf.len)
        memcpy(items, list->buf.at, list->buf.len);
    *ret_count = list->count;
    buf_drop(&list->buf);
    list->count = 0;
    return items;
}
