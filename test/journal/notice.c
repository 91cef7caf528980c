/* Proves how notices gather: a flood makes one mail with true counts, classes travel together, mails are
 * spaced and limited but for the reserve of what is wrong with this host, each cause is shown, the digest
 * comes by the clock on the wall, and all of it outlives a restart at any moment. */
#include "journal/notice.h"

#include "base/memory.h"
#include "unit.h"

#include <inttypes.h>

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (INT64_C(20000) * DAY) /* a midnight of UTC */
#define NEVER  INT64_MAX

static const struct notice_settings preset = {
    .classes = 31, .digest = 0, .gather_ms = 5 * MINUTE, .rate = 6, .digest_at_ms = 6 * HOUR, .examples = 3};

static struct notices *begin_with(const struct notice_settings *settings, int64_t now)
{
    struct notices *notices = memory_take(sizeof *notices);
    notices_init(notices, settings, now);
    return notices;
}

static struct notices *begin(void)
{
    return begin_with(&preset, START);
}

static void end(struct notices *notices)
{
    memory_give(notices, sizeof *notices);
}

static struct address host(unsigned number)
{
    const uint8_t octets[4] = {192, 0, (uint8_t)(number >> 8), (uint8_t)number};
    return address_from_octets(ADDRESS_IPV4, octets, 4000);
}

static void refuse(struct notices *notices, enum notice_class which, uint16_t reply, uint64_t session,
                   int64_t at)
{
    const struct notice_incident incident = {
        .class = which, .reply = reply, .session = session, .host = host((unsigned)session), .unix_ms = at};
    notices_add(notices, &incident, at);
}

static void trouble(struct notices *notices, const char *what, int64_t at)
{
    const struct notice_incident incident = {.class = NOTICE_RESOURCE,
                                             .cause = slice_text(what),
                                             .example = SLICE("Trouble: the disk is full"),
                                             .unix_ms = at};
    notices_add(notices, &incident, at);
}

/* Another process: all that goes over is the text. */
static struct notices *again_with(struct notices *before, const struct notice_settings *settings, int64_t now)
{
    struct notices *notices = begin_with(settings, now);
    for (unsigned part = 0; part < NOTICES_PARTS; part++) {
        struct buf text;
        buf_init(&text, NOTICES_PART_MAX);
        notices_print(before, (enum notices_part)part, &text);
        notices_read(notices, (enum notices_part)part, buf_slice(&text), now);
        buf_drop(&text);
    }
    end(before);
    return notices;
}

static struct notices *again(struct notices *before, int64_t now)
{
    return again_with(before, &preset, now);
}

/* --- one mail ------------------------------------------------------------------------------------------ */

static void a_flood_makes_one_mail(void **state)
{
    (void)state;
    struct notices *notices = begin();
    assert_true(notices_due(notices, START) == NEVER);
    for (unsigned i = 0; i < 10000; i++)
        refuse(notices, NOTICE_POLICY, i % 10 ? 170 : 81, 1000 + i, START + i);
    assert_true(notices_due(notices, START + 10000) == START + 5 * MINUTE);
    assert_false(notices_take(notices, 1, START + 5 * MINUTE - 1));
    assert_true(notices_take(notices, 1, START + 5 * MINUTE));
    const struct notice_heap *heap = &notices->pending.heaps[NOTICE_POLICY];
    assert_int_equal(heap->count, 10000);
    assert_int_equal(heap->cause_count, 2);
    assert_int_equal(heap->causes[0].count, 1000);
    assert_int_equal(heap->causes[1].count, 9000);
    assert_int_equal(heap->example_count, 3);
    assert_int_equal(heap->first_ms, START);
    assert_int_equal(heap->last_ms, START + 9999);
    assert_int_equal(notices->pending.from_ms, START);
    notices_sent(notices);
    assert_true(notices_due(notices, START + DAY) == NEVER);
    end(notices);
}

static void classes_travel_together(void **state)
{
    (void)state;
    struct notices *notices = begin();
    refuse(notices, NOTICE_POLICY, 170, 1, START);
    refuse(notices, NOTICE_PROTOCOL, 131, 2, START + 4 * MINUTE);
    refuse(notices, NOTICE_PROTOCOL, 132, 3, START + 4 * MINUTE);
    assert_true(notices_take(notices, 1, START + 5 * MINUTE));
    assert_int_equal(notices->pending.heaps[NOTICE_POLICY].count, 1);
    assert_int_equal(notices->pending.heaps[NOTICE_PROTOCOL].count, 2);
    notices_sent(notices);
    assert_true(notices_due(notices, START + HOUR) == NEVER);
    end(notices);
}

