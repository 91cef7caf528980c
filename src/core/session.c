/* The session machine's frame: it takes inputs apart, keeps the state, the time and the memory. */
#include "core/machine.h"

#include "base/memory.h"

#include <assert.h>

static const char *const state_words[STATE_COUNT] = {"new",  "proxy",  "greeted", "ready",  "mail",
                                                     "rcpt", "data",   "chunk",   "bdat",   "storing",
                                                     "tls",  "closed", "held",    "foreign"};

/* Which states may follow which: bit sets by state. CLOSED may follow any. */
#define BIT(state) (1u << STATE_##state)
#define RESTING    (BIT(GREETED) | BIT(READY) | BIT(MAIL) | BIT(RCPT) | BIT(BDAT))
static const unsigned allowed[STATE_COUNT] = {
    [STATE_NEW] = BIT(PROXY) | BIT(HELD) | BIT(GREETED) | BIT(FOREIGN),
    [STATE_PROXY] = BIT(HELD) | BIT(GREETED) | BIT(FOREIGN),
    [STATE_GREETED] = BIT(READY) | BIT(TLS) | BIT(CHUNK) | BIT(FOREIGN),
    [STATE_READY] = BIT(GREETED) | BIT(MAIL) | BIT(TLS) | BIT(CHUNK),
    [STATE_MAIL] = BIT(RCPT) | RESTING | BIT(CHUNK),
    [STATE_RCPT] = BIT(DATA) | BIT(CHUNK) | RESTING,
    [STATE_DATA] = BIT(STORING) | RESTING,
    [STATE_CHUNK] = BIT(BDAT) | BIT(STORING) | RESTING,
    [STATE_BDAT] = BIT(CHUNK) | RESTING,
    [STATE_STORING] = RESTING,
    [STATE_TLS] = BIT(GREETED),
    [STATE_CLOSED] = 0,
    [STATE_HELD] = BIT(GREETED) | BIT(FOREIGN),
    [STATE_FOREIGN] = 0,
};

static_assert(sizeof(struct session) <= 512, "an idle session stays small: see Memory in ARCHITECTURE.md");

size_t session_size(void)
{
    return sizeof(struct session);
}

struct session *session_init(void *memory, const struct session_world *world, uint64_t id, struct slice room)
{
    struct session *session = memory;
    session->world = world;
    session->id = id;
    arena_init(&session->life, (void *)(uintptr_t)room.at, room.len);
    arena_init(&session->stage, NULL, 0);
    return session;
}

void session_set_state(struct step *step, enum state state)
{
    struct session *session = step->session;
    if (session->state == state)
        return;
    assert(state == STATE_CLOSED || allowed[session->state] & 1u << state);
    RECORD(step, state_changed, .from = session->state, .to = state);
    session->state = (uint8_t)state;
}

enum state session_rest_state(const struct session *session)
{
    if (session->mail && !session->mail->done) {
        if (session->mail->intake)
            return STATE_BDAT;
        return session->mail->transaction.recipient_count || session->mail->shed ? STATE_RCPT : STATE_MAIL;
    }
    return session->helo.len ? STATE_READY : STATE_GREETED;
}

/* --- memory -------------------------------------------------------------------------------------------- */

static void intake_free(struct session *session, struct intake *intake)
{
    if (!intake)
        return;
    session->world->digest->drop(intake->digest);
    header_drop(&intake->header);
    memory_give(intake, sizeof *intake);
}

static void mail_free(struct session *session)
{
    struct mail *mail = session->mail;
    if (!mail)
        return;
    intake_free(session, mail->intake);
    table_drop(&mail->addresses);
    arena_drop(&mail->arena);
    memory_give(mail, sizeof *mail);
    session->mail = NULL;
}

/* A promise that nobody may have heard is remembered: the retry gets its answer and nobody the message twice.
 */
static void keep_promise(struct step *step)
{
    const struct mail *mail = step->session->mail;
    if (!mail || !mail->promise.len || !step->session->world->site->set.relay_remember)
        return;
    step_tell(step, &(struct tell_item){TELL_PUT, mail->key, mail->promise,
                                        step->session->world->site->set.relay_remember});
}

void session_drop_mail(struct step *step)
{
    message_cancel(step);
    ahead_drop_mail(step);
    mail_free(step->session);
}

void session_drop_stage(struct step *step)
{
    struct session *session = step->session;
    for (const struct ask *ask = session->asks; ask; ask = ask->next)
        if (ask->status == ANSWER_PENDING)
            step_forget(step, ask->number);
    session->asks = NULL;
    session->progress = NULL;
    session->line = SLICE_NONE;
    session->pending = PENDING_NOTHING;
    arena_drop(&session->stage);
    if (session->ahead && !session->ahead->open)
        ahead_drop(step);
    for (struct ask *ask = session->ahead ? session->ahead->asks : NULL; ask; ask = ask->next)
        ask->needed = false;
}

