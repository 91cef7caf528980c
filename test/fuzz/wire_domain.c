/* Whatever comes: what counts as a domain holds no octet that could harm a log, a header or DNS. */
#include "property.h"
#include "wire/domain.h"

static void domain_is_sound(struct slice domain, bool utf8)
{
    struct domain_facts facts;
    if (domain_check(domain, utf8, &facts) != DOMAIN_DONE)
        return;
    assert(domain.len > 0 && domain.len <= DOMAIN_SIZE_MAX);
    assert(slice_find_slice(domain, SLICE("..")) == SLICE_NOT_FOUND && domain.at[0] != '.');
    assert(facts.utf8 ? slice_is_utf8(domain) : slice_is_printable(domain));
    assert(slice_find(domain, ' ') == SLICE_NOT_FOUND);
    assert(facts.underscore == (slice_find(domain, '_') != SLICE_NOT_FOUND));
    assert(facts.dot_last == (domain.at[domain.len - 1] == '.'));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice s = slice_of((const char *)octets, len);
    struct address address;
    domain_is_sound(s, false);
    domain_is_sound(s, true);
    const enum helo_kind kind = helo_classify(s, &address);
    assert(helo_kind_name(kind).len > 0);
    assert((kind == HELO_LITERAL || kind == HELO_BARE_IP) == (address.family != ADDRESS_NONE));
    assert((kind == HELO_LITERAL) == domain_literal_parse(s, &address, NULL));
    if (kind != HELO_BAD && kind != HELO_EMPTY)
        assert(slice_is_printable(s));
    return 0;
}
