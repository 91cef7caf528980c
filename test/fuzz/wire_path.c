/* Whatever follows MAIL or RCPT: a path that is taken has no octet that could harm, stays within its limits,
 * and its mailbox read by itself is the same. */
#include "property.h"
#include "wire/path.h"

static void mailbox_is_sound(const struct path *path, struct arena *arena)
{
    struct path again;
    assert(path->mailbox.len <= PATH_SIZE_MAX - 2 && path->local.len <= PATH_LOCAL_MAX);
    assert(path->local_plain.len <= path->local.len);
    for (size_t i = 0; i < path->whole.len; i++)
        assert((unsigned char)path->whole.at[i] >= 0x20 && path->whole.at[i] != 0x7f);
    assert(slice_is_utf8(path->whole) && (path->utf8 || slice_is_printable(path->whole)));
    assert(path->literal == (path->literal_address.family != ADDRESS_NONE));
    if (path->null)
        return;
    const enum path_status status = path_parse_mailbox(path->mailbox, arena, &again);
    assert(status == (path->postmaster ? PATH_NO_DOMAIN : PATH_DONE));
    assert(slice_equal(again.local_plain, path->local_plain) && slice_equal(again.domain, path->domain));
    assert(again.quoted == path->quoted && again.percent == path->percent && again.bang == path->bang);
    assert(path->quoted || slice_equal(path->local, path->local_plain));
}

static void argument_is_sound(struct slice argument, bool forward)
{
    struct arena arena;
    struct path path;
    struct slice parameters;
    arena_init(&arena, NULL, 0);
    const enum path_status status = forward ? path_parse_forward(argument, &arena, &path, &parameters)
                                            : path_parse_reverse(argument, &arena, &path, &parameters);
    assert(path_status_name(status).len > 0);
    assert(slice_is_within(path.whole, argument) && slice_is_within(parameters, argument));
    assert(slice_is_within(path.local, argument) && slice_is_within(path.domain, argument));
    if (status == PATH_DONE) {
        mailbox_is_sound(&path, &arena);
        assert(forward ? !path.null : !path.postmaster);
    }
    arena_drop(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    char argument[2048] = "FROM:";
    argument_is_sound(input, false);
    argument_is_sound(input, true);
    input = slice_head(input, sizeof argument - 5);
    if (input.len)
        memcpy(argument + 5, input.at, input.len);
    argument_is_sound(slice_of(argument, 5 + input.len), false);
    memcpy(argument + 2, "TO:", 3);
    argument_is_sound(slice_of(argument + 2, 3 + input.len), true);
    return 0;
}
