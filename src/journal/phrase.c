#include "journal/phrase.h"

#include "core/event.h"
#include "core/finding.h"
#include "core/say.h"

#define COUNT(table) (sizeof table / sizeof *table)

/* --- by catalogue -------------------------------------------------------------------------------------- */

static const struct finding_phrase findings[FIND_LIMIT] = {
#define PHRASE(name, because, means, remedy) [FIND_##name] = {because, means, remedy},
#include "journal/phrase_finding.def"
#undef PHRASE
};

static const char *const replies[SAY_LIMIT] = {
#define PHRASE(name, why) [SAY_##name] = (why),
#include "journal/phrase_reply.def"
#undef PHRASE
};

static const struct ask_phrase asks[ASK_KIND_LIMIT] = {
#define PHRASE(name, asks, found, none, unsure) [ASK_##name] = {asks, found, none, unsure},
#include "journal/phrase_ask.def"
#undef PHRASE
};

static const char *const events[EVENT_KIND_LIMIT] = {
#define PHRASE(name, means) [EVENT_KIND_##name] = (means),
#include "journal/phrase_event.def"
#undef PHRASE
};

const struct finding_phrase *phrase_finding(uint64_t number)
{
    return number < COUNT(findings) && findings[number].because ? &findings[number] : NULL;
}

const char *phrase_reply(uint64_t number)
{
    return number < COUNT(replies) ? replies[number] : NULL;
}

const struct ask_phrase *phrase_ask(uint64_t kind)
{
    return kind < COUNT(asks) && asks[kind].asks ? &asks[kind] : NULL;
}

const char *phrase_event(uint64_t kind)
{
    return kind < COUNT(events) ? events[kind] : NULL;
}

/* --- by core's enums: a test holds the orders together ------------------------------------------------- */

static const char *const commands[VERB_COUNT] = {
    [VERB_NONE] = "They send an empty line.",
    [VERB_UNKNOWN] = "They send something that is no command of this protocol.",
    [VERB_HELO] = "They greet us and tell us their name.",
    [VERB_EHLO] =
        "They greet us in the modern way, tell us their name, and ask what we can do beyond the basics.",
    [VERB_LHLO] = "They greet us in the way of another protocol, which is used between a mail server and its "
                  "mailboxes.",
    [VERB_MAIL] = "Next comes one particular message. They say who is its sender.",
    [VERB_RCPT] = "They say who is to get the message.",
    [VERB_DATA] = "They want to send the message itself: its head and its text.",
    [VERB_BDAT] = "They send a piece of the message, and say how long it is.",
    [VERB_RSET] = "They want to forget the message that they had begun.",
    [VERB_NOOP] = "They ask for nothing, to see whether we are still here.",
    [VERB_QUIT] = "They say that they are done and want to leave.",
    [VERB_VRFY] = "They want to know whether somebody exists here.",
    [VERB_EXPN] = "They want to know who is on a mailing list.",
    [VERB_HELP] = "They ask what we can do.",
    [VERB_TURN] = "They want to change roles, so that we send them mail.",
    [VERB_ETRN] = "They want us to send what waits for them.",
    [VERB_AUTH] = "They want to prove who they are by a password. What they send for it is never recorded.",
    [VERB_STARTTLS] = "They want to go on encrypted.",
    [VERB_XCLIENT] = "They want to speak for another client, as a machine in front of us does.",
};

static const char *const verdicts[] = {
    "That is no reason to turn anybody away: they may go on.",
    "So they are asked to come again later.",
    "So we refuse.",
    "So we hang up.",
    "So they are served slowly from here on.",
    "So their mail seems to be taken, and is thrown away.",
    "So their mail seems to be taken: they walked into a trap.",
};

static const char *const otherwise[] = {
    "nothing would have been done",
    "they would have been asked to come again later",
    "they would have been refused",
    "we would have hung up",
    "they would have been served slowly",
    "their mail would have been thrown away",
    "their mail would have gone into the trap",
};

static const char *const stages[] = {
    "when they had connected",           "when they had told their name", "when they had named the sender",
    "when they had named the recipient", "before they sent the message",  "when they had sent the message",
};

static const char *const states[] = {
    "Nothing has happened yet.",
    "We wait for the machine in front of us to say whom it speaks for.",
    "They have been greeted; we wait for their name.",
    "We wait for a message, or a goodbye.",
    "The sender is known; we wait for the recipients.",
    "A recipient is known; we wait for more of them, or for the message.",
    "We take the message in.",
    "We take a piece of the message in.",
    "We wait for the next piece of the message.",
    "The message is complete; we store it or pass it on.",
    "The two sides agree on how to encrypt.",
    "The line is closed.",
    "We hold our greeting back for a moment: who speaks before it gives itself away.",
    "They speak another language; we listen in silence to see what it is.",
};

static const char *const endings[] = {
    "The conversation goes on, or its end is not recorded.",
    "They said goodbye, as is proper.",
    "They hung up without saying goodbye.",
    "We hung up.",
    "They fell silent, and we hung up.",
    "We were being stopped, and hung up.",
    "Our own program was killed in the middle of it: the session ends here, and it is not their fault.",
};

const char *phrase_command(enum verb verb)
{
    return (unsigned)verb < COUNT(commands) ? commands[verb] : NULL;
}

const char *phrase_verdict(uint64_t verdict)
{
    return verdict < COUNT(verdicts) ? verdicts[verdict] : NULL;
}

const char *phrase_otherwise(uint64_t verdict)
{
    return verdict < COUNT(otherwise) ? otherwise[verdict] : NULL;
}

const char *phrase_stage(uint64_t stage)
{
    return stage < COUNT(stages) ? stages[stage] : NULL;
}

const char *phrase_state(uint64_t state)
{
    return state < COUNT(states) ? states[state] : NULL;
}

const char *phrase_ending(uint64_t why)
{
    return why < COUNT(endings) ? endings[why] : NULL;
}

const char *phrase_code(uint64_t code)
{
    static const char *const digits[] = {
        [2] = "Programs read only the number at the beginning: a 2 says yes.",
        [3] = "A 3 at the beginning says: go on.",
        [4] = "A 4 at the beginning says: not now, try again later. Mail servers do so by themselves, for "
              "days.",
        [5] = "A 5 at the beginning says no, and that it makes no sense to try again unchanged.",
    };
    return code / 100 < COUNT(digits) ? digits[code / 100] : NULL;
}

/* What our memory is asked for, by how its keys begin: checks and conduct name them. */
static const struct {
    const char *key;
    const char *asks;
} memories[] = {
    {"known host ", "We look up in our memory whether this computer has sent us good mail before."},
    {"known pool ", "We look up in our memory whether this computer's network has sent us good mail before."},
    {"known ", "We look up in our memory whether good mail came from there before."},
    {"ehlo ", "We look up in our memory whether they went away lately when EHLO was refused."},
    {"grey ", "We look up in our memory when they tried to send such a message for the first time."},
    {"greymsg ", "We look up in our memory when they brought this very message for the first time."},
    {"dictionary ", "We look up in our memory how many people who do not exist they have asked for lately."},
    {"rate ", "We look up in our memory how much has come from there within this hour."},
};

const char *phrase_memory(struct slice key)
{
    for (size_t i = 0; i < COUNT(memories); i++)
        if (slice_starts(key, slice_text(memories[i].key)))
            return memories[i].asks;
    return NULL;
}
