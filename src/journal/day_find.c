/* The term that fewest sessions have leads: its sessions are walked, the newest first, and each is held
 * against the other terms by the numbers of its traits. A term that stands for many keys is gathered and
 * sorted; one that most sessions have is not looked up at all: then the sessions are walked. */
#include "journal/day_find.h"

#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANNOUNCED   (64 * 1024) /* octets at a file's front */
#define GATHER_MOST 50000       /* sessions of one term that are gathered; beyond it, all are walked */

struct found_term {
    int64_t *numbers; /* of the traits that match, ascending */
    size_t count, room;
    uint64_t sessions; /* that have them, counted once for each */
};

enum walk { WALK_NOTHING, WALK_ONE, WALK_GATHERED, WALK_ALL };

struct day_find {
    const struct filter *filter;
    int64_t day;
    int64_t low, high; /* `at` of the span that is wanted */
    bool whole;        /* the span holds all of the day */
    sqlite3 *db;
    struct found_term terms[FILTER_TERMS];
    size_t leader; /* the term whose sessions are walked */
    enum walk walk;
    sqlite3_stmt *walker;  /* ONE, ALL */
    sqlite3_stmt *session; /* by `at` */
    int64_t *gathered;     /* ascending, each once */
    size_t gathered_count, gathered_left, gathered_room;
    bool is_gathered;
    struct day_place *places;
    size_t place_count;
    bool placed; /* they were read */
    bool unmade; /* its writer has made the file, and not yet the tables in it */
    enum day_status status;
    struct error error;
};

static void failed(struct day_find *find)
{
    find->status = sql_is_damaged(find->db) ? DAY_DAMAGED : DAY_REFUSED;
}

/* --- what the terms stand for -------------------------------------------------------------------------- */

static void number_add(struct found_term *term, int64_t number)
{
    if (term->count == term->room) {
        size_t room = term->room ? term->room * 2 : 8, size = sizeof number;
        term->numbers = memory_resize(term->numbers, term->room * size, room * size);
        term->room = room;
    }
    term->numbers[term->count++] = number;
}

static int number_order(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static bool range_find(struct day_find *find, const struct filter_term *wanted,
                       const struct filter_range *range, struct found_term *term)
{
    sqlite3_stmt *statement = sql_prepare(
        find->db, "SELECT key, n, sessions FROM trait WHERE kind=? AND key>=? AND key<=?", &find->error);
    int more = -1;
    if (statement) {
        sqlite3_bind_int(statement, 1, (int)wanted->kind);
        sql_bind(statement, 2, slice_of(range->low, range->low_len));
        sql_bind(statement, 3, slice_of(range->high, range->high_len));
        while ((more = sql_next(statement, &find->error)) > 0) {
            if (!filter_term_matches(wanted, sql_octets(statement, 0)))
                continue;
            number_add(term, sqlite3_column_int64(statement, 1));
            term->sessions += (uint64_t)sqlite3_column_int64(statement, 2);
        }
    }
    if (more < 0)
        failed(find);
    sql_drop(&statement);
    return more == 0;
}

static bool term_find(struct day_find *find, size_t index)
{
    const struct filter_term *wanted = &find->filter->terms[index];
    struct found_term *term = &find->terms[index];
    struct filter_range ranges[FILTER_RANGES];
    if (wanted->kind == TRAIT_CAMPAIGN)
        return true;
    size_t count = filter_ranges(wanted, ranges);
    for (size_t i = 0; i < count; i++)
        if (!range_find(find, wanted, &ranges[i], term))
            return false;
    if (term->count)
        qsort(term->numbers, term->count, sizeof *term->numbers, number_order);
    return true;
}

static bool term_has(const struct found_term *term, int64_t number)
{
    if (term->count == 1)
        return *term->numbers == number;
    return bsearch(&number, term->numbers, term->count, sizeof number, number_order) != NULL;
}

/* Whether one of the session's traits, LEB128 numbers one behind the other, is among the term's. */
static bool term_holds(const struct found_term *term, struct slice numbers)
{
    uint64_t number = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < numbers.len; i++) {
        unsigned char octet = (unsigned char)numbers.at[i];
        number |= (uint64_t)(octet & 0x7f) << shift;
        shift += 7;
        if (octet & 0x80 && shift < 63)
            continue;
        if (term_has(term, (int64_t)number))
            return true;
        number = shift = 0;
    }
    return false;
}

