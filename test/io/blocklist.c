/* Proves what is asked of a list and what comes of it: codes and reasons, errors that are no listings, both
 * families; and that a list which is dead, empty, refuses or lists everything is found out, switched off,
 * told once, and believed again when it is well. */
#include "base/memory.h"
#include "io/blocklist.h"

#include "dns_rig.h"

#define WAITERS 8

struct question {
    struct blocklist_waiter waiter;
    struct heard heard;
};

/* What the zone of the list at hand does beside its entries. */
enum kind { KIND_GOOD, KIND_EMPTY, KIND_EVERYTHING, KIND_REFUSING, KIND_PARKED, KIND_FAILING };

struct rig {
    struct dns_rig dns;
    struct blocklists *lists;
    struct question questions[WAITERS];
    unsigned news;
    bool works;
    char reason[200];
};

static enum kind kind; /* the zone is a function without data */
static unsigned asked_a, asked_txt;

static int put_code(struct buf *records, const char *code)
{
    struct address address;
    assert_true(address_parse(slice_text(code), &address));
    dns_put_record(records, NULL, DNS_A, 0, slice_of((const char *)address.octets, 4));
    return 1;
}

static int zone_text(struct slice name, struct buf *records)
{
    if (slice_starts(name, SLICE("7.2.0.192.")))
        return put_text(records, "spam from\there; see https://list.example/");
    if (slice_starts(name, SLICE("8.2.0.192.")))
        return put_text(records, "query sEcReT.list.example to know more");
    return -1;
}

static int zone_codes(struct slice name, struct buf *records)
{
    if (slice_starts(name, SLICE("2.0.0.127.")) || slice_starts(name, SLICE("2.0.0.0.0.0.f.7.f.f.f.f.")))
        return put_code(records, "127.0.0.2");
    if (slice_starts(name, SLICE("7.2.0.192."))) {
        put_code(records, "127.0.0.2");
        put_code(records, "127.0.0.4");
        return 2;
    }
    if (slice_starts(name, SLICE("8.2.0.192.")))
        return put_code(records, "127.0.0.3");
    if (slice_starts(name, SLICE("9.2.0.192.")))
        return put_code(records, "127.255.255.254");
    if (slice_starts(name, SLICE("10.2.0.192.")))
        return put_code(records, "203.0.113.80");
    if (slice_starts(name, SLICE("7.0.0.0.0.0.0.0.")))
        return put_code(records, "127.0.0.6");
    return -2;
}

static int zone(struct slice name, enum dns_type type, struct buf *records)
{
    if (!slice_ends_fold(name, SLICE(".secret.list.example")))
        return -2;
    asked_a += type == DNS_A;
    asked_txt += type == DNS_TXT;
    if (type == DNS_TXT)
        return zone_text(name, records);
    switch (kind) {
    case KIND_GOOD:
    case KIND_FAILING: break;
    case KIND_EMPTY: return -2;
    case KIND_EVERYTHING: return put_code(records, "127.0.0.2");
    case KIND_REFUSING: return put_code(records, "127.255.255.254");
    case KIND_PARKED: return put_code(records, "203.0.113.80");
    }
    return zone_codes(name, records);
}

/* --- the rig ------------------------------------------------------------------------------------------- */

static void tell(void *data, size_t list, bool works, const char *reason)
{
    struct rig *rig = data;
    assert_int_equal(list, 0);
    rig->news++;
    rig->works = works;
    snprintf(rig->reason, sizeof rig->reason, "%s", reason);
}

static void done(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    heard_keep(&LIST_OF(waiter, struct question, waiter)->heard, answer);
}

static void ask(struct rig *rig, unsigned number, const char *name, const char *address_text)
{
    struct question *question = &rig->questions[number];
    struct resolver_answer answer;
    struct address address;
    memset(question, 0, sizeof *question);
    question->waiter.done = done;
    assert_true(address_parse(slice_text(address_text), &address));
    if (blocklists_ask(rig->lists, slice_text(name), &address, &question->waiter, &answer))
        heard_keep(&question->heard, &answer);
}

static void turns(struct rig *rig, bool (*until)(const struct rig *rig))
{
    turns_until(rig->dns.loop, until(rig));
}

static bool first_is_told(const struct rig *rig)
{
    return rig->questions[0].heard.told > 0;
}

static bool news_came(const struct rig *rig)
{
    return rig->news > 0;
}

static const struct question *answered(struct rig *rig, const char *address)
{
    ask(rig, 0, "example-list", address);
    turns(rig, first_is_told);
    assert_int_equal(rig->questions[0].heard.told, 1);
    return &rig->questions[0];
}

static struct blocklist_counts counts_of(const struct rig *rig)
{
    struct blocklist_counts counts;
    blocklists_counts(rig->lists, 0, &counts);
    return counts;
}

