/* The whole session machine: whatever a client sends, whenever answers come or time passes, the invariants of
 * the replay world hold, the session ends when the client has gone, and played again from its records it is
 * the same.
 *
 * The input is a list of deeds: an octet says which, the next how much; the octets of a sending follow. */
#include "replay.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const setup_texts[] = {"route example.org maildir",
                                          "route relay.example relay",
                                          "xclient 192.0.2.0/28",
                                          "set limits.message 64KiB",
                                          "checks all",
                                          "trusted 2001:db8::/64",
                                          "set trusted.received yes",
                                          "blocklist example-list 10",
                                          "fact own 203.0.113.* = found block 203.0.113.0/24 - a reason",
                                          "fact own 198.51.100.* = found allow 198.51.100.0/24 - a reason"};

static void stored_by(struct world *world, uint8_t how)
{
    static const char *const texts[] = {"5.7.1 no", "", "4.2.0 later", "queued"};
    struct stored stored = {.status = (enum stored_status)(how % 8), .text = slice_text(texts[how / 8 % 4])};
    stored.code = stored.status == STORED_REFUSED ? 550 : stored.status == STORED_DEFERRED ? 451 : 0;
    stored.queue_id = SLICE("id.1");
    if (world->committed)
        world_stored(world, &stored);
    world_settle(world);
}

static void tls_by(struct world *world, uint8_t how)
{
    struct input input = {.kind = how & 1 ? INPUT_TLS_UP : INPUT_TLS_FAILED};
    input.tls = (struct tls_facts){SLICE("TLSv1.3"), SLICE("X"), SLICE_NONE, SLICE("bad")};
    if (!world->start_tls)
        return;
    world->start_tls = false;
    world_input(world, &input);
    world_settle(world);
}

static void answer_by(struct world *world, uint8_t how)
{
    if (!world->ask_count)
        return;
    struct open_ask ask = world->asks[how % world->ask_count];
    world_answer(world, ask.number, (enum answer_status)(ANSWER_FOUND + how % 4), SLICE("8bitmime"));
    world_settle(world);
}

/* Returns how many octets of the input belonged to the deed. */
static size_t deed(struct world *world, struct slice rest)
{
    uint8_t kind = (uint8_t)rest.at[0], much = rest.len > 1 ? (uint8_t)rest.at[1] : 0;
    struct slice octets = slice_head(slice_from(rest, 2), much);
    switch (kind % 8) {
    case 0: answer_by(world, much); return 2;
    case 1: stored_by(world, much); return 2;
    case 2: tls_by(world, much); return 2;
    case 3: world_until(world, world->now_ms + (uint64_t)much * much * 100); return 2;
    case 4:
        if (much == 7)
            world_input(world, &(struct input){.kind = INPUT_STOP});
        return 2;
    default: world_send(world, octets); return 2 + octets.len;
    }
}

static void finish(struct world *world)
{
    world_input(world, &(struct input){.kind = INPUT_EOF});
    if (world->committed)
        world_stored(world, &(struct stored){.status = STORED_KEPT, .queue_id = SLICE("id.2")});
    tls_by(world, 0);
    if (world->broken || !world->closed || world->ask_count || world->spooling)
        abort();
    const char *differs = again_differs(world); /* played again from its own records it is the same */
    if (differs) {
        fprintf(stderr, "played again: %s\n", differs);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct order setup[sizeof setup_texts / sizeof *setup_texts];
    static const char *const openings[] = {"192.0.2.7 tls", "192.0.2.70", "2001:db8::7 carry 0 own-list",
                                           "192.0.2.7 proxy tls own-list"};
    if (!size)
        return 0;
    for (size_t i = 0; i < sizeof setup / sizeof *setup; i++)
        setup[i] = (struct order){.text = slice_text(setup_texts[i]),
                                  .next = i + 1 < sizeof setup / sizeof *setup ? &setup[i + 1] : NULL};
    struct script script = {.setup = setup, .by_hand = data[0] & 4 ? SLICE("all") : SLICE_NONE};
    size_t memory = memory_in_use();
    struct world world;
    world_init(&world, &script);
    world.by_octet = data[0] & 8;
    world_open(&world, slice_text(openings[data[0] & 3]));
    struct slice rest = slice_of((const char *)data + 1, size - 1);
    while (rest.len && !world.closed)
        rest = slice_from(rest, deed(&world, rest));
    finish(&world);
    world_done(&world);
    if (memory_in_use() != memory)
        abort();
    return 0;
}