static void what_is_quiet_makes_no_mail(void **state)
{
    (void)state;
    struct notice_settings settings = preset;
    settings.digest = 31;
    struct notices *notices = begin_with(&settings, START);
    const struct notice_incident quiet = {
        .class = NOTICE_POLICY, .reply = 170, .session = 1, .unix_ms = START, .quiet = true};
    notices_add(notices, &quiet, START);
    assert_true(notices_due(notices, START) == START + 6 * HOUR);
    notices = again_with(notices, &settings, START);
    assert_false(notices_take(notices, 1, START + 6 * HOUR)); /* nor a digest */
    assert_int_equal(notices->day[NOTICE_POLICY].count, 0);
    refuse(notices, NOTICE_PROTOCOL, 131, 2, START + 7 * HOUR);
    notices_add(notices, &quiet, START + 7 * HOUR);
    assert_true(notices_take(notices, 1, START + 7 * HOUR + 5 * MINUTE));
    assert_int_equal(notices->pending.heaps[NOTICE_POLICY].count, 2); /* it goes along */
    notices_sent(notices);
    assert_true(notices_take(notices, 2, START + DAY + 6 * HOUR));
    assert_int_equal(notices->pending.heaps[NOTICE_POLICY].count, 1);
    end(notices);
}

static void what_is_not_wanted_is_passed_over(void **state)
{
    (void)state;
    struct notice_settings settings = preset;
    settings.classes = NOTICE_BIT(NOTICE_SOFTWARE);
    struct notices *notices = begin_with(&settings, START);
    refuse(notices, NOTICE_POLICY, 170, 1, START);
    assert_false(notices->changed);
    assert_true(notices_due(notices, START + DAY) == NEVER);
    end(notices);
}

/* --- spacing and limits -------------------------------------------------------------------------------- */

/* An incident a second, for a day. */
static unsigned mails_of_a_day(enum notice_class which, uint64_t rate, uint64_t *ret_count)
{
    struct notice_settings settings = preset;
    settings.rate = rate;
    struct notices *notices = begin_with(&settings, START);
    unsigned mails = 0;
    *ret_count = 0;
    for (int64_t at = START; at < START + DAY; at += 1000) {
        refuse(notices, which, 170, (uint64_t)at, at);
        if (!notices_take(notices, 7, at))
            continue;
        mails++;
        *ret_count += notices->pending.heaps[which].count;
        notices_sent(notices);
    }
    *ret_count += notices->gathered[which].count;
    end(notices);
    return mails;
}

static void a_long_flood_makes_few_mails(void **state)
{
    (void)state;
    uint64_t count;
    /* 5, 10, 20, 40 minutes, and then again when the first of them is an hour old */
    assert_in_range(mails_of_a_day(NOTICE_POLICY, 6, &count), 40, 90);
    assert_int_equal(count, 86400);
    /* what is wrong with this host comes as often as the rate lets it */
    assert_in_range(mails_of_a_day(NOTICE_SOFTWARE, 6, &count), 140, 144);
    assert_int_equal(count, 86400);
    assert_in_range(mails_of_a_day(NOTICE_POLICY, 1, &count), 12, 24);
    assert_int_equal(count, 86400);
}

static void the_rate_holds_within_any_hour(void **state)
{
    (void)state;
    struct notice_settings settings = preset;
    int64_t sent[1000];
    size_t count = 0;
    settings.rate = 3;
    settings.gather_ms = 1000;
    struct notices *notices = begin_with(&settings, START);
    for (int64_t at = START; at < START + 10 * HOUR; at += 500) {
        trouble(notices, "a", at);
        if (!notices_take(notices, 7, at))
            continue;
        sent[count++] = at;
        if (count > 3)
            assert_true(sent[count - 1] - sent[count - 4] >= HOUR);
        notices_sent(notices);
    }
    assert_in_range(count, 28, 31);
    end(notices);
}

