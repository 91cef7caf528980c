#include "daemon/keeper_streams.h"

void keeper_streams_put(const struct journal_reader *reader, struct json *json)
{
    struct journal_stream_state state;
    json_key(json, "streams");
    json_array_open(json);
    for (size_t i = 0; journal_reader_stream(reader, i, &state); i++) {
        json_object_open(json);
        json_put_text(json, "stream", state.stream);
        json_put_u64(json, "sequence", state.place.sequence);
        json_put_u64(json, "offset", state.place.offset);
        json_put_u64(json, "behind", state.behind);
        json_object_close(json);
    }
    json_array_close(json);
}
