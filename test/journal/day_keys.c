/* A day's file of keys never says that the day lacks what it has, by any kind of term; of what it lacks it
 * says so nearly always; and it is not believed when the day was written to, or either file was changed. */
#include "journal/day_keys.h"

#include "base/memory.h"
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY      INT64_C(20658) /* 2026-07-24 */
#define SESSIONS 3000u
#define LABELS   "a.b.c.d.e.f.g.h.i.j.k.example"

struct world {
    char folder[FOLDER_SIZE];
    struct traits traits[SESSIONS];
};

static int64_t at_us(unsigned i)
{
    return DAY * DAY_SECONDS * INT64_C(1000000) + (int64_t)i * 20000000;
}

/* --- a day with sessions ------------------------------------------------------------------------------- */

static void session_make(struct traits *traits, unsigned i)
{
    char sender[64], recipient[64], ptr[64];
    uint8_t four[4] = {192, 0, (uint8_t)(i >> 8), (uint8_t)i};
    uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, (uint8_t)(i >> 8), (uint8_t)i, 7, 7};
    struct event_stamp stamp = {.session = event_id_make(at_us(i) / 1000, 0, i), .unix_us = at_us(i)};
    struct event event = {.kind = EVENT_KIND_mail_started, .stamp = stamp};
    traits_init(traits, stamp.session);
    snprintf(sender, sizeof sender, "Person-%u@mail.firm-%u.example", i, i % 700);
    snprintf(recipient, sizeof recipient, "user.%u@house-%u.example.net", i % 900, i % 5);
    snprintf(ptr, sizeof ptr, "host-%u.isp-%u.example", i, i % 9);
    event.body.mail_started = (struct event_mail_started){.sender = slice_text(i % 10 ? sender : "")};
    traits_take(traits, &event);
    event.kind = EVENT_KIND_recipient_judged;
    event.body.recipient_judged = (struct event_recipient_judged){.recipient = slice_text(recipient)};
    traits_take(traits, &event);
    event.kind = EVENT_KIND_finding;
    event.body.finding = (struct event_finding){.finding = 20 + i % 7};
    traits_take(traits, &event);
    event.kind = EVENT_KIND_session_ended;
    event.body.session_ended = (struct event_session_ended){
        .peer = i % 2 ? address_from_octets(ADDRESS_IPV4, four, 0)
                      : address_from_octets(ADDRESS_IPV6, six, 0),
        .ptr = slice_text(ptr),
        .helo = i == 5 ? SLICE(LABELS) : SLICE("[192.0.2.1]")};
    traits_take(traits, &event);
}

static void day_write(const struct world *world, unsigned first, unsigned count)
{
    struct day_session *sessions = memory_take(count * sizeof *sessions);
    struct day_member member = {at_us(0), 77, 1};
    struct day *day;
    struct error error = {0};
    uint64_t added;
    for (unsigned i = 0; i < count; i++)
        sessions[i] = (struct day_session){&world->traits[first + i], at_us(first + i), 0, {1, i}};
    struct day_batch batch = {.sessions = sessions, .count = count, .members = &member, .member_count = 1};
    assert_int_equal(day_open(world->folder, DAY, &day, &error), DAY_GOOD);
    assert_false(day_keys_hold(world->folder, DAY)); /* not while it is written to */
    assert_int_equal(day_apply(day, &batch, &added, &error), DAY_GOOD);
    assert_int_equal(added, count);
    assert_int_equal(day_keys_make(world->folder, DAY, NULL), -1);
    assert_int_equal(day_settle(day, &error), DAY_GOOD);
    memory_give(sessions, count * sizeof *sessions);
}

