/* The banner: strangers wait for it, and who speaks first gives itself away (RFC 5321 section 3.1: the client
 * waits for the greeting). Its first line may go out at once, as a teaser: some take it for the whole. */
#include "core/machine.h"

static struct slice first_line(const struct site *site, struct arena *arena)
{
    struct slice text = site->banner_count ? site->banner[0] : SLICE("Postern");
    return arena_join(arena, arena_join(arena, site->set.host_name, SLICE(" ESMTP ")), text);
}

/* The lines behind the first; a teaser needs one, whatever the administrator has set. */
static struct slice further_lines(const struct site *site, struct arena *arena)
{
    struct slice text = SLICE_NONE;
    for (size_t i = 1; i < site->banner_count; i++)
        text = arena_join(arena, i > 1 ? arena_join(arena, text, SLICE("\n")) : text, site->banner[i]);
    return text;
}

/* A suspect has to read much. */
static struct slice lines_stretch(const struct session *session, struct slice text, struct arena *arena)
{
    const struct site *site = session->world->site;
    size_t count = site->banner_count ? site->banner_count : 1;
    if (!slow_is_meant(session))
        return text;
    for (; count < site->set.slow_banner_lines; count++)
        text = arena_join(arena, text.len ? arena_join(arena, text, SLICE("\n")) : text,
                          SLICE("one moment, please"));
    return text;
}

static void say_banner(struct step *step, bool whole)
{
    const struct site *site = step->session->world->site;
    char room[1024];
    struct arena arena;
    arena_init(&arena, room, sizeof room);
    struct slice text = lines_stretch(step->session, further_lines(site, &arena), &arena);
    if (!whole && !text.len)
        text = SLICE("ready");
    if (whole && text.len)
        text = arena_join(&arena, arena_join(&arena, first_line(site, &arena), SLICE("\n")), text);
    else if (whole)
        text = first_line(site, &arena);
    say_text(step, SAY_BANNER, text);
    arena_drop(&arena);
}

static void say_teaser(struct step *step)
{
    char room[512];
    struct arena arena;
    arena_init(&arena, room, sizeof room);
    say_begin(step, SAY_BANNER, first_line(step->session->world->site, &arena));
    conduct_of(step->session)->teased = true;
    arena_drop(&arena);
}

void banner_end(struct step *step)
{
    struct session *session = step->session;
    say_banner(step, !session->conduct || !session->conduct->teased);
    session_set_state(step, STATE_GREETED);
}

/* A client behind XCLIENT has no connection of its own to speak in. */
static bool is_tested(const struct session *session)
{
    bool fresh = session->state == STATE_NEW || session->state == STATE_PROXY || session->state == STATE_HELD;
    return fresh && conduct_tests(session);
}

/* The time that questions took counts. */
static uint64_t due_ms(const struct session *session)
{
    if (!is_tested(session))
        return 0;
    return session->opened_ms + session->world->site->set.banner_delay;
}

void banner_begin(struct step *step)
{
    struct session *session = step->session;
    uint64_t due = due_ms(session);
    if (due <= session->tick_ms) {
        banner_end(step);
        return;
    }
    if (session->world->site->set.banner_teaser)
        say_teaser(step);
    session_set_state(step, STATE_HELD);
    hold_begin(step, HOLD_BANNER, due);
}

/* What AUTH carries is never recorded (RFC 4954), however early it comes. */
static struct slice shown(struct slice line)
{
    return slice_starts_fold(line, SLICE("AUTH")) ? SLICE("AUTH ****") : slice_head(line, 64);
}

static void find_early(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct turn turn;
    turn_init(&turn, step);
    struct slice line = slice_head(octets, slice_find(octets, '\n'));
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    turn_find(&turn, FIND_EARLY_TALK, "it spoke %llu ms after connecting, %s: \"%.*s\"",
              (unsigned long long)(session->tick_ms - session->opened_ms),
              session->conduct->teased ? "after the banner's first line only" : "before the banner",
              SLICE_ARGS(shown(line)));
    policy_judge(&turn, STAGE_CONNECT);
    turn_done(&turn);
}

size_t banner_early(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct conduct *conduct;
    if (!octets.len || !is_tested(session))
        return 0;
    conduct = conduct_of(session);
    switch (foreign_meet(step, octets)) {
    case FOREIGN_WAITS: return 0;
    case FOREIGN_TAKEN: return octets.len;
    case FOREIGN_IS_NOT: break;
    }
    if (!conduct->early) {
        conduct->early = true;
        find_early(step, octets);
    }
    return session->state == STATE_CLOSED ? octets.len : 0;
}
