#include "journal/archive.h"

#include "base/memory.h"
#include "journal/days.h"
#include "journal/collect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BATCH        2000   /* sessions of one transaction */
#define OPEN_MOST    200000 /* sessions without an end that are kept */
#define STREAMS_MOST 256
#define SETTLE_AFTER 900  /* seconds without a session for a day that is over */
#define SLACK        3600 /* seconds by which a file's name and its records may disagree */

/* One reading of the journal: all of it, or what is of one day. */
struct pass {
    struct archive *archive;
    struct journal_reader *reader; /* NULL: there is none */
    struct collect *collect;
    bool one_day;
    int64_t day;
    struct day_session batch[BATCH];
    struct traits traits[BATCH];
    size_t count;
    struct day_member members[BATCH];
    size_t member_count;
    bool moved; /* since the places were written */
};

struct archive {
    struct archive_settings settings;
    char journal[3072], history[3072];
    struct days *days;
    struct pass tail; /* all that is recorded, as it is recorded */
    struct pass mend; /* a day that was damaged */
    uint64_t sessions, refused, total;
    int64_t newest_us;
    struct error error;
};

/* --- passes -------------------------------------------------------------------------------------------- */

static bool place_known(void *data, struct slice stream, struct journal_mark *ret_place)
{
    const struct pass *pass = data;
    return !pass->one_day && days_place(pass->archive->days, stream, ret_place);
}

/* Sessions are in the files of gates, campaigns in the keeper's; a day's in those that were being written to
 * on it. */
static bool is_wanted(void *data, const struct segment_name *name, const struct segment_name *next)
{
    const struct pass *pass = data;
    if (strcmp(name->role, "gate") != 0 && strcmp(name->role, "keeper") != 0)
        return false;
    if (!pass->one_day)
        return true;
    int64_t from = pass->day * DAY_SECONDS - SLACK, until = (pass->day + 1) * DAY_SECONDS + SLACK;
    return name->started_unix <= until && (!next || next->started_unix >= from);
}

static int pass_begin(struct pass *pass, bool unwatched, struct error *error)
{
    struct journal_reader_settings settings = {.folder = pass->archive->journal,
                                               .from = JOURNAL_FROM_START,
                                               .unwatched = unwatched,
                                               .place = place_known,
                                               .wanted = is_wanted,
                                               .data = pass};
    if (journal_reader_open(&settings, &pass->reader, error) < 0)
        return -1;
    pass->collect = collect_new(pass->archive->journal, OPEN_MOST);
    pass->moved = true;
    return 0;
}

static void pass_empty(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        traits_drop(&pass->traits[i]);
    pass->count = pass->member_count = 0;
    pass->moved = false;
}

static void pass_end(struct pass *pass)
{
    pass_empty(pass);
    journal_reader_close(pass->reader);
    collect_free(pass->collect);
    pass->reader = NULL;
    pass->collect = NULL;
}

static void member_take(struct pass *pass, const struct event *event)
{
    const struct event_campaign_joined *joined = &event->body.campaign_joined;
    if (!pass->one_day || day_of(event->stamp.unix_us) == pass->day)
        pass->members[pass->member_count++] = (struct day_member){
            .at_us = event->stamp.unix_us, .campaign = joined->campaign, .session = joined->member};
}

static void item_take(struct pass *pass, const struct journal_item *item)
{
    struct traits *traits = &pass->traits[pass->count];
    unsigned gate;
    pass->moved = true;
    if (item->event.stamp.unix_us > pass->archive->newest_us)
        pass->archive->newest_us = item->event.stamp.unix_us;
    if (item->event.kind == EVENT_KIND_campaign_joined)
        member_take(pass, &item->event);
    if (!collect_take(pass->collect, pass->reader, item, traits))
        return;
    if ((pass->one_day && day_of(item->event.stamp.unix_us) != pass->day) ||
        !collect_gate(item->stream, &gate)) {
        traits_drop(traits);
        return;
    }
    pass->batch[pass->count++] = (struct day_session){
        .traits = traits, .ended_us = item->event.stamp.unix_us, .stream = gate, .ended = item->at};
}

static size_t places_of(const struct pass *pass, struct day_place *places)
{
    size_t count = 0;
    struct slice stream;
    struct journal_mark next;
    for (size_t i = 0; count < STREAMS_MOST && journal_reader_place(pass->reader, i, &stream, &next); i++) {
        if (!next.sequence)
            continue;
        struct day_place *place = &places[count++];
        snprintf(place->stream, sizeof place->stream, "%.*s", SLICE_ARGS(stream));
        place->next = next;
    }
    return count;
}

static int pass_commit(struct pass *pass, struct error *error)
{
    struct archive *archive = pass->archive;
    struct day_place places[STREAMS_MOST];
    struct day_batch batch = {.sessions = pass->batch,
                              .count = pass->count,
                              .members = pass->members,
                              .member_count = pass->member_count,
                              .places = places};
    uint64_t added;
    if (!pass->moved)
        return 0;
    batch.place_count = pass->one_day ? 0 : places_of(pass, places);
    if (days_apply(archive->days, &batch, &added, error) < 0) {
        archive->refused++;
        archive->error = *error;
        return -1;
    }
    archive->refused = 0;
    archive->error.text[0] = '\0';
    archive->sessions += added;
    pass_empty(pass);
    return 0;
}

