/* What a check sees of the machine. */
#include "core/machine.h"

#include "base/format.h"

#include <assert.h>
#include <stdarg.h>

void turn_init(struct turn *turn, struct step *step)
{
    const struct session *session = step->session;
    turn->step = step;
    turn->stage = STAGE_COUNT;
    turn->check = NULL;
    turn->found_count = turn->tell_count = turn->learn_count = 0;
    turn->waiting = turn->in_advance = turn->unfinished = turn->stance_good = turn->shed = false;
    turn->at_behind = false;
    turn->forwarded = NULL;
    turn->path = (struct path){.whole = SLICE_NONE};
    turn->parameters = SLICE_NONE;
    arena_init(&turn->arena, turn->room, sizeof turn->room);
    turn->facts = (struct facts){
        .site = session->world->site,
        .unix_ms = step->input->unix_us / 1000,
        .peer = &session->peer,
        .local = &session->local,
        .peer_name = session->name,
        .helo = session->helo,
        .ehlo = session->esmtp,
        .own = session->own,
        .own_list = session->own_list,
        .trusted = session->trusted,
        .known = session->known,
        .tls = session->tls.len > 0,
    };
    if (session->learnt) {
        turn->facts.pool = session->learnt->pool;
        turn->facts.fingerprint = session->learnt->fingerprint;
        turn->facts.as = session->learnt->as;
        turn->facts.country = session->learnt->country;
        turn->facts.allowance = session->learnt->allowance;
    }
    if (session->mail) {
        turn->facts.transaction = &session->mail->transaction;
        turn->facts.sender = session->mail->transaction.sender;
        turn->facts.smtputf8 = session->mail->transaction.smtputf8;
        turn->facts.auth_domain = session->mail->auth_domain;
    }
    turn_suspect(turn);
}

void turn_done(struct turn *turn)
{
    arena_drop(&turn->arena);
}

const struct facts *turn_facts(const struct turn *turn)
{
    return &turn->facts;
}

bool turn_ready(const struct turn *turn)
{
    return !turn->unfinished;
}

/* --- questions ------------------------------------------------------------------------------------------ */

static struct ask *ask_find_in(struct ask *asks, enum ask_kind kind, struct slice key)
{
    for (struct ask *ask = asks; ask; ask = ask->next)
        if (ask->kind == kind && slice_equal(ask->key, key))
            return ask;
    return NULL;
}

static struct ask *ask_find(const struct session *session, enum ask_kind kind, struct slice key)
{
    struct ask *ask = ask_find_in(session->asks, kind, key);
    return ask || !session->ahead ? ask : ask_find_in(session->ahead->asks, kind, key);
}

static bool is_for_name_servers(enum ask_kind kind)
{
    return kind == ASK_ADDRESS4 || kind == ASK_ADDRESS6 || kind == ASK_POINTER || kind == ASK_MX ||
           kind == ASK_TXT || kind == ASK_LISTED;
}

/* Where there are no name servers by the configuration's own word, nobody is asked and nothing recorded. */
static bool nobody_to_ask(const struct turn *turn, enum ask_kind kind)
{
    return is_for_name_servers(kind) && !site_asks_names(turn->facts.site);
}

static struct ask *ask_new(const struct turn *turn, enum ask_kind kind, struct slice key)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    struct arena *arena = turn->in_advance ? &session->ahead->arena : &session->stage;
    struct ask **asks = turn->in_advance ? &session->ahead->asks : &session->asks;
    struct ask *ask = arena_take(arena, sizeof *ask);
    ask->kind = (uint8_t)kind;
    ask->key = arena_copy(arena, key);
    ask->asked_ms = step->input->now_ms;
    ask->number = ++session->ask_number;
    ask->next = *asks;
    *asks = ask;
    if (nobody_to_ask(turn, kind)) {
        ask->status = ANSWER_FAILED;
        ask->value = SLICE("dns.server is none");
        return ask;
    }
    struct outbox_action *action = step_act(step, OUTBOX_ASK);
    action->ask = kind;
    action->number = ask->number;
    action->key = ask->key;
    action->transaction = session->mail ? &session->mail->transaction : NULL;
    RECORD(step, question_asked, .kind = kind, .key = ask->key);
    return ask;
}

const struct ask *turn_ask(struct turn *turn, enum ask_kind kind, struct slice key)
{
    struct ask *ask = ask_find(turn->step->session, kind, key);
    if (!ask)
        ask = ask_new(turn, kind, key);
    if (ask->status != ANSWER_PENDING)
        return ask;
    if (!turn->in_advance)
        turn->waiting = ask->needed = true;
    return NULL;
}

/* The first to say so sets it, as a time since the question was asked. */
const struct ask *turn_ask_within(struct turn *turn, enum ask_kind kind, struct slice key, uint64_t wait_ms)
{
    const struct ask *answer = turn_ask(turn, kind, key);
    struct ask *ask = answer ? NULL : ask_find(turn->step->session, kind, key);
    if (ask && !ask->wait_ms)
        ask->wait_ms = (uint32_t)(turn->step->input->now_ms - ask->asked_ms + wait_ms);
    return answer;
}

const struct ask *turn_peek(struct turn *turn, enum ask_kind kind, struct slice key)
{
    if (turn->in_advance)
        return turn_ask(turn, kind, key);
    const struct ask *ask = ask_find(turn->step->session, kind, key);
    return ask && ask->status != ANSWER_PENDING ? ask : NULL;
}

/* --- what a run leaves ---------------------------------------------------------------------------------- */

