/* What the keeper is asked about the block list, and what persons want done. */
#include "base/calendar.h"
#include "base/text.h"
#include "core/event.h"
#include "core/own_list.h"
#include "daemon/keeper_blocks_part.h"

#include <stdarg.h>
#include <stdio.h>

#define LIST_MOST    1000
#define ENTRIES_MOST 1024u /* that one request may change */
#define LINE_MOST    4096u
#define SAID_WORDS   200

/* --- an entry as a line --------------------------------------------------------------------------------- */

static void put_time(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];
    json_key(json, key);
    if (!unix_ms) {
        json_null(json);
        return;
    }
    (void)calendar_print_iso(unix_ms, 0, text);
    memcpy(text + 19, "Z", 2); /* whole seconds */
    json_text(json, slice_text(text));
}

static void put_address(struct json *json, const struct prefix *prefix)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    const bool is_host = prefix->bits == (prefix->network.family == ADDRESS_IPV4 ? 32 : 128);
    const size_t len = is_host ? address_print(&prefix->network, text) : prefix_print(prefix, text);
    json_put_text(json, "address", slice_of(text, len));
}

static void put_sessions(struct json *json, const struct block *block)
{
    char id[EVENT_ID_SIZE];
    json_key(json, "sessions");
    json_array_open(json);
    for (uint32_t i = 0; i < block->session_count; i++) {
        event_id_print(block->sessions[i], id);
        json_text(json, slice_text(id));
    }
    json_array_close(json);
}

static void put_entry(struct json *json, const struct block *block)
{
    char evidence[BLOCK_EVIDENCE_SIZE];
    block_evidence(block, evidence);
    put_address(json, &block->prefix);
    json_put_text(json, "reason", slice_text(block->reason));
    json_put_text(json, "evidence", slice_text(evidence));
    put_time(json, "made", block->made_ms);
    put_time(json, "expires", block->until_ms);
    json_put_u64(json, "hits", block->hits);
    put_time(json, "last_hit", block->hit_ms);
    json_put_text(json, "state", slice_text(block_state_word(block->state)));
    json_put_text(json, "rule", slice_text(block_rule_word(block->rule)));
    json_put_text(json, "by", slice_text(block->by));
    json_put_u64(json, "strikes", block->strikes);
    put_sessions(json, block);
}

bool keeper_blocks_object(const struct keeper_blocks *blocks, const struct prefix *prefix, struct buf *out)
{
    const struct block *block = block_list_find(blocks->list, prefix);
    struct json json;

    if (!block)
        return false;
    json_begin(&json, out);
    json_object_open(&json);
    put_entry(&json, block);
    json_object_close(&json);
    return json_end(&json);
}

/* --- the request at hand -------------------------------------------------------------------------------- */

struct asked {
    struct keeper_blocks *blocks;
    struct control *control;
    const struct control_request *request;
    struct block_order order;
    struct buf line;
    size_t lines;
    char complaint[SAID_WORDS + NEVER_WHY_SIZE]; /* why nothing can be done; empty: it can */
};

static void line_begin(struct asked *asked, struct json *json)
{
    buf_clear(&asked->line);
    json_begin(json, &asked->line);
    json_object_open(json);
}

static void line_end(struct asked *asked, struct json *json)
{
    json_object_close(json);
    if (json_end(json))
        control_line(asked->control, asked->request->handle, buf_slice(&asked->line));
    asked->lines++;
}

__attribute__((format(printf, 2, 3))) static void complain(struct asked *asked, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(asked->complaint, sizeof asked->complaint, format, arguments);
    va_end(arguments);
}

/* --- list ----------------------------------------------------------------------------------------------- */

static void entry_say(struct asked *asked, const struct block *block)
{
    struct json json;
    line_begin(asked, &json);
    put_entry(&json, block);
    line_end(asked, &json);
}

static void next_say(struct asked *asked, size_t at)
{
    struct json json;
    line_begin(asked, &json);
    json_put_u64(&json, "next", at);
    line_end(asked, &json);
}

