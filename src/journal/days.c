#include "journal/days.h"

#include "base/memory.h"
#include "journal/day_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OPEN_MOST 4 /* days that are written to at once */

struct writing {
    struct day *day; /* NULL: the place is free */
    int64_t touched_unix;
    uint64_t turn; /* the one with the lowest goes first */
};

struct days {
    struct days_settings settings;
    char folder[3072];
    int lock_fd;
    struct writing open[OPEN_MOST];
    uint64_t turn;
    struct day_place *places; /* up to which all is in the files */
    size_t place_count;
    struct day_listing broken;
};

/* --- which days are broken ----------------------------------------------------------------------------- */

static void broken_add(struct days *days, int64_t day)
{
    struct day_listing *list = &days->broken;
    for (size_t i = 0; i < list->count; i++)
        if (list->days[i] == day)
            return;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8, size = sizeof day;
        list->days = memory_resize(list->days, list->room * size, room * size);
        list->room = room;
    }
    list->days[list->count++] = day;
}

bool days_broken(const struct days *days, int64_t *ret_day)
{
    if (!days->broken.count)
        return false;
    *ret_day = days->broken.days[0];
    return true;
}

static void broken_forget(struct days *days, int64_t day)
{
    struct day_listing *list = &days->broken;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->days[i] != day)
            list->days[kept++] = list->days[i];
    list->count = kept;
}

static void writing_drop(struct writing *writing)
{
    day_close(writing->day);
    writing->day = NULL;
}

/* Out of the way, but there for whoever wants to know what happened to it. */
static void set_aside(struct days *days, int64_t day, const struct error *error)
{
    char path[4096], aside[4120];
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (days->open[i].day && day_number(days->open[i].day) == day)
            writing_drop(&days->open[i]);
    day_path(days->folder, day, path);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    if (rename(path, aside) == 0)
        (void)day_remove(days->folder, day, NULL); /* its log and its index of the log */
    broken_add(days, day);
    if (days->settings.damaged)
        days->settings.damaged(days->settings.data, aside, error);
}

/* --- days that are written to -------------------------------------------------------------------------- */

static int64_t unix_now(void)
{
    return (int64_t)time(NULL);
}

/* One that is not settled stays marked as open, which does no harm; without its keys it is searched slower.
 */
static int settle_one(const struct days *days, struct writing *writing, struct error *error)
{
    struct day *day = writing->day;
    int64_t number = day_number(day);
    writing->day = NULL;
    if (day_settle(day, error) != DAY_GOOD)
        return -1;
    (void)day_keys_make(days->folder, number, NULL);
    return 0;
}

/* A free place; where there is none, the day that was wanted longest ago is settled. */
static struct writing *writing_room(struct days *days)
{
    struct writing *oldest = &days->open[0];
    for (size_t i = 0; i < OPEN_MOST; i++) {
        if (!days->open[i].day)
            return &days->open[i];
        if (days->open[i].turn < oldest->turn)
            oldest = &days->open[i];
    }
    (void)settle_one(days, oldest, NULL);
    return oldest;
}

static bool is_broken(const struct days *days, int64_t day)
{
    for (size_t i = 0; i < days->broken.count; i++)
        if (days->broken.days[i] == day)
            return true;
    return false;
}

/* A day that is opened is complete up to here: without that a start would go back to where it was settled, or
 * for a new one to the journal's beginning. */
static enum day_status places_begin(struct days *days, struct day *day, struct error *error)
{
    uint64_t none;
    if (!days->place_count)
        return DAY_GOOD;
    struct day_batch batch = {.places = days->places, .place_count = days->place_count};
    return day_apply(day, &batch, &none, error);
}

/* The second try finds a new file where the first found a damaged one. */
static struct writing *writing_of(struct days *days, int64_t number, struct error *error)
{
    enum day_status status = DAY_DAMAGED;
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (days->open[i].day && day_number(days->open[i].day) == number)
            return &days->open[i];
    struct writing *writing = writing_room(days);
    for (int i = 0; i < 2 && status == DAY_DAMAGED; i++) {
        status = day_open(days->folder, number, &writing->day, error);
        if (status == DAY_DAMAGED)
            set_aside(days, number, error);
    }
    if (status == DAY_GOOD)
        status = is_broken(days, number) ? day_mark_repair(writing->day, true, error)
                                         : places_begin(days, writing->day, error);
    if (status == DAY_GOOD)
        return writing;
    writing_drop(writing);
    return NULL;
}

