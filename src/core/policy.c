/* The policy folds what was found into one verdict for the command at hand.
 *
 * What is found about the connection counts as long as the session, what is found at MAIL as long as the
 * transaction, what is found at RCPT or in a message for that recipient or message alone. Before RCPT only
 * "drop" is done: everything else is said at RCPT, so that sender and recipient are on record and postmaster
 * can be reached. */
#include "core/policy_part.h"

#include <assert.h>

/* --- what was found ---------------------------------------------------------------------------------------
 */

static bool is_same(const struct found *a, const struct found *b)
{
    return a->finding == b->finding && (!a->weighs || slice_equal(a->evidence, b->evidence));
}

static bool list_has(const struct found *list, const struct found *found)
{
    for (; list; list = list->next)
        if (is_same(list, found))
            return true;
    return false;
}

static const struct found *mail_found(const struct session *session)
{
    return session->mail ? session->mail->kept : NULL;
}

/* Found earlier, too: it counts once. */
static bool is_repeated(const struct turn *turn, size_t index)
{
    const struct session *session = turn->step->session;
    const struct found *found = &turn->found[index];
    for (size_t i = 0; i < index; i++)
        if (is_same(&turn->found[i], found))
            return true;
    return list_has(session->kept, found) || list_has(mail_found(session), found);
}

/* What was found at RCPT counts for that recipient; but what speaks for all of them speaks for the message.
 */
static const struct found *vouched_found(const struct turn *turn)
{
    const struct mail *mail = turn->step->session->mail;
    return mail && policy_is_content(turn->stage) ? mail->vouched : NULL;
}

static const struct found *list_at(const struct turn *turn, unsigned number)
{
    switch (number) {
    case 0: return mail_found(turn->step->session);
    case 1: return vouched_found(turn);
    }
    return turn->step->session->kept;
}

const struct found *policy_walk(struct walk *walk)
{
    const struct turn *turn = walk->turn;
    while (walk->index < turn->found_count)
        if (!is_repeated(turn, walk->index++))
            return &turn->found[walk->index - 1];
    while (!walk->next && walk->lists < 3)
        walk->next = list_at(turn, walk->lists++);
    const struct found *found = walk->next;
    if (found)
        walk->next = found->next;
    return found;
}

static bool nothing_found(const struct turn *turn)
{
    const struct session *session = turn->step->session;
    return !turn->found_count && !session->kept && !mail_found(session);
}

/* --- rules ------------------------------------------------------------------------------------------------
 */

static struct subject subject_of(const struct turn *turn, const struct facts *facts)
{
    return (struct subject){
        .peer = facts->peer,
        .by = {[OVERRIDE_PTR] = facts->peer_name,
               [OVERRIDE_HELO] = facts->helo,
               [OVERRIDE_SENDER] = facts->sender,
               [OVERRIDE_RECIPIENT] = turn->facts.recipient_address,
               [OVERRIDE_AUTHENTICATED] = facts->auth_domain,
               [OVERRIDE_AS] = facts->as,
               [OVERRIDE_COUNTRY] = facts->country,
               [OVERRIDE_FINGERPRINT] = facts->fingerprint},
        .null_sender = !facts->sender.len && (turn->step->session->mail || turn->stage == STAGE_MAIL),
    };
}

const struct stance *policy_stance(struct turn *turn)
{
    if (turn->stance_good)
        return &turn->stance;
    turn->stance_good = true;
    if (!turn->facts.site->override_count) { /* it is asked for at each answer */
        turn->stance.count = 0;
        turn->stance.allow = turn->stance.block = NULL;
        turn->stance.known = turn->stance.observe = false;
        return &turn->stance;
    }
    struct subject subject = subject_of(turn, &turn->facts), behind;
    if (turn->forwarded) {
        behind = subject_of(turn, turn->forwarded);
        subject.behind = &behind;
    }
    stance_make(turn->facts.site, &subject, &turn->stance);
    return &turn->stance;
}

