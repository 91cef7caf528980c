/* One message of an archive, in a session of its own with the machine itself. */
#include "cli/play_mbox.h"

#include "base/text.h"
#include "daemon/trial.h"

const char *play_end_word(enum play_end end)
{
    static const char *const words[PLAY_END_COUNT] = {"accepted", "deferred", "rejected"};

    return words[end];
}

/* --- what the record answers --------------------------------------------------------------------------- */

struct scene {
    const struct archived *archived;
    struct suffix *suffix;
    struct arena *arena;
    struct trial *trial;
    struct slice client; /* its address as text */
    unsigned code;       /* of the last reply */
    struct slice reply;
    bool complete; /* that was the message's */
};

static bool answer_is(struct answer *answer, enum answer_status status, struct slice value)
{
    answer->status = status;
    answer->value = value;
    return true;
}

static bool pointer_answer(const struct scene *scene, struct answer *ret_answer)
{
    const struct archived *archived = scene->archived;

    if (!archived->looked_up)
        return false;
    if (!archived->name.len)
        return answer_is(ret_answer, ANSWER_NONE, SLICE("no such name"));
    return answer_is(ret_answer, ANSWER_FOUND, archived->name);
}

/* Only of the client's own name the record tells whether it leads to the client. */
static bool address_answer(const struct scene *scene, enum ask_kind kind, struct slice key,
                           struct answer *ret_answer)
{
    const struct archived *archived = scene->archived;
    const bool six = archived->client.family == ADDRESS_IPV6;

    if (!archived->name.len || !slice_equal(key, archived->name))
        return false;
    if (archived->forged || (kind == ASK_ADDRESS6) != six)
        return answer_is(ret_answer, ANSWER_NONE, SLICE("no such data"));
    return answer_is(ret_answer, ANSWER_FOUND, scene->client);
}

/* That is no matter of the time, or hardly. */
static bool registered_answer(const struct scene *scene, struct slice key, struct answer *ret_answer)
{
    if (!scene->suffix)
        return false;
    const struct slice domain = suffix_registered(scene->suffix, key, scene->arena);
    return answer_is(ret_answer, domain.len ? ANSWER_FOUND : ANSWER_NONE, domain);
}

/* Recipients of an archive did exist. What the record does not tell is not known (see daemon/trial.h). */
static bool scene_answer(void *data, enum ask_kind kind, struct slice key, struct answer *ret_answer)
{
    const struct scene *scene = data;

    switch (kind) {
    case ASK_RECIPIENT: return answer_is(ret_answer, ANSWER_FOUND, SLICE("8bitmime smtputf8 dsn size"));
    case ASK_POINTER: return slice_equal(key, scene->client) && pointer_answer(scene, ret_answer);
    case ASK_ADDRESS4:
    case ASK_ADDRESS6: return address_answer(scene, kind, key, ret_answer);
    case ASK_REGISTERED: return registered_answer(scene, key, ret_answer);
    default: return false;
    }
}

/* --- the dialogue -------------------------------------------------------------------------------------- */

/* The reply's hundreds; 0 where none comes. */
static unsigned hear(struct scene *scene)
{
    const struct slice reply = trial_hear(scene->trial);
    uint64_t code = 0;

    if (!reply.len)
        return 0;
    (void)text_parse_u64(slice_head(reply, 3), &code);
    scene->code = (unsigned)code;
    scene->reply = arena_copy(scene->arena, slice_head(reply, slice_find(reply, '\r')));
    return scene->code / 100;
}

static unsigned say(struct scene *scene, const char *before, struct slice text, const char *behind)
{
    if (trial_is_over(scene->trial))
        return 0;
    trial_say(scene->trial, arena_format(scene->arena, "%s%.*s%s\r\n", before, SLICE_ARGS(text), behind));
    return hear(scene);
}

static bool greet(struct scene *scene)
{
    if (hear(scene) != 2)
        return false;
    return (scene->archived->esmtp && say(scene, "EHLO ", scene->archived->helo, "") == 2) ||
           say(scene, "HELO ", scene->archived->helo, "") == 2;
}

/* Of recipients elsewhere the archive's owner was one, too. */
static struct slice recipient_of(const struct site *site, const struct scene *scene)
{
    const struct slice address = scene->archived->recipient;
    const size_t at = slice_find_last(address, '@');

    if (at != SLICE_NOT_FOUND && site_route(site, slice_from(address, at + 1), false))
        return address;
    return arena_format(scene->arena, "archive@%.*s", SLICE_ARGS(site->routes[0].name));
}

static void converse(struct scene *scene, const struct site *site)
{
    if (greet(scene) && say(scene, "MAIL FROM:<", scene->archived->sender, ">") == 2 &&
        say(scene, "RCPT TO:<", recipient_of(site, scene), ">") == 2 &&
        say(scene, "DATA", SLICE_NONE, "") == 3) {
        trial_say_content(scene->trial, scene->archived->content);
        scene->complete = hear(scene) > 0;
    }
}

/* --- what came of it ----------------------------------------------------------------------------------- */

static enum play_end end_of(const struct scene *scene)
{
    if (scene->complete && scene->code / 100 == 2)
        return PLAY_ACCEPTED;
    return scene->code / 100 == 4 && scene->code != 421 ? PLAY_DEFERRED : PLAY_REJECTED;
}

static void history_look(struct played *played)
{
    for (size_t i = 0; i < played->history.count; i++) {
        const struct event *event = &played->history.events[i];
        if (event->kind == EVENT_KIND_finding && event->body.finding.finding < FIND_LIMIT)
            played->found[event->body.finding.finding] = true;
        if (event->kind == EVENT_KIND_verdict && event->body.verdict.sum > played->sum)
            played->sum = event->body.verdict.sum;
    }
}

void play_message(const struct play_ground *ground, const struct archived *archived, struct arena *arena,
                  struct played *ret_played)
{
    struct scene scene = {.archived = archived, .suffix = ground->suffix, .arena = arena};
    char address[ADDRESS_TEXT_SIZE];

    scene.client = slice_of(address, address_print(&archived->client, address));
    scene.trial = trial_new(&(struct trial_settings){
        .site = ground->site,
        .peer = archived->client,
        .unix_us = ground->unix_seconds * 1000000,
        .store = ground->store,
        .answer = scene_answer,
        .data = &scene,
    });
    converse(&scene, ground->site);
    *ret_played = (struct played){.end = end_of(&scene), .reply = scene.reply};
    (void)say(&scene, "QUIT", SLICE_NONE, "");
    trial_leave(scene.trial);
    history_init(&ret_played->history, 0);
    history_add(&ret_played->history, trial_records(scene.trial));
    history_look(ret_played);
    trial_free(scene.trial);
}
