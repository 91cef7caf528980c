/* The policy folds the findings of a turn into one verdict, and names the reply that goes with it. */
#include "core/machine.h"

#include <stddef.h>

/* What is said for a finding that decides: with the subject of the command, and the finding's own words. A
 * finding that is not here gets the general reply of its action. */
static const struct {
    enum finding finding;
    enum say plain;
    enum say with_words;
} replies[] = {
    {FIND_RELAY_DENIED, SAY_RELAY_DENIED, SAY_SOURCE_ROUTED},
    {FIND_UNKNOWN_RECIPIENT, SAY_UNKNOWN_RECIPIENT, SAY_UNKNOWN_RECIPIENT_INNER},
    {FIND_RECIPIENT_UNSURE, SAY_RECIPIENT_UNSURE, SAY_RECIPIENT_UNSURE},
    {FIND_JUNK, SAY_TOO_MUCH_JUNK, SAY_TOO_MUCH_JUNK},
    {FIND_ERRORS, SAY_TOO_MANY_ERRORS, SAY_TOO_MANY_ERRORS},
    {FIND_TLS_INJECTION, SAY_TLS_INJECTION, SAY_TLS_INJECTION},
    {FIND_ROUTE_PLAIN, SAY_UTF8_ROUTE, SAY_UTF8_ROUTE},
    {FIND_HEADER_LOOP, SAY_LOOPING, SAY_LOOPING},
    {FIND_HEADER_EXCESS, SAY_HEADER_EXCESS, SAY_HEADER_EXCESS},
    {FIND_FOREIGN_PROTOCOL, SAY_FOREIGN, SAY_FOREIGN},
    {FIND_HTTP_TUNNEL, SAY_FOREIGN, SAY_FOREIGN},
    {FIND_PIPELINING, SAY_PIPELINING, SAY_PIPELINING},
    {FIND_HEADER_AS_COMMAND, SAY_HEADER_AS_COMMAND, SAY_HEADER_AS_COMMAND},
    {FIND_HELO_SCHIZOPHRENIC, SAY_SCHIZOPHRENIC, SAY_SCHIZOPHRENIC},
};

static enum say reply_for(const struct found *found)
{
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (replies[i].finding == found->finding)
            return found->words.len ? replies[i].with_words : replies[i].plain;
    return SAY_POLICY_REJECT;
}

static const struct found *strongest(const struct turn *turn, enum action *ret_action)
{
    const struct found *best = NULL;
    enum action most = ACTION_NONE;
    for (size_t i = 0; i < turn->found_count; i++) {
        enum action action = finding_info(turn->found[i].finding)->action;
        if (action > most) {
            most = action;
            best = &turn->found[i];
        }
    }
    *ret_action = most;
    return best;
}

static bool sum_too_high(const struct turn *turn, enum stage stage)
{
    const struct session *session = turn->step->session;
    return stage == STAGE_RCPT && !turn->facts.postmaster &&
           session->sum >= (int32_t)turn->facts.site->set.policy_reject;
}

static void speak(struct turn *turn, enum say reply, const struct found *found)
{
    struct slice subject = turn->facts.recipient_address;
    if (subject.len)
        say_with(turn->step, reply, subject, found->words);
    else
        say_with(turn->step, reply, found->words, SLICE_NONE);
}

int turn_sum(const struct turn *turn)
{
    int sum = turn->step->session->sum;
    for (size_t i = 0; i < turn->found_count; i++)
        sum += finding_info(turn->found[i].finding)->weight;
    return sum;
}

bool policy_wants(const struct site *site, const struct check *check)
{
    (void)site;
    (void)check;
    return true;
}

bool policy_judge(struct turn *turn, enum stage stage)
{
    struct step *step = turn->step;
    for (size_t i = 0; i < turn->found_count; i++)
        record_finding(step, turn->found[i].finding, turn->found[i].evidence);
    enum action action;
    const struct found *found = strongest(turn, &action);
    struct found sum = {FIND_NOTHING, SLICE("the weights of the session's findings add up"), SLICE_NONE};
    if (!found && sum_too_high(turn, stage)) {
        found = &sum;
        action = ACTION_REJECT;
    }
    if (!found)
        return true;
    RECORD(step, verdict, .stage = stage, .verdict = action, .sum = (uint64_t)step->session->sum,
           .finding = found->finding, .reason = found->evidence);
    if (action == ACTION_DROP)
        session_close(step, END_BY_US, reply_for(found));
    else
        speak(turn, reply_for(found), found);
    return false;
}
