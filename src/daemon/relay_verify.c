#include "daemon/relay_parts.h"
#include "base/memory.h"
#include "base/text.h"
#include <string.h>

/* Asking: MAIL FROM:<>, RCPT for each recipient that waits, RSET. The first time at a domain a recipient who
 * cannot exist is asked for, too: a server that takes him takes anybody, and its yes proves nothing. */

enum {
    VERIFY_MOST = 8,         /* recipients in one transaction; see REFUSALS_MOST of the outbound */
    VERIFY_JOBS = 4,         /* transactions of one route at a time */
    DOMAIN_MS = 86400000,    /* how long what was found out of a domain's server counts */
    DOMAIN_AGAIN_MS = 60000, /* … when it could not be found out */
    DOMAINS_MOST = 1000      /* of one route: strangers choose the names below a wildcard */
};

struct verification {
    struct link link; /* of relay.verifications */
    struct relay_route *route;
    struct outbound_job job;
    struct client_recipient recipients[VERIFY_MOST + 1];
    struct relay_answer *answers[VERIFY_MOST];
    size_t count;
    struct relay_domain *domain; /* that is tried with the last recipient; NULL: none */
    char impossible[320];
    char sender[300];
};

/* --- domains ------------------------------------------------------------------------------------------- */

static struct slice domain_of(struct slice address)
{
    size_t at = slice_find_last(address, '@');
    return at == SLICE_NOT_FOUND ? SLICE_NONE : slice_from(address, at + 1);
}

static size_t domain_fold(struct slice name, char text[256])
{
    struct slice kept = slice_head(name, 255);
    for (size_t i = 0; i < kept.len; i++)
        text[i] = text_lower(kept.at[i]);
    return kept.len;
}

static struct relay_domain *domain_find(struct relay_route *route, struct slice address)
{
    char text[256];
    return table_get(&route->domains, slice_of(text, domain_fold(domain_of(address), text)));
}

static struct relay_domain *domain_get(struct relay_route *route, struct slice address)
{
    char text[256];
    struct relay_domain *domain = domain_find(route, address);
    size_t len = domain_fold(domain_of(address), text);
    if (domain || route->domains.used >= DOMAINS_MOST || len == 0)
        return domain;
    domain = memory_take(sizeof *domain + len);
    domain->size = sizeof *domain + len;
    memcpy(domain->text, text, len);
    domain->name = slice_of(domain->text, len);
    table_put(&route->domains, domain->name, domain);
    return domain;
}

bool domain_takes_anything(struct relay_route *route, struct slice address)
{
    const struct relay_domain *domain = domain_find(route, address);
    return domain && domain->takes_anything && domain->until_ms > relay_now(route->relay);
}

void domains_drop(struct relay_route *route)
{
    size_t at = 0;
    struct slice name;
    void *value;
    while (table_next(&route->domains, &at, &name, &value))
        memory_give(value, ((struct relay_domain *)value)->size);
    table_drop(&route->domains);
}

static void record_takes_anything(struct relay_route *route, const struct verification *verification)
{
    char what[400], effect[400];
    struct slice server = verification->job.server, name = verification->domain->name;
    relay_record_trouble(
        route->relay,
        relay_print(what, sizeof what, "verifying recipients of %.*s at %.*s", SLICE_ARGS(name),
                    SLICE_ARGS(server)),
        SLICE("the server takes a recipient who cannot exist"),
        relay_print(
            effect, sizeof effect,
            "recipients of %.*s are taken unverified; what the server cannot deliver it bounces itself",
            SLICE_ARGS(name)));
}

/* Yes to the impossible one, no, or neither. */
static void domain_judge(struct verification *verification)
{
    struct relay_domain *domain = verification->domain;
    const struct client_reply *reply = &verification->recipients[verification->count].reply;
    uint64_t now_ms = relay_now(verification->route->relay);
    bool before = domain->takes_anything;
    domain->asking = false;
    if (reply->code < 200 || reply->code / 100 == 4) {
        domain->until_ms = now_ms + DOMAIN_AGAIN_MS;
        return;
    }
    domain->takes_anything = reply->code < 300;
    domain->until_ms = now_ms + DOMAIN_MS;
    if (domain->takes_anything && !before)
        record_takes_anything(verification->route, verification);
}

/* --- one transaction ----------------------------------------------------------------------------------- */

static void start_queued(struct relay_route *route);

static void verification_free(struct verification *verification)
{
    list_remove(&verification->link);
    verification->route->asking--;
    memory_give(verification, sizeof *verification);
}

static void queue(struct relay_answer *answer)
{
    list_remove(&answer->link);
    list_add_last(&answer->route->queue, &answer->link);
    answer->state = ANSWER_STATE_QUEUED;
}