static void stance_of(const struct session *session, struct stance *ret_stance)
{
    const struct learnt *learnt = session->learnt;
    struct subject subject = {.peer = &session->peer,
                              .by = {[OVERRIDE_PTR] = session->name,
                                     [OVERRIDE_HELO] = session->helo,
                                     [OVERRIDE_AS] = learnt ? learnt->as : SLICE_NONE,
                                     [OVERRIDE_COUNTRY] = learnt ? learnt->country : SLICE_NONE,
                                     [OVERRIDE_FINGERPRINT] = learnt ? learnt->fingerprint : SLICE_NONE}};
    stance_make(session->world->site, &subject, ret_stance);
}

struct rule policy_rule(const struct session *session, enum finding finding)
{
    const struct site *site = session->world->site;
    if (!site->override_count)
        return site->rules[finding];
    struct stance stance;
    stance_of(session, &stance);
    return stance_rule(site, &stance, finding);
}

static bool is_allowance(const struct session *session)
{
    return session->learnt && session->learnt->allowance.len;
}

bool policy_spares(const struct session *session)
{
    const struct site *site = session->world->site;
    if (site->set.policy_observe || is_allowance(session))
        return true;
    if (!site->override_count)
        return false;
    struct stance stance;
    stance_of(session, &stance);
    return stance.observe || stance.allow;
}

/* What one finding adds to the sum. */
static int share(const struct turn *turn, const struct stance *stance, const struct found *found)
{
    struct rule rule = stance_rule(turn->facts.site, stance, found->finding);
    if (rule.mode != MODE_ENFORCE)
        return 0;
    return found->weighs ? found->weight : rule.weight;
}

/* Below nothing where more speaks for the client than against it. */
static int balance(struct turn *turn)
{
    int sum = 0;
    if (nothing_found(turn))
        return 0;
    const struct stance *stance = policy_stance(turn);
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));)
        sum += share(turn, stance, found);
    return sum;
}

int turn_sum(struct turn *turn)
{
    int sum = balance(turn);
    return sum > 0 ? sum : 0;
}

int turn_share(struct turn *turn, enum finding finding)
{
    int sum = 0;
    const struct stance *stance = policy_stance(turn);
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));)
        if (found->finding == finding)
            sum += share(turn, stance, found);
    return sum;
}

bool turn_is_vouched(struct turn *turn)
{
    return balance(turn) < 0;
}

bool turn_weighs(struct turn *turn, enum finding finding)
{
    const struct rule rule = stance_rule(turn->facts.site, policy_stance(turn), finding);
    return rule.mode == MODE_ENFORCE && (rule.weight || rule.action != ACTION_NONE);
}

bool policy_wants(const struct site *site, const struct check *check)
{
    if (check->wanted && !check->wanted(site))
        return false;
    for (const uint8_t *finding = check->finds; finding && *finding; finding++)
        if (site_wants(site, *finding))
            return true;
    return !check->finds;
}

/* --- keeping ----------------------------------------------------------------------------------------------
 */

enum life { LIFE_COMMAND, LIFE_MAIL, LIFE_SESSION };

static enum life life_of(const struct found *found, enum stage stage)
{
    if (found->behind)
        return LIFE_COMMAND;
    if (found->check && found->check->once)
        return found->check->starts <= STAGE_HELO ? LIFE_SESSION : LIFE_MAIL;
    switch (stage) {
    case STAGE_CONNECT:
    case STAGE_HELO: return LIFE_SESSION;
    case STAGE_MAIL:
    case STAGE_DATA: return LIFE_MAIL;
    case STAGE_RCPT:
    case STAGE_MESSAGE:
    case STAGE_COUNT: return LIFE_COMMAND;
    }
    return LIFE_COMMAND;
}

void policy_list_add(struct found **list, struct arena *arena, const struct found *found)
{
    while (*list)
        list = &(*list)->next;
    struct found *copy = *list = arena_take(arena, sizeof *copy);
    *copy = *found;
    copy->next = NULL;
    copy->evidence = arena_copy(arena, found->evidence);
    copy->words = arena_copy(arena, found->words);
}

static void session_keep(struct session *session, const struct found *found, int weight)
{
    session->sum += weight;
    policy_list_add(&session->kept, &session->life, found);
}

/* Whether the end of the session tells of it. Where somebody belongs is found of everybody; and who is behind
 * a forwarder is not the session's client. */
static bool is_flag(const struct found *found, struct rule rule)
{
    bool counts = rule.mode == MODE_ENFORCE && (rule.weight || rule.action != ACTION_NONE);
    return !found->behind && (found->finding != FIND_ORIGIN || counts);
}