/* --- the walk ------------------------------------------------------------------------------------------ */

static void gathered_add(struct day_find *find, int64_t at)
{
    if (find->gathered_count == find->gathered_room) {
        size_t room = find->gathered_room ? find->gathered_room * 2 : 256, size = sizeof at;
        find->gathered = memory_resize(find->gathered, find->gathered_room * size, room * size);
        find->gathered_room = room;
    }
    find->gathered[find->gathered_count++] = at;
}

static void gathered_sort(struct day_find *find)
{
    size_t kept = 0;
    if (find->gathered_count)
        qsort(find->gathered, find->gathered_count, sizeof *find->gathered, number_order);
    for (size_t i = 0; i < find->gathered_count; i++)
        if (!i || find->gathered[i] != find->gathered[i - 1])
            find->gathered[kept++] = find->gathered[i];
    find->gathered_count = find->gathered_left = kept;
}

/* A session ends on the day on which it began, or on the next. */
static bool gather_members(struct day_find *find)
{
    const struct filter *filter = find->filter;
    sqlite3_stmt *statement = sql_prepare(find->db, "SELECT at FROM session WHERE id=? AND at>=? AND at<=?",
                                          &find->error);
    int more = statement ? 0 : -1;
    for (size_t i = 0; i < filter->member_count && more >= 0; i++) {
        int64_t day = day_of(event_id_unix_ms(filter->members[i]) * 1000);
        if (day != find->day && day + 1 != find->day)
            continue;
        sqlite3_bind_int64(statement, 1, (int64_t)filter->members[i]);
        sqlite3_bind_int64(statement, 2, find->low);
        sqlite3_bind_int64(statement, 3, find->high);
        more = sql_next(statement, &find->error);
        if (more > 0)
            gathered_add(find, sqlite3_column_int64(statement, 0));
        sqlite3_reset(statement);
    }
    if (more < 0)
        failed(find);
    sql_drop(&statement);
    gathered_sort(find);
    return more >= 0;
}

/* When the first is wanted, or all are counted: not before. */
static bool gather(struct day_find *find)
{
    if (find->is_gathered)
        return true;
    find->is_gathered = true;
    if (find->filter->terms[find->leader].kind == TRAIT_CAMPAIGN)
        return gather_members(find);
    const struct found_term *term = &find->terms[find->leader];
    sqlite3_stmt *statement = sql_prepare(find->db, "SELECT at FROM found WHERE n=? AND at>=? AND at<=?",
                                          &find->error);
    int more = statement ? 0 : -1;
    for (size_t i = 0; i < term->count && more == 0; i++) {
        sqlite3_bind_int64(statement, 1, term->numbers[i]);
        sqlite3_bind_int64(statement, 2, find->low);
        sqlite3_bind_int64(statement, 3, find->high);
        while ((more = sql_next(statement, &find->error)) > 0)
            gathered_add(find, sqlite3_column_int64(statement, 0));
    }
    if (more < 0)
        failed(find);
    sql_drop(&statement);
    gathered_sort(find);
    return more == 0;
}