/* Only the last day of a batch gets the places with its sessions: a crash between two days then means that
 * both are read again. */
static int apply_one(struct days *days, int64_t number, const struct day_batch *part, uint64_t *added,
                     struct error *error)
{
    enum day_status status = DAY_DAMAGED;
    for (int i = 0; i < 2 && status == DAY_DAMAGED; i++) {
        uint64_t now = 0;
        struct writing *writing = writing_of(days, number, error);
        if (!writing)
            return -1;
        writing->turn = ++days->turn;
        writing->touched_unix = part->count ? unix_now() : writing->touched_unix;
        status = day_apply(writing->day, part, &now, error);
        *added += now;
        if (status == DAY_DAMAGED)
            set_aside(days, number, error);
    }
    return status == DAY_GOOD ? 0 : -1;
}

/* --- a batch ------------------------------------------------------------------------------------------- */

static int time_order(const void *left, const void *right)
{
    const struct day_session *a = left, *b = right;
    if (a->ended_us != b->ended_us)
        return a->ended_us < b->ended_us ? -1 : 1;
    return 0;
}

static int member_order(const void *left, const void *right)
{
    const struct day_member *a = left, *b = right;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return 0;
}

/* The other days learn the new places, too: else a start would go back to their old ones. */
static int places_spread(struct days *days, int64_t last, const struct day_batch *batch, struct error *error)
{
    struct day_batch part = {.places = batch->places, .place_count = batch->place_count};
    uint64_t none = 0;
    for (size_t i = 0; i < OPEN_MOST && batch->place_count; i++) {
        const struct day *day = days->open[i].day;
        if (day && day_number(day) != last && apply_one(days, day_number(day), &part, &none, error) < 0)
            return -1;
    }
    return 0;
}

/* Takes what is of the earliest day off the front of what is sorted; false: nothing is left. */
static bool part_cut(struct day_batch *rest, struct day_batch *ret_part, int64_t *ret_day)
{
    int64_t day = rest->count ? day_of(rest->sessions->ended_us) : INT64_MAX;
    if (rest->member_count && day_of(rest->members->at_us) < day)
        day = day_of(rest->members->at_us);
    *ret_part = (struct day_batch){.sessions = rest->sessions, .members = rest->members};
    for (; rest->count && day_of(rest->sessions->ended_us) == day; rest->sessions++, rest->count--)
        ret_part->count++;
    for (; rest->member_count && day_of(rest->members->at_us) == day; rest->members++, rest->member_count--)
        ret_part->member_count++;
    *ret_day = day;
    return day != INT64_MAX;
}

static int apply_sorted(struct days *days, struct day_batch rest, const struct day_batch *batch,
                        uint64_t *added, struct error *error)
{
    struct day_batch part;
    int64_t day, last = INT64_MIN;
    while (part_cut(&rest, &part, &day)) {
        last = day;
        if (!rest.count && !rest.member_count) {
            part.places = batch->places;
            part.place_count = batch->place_count;
        }
        if (apply_one(days, day, &part, added, error) < 0)
            return -1;
    }
    return places_spread(days, last, batch, error);
}

static void *copy_of(const void *at, size_t size)
{
    void *copy = size ? memory_take(size) : NULL;
    if (size)
        memcpy(copy, at, size);
    return copy;
}

static void places_keep(struct days *days, const struct day_batch *batch)
{
    size_t size = batch->place_count * sizeof *days->places;
    if (!batch->place_count)
        return;
    days->places = memory_resize(days->places, days->place_count * sizeof *days->places, size);
    memcpy(days->places, batch->places, size);
    days->place_count = batch->place_count;
}

int days_apply(struct days *days, const struct day_batch *batch, uint64_t *ret_added, struct error *error)
{
    size_t size = batch->count * sizeof *batch->sessions;
    size_t member_size = batch->member_count * sizeof *batch->members;
    struct day_session *sessions = copy_of(batch->sessions, size);
    struct day_member *members = copy_of(batch->members, member_size);
    *ret_added = 0;
    if (size)
        qsort(sessions, batch->count, sizeof *sessions, time_order);
    if (member_size)
        qsort(members, batch->member_count, sizeof *members, member_order);
    struct day_batch sorted = {
        .sessions = sessions, .count = batch->count, .members = members, .member_count = batch->member_count};
    int result = apply_sorted(days, sorted, batch, ret_added, error);
    if (result == 0)
        places_keep(days, batch);
    memory_give(sessions, size);
    memory_give(members, member_size);
    return result;
}

