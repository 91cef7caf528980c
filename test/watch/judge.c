/* watch-judge [--background N] [--campaigns N] [--without-origin] [--say] [--least] SEED ... : runs synthetic
 * months through the watcher and compares what it says with the truth.
 *
 * A campaign that it reports is right when nine tenths of its attempts are of one true campaign and the kind
 * is that one's. A true campaign is found when the right ones together have half of its attempts. Precision
 * is found / (found + wrong): several right ones for one true campaign count once, and are told beside it.
 * Two block lists run along, one that suggests and one that makes what it may: an entry hits an innocent
 * where one ever writes from it, before or after. With --least it fails below the precision and the recall
 * that the watcher promises, or where an entry hits an innocent. */
#include "month.h"

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "watch/block_rule.h"

#include <stdio.h>
#include <time.h>

enum { FOUND_MAX = 65536, OF_MAX = 8, ENTRIES_MAX = 100000 };

#define DAY_MS INT64_C(86400000)

/* One campaign as the watcher reports it. */
struct found {
    uint64_t id;
    enum campaign_kind kind;
    uint32_t attempts;
    uint32_t strangers; /* of no true campaign */
    struct {
        uint32_t truth, attempts;
    } of[OF_MAX];
    char sentence[200];
};

/* A list of blocks in the loop. */
struct lister {
    struct block_list *list;
    struct block_list *ever; /* what was ever suggested or in force: nothing ends in it */
    uint32_t entries, networks, in_force, innocent;
};

struct judge {
    struct month *month;
    struct watch *watch;
    uint32_t *truths; /* of each attempt by its id */
    struct table by_id;
    struct found *found;
    size_t found_count;
    struct lister listers[2]; /* suggest, auto */
    bool say;
};

struct result {
    uint32_t truths, found, wrong, right;
    struct lister listers[2];
    uint64_t attempts;
    size_t hosts;
    size_t octets;
    double seconds;
};

static struct found *found_of(struct judge *judge, uint64_t id)
{
    struct found *found = table_get(&judge->by_id, slice_of((const char *)&id, sizeof id));
    if (found || judge->found_count == FOUND_MAX)
        return found ? found : judge->found;
    found = &judge->found[judge->found_count++];
    found->id = id;
    table_put(&judge->by_id, slice_of((const char *)&found->id, sizeof found->id), found);
    return found;
}

static void joined(struct judge *judge, const struct watch_note *note)
{
    struct found *found = found_of(judge, note->campaign);
    const uint32_t truth = judge->truths[note->session];
    unsigned i = 0;
    found->attempts++;
    if (!truth) {
        found->strangers++;
        return;
    }
    while (i < OF_MAX - 1 && found->of[i].truth && found->of[i].truth != truth)
        i++;
    found->of[i].truth = truth;
    found->of[i].attempts++;
}

static void sentence_note(struct judge *judge, const struct campaign *campaign)
{
    struct found *found = found_of(judge, campaign->id);
    struct buf sentence;
    buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
    campaign_sentence(campaign, &sentence);
    snprintf(found->sentence, sizeof found->sentence, "%.*s", SLICE_ARGS(buf_slice(&sentence)));
    buf_drop(&sentence);
}

/* --- blocks --------------------------------------------------------------------------------------------- */

static void lister_begin(struct lister *lister, bool makes)
{
    struct block_list_settings settings = {.makes = makes,
                                           .most = ENTRIES_MAX,
                                           .step_ms = {DAY_MS, 7 * DAY_MS, 30 * DAY_MS},
                                           .steps = 3,
                                           .declined_ms = 30 * DAY_MS,
                                           .seed = 42};
    lister->list = block_list_new(&settings);
    settings.makes = true;
    settings.step_ms[0] = 0;
    settings.steps = 1;
    lister->ever = block_list_new(&settings);
}

static void propose(struct lister *lister, const struct block_proposal *proposal, int64_t now_ms)
{
    struct block_proposal ever = *proposal;
    ever.rule = BLOCK_BY_CAMPAIGN;
    if (block_list_propose(lister->list, proposal, now_ms) &&
        block_list_propose(lister->ever, &ever, now_ms)) {
        lister->entries++;
        lister->networks += proposal->rule == BLOCK_BY_NETWORK;
        lister->in_force += block_list_find(lister->list, &proposal->prefix)->state == BLOCK_IN_FORCE;
    }
    block_list_stored(lister->list);
    block_list_stored(lister->ever);
}

static void block(struct judge *judge, const struct watch_note *note)
{
    const struct campaign *campaign = watch_campaign(judge->watch, note->campaign);
    const struct campaign_host *host = campaign_host(campaign, host_key_of(&note->host));
    struct block_proposal of_host, of_network;
    const bool has_host = host && block_rule_host(judge->watch, campaign, host, &of_host);
    const bool has_network = block_rule_network(judge->watch, campaign, &of_network);
    for (unsigned i = 0; i < 2; i++) {
        block_list_time(judge->listers[i].list, note->unix_ms);
        block_list_stored(judge->listers[i].list);
        if (has_host)
            propose(&judge->listers[i], &of_host, note->unix_ms);
        if (has_network)
            propose(&judge->listers[i], &of_network, note->unix_ms);
    }
}

