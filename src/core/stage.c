/* A stage runs its checks until none waits, then asks the policy: the one place where a command meets it.
 *
 * Checks that begin before they join are run in advance. What they ask then lives in session.ahead until the
 * last of them has joined; nothing waits for it before. */
#include "core/machine.h"

#include "base/memory.h"

#include <assert.h>

static const char *const words[STAGE_COUNT] = {"connect", "helo", "mail", "rcpt", "data", "message"};

const char *stage_word(unsigned stage)
{
    return stage < STAGE_COUNT ? words[stage] : "?";
}

void session_world_checks(struct session_world *world, const struct check *const *checks)
{
    struct check_plan *plan = &world->plan;
    world->checks = checks;
    *plan = (struct check_plan){.mail = 0};
    for (unsigned i = 0; checks[i]; i++) {
        const struct check *check = checks[i];
        uint64_t bit = UINT64_C(1) << i;
        assert(i < CHECKS_MAX && check->starts <= check->joins);
        plan->mail |= check->starts >= STAGE_MAIL ? bit : 0;
        plan->helo |= check->starts == STAGE_HELO ? bit : 0;
        if (!policy_wants(world->site, check))
            continue;
        plan->behind |= check->behind ? bit : 0;
        plan->joins[check->joins] |= bit;
        plan->begins[check->starts] |= check->starts < check->joins ? bit : 0;
    }
}

static bool in_audience(const struct facts *facts, const struct check *check)
{
    if (check->about_address && facts->trusted)
        return false;
    switch (check->audience) {
    case AUDIENCE_ALL: return true;
    case AUDIENCE_OUTSIDERS: return !facts->own;
    case AUDIENCE_STRANGERS: return !facts->own && !facts->known;
    }
    return true;
}

/* --- what a run leaves ------------------------------------------------------------------------------------
 */

struct mark {
    size_t found, tells, learns;
};

static struct mark turn_mark(const struct turn *turn)
{
    return (struct mark){turn->found_count, turn->tell_count, turn->learn_count};
}

static void turn_undo(struct turn *turn, struct mark mark)
{
    turn->found_count = mark.found;
    turn->tell_count = mark.tells;
    turn->learn_count = mark.learns;
}

/* What a check has learnt is a fact for those behind it. */
static void facts_learn(struct facts *facts, const struct learnt_item *item)
{
    switch (item->what) {
    case LEARN_NAME: facts->peer_name = item->value; return;
    case LEARN_KNOWN: facts->known = item->value.len > 0; return;
    case LEARN_POOL: facts->pool = item->value; return;
    case LEARN_FINGERPRINT: facts->fingerprint = item->value; return;
    case LEARN_AUTH_DOMAIN: facts->auth_domain = item->value; return;
    case LEARN_AS: facts->as = item->value; return;
    case LEARN_COUNTRY: facts->country = item->value; return;
    case LEARN_ALLOWANCE: facts->allowance = item->value; return;
    case LEARN_SPF_FIELD:
    case LEARN_POLITE:
    case LEARN_COUNT: return;
    }
}

static bool check_run(struct turn *turn, const struct check *check)
{
    struct mark mark = turn_mark(turn);
    turn->check = check;
    if (check->run(turn) == CHECK_WAIT) {
        turn_undo(turn, mark);
        return false;
    }
    for (size_t i = mark.learns; i < turn->learn_count; i++) {
        facts_learn(&turn->facts, &turn->learns[i]);
        turn->stance_good = false;
    }
    if (turn->found_count > mark.found)
        turn_suspect(turn);
    return true;
}

static bool is_of_behind(const struct turn *turn, const struct check *check)
{
    return turn->forwarded && check->behind;
}

static bool check_run_behind(struct turn *turn, const struct check *check)
{
    forwarder_swap(turn);
    bool done = check_run(turn, check);
    forwarder_swap(turn);
    return done;
}

/* --- in advance -------------------------------------------------------------------------------------------
 */

void ahead_drop(struct step *step)
{
    struct session *session = step->session;
    if (!session->ahead)
        return;
    for (const struct ask *ask = session->ahead->asks; ask; ask = ask->next)
        if (ask->status == ANSWER_PENDING)
            step_forget(step, ask->number);
    ahead_free(session);
}

void ahead_free(struct session *session)
{
    if (!session->ahead)
        return;
    arena_drop(&session->ahead->arena);
    memory_give(session->ahead, sizeof *session->ahead);
    session->ahead = NULL;
}

