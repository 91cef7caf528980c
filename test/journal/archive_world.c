#include "archive_world.h"

#include "base/memory.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int world_make(void **state)
{
    struct world *world = memory_take(sizeof *world);
    assert_int_equal(folder_new(world->folder, "archive"), 0);
    snprintf(world->journal, sizeof world->journal, "%s/journal", world->folder);
    snprintf(world->history, sizeof world->history, "%s/history", world->folder);
    world->sessions = memory_take(MOST * sizeof *world->sessions);
    *state = world;
    return 0;
}

int world_drop(void **state)
{
    struct world *world = *state;
    nftw(world->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    memory_give(world->sessions, MOST * sizeof *world->sessions);
    memory_give(world, sizeof *world);
    return 0;
}

struct crowd *crowd_begin(struct world *world, uint64_t sessions, uint64_t seed)
{
    struct crowd_settings settings = {.folder = world->journal,
                                      .gates = 2,
                                      .open = 20,
                                      .sessions = sessions,
                                      .begin_us = BEGIN_US,
                                      .span_us = 3 * HOUR_US,
                                      .seed = seed,
                                      .segment_octets = 1 << 20,
                                      .hosts = 500};
    struct crowd *crowd;
    struct error error = {0};
    if (crowd_open(&settings, &crowd, &error) < 0)
        fail_msg("%s", error.text);
    return crowd;
}

void crowd_take(struct world *world, struct crowd *crowd, unsigned steps)
{
    for (unsigned i = 0; i < steps && !crowd_is_over(crowd); i++)
        if (crowd_step(crowd, &world->sessions[world->count]))
            world->count++;
}

void crowd_finish(struct world *world, struct crowd *crowd)
{
    while (!crowd_is_over(crowd))
        crowd_take(world, crowd, 1000);
    crowd_flush(crowd, 10000);
    assert_int_equal(crowd_lost(crowd), 0);
    crowd_close(crowd);
}

static void damaged(void *data, const char *path, const struct error *error)
{
    unsigned *count = data;
    (void)path, (void)error;
    ++*count;
}

struct archive *archive_begin(const struct world *world, unsigned *damages)
{
    struct archive_settings settings = {
        .journal = world->journal, .history = world->history, .damaged = damaged, .data = damages};
    struct archive *archive;
    struct error error = {0};
    if (archive_open(&settings, &archive, &error) < 0)
        fail_msg("%s", error.text);
    return archive;
}

void archive_finish(struct archive *archive)
{
    struct error error = {0};
    archive_look(archive);
    while (archive_turn(archive, 5000))
        continue;
    if (archive_commit(archive, &error) < 0)
        fail_msg("%s", error.text);
    archive_close(archive);
}

void archive_all(const struct world *world)
{
    unsigned damages = 0;
    archive_finish(archive_begin(world, &damages));
    assert_int_equal(damages, 0);
}

/* --- what is wanted ------------------------------------------------------------------------------------ */

struct finder *finder_begin(const struct world *world, const struct filter *filter)
{
    struct finder_settings settings = {
        .journal = world->journal, .history = world->history, .filter = *filter};
    struct finder *finder;
    assert_int_equal(finder_open(&settings, &finder, NULL), 0);
    return finder;
}

/* All that match are found, each once, in the order of time, and are counted. */
void finds(struct world *world, const struct filter *filter, matcher matches)
{
    struct finder *finder = finder_begin(world, filter);
    struct day_hit hit;
    uint64_t wanted = 0, found = 0;
    int64_t before_us = INT64_MAX;
    static uint64_t ids[MOST];
    for (size_t i = 0; i < world->count; i++)
        wanted += matches(&world->sessions[i]);
    while (finder_next(finder, &hit)) {
        assert_true(found < wanted);
        assert_true(hit.ended_us / DAY_UNIT_US <= before_us / DAY_UNIT_US + 2);
        before_us = hit.ended_us;
        ids[found++] = hit.session;
    }
    finder_close(finder);
    assert_int_equal(found, wanted);
    for (size_t i = 0; i < world->count; i++) {
        unsigned times = 0;
        for (size_t k = 0; k < found && matches(&world->sessions[i]) && found < 300; k++)
            times += ids[k] == world->sessions[i].id;
        assert_int_equal(times, matches(&world->sessions[i]) && found < 300);
    }
    finder = finder_begin(world, filter);
    assert_int_equal(finder_count(finder), wanted);
    finder_close(finder);
}

const struct crowd_session *one;

static bool has_address(const struct crowd_session *session)
{
    return address_equal_host(&session->peer, &one->peer);
}

static bool has_network(const struct crowd_session *session)
{
    struct address a = address_network(&session->peer, 24), b = address_network(&one->peer, 24);
    return a.family == b.family && address_equal_host(&a, &b);
}

static bool has_sender(const struct crowd_session *session)
{
    return session->recipient_count && session->helo[0] && strcmp(session->sender, one->sender) == 0;
}

static bool has_sender_domain(const struct crowd_session *session)
{
    const char *mine = strchr(session->sender, '@'), *other = strchr(one->sender, '@');
    return session->helo[0] && mine && strcmp(mine, other) == 0;
}

static bool has_null_sender(const struct crowd_session *session)
{
    return session->helo[0] && !session->sender[0];
}

static bool has_recipient(const struct crowd_session *session)
{
    bool has = false;
    for (unsigned i = 0; i < session->recipient_count; i++)
        has |= strcmp(session->recipients[i], one->recipients[0]) == 0;
    return has && session->helo[0];
}

static bool has_any_recipient(const struct crowd_session *session)
{
    return session->helo[0] != '\0';
}

static bool has_helo(const struct crowd_session *session)
{
    return strcmp(session->helo, one->helo) == 0;
}

static bool has_ptr(const struct crowd_session *session)
{
    return strcmp(session->ptr, one->ptr) == 0;
}

static bool has_generic_ptr(const struct crowd_session *session)
{
    const char *at = strstr(session->ptr, ".dyn.isp-7.example");
    return at && strlen(at) == strlen(".dyn.isp-7.example");
}

static bool has_finding(const struct crowd_session *session)
{
    bool has = false;
    for (unsigned i = 0; i < session->finding_count; i++)
        has |= session->findings[i] == one->findings[0];
    return has;
}

bool has_verdict(const struct crowd_session *session)
{
    return session->verdict == one->verdict;
}

static bool has_reply(const struct crowd_session *session)
{
    return session->reply == one->reply;
}

static bool has_verdict_and_network(const struct crowd_session *session)
{
    return has_verdict(session) && has_network(session);
}

static bool any(const struct crowd_session *session)
{
    (void)session;
    return true;
}

static bool is_of_second_day(const struct crowd_session *session)
{
    return day_of(session->ended_us) > day_of(BEGIN_US);
}

static void finds_text(struct world *world, enum trait kind, const char *text, matcher matches)
{
    struct filter filter;
    filter_init(&filter);
    assert_true(filter_add_text(&filter, kind, slice_text(text)));
    finds(world, &filter, matches);
}

static void finds_number(struct world *world, enum trait kind, uint64_t number, matcher matches)
{
    struct filter filter;
    filter_init(&filter);
    assert_true(filter_add_number(&filter, kind, number));
    finds(world, &filter, matches);
}

static void finds_network(struct world *world, unsigned bits, matcher matches)
{
    struct filter filter;
    struct prefix network = {address_network(&one->peer, bits), (uint8_t)bits};
    filter_init(&filter);
    assert_true(filter_add_network(&filter, &network));
    finds(world, &filter, matches);
    if (matches != has_network)
        return;
    assert_true(filter_add_number(&filter, TRAIT_VERDICT, one->verdict));
    finds(world, &filter, has_verdict_and_network);
}

const struct crowd_session *example(const struct world *world)
{
    for (size_t i = world->count / 2; i < world->count; i++) {
        const struct crowd_session *session = &world->sessions[i];
        if (session->peer.family == ADDRESS_IPV4 && session->sender[0] && session->ptr[0] &&
            session->finding_count && session->reply && session->helo[0])
            return session;
    }
    fail_msg("%s", "no session of the crowd has everything");
    return NULL;
}

void finds_everything(struct world *world)
{
    struct filter all;
    filter_init(&all);
    one = example(world);
    finds(world, &all, any);
    all.since_us = day_of(BEGIN_US + DAY_SECONDS * INT64_C(1000000)) * DAY_SECONDS * 1000000;
    finds(world, &all, is_of_second_day);
    finds_network(world, 32, has_address);
    finds_network(world, 24, has_network);
    finds_text(world, TRAIT_SENDER, one->sender, has_sender);
    finds_text(world, TRAIT_SENDER, strchr(one->sender, '@') + 1, has_sender_domain);
    finds_text(world, TRAIT_SENDER, strchr(one->sender, '@'), has_sender_domain);
    finds_text(world, TRAIT_SENDER, "<>", has_null_sender);
    finds_text(world, TRAIT_RECIPIENT, one->recipients[0], has_recipient);
    finds_text(world, TRAIT_RECIPIENT, "EXAMPLE.NET", has_any_recipient);
    finds_text(world, TRAIT_RECIPIENT, "*@house-*", has_any_recipient);
    finds_text(world, TRAIT_RECIPIENT, "user", has_any_recipient);
    finds_text(world, TRAIT_HELO, one->helo, has_helo);
    finds_text(world, TRAIT_PTR, one->ptr, has_ptr);
    finds_text(world, TRAIT_PTR, "dyn.isp-7.example", has_generic_ptr);
    finds_text(world, TRAIT_PTR, ".dyn.isp-7.example", has_generic_ptr);
    finds_number(world, TRAIT_FINDING, one->findings[0], has_finding);
    finds_number(world, TRAIT_VERDICT, one->verdict, has_verdict);
    finds_number(world, TRAIT_REPLY, one->reply, has_reply);
}

/* Each day's file is sound and does not contradict itself. */
uint64_t is_sound(const struct world *world)
{
    struct day_listing days;
    struct day_state state;
    struct error error = {0};
    uint64_t sessions = 0;
    assert_int_equal(day_list(world->history, &days, NULL), 0);
    for (size_t i = 0; i < days.count; i++) {
        if (day_check(world->history, days.days[i], &error) != DAY_GOOD)
            fail_msg("%s", error.text);
        assert_int_equal(day_read_state(world->history, days.days[i], &state, &error), DAY_GOOD);
        assert_false(state.repair);
        sessions += state.sessions;
        day_state_drop(&state);
    }
    day_listing_drop(&days);
    return sessions;
}