/* True: there is more. A batch that is full and refused stops it. */
static bool pass_turn(struct pass *pass, unsigned events)
{
    struct journal_item item;
    struct error error;
    unsigned taken = 0;
    while (taken < events) {
        bool full = pass->count == BATCH || pass->member_count == BATCH;
        if (full && pass_commit(pass, &error) < 0)
            return false;
        if (!journal_reader_next(pass->reader, &item))
            return false;
        item_take(pass, &item);
        taken++;
    }
    return true;
}

/* --- mending a day ------------------------------------------------------------------------------------- */

/* Before the day counts as whole it has the places of the others: else a start would read all from the
 * journal's beginning for its sake. */
static bool mend_end(struct archive *archive, struct error *error)
{
    int64_t day = archive->mend.day;
    archive->tail.moved = true;
    if (pass_commit(&archive->mend, error) < 0 || pass_commit(&archive->tail, error) < 0 ||
        days_mended(archive->days, day, error) < 0)
        return false;
    pass_end(&archive->mend);
    return true;
}

/* True: there is more to do. */
static bool mend_turn(struct archive *archive, unsigned events)
{
    struct error error;
    int64_t day;
    if (!archive->mend.reader) {
        if (!days_broken(archive->days, &day))
            return false;
        archive->mend.day = day;
        if (pass_begin(&archive->mend, true, &error) < 0)
            return false;
    }
    if (pass_turn(&archive->mend, events))
        return true;
    if (archive->refused || !mend_end(archive, &error))
        return false;
    return days_broken(archive->days, &day);
}

/* --- all ----------------------------------------------------------------------------------------------- */

static int tail_begin(struct archive *archive, struct error *error)
{
    struct journal_reader_counts counts;
    if (pass_begin(&archive->tail, archive->settings.unwatched, error) < 0)
        return -1;
    journal_reader_counts(archive->tail.reader, &counts);
    archive->total = counts.behind;
    return 0;
}

int archive_open(const struct archive_settings *settings, struct archive **ret_archive, struct error *error)
{
    struct archive *archive = memory_take(sizeof *archive);
    archive->settings = *settings;
    archive->tail.archive = archive->mend.archive = archive;
    archive->mend.one_day = true;
    snprintf(archive->journal, sizeof archive->journal, "%s", settings->journal);
    snprintf(archive->history, sizeof archive->history, "%s", settings->history);
    struct days_settings days = {
        .folder = archive->history, .damaged = settings->damaged, .data = settings->data};
    if (days_open(&days, &archive->days, error) == 0 && tail_begin(archive, error) == 0) {
        *ret_archive = archive;
        return 0;
    }
    archive_close(archive);
    return -1;
}

void archive_close(struct archive *archive)
{
    if (!archive)
        return;
    pass_end(&archive->tail);
    pass_end(&archive->mend);
    days_close(archive->days);
    memory_give(archive, sizeof *archive);
}

int archive_fd(const struct archive *archive)
{
    return journal_reader_fd(archive->tail.reader);
}

void archive_look(struct archive *archive)
{
    journal_reader_look(archive->tail.reader);
}

bool archive_turn(struct archive *archive, unsigned events)
{
    bool tail = pass_turn(&archive->tail, events);
    bool mend = mend_turn(archive, events);
    return tail || mend;
}

bool archive_is_dirty(const struct archive *archive)
{
    return archive->tail.moved || archive->mend.count || archive->mend.member_count;
}

int archive_commit(struct archive *archive, struct error *error)
{
    if ((archive->mend.count || archive->mend.member_count) && pass_commit(&archive->mend, error) < 0)
        return -1;
    return pass_commit(&archive->tail, error);
}

/* When the oldest file of a gate begins; INT64_MIN: there is none. */
static int64_t oldest_of(const struct archive *archive)
{
    struct segment_listing listing;
    int64_t oldest = INT64_MAX;
    if (segment_list(archive->journal, &listing, NULL) < 0)
        return INT64_MIN;
    for (size_t i = 0; i < listing.count; i++)
        if (strcmp(listing.names[i].role, "gate") == 0 && listing.names[i].started_unix < oldest)
            oldest = listing.names[i].started_unix;
    segment_listing_drop(&listing);
    return oldest == INT64_MAX ? INT64_MIN : oldest;
}

int archive_tidy(struct archive *archive, int64_t now_unix, struct error *error)
{
    int64_t oldest = oldest_of(archive);
    int settled = days_settle(archive->days, now_unix, SETTLE_AFTER, error);
    int removed = oldest == INT64_MIN ? 0 : days_retain(archive->days, oldest, error);
    int keys = days_keys(archive->days, error);
    return settled < 0 || removed < 0 || keys < 0 ? -1 : 0;
}

bool archive_check(struct archive *archive, int64_t day, struct error *error)
{
    return days_check(archive->days, day, error);
}

int archive_rebuild(struct archive *archive, struct error *error)
{
    pass_end(&archive->tail);
    pass_end(&archive->mend);
    int cleared = days_clear(archive->days, error);
    return tail_begin(archive, error) < 0 ? -1 : cleared;
}

void archive_counts(struct archive *archive, struct archive_counts *ret_counts)
{
    struct journal_reader_counts read;
    struct collect_counts open;
    int64_t day;
    journal_reader_counts(archive->tail.reader, &read);
    collect_counts(archive->tail.collect, &open);
    *ret_counts = (struct archive_counts){
        .events = read.events,
        .sessions = archive->sessions,
        .gathered = archive->tail.count + archive->mend.count,
        .open = open.open,
        .behind = read.behind,
        .total = archive->total,
        .refused = archive->refused,
        .damaged = read.damaged,
        .mending = days_broken(archive->days, &day),
        .newest_us = archive->newest_us,
        .error = archive->error,
    };
}