int days_settle(struct days *days, int64_t now_unix, int64_t idle_seconds, struct error *error)
{
    int64_t newest = INT64_MIN;
    int result = 0;
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (days->open[i].day && day_number(days->open[i].day) > newest)
            newest = day_number(days->open[i].day);
    for (size_t i = 0; i < OPEN_MOST; i++) {
        struct writing *writing = &days->open[i];
        bool stays = !writing->day || (idle_seconds && (day_number(writing->day) == newest ||
                                                        now_unix - writing->touched_unix < idle_seconds));
        if (!stays && settle_one(days, writing, error) < 0)
            result = -1;
    }
    return result;
}

static bool is_written(const struct days *days, int64_t day)
{
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (days->open[i].day && day_number(days->open[i].day) == day)
            return true;
    return false;
}

/* Where somebody read the day while it was settled, its log is still there: it is settled again. */
static int keys_mend(struct days *days, int64_t day, struct error *error)
{
    if (day_keys_make(days->folder, day, error) == 0)
        return 0;
    struct writing *writing = writing_of(days, day, error);
    return writing ? settle_one(days, writing, error) : -1;
}

int days_keys(struct days *days, struct error *error)
{
    struct day_listing listing;
    int result = 0;
    if (day_list(days->folder, &listing, error) < 0)
        return -1;
    for (size_t i = listing.count; i > 0; i--) {
        int64_t day = listing.days[i - 1];
        if (is_written(days, day) || is_broken(days, day) || day_keys_hold(days->folder, day))
            continue;
        result = keys_mend(days, day, error);
        break;
    }
    day_listing_drop(&listing);
    return result;
}

/* --- the beginning ------------------------------------------------------------------------------------- */

static struct day_place *place_find(const struct day_place *places, size_t count, const char *stream)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(places[i].stream, stream) == 0)
            return (struct day_place *)(uintptr_t)&places[i];
    return NULL;
}

static bool is_before(struct journal_mark a, struct journal_mark b)
{
    return a.sequence < b.sequence || (a.sequence == b.sequence && a.offset < b.offset);
}

static void places_copy(struct days *days, const struct day_state *state)
{
    size_t size = state->place_count * sizeof *days->places;
    days->places = memory_resize(NULL, 0, size);
    if (size)
        memcpy(days->places, state->places, size);
    days->place_count = state->place_count;
}

/* Of days that were open the earliest places count, and a stream that one of them does not know is read from
 * its start; of settled ones the latest. */
static void places_merge(struct days *days, const struct day_state *state, bool earliest)
{
    size_t kept = 0, count = days->place_count;
    for (size_t i = 0; i < days->place_count; i++) {
        struct day_place *mine = &days->places[i];
        const struct day_place *other = place_find(state->places, state->place_count, mine->stream);
        if (!other && earliest)
            continue;
        if (other && is_before(other->next, mine->next) == earliest)
            mine->next = other->next;
        days->places[kept++] = *mine;
    }
    days->place_count = kept;
    days->places = memory_resize(days->places, count * sizeof *days->places, kept * sizeof *days->places);
    for (size_t i = 0; i < state->place_count && !earliest; i++) {
        if (place_find(days->places, days->place_count, state->places[i].stream))
            continue;
        size_t size = sizeof *days->places;
        days->places = memory_resize(days->places, days->place_count * size, (days->place_count + 1) * size);
        days->places[days->place_count++] = state->places[i];
    }
}

static void places_find(struct days *days, const struct day_state *states, size_t count)
{
    bool any_open = false, first = true;
    for (size_t i = 0; i < count; i++)
        any_open = any_open || (states[i].open && !states[i].repair);
    for (size_t i = 0; i < count; i++) {
        if (states[i].repair || states[i].open != any_open)
            continue;
        if (first)
            places_copy(days, &states[i]);
        else
            places_merge(days, &states[i], any_open);
        first = false;
    }
}

static int states_read(struct days *days, struct day_state *states, const struct day_listing *listing,
                       size_t *count, struct error *error)
{
    for (size_t i = 0; i < listing->count; i++) {
        switch (day_read_state(days->folder, listing->days[i], &states[*count], error)) {
        case DAY_GOOD:
            if (states[*count].repair)
                broken_add(days, listing->days[i]);
            ++*count;
            break;
        case DAY_DAMAGED: set_aside(days, listing->days[i], error); break;
        case DAY_REFUSED: return -1;
        }
    }
    return 0;
}