/* 503 answers the order of commands, not the recipient. */
static void answer_judge(struct relay_answer *answer, const struct client_reply *reply,
                         struct slice otherwise)
{
    char text[640];
    struct slice words = reply_print(reply, text, sizeof text);
    unsigned class = reply->code / 100;
    if (class == 2)
        answer_settle(answer, ANSWER_FOUND, SLICE_NONE);
    else if (class == 5 && reply->code != 503)
        answer_settle(answer, ANSWER_NONE, words);
    else
        answer_settle(answer, ANSWER_FAILED, reply->code ? words : otherwise);
}

/* MAIL was refused. A server that does not want <> is asked with a sender from now on. */
static bool asks_again(struct verification *verification)
{
    struct relay_route *route = verification->route;
    const struct client_job *job = &verification->job.job;
    bool sender_refused = verification->job.result == OUTBOUND_ANSWERED && !job->refused_here &&
                          job->reply.code / 100 == 5 && job->recipients[0].reply.code == 0;
    if (!sender_refused || job->sender.len > 0)
        return false;
    route->ask_as_postmaster = true;
    for (size_t i = 0; i < verification->count; i++)
        queue(verification->answers[i]);
    return true;
}

static void judge_all(struct verification *verification)
{
    char text[640];
    const struct outbound_job *job = &verification->job;
    bool refused_here = job->job.refused_here;
    struct slice otherwise = job->job.reply.code ? reply_print(&job->job.reply, text, sizeof text)
                                                 : job->trouble;
    for (size_t i = 0; i < verification->count; i++)
        answer_judge(verification->answers[i],
                     refused_here ? &job->job.reply : &verification->recipients[i].reply, otherwise);
}

static void verified(void *whom, struct outbound_job *job)
{
    struct verification *verification = whom;
    struct relay_route *route = verification->route;
    route_learn(route, job);
    if (verification->domain)
        domain_judge(verification);
    if (!asks_again(verification))
        judge_all(verification);
    verification_free(verification);
    start_queued(route);
}

static void add_recipient(struct verification *verification, size_t at, struct slice address)
{
    verification->recipients[at] = (struct client_recipient){.address = address};
    verification->job.job.recipient_count = at + 1;
}

static void add_impossible(struct verification *verification)
{
    struct relay_route *route = verification->route;
    struct relay_domain *domain = domain_get(route, verification->answers[0]->address);
    if (!domain || domain->asking || domain->until_ms > relay_now(route->relay))
        return;
    domain->asking = true;
    verification->domain = domain;
    struct slice address = relay_print(
        verification->impossible, sizeof verification->impossible, "postern-asks-%016llx@%.*s",
        (unsigned long long)random_next(&route->relay->random), SLICE_ARGS(domain->name));
    add_recipient(verification, verification->count, address);
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] > 127)
            return false;
    return true;
}

/* An international address has a transaction of its own: it may be refused as a whole for the want of
 * SMTPUTF8. */
static void take_queued(struct verification *verification)
{
    struct link *queue_head = &verification->route->queue;
    while (verification->count < VERIFY_MOST && !list_is_empty(queue_head)) {
        struct relay_answer *answer = LIST_OF(queue_head->next, struct relay_answer, link);
        bool alone = !is_ascii(answer->address);
        if (alone && verification->count > 0)
            return;
        list_remove(&answer->link);
        answer->state = ANSWER_STATE_ASKING;
        verification->answers[verification->count] = answer;
        add_recipient(verification, verification->count++, answer->address);
        if (alone)
            return;
    }
}

static void verification_start(struct relay_route *route)
{
    struct verification *verification = memory_take(sizeof *verification);
    struct relay *relay = route->relay;
    struct outbound_to to = route_to(route);
    /* Nobody is told of: the question is our own. */
    if (to.tell == ROUTE_TELL_XCLIENT)
        to.tell = ROUTE_TELL_NOTHING;
    verification->route = route;
    route->asking++;
    list_add_last(&relay->verifications, &verification->link);
    verification->job.job = (struct client_job){.verify = true, .recipients = verification->recipients};
    verification->job.done = verified;
    verification->job.whom = verification;
    take_queued(verification);
    add_impossible(verification);
    if (route->ask_as_postmaster)
        verification->job.job.sender = relay_print(verification->sender, sizeof verification->sender,
                                                   "postmaster@%.*s", SLICE_ARGS(relay->site->set.host_name));
    outbound_start(relay->outbound, &to, &verification->job);
}

static void start_queued(struct relay_route *route)
{
    while (route->asking < VERIFY_JOBS && !list_is_empty(&route->queue))
        verification_start(route);
}

void verify_ask(struct relay_answer *answer)
{
    if (answer->state == ANSWER_STATE_QUEUED || answer->state == ANSWER_STATE_ASKING)
        return;
    queue(answer);
    start_queued(answer->route);
}

void verify_drop(struct relay *relay)
{
    while (!list_is_empty(&relay->verifications)) {
        struct verification *verification = LIST_OF(relay->verifications.next, struct verification, link);
        outbound_forget(&verification->job);
        verification_free(verification);
    }
}