static void record(struct step *step, const struct found *found, struct rule rule)
{
    struct session *session = step->session;
    int weight = found->weighs ? found->weight : rule.weight;
    if (is_flag(found, rule))
        session->found[found->finding / 64] |= UINT64_C(1) << (found->finding % 64);
    RECORD(step, finding, .finding = found->finding, .evidence = found->evidence, .mode = rule.mode,
           .weight = weight > 0 ? (uint64_t)weight : 0, .relief = weight < 0 ? (uint64_t)-weight : 0);
}

/* What is off here, and was recorded because an override may switch it on, is observed. */
static struct rule rule_shown(struct rule rule)
{
    if (rule.mode == MODE_OFF)
        rule.mode = MODE_OBSERVE;
    return rule;
}

static void found_keep(struct turn *turn, enum stage stage)
{
    struct session *session = turn->step->session;
    for (size_t i = 0; i < turn->found_count; i++) {
        const struct found *found = &turn->found[i];
        enum life life = life_of(found, stage);
        record(turn->step, found,
               rule_shown(stance_rule(turn->facts.site, policy_stance(turn), found->finding)));
        if (is_repeated(turn, i))
            continue;
        if (life == LIFE_SESSION)
            session_keep(session, found, share(turn, policy_stance(turn), found));
        else if (life == LIFE_MAIL && session->mail)
            policy_list_add(&session->mail->kept, &session->mail->arena, found);
    }
}

void policy_keep_mail(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    for (size_t i = 0; i < turn->found_count; i++)
        if (life_of(&turn->found[i], STAGE_MAIL) == LIFE_MAIL && !is_repeated(turn, i))
            policy_list_add(&mail->kept, &mail->arena, &turn->found[i]);
}

void record_finding(struct step *step, enum finding finding, struct slice evidence)
{
    const struct site *site = step->session->world->site;
    struct found found = {.finding = finding, .evidence = evidence};
    if (!site_wants(site, finding))
        return;
    struct turn turn;
    turn_init(&turn, step);
    struct rule rule = stance_rule(site, policy_stance(&turn), finding);
    record(step, &found, rule_shown(rule));
    if (!list_has(step->session->kept, &found))
        session_keep(step->session, &found, share(&turn, policy_stance(&turn), &found));
    turn_done(&turn);
}

void record_observation(struct step *step, enum finding finding, struct slice evidence)
{
    if (!site_wants(step->session->world->site, finding))
        return;
    step->session->found[finding / 64] |= UINT64_C(1) << (finding % 64);
    RECORD(step, finding, .finding = finding, .evidence = evidence, .mode = MODE_OBSERVE);
}

/* --- judging ----------------------------------------------------------------------------------------------
 */

static const struct found too_heavy = {.finding = FIND_NOTHING,
                                       .evidence = {"the weights of the findings add up", 34}};

struct judgement {
    enum action action;
    const struct found *found; /* NULL: nothing decides */
    int sum;
};

static bool is_forgiven(const struct found *found, enum action action, struct mercy mercy)
{
    if (finding_is_firm(found->finding))
        return false;
    if (found->finding == FIND_BLOCKED && mercy.unblocked)
        return true;
    return mercy.allowed || (mercy.postmaster && action != ACTION_DROP);
}

/* Whoever is behind a forwarder cannot be slowed, nor cut off without the mail of all others. */
static enum action action_of(const struct found *found, struct rule rule)
{
    enum action action = (enum action)rule.action;
    if (!found->behind)
        return action;
    return action == ACTION_DROP ? ACTION_REJECT : action == ACTION_SLOW ? ACTION_NONE : action;
}

/* What the client can be told more of than that weights add up: a finding that is heavy enough alone. */
static const struct found *decisive(struct turn *turn)
{
    const struct stance *stance = policy_stance(turn);
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));)
        if (found->words.len && share(turn, stance, found) >= (int)turn->facts.site->set.policy_reject)
            return found;
    return &too_heavy;
}