static bool is_proved(const struct rig *rig)
{
    return counts_of(rig).state != BLOCKLIST_UNPROVED;
}

/* `retry_ms` is short where a test waits for it. */
static void lists_begin(struct rig *rig, const struct blocklist_settings *list, uint64_t retry_ms)
{
    const struct blocklists_settings settings = {.loop = rig->dns.loop,
                                                 .resolver = rig->dns.resolver,
                                                 .lists = list,
                                                 .count = 1,
                                                 .probe_each_ms = 3600000,
                                                 .retry_ms = retry_ms,
                                                 .tell = tell,
                                                 .data = rig};
    rig->lists = blocklists_open(&settings);
    assert_non_null(rig->lists);
}

static const struct blocklist_settings usual = {.name = {"example-list", 12},
                                                .zone = {"secret.list.example", 19},
                                                .reasons = true,
                                                .probes = true,
                                                .ipv4 = true,
                                                .ipv6 = true};

static int setup(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    kind = KIND_GOOD;
    asked_a = asked_txt = 0;
    dns_rig_open(&rig->dns, zone);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    blocklists_close(rig->lists);
    dns_rig_close(&rig->dns);
    memory_give(rig, sizeof *rig);
    return 0;
}

/* --- answers ------------------------------------------------------------------------------------------- */

static void codes_come_with_their_reason(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    const struct question *question = answered(rig, "192.0.2.7");
    assert_int_equal(question->heard.status, ANSWER_FOUND);
    assert_string_equal(question->heard.value,
                        "127.0.0.2 127.0.0.4\nspam from here; see https://list.example/");
    assert_int_equal(answered(rig, "192.0.2.99")->heard.status, ANSWER_NONE);
    const struct blocklist_counts counts = counts_of(rig);
    assert_int_equal(counts.asked, 2);
    assert_int_equal(counts.listed, 1);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.waited, 2);
    assert_int_equal(asked_txt, 1); /* of what is not listed no reason is asked for */
    assert_int_equal(rig->news, 0);
}

static void a_reason_does_not_show_the_zone(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    assert_string_equal(answered(rig, "192.0.2.8")->heard.value, "127.0.0.3");
}

static void reasons_may_be_off(void **state)
{
    struct rig *rig = *state;
    struct blocklist_settings list = usual;
    list.reasons = false;
    lists_begin(rig, &list, 60000);
    assert_string_equal(answered(rig, "192.0.2.7")->heard.value, "127.0.0.2 127.0.0.4");
    assert_int_equal(asked_txt, 0);
}

static void ipv6_is_asked_by_nibbles(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    assert_string_equal(answered(rig, "2001:db8::7")->heard.value, "127.0.0.6");
    assert_int_equal(answered(rig, "2001:db8::8")->heard.status, ANSWER_NONE);
}

static void a_family_that_it_has_not_is_not_asked_for(void **state)
{
    struct rig *rig = *state;
    struct blocklist_settings list = usual;
    list.ipv6 = false;
    lists_begin(rig, &list, 60000);
    turns(rig, is_proved);
    const unsigned before = asked_a;
    assert_int_equal(answered(rig, "2001:db8::7")->heard.status, ANSWER_NONE);
    assert_int_equal(asked_a, before);
}

static void a_list_of_ipv6_alone_is_probed_there(void **state)
{
    struct rig *rig = *state;
    struct blocklist_settings list = usual;
    list.ipv4 = false;
    lists_begin(rig, &list, 60000);
    turns(rig, is_proved);
    assert_int_equal(counts_of(rig).state, BLOCKLIST_WORKS);
}

static void an_error_is_no_listing(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    const struct question *question = answered(rig, "192.0.2.9");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_non_null(strstr(question->heard.value, "127.255.255.254: it refuses name servers of the public"));
    question = answered(rig, "192.0.2.10");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_non_null(strstr(question->heard.value, "203.0.113.80, which is outside 127.0.0.0/8"));
    assert_int_equal(counts_of(rig).failed, 2);
}

static void a_name_that_is_no_lists_fails(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    ask(rig, 0, "another-list", "192.0.2.7");
    assert_int_equal(rig->questions[0].heard.status, ANSWER_FAILED);
}

/* --- lists that are not well ---------------------------------------------------------------------------- */

/* The first question waits for the probe, and fails with its reason. */
static void is_switched_off(struct rig *rig, enum kind what, const char *words)
{
    kind = what;
    if (what == KIND_FAILING)
        rig->dns.server.mood = SERVER_FAILING;
    lists_begin(rig, &usual, what == KIND_FAILING ? 20 : 60000);
    const struct question *question = answered(rig, "192.0.2.7");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    turns(rig, news_came);
    assert_false(rig->works);
    assert_non_null(strstr(rig->reason, words));
    question = answered(rig, "192.0.2.7");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_non_null(strstr(question->heard.value, "switched off"));
    assert_non_null(strstr(question->heard.value, words));
    assert_null(strstr(question->heard.value, "secret"));
    assert_int_equal(rig->news, 1);
    assert_int_equal(counts_of(rig).state, BLOCKLIST_OFF);
}

