/* Proves what becomes of a question, whatever the name servers do: good, dead, slow, lying, cutting short,
 * inventing, failing or talking nonsense; and that answers are shared, kept, bounded and forgotten. */
#include "base/memory.h"
#include "io/resolver.h"

#include "dns_rig.h"

#define WAITERS 600

struct question {
    struct resolver_waiter waiter;
    struct heard heard;
};

struct rig {
    struct loop *loop;
    struct dns_server server, other;
    struct resolver *resolver;
    struct question questions[WAITERS];
    unsigned news;
    enum resolver_state state;
    char reason[200];
};

static int zone(struct slice name, enum dns_type type, struct buf *records)
{
    if (slice_ends_fold(name, SLICE(".none.example")))
        return -2;
    if (type == DNS_A && slice_starts(name, SLICE("gone")))
        return -2;
    if (type == DNS_A && slice_ends_fold(name, SLICE(".example"))) {
        dns_put_record(records, NULL, DNS_A, slice_starts(name, SLICE("brief")) ? 0 : 300,
                       SLICE("\300\0\2\1"));
        return 1;
    }
    if (type == DNS_TXT && slice_ends_fold(name, SLICE(".example"))) {
        char text[201] = {(char)200};
        memset(text + 1, 'x', 200);
        for (unsigned i = 0; i < 20; i++)
            dns_put_record(records, NULL, DNS_TXT, 300, slice_of(text, sizeof text));
        return 20;
    }
    return slice_ends_fold(name, SLICE(".example")) ? -1 : -2;
}

static void tell(void *data, enum resolver_state state, const char *reason)
{
    struct rig *rig = data;
    rig->news++;
    rig->state = state;
    snprintf(rig->reason, sizeof rig->reason, "%s", reason);
}

static void done(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    heard_keep(&LIST_OF(waiter, struct question, waiter)->heard, answer);
}

/* False: at once. */
static bool ask(struct rig *rig, unsigned number, enum dns_type type, const char *name)
{
    struct question *question = &rig->questions[number];
    struct resolver_answer answer;
    memset(question, 0, sizeof *question);
    question->waiter.done = done;
    if (!resolver_ask(rig->resolver, type, slice_text(name), &question->waiter, &answer))
        return true;
    heard_keep(&question->heard, &answer);
    return false;
}

static void turns(struct rig *rig, bool (*until)(const struct rig *rig))
{
    turns_until(rig->loop, until(rig));
}

static bool first_is_told(const struct rig *rig)
{
    return rig->questions[0].heard.told > 0;
}

static bool news_came(const struct rig *rig)
{
    return rig->news > 0;
}

static bool server_heard(const struct rig *rig)
{
    return rig->server.held_len > 0;
}

static struct question *answered(struct rig *rig, enum dns_type type, const char *name)
{
    assert_true(ask(rig, 0, type, name));
    turns(rig, first_is_told);
    return &rig->questions[0];
}

static void resolver_begin(struct rig *rig, const char *servers, uint64_t deadline_ms, const char *probe)
{
    const struct resolver_settings settings = {.loop = rig->loop,
                                               .servers = slice_text(servers),
                                               .deadline_ms = deadline_ms,
                                               .cache_octets = 100000,
                                               .probe = slice_text(probe),
                                               .tell = tell,
                                               .data = rig};
    struct error error;
    rig->resolver = resolver_open(&settings, &error);
    assert_non_null(rig->resolver);
}

static int rig_open(void **state)
{
    struct rig *rig = memory_take(sizeof *rig);
    rig->loop = loop_open(NULL);
    server_open(&rig->server, rig->loop, zone);
    server_open(&rig->other, rig->loop, zone);
    *state = rig;
    return 0;
}

static int rig_close(void **state)
{
    struct rig *rig = *state;
    resolver_close(rig->resolver);
    server_close(&rig->server);
    server_close(&rig->other);
    loop_close(rig->loop);
    memory_give(rig, sizeof *rig);
    return memory_in_use() == 0 ? 0 : -1;
}

