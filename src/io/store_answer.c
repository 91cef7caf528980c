#include "io/store_answer.h"

#include "base/text.h"

static enum store_status value_of(const struct store_source *from, struct slice key, int64_t now_ms,
                                  struct store_answer *answer)
{
    return from->overlay ? store_overlay_get(from->overlay, key, now_ms, &answer->value, &answer->error)
                         : store_get(from->store, key, now_ms, &answer->value, &answer->error);
}

static enum store_status touches_of(const struct store_source *from, struct slice key, int64_t now_ms,
                                    struct store_answer *answer)
{
    struct store_touches touches;
    enum store_status status = from->overlay
                                   ? store_overlay_seen(from->overlay, key, now_ms, &touches, &answer->error)
                                   : store_seen(from->store, key, now_ms, &touches, &answer->error);
    if (status == STORE_FOUND)
        answer->value = slice_of(answer->text, store_touches_print(&touches, answer->text));
    return status;
}

static enum store_status count_of(const struct store_source *from, struct slice key, int64_t now_ms,
                                  struct store_answer *answer)
{
    uint64_t count;
    enum store_status status = from->overlay
                                   ? store_overlay_counter(from->overlay, key, now_ms, &count, &answer->error)
                                   : store_count(from->store, key, now_ms, &count, &answer->error);
    if (status == STORE_FOUND)
        answer->value = slice_of(answer->text, text_print_u64(count, answer->text));
    return status;
}

void store_answer(const struct store_source *source, enum ask_kind kind, struct slice key,
                  int64_t now_unix_ms, struct store_answer *ret_answer)
{
    enum store_status status;
    ret_answer->value = SLICE_NONE;
    if (kind == ASK_SEEN)
        status = touches_of(source, key, now_unix_ms, ret_answer);
    else if (kind == ASK_COUNT)
        status = count_of(source, key, now_unix_ms, ret_answer);
    else
        status = value_of(source, key, now_unix_ms, ret_answer);
    switch (status) {
    case STORE_FOUND: ret_answer->status = ANSWER_FOUND; return;
    case STORE_NONE: ret_answer->status = ANSWER_NONE; return;
    case STORE_FAILED:
        ret_answer->status = ANSWER_FAILED;
        ret_answer->value = slice_text(ret_answer->error.text);
        return;
    }
}
