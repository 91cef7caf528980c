#include "daemon/survey.h"

#include "daemon/services.h"
#include "daemon/survey_part.h"

#include <stdio.h>

#define GRACE_MS 6000u /* a list that nobody answered for is asked once more after five seconds */

void survey_row_say(const struct survey *survey, struct survey_row row, const char *came)
{
    row.came = slice_text(came);
    survey->row(survey->data, &row);
}

static void turn_until(struct loop *loop, uint64_t due_ms)
{
    const uint64_t now_ms = loop_now_ms(loop);
    loop_turn(loop, due_ms > now_ms ? due_ms - now_ms : 0);
}

/* --- name servers -------------------------------------------------------------------------------------- */

struct server {
    struct resolver_waiter waiter;
    struct resolver *resolver;
    enum answer_status status; /* PENDING: it is awaited */
    bool gone;
    char answer[SURVEY_WORDS];
    char reason[SURVEY_WORDS]; /* why it rewrites, or empty */
};

static void server_answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
    struct server *server = LIST_OF(waiter, struct server, waiter);
    server->status = answer->status;
    server->gone = answer->gone;
    snprintf(server->answer, sizeof server->answer, "%.*s", SLICE_ARGS(slice_head(answer->value, 200)));
}

static void server_changed(void *data, enum resolver_state state, const char *reason)
{
    struct server *server = data;
    if (state == RESOLVER_REWRITES)
        snprintf(server->reason, sizeof server->reason, "%s", reason);
}

static bool is_busy(const struct server *server)
{
    struct resolver_counts counts;
    resolver_counts(server->resolver, &counts);
    return server->status == ANSWER_PENDING || counts.under_way;
}

/* Its own questions, for names that it may have invented, are waited for, too. */
static void server_ask(struct server *server, struct loop *loop, const struct site *site)
{
    const struct slice probe = site->set.dns_probe.len ? site->set.dns_probe : SLICE("com");
    const uint64_t due_ms = loop_now_ms(loop) + site->set.dns_deadline + 1000;
    struct resolver_answer answer;
    server->waiter.done = server_answered;
    if (resolver_ask(server->resolver, DNS_MX, probe, &server->waiter, &answer))
        server_answered(&server->waiter, &answer);
    do
        turn_until(loop, due_ms);
    while (is_busy(server) && loop_now_ms(loop) < due_ms);
}

static bool server_words(const struct server *server, char words[SURVEY_WORDS])
{
    if (server->status == ANSWER_PENDING || server->gone)
        snprintf(words, SURVEY_WORDS, "does not answer");
    else if (server->status == ANSWER_FAILED)
        snprintf(words, SURVEY_WORDS, "answers, but not with what was asked for: %.200s", server->answer);
    else if (server->reason[0])
        snprintf(words, SURVEY_WORDS, "answers, but invents: %.200s", server->reason);
    else
        snprintf(words, SURVEY_WORDS, "answers");
    return !server->gone && !server->reason[0] &&
           (server->status == ANSWER_FOUND || server->status == ANSWER_NONE);
}

static void server_survey(const struct survey *survey, struct loop *loop, const struct address *address)
{
    const struct settings *set = &survey->site->set;
    struct server server = {.status = ANSWER_PENDING};
    char text[ADDRESS_PORT_TEXT_SIZE], words[SURVEY_WORDS];
    struct error error;
    struct survey_row row = {.kind = "name server",
                             .name = slice_of(text, address_port_print(address, text))};
    const uint64_t begun_ms = loop_now_ms(loop);
    server.resolver = resolver_open(&(struct resolver_settings){.loop = loop,
                                                                .servers = row.name,
                                                                .deadline_ms = set->dns_deadline,
                                                                .cache_octets = set->dns_cache,
                                                                .probe = set->dns_probe,
                                                                .tell = server_changed,
                                                                .data = &server},
                                    &error);
    if (!server.resolver) {
        survey_row_say(survey, row, error.text);
        return;
    }
    server_ask(&server, loop, survey->site);
    row.fine = server_words(&server, words);
    row.took_ms = loop_now_ms(loop) - begun_ms;
    resolver_close(server.resolver);
    survey_row_say(survey, row, words);
}

static void servers_survey(const struct survey *survey, struct loop *loop)
{
    struct address servers[RESOLVER_SERVERS];
    struct error error;
    size_t count = 0;
    if (resolver_servers(survey->site->set.dns_server, servers, &count, &error) < 0)
        survey_row_say(survey, (struct survey_row){.kind = "name server", .name = SLICE("of the system")},
                       error.text);
    for (size_t i = 0; i < count; i++)
        server_survey(survey, loop, &servers[i]);
}

/* --- blocklists ---------------------------------------------------------------------------------------- */