static void the_last_of_the_hour_is_kept(void **state)
{
    (void)state;
    struct notice_settings settings = preset;
    settings.rate = 2;
    struct notices *notices = begin_with(&settings, START);
    refuse(notices, NOTICE_POLICY, 170, 1, START);
    assert_true(notices_take(notices, 1, START + 5 * MINUTE));
    notices_sent(notices);
    refuse(notices, NOTICE_POLICY, 170, 2, START + 6 * MINUTE);
    assert_true(notices_due(notices, START + 20 * MINUTE) == START + 65 * MINUTE);
    trouble(notices, "write to the spool", START + 20 * MINUTE);
    assert_true(notices_take(notices, 2, START + 25 * MINUTE));
    assert_int_equal(notices->pending.heaps[NOTICE_RESOURCE].count, 1);
    assert_int_equal(notices->pending.heaps[NOTICE_POLICY].count, 1); /* it goes along */
    notices_sent(notices);
    end(notices);
}

static void a_clock_that_is_set_back_stops_nothing(void **state)
{
    (void)state;
    struct notices *notices = begin_with(&preset, START + DAY);
    for (unsigned i = 0; i < 6; i++) {
        trouble(notices, "a", START + DAY);
        assert_true(notices_take(notices, 1, START + DAY + (i + 1) * 5 * MINUTE));
        notices_sent(notices);
    }
    trouble(notices, "a", START);
    assert_true(notices_due(notices, START) == START + 5 * MINUTE);
    end(notices);
}

/* --- what is kept -------------------------------------------------------------------------------------- */

static void each_cause_has_its_example(void **state)
{
    (void)state;
    struct notices *notices = begin();
    for (unsigned i = 0; i < 100; i++)
        refuse(notices, NOTICE_POLICY, 170, 1 + i, START);
    refuse(notices, NOTICE_POLICY, 81, 500, START);
    refuse(notices, NOTICE_POLICY, 193, 600, START);
    refuse(notices, NOTICE_POLICY, 163, 700, START); /* a fourth has no room */
    const struct notice_heap *heap = &notices->gathered[NOTICE_POLICY];
    assert_int_equal(heap->example_count, 3);
    assert_int_equal(heap->examples[0].session, 1);
    assert_int_equal(heap->examples[1].session, 600);
    assert_int_equal(heap->examples[2].session, 500);
    end(notices);
}

static void many_causes_and_hosts_stay_bounded(void **state)
{
    (void)state;
    struct notices *notices = begin();
    char what[300];
    memset(what, 'x', sizeof what);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(what + 10, sizeof what - 10, "%u\n\033", i);
        trouble(notices, what, START);
    }
    const struct notice_heap *heap = &notices->gathered[NOTICE_RESOURCE];
    assert_int_equal(heap->cause_count, NOTICE_CAUSES);
    assert_int_equal(heap->others, 1000 - NOTICE_CAUSES);
    assert_string_equal(heap->causes[0].text, "xxxxxxxxxx0\\n\\x1b");
    for (unsigned i = 0; i < 5000; i++)
        refuse(notices, NOTICE_POLICY, 170, i % 2 ? 77 : 1000 + i, START);
    heap = &notices->gathered[NOTICE_POLICY];
    uint64_t busiest = 0;
    for (size_t i = 0; i < heap->host_count; i++)
        if (heap->hosts[i].address.octets[3] == 77 && heap->hosts[i].address.octets[2] == 0) {
            assert_true(heap->hosts[i].count - heap->hosts[i].over <= 2500);
            busiest = heap->hosts[i].count;
        }
    assert_true(busiest >= 2500);
    end(notices);
}

/* --- the digest ---------------------------------------------------------------------------------------- */

static const struct notice_settings daily = {.classes = 0,
                                             .digest = NOTICE_BIT(NOTICE_POLICY),
                                             .gather_ms = 5 * MINUTE,
                                             .rate = 6,
                                             .digest_at_ms = 6 * HOUR,
                                             .examples = 3};