static void list(struct asked *asked)
{
    const uint64_t most = control_number(asked->request, "most", LIST_MOST);
    const struct slice word = control_text(asked->request, "state"),
                       id = control_text(asked->request, "campaign");
    enum block_state state = (enum block_state)0;
    uint64_t campaign = 0;
    const struct block *block;
    size_t at = (size_t)control_number(asked->request, "from", 0);
    if ((word.len && !block_state_parse(word, &state)) || (id.len && !event_id_parse(id, &campaign))) {
        complain(asked, "this is no %s", id.len ? "campaign's id" : "state of an entry");
        return;
    }
    while (block_list_next(asked->blocks->list, &at, &block)) {
        if ((state && block->state != state) || (campaign && block->campaign != campaign))
            continue;
        entry_say(asked, block);
        if (asked->lines >= LIST_MOST || asked->lines >= most) {
            next_say(asked, at);
            return;
        }
    }
}

/* --- what persons want ---------------------------------------------------------------------------------- */

static void done_say(struct asked *asked, const struct prefix *prefix, const char *done)
{
    const struct block *block = block_list_find(asked->blocks->list, prefix);
    struct json json;
    line_begin(asked, &json);
    if (block)
        put_entry(&json, block);
    else
        put_address(&json, prefix);
    json_put_text(&json, "done", slice_text(done));
    line_end(asked, &json);
}

static void refused_say(struct asked *asked, const struct prefix *prefix, const char *why)
{
    struct json json;
    line_begin(asked, &json);
    put_address(&json, prefix);
    json_put_text(&json, "refused", slice_text(why));
    line_end(asked, &json);
}

static bool prefix_read(struct asked *asked, struct slice text, struct prefix *ret_prefix)
{
    struct prefix prefix;
    if (!prefix_parse(text, &prefix)) {
        complain(asked,
                 "expected an address or a network such as 192.0.2.7, 192.0.2.0/24 or 2001:db8:1:2::/64");
        return false;
    }
    if (!own_prefix_fit(&prefix, ret_prefix)) {
        complain(asked, "an entry has /%u to /%u of IPv4, and /%u to /%u of IPv6", OWN_IPV4_SHORTEST,
                 OWN_IPV4_LONGEST, OWN_IPV6_SHORTEST, OWN_IPV6_LONGEST);
        return false;
    }
    return true;
}

static enum never_answer never(struct asked *asked, const struct prefix *prefix, char why[NEVER_WHY_SIZE])
{
    const struct never_subject subject = {.prefix = *prefix};
    return never_ask(asked->blocks->never, &subject, asked->order.now_ms, why);
}

static void add(struct asked *asked)
{
    const struct slice text = control_text(asked->request, "reason");
    const uint64_t for_ms = control_number(asked->request, "for_ms", UINT64_MAX);
    struct block_proposal proposal = {.rule = BLOCK_BY_PERSON};
    char why[NEVER_WHY_SIZE], reason[BLOCK_REASON_SIZE];
    if (!prefix_read(asked, control_text(asked->request, "prefix"), &proposal.prefix))
        return;
    block_text_set(reason, sizeof reason, text);
    if (!reason[0]) {
        complain(asked, "a block wants a reason: clients are told it");
        return;
    }
    proposal.reason = reason;
    const enum never_answer answer = never(asked, &proposal.prefix, why);
    if (answer == NEVER_FORBIDDEN || (answer == NEVER_KNOWN && !control_flag(asked->request, "force"))) {
        complain(asked, "it is not blocked: %s%s", why,
                 answer == NEVER_KNOWN ? "; --force blocks it all the same" : "");
        return;
    }
    const int64_t stays_ms = for_ms == UINT64_MAX ? -1 : (int64_t)(for_ms & INT64_MAX);
    if (block_list_add(asked->blocks->list, &asked->order, &proposal, stays_ms) == BLOCK_FULL)
        complain(asked, "the list is full of what persons have put into it (blocks.entries)");
    else
        done_say(asked, &proposal.prefix, "blocked");
    keeper_blocks_notes(asked->blocks);
}

struct verb {
    const char *word;
    enum block_answer (*act)(struct block_list *list, const struct block_order *order,
                             const struct prefix *prefix);
    const char *done;
    const char *absent; /* of one; of many it is passed over */
};

static const struct verb verbs[] = {
    {"approve", block_list_approve, "approved", "it is not suggested"},
    {"decline", block_list_decline, "declined", "it is not suggested"},
    {"remove", block_list_remove, "removed", "it is neither blocked nor suggested"},
    {"undo", block_list_undo, "undone", "the list does not have it"},
};

