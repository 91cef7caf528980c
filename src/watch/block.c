#include "watch/block.h"

#include "base/text.h"
#include "core/event.h"
#include "watch/pack.h"

#include <assert.h>
#include <string.h>

enum { VERSION = 1, STRIKES_MAX = 1000000 };

static const char *const state_words[BLOCK_STATE_LIMIT] = {"none", "suggested", "in-force", "declined",
                                                           "over"};
static const char *const rule_words[BLOCK_RULE_LIMIT] = {"none", "campaign", "network", "trap", "person"};

const char *block_state_word(enum block_state state)
{
    assert(state < BLOCK_STATE_LIMIT);
    return state_words[state];
}

bool block_state_parse(struct slice word, enum block_state *ret_state)
{
    for (unsigned state = 1; state < BLOCK_STATE_LIMIT; state++)
        if (slice_equal(word, slice_text(state_words[state]))) {
            *ret_state = (enum block_state)state;
            return true;
        }
    return false;
}

const char *block_rule_word(enum block_rule rule)
{
    assert(rule < BLOCK_RULE_LIMIT);
    return rule_words[rule];
}

void block_text_set(char *text, size_t size, struct slice from)
{
    from = slice_head(slice_trim(from), size - 1);
    for (size_t i = 0; i < from.len; i++)
        text[i] = from.at[i] >= ' ' && from.at[i] <= '~' ? from.at[i] : '?';
    memset(text + from.len, 0, size - from.len);
    for (size_t len = from.len; len && text[len - 1] == ' '; len--)
        text[len - 1] = 0;
}

bool block_session_add(struct block *block, uint64_t session)
{
    for (uint32_t i = 0; i < block->session_count; i++)
        if (block->sessions[i] == session)
            return false;
    if (!session || block->session_count == BLOCK_SESSIONS_MAX)
        return false;
    block->sessions[block->session_count++] = session;
    return true;
}

void block_evidence(const struct block *block, char text[BLOCK_EVIDENCE_SIZE])
{
    static_assert(BLOCK_EVIDENCE_SIZE == EVENT_ID_SIZE, "an id fits");
    text[0] = 0;
    if (block->campaign || block->session_count)
        event_id_print(block->campaign ? block->campaign : block->sessions[0], text);
}

bool block_steps_parse(struct slice text, int64_t ret_step_ms[BLOCK_STEPS_MAX], unsigned *ret_steps)
{
    struct slice word;
    unsigned steps = 0;
    while (slice_word(&text, &word)) {
        uint64_t ms;
        if (steps == BLOCK_STEPS_MAX || !text_parse_duration(word, &ms) || ms < 1000 || ms > INT64_MAX / 4)
            return false;
        ret_step_ms[steps++] = (int64_t)ms;
    }
    *ret_steps = steps;
    return steps > 0;
}

/* --- as octets ------------------------------------------------------------------------------------------ */

void block_pack(const struct block *block, struct buf *out)
{
    struct pack pack = {out, true};
    const struct address *network = &block->prefix.network;
    pack_number(&pack, VERSION);
    pack_number(&pack, network->family);
    pack_text(&pack, slice_of((const char *)network->octets, network->family == ADDRESS_IPV4 ? 4 : 16));
    pack_number(&pack, block->prefix.bits);
    pack_number(&pack, block->state);
    pack_number(&pack, block->rule);
    pack_number(&pack, block->campaign);
    pack_number(&pack, block->session_count);
    for (uint32_t i = 0; i < block->session_count; i++)
        pack_number(&pack, block->sessions[i]);
    pack_number(&pack, block->strikes);
    pack_number(&pack, pack_signed(block->made_ms));
    pack_number(&pack, pack_signed(block->until_ms));
    pack_number(&pack, block->hits);
    pack_number(&pack, pack_signed(block->hit_ms));
    pack_text(&pack, slice_text(block->reason));
    pack_text(&pack, slice_text(block->by));
    assert(pack.fits);
}

static bool take_prefix(struct unpack *unpack, struct prefix *prefix)
{
    const uint64_t family = unpack_number(unpack, ADDRESS_IPV6);
    const struct slice octets = unpack_text(unpack, 16);
    const uint64_t bits = unpack_number(unpack, family == ADDRESS_IPV4 ? 32 : 64);
    if (!unpack->good || (family != ADDRESS_IPV4 && family != ADDRESS_IPV6) ||
        octets.len != (family == ADDRESS_IPV4 ? 4 : 16))
        return false;
    const struct address address = address_from_octets((enum address_family)family,
                                                       (const uint8_t *)octets.at, 0);
    *prefix = (struct prefix){address_network(&address, (unsigned)bits), (uint8_t)bits};
    return address.family == family && address_equal(&prefix->network, &address);
}

static void take_text(struct unpack *unpack, char *text, size_t size)
{
    const struct slice from = unpack_text(unpack, size - 1);
    block_text_set(text, size, from);
    unpack->good = unpack->good && slice_equal(slice_text(text), from);
}

static int64_t take_time(struct unpack *unpack)
{
    return unpack_signed(unpack_number(unpack, UINT64_MAX));
}

bool block_unpack(struct slice packed, struct block *ret_block)
{
    struct unpack unpack = {packed, true};
    struct block block = {.state = BLOCK_OVER};
    if (unpack_number(&unpack, VERSION) != VERSION || !take_prefix(&unpack, &block.prefix))
        return false;
    block.state = (enum block_state)unpack_number(&unpack, BLOCK_STATE_LIMIT - 1);
    block.rule = (enum block_rule)unpack_number(&unpack, BLOCK_RULE_LIMIT - 1);
    block.campaign = unpack_number(&unpack, UINT64_MAX);
    block.session_count = (uint32_t)unpack_number(&unpack, BLOCK_SESSIONS_MAX);
    for (uint32_t i = 0; i < block.session_count; i++)
        block.sessions[i] = unpack_number(&unpack, UINT64_MAX);
    block.strikes = (uint32_t)unpack_number(&unpack, STRIKES_MAX);
    block.made_ms = take_time(&unpack);
    block.until_ms = take_time(&unpack);
    block.hits = unpack_number(&unpack, UINT64_MAX);
    block.hit_ms = take_time(&unpack);
    take_text(&unpack, block.reason, sizeof block.reason);
    take_text(&unpack, block.by, sizeof block.by);
    if (!unpack.good || unpack.rest.len || !block.state || !block.rule)
        return false;
    *ret_block = block;
    return true;
}