static struct judgement judge(struct turn *turn, struct mercy mercy)
{
    const struct stance *stance = policy_stance(turn);
    struct judgement best = {ACTION_NONE, NULL, turn_sum(turn)};
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));) {
        struct rule rule = stance_rule(turn->facts.site, stance, found->finding);
        enum action action = action_of(found, rule);
        if (rule.mode == MODE_ENFORCE && action_strength(action) > action_strength(best.action) &&
            !is_forgiven(found, action, mercy)) {
            best.action = action;
            best.found = found;
        }
    }
    bool heavy = best.sum >= (int)turn->facts.site->set.policy_reject && !mercy.allowed && !mercy.postmaster;
    if (heavy && action_strength(best.action) < action_strength(ACTION_REJECT)) {
        best.action = ACTION_REJECT;
        best.found = decisive(turn);
    }
    return best;
}

enum action turn_action(struct turn *turn)
{
    return judge(turn, (struct mercy){.allowed = false}).action;
}

/* --- the verdict ------------------------------------------------------------------------------------------
 */

/* "early-talk 10, no-ptr 2" */
static struct slice parts(struct turn *turn)
{
    const struct stance *stance = policy_stance(turn);
    struct slice text = SLICE_NONE;
    struct walk walk = {.turn = turn};
    for (const struct found *found; (found = policy_walk(&walk));) {
        int weight = share(turn, stance, found);
        if (weight)
            text = turn_format(turn, "%.*s%s%s %d", SLICE_ARGS(text), text.len ? ", " : "",
                               finding_info(found->finding)->word, weight);
    }
    return text;
}

struct verdict {
    struct judgement judgement;
    struct slice spared; /* why nothing of it is done, or empty */
    bool observed;       /* it would be done, were it not for observe */
};

static void record_verdict(struct turn *turn, enum stage stage, const struct verdict *verdict)
{
    const struct judgement *judgement = &verdict->judgement;
    const struct stance *stance = policy_stance(turn);
    const struct override *override = stance->allow ? stance->allow : stance->block;
    if (!override && stance->count)
        override = stance->matched[stance->count - 1];
    RECORD(turn->step, verdict, .stage = stage,
           .verdict = verdict->spared.len ? ACTION_NONE : judgement->action, .sum = (uint64_t)judgement->sum,
           .finding = judgement->found ? judgement->found->finding : 0,
           .reason = judgement->found ? judgement->found->evidence : SLICE_NONE,
           .threshold = turn->facts.site->set.policy_reject, .parts = parts(turn),
           .override = override ? override->name : SLICE_NONE, .observed = verdict->observed,
           .spared = verdict->spared);
}

/* At DATA and behind, the recipients of the transaction stand for themselves: they are of one class. */
static void look_at_recipients(struct turn *turn, enum stage stage)
{
    const struct mail *mail = turn->step->session->mail;
    if (!policy_is_content(stage) || !mail || !mail->transaction.recipients)
        return;
    turn->facts.recipient_address = mail->transaction.recipients->address;
    turn->stance_good = false;
}

/* Those for whom another policy is in force cannot share a transaction: what comes behind could not be judged
 * for all of them. 0: no override looks at the recipient, and nothing had to be forgiven. */
static uint32_t class_of(struct turn *turn, bool spared)
{
    const struct stance *stance = policy_stance(turn);
    uint32_t class = spared;
    for (size_t i = 0; i < stance->count; i++)
        if (stance->matched[i]->by[OVERRIDE_RECIPIENT].count)
            class = class * 31u + 2u + (uint32_t)(stance->matched[i] - turn->facts.site->overrides);
    return class;
}

static bool class_fits(struct turn *turn, bool spared)
{
    struct mail *mail = turn->step->session->mail;
    uint32_t class = class_of(turn, spared);
    if (!mail)
        return true;
    if ((mail->transaction.recipient_count || mail->shed) && mail->class != class) {
        say_with(turn->step, SAY_OTHER_CLASS, turn->facts.recipient_address, SLICE_NONE);
        return false;
    }
    mail->class = class;
    mail->spared = spared;
    return true;
}

static void find_block(struct turn *turn)
{
    const struct override *block = policy_stance(turn)->block;
    struct found found = {.finding = FIND_OVERRIDE_BLOCK};
    const struct session *session = turn->step->session;
    if (!block || list_has(session->kept, &found) || list_has(mail_found(session), &found))
        return;
    turn->check = NULL;
    turn_find_saying(turn, FIND_OVERRIDE_BLOCK, block->words, "the override at %.*s blocks it",
                     SLICE_ARGS(block->name));
}