static void an_empty_list_is_switched_off(void **state)
{
    is_switched_off(*state, KIND_EMPTY, "does not list 127.0.0.2");
}

static void a_list_of_everything_is_switched_off(void **state)
{
    is_switched_off(*state, KIND_EVERYTHING, "lists 127.0.0.1");
}

static void a_list_that_refuses_is_switched_off(void **state)
{
    is_switched_off(*state, KIND_REFUSING, "answers 127.255.255.254");
}

static void a_parked_zone_is_switched_off(void **state)
{
    is_switched_off(*state, KIND_PARKED, "answers 203.0.113.80");
}

static void a_failing_list_is_switched_off(void **state)
{
    is_switched_off(*state, KIND_FAILING, "does not answer");
}

static void a_list_that_dies_is_found_out_by_its_answers(void **state)
{
    struct rig *rig = *state;
    lists_begin(rig, &usual, 60000);
    assert_int_equal(answered(rig, "192.0.2.7")->heard.status, ANSWER_FOUND);
    kind = KIND_PARKED;
    for (unsigned i = 0; i < 3; i++) {
        char address[32];
        snprintf(address, sizeof address, "192.0.2.%u", 50 + i);
        assert_int_equal(answered(rig, address)->heard.status, ANSWER_FAILED);
    }
    turns(rig, news_came);
    assert_false(rig->works);
}

static void a_list_that_recovers_is_believed_again(void **state)
{
    struct rig *rig = *state;
    kind = KIND_EVERYTHING;
    lists_begin(rig, &usual, 20);
    turns(rig, news_came);
    assert_false(rig->works);
    kind = KIND_GOOD;
    rig->news = 0;
    turns(rig, news_came);
    assert_true(rig->works);
    assert_int_equal(answered(rig, "192.0.2.7")->heard.status, ANSWER_FOUND);
}

static void a_list_without_test_entries_may_be_believed(void **state)
{
    struct rig *rig = *state;
    struct blocklist_settings list = usual;
    kind = KIND_EMPTY;
    list.probes = false;
    lists_begin(rig, &list, 60000);
    assert_int_equal(answered(rig, "192.0.2.7")->heard.status, ANSWER_NONE);
    assert_int_equal(rig->news, 0);
}

/* The resolver tells that; a list is not to blame. */
static void without_a_name_server_no_list_is_switched_off(void **state)
{
    struct rig *rig = *state;
    struct resolver_counts counts;
    rig->dns.server.mood = SERVER_DEAD;
    lists_begin(rig, &usual, 60000);
    assert_int_equal(answered(rig, "192.0.2.7")->heard.status, ANSWER_FAILED);
    do {
        loop_turn(rig->dns.loop, 100);
        resolver_counts(rig->dns.resolver, &counts);
    } while (counts.state != RESOLVER_SILENT);
    assert_int_equal(answered(rig, "192.0.2.7")->heard.status, ANSWER_FAILED);
    assert_int_equal(rig->news, 0);
    assert_int_equal(counts_of(rig).state, BLOCKLIST_UNPROVED);
}

static void the_end_comes_in_the_midst_of_questions(void **state)
{
    struct rig *rig = *state;
    rig->dns.server.mood = SERVER_DEAD;
    lists_begin(rig, &usual, 60000);
    ask(rig, 0, "example-list", "192.0.2.7");
    ask(rig, 1, "example-list", "192.0.2.8");
    loop_turn(rig->dns.loop, 0);
    assert_int_equal(rig->questions[0].heard.told + rig->questions[1].heard.told, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(codes_come_with_their_reason),
        TEST(a_reason_does_not_show_the_zone),
        TEST(reasons_may_be_off),
        TEST(ipv6_is_asked_by_nibbles),
        TEST(a_family_that_it_has_not_is_not_asked_for),
        TEST(a_list_of_ipv6_alone_is_probed_there),
        TEST(an_error_is_no_listing),
        TEST(a_name_that_is_no_lists_fails),
        TEST(an_empty_list_is_switched_off),
        TEST(a_list_of_everything_is_switched_off),
        TEST(a_list_that_refuses_is_switched_off),
        TEST(a_parked_zone_is_switched_off),
        TEST(a_failing_list_is_switched_off),
        TEST(a_list_that_dies_is_found_out_by_its_answers),
        TEST(a_list_that_recovers_is_believed_again),
        TEST(a_list_without_test_entries_may_be_believed),
        TEST(without_a_name_server_no_list_is_switched_off),
        TEST(the_end_comes_in_the_midst_of_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
