/* A stage runs its checks until none waits, then asks the policy: the one place where a command meets it. */
#include "core/machine.h"

static const char *const words[STAGE_COUNT] = {"connect", "helo", "mail", "rcpt", "data", "message"};

const char *stage_word(unsigned stage)
{
    return stage < STAGE_COUNT ? words[stage] : "?";
}

/* A check that waits leaves no findings: it is run again from its top. */
static bool check_done(struct turn *turn, const struct check *check)
{
    size_t before = turn->found_count;
    if (check->run(turn) == CHECK_DONE)
        return true;
    turn->found_count = before;
    return false;
}

bool stage_run(struct turn *turn, enum stage stage)
{
    const struct check *const *checks = turn->step->session->world->checks;
    bool all = true;
    for (; checks && *checks; checks++)
        if ((*checks)->stage == stage && !check_done(turn, *checks))
            all = false;
    if (!all) {
        turn->waiting = true;
        return false;
    }
    turn->waiting = false;
    return policy_judge(turn, stage);
}