/* The recipient, or the whole message. */
static void shed(struct turn *turn)
{
    struct mail *mail = turn->step->session->mail;
    turn->shed = true;
    if (mail && turn->stage != STAGE_RCPT)
        mail->discard = true;
}

static bool act(struct turn *turn, const struct judgement *judgement)
{
    struct session *session = turn->step->session;
    switch (judgement->action) {
    case ACTION_NONE: return true;
    case ACTION_SLOW: session->slow = true; return true;
    case ACTION_DISCARD:
    case ACTION_TRAP: shed(turn); return true;
    case ACTION_DEFER:
    case ACTION_REJECT: policy_say(turn, judgement->action, judgement->found); return false;
    case ACTION_DROP:
        policy_say(turn, ACTION_DROP, judgement->found);
        session_close(turn->step, END_BY_US, SAY_NOTHING);
        return false;
    }
    return true;
}

/* Before RCPT: "drop" is done, and who is to be slowed is slowed from here on. */
static bool acts_early(const struct judgement *judgement)
{
    return judgement->action == ACTION_DROP || judgement->action == ACTION_SLOW;
}

static bool pronounce(struct turn *turn, enum stage stage)
{
    struct mercy mercy = mercy_make(turn, stage);
    struct verdict verdict = {.judgement = judge(turn, mercy)};
    struct judgement *judgement = &verdict.judgement;
    bool early = stage < STAGE_RCPT, firm = judgement->found && finding_is_firm(judgement->found->finding);
    if (early && !acts_early(judgement))
        return true;
    if (judgement->action == ACTION_SLOW && turn->step->session->slow)
        judgement->action = ACTION_NONE;
    if (judgement->action == ACTION_NONE &&
        (mercy.allowed || mercy.postmaster || (mercy.unblocked && !early))) {
        *judgement = judge(turn, (struct mercy){.allowed = false});
        if (judgement->action != ACTION_NONE)
            verdict.spared = mercy_words(turn, mercy);
    }
    verdict.observed = !verdict.spared.len && judgement->action != ACTION_NONE && !firm &&
                       (turn->facts.site->set.policy_observe || policy_stance(turn)->observe);
    if (judgement->action != ACTION_NONE || judgement->sum)
        record_verdict(turn, stage, &verdict);
    bool done = verdict.spared.len || verdict.observed || act(turn, judgement);
    return done && (stage != STAGE_RCPT || class_fits(turn, verdict.spared.len > 0));
}

bool policy_drops(struct turn *turn)
{
    if (!turn->found_count || turn->facts.site->set.policy_observe || policy_stance(turn)->observe)
        return false;
    return judge(turn, mercy_make(turn, turn->stage)).action == ACTION_DROP;
}

static bool judge_all(struct turn *turn, enum stage stage)
{
    const struct site *site = turn->facts.site;
    if (nothing_found(turn))
        return stage != STAGE_RCPT || !site->by_recipient || class_fits(turn, false);
    found_keep(turn, stage);
    return pronounce(turn, stage);
}

bool policy_judge(struct turn *turn, enum stage stage)
{
    turn->shed = false;
    look_at_recipients(turn, stage);
    if (turn->facts.site->override_count)
        find_block(turn);
    const bool goes_on = judge_all(turn, stage);
    if (goes_on && stage == STAGE_RCPT && turn->facts.site->access.used)
        mercy_keep(turn);
    return goes_on;
}

void policy_greet(struct turn *turn)
{
    struct session *session = turn->step->session;
    const struct site *site = turn->facts.site;
    turn->facts.trusted = session->trusted = networks_contain(&site->trusted, &session->peer);
    if (site->override_count && policy_stance(turn)->known)
        turn->facts.known = session->known = true;
}

void policy_forget(struct step *step)
{
    struct session *session = step->session;
    ahead_drop(step);
    session->kept = NULL;
    session->learnt = NULL;
    session->sum = 0;
    session->once = 0;
    session->known = session->slow = session->polite = false;
    for (unsigned i = 0; i < FIND_SET_WORDS; i++)
        session->found[i] = 0;
}
