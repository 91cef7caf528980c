#include "journal/finder.h"

#include "base/memory.h"
#include "journal/crew.h"
#include "journal/finder_days.h"
#include "journal/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX (64u << 20)
#define BATCH       32u /* sessions that are read from the journal at once */

/* A session of the journal's end that the history did not have when it was looked at. */
struct fresh {
    struct day_hit hit;
    bool there; /* one is at hand */
    bool over;
};

/* A session that is found, and what the journal has of it. */
struct found {
    struct day_hit hit;
    struct history history;
    bool from_search; /* its history is there already */
};

struct finder {
    struct finder_settings settings;
    char journal[3072], history[3072];
    struct segment_listing listing;
    struct day_listing days;
    size_t day_count;         /* of the listing, that are looked into */
    struct day_state newest;  /* of the history: its places are those of all of it */
    struct finder_days *look; /* NULL before the first is wanted */
    struct sought *sought;    /* the day at hand, or NULL */
    struct day_hit next;      /* of that day */
    bool has_next;
    struct search *search;
    struct fresh fresh;
    struct found batch[BATCH];
    size_t batch_count, batch_given;
    struct found *by_place[BATCH];           /* those that are to be read, by file and place */
    size_t pieces[BATCH + 1];                /* where each file's begin */
    size_t given;                            /* in all */
    struct segment_file files[CREW_WORKERS]; /* the one that each worker read from last */
    struct buf members;                      /* of the campaign that is wanted */
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

/* Days are not chosen before it is known how far the history is: what is written to one later is found in the
 * journal. */
static void look_begin(struct finder *finder, size_t wanted)
{
    if (finder->look)
        return;
    finder->look = finder_days_new(&(struct finder_days_settings){.folder = finder->history,
                                                                  .filter = &finder->settings.filter,
                                                                  .days = finder->days.days,
                                                                  .count = &finder->day_count,
                                                                  .wanted = wanted});
}

static void day_end(struct finder *finder)
{
    const struct sought *sought = finder->sought;
    if (sought && sought->status != DAY_GOOD)
        day_unreadable(finder, sought->status, sought->day, &sought->error);
    finder->sought = NULL;
    finder->has_next = false;
}

/* The next older day that is wanted; false: there is none. */
static bool day_begin(struct finder *finder)
{
    day_end(finder);
    finder->sought = finder_days_next(finder->look);
    if (!finder->sought)
        return false;
    finder->state.days++;
    finder->state.incomplete += finder->sought->partial;
    if (finder->settings.looked)
        finder->settings.looked(finder->settings.data, finder->state.days, finder->day_count);
    return true;
}

/* One that the archivist has written since we asked how far it was stands in both. */
static void fresh_skip_known(struct finder *finder)
{
    struct fresh *fresh = &finder->fresh;
    const struct sought *sought = finder->sought;
    fresh_fill(finder);
    while (fresh->there && sought && sought->find && day_of(fresh->hit.ended_us) == sought->day &&
           is_before(fresh->hit.ended, day_find_place(sought->find, fresh->hit.stream))) {
        fresh->there = false;
        fresh_fill(finder);
    }
}

/* Sees to it that the day at hand has the next session of the history, if there is one that is not older than
 * the next of the journal's end. */
static void next_fill(struct finder *finder)
{
    int64_t older;
    while (!finder->has_next) {
        if (finder->sought && sought_next(finder->sought, &finder->next)) {
            finder->has_next = true;
            return;
        }
        fresh_skip_known(finder);
        bool fresh_first = finder->fresh.there && finder_days_peek(finder->look, &older) &&
                           day_of(finder->fresh.hit.ended_us) > older;
        if (fresh_first || !day_begin(finder))
            return;
    }
}

/* The next session, without its history but where that is at hand now and not later. */
static bool found_next(struct finder *finder, struct found *ret_found)
{
    next_fill(finder);
    fresh_skip_known(finder);
    bool fresh = finder->fresh.there;
    if (!fresh && !finder->has_next)
        return false;
    ret_found->from_search = fresh &&
                             (!finder->has_next || finder->fresh.hit.ended_us >= finder->next.ended_us);
    ret_found->hit = ret_found->from_search ? finder->fresh.hit : finder->next;
    history_init(&ret_found->history, ret_found->hit.session);
    if (ret_found->from_search) {
        search_history(finder->search, &ret_found->history);
        finder->fresh.there = false;
    } else {
        finder->has_next = false;
    }
    return true;
}

uint64_t finder_count(struct finder *finder)
{
    uint64_t count = 0;
    look_begin(finder, 0);
    while (day_begin(finder)) {
        count += finder->sought->count;
        fresh_skip_known(finder);
        for (; finder->fresh.there && day_of(finder->fresh.hit.ended_us) >= finder->sought->day;
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

static bool file_open(const struct finder *finder, const struct segment_name *name, struct segment_file *file)
{
    const struct segment_name *open = &file->header.name;
    if (!name)
        return false;
    if (file->fd >= 0 && open->sequence == name->sequence && open->number == name->number)
        return true;
    segment_file_close(file);
    return segment_file_open(finder->journal, name, file, NULL) == 0;
}

static void history_read(const struct finder *finder, struct found *found, struct segment_file *file)
{
    if (file_open(finder, name_of(finder, found->hit.stream, found->hit.ended.sequence), file))
        history_chain(&found->history, file, found->hit.ended.offset);
    if (found->history.count && found->history.opened)
        return;
    history_drop(&found->history); /* it began in the file before */
    (void)history_load(&found->history, finder->journal, NULL);
}

static bool is_same_file(const struct found *a, const struct found *b)
{
    return a->hit.stream == b->hit.stream && a->hit.ended.sequence == b->hit.ended.sequence;
}

/* The sessions of one file, one after the other: those that end side by side are unpacked together. */
static void file_run(void *data, size_t number, unsigned worker)
{
    struct finder *finder = data;
    for (size_t i = finder->pieces[number]; i < finder->pieces[number + 1]; i++)
        history_read(finder, finder->by_place[i], &finder->files[worker]);
}

static void batch_drop(struct finder *finder)
{
    for (size_t i = 0; i < finder->batch_count; i++)
        history_drop(&finder->batch[i].history);
    finder->batch_count = finder->batch_given = 0;
}

static int place_order(const void *left, const void *right)
{
    const struct day_hit *a = &(*(struct found *const *)left)->hit,
                         *b = &(*(struct found *const *)right)->hit;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    if (a->ended.sequence != b->ended.sequence)
        return a->ended.sequence < b->ended.sequence ? -1 : 1;
    return a->ended.offset < b->ended.offset ? -1 : 1;
}

/* Returns how many pieces of work there are, each a file. */
static size_t pieces_cut(struct finder *finder)
{
    size_t count = 0, pieces = 0;
    for (size_t i = 0; i < finder->batch_count; i++)
        if (!finder->batch[i].from_search)
            finder->by_place[count++] = &finder->batch[i];
    if (count)
        qsort(finder->by_place, count, sizeof *finder->by_place, place_order);
    for (size_t i = 0; i < count; i++)
        if (!i || !is_same_file(finder->by_place[i - 1], finder->by_place[i]))
            finder->pieces[pieces++] = i;
    finder->pieces[pieces] = count;
    return pieces;
}

/* The next that will be asked for, with what the journal has of them. */
static void batch_fill(struct finder *finder)
{
    size_t limit = finder->settings.limit, most = BATCH;
    if (limit > finder->given && limit - finder->given < most)
        most = limit - finder->given;
    batch_drop(finder);
    while (finder->batch_count < most && found_next(finder, &finder->batch[finder->batch_count]))
        finder->batch_count++;
    size_t pieces = pieces_cut(finder);
    struct crew *crew = crew_new(&(struct crew_work){file_run, finder, pieces});
    if (pieces > 1)
        crew_allow(crew, pieces);
    for (size_t i = 0; i < pieces; i++)
        crew_wait(crew, i);
    crew_free(crew);
}

bool finder_next(struct finder *finder, struct day_hit *ret_hit)
{
    look_begin(finder, finder->settings.limit ? finder->settings.limit : BATCH);
    if (finder->batch_given == finder->batch_count)
        batch_fill(finder);
    if (finder->batch_given == finder->batch_count)
        return false;
    *ret_hit = finder->batch[finder->batch_given++].hit;
    finder->given++;
    return true;
}

bool finder_history(struct finder *finder, struct history *history)
{
    struct history *read = &finder->batch[finder->batch_given - 1].history;
    *history = *read;
    history_init(read, read->session);
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
    buf_init(&finder->members, MEMBERS_MAX);
    for (size_t i = 0; i < filter->count; i++) {
        uint64_t campaign;
        if (filter->terms[i].kind != TRAIT_CAMPAIGN)
            continue;
        memcpy(&campaign, filter->terms[i].key, sizeof campaign);
        finder_days_members(finder->history, finder->days.days, finder->days.count, campaign,
                            &finder->members);
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
    finder->day_count = finder->days.count;
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
    for (size_t i = 0; i < CREW_WORKERS; i++)
        finder->files[i].fd = -1;
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
    batch_drop(finder);
    finder_days_free(finder->look);
    search_close(finder->search);
    for (size_t i = 0; i < CREW_WORKERS; i++)
        segment_file_close(&finder->files[i]);
    segment_listing_drop(&finder->listing);
    day_listing_drop(&finder->days);
    day_state_drop(&finder->newest);
    buf_drop(&finder->members);
    memory_give(finder, sizeof *finder);
}
