/* Whatever stands behind "v=spf1 ": a record that is taken reads to its end, its networks have lengths that
 * there are, its names can be asked for, and explanations are clean. */
#include "property.h"
#include "wire/netstring.h"
#include "wire/spf_field.h"

static void name_is_askable(const char *name, size_t len)
{
    size_t label = 0;
    assert(len > 0 && len <= SPF_NAME_MAX);
    for (size_t i = 0; i < len; i++) {
        assert(name[i] >= 0x20 && name[i] < 0x7f && !(name[i] >= 'A' && name[i] <= 'Z') && name[i] != '\\');
        assert(name[i] != '.' || label > 0);
        label = name[i] == '.' ? 0 : label + 1;
        assert(label <= 63);
    }
    assert(label > 0);
}

static void expand(struct slice text, const struct spf_values *values)
{
    char name[SPF_NAME_MAX], explanation[100];
    size_t len;
    if (spf_name_expand(text, values, name, &len))
        name_is_askable(name, len);
    if (spf_name_make(text, name, &len))
        name_is_askable(name, len);
    if (spf_explanation_expand(text, values, explanation, sizeof explanation, &len))
        assert(len <= sizeof explanation && slice_is_printable(slice_of(explanation, len)));
    else
        assert(!spf_macro_string_is(text));
    assert(!spf_domain_spec_is(text) || spf_macro_string_is(text));
}

static void term_is_sound(const struct spf_term *term, struct slice whole)
{
    assert(slice_is_within(term->text, whole) && slice_is_within(term->domain, whole));
    assert(slice_is_printable(term->text) && slice_find(term->text, ' ') == SLICE_NOT_FOUND);
    assert(term->bits4 <= 32 && term->bits6 <= 128);
    assert(term->kind != SPF_IP4 ||
           (term->network.network.family == ADDRESS_IPV4 && term->network.bits <= 32));
    assert(term->kind != SPF_IP6 ||
           (term->network.network.family == ADDRESS_IPV6 && term->network.bits <= 128));
    if (term->domain.len && term->kind != SPF_OTHER)
        assert(spf_domain_spec_is(term->domain));
}

static void record_is_sound(struct slice text, const struct spf_values *values)
{
    struct spf_term term;
    enum spf_status status;
    assert(spf_record_is(text));
    struct slice terms = spf_record_terms(text);
    while ((status = spf_term_next(&terms, &term)) == SPF_TERM) {
        term_is_sound(&term, text);
        expand(term.domain, values);
    }
    assert(status == SPF_END ? terms.len == 0 : term.text.len && slice_is_within(term.text, text));
}

/* Each line but the first begins with a tab, and no other control octet is there. */
static void field_is_clean(enum spf_result result, struct slice text, const struct spf_values *values)
{
    struct buf buf;
    const struct spf_field field = {.result = result,
                                    .address = values->address,
                                    .sender = text,
                                    .helo = text,
                                    .receiver = values->receiver,
                                    .mechanism = text,
                                    .problem = text};
    buf_init(&buf, SPF_FIELD_MAX);
    bool fits = spf_field_add(&buf, &field);
    struct slice whole = buf_slice(&buf);
    assert(fits && whole.at[whole.len - 1] == '\n');
    for (size_t i = 0; i < whole.len; i++) {
        unsigned char octet = (unsigned char)whole.at[i];
        if (octet == '\r')
            assert(whole.at[i + 1] == '\n' && (i + 2 == whole.len || whole.at[i + 2] == '\t'));
        else if (octet == '\n' || octet == '\t')
            assert(whole.at[i - 1] == (octet == '\n' ? '\r' : '\n'));
        else
            assert(octet >= 0x20 && octet != 0x7f);
    }
    buf_drop(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len), list = input, text;
    struct address address;
    struct buf record;
    address_parse(choice_take(&input) & 1 ? SLICE("2001:db8::1") : SLICE("192.0.2.1"), &address);
    const struct spf_values values = {.local = input,
                                      .origin = slice_head(input, 255),
                                      .domain = SLICE("example.com"),
                                      .helo = input,
                                      .name = SLICE("mx.example.com"),
                                      .receiver = SLICE("gate.example.net"),
                                      .address = &address};
    buf_init(&record, len + 8);
    buf_add(&record, SLICE("v=spf1 "));
    buf_add(&record, input);
    record_is_sound(buf_slice(&record), &values);
    expand(input, &values);
    field_is_clean((enum spf_result)(len % SPF_RESULT_COUNT), input, &values);
    buf_drop(&record);
    while (netstring_cut(&list, &text))
        assert(slice_is_within(text, slice_of((const char *)octets, len)));
    return 0;
}
