/* Whatever a server says: a reply is read the same with or without what follows it; what it offers is read;
 * and whatever text we are given to say, lines and length stay ours. */
#include "property.h"
#include "wire/capability.h"
#include "wire/reply.h"
#include "wire/xclient.h"

static void reply_is_sound(struct slice input)
{
    struct reply reply, again;
    struct capability capability;
    size_t at = 0;
    unsigned lines = 0;
    struct slice text;
    const enum reply_status status = reply_parse(input, &reply);
    if (status != REPLY_DONE)
        return;
    assert(reply.taken <= input.len && reply.taken <= REPLY_SIZE_MAX && reply.code >= 200 &&
           reply.code <= 599);
    assert(reply_parse(slice_head(input, reply.taken), &again) == REPLY_DONE && again.taken == reply.taken);
    assert(reply_parse(slice_head(input, reply.taken - 1), &again) == REPLY_PARTIAL);
    while (reply_line(&reply, &at, &text)) {
        assert(slice_is_within(text, input) && slice_find(text, '\n') == SLICE_NOT_FOUND);
        lines++;
    }
    assert(lines == reply.lines && at == reply.taken);
    capability_parse(&reply, &capability);
    assert(capability.size == 0 || (capability.set & CAPABILITY_SIZE));
    assert(capability.xclient < 1u << XCLIENT_COUNT);
}

static void reply_is_ours(struct slice input)
{
    const unsigned choice = choice_take(&input);
    const size_t tail = choice_take(&input);
    struct reply_form form = {.code = 200 + choice % 400,
                              .enhanced = {(uint8_t)(choice & 1 ? 200 + choice % 400 : 0), 7, 1},
                              .text = slice_from(input, tail),
                              .tail = slice_head(input, tail),
                              .tail_place = choice % 3,
                              .utf8 = choice & 4};
    struct buf buf;
    struct reply reply;
    form.enhanced.class = choice & 1 ? (uint8_t)(form.code / 100) : 0;
    buf_init(&buf, 1 << 20);
    assert(reply_format(&buf, &form));
    struct slice rest = buf_slice(&buf), line;
    unsigned lines = 0;
    while (slice_cut(&rest, '\n', &line)) {
        assert(line.len + 1 <= 512 && line.at[line.len - 1] == '\r');
        line.len--;
        assert(form.utf8 ? slice_is_utf8(line) : slice_is_printable(line));
        assert(line.at[3] == (rest.len ? '-' : ' '));
        lines++;
    }
    if (lines <= REPLY_LINES_MAX && buf.len <= REPLY_SIZE_MAX)
        assert(reply_parse(buf_slice(&buf), &reply) == REPLY_DONE && reply.lines == lines &&
               reply.taken == buf.len && reply.code == form.code);
    buf_drop(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice input = slice_of((const char *)octets, len);
    reply_is_sound(input);
    reply_is_ours(slice_head(input, 4096));
    return 0;
}