/* Each entry counts once, however many innocents are in it. */
static void innocent_look(struct judge *judge, struct lister *lister, const struct attempt *attempt)
{
    static const uint8_t lengths4[] = {32, 24}, lengths6[] = {64, 48};
    const uint8_t *lengths = attempt->peer.family == ADDRESS_IPV4 ? lengths4 : lengths6;
    for (unsigned i = 0; i < 2; i++) {
        const struct prefix prefix = {address_network(&attempt->peer, lengths[i]), lengths[i]};
        const struct block *entry = block_list_find(lister->ever, &prefix);
        if (!entry || entry->hits)
            continue;
        block_list_hit(lister->ever, &prefix, attempt->unix_ms);
        block_list_stored(lister->ever);
        lister->innocent++;
        if (judge->say)
            printf("  innocent %.*s in %s\n", SLICE_ARGS(attempt->ptr), entry->reason);
    }
}

/* The month once more: who is innocent is known of addresses, entries are networks, too. */
static void innocents_find(struct judge *judge, const struct month_settings *settings)
{
    struct month *month = month_new(settings);
    struct attempt attempt;
    uint32_t truth;
    while (month_next(month, &attempt, &truth)) {
        if (month_role(month, &attempt.peer) != MONTH_INNOCENT)
            continue;
        innocent_look(judge, &judge->listers[0], &attempt);
        innocent_look(judge, &judge->listers[1], &attempt);
    }
    month_free(month);
}

static void listers_end(struct judge *judge, struct result *result)
{
    for (unsigned i = 0; i < 2; i++) {
        result->listers[i] = judge->listers[i];
        block_list_free(judge->listers[i].list);
        block_list_free(judge->listers[i].ever);
    }
}

/* --- campaigns ------------------------------------------------------------------------------------------ */

static void notes_take(struct judge *judge)
{
    struct watch_note note;
    while (watch_note(judge->watch, &note)) {
        found_of(judge, note.campaign)->kind = note.campaign_kind;
        if (note.kind == WATCH_JOINED) {
            joined(judge, &note);
            block(judge, &note);
        }
        if (note.kind == WATCH_CLOSED)
            sentence_note(judge, watch_campaign(judge->watch, note.campaign));
    }
}

/* The true campaign that it is right about, or 0. */
static uint32_t right_about(const struct judge *judge, const struct found *found)
{
    for (unsigned i = 0; i < OF_MAX; i++)
        if (found->of[i].truth && found->of[i].attempts * 10 >= found->attempts * 9)
            return (unsigned)month_truth(judge->month, found->of[i].truth)->kind == (unsigned)found->kind
                       ? found->of[i].truth
                       : 0;
    return 0;
}

static void wrong_say(const struct judge *judge, const struct found *found)
{
    printf("  wrong %s: %s; %u of %u strangers;", campaign_kind_word(found->kind), found->sentence,
           found->strangers, found->attempts);
    for (unsigned i = 0; i < OF_MAX && found->of[i].truth; i++) {
        const struct month_truth *truth = month_truth(judge->month, found->of[i].truth);
        printf(" %u of %s %u (%u attempts %u hosts)", found->of[i].attempts, month_kind_word(truth->kind),
               found->of[i].truth, truth->attempts, truth->hosts);
    }
    printf("\n");
}

static void sum_up(const struct judge *judge, struct result *result)
{
    const size_t truths = month_campaigns(judge->month);
    uint32_t *covered = memory_take((truths + 1) * sizeof *covered);
    for (size_t i = 0; i < judge->found_count; i++) {
        const struct found *found = &judge->found[i];
        const uint32_t truth = right_about(judge, found);
        result->right += truth != 0;
        result->wrong += truth == 0;
        if (truth)
            covered[truth] += found->attempts;
        else if (judge->say)
            wrong_say(judge, found);
    }
    for (uint32_t i = 1; i <= truths; i++) {
        const struct month_truth *truth = month_truth(judge->month, i);
        if (covered[i] * 2 >= truth->attempts)
            result->found++;
        else if (judge->say)
            printf("  missed %s %u: %u attempts, %u hosts, %lld s, %u covered\n",
                   month_kind_word(truth->kind), i, truth->attempts, truth->hosts,
                   (long long)(truth->last_ms - truth->first_ms) / 1000, covered[i]);
    }
    result->truths = (uint32_t)truths;
    memory_give(covered, (truths + 1) * sizeof *covered);
}

