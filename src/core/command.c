/* Lines become commands, and each command runs its row: parse (syntax and order), the stage (checks and
 * policy), proceed. While a stage waits, its line is kept and the row is run again from its top. */
#include "core/machine.h"

#include "base/text.h"
#include "wire/line.h"
#include "wire/plain.h"

struct row {
    bool (*parse)(struct turn *turn);
    void (*proceed)(struct turn *turn);
    enum stage stage; /* STAGE_COUNT: none */
};

#define ROW(name, stage)                                                                                     \
    {                                                                                                        \
        command_##name##_parse, command_##name##_proceed, stage                                              \
    }
static const struct row rows[VERB_COUNT] = {
    [VERB_NONE] = ROW(empty, STAGE_COUNT),        [VERB_UNKNOWN] = ROW(unknown, STAGE_COUNT),
    [VERB_HELO] = ROW(helo, STAGE_HELO),          [VERB_EHLO] = ROW(ehlo, STAGE_HELO),
    [VERB_LHLO] = ROW(unknown, STAGE_COUNT),      [VERB_MAIL] = ROW(mail, STAGE_MAIL),
    [VERB_RCPT] = ROW(rcpt, STAGE_RCPT),          [VERB_DATA] = ROW(data, STAGE_DATA),
    [VERB_BDAT] = ROW(bdat, STAGE_DATA),          [VERB_RSET] = ROW(rset, STAGE_COUNT),
    [VERB_NOOP] = ROW(noop, STAGE_COUNT),         [VERB_QUIT] = ROW(quit, STAGE_COUNT),
    [VERB_VRFY] = ROW(vrfy, STAGE_COUNT),         [VERB_EXPN] = ROW(expn, STAGE_COUNT),
    [VERB_HELP] = ROW(help, STAGE_COUNT),         [VERB_TURN] = ROW(turn, STAGE_COUNT),
    [VERB_ETRN] = ROW(turn, STAGE_COUNT),         [VERB_AUTH] = ROW(turn, STAGE_COUNT),
    [VERB_STARTTLS] = ROW(starttls, STAGE_COUNT), [VERB_XCLIENT] = ROW(xclient, STAGE_COUNT),
};

static bool octets_allowed(struct step *step, const struct line *line, const struct command *command)
{
    if (line->nul) {
        record_finding(step, FIND_NUL, SLICE("a NUL octet in a command"));
        return false;
    }
    for (size_t i = plain_len(line->text); i < line->text.len; i++)
        if (((unsigned char)line->text.at[i] < 0x20 && line->text.at[i] != '\t') || line->text.at[i] == 0x7f)
            return false;
    bool has_address = command->verb == VERB_MAIL || command->verb == VERB_RCPT || command->verb == VERB_VRFY;
    if (!line->eight_bit || (has_address && slice_is_utf8(line->text)))
        return true;
    record_finding(step, FIND_EIGHT_BIT, SLICE("octets above 127 in a command"));
    return false;
}

static void run(struct turn *turn)
{
    struct session *session = turn->step->session;
    const struct row *row = &rows[turn->command.verb];
    if (!overlap_judge(turn) || !row->parse(turn))
        return;
    if (row->stage != STAGE_COUNT && !stage_run(turn, row->stage))
        return;
    if (row->stage == STAGE_COUNT && turn->found_count && !policy_judge(turn, STAGE_HELO))
        return;
    if (session->state != STATE_CLOSED)
        row->proceed(turn);
}

static void record_refused_recipient(struct turn *turn)
{
    const struct session *session = turn->step->session;
    if (turn->command.verb != VERB_RCPT || !session->mail || !turn->path.whole.len)
        return;
    const struct route *route = turn->facts.route;
    RECORD(turn->step, recipient_judged, .transaction = session->mail->transaction.number,
           .recipient = turn->facts.recipient_address.len ? turn->facts.recipient_address : turn->path.whole,
           .code = say_info(session->said)->code, .number = session->said,
           .route = route ? route->name : SLICE_NONE);
}

/* A list with dead addresses in it is no attack, and whoever is told to come again has done nothing wrong. */
static bool counts_as_error(enum say said)
{
    return say_info(said)->code >= 500 && said != SAY_UNKNOWN_RECIPIENT &&
           said != SAY_UNKNOWN_RECIPIENT_INNER;
}

/* Told once; where the policy lets it pass, limits.commands is the end. */
static void too_many_errors(struct step *step)
{
    if (step->session->found[FIND_ERRORS / 64] & UINT64_C(1) << (FIND_ERRORS % 64))
        return;
    record_finding(step, FIND_ERRORS, SLICE("too many commands were refused"));
    if (conduct_drops(step->session, FIND_ERRORS))
        session_close(step, END_BY_US, SAY_TOO_MANY_ERRORS);
}

/* After a command: does it wait, was it refused, have there been too many? */
static void settle(struct turn *turn, struct slice line, uint32_t negatives_before)
{
    struct step *step = turn->step;
    struct session *session = step->session;
    const struct settings *set = &session->world->site->set;
    if (turn->waiting) {
        session->pending = PENDING_COMMAND;
        if (!session->line.at)
            session->line = arena_copy(&session->stage, line);
        return;
    }
    if (session->negatives > negatives_before) {
        session->errors += counts_as_error(session->said);
        record_refused_recipient(turn);
    }
    /* The turn's slices may point into the stage's memory: it goes last. */
    bool goes_on = session->pending == PENDING_MESSAGE || session->pending == PENDING_OPENING;
    if (!goes_on && (session->pending || session->asks || session->ahead))
        session_drop_stage(step);
    if (session->state != STATE_CLOSED && session->errors > set->limit_errors)
        too_many_errors(step);
}

