#include "daemon/keeper_files.h"

#include "journal/retention.h"

#include <stdio.h>

static bool was_read(void *data, const struct segment_name *name)
{
    const struct journal_reader *reader = data;
    struct journal_stream_state state;
    char stream[SEGMENT_STREAM_SIZE];
    segment_stream_print(name, stream);
    for (size_t i = 0; journal_reader_stream(reader, i, &state); i++)
        if (slice_equal(state.stream, slice_text(stream)))
            return state.place.sequence > name->sequence ||
                   (state.place.sequence == name->sequence && !state.behind);
    return false;
}

bool keeper_files_retain(struct keeper_files *files, const struct journal_reader *reader,
                         struct keeper_stats *stats, int64_t unix_us, struct error *error)
{
    struct retention_counts counts = {0};
    char history[512];
    snprintf(history, sizeof history, "%.*s/history", SLICE_ARGS(files->set->state_directory));
    struct retention retention = {
        .folder = files->folder,
        .history = history,
        .now_unix = unix_us / 1000000,
        .keep_seconds = (int64_t)(files->set->journal_keep / 1000),
        .octets_max = retention_share(files->folder, (unsigned)files->set->journal_share),
        .was_read = was_read,
        .data = (void *)(uintptr_t)reader,
    };
    const bool done = retention_run(&retention, &counts, error) == 0 && keeper_stats_fold(stats, error) == 0;
    files->removed += counts.octets;
    files->failed = done ? 0 : files->failed + 1;
    return files->failed == 1;
}