void session_done(struct session *session)
{
    if (!session || !session->world)
        return;
    mail_free(session);
    ahead_free(session);
    conduct_free(session);
    arena_drop(&session->stage);
    arena_drop(&session->life);
}

/* --- the end ------------------------------------------------------------------------------------------- */

void session_close(struct step *step, enum ending ending, enum say last_word)
{
    struct session *session = step->session;
    if (session->state == STATE_CLOSED)
        return;
    slow_flush(step);
    if (last_word)
        say(step, last_word);
    session->ending = (uint8_t)ending;
    session_drop_stage(step);
    ahead_drop(step);
    message_cancel(step);
    /* Only a client that has gone without a word may have missed its 250; memory goes with session_done, so
     * that the key and value of the tell are good until then. */
    if (ending != END_QUIT)
        keep_promise(step);
    conduct_close(step, ending == END_QUIT);
    record_ending(step);
    session_set_state(step, STATE_CLOSED);
    step_act(step, OUTBOX_CLOSE);
}

static void client_gone(struct step *step)
{
    struct session *session = step->session;
    trace_moved(step, TRACE_CLOSED);
    session->gone = true;
    if (session->state == STATE_FOREIGN)
        tunnel_end(step, true);
    else if (session->state != STATE_STORING)
        session_close(step, END_CLIENT_CLOSED, SAY_NOTHING);
}