static struct slice turn_vformat(struct turn *turn, const char *format, va_list arguments)
{
    char text[512];
    size_t len = format_into(text, sizeof text, format, arguments);
    return arena_copy(&turn->arena, slice_of(text, len));
}

struct slice turn_join(struct turn *turn, struct slice a, struct slice b)
{
    return arena_join(&turn->arena, a, b);
}

struct slice turn_format(struct turn *turn, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct slice text = turn_vformat(turn, format, arguments);
    va_end(arguments);
    return text;
}

bool turn_counts(const struct turn *turn)
{
    return !turn->in_advance;
}

static struct slice evidence_of(struct turn *turn, const char *format, va_list arguments)
{
    char text[ADDRESS_TEXT_SIZE];
    struct slice evidence = turn_vformat(turn, format, arguments);
    if (!turn->at_behind)
        return evidence;
    address_print(turn->facts.forwarder, text);
    return turn_format(turn, "%.*s, behind the trusted forwarder %s", SLICE_ARGS(slice_head(evidence, 420)),
                       text);
}

/* NULL: nobody wants it, and it is not even put into words. */
static struct found *find(struct turn *turn, enum finding finding, struct slice words, const char *format,
                          va_list arguments)
{
    if (turn->in_advance || turn->found_count == TURN_FOUND || !site_wants(turn->facts.site, finding))
        return NULL;
    struct found *found = &turn->found[turn->found_count++];
    *found = (struct found){.finding = finding, .check = turn->check, .behind = turn->at_behind};
    found->evidence = evidence_of(turn, format, arguments);
    found->words = arena_copy(&turn->arena, words);
    return found;
}

void turn_find(struct turn *turn, enum finding finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    find(turn, finding, SLICE_NONE, format, arguments);
    va_end(arguments);
}

void turn_find_saying(struct turn *turn, enum finding finding, struct slice words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    find(turn, finding, words, format, arguments);
    va_end(arguments);
}

void turn_find_weighing(struct turn *turn, enum finding finding, int weight, struct slice words,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct found *found = find(turn, finding, words, format, arguments);
    va_end(arguments);
    if (!found)
        return;
    found->weight = weight;
    found->weighs = true;
}

void turn_tell(struct turn *turn, enum tell verb, struct slice key, struct slice value, uint64_t ttl_ms)
{
    assert(turn->tell_count < TURN_TELLS);
    turn->tells[turn->tell_count++] = (struct tell_item){verb, arena_copy(&turn->arena, key),
                                                         arena_copy(&turn->arena, value), ttl_ms};
}

void turn_learn(struct turn *turn, enum learn what, struct slice value)
{
    assert(turn->learn_count < TURN_LEARNS);
    turn->learns[turn->learn_count++] = (struct learnt_item){what, arena_copy(&turn->arena, value),
                                                             turn->at_behind};
}

/* --- and makes come true -------------------------------------------------------------------------------- */

static void keep(struct arena *arena, struct slice *kept, struct slice value)
{
    if (!slice_equal(*kept, value))
        *kept = arena_copy(arena, value);
}

struct learnt *learnt_of(struct session *session)
{
    if (!session->learnt)
        session->learnt = arena_take(&session->life, sizeof *session->learnt);
    return session->learnt;
}

static void learn(struct session *session, const struct learnt_item *item)
{
    struct arena *life = &session->life;
    switch (item->what) {
    case LEARN_NAME: keep(life, &session->name, item->value); return;
    case LEARN_KNOWN: session->known = item->value.len > 0; return;
    case LEARN_POOL: keep(life, &learnt_of(session)->pool, item->value); return;
    case LEARN_FINGERPRINT: keep(life, &learnt_of(session)->fingerprint, item->value); return;
    case LEARN_AS: keep(life, &learnt_of(session)->as, item->value); return;
    case LEARN_COUNTRY: keep(life, &learnt_of(session)->country, item->value); return;
    case LEARN_ALLOWANCE: keep(life, &learnt_of(session)->allowance, item->value); return;
    case LEARN_AUTH_DOMAIN:
        if (session->mail)
            keep(&session->mail->arena, &session->mail->auth_domain, item->value);
        return;
    case LEARN_SPF_FIELD:
        if (session->mail)
            keep(&session->mail->arena, &session->mail->spf_field, item->value);
        return;
    case LEARN_POLITE: session->polite = item->value.len > 0; return;
    case LEARN_COUNT: return;
    }
}

void turn_apply(struct turn *turn)
{
    for (size_t i = 0; i < turn->learn_count; i++)
        if (!turn->learns[i].behind)
            learn(turn->step->session, &turn->learns[i]);
    if (turn->facts.site->override_count && !turn->forwarded && policy_stance(turn)->known)
        turn->step->session->known = true;
    for (size_t i = 0; i < turn->tell_count; i++)
        step_tell(turn->step, &turn->tells[i]);
    turn->tell_count = 0;
}

void turn_keep_mail(struct turn *turn)
{
    for (size_t i = 0; i < turn->learn_count; i++)
        if (turn->learns[i].what == LEARN_AUTH_DOMAIN || turn->learns[i].what == LEARN_SPF_FIELD)
            learn(turn->step->session, &turn->learns[i]);
    policy_keep_mail(turn);
}

void turn_suspect(struct turn *turn)
{
    const struct facts *facts = &turn->facts;
    bool stranger = !facts->own && !facts->known;
    turn->facts.suspect = stranger && turn_sum(turn) >= (int)facts->site->set.policy_suspect;
}