#define SERVER_BEGIN(rig, its_mood, deadline_ms)                                                             \
    struct rig *rig = *state;                                                                                \
    rig->server.mood = its_mood;                                                                             \
    resolver_begin(rig, rig->server.address, deadline_ms, "")

static struct resolver_counts counts_of(const struct rig *rig)
{
    struct resolver_counts counts;
    resolver_counts(rig->resolver, &counts);
    return counts;
}

static void answers(void **state)
{
    SERVER_BEGIN(rig, SERVER_GOOD, 8000);
    struct question *question = answered(rig, DNS_A, "MX.Example.");
    assert_int_equal(question->heard.status, ANSWER_FOUND);
    assert_string_equal(question->heard.value, "192.0.2.1");
    question = answered(rig, DNS_AAAA, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_NONE);
    assert_string_equal(question->heard.value, "no such data");
    question = answered(rig, DNS_A, "gone.example");
    assert_int_equal(question->heard.status, ANSWER_NONE);
    assert_string_equal(question->heard.value, "no such name");
    assert_int_equal(rig->news, 0);
    assert_int_equal(counts_of(rig).answered, 4); /* and the resolver's own */
}

static void keeps_and_shares(void **state)
{
    SERVER_BEGIN(rig, SERVER_GOOD, 8000);
    for (unsigned i = 0; i < 5; i++)
        assert_true(ask(rig, i, DNS_A, i & 1 ? "mx.example" : "MX.example"));
    turns(rig, first_is_told);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(rig->questions[i].heard.told, 1);
    assert_false(ask(rig, 0, DNS_A, "mx.example"));
    assert_string_equal(rig->questions[0].heard.value, "192.0.2.1");
    (void)answered(rig, DNS_A, "gone.example");
    assert_false(ask(rig, 0, DNS_A, "gone.example"));
    const struct resolver_counts counts = counts_of(rig);
    assert_int_equal(counts.merged, 4);
    assert_int_equal(counts.cached, 2);
    assert_int_equal(rig->server.heard, 3);
    (void)answered(rig, DNS_A, "brief.example"); /* its time to live is 0 */
    loop_turn(rig->loop, 0);
    assert_true(ask(rig, 1, DNS_A, "brief.example"));
}

static void known_without_asking(void **state)
{
    static const struct {
        enum dns_type type;
        const char *name, *value;
    } cases[] = {{DNS_A, "localhost", "127.0.0.1"},     {DNS_AAAA, "a.LocalHost.", "::1"},
                 {DNS_MX, "localhost", "no such data"}, {DNS_A, "x.invalid", "no such name"},
                 {DNS_A, "x.onion", "no such name"},    {DNS_A, "a b", "no such name"},
                 {DNS_A, "", "no such name"},           {DNS_A, "a..b", "no such name"}};
    SERVER_BEGIN(rig, SERVER_DEAD, 8000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(ask(rig, 0, cases[i].type, cases[i].name));
        assert_string_equal(rig->questions[0].heard.value, cases[i].value);
    }
    assert_true(ask(rig, 0, DNS_A, "notlocalhost"));
    assert_true(resolver_is_local(rig->resolver));
}

static void forgets(void **state)
{
    SERVER_BEGIN(rig, SERVER_GOOD, 8000);
    assert_true(ask(rig, 0, DNS_A, "mx.example"));
    assert_true(ask(rig, 1, DNS_A, "mx.example"));
    resolver_forget(&rig->questions[1].waiter);
    turns(rig, first_is_told);
    assert_int_equal(rig->questions[1].heard.told, 0);
}

static void cache_is_bounded(void **state)
{
    SERVER_BEGIN(rig, SERVER_GOOD, 8000);
    for (unsigned i = 0; i < WAITERS; i++) {
        char name[40];
        snprintf(name, sizeof name, "host%u.example", i);
        (void)ask(rig, i, DNS_A, name);
    }
    for (unsigned i = 0; i < WAITERS; i++)
        while (!rig->questions[i].heard.told)
            loop_turn(rig->loop, 1000);
    loop_turn(rig->loop, 0);
    const struct resolver_counts counts = counts_of(rig);
    assert_true(counts.kept_octets <= 100000);
    assert_true(counts.kept > 100 && counts.kept < WAITERS);
    assert_false(ask(rig, 0, DNS_A, "host599.example")); /* the newest */
    assert_true(ask(rig, 0, DNS_A, "host0.example"));
}

