#include "journal/finder.h"

#include "base/memory.h"
#include "journal/search.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBERS_MAX (64u << 20)

/* A session of the journal's end that the history did not have when it was looked at. */
struct fresh {
    struct day_hit hit;
    bool there; /* one is at hand */
    bool over;
};

struct finder {
    struct finder_settings settings;
    char journal[3072], history[3072];
    struct segment_listing listing;
    struct day_listing days;
    size_t day_left;         /* days that were not looked into yet: the first so many */
    struct day_state newest; /* of the history: its places are those of all of it */
    struct day_find *find;   /* the day that is looked into, or NULL */
    int64_t day;             /* which, where there is one */
    struct day_hit next;     /* of that day */
    bool has_next;
    struct search *search;
    struct fresh fresh;
    bool from_search; /* the last one that was given */
    struct day_hit given;
    struct segment_file file; /* the one that a history was read from last */
    struct buf members;       /* of the campaign that is wanted */
    struct finder_state state;
};

/* --- the journal's end --------------------------------------------------------------------------------- */

static struct journal_mark limit_of(void *data, unsigned gate)
{
    const struct finder *finder = data;
    char stream[32];
    snprintf(stream, sizeof stream, "gate-%u", gate);
    for (size_t i = 0; i < finder->newest.place_count; i++)
        if (strcmp(finder->newest.places[i].stream, stream) == 0)
            return finder->newest.places[i].next;
    return (struct journal_mark){0, 0};
}

static bool fresh_matches(struct finder *finder, const struct event *ended)
{
    const struct filter *filter = &finder->settings.filter;
    struct history history;
    struct traits traits;
    if (!filter_end_matches(filter, ended))
        return false;
    history_init(&history, ended->stamp.session);
    traits_init(&traits, ended->stamp.session);
    search_history(finder->search, &history);
    for (size_t i = 0; i < history.count; i++)
        if (history.events[i].stamp.session == history.session)
            traits_take(&traits, &history.events[i]);
    bool matches = filter_matches(filter, &traits);
    traits_drop(&traits);
    history_drop(&history);
    return matches;
}

/* Before the span that is wanted nothing more can come. */
static void fresh_fill(struct finder *finder)
{
    struct fresh *fresh = &finder->fresh;
    struct event ended;
    while (!fresh->there && !fresh->over) {
        if (!search_next(finder->search, &ended) || ended.stamp.unix_us < finder->settings.filter.since_us) {
            fresh->over = true;
            return;
        }
        fresh->hit = (struct day_hit){.session = ended.stamp.session, .ended_us = ended.stamp.unix_us};
        search_at(finder->search, &fresh->hit.stream, &fresh->hit.ended);
        fresh->there = fresh_matches(finder, &ended);
    }
}

static bool is_before(struct journal_mark a, struct journal_mark b)
{
    return a.sequence < b.sequence || (a.sequence == b.sequence && a.offset < b.offset);
}

/* --- the history's days -------------------------------------------------------------------------------- */

static void day_unreadable(struct finder *finder, enum day_status status, int64_t day,
                           const struct error *error)
{
    finder->state.incomplete++;
    finder->state.error = *error;
    finder->state.has_damaged |= status == DAY_DAMAGED;
    finder->state.damaged_day = day;
}

static void day_end(struct finder *finder)
{
    struct error error;
    if (finder->find && day_find_status(finder->find, &error) != DAY_GOOD)
        day_unreadable(finder, day_find_status(finder->find, NULL), finder->day, &error);
    day_find_close(finder->find);
    finder->find = NULL;
    finder->has_next = false;
}

static bool day_is_wanted(const struct finder *finder, int64_t day)
{
    const struct filter *filter = &finder->settings.filter;
    return (filter->since_us == INT64_MIN || day >= day_of(filter->since_us)) &&
           (filter->until_us == INT64_MAX || day <= day_of(filter->until_us));
}

