/* What is said for a finding that decides. */
#include "core/machine.h"

/* A reply names the recipient first where it says so, and then the finding's own words, where there are any.
 * A finding that is not here, or whose reply does not go with what is done, gets the general one of its
 * action. */
static const struct {
    enum finding finding;
    enum say plain;
    enum say with_words;
    bool names_recipient;
} replies[] = {
    {FIND_RELAY_DENIED, SAY_RELAY_DENIED, SAY_SOURCE_ROUTED, true},
    {FIND_UNKNOWN_RECIPIENT, SAY_UNKNOWN_RECIPIENT, SAY_UNKNOWN_RECIPIENT_INNER, true},
    {FIND_RECIPIENT_UNSURE, SAY_RECIPIENT_UNSURE, SAY_RECIPIENT_UNSURE, true},
    {FIND_JUNK, SAY_TOO_MUCH_JUNK, SAY_TOO_MUCH_JUNK, false},
    {FIND_ERRORS, SAY_TOO_MANY_ERRORS, SAY_TOO_MANY_ERRORS, false},
    {FIND_TLS_INJECTION, SAY_TLS_INJECTION, SAY_TLS_INJECTION, false},
    {FIND_ROUTE_PLAIN, SAY_UTF8_ROUTE, SAY_UTF8_ROUTE, true},
    {FIND_HEADER_LOOP, SAY_LOOPING, SAY_LOOPING, false},
    {FIND_HEADER_EXCESS, SAY_HEADER_EXCESS, SAY_HEADER_EXCESS, false},
    {FIND_FOREIGN_PROTOCOL, SAY_FOREIGN, SAY_FOREIGN, false},
    {FIND_HTTP_TUNNEL, SAY_FOREIGN, SAY_FOREIGN, false},
    {FIND_PIPELINING, SAY_PIPELINING, SAY_PIPELINING, false},
    {FIND_HEADER_AS_COMMAND, SAY_HEADER_AS_COMMAND, SAY_HEADER_AS_COMMAND, false},
    {FIND_BLOCKED, SAY_BLOCKED, SAY_BLOCKED, false},
    {FIND_LISTED, SAY_LISTED, SAY_LISTED, false},
    {FIND_HELO_SCHIZOPHRENIC, SAY_SCHIZOPHRENIC, SAY_SCHIZOPHRENIC, false},
    {FIND_BUSY, SAY_TOO_BUSY, SAY_TOO_BUSY, false},
    {FIND_RATE, SAY_TOO_OFTEN, SAY_TOO_OFTEN, false},
    {FIND_CONCURRENCY, SAY_TOO_MANY_FROM_HOST, SAY_TOO_MANY_FROM_HOST, false},
    {FIND_GREY, SAY_GREYLISTED, SAY_GREYLISTED, true},
    {FIND_GREY_MESSAGE, SAY_GREYLISTED_MESSAGE, SAY_GREYLISTED_MESSAGE, false},
    {FIND_RATE_LIMIT, SAY_RATE_LIMITED, SAY_RATE_LIMITED, true},
    {FIND_ACCESS_REJECT, SAY_ACCESS_REJECTED, SAY_ACCESS_REJECTED, true},
    {FIND_ACCESS_DEFER, SAY_ACCESS_DEFERRED, SAY_ACCESS_DEFERRED, true},
    {FIND_DICTIONARY, SAY_DICTIONARY, SAY_DICTIONARY, true},
    {FIND_TRAP, SAY_TRAPPED, SAY_TRAPPED, true},
    {FIND_NULL_MANY_RCPT, SAY_ONE_FOR_BOUNCES, SAY_ONE_FOR_BOUNCES, true},
    {FIND_SPF_FAIL, SAY_SPF_FAIL, SAY_SPF_FAIL, false},
    {FIND_SPF_SOFTFAIL, SAY_SPF_FAIL, SAY_SPF_FAIL, false},
    {FIND_SPF_PERMERROR, SAY_SPF_ERROR, SAY_SPF_ERROR, false},
    {FIND_SPF_TEMPERROR, SAY_SPF_UNSURE, SAY_SPF_UNSURE, false},
    {FIND_HELO_CLAIMS_US, SAY_HELO_CLAIMS_US, SAY_HELO_CLAIMS_US, false},
    {FIND_SENDER_NO_DOMAIN, SAY_SENDER_NO_DOMAIN, SAY_SENDER_NO_DOMAIN, false},
    {FIND_SENDER_UNSURE, SAY_SENDER_UNSURE, SAY_SENDER_UNSURE, false},
    {FIND_SENDER_NULL_MX, SAY_SENDER_NULL_MX, SAY_SENDER_NULL_MX, false},
    {FIND_MESSAGE_ID_ABSENT, SAY_MESSAGE_ID_ABSENT, SAY_MESSAGE_ID_ABSENT, false},
    {FIND_MESSAGE_ID_MALFORMED, SAY_MESSAGE_ID_MALFORMED, SAY_MESSAGE_ID_MALFORMED, false},
};

static bool goes_with(enum say reply, enum action action)
{
    unsigned code = say_info(reply)->code;
    if (action == ACTION_DEFER)
        return code >= 400 && code < 500 && code != 421;
    return action == ACTION_DROP || code >= 500;
}

static enum say general(enum action action, bool words)
{
    if (action == ACTION_DEFER)
        return words ? SAY_POLICY_DEFER_WORDS : SAY_POLICY_DEFER;
    if (action == ACTION_DROP)
        return words ? SAY_POLICY_DROP_WORDS : SAY_POLICY_DROP;
    return words ? SAY_POLICY_REJECT_WORDS : SAY_POLICY_REJECT;
}

/* 221 and 421 begin with our name (RFC 5321 section 4.2). */
static struct slice subject(const struct turn *turn, enum say reply, bool names_recipient)
{
    unsigned code = say_info(reply)->code;
    if (code == 421 || code == 221)
        return turn->facts.site->set.host_name;
    return names_recipient ? turn->facts.recipient_address : SLICE_NONE;
}

void policy_say(struct turn *turn, enum action action, const struct found *found)
{
    enum say reply = SAY_NOTHING;
    bool names_recipient = false;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (replies[i].finding == found->finding) {
            reply = found->words.len ? replies[i].with_words : replies[i].plain;
            names_recipient = replies[i].names_recipient;
        }
    if (!reply || !goes_with(reply, action))
        reply = general(action, found->words.len > 0);
    struct slice first = subject(turn, reply, names_recipient);
    if (first.len)
        say_with(turn->step, reply, first, found->words);
    else
        say_with(turn->step, reply, found->words, SLICE_NONE);
}