/* Checks that begin with a transaction end with it. */
void ahead_drop_mail(struct step *step)
{
    struct ahead *ahead = step->session->ahead;
    if (!ahead)
        return;
    ahead->open &= ~step->session->world->plan.mail;
    ahead->waits &= ahead->open;
    if (!ahead->open)
        ahead_drop(step);
}

/* Whether the facts that the check begins with are those of the turn. */
static bool is_its_time(const struct turn *turn, const struct check *check)
{
    if (check->starts <= STAGE_HELO)
        return true;
    if (check->starts == STAGE_MAIL && turn->step->session->mail)
        return true;
    return check->starts == turn->stage;
}

/* Runs those of the set; what they learn is for each other, and forgotten behind the last. */
static void ahead_run(struct turn *turn, uint64_t set)
{
    struct session *session = turn->step->session;
    const struct check *const *checks = session->world->checks;
    struct facts facts = turn->facts;
    struct mark mark = turn_mark(turn);
    turn->in_advance = true;
    turn->unfinished = false;
    for (uint64_t left = set; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t bit = UINT64_C(1) << i;
        if (!is_its_time(turn, checks[i]) || !in_audience(&turn->facts, checks[i]))
            continue;
        if (check_run(turn, checks[i]))
            session->ahead->waits &= ~bit;
        else {
            session->ahead->waits |= bit;
            turn->unfinished = true;
        }
    }
    turn->in_advance = turn->unfinished = false;
    turn_undo(turn, mark);
    turn->facts = facts;
    turn->stance_good = false;
}

static uint64_t *once_set(struct session *session, const struct check *check)
{
    if (check->starts <= STAGE_HELO)
        return &session->once;
    return session->mail ? &session->mail->once : NULL;
}

static bool is_over(struct session *session, const struct check *check, uint64_t bit)
{
    const uint64_t *set = check->once ? once_set(session, check) : NULL;
    return set && *set & bit;
}

static void ahead_begin(struct turn *turn)
{
    struct session *session = turn->step->session;
    const struct session_world *world = session->world;
    uint64_t begun = 0, open = session->ahead ? session->ahead->open : 0;
    for (uint64_t left = world->plan.begins[turn->stage] & ~open; left; left &= left - 1) {
        const struct check *check = world->checks[__builtin_ctzll(left)];
        uint64_t bit = left & -left;
        if (!is_over(session, check, bit) && in_audience(&turn->facts, check))
            begun |= bit;
    }
    if (!begun)
        return;
    if (!session->ahead) {
        session->ahead = memory_take(sizeof *session->ahead);
        arena_init(&session->ahead->arena, NULL, 0);
    }
    session->ahead->open |= begun;
    ahead_run(turn, session->ahead->open);
}

void ahead_resume(struct step *step)
{
    struct ahead *ahead = step->session->ahead;
    if (!ahead)
        return;
    ahead->answered = false;
    if (!ahead->waits)
        return;
    struct turn turn;
    turn_init(&turn, step);
    ahead_run(&turn, ahead->open);
    turn_done(&turn);
}

/* --- for good ---------------------------------------------------------------------------------------------
 */

/* Up to the first check that waits, those that joined need not be run anew when answers have come: what they
 * see comes from those before them. */
struct progress {
    enum stage stage;
    uint64_t done; /* their set */
    struct found *found;
    struct tell_item *tells;
    struct learnt_item *learns;
    struct mark counts;
};

static void progress_copy(struct arena *arena, struct progress *progress)
{
    for (size_t i = 0; i < progress->counts.found; i++) {
        struct found *found = &progress->found[i];
        found->evidence = arena_copy(arena, found->evidence);
        found->words = arena_copy(arena, found->words);
    }
    for (size_t i = 0; i < progress->counts.tells; i++) {
        struct tell_item *tell = &progress->tells[i];
        tell->key = arena_copy(arena, tell->key);
        tell->value = arena_copy(arena, tell->value);
    }
    for (size_t i = 0; i < progress->counts.learns; i++)
        progress->learns[i].value = arena_copy(arena, progress->learns[i].value);
}

static void *items_copy(struct arena *arena, const void *items, size_t size)
{
    return size ? memcpy(arena_take(arena, size), items, size) : NULL;
}