static void watch_begin(struct judge *judge)
{
    struct watch_settings settings = {.hosts = WATCH_HOSTS,
                                      .traces = WATCH_TRACES,
                                      .campaigns = WATCH_CAMPAIGNS,
                                      .octets = WATCH_OCTETS,
                                      .seed = 42};
    settings.trusted = month_trusted(judge->month, 0);
    while (month_trusted(judge->month, settings.trusted_count))
        settings.trusted_count++;
    judge->watch = watch_new(&settings);
}

/* Only what the watcher does counts for the time: attempts are made by the thousand first. */
static void attempts_read(struct judge *judge, struct result *result)
{
    enum { BATCH = 1000 };
    static struct attempt attempts[BATCH];
    size_t count;
    do {
        struct timespec start, end;
        for (count = 0; count < BATCH; count++) {
            uint32_t truth;
            if (!month_next(judge->month, &attempts[count], &truth))
                break;
            judge->truths[attempts[count].id] = truth;
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        for (size_t i = 0; i < count; i++) {
            watch_add(judge->watch, &attempts[i]);
            notes_take(judge);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        result->seconds += (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        result->attempts += count;
    } while (count == BATCH);
}

static void month_judge(const struct month_settings *settings, bool say, struct result *ret_result)
{
    struct judge judge = {.month = month_new(settings), .say = say};
    const struct campaign *campaign;
    const size_t attempts = month_attempts(judge.month) + 1;
    const size_t octets = memory_in_use();
    size_t at = 0;
    *ret_result = (struct result){.hosts = month_hosts(judge.month)};
    watch_begin(&judge);
    lister_begin(&judge.listers[0], false);
    lister_begin(&judge.listers[1], true);
    judge.truths = memory_take(attempts * sizeof *judge.truths);
    judge.found = memory_take(FOUND_MAX * sizeof *judge.found);
    table_init(&judge.by_id, 7);
    attempts_read(&judge, ret_result);
    ret_result->octets = memory_in_use() - octets - attempts * sizeof *judge.truths -
                         FOUND_MAX * sizeof *judge.found;
    while (watch_next(judge.watch, &at, &campaign))
        sentence_note(&judge, campaign);
    innocents_find(&judge, settings);
    sum_up(&judge, ret_result);
    listers_end(&judge, ret_result);
    table_drop(&judge.by_id);
    memory_give(judge.found, FOUND_MAX * sizeof *judge.found);
    memory_give(judge.truths, attempts * sizeof *judge.truths);
    watch_free(judge.watch);
    month_free(judge.month);
}

static void lister_say(const char *what, const struct lister *lister)
{
    printf("  %s: %u entries, %u in force by rule, %u networks, %u innocent\n", what, lister->entries,
           lister->in_force, lister->networks, lister->innocent);
}

static bool result_say(uint64_t seed, const struct result *result)
{
    const double precision = (double)result->found /
                             (double)(result->found + result->wrong ? result->found + result->wrong : 1);
    const double recall = (double)result->found / (double)(result->truths ? result->truths : 1);
    printf("seed %llu: %llu attempts of %zu hosts, %u campaigns: precision %.3f recall %.3f (%u right, %u "
           "wrong); "
           "%.0f attempts/s, %zu MiB\n",
           (unsigned long long)seed, (unsigned long long)result->attempts, result->hosts, result->truths,
           precision, recall, result->right, result->wrong,
           (double)result->attempts / (result->seconds > 0 ? result->seconds : 1), result->octets >> 20);
    lister_say("blocks, suggested", &result->listers[0]);
    lister_say("blocks, auto", &result->listers[1]);
    fflush(stdout);
    return precision >= 0.99 && recall >= 0.95 && !result->listers[0].innocent &&
           !result->listers[1].innocent;
}

int main(int argc, char **argv)
{
    struct month_settings settings = {.background = 2000000, .campaigns = 200};
    bool say = false, least = false, good = true;
    for (int i = 1; i < argc; i++) {
        const struct slice word = slice_text(argv[i]);
        uint64_t number = 0;
        struct result result;
        if (slice_equal(word, SLICE("--say")))
            say = true;
        else if (slice_equal(word, SLICE("--least")))
            least = true;
        else if (slice_equal(word, SLICE("--without-origin")))
            settings.without_origin = true;
        else if (i + 1 < argc && slice_equal(word, SLICE("--background")) &&
                 text_parse_u64(slice_text(argv[++i]), &number))
            settings.background = (uint32_t)number;
        else if (i + 1 < argc && slice_equal(word, SLICE("--campaigns")) &&
                 text_parse_u64(slice_text(argv[++i]), &number))
            settings.campaigns = (uint32_t)number;
        else if (text_parse_u64(word, &settings.seed)) {
            month_judge(&settings, say, &result);
            good = result_say(settings.seed, &result) && good;
        } else {
            fprintf(stderr, "watch-judge: %s is neither an option nor a seed\n", argv[i]);
            return 64;
        }
    }
    return least && !good;
}