static void a_day_has_one_digest(void **state)
{
    (void)state;
    struct notices *notices = begin_with(&daily, START + 5 * HOUR);
    unsigned mails = 0;
    uint64_t count = 0;
    for (int64_t at = START + 5 * HOUR; at < START + 5 * HOUR + 3 * DAY; at += MINUTE) {
        refuse(notices, NOTICE_POLICY, 170, (uint64_t)at, at);
        if (!notices_take(notices, 1, at))
            continue;
        assert_true(notices->pending.digest);
        assert_int_equal((at - START) % DAY, 6 * HOUR);
        assert_int_equal(notices->pending.heaps[NOTICE_POLICY].example_count, 0);
        count += notices->pending.heaps[NOTICE_POLICY].count;
        mails++;
        notices_sent(notices);
    }
    assert_int_equal(mails, 3);
    assert_int_equal(count + notices->day[NOTICE_POLICY].count, 3 * 24 * 60);
    end(notices);
}

static void an_empty_day_has_none(void **state)
{
    (void)state;
    struct notices *notices = begin_with(&daily, START);
    assert_true(notices_due(notices, START) == START + 6 * HOUR);
    assert_false(notices_take(notices, 1, START + 6 * HOUR));
    assert_true(notices_due(notices, START + 6 * HOUR) == START + DAY + 6 * HOUR);
    end(notices);
}

static int zone_of_a_summer(int64_t unix_seconds)
{
    return unix_seconds * 1000 < START + 2 * DAY ? 120 : 60; /* the clocks are set back in two days */
}

static void the_clock_on_the_wall_counts(void **state)
{
    (void)state;
    struct notice_settings settings = daily;
    settings.zone_minutes = zone_of_a_summer;
    settings.digest_at_ms = 0; /* midnight */
    struct notices *notices = begin_with(&settings, START);
    assert_true(notices_due(notices, START) == START + DAY - 2 * HOUR);
    refuse(notices, NOTICE_POLICY, 170, 1, START);
    assert_true(notices_take(notices, 1, START + DAY - 2 * HOUR));
    notices_sent(notices);
    assert_true(notices_due(notices, START + DAY) == START + 2 * DAY - 2 * HOUR);
    assert_false(notices_take(notices, 2, START + 2 * DAY)); /* nothing happened */
    assert_true(notices_due(notices, START + 2 * DAY) == START + 3 * DAY - HOUR);
    end(notices);
}

/* --- restarts ------------------------------------------------------------------------------------------ */

static void a_restart_loses_and_doubles_nothing(void **state)
{
    (void)state;
    struct notices *notices = begin();
    uint64_t count = 0;
    unsigned mails = 0;
    for (int64_t at = START; at < START + 3 * HOUR; at += 10000) {
        refuse(notices, NOTICE_PROTOCOL, at % 20000 ? 131 : 132, (uint64_t)at, at);
        notices = again(notices, at);
        if (notices_take(notices, (uint64_t)at, at))
            notices = again(notices, at); /* chosen, not sent */
        if (!notices->pending.id)
            continue;
        count += notices->pending.heaps[NOTICE_PROTOCOL].count;
        assert_int_equal(notices->pending.heaps[NOTICE_PROTOCOL].example_count, 3);
        assert_int_equal(notices->pending.id, at);
        mails++;
        notices_sent(notices);
        notices = again(notices, at);
        assert_int_equal(notices->pending.id, 0);
    }
    assert_in_range(mails, 5, 12);
    assert_int_equal(count + notices->gathered[NOTICE_PROTOCOL].count, 3 * 360);
    end(notices);
}

static void a_digest_that_was_missed_comes(void **state)
{
    (void)state;
    struct notices *notices = begin_with(&daily, START);
    refuse(notices, NOTICE_POLICY, 170, 1, START + HOUR);
    notices = again_with(notices, &daily, START + 9 * HOUR);
    assert_true(notices_take(notices, 1, START + 9 * HOUR));
    assert_int_equal(notices->pending.heaps[NOTICE_POLICY].count, 1);
    assert_int_equal(notices->pending.from_ms, START);
    notices_sent(notices);
    assert_true(notices_due(notices, START + 9 * HOUR) == START + DAY + 6 * HOUR);
    /* Another hour in the settings does not make one twice. */
    struct notice_settings later = daily;
    later.digest_at_ms = 12 * HOUR;
    notices = again_with(notices, &later, START + 10 * HOUR);
    assert_true(notices_due(notices, START + 10 * HOUR) == START + 12 * HOUR);
    end(notices);
}