static bool walk_begin(struct day_find *find)
{
    static const char *const texts[] = {
        [WALK_ONE] = "SELECT at FROM found WHERE at>=? AND at<=? AND n=? ORDER BY at DESC",
        [WALK_ALL] = "SELECT at, id, stream, sequence, offset, traits FROM session WHERE at>=? AND at<=?"
                     " ORDER BY at DESC",
    };
    find->session = sql_prepare(
        find->db, "SELECT at, id, stream, sequence, offset, traits FROM session WHERE at=?", &find->error);
    if (find->session && (find->walk == WALK_ONE || find->walk == WALK_ALL)) {
        find->walker = sql_prepare(find->db, texts[find->walk], &find->error);
        if (find->walker) {
            sqlite3_bind_int64(find->walker, 1, find->low);
            sqlite3_bind_int64(find->walker, 2, find->high);
            if (find->walk == WALK_ONE)
                sqlite3_bind_int64(find->walker, 3, *find->terms[find->leader].numbers);
        }
    }
    bool wanted = find->walk == WALK_ONE || find->walk == WALK_ALL;
    if (!find->session || (wanted && !find->walker)) {
        failed(find);
        return false;
    }
    return true;
}

static enum walk walk_choose(struct day_find *find)
{
    const struct filter *filter = find->filter;
    if (find->low > find->high)
        return WALK_NOTHING;
    for (size_t i = 0; i < filter->count; i++)
        if (filter->terms[i].kind == TRAIT_CAMPAIGN) {
            find->leader = i;
            return filter->member_count ? WALK_GATHERED : WALK_NOTHING;
        }
    for (size_t i = 0; i < filter->count; i++) {
        if (!find->terms[i].count)
            return WALK_NOTHING;
        if (find->terms[i].sessions < find->terms[find->leader].sessions)
            find->leader = i;
    }
    if (!filter->count)
        return WALK_ALL;
    const struct found_term *leader = &find->terms[find->leader];
    if (leader->count == 1)
        return WALK_ONE;
    return leader->sessions > GATHER_MOST ? WALK_ALL : WALK_GATHERED;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static void span_set(struct day_find *find)
{
    const struct filter *filter = find->filter;
    int64_t begin_us = find->day * DAY_SECONDS * INT64_C(1000000);
    int64_t end_us = begin_us + DAY_SECONDS * INT64_C(1000000) - 1;
    int64_t since = filter->since_us > begin_us ? filter->since_us : begin_us;
    int64_t until = filter->until_us < end_us ? filter->until_us : end_us;
    find->whole = since == begin_us && until == end_us;
    find->low = since > end_us ? INT32_MAX : day_at(since);
    find->high = until < begin_us ? INT64_C(-1) + INT32_MIN : day_at(until);
    if (find->whole)
        find->high = INT32_MAX; /* those that had to make room at the day's end */
    if (since > until)
        find->high = find->low - 1;
}

static bool places_read(struct day_find *find)
{
    size_t size = sizeof *find->places;
    sqlite3_stmt *statement = sql_prepare(find->db, "SELECT stream, sequence, offset FROM place",
                                          &find->error);
    int more = statement ? 0 : -1;
    while (statement && (more = sql_next(statement, &find->error)) > 0) {
        find->places = memory_resize(find->places, find->place_count * size, (find->place_count + 1) * size);
        struct day_place *place = &find->places[find->place_count++];
        *place = (struct day_place){.next = {(uint32_t)sqlite3_column_int64(statement, 1),
                                             (uint32_t)sqlite3_column_int64(statement, 2)}};
        snprintf(place->stream, sizeof place->stream, "%s", (const char *)sqlite3_column_text(statement, 0));
    }
    if (more < 0)
        failed(find);
    sql_drop(&statement);
    return more == 0;
}

static bool find_begin(struct day_find *find)
{
    /* Read by pages and not mapped: where a page is missing, a mapping has the system read far round it. */
    if (sql_run(find->db, "PRAGMA cache_size=-8192; BEGIN", &find->error) < 0) {
        failed(find);
        return false;
    }
    find->unmade = sql_number(find->db, "SELECT count(*) FROM sqlite_schema", -1) == 0;
    if (find->unmade) {
        find->placed = true;
        return true;
    }
    for (size_t i = 0; i < find->filter->count; i++)
        if (!term_find(find, i))
            return false;
    find->walk = walk_choose(find);
    return walk_begin(find);
}

void day_find_announce(const char *folder, int64_t day)
{
    char path[4096];
    day_path(folder, day, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    (void)posix_fadvise(fd, 0, ANNOUNCED, POSIX_FADV_WILLNEED);
    close(fd);
}

enum day_status day_find_open(const char *folder, int64_t day, const struct filter *filter,
                              struct day_find **ret_find, struct error *error)
{
    char path[4096];
    struct day_find *find = memory_take(sizeof *find);
    find->filter = filter;
    find->day = day;
    span_set(find);
    day_path(folder, day, path);
    if (sql_open(path, SQL_READ, &find->db, &find->error) < 0)
        find->status = DAY_REFUSED; /* or there is none */
    else if (find_begin(find)) {
        *ret_find = find;
        return DAY_GOOD;
    }
    enum day_status status = find->status;
    if (error)
        *error = find->error;
    day_find_close(find);
    return status;
}

void day_find_close(struct day_find *find)
{
    if (!find)
        return;
    sql_drop(&find->walker);
    sql_drop(&find->session);
    sql_close(find->db);
    for (size_t i = 0; i < FILTER_TERMS; i++)
        memory_give(find->terms[i].numbers, find->terms[i].room * sizeof(int64_t));
    memory_give(find->gathered, find->gathered_room * sizeof *find->gathered);
    memory_give(find->places, find->place_count * sizeof *find->places);
    memory_give(find, sizeof *find);
}

struct journal_mark day_find_place(struct day_find *find, unsigned stream)
{
    char name[32];
    find->placed = find->placed || places_read(find);
    snprintf(name, sizeof name, "gate-%u", stream);
    for (size_t i = 0; i < find->place_count; i++)
        if (strcmp(find->places[i].stream, name) == 0)
            return find->places[i].next;
    return (struct journal_mark){0, 0};
}

bool day_find_is_partial(const struct day_find *find)
{
    return sql_number(find->db, "SELECT value FROM meta WHERE word='repair'", 0) != 0;
}

enum day_status day_find_status(const struct day_find *find, struct error *ret_error)
{
    if (ret_error)
        *ret_error = find->error;
    return find->status;
}

/* --- walking ------------------------------------------------------------------------------------------- */

static void hit_make(const struct day_find *find, sqlite3_stmt *row, struct day_hit *ret_hit)
{
    *ret_hit = (struct day_hit){
        .session = (uint64_t)sqlite3_column_int64(row, 1),
        .ended_us = day_unix_us(find->day, sqlite3_column_int64(row, 0)),
        .stream = (unsigned)sqlite3_column_int64(row, 2),
        .ended = {(uint32_t)sqlite3_column_int64(row, 3), (uint32_t)sqlite3_column_int64(row, 4)},
    };
}

/* The leader's own term holds but where all are walked. */
static bool row_matches(const struct day_find *find, sqlite3_stmt *row)
{
    struct slice numbers = sql_octets(row, 5);
    for (size_t i = 0; i < find->filter->count; i++)
        if ((i != find->leader || find->walk == WALK_ALL) && !term_holds(&find->terms[i], numbers))
            return false;
    return true;
}

/* The next `at` of the leader; false: there is none. */
static bool at_next(struct day_find *find, int64_t *ret_at)
{
    if (find->walk == WALK_GATHERED) {
        if (!gather(find) || !find->gathered_left)
            return false;
        *ret_at = find->gathered[--find->gathered_left];
        return true;
    }
    int more = sql_next(find->walker, &find->error);
    if (more < 0)
        failed(find);
    if (more > 0)
        *ret_at = sqlite3_column_int64(find->walker, 0);
    else
        find->walk = WALK_NOTHING; /* a statement that ended would begin again */
    return more > 0;
}

bool day_find_next(struct day_find *find, struct day_hit *ret_hit)
{
    int64_t at;
    while (find->walk != WALK_NOTHING && find->status == DAY_GOOD && at_next(find, &at)) {
        bool all = find->walk == WALK_ALL, found = all;
        sqlite3_stmt *row = all ? find->walker : find->session;
        if (!all) {
            sqlite3_bind_int64(row, 1, at);
            int more = sql_next(row, &find->error);
            if (more < 0)
                failed(find);
            found = more > 0;
        }
        bool matches = found && row_matches(find, row);
        if (matches)
            hit_make(find, row, ret_hit);
        if (!all)
            sqlite3_reset(row);
        if (matches)
            return true;
    }
    return false;
}

/* --- counting ------------------------------------------------------------------------------------------ */

static uint64_t count_one(struct day_find *find)
{
    sqlite3_stmt *statement = sql_prepare(
        find->db, "SELECT count(*) FROM found WHERE n=? AND at>=? AND at<=?", &find->error);
    uint64_t count = 0;
    if (statement) {
        sqlite3_bind_int64(statement, 1, *find->terms[0].numbers);
        sqlite3_bind_int64(statement, 2, find->low);
        sqlite3_bind_int64(statement, 3, find->high);
        if (sql_next(statement, &find->error) > 0)
            count = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    sql_drop(&statement);
    return count;
}

/* A session has but one of these: what several keys have need not be told apart. */
static bool is_single(enum trait kind)
{
    return kind == TRAIT_ADDRESS || kind == TRAIT_PTR || kind == TRAIT_HELO || kind == TRAIT_VERDICT;
}

uint64_t day_find_count(struct day_find *find)
{
    struct day_hit hit;
    uint64_t count = 0;
    if (find->walk == WALK_NOTHING)
        return 0;
    if (!find->filter->count && find->whole)
        return (uint64_t)sql_number(find->db, "SELECT sum(sessions) FROM trait WHERE kind=7", 0);
    if (find->filter->count == 1 && find->whole &&
        (find->terms[0].count == 1 || is_single(find->filter->terms[0].kind)))
        return find->terms[0].sessions;
    if (find->filter->count == 1 && find->terms[0].count == 1)
        return count_one(find);
    if (find->filter->count == 1 && find->walk == WALK_GATHERED)
        return gather(find) ? find->gathered_count : 0;
    while (day_find_next(find, &hit))
        count++;
    return count;
}

enum day_status day_find_members(const char *folder, int64_t day, uint64_t campaign, struct buf *sessions,
                                 struct error *error)
{
    struct filter none;
    struct day_find *find;
    filter_init(&none);
    enum day_status status = day_find_open(folder, day, &none, &find, error);
    if (status != DAY_GOOD)
        return status;
    sqlite3_stmt *row = NULL;
    if (!find->unmade)
        row = sql_prepare(find->db, "SELECT session FROM member WHERE campaign=?", &find->error);
    int more = row || find->unmade ? 0 : -1;
    if (row)
        sqlite3_bind_int64(row, 1, (int64_t)campaign);
    while (row && (more = sql_next(row, &find->error)) > 0) {
        uint64_t session = (uint64_t)sqlite3_column_int64(row, 0);
        (void)buf_add(sessions, slice_of((const char *)&session, sizeof session));
    }
    if (more < 0)
        failed(find);
    if (error)
        *error = find->error;
    status = find->status;
    sql_drop(&row);
    day_find_close(find);
    return status;
}

enum day_status day_find_session(const char *folder, int64_t day, uint64_t session, bool *ret_found,
                                 struct day_hit *ret_hit, struct error *error)
{
    struct filter none;
    struct day_find *find;
    filter_init(&none);
    enum day_status status = day_find_open(folder, day, &none, &find, error);
    if (status != DAY_GOOD)
        return status;
    sqlite3_stmt *row = NULL;
    if (!find->unmade)
        row = sql_prepare(find->db, "SELECT at, id, stream, sequence, offset FROM session WHERE id=?",
                          &find->error);
    if (row)
        sqlite3_bind_int64(row, 1, (int64_t)session);
    int more = row ? sql_next(row, &find->error) : find->unmade ? 0 : -1;
    *ret_found = more > 0;
    if (more > 0)
        hit_make(find, row, ret_hit);
    if (more < 0) {
        failed(find);
        if (error)
            *error = find->error;
    }
    status = find->status;
    sql_drop(&row);
    day_find_close(find);
    return status;
}