static enum block_answer one_act(struct asked *asked, const struct verb *verb, const struct prefix *prefix)
{
    char why[NEVER_WHY_SIZE];
    const struct block *block = block_list_find(asked->blocks->list, prefix);
    if (verb->act == block_list_approve && block && block->state == BLOCK_SUGGESTED &&
        never(asked, prefix, why) != NEVER_MAY) {
        refused_say(asked, prefix, why);
        return BLOCK_DONE;
    }
    const enum block_answer answer = verb->act(asked->blocks->list, &asked->order, prefix);
    if (answer == BLOCK_DONE)
        done_say(asked, prefix, verb->done);
    keeper_blocks_notes(asked->blocks);
    return answer;
}

static void prefix_act(struct asked *asked, const struct verb *verb, struct slice what)
{
    struct prefix prefix;
    if (!prefix_read(asked, what, &prefix))
        return;
    const enum block_answer answer = one_act(asked, verb, &prefix);
    if (answer == BLOCK_ALREADY)
        complain(asked, "it is so already");
    else if (answer == BLOCK_ABSENT)
        complain(asked, "%s", verb->absent);
}

static bool shows(uint64_t id, const struct block *block)
{
    if (block->campaign)
        return block->campaign == id;
    for (uint32_t i = 0; i < block->session_count; i++)
        if (block->sessions[i] == id)
            return true;
    return false;
}

/* All that a campaign, or a session, shows. */
static void id_act(struct asked *asked, const struct verb *verb, uint64_t id)
{
    const struct block *block;
    unsigned count = 0;
    size_t at = 0;
    while (count < ENTRIES_MOST && block_list_next(asked->blocks->list, &at, &block)) {
        if (!shows(id, block))
            continue;
        const struct prefix prefix = block->prefix;
        count += one_act(asked, verb, &prefix) == BLOCK_DONE;
    }
    if (!count)
        complain(asked, "nothing of it is there to %s", verb->word);
}

static void act(struct asked *asked, const struct verb *verb)
{
    const struct slice what = control_text(asked->request, "what");
    uint64_t id;
    if (event_id_parse(what, &id) && id)
        id_act(asked, verb, id);
    else
        prefix_act(asked, verb, what);
}

/* False: it changes nothing. */
static bool command(struct asked *asked)
{
    const struct slice what = control_text(asked->request, "do");
    if (slice_equal(what, SLICE("list"))) {
        list(asked);
        return false;
    }
    if (block_list_fresh_count(asked->blocks->list) + ENTRIES_MOST > BLOCK_LIST_FRESH_MAX / 2) {
        complain(asked, "the store takes nothing now: try again later");
        return false;
    }
    if (slice_equal(what, SLICE("add")))
        add(asked);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (slice_equal(what, slice_text(verbs[i].word)))
            act(asked, &verbs[i]);
    if (!asked->lines && !asked->complaint[0])
        complain(asked, "blocks knows list, add, approve, decline, remove and undo");
    return !asked->complaint[0];
}

bool keeper_blocks_command(struct keeper_blocks *blocks, struct control *control,
                           const struct control_request *request)
{
    struct asked asked = {.blocks = blocks, .control = control, .request = request};
    asked.order = (struct block_order){control_text(request, "by"), keeper_blocks_now(blocks)};
    buf_init(&asked.line, LINE_MOST);
    const bool changes = command(&asked);
    buf_drop(&asked.line);
    if (asked.complaint[0])
        control_error(control, request->handle, slice_text(asked.complaint));
    else if (!changes)
        control_done(control, request->handle);
    return changes;
}

void keeper_blocks_answer(const struct keeper_blocks *blocks, struct control *control, slab_handle request)
{
    if (block_list_fresh_count(blocks->list))
        control_error(
            control, request,
            SLICE("the store does not take it now: it is tried again, and in force when that succeeds"));
    else
        control_done(control, request);
}

void keeper_blocks_status(const struct keeper_blocks *blocks, struct json *json)
{
    struct block_list_counts counts;
    block_list_counts(blocks->list, &counts);
    json_key(json, "blocks");
    json_object_open(json);
    json_put_u64(json, "in_force", counts.of[BLOCK_IN_FORCE]);
    json_put_u64(json, "suggested", counts.of[BLOCK_SUGGESTED]);
    json_put_u64(json, "declined", counts.of[BLOCK_DECLINED]);
    json_put_u64(json, "over", counts.of[BLOCK_OVER]);
    json_put_u64(json, "hits", counts.hits);
    json_put_u64(json, "made", counts.made);
    json_put_u64(json, "refused", blocks->refused);
    json_put_u64(json, "crowded", counts.crowded);
    json_put_u64(json, "lost", blocks->lost);
    json_object_close(json);
}
