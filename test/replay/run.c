/* Plays a script in six ways: as written; octet by octet; with answers in any order and checks run
 * needlessly; with the client's lines joined; with every question timed out; with the client gone at every
 * step. The first checks the script's own words. The next three must give the same transcript; in the last
 * two the invariants must hold. */
#include "replay.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct play {
    const struct script *script;
    struct world world;
    size_t heard_at; /* what was matched so far */
    size_t events_at;
    size_t content_at;
    size_t told_at;
    bool checking;
    bool joined;
    unsigned stop_after; /* orders; 0: all */
    const char *way;
};

static bool fault(const struct play *play, const struct order *order, const char *what, struct slice got)
{
    struct buf text;
    buf_init(&text, 4096);
    text_escape(&text, slice_head(got, 300), true);
    printf("# %s:%u: (%s) %s%s%.*s\n", play->script->file, order ? order->line : 0, play->way, what,
           got.len ? ": " : "", SLICE_ARGS(buf_slice(&text)));
    buf_drop(&text);
    return false;
}

/* --- what the script expects ---------------------------------------------------------------------------- */

static bool next_line(struct slice all, size_t *at, struct slice *ret_line)
{
    struct slice rest = slice_from(all, *at);
    size_t end = slice_find(rest, '\n');
    if (end == SLICE_NOT_FOUND)
        return false;
    *ret_line = slice_head(rest, end);
    if (ret_line->len && ret_line->at[ret_line->len - 1] == '\r')
        ret_line->len--;
    *at += end + 1;
    return true;
}

static bool expect_line(struct play *play, const struct order *order, const struct buf *buf, size_t *at)
{
    struct slice line;
    if (!next_line(buf_slice(buf), at, &line))
        return fault(play, order, "expected a line, but nothing came", order->text);
    struct arena arena;
    arena_init(&arena, NULL, 0);
    bool fits = text_match(unescape(&arena, order->text), line);
    arena_drop(&arena);
    return fits || fault(play, order, "expected something else, got", line);
}

/* A later one than those matched before. */
static bool expect_tell(struct play *play, const struct order *order)
{
    struct slice line, pattern = unescape(&play->world.arena, order->text);
    while (next_line(buf_slice(&play->world.told), &play->told_at, &line))
        if (text_match(pattern, line))
            return true;
    return fault(play, order, "nothing like it was told", order->text);
}

static struct slice field_text(const struct event *event, const struct event_field *field, char room[64])
{
    const void *value = (const char *)&event->body + field->offset;
    switch (field->type) {
    case EVENT_TYPE_TEXT: return *(const struct slice *)value;
    case EVENT_TYPE_NUMBER:
        return slice_of(room, (size_t)snprintf(room, 64, "%llu", *(const unsigned long long *)value));
    case EVENT_TYPE_ADDRESS: return slice_of(room, address_port_print(value, room));
    }
    return SLICE_NONE;
}

static bool field_fits(const struct event *event, struct slice name, struct slice pattern)
{
    char room[64];
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        if (!slice_equal(name, slice_text(field->name)))
            continue;
        if (event->kind == EVENT_KIND_finding && slice_equal(name, SLICE("finding")) &&
            text_is_alpha(*pattern.at))
            return text_match(pattern, slice_text(finding_info((unsigned)event->body.finding.finding)->word));
        return text_match(pattern, field_text(event, field, room));
    }
    return false;
}

/* FIELD=PATTERN …; a pattern with blanks stands in quotes. */
static bool event_fits(const struct event *event, struct slice conditions)
{
    struct slice name, pattern;
    conditions = slice_trim(conditions);
    while (conditions.len) {
        slice_cut(&conditions, '=', &name);
        if (conditions.len && *conditions.at == '"') {
            conditions = slice_from(conditions, 1);
            slice_cut(&conditions, '"', &pattern);
        } else
            slice_cut(&conditions, ' ', &pattern);
        if (!field_fits(event, slice_trim(name), pattern))
            return false;
        conditions = slice_trim(conditions);
    }
    return true;
}

static bool expect_event(struct play *play, const struct order *order)
{
    struct slice conditions = order->text, word;
    slice_word(&conditions, &word);
    struct slice records = slice_from(buf_slice(&play->world.events), play->events_at);
    struct event event;
    size_t size;
    while (records.len && event_read(records, &event, &size) == EVENT_DONE) {
        play->events_at += size;
        if (slice_equal(word, slice_text(event.info->word)) && event_fits(&event, conditions))
            return true;
        records = slice_from(records, size);
    }
    return fault(play, order, "no such event", order->text);
}