static int world_make(void **state)
{
    struct world *world = memory_take(sizeof *world);
    struct error error = {0};
    assert_int_equal(folder_new(world->folder, "keys"), 0);
    for (unsigned i = 0; i < SESSIONS; i++)
        session_make(&world->traits[i], i);
    day_write(world, 0, SESSIONS - 1);
    assert_int_equal(day_keys_make(world->folder, DAY, &error), 0);
    assert_true(day_keys_hold(world->folder, DAY));
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int world_drop(void **state)
{
    struct world *world = *state;
    nftw(world->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (unsigned i = 0; i < SESSIONS; i++)
        traits_drop(&world->traits[i]);
    memory_give(world, sizeof *world);
    return 0;
}

/* --- asking -------------------------------------------------------------------------------------------- */

static bool may_have(const struct world *world, const struct filter *filter)
{
    int64_t day = DAY;
    return day_keys_sift(world->folder, filter, &day, 1) == 1;
}

static bool may_have_text(const struct world *world, enum trait kind, const char *text)
{
    struct filter filter;
    filter_init(&filter);
    assert_true(filter_add_text(&filter, kind, slice_text(text)));
    return may_have(world, &filter);
}

static bool may_have_network(const struct world *world, const char *text)
{
    struct filter filter;
    struct prefix network;
    filter_init(&filter);
    assert_true(prefix_parse(slice_text(text), &network));
    assert_true(filter_add_network(&filter, &network));
    return may_have(world, &filter);
}

/* Every key of every session, as it is and by all that it ends or lies in. */
static void test_what_is_there(void **state)
{
    const struct world *world = *state;
    char text[128];
    for (unsigned i = 0; i + 1 < SESSIONS; i += 7) {
        snprintf(text, sizeof text, "person-%u@mail.firm-%u.example", i, i % 700);
        assert_true(i % 10 == 0 || may_have_text(world, TRAIT_SENDER, text));
        snprintf(text, sizeof text, "firm-%u.example", i % 700);
        assert_true(i % 10 == 0 || may_have_text(world, TRAIT_SENDER, text));
        snprintf(text, sizeof text, "USER.%u@house-%u.example.net", i % 900, i % 5);
        assert_true(may_have_text(world, TRAIT_RECIPIENT, text));
        snprintf(text, sizeof text, "host-%u.isp-%u.example", i, i % 9);
        assert_true(may_have_text(world, TRAIT_PTR, text));
        snprintf(text, sizeof text, ".isp-%u.example", i % 9);
        assert_true(may_have_text(world, TRAIT_PTR, text));
        snprintf(text, sizeof text, i % 2 ? "192.0.%u.%u" : "2001:db8:%02x%02x:707::", i >> 8, i & 255);
        assert_true(may_have_network(world, text));
    }
    assert_true(may_have_text(world, TRAIT_SENDER, "<>"));
    assert_true(may_have_text(world, TRAIT_HELO, "*92.0*")); /* what it cannot tell */
    assert_true(may_have_text(world, TRAIT_HELO, "[192.0.2.1]"));
    for (const char *labels = LABELS; labels; labels = strchr(labels, '.') ? strchr(labels, '.') + 1 : NULL)
        if (strchr(labels, '.'))
            assert_true(may_have_text(world, TRAIT_HELO, labels));
}

static void test_networks(void **state)
{
    const struct world *world = *state;
    static const char *const there[] = {
        "128.0.0.0/1",   "192.0.0.0/8",         "192.0.0.0/12",        "192.0.0.0/16",
        "192.0.4.0/22",  "192.0.4.0/24",        "192.0.4.0/25",        "192.0.4.1/32",
        "2000::/3",      "2001:db8::/29",       "2001:db8::/32",       "2001:db8::/35",
        "2001:db8::/48", "2001:db8:0:707::/64", "2001:db8:0:700::/56", "2001:db8:0:707::/127"};
    for (size_t i = 0; i < COUNT(there); i++)
        assert_true(may_have_network(world, there[i]));
    assert_false(may_have_network(world, "198.51.100.0/24"));
    assert_false(may_have_network(world, "2001:db9::/32"));
}

static void test_numbers_and_campaigns(void **state)
{
    const struct world *world = *state;
    struct filter filter;
    int64_t day = DAY;
    for (unsigned i = 20; i < 28; i++) {
        filter_init(&filter);
        assert_true(filter_add_number(&filter, TRAIT_FINDING, i));
        assert_int_equal(may_have(world, &filter), i < 27);
    }
    assert_true(filter_add_number(&filter, TRAIT_FINDING, 20)); /* both: one is not there */
    assert_false(may_have(world, &filter));
    assert_int_equal(day_keys_sift_campaign(world->folder, 77, &day, 1), 1);
    assert_int_equal(day_keys_sift_campaign(world->folder, 78, &day, 1), 0);
}

/* One key in a few hundred is taken for another: of a thousand no more than twenty may be. */
static void test_what_is_not_there(void **state)
{
    const struct world *world = *state;
    char text[64];
    unsigned taken = 0;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "stranger-%u@firm.example", i);
        taken += may_have_text(world, TRAIT_SENDER, text);
    }
    assert_true(taken <= 20);
}

/* --- when it is not believed --------------------------------------------------------------------------- */

static void keys_path(const struct world *world, char path[128])
{
    snprintf(path, 128, "%s/2026-07-24.keys", world->folder);
}

static void test_written_to(void **state)
{
    const struct world *world = *state;
    assert_false(may_have_text(world, TRAIT_SENDER, "person-2999@mail.firm-199.example"));
    day_write(world, SESSIONS - 1, 1);
    assert_true(may_have_text(world, TRAIT_SENDER, "person-2999@mail.firm-199.example"));
    assert_false(day_keys_hold(world->folder, DAY));
    assert_int_equal(day_keys_make(world->folder, DAY, NULL), 0);
    assert_true(day_keys_hold(world->folder, DAY));
    assert_true(may_have_text(world, TRAIT_SENDER, "person-2999@mail.firm-199.example"));
}

/* An old one that came back, or one of another day's file. */
static void test_of_another_file(void **state)
{
    const struct world *world = *state;
    char path[4096];
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    day_path(world->folder, DAY, path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_false(day_keys_hold(world->folder, DAY));
    assert_true(may_have_text(world, TRAIT_SENDER, "stranger@firm.example"));
}

static void test_spoilt(void **state)
{
    const struct world *world = *state;
    char path[128];
    struct stat file;
    keys_path(world, path);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &file), 0);
    for (off_t page = 0; page < file.st_size; page += 4096)
        assert_int_equal(pwrite(fd, "!", 1, page + 1234), 1);
    assert_true(may_have_text(world, TRAIT_SENDER, "stranger@firm.example"));
    assert_int_equal(ftruncate(fd, 4000), 0);
    assert_true(may_have_text(world, TRAIT_SENDER, "stranger@firm.example"));
    close(fd);
}

static void test_goes_with_the_day(void **state)
{
    const struct world *world = *state;
    char path[128];
    keys_path(world, path);
    assert_int_equal(day_remove(world->folder, DAY, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_there, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_networks, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_numbers_and_campaigns, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_what_is_not_there, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_written_to, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_of_another_file, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_spoilt, world_make, world_drop),
        cmocka_unit_test_setup_teardown(test_goes_with_the_day, world_make, world_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