static void stop_when_idle(struct step *step)
{
    struct session *session = step->session;
    bool busy = session->state >= STATE_MAIL && session->state < STATE_CLOSED;
    if (session->stopping && !busy && !session->pending)
        session_close(step, END_STOPPED, SAY_SHUTTING_DOWN);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static uint64_t idle_deadline(const struct session *session)
{
    const struct settings *set = &session->world->site->set;
    bool content = session->state == STATE_DATA || session->state == STATE_CHUNK;
    return session->active_ms + (content ? set->limit_data_idle : set->limit_idle);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When the first open question was asked that something waits for. */
static uint64_t ask_deadline(const struct session *session, const struct ask *ask)
{
    return ask->asked_ms + (ask->wait_ms ? ask->wait_ms : session->world->site->set.limit_question);
}

static uint64_t first_deadline(const struct session *session, const struct ask *asks)
{
    uint64_t first = UINT64_MAX;
    for (const struct ask *ask = asks; ask; ask = ask->next)
        if (ask->status == ANSWER_PENDING && ask->needed)
            first = least(first, ask_deadline(session, ask));
    return first;
}

static uint64_t stage_deadline(const struct session *session)
{
    const struct ask *ahead = session->ahead ? session->ahead->asks : NULL;
    return least(first_deadline(session, session->asks), first_deadline(session, ahead));
}

#define RATE_GRACE_MS 60000

static bool content_too_slow(const struct session *session)
{
    const struct intake *intake = session->mail ? session->mail->intake : NULL;
    uint64_t rate = session->world->site->set.limit_data_rate;
    if (!intake || !rate || (session->state != STATE_DATA && session->state != STATE_CHUNK))
        return false;
    uint64_t took_ms = session->tick_ms - intake->started_ms;
    return took_ms >= RATE_GRACE_MS && intake->octets * 1000 / took_ms < rate;
}

static uint64_t next_deadline(const struct session *session)
{
    const struct settings *set = &session->world->site->set;
    if (session->state == STATE_STORING || session->state == STATE_CLOSED)
        return 0;
    uint64_t deadline = session->opened_ms + set->limit_session;
    deadline = least(deadline, hold_deadline(session));
    if (session->pending)
        return least(deadline, stage_deadline(session));
    if (session->state == STATE_FOREIGN)
        return deadline;
    deadline = least(deadline, idle_deadline(session));
    if (set->limit_data_rate && (session->state == STATE_DATA || session->state == STATE_CHUNK))
        deadline = least(deadline, session->tick_ms + RATE_GRACE_MS);
    return deadline;
}

static void time_out(struct step *step, struct ask *asks)
{
    const struct session *session = step->session;
    for (struct ask *ask = asks; ask; ask = ask->next) {
        if (ask->status != ANSWER_PENDING || !ask->needed)
            continue;
        ask->status = ANSWER_TIMEOUT;
        step_forget(step, ask->number);
        RECORD(step, question_answered, .kind = ask->kind, .key = ask->key, .status = ANSWER_TIMEOUT,
               .took_ms = session->tick_ms - ask->asked_ms);
    }
}

static void questions_time_out(struct step *step)
{
    struct session *session = step->session;
    time_out(step, session->asks);
    if (session->ahead)
        time_out(step, session->ahead->asks);
    session_resume(step);
}

static void time_passed(struct step *step)
{
    struct session *session = step->session;
    const struct settings *set = &session->world->site->set;
    if (session->state == STATE_STORING || session->state == STATE_CLOSED)
        return;
    if (!slow_drips(session))
        trace_moved(step, TRACE_TIME);
    if (session->tick_ms >= session->opened_ms + set->limit_session)
        session_close(step, END_TIMEOUT, SAY_SESSION_TOO_LONG);
    else if (session->tick_ms >= hold_deadline(session))
        hold_due(step);
    else if (session->pending && session->tick_ms >= stage_deadline(session))
        questions_time_out(step);
    else if (!session->pending && session->state != STATE_FOREIGN &&
             session->tick_ms >= idle_deadline(session))
        session_close(step, END_TIMEOUT, session->state == STATE_PROXY ? SAY_PROXY_BAD : SAY_IDLE_TOO_LONG);
    else if (content_too_slow(session))
        session_close(step, END_TIMEOUT, SAY_TOO_SLOW);
}

/* --- inputs -------------------------------------------------------------------------------------------- */

static struct ask *ask_numbered(struct ask *asks, uint32_t number)
{
    while (asks && asks->number != number)
        asks = asks->next;
    return asks;
}

static void answer_keep(struct step *step, const struct answer *answer)
{
    struct session *session = step->session;
    struct arena *arena = &session->stage;
    struct ask *ask = ask_numbered(session->asks, answer->number);
    if (!ask && session->ahead) {
        arena = &session->ahead->arena;
        ask = ask_numbered(session->ahead->asks, answer->number);
    }
    if (!ask || ask->status != ANSWER_PENDING)
        return;
    ask->status = (uint8_t)answer->status;
    ask->value = arena_copy(arena, answer->value);
    RECORD(step, question_answered, .kind = ask->kind, .key = ask->key, .status = ask->status,
           .value = ask->value, .took_ms = session->tick_ms - ask->asked_ms, .at = trace_at(step),
           .more = answer->more);
    session->answered = true;
    if (arena != &session->stage)
        session->ahead->answered = true;
}

/* Checks are run anew for all answers that have come together, not for each. */
static void answer_came(struct step *step)
{
    struct session *session = step->session;
    answer_keep(step, &step->input->answer);
    if (step->input->answer.more || !session->answered)
        return;
    session->answered = false;
    if (session->ahead && session->ahead->answered)
        ahead_resume(step);
    if (session->pending && stage_deadline(session) == UINT64_MAX)
        session_resume(step);
}

void session_resume(struct step *step)
{
    struct session *session = step->session;
    session->active_ms = session->tick_ms;
    switch ((enum pending)session->pending) {
    case PENDING_NOTHING: return;
    case PENDING_OPENING: opening_greet(step); return;
    case PENDING_COMMAND: command_resume(step); return;
    case PENDING_MESSAGE: finish_run(step); return;
    case PENDING_TIME: return;
    }
}

static void tls_up(struct step *step)
{
    struct session *session = step->session;
    const struct tls_facts *tls = &step->input->tls;
    if (session->state != STATE_TLS)
        return;
    trace_moved(step, TRACE_TLS_UP);
    RECORD(step, tls_started, .version = tls->version, .cipher = tls->cipher, .server_name = tls->server_name,
           .took_ms = session->tick_ms - session->active_ms);
    session->tls = arena_format(&session->life, "%.*s %.*s", SLICE_ARGS(tls->version),
                                SLICE_ARGS(tls->cipher));
    session->helo = SLICE_NONE; /* RFC 3207 section 4.2: all that was said before is forgotten */
    if (session->conduct)
        session->conduct->first_name = SLICE_NONE;
    session->active_ms = session->tick_ms;
    session_set_state(step, STATE_GREETED);
}

static void tls_failed(struct step *step)
{
    if (step->session->state != STATE_TLS)
        return;
    trace_moved(step, TRACE_TLS_FAILED);
    RECORD(step, tls_failed, .reason = step->input->tls.reason);
    session_close(step, END_CLIENT_CLOSED, SAY_NOTHING);
}

/* The first octets of all tell who does not speak SMTP; of a line of text its command will. */
static size_t greeted_take(struct step *step, struct slice octets)
{
    const struct session *session = step->session;
    bool text = !octets.len || ((unsigned char)*octets.at >= ' ' && (unsigned char)*octets.at < 0x7f);
    if (session->commands || text)
        return command_take(step, octets);
    switch (foreign_meet(step, octets)) {
    case FOREIGN_WAITS: return 0;
    case FOREIGN_TAKEN: return octets.len;
    case FOREIGN_IS_NOT: return command_take(step, octets);
    }
    return 0;
}

/* Octets that come while something is awaited. */
static size_t pending_look(struct step *step, struct slice octets)
{
    switch ((enum pending)step->session->pending) {
    case PENDING_TIME: return hold_look(step, octets);
    case PENDING_MESSAGE: overlap_note(step, octets); return 0;
    case PENDING_OPENING: return banner_early(step, octets);
    case PENDING_NOTHING:
    case PENDING_COMMAND: return 0;
    }
    return 0;
}

static size_t octets_take(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    if (session->pending)
        return pending_look(step, octets);
    switch ((enum state)session->state) {
    case STATE_PROXY: return opening_proxy(step, octets);
    case STATE_DATA: return message_take(step, octets);
    case STATE_CHUNK: return chunk_take(step, octets);
    case STATE_FOREIGN: return tunnel_take(step, octets);
    case STATE_GREETED: return greeted_take(step, octets);
    case STATE_READY:
    case STATE_MAIL:
    case STATE_RCPT:
    case STATE_BDAT: return command_take(step, octets);
    case STATE_CLOSED: return octets.len;
    case STATE_STORING: overlap_note(step, octets); return 0;
    case STATE_NEW:
    case STATE_HELD:
    case STATE_TLS:
    case STATE_COUNT: return 0;
    }
    return 0;
}

static size_t octets_came(struct step *step)
{
    struct session *session = step->session;
    struct slice octets = step->input->bytes;
    if (octets.len > session->offered) {
        session->active_ms = session->tick_ms;
        RECORD(step, octets_received, .count = octets.len - session->offered, .at = trace_at(step));
        trace_seen(step, octets);
    }
    enum state before = (enum state)session->state;
    uint32_t commands = session->commands;
    size_t taken = octets_take(step, octets);
    session->octets_in += taken;
    session->offered = (uint32_t)(octets.len - taken);
    if (taken && session->commands == commands)
        trace_taken(step, slice_head(octets, taken), before);
    if (taken && taken < octets.len && before == STATE_PROXY)
        trace_seen(step, slice_from(octets, taken));
    if (content_too_slow(session))
        session_close(step, END_TIMEOUT, SAY_TOO_SLOW);
    return taken;
}

/* As octets_came, for octets that nobody has any more. */
static size_t content_came(struct step *step)
{
    struct session *session = step->session;
    const struct content *content = &step->input->content;
    if (content->more)
        session->active_ms = session->tick_ms;
    size_t taken = content_take(step, content);
    session->octets_in += taken;
    session->offered = (uint32_t)(content->behind.len + content->count - taken);
    if (content_too_slow(session))
        session_close(step, END_TIMEOUT, SAY_TOO_SLOW);
    return taken;
}

static void stop_wanted(struct step *step)
{
    trace_moved(step, TRACE_STOP);
    step->session->stopping = true;
}

static size_t input_take(struct step *step)
{
    switch (step->input->kind) {
    case INPUT_OPENED: opening_run(step); return 0;
    case INPUT_BYTES: return octets_came(step);
    case INPUT_ANSWER: answer_came(step); return 0;
    case INPUT_TIMER: time_passed(step); return 0;
    case INPUT_TLS_UP: tls_up(step); return 0;
    case INPUT_TLS_FAILED: tls_failed(step); return 0;
    case INPUT_STORED: finish_stored(step); return 0;
    case INPUT_EOF: client_gone(step); return 0;
    case INPUT_STOP: stop_wanted(step); return 0;
    case INPUT_CONTENT: return content_came(step);
    }
    return 0;
}

size_t session_step(struct session *session, const struct input *input, struct outbox *outbox)
{
    struct step step = {session, input, outbox};
    session->taking = 0;
    session->dripped = false;
    size_t start = outbox->send.len;
    session->tick_ms = input->now_ms;
    arena_drop(&outbox->texts);
    if (input->due_ms && input->due_ms < input->now_ms && input->kind != INPUT_TIMER)
        trace_passed(&step);
    size_t taken = session->state == STATE_CLOSED ? 0 : input_take(&step);
    stop_when_idle(&step);
    if (outbox->send.len > start)
        slow_take(&step, start);
    outbox->timer_ms = next_deadline(session);
    return taken;
}

/* --- questions from outside ---------------------------------------------------------------------------- */

const char *session_state_word(const struct session *session)
{
    return state_words[session->state];
}

bool session_is_waiting(const struct session *session)
{
    return session->pending || session->state == STATE_STORING || session->state == STATE_TLS;
}

bool session_in_transaction(const struct session *session)
{
    return session->mail && !session->mail->done;
}
