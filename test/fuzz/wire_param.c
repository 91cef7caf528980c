/* Whatever stands behind a path: each parameter is part of it, and xtext goes both ways. */
#include "property.h"
#include "wire/param.h"

static void parameters_are_parts(struct slice text)
{
    struct slice rest = text;
    struct param param;
    enum param_status status;
    while ((status = param_next(&rest, &param)) != PARAM_END) {
        assert(param.key.len > 0 && slice_is_within(param.key, text) && slice_is_within(param.value, text));
        assert(status == PARAM_BAD || slice_is_printable(param.key));
        assert(status == PARAM_BAD || param.has_value == (param.value.len > 0));
    }
}

static void commands_are_sound(struct slice text)
{
    struct mail_params mail;
    struct rcpt_params rcpt;
    struct slice culprit;
    const enum params_status mail_status = mail_params_parse(text, &mail, &culprit);
    assert((mail_status == PARAMS_DONE) == (culprit.len == 0) && slice_is_within(culprit, text));
    assert(mail.envid.len <= ENVID_SIZE_MAX && xtext_check(mail.envid));
    const enum params_status rcpt_status = rcpt_params_parse(text, &rcpt, &culprit);
    assert((rcpt_status == PARAMS_DONE) == (culprit.len == 0) && slice_is_within(culprit, text));
    assert(!(rcpt.notify & NOTIFY_NEVER) || rcpt.notify == NOTIFY_NEVER);
    assert(rcpt.orcpt_whole.len <= ORCPT_SIZE_MAX && slice_is_utf8(rcpt.orcpt_whole));
    assert(rcpt.orcpt_whole.len == 0 || (rcpt.orcpt.len > 0 && rcpt.orcpt_type.len > 0));
}

static void xtext_goes_both_ways(struct slice text)
{
    struct arena arena;
    struct buf buf;
    struct slice plain;
    arena_init(&arena, NULL, 0);
    buf_init(&buf, 3 * text.len);
    assert(xtext_encode(&buf, text));
    assert(slice_is_printable(buf_slice(&buf)) && slice_find(buf_slice(&buf), ' ') == SLICE_NOT_FOUND);
    assert(xtext_decode(buf_slice(&buf), &arena, &plain) && slice_equal(plain, text));
    buf_drop(&buf);
    assert(xtext_check(text) == xtext_decode(text, &arena, &plain));
    assert(!xtext_check(text) || plain.len <= text.len);
    arena_drop(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice text = slice_of((const char *)octets, len);
    parameters_are_parts(text);
    commands_are_sound(text);
    xtext_goes_both_ways(text);
    return 0;
}