/* The next older day that is wanted; false: there is none. */
static bool day_begin(struct finder *finder)
{
    struct error error;
    day_end(finder);
    while (finder->day_left) {
        int64_t day = finder->days.days[--finder->day_left];
        if (!day_is_wanted(finder, day))
            continue;
        finder->state.days++;
        enum day_status status = day_find_open(finder->history, day, &finder->settings.filter, &finder->find,
                                               &error);
        if (status == DAY_GOOD) {
            finder->state.incomplete += day_find_is_partial(finder->find);
            finder->day = day;
            return true;
        }
        day_unreadable(finder, status, day, &error);
    }
    return false;
}

/* One that the archivist has written since we asked how far it was stands in both. */
static void fresh_skip_known(struct finder *finder)
{
    struct fresh *fresh = &finder->fresh;
    fresh_fill(finder);
    while (fresh->there && finder->find && day_of(fresh->hit.ended_us) == finder->day &&
           is_before(fresh->hit.ended, day_find_place(finder->find, fresh->hit.stream))) {
        fresh->there = false;
        fresh_fill(finder);
    }
}

/* Sees to it that the day at hand has the next session of the history, if there is one that is not older than
 * the next of the journal's end. */
static void next_fill(struct finder *finder)
{
    while (!finder->has_next) {
        if (finder->find && day_find_next(finder->find, &finder->next)) {
            finder->has_next = true;
            return;
        }
        fresh_skip_known(finder);
        bool fresh_first = finder->fresh.there && finder->day_left &&
                           day_of(finder->fresh.hit.ended_us) > finder->days.days[finder->day_left - 1];
        if (fresh_first || !day_begin(finder))
            return;
    }
}

bool finder_next(struct finder *finder, struct day_hit *ret_hit)
{
    next_fill(finder);
    fresh_skip_known(finder);
    bool fresh = finder->fresh.there;
    if (!fresh && !finder->has_next)
        return false;
    finder->from_search = fresh && (!finder->has_next || finder->fresh.hit.ended_us >= finder->next.ended_us);
    if (finder->from_search) {
        *ret_hit = finder->fresh.hit;
        finder->fresh.there = false;
    } else {
        *ret_hit = finder->next;
        finder->has_next = false;
    }
    finder->given = *ret_hit;
    return true;
}

uint64_t finder_count(struct finder *finder)
{
    uint64_t count = 0;
    while (day_begin(finder)) {
        count += day_find_count(finder->find);
        fresh_skip_known(finder);
        for (; finder->fresh.there && day_of(finder->fresh.hit.ended_us) >= finder->day;
             fresh_skip_known(finder)) {
            finder->fresh.there = false;
            count++;
        }
    }
    for (fresh_fill(finder); finder->fresh.there; fresh_fill(finder)) {
        finder->fresh.there = false;
        count++;
    }
    return count;
}

/* --- a session's events -------------------------------------------------------------------------------- */

static const struct segment_name *name_of(const struct finder *finder, unsigned gate, uint32_t sequence)
{
    for (size_t i = 0; i < finder->listing.count; i++) {
        const struct segment_name *name = &finder->listing.names[i];
        if (name->number == gate && name->sequence == sequence && strcmp(name->role, "gate") == 0)
            return name;
    }
    return NULL;
}

static bool file_open(struct finder *finder, const struct segment_name *name)
{
    const struct segment_name *open = &finder->file.header.name;
    if (!name)
        return false;
    if (finder->file.fd >= 0 && open->sequence == name->sequence && open->number == name->number)
        return true;
    segment_file_close(&finder->file);
    return segment_file_open(finder->journal, name, &finder->file, NULL) == 0;
}

