/* One thread reads, the others play: sessions are handed over in batches, a few of which may wait. */
#include "cli/replay.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_OCTETS (256u * 1024u)
#define BATCH_MOST   (BATCH_OCTETS + GATHER_SESSION_MOST + 8u)

struct batch {
    struct link link;
    struct buf sessions; /* length (u32) and records, one after the other */
};

struct replay_team {
    const struct session_world *world;
    const struct replay_filter *filter;
    struct replay_tally *tally;
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* a batch waits, or it is over */
    pthread_cond_t room;   /* a batch was taken */
    struct link waiting;
    size_t waiting_count;
    struct batch *filling;
    bool ending;
    unsigned thread_count;
    pthread_t threads[];
};

static struct batch *batch_new(void)
{
    struct batch *batch = memory_take(sizeof *batch);
    buf_init(&batch->sessions, BATCH_MOST);
    return batch;
}

static void batch_free(struct batch *batch)
{
    buf_drop(&batch->sessions);
    memory_give(batch, sizeof *batch);
}

static struct batch *batch_take(struct replay_team *team)
{
    struct batch *batch = NULL;
    pthread_mutex_lock(&team->lock);
    while (list_is_empty(&team->waiting) && !team->ending)
        pthread_cond_wait(&team->wanted, &team->lock);
    if (!list_is_empty(&team->waiting)) {
        batch = LIST_OF(team->waiting.next, struct batch, link);
        list_remove(&batch->link);
        team->waiting_count--;
        pthread_cond_signal(&team->room);
    }
    pthread_mutex_unlock(&team->lock);
    return batch;
}

struct desk {
    struct replay_team *team;
    struct player *player;
    struct tape tape;
    uint64_t old, broken, filtered;
};

static void play(struct desk *desk, struct slice records)
{
    struct play_result result;
    switch (tape_read(&desk->tape, records)) {
    case TAPE_OLD: desk->old++; return;
    case TAPE_BROKEN: desk->broken++; return;
    case TAPE_FINE: break;
    }
    if (!replay_filter_fits(desk->team->filter, &desk->tape, records)) {
        desk->filtered++;
        return;
    }
    player_play(desk->player, &desk->tape, &result);
    replay_tally_add(desk->team->tally, &desk->tape, &result);
}

static void batch_play(struct desk *desk, struct slice sessions)
{
    uint32_t size;
    while (sessions.len >= sizeof size) {
        memcpy(&size, sessions.at, sizeof size);
        sessions = slice_from(sessions, sizeof size);
        play(desk, slice_head(sessions, size));
        sessions = slice_from(sessions, size);
    }
}

static void *run(void *data)
{
    struct replay_team *team = data;
    struct desk desk = {.team = team, .player = player_new(team->world)};
    struct batch *batch;
    tape_init(&desk.tape);
    while ((batch = batch_take(team))) {
        batch_play(&desk, buf_slice(&batch->sessions));
        batch_free(batch);
    }
    pthread_mutex_lock(&team->tally->lock);
    team->tally->old += desk.old;
    team->tally->broken += desk.broken;
    team->tally->filtered += desk.filtered;
    pthread_mutex_unlock(&team->tally->lock);
    tape_drop(&desk.tape);
    player_free(desk.player);
    return NULL;
}

struct replay_team *replay_team_new(const struct session_world *world, const struct replay_filter *filter,
                                    struct replay_tally *tally, unsigned threads)
{
    struct replay_team *team = memory_take(sizeof *team + threads * sizeof *team->threads);
    team->world = world;
    team->filter = filter;
    team->tally = tally;
    team->thread_count = threads;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->wanted, NULL);
    pthread_cond_init(&team->room, NULL);
    list_init(&team->waiting);
    team->filling = batch_new();
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&team->threads[i], NULL, run, team) != 0)
            abort(); /* as for memory: nothing could be done */
    return team;
}

static void hand_over(struct replay_team *team)
{
    pthread_mutex_lock(&team->lock);
    while (team->waiting_count >= team->thread_count * 2u)
        pthread_cond_wait(&team->room, &team->lock);
    list_add_last(&team->waiting, &team->filling->link);
    team->waiting_count++;
    pthread_cond_signal(&team->wanted);
    pthread_mutex_unlock(&team->lock);
    team->filling = batch_new();
}

void replay_team_give(struct replay_team *team, struct slice records)
{
    struct buf *sessions = &team->filling->sessions;
    uint32_t size = (uint32_t)records.len;
    buf_add(sessions, slice_of((const char *)&size, sizeof size));
    buf_add(sessions, records);
    if (sessions->len >= BATCH_OCTETS)
        hand_over(team);
}

void replay_team_end(struct replay_team *team)
{
    hand_over(team);
    pthread_mutex_lock(&team->lock);
    team->ending = true;
    pthread_cond_broadcast(&team->wanted);
    pthread_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->thread_count; i++)
        pthread_join(team->threads[i], NULL);
    batch_free(team->filling);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->wanted);
    pthread_cond_destroy(&team->room);
    memory_give(team, sizeof *team + team->thread_count * sizeof *team->threads);
}
