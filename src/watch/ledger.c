#include "watch/ledger.h"

#include "base/memory.h"

#include <assert.h>

enum {
    TEXT_A_TRACE = 112, /* octets of room, on average */
    STEPS_MOST = 256    /* links that one walk follows */
};

struct ledger_entry {
    struct trace trace;
    uint64_t text; /* text_next when its texts were written */
    uint32_t text_len;
    uint32_t older[CHAINS]; /* the place before it in the bucket */
};

static_assert(sizeof(struct ledger_entry) + TEXT_A_TRACE + CHAINS * sizeof(uint32_t) <= LEDGER_OCTETS_A_TRACE,
              "what a trace costs");

void ledger_init(struct ledger *ledger, uint32_t size)
{
    assert(size >= 64 && (size & (size - 1)) == 0);
    *ledger = (struct ledger){.size = size, .next = 1, .text_size = size * TEXT_A_TRACE};
    ledger->entries = memory_take(size * sizeof *ledger->entries);
    ledger->texts = memory_take(ledger->text_size);
    for (unsigned chain = 0; chain < CHAINS; chain++)
        ledger->heads[chain] = memory_take(size * sizeof *ledger->heads[chain]);
}

void ledger_done(struct ledger *ledger)
{
    for (unsigned chain = 0; chain < CHAINS; chain++)
        memory_give(ledger->heads[chain], ledger->size * sizeof *ledger->heads[chain]);
    memory_give(ledger->texts, ledger->text_size);
    memory_give(ledger->entries, ledger->size * sizeof *ledger->entries);
    *ledger = (struct ledger){0};
}

static struct ledger_entry *entry_at(const struct ledger *ledger, uint32_t place)
{
    const uint32_t age = ledger->next - place; /* 1 for the newest */
    return place && age >= 1 && age <= ledger->held ? &ledger->entries[place & (ledger->size - 1)] : NULL;
}

struct trace *ledger_at(const struct ledger *ledger, uint32_t place)
{
    struct ledger_entry *entry = entry_at(ledger, place);
    return entry ? &entry->trace : NULL;
}

/* --- texts ---------------------------------------------------------------------------------------------- */

static size_t text_put(char *at, struct slice text)
{
    const size_t len = text.len < 255 ? text.len : 255;
    at[0] = (char)(unsigned char)len;
    if (len)
        memcpy(at + 1, text.at, len);
    return len + 1;
}

/* What does not fit before the end of the room begins at its front. */
static void texts_put(struct ledger *ledger, struct ledger_entry *entry, const struct trace_texts *texts)
{
    char packed[5 * 256];
    size_t len = text_put(packed, texts->sender);
    len += text_put(packed + len, texts->recipient);
    len += text_put(packed + len, texts->helo);
    len += text_put(packed + len, texts->ptr);
    len += text_put(packed + len, texts->owner);
    const uint64_t left = ledger->text_size - ledger->text_next % ledger->text_size;
    if (left < len)
        ledger->text_next += left;
    entry->text = ledger->text_next;
    entry->text_len = (uint32_t)len;
    memcpy(ledger->texts + ledger->text_next % ledger->text_size, packed, len);
    ledger->text_next += len;
}

static const char *text_take(const char *at, struct slice *ret_text)
{
    *ret_text = slice_of(at + 1, (unsigned char)at[0]);
    return at + 1 + ret_text->len;
}

void ledger_texts(const struct ledger *ledger, uint32_t place, struct trace_texts *ret_texts)
{
    const struct ledger_entry *entry = entry_at(ledger, place);
    *ret_texts = (struct trace_texts){.sender = SLICE_NONE};
    if (!entry || ledger->text_next - entry->text > ledger->text_size)
        return;
    const char *at = ledger->texts + entry->text % ledger->text_size;
    at = text_take(at, &ret_texts->sender);
    at = text_take(at, &ret_texts->recipient);
    at = text_take(at, &ret_texts->helo);
    at = text_take(at, &ret_texts->ptr);
    text_take(at, &ret_texts->owner);
}

/* --- chains --------------------------------------------------------------------------------------------- */

static uint32_t *head_of(const struct ledger *ledger, unsigned chain, uint64_t key)
{
    return &ledger->heads[chain][(key >> 20) & (ledger->size - 1)];
}

uint32_t ledger_add(struct ledger *ledger, const struct trace *trace, const struct trace_texts *texts)
{
    const uint32_t place = ledger->next;
    struct ledger_entry *entry = &ledger->entries[place & (ledger->size - 1)];
    entry->trace = *trace;
    texts_put(ledger, entry, texts);
    for (unsigned chain = 0; chain < CHAINS; chain++) {
        entry->older[chain] = 0;
        if (!trace->chain[chain])
            continue;
        uint32_t *head = head_of(ledger, chain, trace->chain[chain]);
        entry->older[chain] = *head;
        *head = place;
    }
    ledger->held += ledger->held < ledger->size;
    if (++ledger->next == 0) /* behind the last number nothing is linked any more */
        ledger->next = 1;
    return place;
}

uint32_t ledger_newest(const struct ledger *ledger, enum trace_chain chain, uint64_t key)
{
    return *head_of(ledger, chain, key);
}

uint32_t ledger_older(const struct ledger *ledger, enum trace_chain chain, uint32_t place)
{
    const struct ledger_entry *entry = entry_at(ledger, place);
    return entry ? entry->older[chain] : 0;
}

size_t ledger_gather(const struct ledger *ledger, const struct ledger_query *query, uint32_t *ret_places,
                     size_t most)
{
    size_t count = 0;
    uint32_t place = query->key ? *head_of(ledger, query->chain, query->key) : 0;
    for (unsigned steps = 0; place && count < most && steps < STEPS_MOST; steps++) {
        const struct ledger_entry *entry = entry_at(ledger, place);
        if (!entry)
            break;
        const struct trace *trace = &entry->trace;
        if (trace->chain[query->chain] == query->key && !trace->campaign &&
            trace->start_ms >= query->since_ms && trace->start_ms <= query->until_ms &&
            (!query->wants || query->wants(trace, query->data)))
            ret_places[count++] = place;
        place = entry->older[query->chain];
    }
    return count;
}