static bool expect_ask(struct play *play, const struct order *order)
{
    struct slice key = order->text, word;
    slice_word(&key, &word);
    enum ask_kind kind = ASK_NOTHING;
    ask_kind_parse(word, &kind);
    for (size_t i = 0; i < play->world.ask_count; i++)
        if (play->world.asks[i].kind == kind && text_match(slice_trim(key), play->world.asks[i].key)) {
            play->world.last_ask = play->world.asks[i].number;
            return true;
        }
    return fault(play, order, "was not asked", order->text);
}

/* --- what the script does --------------------------------------------------------------------------------
 */

static void do_answer(struct play *play, const struct order *order)
{
    struct slice value = order->text;
    enum answer_status status;
    if (play->world.all_time_out)
        return;
    if (!answer_read(&value, &status)) {
        fault(play, order, "no answer", order->text);
        play->world.broken = "an answer of the script cannot be read";
        return;
    }
    value = unescape(&play->world.arena, slice_trim(value));
    world_answer(&play->world, play->world.last_ask, status, value);
    world_settle(&play->world);
}

static void do_stored(struct play *play, const struct order *order)
{
    static const char *const statuses[] = {"kept", "taken", "refused", "deferred",
                                           "down", "late",  "failed",  "full"};
    struct slice rest = order->text, word, code;
    struct stored stored = {.server = SLICE("192.0.2.80:25"), .octets = 1};
    slice_word(&rest, &word);
    for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (slice_equal(word, slice_text(statuses[i])))
            stored.status = i;
    struct slice after = rest;
    uint64_t number;
    if (slice_word(&after, &code) && text_parse_u64(code, &number) && number < 600) {
        stored.code = (uint16_t)number;
        slice_word(&after, &stored.enhanced);
        rest = after;
    }
    stored.text = slice_trim(rest);
    if (stored.status == STORED_KEPT)
        stored.queue_id = stored.text;
    if (play->world.committed)
        world_stored(&play->world, &stored);
    world_settle(&play->world);
}

static void do_tls(struct play *play, const struct order *order)
{
    struct input input = {
        .kind = INPUT_TLS_UP,
        .tls = {SLICE("TLSv1.3"), SLICE("TLS_AES_256_GCM_SHA384"), SLICE("mx.example"), SLICE_NONE}};
    if (slice_starts(order->text, SLICE("failed"))) {
        input.kind = INPUT_TLS_FAILED;
        input.tls.reason = slice_trim(slice_from(order->text, 6));
    }
    if (!play->world.start_tls)
        return;
    play->world.start_tls = false;
    world_input(&play->world, &input);
    world_settle(&play->world);
}

static void do_plain(struct play *play, enum input_kind kind)
{
    world_input(&play->world, &(struct input){.kind = kind});
    world_settle(&play->world);
}

/* Whether the next line may be sent without waiting for this one's reply (RFC 2920): both in the same breath,
 * and this one no command whose reply must be awaited. */
static bool may_join(const struct order *order, struct slice line)
{
    struct command command;
    if (!order || (order->kind != DO_SEND && order->kind != DO_RAW))
        return false;
    command_parse(slice_trim(slice_head(line, line.len - 2)), &command);
    return command.verb == VERB_MAIL || command.verb == VERB_RCPT || command.verb == VERB_RSET;
}

static const struct order *next_send(const struct order *order)
{
    for (order = order->next; order; order = order->next)
        if (order->kind != DO_EXPECT && order->kind != DO_EVENT && order->kind != DO_STATE &&
            order->kind != DO_QUIET)
            break;
    return order;
}

static void do_send(struct play *play, const struct order *order)
{
    struct world *world = &play->world;
    bool command_state = session_state_word(world->session)[0] != 'd' &&
                         session_state_word(world->session)[0] != 'c';
    if (play->joined && order->kind == DO_SEND && order->text.len > 2 && command_state &&
        world->session->esmtp && may_join(next_send(order), order->text)) {
        buf_add(&world->waiting, order->text);
        return;
    }
    world_send(world, order->text);
}