static bool lists_are_proved(const struct services *services)
{
    struct blocklist_counts counts;
    for (size_t i = 0; i < services->site->blocklist_count; i++) {
        blocklists_counts(services->blocklists, i, &counts);
        if (counts.state == BLOCKLIST_UNPROVED)
            return false;
    }
    return true;
}

struct test_entry {
    struct blocklist_waiter waiter;
    bool here;
    char codes[100];
};

static void entry_came(struct blocklist_waiter *waiter, const struct resolver_answer *answer)
{
    struct test_entry *entry = LIST_OF(waiter, struct test_entry, waiter);
    struct slice rest = answer->value, codes;
    slice_cut(&rest, '\n', &codes);
    entry->here = true;
    if (answer->status == ANSWER_FOUND)
        snprintf(entry->codes, sizeof entry->codes, "%.*s", SLICE_ARGS(slice_head(codes, 90)));
}

/* What the list says of its test entry; it was asked for a moment ago, and is kept. */
static void entry_ask(struct services *services, struct loop *loop, const struct blocklist *list,
                      struct test_entry *entry)
{
    const uint64_t due_ms = loop_now_ms(loop) + services->site->set.dns_deadline + 1000;
    const uint8_t octets[4] = {127, 0, 0, 2};
    const struct address address = address_from_octets(ADDRESS_IPV4, octets, 0);
    struct resolver_answer answer;
    entry->waiter.done = entry_came;
    if (blocklists_ask(services->blocklists, list->name, &address, &entry->waiter, &answer))
        entry_came(&entry->waiter, &answer);
    while (!entry->here && loop_now_ms(loop) < due_ms)
        turn_until(loop, due_ms);
}

static bool list_words(const struct blocklist *list, const struct blocklist_counts *counts,
                       const struct test_entry *entry, char words[SURVEY_WORDS])
{
    char room[BLOCKLIST_WORDS_MAX];
    struct slice trouble;
    switch (counts->state) {
    case BLOCKLIST_UNPROVED:
        snprintf(words, SURVEY_WORDS, "no name server has an answer of it");
        return false;
    case BLOCKLIST_OFF:
        trouble = blocklist_trouble_words(counts->trouble, &counts->code, room);
        snprintf(words, SURVEY_WORDS, "%.*s", SLICE_ARGS(trouble));
        return false;
    case BLOCKLIST_WORKS: break;
    }
    if (!list->probes)
        snprintf(words, SURVEY_WORDS, "is believed: by its configuration it has no test entries");
    else
        snprintf(words, SURVEY_WORDS, "has its test entries as they should be%s%s",
                 entry->codes[0] ? ": 127.0.0.2 is listed as " : "", entry->codes);
    return true;
}

static void list_survey(const struct survey *survey, struct services *services, struct loop *loop,
                        size_t index, struct test_entry *entry)
{
    const struct blocklist *list = &survey->site->blocklists[index];
    struct blocklist_counts counts;
    char words[SURVEY_WORDS];
    blocklists_counts(services->blocklists, index, &counts);
    if (counts.state == BLOCKLIST_WORKS && list->probes && list->ipv4)
        entry_ask(services, loop, list, entry);
    struct survey_row row = {.kind = "blocklist", .name = list->name};
    row.fine = list_words(list, &counts, entry, words);
    survey_row_say(survey, row, words);
}

static void lists_survey(const struct survey *survey, struct loop *loop)
{
    const struct services_settings settings = {.site = survey->site, .loop = loop, .names = true};
    const uint64_t due_ms = loop_now_ms(loop) + 2 * survey->site->set.dns_deadline + GRACE_MS;
    struct test_entry entries[BLOCKLISTS_MAX] = {0}; /* one that is not answered waits until all is closed */
    struct services services;
    struct error error;
    if (services_open(&settings, &services, &error) == 0) {
        while (!lists_are_proved(&services) && loop_now_ms(loop) < due_ms)
            turn_until(loop, due_ms);
        for (size_t i = 0; i < survey->site->blocklist_count; i++)
            list_survey(survey, &services, loop, i, &entries[i]);
    }
    services_close(&services);
}

void survey_run(const struct site *site, void (*row)(void *data, const struct survey_row *row), void *data)
{
    struct survey survey = {.site = site, .row = row, .data = data};
    struct error error;
    struct loop *loop = loop_open(&error);
    if (!loop) {
        survey_row_say(&survey, (struct survey_row){.kind = "name server", .name = SLICE("all")}, error.text);
        return;
    }
    if (site_asks_names(site))
        servers_survey(&survey, loop);
    if (site_asks_names(site) && site->blocklist_count)
        lists_survey(&survey, loop);
    survey_inner(&survey, loop);
    loop_close(loop);
}