bool finder_history(struct finder *finder, struct history *history)
{
    const struct day_hit *hit = &finder->given;
    if (finder->from_search) {
        search_history(finder->search, history);
        return history->count > 0;
    }
    if (file_open(finder, name_of(finder, hit->stream, hit->ended.sequence)))
        history_chain(history, &finder->file, hit->ended.offset);
    if (history->count && history->opened)
        return true;
    history_drop(history); /* it began in the file before */
    (void)history_load(history, finder->journal, NULL);
    return history->count > 0;
}

/* Its id tells when it began; it may have ended on the day after. */
bool finder_place(const char *history, uint64_t session, struct day_hit *ret_hit)
{
    int64_t day = day_of(event_id_unix_ms(session) * 1000);
    bool found = false;
    for (int64_t i = day; i <= day + 1 && !found; i++)
        if (day_find_session(history, i, session, &found, ret_hit, NULL) != DAY_GOOD)
            found = false;
    return found;
}

/* --- the beginning ------------------------------------------------------------------------------------- */

static int member_order(const void *left, const void *right)
{
    uint64_t a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return a < b ? -1 : a > b;
}

/* What the keeper said of a campaign may stand in any day, of sessions of any other. */
static void members_find(struct finder *finder)
{
    struct filter *filter = &finder->settings.filter;
    struct error error;
    buf_init(&finder->members, MEMBERS_MAX);
    for (size_t i = 0; i < filter->count; i++) {
        uint64_t campaign;
        if (filter->terms[i].kind != TRAIT_CAMPAIGN)
            continue;
        memcpy(&campaign, filter->terms[i].key, sizeof campaign);
        for (size_t k = 0; k < finder->days.count; k++)
            (void)day_find_members(finder->history, finder->days.days[k], campaign, &finder->members, &error);
    }
    filter->member_count = finder->members.len / sizeof(uint64_t);
    if (filter->member_count)
        qsort(finder->members.at, filter->member_count, sizeof(uint64_t), member_order);
    filter->members = (const void *)finder->members.at;
}

static void history_look(struct finder *finder)
{
    struct error error;
    if (day_list(finder->history, &finder->days, &error) < 0)
        return;
    finder->day_left = finder->days.count;
    for (size_t i = finder->days.count; i > 0; i--)
        if (day_is_wanted(finder, finder->days.days[i - 1]))
            day_find_announce(finder->history, finder->days.days[i - 1]);
    for (size_t i = finder->days.count; i > 0; i--) {
        bool read = day_read_state(finder->history, finder->days.days[i - 1], &finder->newest, &error) ==
                    DAY_GOOD;
        if (read && !finder->newest.repair)
            return;
        if (read)
            day_state_drop(&finder->newest);
    }
}

int finder_open(const struct finder_settings *settings, struct finder **ret_finder, struct error *error)
{
    struct finder *finder = memory_take(sizeof *finder);
    finder->settings = *settings;
    finder->file.fd = -1;
    snprintf(finder->journal, sizeof finder->journal, "%s", settings->journal);
    snprintf(finder->history, sizeof finder->history, "%s", settings->history);
    history_look(finder);
    members_find(finder);
    struct search_limits limits = {limit_of, finder};
    if (segment_list(finder->journal, &finder->listing, error) == 0 &&
        search_open_limited(finder->journal, &limits, &finder->search, error) == 0) {
        *ret_finder = finder;
        return 0;
    }
    finder_close(finder);
    return -1;
}

void finder_state(const struct finder *finder, struct finder_state *ret_state)
{
    struct search_counts counts;
    search_counts(finder->search, &counts);
    *ret_state = finder->state;
    ret_state->files = counts.files;
    ret_state->unreadable = counts.unreadable;
    if (counts.unreadable)
        ret_state->error = counts.error;
}

void finder_close(struct finder *finder)
{
    if (!finder)
        return;
    day_end(finder);
    search_close(finder->search);
    segment_file_close(&finder->file);
    segment_listing_drop(&finder->listing);
    day_listing_drop(&finder->days);
    day_state_drop(&finder->newest);
    buf_drop(&finder->members);
    memory_give(finder, sizeof *finder);
}