static void dead_server(void **state)
{
    SERVER_BEGIN(rig, SERVER_DEAD, 400);
    struct question *question = answered(rig, DNS_A, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_true(question->heard.gone);
    turns(rig, news_came);
    assert_int_equal(rig->state, RESOLVER_SILENT);
    assert_string_equal(rig->reason, "no name server answers");
    assert_false(ask(rig, 0, DNS_A, "other.example"));
    assert_string_equal(rig->questions[0].heard.value, "the name servers do not answer");
    rig->news = 0;
    rig->server.mood = SERVER_GOOD;
    turns(rig, news_came);
    assert_int_equal(rig->state, RESOLVER_WORKS);
    assert_int_equal(answered(rig, DNS_A, "other.example")->heard.status, ANSWER_FOUND);
}

static void nobody_at_the_port(void **state)
{
    struct rig *rig = *state;
    uint16_t port = 0;
    char servers[40];
    const int fd = server_socket(SOCK_DGRAM, &port);
    close(fd);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", port);
    resolver_begin(rig, servers, 60000, "");
    turns(rig, news_came); /* long before any deadline */
    assert_int_equal(rig->state, RESOLVER_SILENT);
    assert_int_equal(rig->news, 1);
    assert_false(ask(rig, 0, DNS_A, "mx.example"));
    assert_int_equal(rig->questions[0].heard.status, ANSWER_FAILED);
}

static void second_server_helps(void **state)
{
    struct rig *rig = *state;
    char servers[200];
    rig->server.mood = SERVER_DEAD;
    snprintf(servers, sizeof servers, "%s %s", rig->server.address, rig->other.address);
    resolver_begin(rig, servers, 2000, "");
    assert_int_equal(answered(rig, DNS_A, "mx.example")->heard.status, ANSWER_FOUND);
    const unsigned heard = rig->server.heard;
    assert_int_equal(answered(rig, DNS_A, "other.example")->heard.status, ANSWER_FOUND);
    assert_int_equal(rig->server.heard, heard); /* the one that answers is asked first now */
    assert_int_equal(rig->news, 0);
}

static void slow_server(void **state)
{
    SERVER_BEGIN(rig, SERVER_SLOW, 60000);
    assert_true(ask(rig, 0, DNS_A, "mx.example"));
    turns(rig, server_heard);
    assert_true(ask(rig, 1, DNS_A, "mx.example"));
    server_release(&rig->server);
    turns(rig, first_is_told);
    assert_int_equal(rig->questions[0].heard.status, ANSWER_FOUND);
    assert_int_equal(rig->questions[1].heard.told, 1);
}

/* The deadline is the question's, not the server's: what comes later is still worth keeping. */
static void too_late(void **state)
{
    SERVER_BEGIN(rig, SERVER_SLOW, 300);
    struct question *question = answered(rig, DNS_A, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_int_equal(question->heard.told, 1);
}

static void liar(struct rig *rig)
{
    assert_int_equal(answered(rig, DNS_A, "mx.example")->heard.status, ANSWER_FAILED);
    turns(rig, news_came);
    assert_int_equal(rig->state, RESOLVER_SILENT);
    assert_string_equal(rig->reason, "no name server answers, but answers come that nobody asked for");
    assert_true(counts_of(rig).strays > 0);
    assert_int_equal(counts_of(rig).answered, 0);
}

static void wrong_id(void **state)
{
    SERVER_BEGIN(rig, SERVER_WRONG_ID, 400);
    liar(rig);
}

static void wrong_question(void **state)
{
    SERVER_BEGIN(rig, SERVER_WRONG_QUESTION, 400);
    liar(rig);
}

static void cut_short(void **state)
{
    SERVER_BEGIN(rig, SERVER_CUTTING, 8000);
    struct question *question = answered(rig, DNS_A, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_FOUND);
    assert_true(rig->server.heard_tcp > 0);
    assert_true(counts_of(rig).cut > 0);
    assert_int_equal(answered(rig, DNS_TXT, "mx.example")->heard.status, ANSWER_FOUND);
}

static void inventing(void **state)
{
    struct rig *rig = *state;
    rig->server.mood = SERVER_INVENTING;
    resolver_begin(rig, rig->server.address, 8000, "none.example");
    turns(rig, news_came);
    assert_int_equal(rig->state, RESOLVER_REWRITES);
    assert_string_equal(rig->reason, "a name that does not exist has the address 203.0.113.99");
    struct question *question = answered(rig, DNS_A, "gone.example");
    assert_int_equal(question->heard.status, ANSWER_NONE);
    assert_string_equal(question->heard.value, "no such name");
    assert_int_equal(answered(rig, DNS_A, "mx.example")->heard.status, ANSWER_FOUND);
    assert_int_equal(counts_of(rig).rewritten, 1);
    assert_int_equal(rig->news, 1);
}

static void honest_about_nothing(void **state)
{
    struct rig *rig = *state;
    resolver_begin(rig, rig->server.address, 8000, "none.example");
    while (counts_of(rig).answered < 3)
        loop_turn(rig->loop, 1000);
    assert_int_equal(rig->news, 0);
}

static void failing(void **state)
{
    SERVER_BEGIN(rig, SERVER_FAILING, 8000);
    struct question *question = answered(rig, DNS_A, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_string_equal(question->heard.value, "server failure");
    assert_false(question->heard.gone);
    assert_false(ask(rig, 0, DNS_A, "mx.example")); /* kept for a moment */
    assert_int_equal(rig->news, 0);                 /* it is there */
}

static void nonsense(void **state)
{
    SERVER_BEGIN(rig, SERVER_GARBLED, 8000);
    struct question *question = answered(rig, DNS_A, "mx.example");
    assert_int_equal(question->heard.status, ANSWER_FAILED);
    assert_string_equal(question->heard.value, "the answer cannot be read");
}

static void wrong_settings(void **state)
{
    struct rig *rig = *state;
    static const char *const wrong[] = {"ns.example", "127.0.0.1:x",
                                        "127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error;
        const struct resolver_settings settings = {
            .loop = rig->loop, .servers = slice_text(wrong[i]), .deadline_ms = 8000};
        assert_null(resolver_open(&settings, &error));
    }
}

/* With questions under way, whoever waits is not told. */
static void closes_at_work(void **state)
{
    SERVER_BEGIN(rig, SERVER_SLOW, 60000);
    assert_true(ask(rig, 0, DNS_A, "mx.example"));
    turns(rig, server_heard);
    resolver_close(rig->resolver);
    rig->resolver = NULL;
    assert_int_equal(rig->questions[0].heard.told, 0);
}

int main(void)
{
#define RESOLVER_TEST(name) cmocka_unit_test_setup_teardown(name, rig_open, rig_close)
    const struct CMUnitTest tests[] = {
        RESOLVER_TEST(answers),
        RESOLVER_TEST(keeps_and_shares),
        RESOLVER_TEST(known_without_asking),
        RESOLVER_TEST(forgets),
        RESOLVER_TEST(cache_is_bounded),
        RESOLVER_TEST(dead_server),
        RESOLVER_TEST(nobody_at_the_port),
        RESOLVER_TEST(second_server_helps),
        RESOLVER_TEST(slow_server),
        RESOLVER_TEST(too_late),
        RESOLVER_TEST(wrong_id),
        RESOLVER_TEST(wrong_question),
        RESOLVER_TEST(cut_short),
        RESOLVER_TEST(inventing),
        RESOLVER_TEST(honest_about_nothing),
        RESOLVER_TEST(failing),
        RESOLVER_TEST(nonsense),
        RESOLVER_TEST(wrong_settings),
        RESOLVER_TEST(closes_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
