/* Proves over many messages, to servers that answer at random, that each job ends once, that no message is
 * passed on twice, and that whoever is told yes or no was told so by the server. */
#include "base/random.h"
#include "outbound_rig.h"
#include <stdio.h>

#define MESSAGES 600
#define TRIES    100

struct chaos {
    struct rig *rig;
    struct random random;
    char texts[JOBS][64];
    unsigned number[JOBS]; /* of the message that the job carries */
    unsigned next;
    unsigned given[MESSAGES]; /* how often the servers said yes to the message */
    unsigned ended;
    enum outbound_result results[MESSAGES];
    uint16_t codes[MESSAGES];
    unsigned tries[MESSAGES];
    uint64_t again_ms[JOBS]; /* when the message comes again; 0: it is under way */
    bool over[MESSAGES];
};

static struct chaos chaos;

static const char *pick(const char *const *from, size_t count)
{
    return from[random_below(&chaos.random, count)];
}

/* Mostly well, else refusing, silent, slow, closing, or talking nonsense. */
static const char *at_random(const struct inner *inner, struct slice line)
{
    static const char *const bad[] = {"!",
                                      "!421 4.3.2 bye\r\n",
                                      "450 4.2.1 later\r\n",
                                      "550 5.1.1 no\r\n",
                                      "~250 slow\r\n",
                                      "250-a\r\n250 b\r\n250 c\r\n",
                                      "what?\r\n",
                                      "",
                                      "!550 5.7.1 no"};
    (void)inner;
    if (slice_starts(line, SLICE("EHLO")) && random_below(&chaos.random, 4) == 0)
        return "250 inner.example\r\n";
    return random_below(&chaos.random, 12) ? NULL : pick(bad, COUNT(bad));
}

static const char *dot_at_random(struct inner *inner)
{
    static const char *const replies[] = {
        "250 2.0.0 taken\r\n", "250 2.0.0 taken\r\n", "!250 2.0.0 taken\r\n", "!",
        "554 5.7.1 no\r\n",    "452 4.3.1 full\r\n",  "250 2.0.0 taken\r\n",  "",
        "!421 4.3.2 bye\r\n"};
    (void)inner;
    return pick(replies, COUNT(replies));
}

/* The servers' yes, counted where it is said. */
static const char *dot(struct inner *inner, struct slice message)
{
    const char *text = dot_at_random(inner);
    unsigned number = 0;
    size_t at = slice_find_slice(message, SLICE("Subject: "));
    assert_true(at != SLICE_NOT_FOUND);
    for (size_t i = at + 9; i < message.len && message.at[i] >= '0' && message.at[i] <= '9'; i++)
        number = number * 10 + (unsigned)(message.at[i] - '0');
    assert_true(number < MESSAGES);
    chaos.given[number] += text[*text == '!'] == '2';
    return text;
}

static void start_next(size_t at);

static void ended(void *whom, struct outbound_job *job)
{
    size_t at = (size_t)((struct one *)whom - chaos.rig->jobs);
    unsigned number = chaos.number[at];
    assert_false(chaos.over[number]);
    if (job->result == OUTBOUND_DOWN && chaos.tries[number]++ < TRIES) {
        chaos.again_ms[at] = loop_now_ms(chaos.rig->loop) + 2;
        return;
    }
    chaos.over[number] = true;
    chaos.results[number] = job->result;
    chaos.codes[number] = job->job.reply.code;
    chaos.ended++;
    start_next(at);
}

/* Who hears that nobody is there comes again, as a client would. */
static void start_message(size_t at, unsigned number)
{
    struct one *one = message(chaos.rig, at);
    chaos.number[at] = number;
    int len = snprintf(chaos.texts[at], sizeof chaos.texts[at], "Subject: %u\r\n\r\n.\r\nx\r\n", number);
    one->content.whole = slice_of(chaos.texts[at], (size_t)len);
    one->content.piece = 1 + (size_t)random_below(&chaos.random, 30);
    one->job.job.recipient_count = 1 + (size_t)random_below(&chaos.random, 2);
    one->job.job.all_or_nothing = random_below(&chaos.random, 2);
    one->job.done = ended;
    outbound_start(chaos.rig->outbound, &chaos.rig->to, &one->job);
}

static bool all_over(void)
{
    for (size_t at = 0; at < JOBS; at++) {
        if (!chaos.again_ms[at] || chaos.again_ms[at] > loop_now_ms(chaos.rig->loop))
            continue;
        chaos.again_ms[at] = 0;
        start_message(at, chaos.number[at]);
    }
    return chaos.ended == MESSAGES;
}

static void start_next(size_t at)
{
    if (chaos.next < MESSAGES)
        start_message(at, chaos.next++);
}

static void check(unsigned number)
{
    bool yes = chaos.results[number] == OUTBOUND_ANSWERED && chaos.codes[number] / 100 == 2;
    assert_true(chaos.over[number] && chaos.given[number] <= 1);
    if (yes)
        assert_int_equal(chaos.given[number], 1);
    else if (chaos.given[number])
        assert_int_equal(chaos.results[number], OUTBOUND_LOST);
}

static void at_random_nothing_is_lost_or_doubled(void **state)
{
    struct rig *rig = *state;
    unsigned yes = 0, no = 0, other = 0;
    chaos = (struct chaos){.rig = rig, .random = {.state = 11}};
    rig->settings.reply_ms = rig->settings.dot_ms = 40;
    rig->settings.again_first_ms = rig->settings.again_most_ms = 1;
    rig->settings.waiting = JOBS;
    outbound_change(rig->outbound, &rig->settings);
    rig->to.target_count = 2;
    for (size_t i = 0; i < 2; i++) {
        rig->inner[i].answer = at_random;
        rig->inner[i].dot = dot;
    }
    for (size_t i = 0; i < 8; i++)
        start_next(i);
    uint64_t end_ms = loop_now_ms(rig->loop) + 60000;
    while (!all_over()) {
        assert_true(loop_now_ms(rig->loop) < end_ms);
        loop_turn(rig->loop, 2);
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        check(i);
        yes += chaos.results[i] == OUTBOUND_ANSWERED && chaos.codes[i] / 100 == 2;
        no += chaos.results[i] == OUTBOUND_ANSWERED && chaos.codes[i] >= 400;
        other += chaos.results[i] != OUTBOUND_ANSWERED;
    }
    assert_true(yes > MESSAGES / 10 && no > MESSAGES / 20 && other > MESSAGES / 20);
    assert_int_equal(outbound_busy(rig->outbound), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(at_random_nothing_is_lost_or_doubled)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