static void execute(struct step *step, const struct command *command, struct slice line, size_t behind)
{
    uint32_t negatives = step->session->negatives;
    struct turn turn;
    turn_init(&turn, step);
    turn.command = *command;
    turn.line = line;
    turn.behind = behind;
    run(&turn);
    settle(&turn, line, negatives);
    turn_done(&turn);
}

void command_resume(struct step *step)
{
    struct command command;
    struct slice line = step->session->line;
    command_parse(line, &command);
    execute(step, &command, line, step->session->offered);
}

/* A client that does not read our refusal of AUTH goes on with it: name, password and what else the mechanism
 * wants, a line each. */
#define SECRET_LINES 3

static void look_for_secret(struct session *session, const struct command *command)
{
    session->secret = session->secret_lines && command->verb == VERB_UNKNOWN;
    if (command->verb == VERB_AUTH)
        session->secret_lines = SECRET_LINES;
    else
        session->secret_lines = session->secret ? (uint8_t)(session->secret_lines - 1) : 0;
}

/* The journal never sees what AUTH carries (RFC 4954): the word and the mechanism stay. */
static struct slice without_secret(const struct session *session, const struct command *command,
                                   struct slice line, struct arena *arena)
{
    if (session->secret)
        return SLICE("****");
    if (command->verb != VERB_AUTH)
        return line;
    struct slice rest = command->argument, mechanism;
    if (!slice_word(&rest, &mechanism))
        return line;
    return arena_format(arena, "%.*s %.*s%s", SLICE_ARGS(command->word),
                        SLICE_ARGS(slice_head(mechanism, 32)), slice_trim(rest).len ? " ****" : "");
}

#define LINE_KEPT 1000
#define REST_KEPT 60000

static void record_line(struct step *step, const struct command *command, const struct line *line)
{
    char room[128];
    struct arena arena;
    arena_init(&arena, room, sizeof room);
    struct slice text = without_secret(step->session, command, line->text, &arena);
    RECORD(step, line_received, .text = slice_head(text, LINE_KEPT),
           .waited_ms = step->session->tick_ms - step->session->said_ms, .octets = line->taken,
           .rest = slice_head(slice_from(text, text.len < LINE_KEPT ? text.len : LINE_KEPT), REST_KEPT),
           .at = trace_at(step), .shape = text.at == line->text.at ? 0 : trace_shape(command, line));
    arena_drop(&arena);
}

/* BDAT is answered behind its chunk, and at the end of the message that is the answer. */
static enum stage stage_of(enum verb verb)
{
    switch (verb) {
    case VERB_HELO:
    case VERB_EHLO: return STAGE_HELO;
    case VERB_MAIL: return STAGE_MAIL;
    case VERB_RCPT: return STAGE_RCPT;
    case VERB_DATA: return STAGE_DATA;
    default: return STAGE_COUNT;
    }
}

static void line_run(struct step *step, const struct line *line, size_t behind)
{
    struct session *session = step->session;
    struct command command;
    command_parse(line->text, &command);
    look_for_secret(session, &command);
    record_line(step, &command, line);
    say_within(step, stage_of(command.verb));
    tunnel_line(step, line->text);
    if (session->mail && session->mail->done)
        session_drop_mail(step); /* the client speaks: it has got our 250 */
    if (++session->commands > session->world->site->set.limit_commands) {
        session_close(step, END_BY_US, SAY_TOO_MANY_COMMANDS);
        return;
    }
    if (line->bare_lf || line->bare_cr)
        record_finding(step, FIND_BARE_NEWLINE, SLICE("a command line that does not end in CRLF"));
    if (!octets_allowed(step, line, &command)) {
        session->errors++;
        say(step, SAY_BAD_OCTETS);
        return;
    }
    session->verb = (uint8_t)command.verb;
    session->overlapped = false;
    execute(step, &command, line->text, behind);
}

static void line_too_long(struct step *step)
{
    record_finding(step, FIND_LONG_LINE, SLICE("a command line over the limit"));
    step->session->skipping = false;
    step->session->errors++;
    say(step, SAY_LINE_TOO_LONG);
}

/* The request line of a web client may be longer than any command. */
static size_t long_take(struct step *step, struct slice octets, size_t taken)
{
    struct session *session = step->session;
    bool first = session->state == STATE_GREETED && !session->commands && !session->skipping;
    if (first && foreign_meet(step, octets) == FOREIGN_TAKEN)
        return octets.len;
    session->skipping = true;
    return taken;
}

size_t command_take(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct line line;
    switch (line_take(octets, session->world->site->set.limit_line, &line)) {
    case LINE_PARTIAL: return 0;
    case LINE_LONG: return long_take(step, octets, line.taken);
    case LINE_DONE: break;
    }
    session->taking = (uint32_t)line.taken;
    if (session->skipping)
        line_too_long(step);
    else
        line_run(step, &line, octets.len - line.taken);
    session->active_ms = session->tick_ms;
    return line.taken;
}
