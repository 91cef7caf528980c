/* Whatever a line holds, what is read as an attempt prints as a line that reads the same; and whatever
 * attempts come, the watcher stays within its room, and each campaign has what it says. */
#include "property.h"
#include "watch/watch.h"

enum { LINES_MOST = 400 };

static void there_and_back(const struct attempt *attempt)
{
    struct buf once, again;
    struct arena arena;
    struct attempt read;
    arena_init(&arena, NULL, 0);
    buf_init(&once, ATTEMPT_LINE_MAX);
    buf_init(&again, ATTEMPT_LINE_MAX);
    if (attempt_print(attempt, &once)) {
        assert(attempt_parse(buf_slice(&once), &arena, &read));
        assert(attempt_print(&read, &again));
        assert(slice_equal(buf_slice(&once), buf_slice(&again)));
    }
    buf_drop(&once);
    buf_drop(&again);
    arena_drop(&arena);
}

static void notes_look(struct watch *watch)
{
    struct watch_note note;
    while (watch_note(watch, &note)) {
        const struct campaign *campaign = watch_campaign(watch, note.campaign);
        struct buf sentence;
        assert(campaign && campaign->host_count <= campaign->host_total &&
               campaign->groups <= campaign->host_count);
        buf_init(&sentence, CAMPAIGN_SENTENCE_MAX);
        campaign_sentence(campaign, &sentence);
        assert(sentence.len > 0);
        buf_drop(&sentence);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice rest = slice_of((const char *)octets, len), line;
    struct watch *watch = watch_new(
        &(struct watch_settings){.hosts = 1024, .traces = 64, .campaigns = 3, .octets = 1u << 14, .seed = 1});
    for (unsigned i = 0; i < LINES_MOST && slice_cut(&rest, '\n', &line); i++) {
        struct arena arena;
        struct attempt attempt;
        arena_init(&arena, NULL, 0);
        if (attempt_parse(line, &arena, &attempt)) {
            there_and_back(&attempt);
            if (i % 7 == 6)
                watch_learn(watch, &attempt);
            else
                watch_add(watch, &attempt);
            notes_look(watch);
        }
        arena_drop(&arena);
    }
    watch_free(watch);
    return 0;
}