static void act(struct play *play, const struct order *order)
{
    switch (order->kind) {
    case DO_OPEN: world_open(&play->world, order->text); return;
    case DO_SEND:
    case DO_RAW: do_send(play, order); return;
    case DO_ANSWER: do_answer(play, order); return;
    case DO_STORED: do_stored(play, order); return;
    case DO_TLS: do_tls(play, order); return;
    case DO_EOF: do_plain(play, INPUT_EOF); return;
    case DO_STOP: do_plain(play, INPUT_STOP); return;
    case DO_DISK: play->world.shared.short_of_disk = slice_equal(order->text, SLICE("short")); return;
    default: return;
    }
}

static bool check(struct play *play, const struct order *order)
{
    struct world *world = &play->world;
    switch (order->kind) {
    case DO_EXPECT: return expect_line(play, order, &world->heard, &play->heard_at);
    case DO_CONTENT: return expect_line(play, order, &world->content, &play->content_at);
    case DO_TELL: return expect_tell(play, order);
    case DO_EVENT: return expect_event(play, order);
    case DO_QUIET:
        return play->heard_at == world->heard.len ||
               fault(play, order, "the server said more",
                     slice_from(buf_slice(&world->heard), play->heard_at));
    case DO_CLOSED: return world->closed || fault(play, order, "the session goes on", world_state(world));
    case DO_STATE:
        return slice_equal(order->text, world_state(world)) ||
               fault(play, order, "the state is", world_state(world));
    case DO_COMMIT:
        play->content_at = 0;
        return ((world->committed || !world_by_hand(world, "commit")) &&
                text_match(unescape(&world->arena, order->text), world->commit_text)) ||
               fault(play, order, "the commit is", world->commit_text);
    default: return true;
    }
}

/* An `ask` only makes sense where the script answers for itself, as written. */
static bool orders_play(struct play *play)
{
    unsigned count = 0;
    for (const struct order *order = play->script->orders; order; order = order->next) {
        if (play->stop_after && count++ == play->stop_after)
            break;
        world_until(&play->world, order->at_ms);
        bool fine = order->kind != DO_ASK || play->world.all_time_out || expect_ask(play, order) ||
                    !play->checking;
        act(play, order);
        if (!fine || (play->checking && !check(play, order)))
            return false;
        if (play->world.broken)
            return fault(play, order, play->world.broken, SLICE_NONE);
    }
    return true;
}

/* --- the invariants at the end ---------------------------------------------------------------------------
 */

static void settle_commit(struct world *world)
{
    if (world->committed)
        world_stored(world, &(struct stored){.status = STORED_KEPT, .queue_id = SLICE("late.1")});
}

/* The client goes; whatever was under way must come to its end, and nothing be left behind. */
static bool end_play(struct play *play)
{
    struct world *world = &play->world;
    if (!world->closed)
        world_input(world, &(struct input){.kind = INPUT_EOF});
    settle_commit(world);
    if (world->start_tls && !world->closed)
        world_input(world, &(struct input){.kind = INPUT_TLS_FAILED, .tls = {.reason = SLICE("gone")}});
    if (world->broken)
        return fault(play, NULL, world->broken, SLICE_NONE);
    if (!world->closed)
        return fault(play, NULL, "the session does not end when the client has gone", world_state(world));
    if (world->ask_count)
        return fault(play, NULL, "a question is left open", world->asks[0].key);
    return !world->spooling || fault(play, NULL, "a message is left half spooled", SLICE_NONE);
}

static void play_begin(struct play *play, const struct script *script, const char *way)
{
    memset(play, 0, sizeof *play);
    play->script = script;
    play->way = way;
    world_init(&play->world, script);
}

static bool play_end(struct play *play, bool fine, size_t memory_before)
{
    fine = fine && end_play(play);
    if (fine && play->script->secret.len &&
        slice_find_slice(buf_slice(&play->world.events), play->script->secret) != SLICE_NOT_FOUND)
        fine = fault(play, NULL, "a secret was recorded", play->script->secret);
    const char *differs = fine ? again_differs(&play->world) : NULL;
    fine = fine && (!differs || fault(play, NULL, differs, SLICE_NONE));
    world_done(&play->world);
    if (fine && memory_in_use() != memory_before)
        fine = fault(play, NULL, "memory was not given back", SLICE_NONE);
    return fine;
}

/* --- the six ways ----------------------------------------------------------------------------------------
 */

enum way { WAY_WRITTEN, WAY_OCTETS, WAY_ORDER, WAY_JOINED };

