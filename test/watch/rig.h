/* A watcher in a test: attempts are lines as attempt_parse reads them, with the seconds in front. */
#ifndef TEST_WATCH_RIG_H
#define TEST_WATCH_RIG_H

#include "unit.h"
#include "watch/watch.h"

#define START_MS INT64_C(1900000000000)

struct rig {
    struct watch *watch;
    struct arena arena;
    uint64_t last_id;
    unsigned opened, joined, changed, closed;
    uint64_t campaign; /* the one opened last */
    enum campaign_kind kind;
    struct buf sentence; /* of the one closed last, or as rig_say made it */
};

static inline void rig_begin_with(struct rig *rig, const struct watch_settings *settings)
{
    *rig = (struct rig){.watch = watch_new(settings)};
    arena_init(&rig->arena, NULL, 0);
    buf_init(&rig->sentence, CAMPAIGN_SENTENCE_MAX);
}

static inline void rig_begin(struct rig *rig)
{
    rig_begin_with(rig, &(struct watch_settings){
                            .hosts = 4096, .traces = 1024, .campaigns = 32, .octets = 1u << 20, .seed = 7});
}

static inline void rig_end(struct rig *rig)
{
    watch_free(rig->watch);
    arena_drop(&rig->arena);
    buf_drop(&rig->sentence);
}

static inline void rig_notes(struct rig *rig)
{
    struct watch_note note;
    while (watch_note(rig->watch, &note)) {
        rig->opened += note.kind == WATCH_OPENED;
        rig->joined += note.kind == WATCH_JOINED;
        rig->changed += note.kind == WATCH_CHANGED;
        rig->closed += note.kind == WATCH_CLOSED;
        rig->campaign = note.campaign;
        rig->kind = note.campaign_kind;
        if (note.kind != WATCH_CLOSED)
            continue;
        buf_clear(&rig->sentence);
        campaign_sentence(watch_campaign(rig->watch, note.campaign), &rig->sentence);
    }
}

/* "address=… …" so many seconds behind the start. What it does not say: refused with 550, took 2 s, gave up,
 * the PTR and all findings are known. */
static inline void rig_at(struct rig *rig, int seconds, const char *line)
{
    struct attempt attempt;
    if (!attempt_parse(slice_text(line), &rig->arena, &attempt))
        fail_msg("no attempt: %s", line);
    attempt.id = ++rig->last_id;
    attempt.unix_ms = START_MS + seconds * INT64_C(1000);
    if (!attempt_has(&attempt, ATTEMPT_HAS_VERDICT)) {
        attempt.verdict = ATTEMPT_REFUSED;
        attempt.code = 550;
        attempt.has |= ATTEMPT_HAS_VERDICT;
    }
    if (!attempt_has(&attempt, ATTEMPT_HAS_DURATION)) {
        attempt.duration_ms = 2000;
        attempt.has |= ATTEMPT_HAS_DURATION;
    }
    attempt.gave_up = attempt.verdict != ATTEMPT_ACCEPTED;
    attempt.has |= ATTEMPT_HAS_PTR | ATTEMPT_HAS_FINDINGS | ATTEMPT_HAS_END;
    watch_add(rig->watch, &attempt);
    rig_notes(rig);
}

__attribute__((format(printf, 3, 4))) static inline void rig_atf(struct rig *rig, int seconds,
                                                                 const char *format, ...)
{
    char line[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    rig_at(rig, seconds, line);
}

static inline const struct campaign *rig_campaign(struct rig *rig)
{
    const struct campaign *campaign = watch_campaign(rig->watch, rig->campaign);
    assert_non_null(campaign);
    return campaign;
}

#define assert_sentence(rig, wanted)                                                                         \
    do {                                                                                                     \
        buf_clear(&(rig)->sentence);                                                                         \
        campaign_sentence(rig_campaign(rig), &(rig)->sentence);                                              \
        assert_slice_equal(buf_slice(&(rig)->sentence), wanted);                                             \
    } while (0)

#endif