static void classes_that_are_switched_off_are_dropped(void **state)
{
    (void)state;
    struct notices *notices = begin();
    struct notice_settings settings = preset;
    refuse(notices, NOTICE_POLICY, 170, 1, START);
    trouble(notices, "a", START);
    settings.classes = NOTICE_BIT(NOTICE_RESOURCE);
    notices = again_with(notices, &settings, START);
    assert_int_equal(notices->gathered[NOTICE_POLICY].count, 0);
    assert_int_equal(notices->gathered[NOTICE_RESOURCE].count, 1);
    assert_true(notices_due(notices, START) == START + 5 * MINUTE);
    end(notices);
}

static void the_fullest_fits_its_entry(void **state)
{
    (void)state;
    struct notice_settings settings = preset;
    settings.examples = NOTICE_EXAMPLES;
    struct notices *notices = begin_with(&settings, START);
    char words[2000];
    memset(words, 'w', sizeof words);
    for (unsigned which = 0; which < NOTICE_CLASSES; which++)
        for (unsigned i = 0; i < 100; i++) {
            snprintf(words, sizeof words, "%04u", i);
            words[4] = 'w';
            const struct notice_incident incident = {.class = (enum notice_class)which,
                                                     .cause = slice_of(words, sizeof words),
                                                     .example = slice_of(words, sizeof words),
                                                     .host = host(i),
                                                     .unix_ms = START};
            notices_add(notices, &incident, START);
        }
    notices = again_with(notices, &settings, START);
    assert_int_equal(notices->gathered[NOTICE_CLASSES - 1].cause_count, NOTICE_CAUSES);
    assert_int_equal(notices->gathered[NOTICE_CLASSES - 1].example_count, NOTICE_EXAMPLES);
    assert_int_equal(notices->gathered[NOTICE_CLASSES - 1].host_count, NOTICE_HOSTS);
    end(notices);
}

static void what_cannot_be_read_is_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "\n",
                                        "heap\n",
                                        "heap none 1 2 3 4 5\n",
                                        "heap policy\n",
                                        "heap policy x 1 0 1 1\ncause 1 170 \n",
                                        "cause 1 170 \nhost 1 0 192.0.2.1\nexample 1 0 1 2 \n",
                                        "notice\nnotice a b c d\n",
                                        "sent x\nsent\n",
                                        "day\nday x y\n",
                                        "heap policy 1 18446744073709551616 0 1 1\n",
                                        "zzz 1 2 3\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct notices *notices = begin();
        for (unsigned part = 0; part < NOTICES_PARTS; part++)
            notices_read(notices, (enum notices_part)part, slice_text(texts[i]), START);
        assert_true(notices_due(notices, START) == NEVER);
        assert_int_equal(notices->pending.id, 0);
        end(notices);
    }
}

static void words_of_classes(void **state)
{
    (void)state;
    unsigned classes = 77;
    assert_true(notice_classes_parse(SLICE(""), &classes));
    assert_int_equal(classes, 0);
    assert_true(notice_classes_parse(SLICE(" software  policy"), &classes));
    assert_int_equal(classes, NOTICE_BIT(NOTICE_SOFTWARE) | NOTICE_BIT(NOTICE_POLICY));
    assert_false(notice_classes_parse(SLICE("policy bounce"), &classes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_makes_one_mail),
        cmocka_unit_test(classes_travel_together),
        cmocka_unit_test(what_is_quiet_makes_no_mail),
        cmocka_unit_test(what_is_not_wanted_is_passed_over),
        cmocka_unit_test(a_long_flood_makes_few_mails),
        cmocka_unit_test(the_rate_holds_within_any_hour),
        cmocka_unit_test(the_last_of_the_hour_is_kept),
        cmocka_unit_test(a_clock_that_is_set_back_stops_nothing),
        cmocka_unit_test(each_cause_has_its_example),
        cmocka_unit_test(many_causes_and_hosts_stay_bounded),
        cmocka_unit_test(a_day_has_one_digest),
        cmocka_unit_test(an_empty_day_has_none),
        cmocka_unit_test(the_clock_on_the_wall_counts),
        cmocka_unit_test(a_restart_loses_and_doubles_nothing),
        cmocka_unit_test(a_digest_that_was_missed_comes),
        cmocka_unit_test(classes_that_are_switched_off_are_dropped),
        cmocka_unit_test(the_fullest_fits_its_entry),
        cmocka_unit_test(what_cannot_be_read_is_left_out),
        cmocka_unit_test(words_of_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