static bool play_way(const struct script *script, enum way way, struct buf *transcript)
{
    static const char *const names[] = {"as written", "octet by octet", "answers in any order",
                                        "lines joined"};
    size_t memory = memory_in_use() - transcript->size;
    struct play play;
    play_begin(&play, script, names[way]);
    play.checking = way == WAY_WRITTEN;
    play.joined = way == WAY_JOINED;
    play.world.by_octet = way == WAY_OCTETS;
    play.world.any_order = play.world.needless = way == WAY_ORDER;
    bool fine = orders_play(&play);
    if (fine && way == WAY_WRITTEN)
        buf_add(transcript, buf_slice(&play.world.heard));
    else if (fine && !slice_equal(buf_slice(transcript), buf_slice(&play.world.heard)))
        fine = fault(&play, NULL, "the transcript differs", buf_slice(&play.world.heard));
    if (fine && way == WAY_WRITTEN && script->what_if.len) {
        if (!play.world.closed)
            fine = end_play(&play);
        const char *differs = fine ? again_what_if(&play.world, script) : NULL;
        fine = fine && (!differs || fault(&play, NULL, "what-if gives", slice_text(differs)));
    }
    return play_end(&play, fine, memory + transcript->size);
}

static bool play_timed_out(const struct script *script)
{
    size_t memory = memory_in_use();
    struct play play;
    play_begin(&play, script, "questions time out");
    play.world.all_time_out = true;
    bool fine = orders_play(&play);
    if (fine)
        world_until(&play.world, play.world.now_ms + 86400000);
    return play_end(&play, fine, memory);
}

static bool play_gone(const struct script *script)
{
    unsigned count = 0;
    for (const struct order *order = script->orders; order; order = order->next)
        count++;
    for (unsigned i = 1; i < count; i++) {
        size_t memory = memory_in_use();
        struct play play;
        play_begin(&play, script, "client gone");
        play.stop_after = i;
        bool fine = orders_play(&play);
        if (!play_end(&play, fine, memory))
            return false;
    }
    return true;
}

/* --- what is off -----------------------------------------------------------------------------------------
 */

/* Plays it with one finding switched on that the script has off, or (FIND_NOTHING) as it is. */
static bool finds(const struct script *script, enum finding switched_on, enum finding wanted)
{
    struct play play;
    struct event event;
    size_t size;
    bool found = false;
    play_begin(&play, script, "switched on");
    if (switched_on) {
        play.world.site->rules[switched_on].mode = MODE_ENFORCE;
        session_world_checks(&play.world.shared, play.world.checks);
    }
    orders_play(&play);
    if (!play.world.closed)
        world_input(&play.world, &(struct input){.kind = INPUT_EOF});
    struct slice records = buf_slice(&play.world.events);
    for (; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size))
        found |= event.kind == EVENT_KIND_finding && event.body.finding.finding == wanted;
    world_done(&play.world);
    return found;
}

/* A script shows that off is off where the finding would be there, if it were on. */
static void prove_off(const struct script *script)
{
    struct play play;
    bool off[FIND_LIMIT];
    play_begin(&play, script, "");
    for (unsigned i = 0; i < FIND_LIMIT; i++)
        off[i] = finding_info(i) && play.world.site->rules[i].mode == MODE_OFF;
    world_done(&play.world);
    for (unsigned i = 0; i < FIND_LIMIT; i++)
        if (off[i] && !finds(script, FIND_NOTHING, i) && finds(script, i, i))
            matrix_mode(i, MODE_OFF);
}

void run_records(const struct script *script, struct buf *ret_records)
{
    struct play play;
    play_begin(&play, script, "for its records");
    orders_play(&play);
    if (!play.world.closed)
        world_input(&play.world, &(struct input){.kind = INPUT_EOF});
    buf_add(ret_records, buf_slice(&play.world.events));
    world_done(&play.world);
}

bool run_script(const struct script *script)
{
    struct buf transcript;
    buf_init(&transcript, 1 << 24);
    bool fine = play_way(script, WAY_WRITTEN, &transcript);
    fine = fine && (script->no_split || play_way(script, WAY_OCTETS, &transcript));
    fine = fine && play_way(script, WAY_ORDER, &transcript);
    fine = fine && (script->no_join || play_way(script, WAY_JOINED, &transcript));
    fine = fine && play_timed_out(script) && play_gone(script);
    if (fine)
        prove_off(script);
    buf_drop(&transcript);
    return fine;
}