static void progress_keep(struct turn *turn, uint64_t done, struct mark from, struct mark to)
{
    struct session *session = turn->step->session;
    struct arena *arena = &session->stage;
    const struct mark counts = {to.found - from.found, to.tells - from.tells, to.learns - from.learns};
    struct progress *progress = arena_take(arena, sizeof *progress);
    *progress = (struct progress){
        .stage = turn->stage,
        .done = done,
        .found = items_copy(arena, &turn->found[from.found], counts.found * sizeof *turn->found),
        .tells = items_copy(arena, &turn->tells[from.tells], counts.tells * sizeof *turn->tells),
        .learns = items_copy(arena, &turn->learns[from.learns], counts.learns * sizeof *turn->learns),
        .counts = counts};
    progress_copy(arena, progress);
    session->progress = progress;
}

static uint64_t progress_restore(struct turn *turn)
{
    const struct progress *progress = turn->step->session->progress;
    if (!progress || progress->stage != turn->stage)
        return 0;
    for (size_t i = 0; i < progress->counts.found && turn->found_count < TURN_FOUND; i++)
        turn->found[turn->found_count++] = progress->found[i];
    for (size_t i = 0; i < progress->counts.tells; i++)
        turn->tells[turn->tell_count++] = progress->tells[i];
    for (size_t i = 0; i < progress->counts.learns; i++) {
        turn->learns[turn->learn_count++] = progress->learns[i];
        facts_learn(progress->learns[i].behind ? turn->forwarded : &turn->facts, &progress->learns[i]);
    }
    turn->stance_good = false;
    turn_suspect(turn);
    return progress->done;
}

/* True: it came to its end, or need not run. */
static bool join_one(struct turn *turn, const struct check *check, uint64_t bit)
{
    if (is_of_behind(turn, check))
        return !in_audience(turn->forwarded, check) || check_run_behind(turn, check);
    return is_over(turn->step->session, check, bit) || !in_audience(&turn->facts, check) ||
           check_run(turn, check);
}

/* The set of those that came to their end. */
static bool join(struct turn *turn, uint64_t *ret_done)
{
    const struct session_world *world = turn->step->session->world;
    const struct mark begin = turn_mark(turn);
    struct mark first = begin; /* where the first that waits stands */
    uint64_t before, done = progress_restore(turn), kept = done;
    before = done;
    turn->unfinished = false;
    uint64_t set = world->plan.joins[turn->stage] | (turn->forwarded ? world->plan.behind : 0);
    for (uint64_t left = set & ~kept; left; left &= left - 1) {
        const struct check *check = world->checks[__builtin_ctzll(left)];
        uint64_t bit = left & -left;
        if (join_one(turn, check, bit)) {
            done |= bit;
        } else if (!turn->unfinished) {
            turn->unfinished = true;
            first = turn_mark(turn);
            before = done;
        }
    }
    if (turn->unfinished && before != kept)
        progress_keep(turn, before, begin, first);
    *ret_done = done;
    return !turn->unfinished;
}

static void settle(struct turn *turn, uint64_t done)
{
    struct session *session = turn->step->session;
    const struct check *const *checks = session->world->checks;
    if (session->ahead) {
        session->ahead->open &= ~done;
        session->ahead->waits &= ~done;
    }
    for (uint64_t left = done; left; left &= left - 1) {
        const struct check *check = checks[__builtin_ctzll(left)];
        uint64_t *set = check->once && !is_of_behind(turn, check) ? once_set(session, check) : NULL;
        if (set)
            *set |= left & -left;
    }
    turn_apply(turn);
}

/* Another name is another claim: what is said about HELO names is looked into anew. */
static void forget_helo(struct turn *turn)
{
    struct session *session = turn->step->session;
    if (!slice_equal(turn->facts.helo, session->helo))
        session->once &= ~session->world->plan.helo;
}

bool stage_run(struct turn *turn, enum stage stage)
{
    uint64_t done;
    turn->stage = stage;
    turn->stance_good = false; /* the command has told more than there was when the turn began */
    if (stage == STAGE_HELO)
        forget_helo(turn);
    if (stage != STAGE_CONNECT)
        ahead_begin(turn);
    if (!join(turn, &done)) {
        turn->waiting = true;
        return false;
    }
    /* Who is known has been found out: nothing is asked of strangers' lists; nor of anybody for one who goes.
     */
    if (stage == STAGE_CONNECT && !policy_drops(turn))
        ahead_begin(turn);
    turn->waiting = false;
    settle(turn, done);
    return policy_judge(turn, stage);
}
