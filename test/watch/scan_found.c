/* Proves that what the watcher sees in old logs is kept with its hosts and suggestions, in order, and that
 * the largest campaigns stay where there is no room for all.
 *
 * The first argument is the folder of the logs. */
#include "unit.h"

#include "base/memory.h"
#include "watch/scan.h"
#include "watch/scan_found.h"

static const char *logs;

static void take(void *data, const struct attempt *attempt)
{
    scan_found_attempt(data, attempt);
}

static struct scan_found *found_in(const char *name, int year)
{
    char path[256];
    const char *paths[] = {path};
    struct scan_found *found = scan_found_new(&(struct scan_found_settings){0});
    struct scan *scan;
    struct error error = {0};

    assert_true(snprintf(path, sizeof path, "%s/%s", logs, name) < (int)sizeof path);
    const struct scan_settings settings = {
        .since_ms = INT64_MIN, .until_ms = INT64_MAX, .year = year, .attempt = take, .data = found};
    assert_int_equal(scan_open(&settings, paths, 1, &scan, &error), 0);
    while (scan_step(scan, 1000)) {}
    scan_close(scan);
    scan_found_end(found);
    return found;
}

static void five_attempts_are_one(void **state)
{
    static const char *const hosts[] = {"61.77.232.38", "165.246.189.33", "211.209.23.36", "12.237.128.54"};
    struct scan_found *found = found_in("seed-003.log", 2003);
    struct campaign campaign;
    bool guilty[CAMPAIGN_HOSTS_MAX];
    struct buf sentence;
    size_t count;

    (void)state;
    assert_int_equal(scan_found_count(found), 1);
    scan_found_campaign(found, 0, &campaign, guilty);
    assert_int_equal(campaign.kind, CAMPAIGN_ROTATION);
    assert_int_equal(campaign.attempts, 5);
    assert_int_equal(campaign.host_count, 4);
    assert_int_equal(campaign.hosts[0].attempts, 2); /* "again" */
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    campaign_sentence(&campaign, &sentence);
    assert_true(slice_starts(buf_slice(&sentence), SLICE("5 attempts in 42 s from 4 unrelated networks")));
    buf_drop(&sentence);
    const struct scan_block *const *blocks = scan_found_blocks(found, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_SIZE];
        (void)address_print(&blocks[i]->address.network, text);
        assert_string_equal(text, hosts[i]);
        assert_int_equal(blocks[i]->address.bits, 32);
        assert_string_equal(campaign_reason(blocks[i]->kind), "Apparent open relay");
        assert_int_equal(blocks[i]->campaign, campaign.id);
        assert_int_equal(blocks[i]->attempts, i == 0 ? 2 : 1);
        assert_true(guilty[i]);
    }
    campaign_done(&campaign);
    scan_found_free(found);
}

/* A campaign of so many hosts, one behind the other, an hour behind the one before. */
static void campaign_play(struct scan_found *found, unsigned number, unsigned hosts)
{
    char sender[64], recipient[64];
    struct slice recipients[] = {SLICE_NONE};

    (void)snprintf(sender, sizeof sender, "a%u@b%u.example", number, number);
    (void)snprintf(recipient, sizeof recipient, "c%u@our.example", number);
    recipients[0] = slice_text(recipient);
    for (unsigned i = 0; i < hosts; i++) {
        const uint8_t octets[] = {(uint8_t)(11 + i), (uint8_t)(number >> 8), (uint8_t)number, 1};
        const struct attempt attempt = {
            .has = ATTEMPT_HAS_SENDER | ATTEMPT_HAS_RECIPIENTS | ATTEMPT_HAS_OCTETS | ATTEMPT_HAS_VERDICT |
                   ATTEMPT_HAS_DURATION,
            .envelope = 1,
            .unix_ms = INT64_C(1059009105000) + number * INT64_C(7200000) + i * 10000,
            .peer = address_from_octets(ADDRESS_IPV4, octets, 0),
            .sender = slice_text(sender),
            .recipients = recipients,
            .recipient_count = 1,
            .recipients_tried = 1,
            .octets = 1762,
            .verdict = ATTEMPT_REFUSED,
            .code = 553,
        };
        scan_found_attempt(found, &attempt);
    }
}

static void the_largest_stay(void **state)
{
    struct scan_found *found = scan_found_new(&(struct scan_found_settings){.octets = 64 * 1024});
    const size_t before = memory_in_use();
    struct campaign campaign;
    bool guilty[CAMPAIGN_HOSTS_MAX], large = false;
    int64_t last_ms = 0;
    size_t count;

    (void)state;
    for (unsigned i = 0; i < 400; i++)
        campaign_play(found, i, i == 7 ? 9 : 3);
    scan_found_end(found);
    assert_true(scan_found_dropped(found) > 0);
    assert_int_equal(scan_found_count(found) + scan_found_dropped(found), 400);
    for (size_t i = 0; i < scan_found_count(found); i++) {
        scan_found_campaign(found, i, &campaign, guilty);
        assert_true(campaign.first_ms > last_ms);
        last_ms = campaign.first_ms;
        large = large || campaign.attempts == 9;
        campaign_done(&campaign);
    }
    assert_true(large);
    (void)scan_found_blocks(found, &count);
    assert_int_equal(count, 399 * 3 + 9); /* suggestions are kept of all */
    assert_true(memory_in_use() < before + 1024 * 1024);
    scan_found_free(found);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_attempts_are_one),
        cmocka_unit_test(the_largest_stay),
    };

    if (argc != 2)
        return 2;
    logs = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