static int days_begin(struct days *days, struct error *error)
{
    struct day_listing listing;
    size_t count = 0;
    if (day_list(days->folder, &listing, error) < 0)
        return -1;
    struct day_state *states = memory_take((listing.count + 1) * sizeof *states);
    int result = states_read(days, states, &listing, &count, error);
    if (result == 0)
        places_find(days, states, count);
    for (size_t i = 0; i < days->broken.count && result == 0; i++)
        result = writing_of(days, days->broken.days[i], error) ? 0 : -1;
    for (size_t i = 0; i < count; i++)
        day_state_drop(&states[i]);
    memory_give(states, (listing.count + 1) * sizeof *states);
    day_listing_drop(&listing);
    return result;
}

static int lock(struct days *days, struct error *error)
{
    char path[4096];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "%s/lock", days->folder);
    days->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (days->lock_fd < 0)
        return error_set(error, errno, "cannot open %s", path);
    if (fcntl(days->lock_fd, F_OFD_SETLK, &lock) != 0)
        return error_set(error, EAGAIN, "another process writes the history: %s", path);
    return 0;
}

int days_open(const struct days_settings *settings, struct days **ret_days, struct error *error)
{
    struct days *days = memory_take(sizeof *days);
    days->settings = *settings;
    days->lock_fd = -1;
    snprintf(days->folder, sizeof days->folder, "%s", settings->folder);
    if (mkdir(days->folder, 0750) != 0 && errno != EEXIST)
        error_set(error, errno, "cannot make the history's folder %s", days->folder);
    else if (lock(days, error) == 0 && days_begin(days, error) == 0) {
        *ret_days = days;
        return 0;
    }
    days_close(days);
    return -1;
}

void days_close(struct days *days)
{
    if (!days)
        return;
    for (size_t i = 0; i < OPEN_MOST; i++)
        writing_drop(&days->open[i]);
    if (days->lock_fd >= 0)
        close(days->lock_fd);
    memory_give(days->places, days->place_count * sizeof *days->places);
    day_listing_drop(&days->broken);
    memory_give(days, sizeof *days);
}

bool days_place(const struct days *days, struct slice stream, struct journal_mark *ret_place)
{
    for (size_t i = 0; i < days->place_count; i++) {
        if (!slice_equal(stream, slice_text(days->places[i].stream)))
            continue;
        *ret_place = days->places[i].next;
        return true;
    }
    return false;
}

/* --- mending and removing ------------------------------------------------------------------------------ */

int days_mended(struct days *days, int64_t day, struct error *error)
{
    struct writing *writing = writing_of(days, day, error);
    if (!writing || day_mark_repair(writing->day, false, error) != DAY_GOOD)
        return -1;
    broken_forget(days, day);
    return 0;
}

bool days_check(struct days *days, int64_t day, struct error *error)
{
    if (is_broken(days, day))
        return false;
    if (day_check(days->folder, day, error) != DAY_DAMAGED)
        return true;
    set_aside(days, day, error);
    (void)writing_of(days, day, NULL); /* its mark outlives this process */
    return false;
}

static int remove_one(struct days *days, int64_t day, struct error *error)
{
    char path[4096], aside[4120];
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (days->open[i].day && day_number(days->open[i].day) == day)
            writing_drop(&days->open[i]);
    broken_forget(days, day);
    day_path(days->folder, day, path);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    (void)unlink(aside);
    return day_remove(days->folder, day, error);
}

static int remove_before(struct days *days, int64_t before, struct error *error)
{
    struct day_listing listing;
    int removed = 0;
    if (day_list(days->folder, &listing, error) < 0)
        return -1;
    for (size_t i = 0; i < listing.count && removed >= 0; i++)
        if (listing.days[i] < before)
            removed = remove_one(days, listing.days[i], error) < 0 ? -1 : removed + 1;
    day_listing_drop(&listing);
    return removed;
}

int days_retain(struct days *days, int64_t oldest_unix, struct error *error)
{
    return remove_before(days, day_of(oldest_unix * 1000000), error);
}

int days_clear(struct days *days, struct error *error)
{
    memory_give(days->places, days->place_count * sizeof *days->places);
    days->places = NULL;
    days->place_count = 0;
    return remove_before(days, INT64_MAX, error) < 0 ? -1 : 0;
}
