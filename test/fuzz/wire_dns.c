/* Whatever a name server sends: what is read of it is text that splits as it was joined. */
#include "base/text.h"
#include "property.h"
#include "wire/dns.h"

static void words_are_sound(struct slice value)
{
    struct slice word;
    assert(slice_is_printable(value));
    while (slice_word(&value, &word))
        assert(word.len <= DNS_NAME_MAX);
}

static void netstrings_are_sound(struct slice value)
{
    while (value.len) {
        struct slice number;
        uint64_t len = 0;
        assert(slice_cut(&value, ':', &number) && text_parse_u64(number, &len));
        assert(len < value.len && value.at[len] == ',');
        value = slice_from(value, len + 1);
    }
}

/* The first octet chooses the type; the packet follows. Its own question is taken for ours. */
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_PTR, DNS_MX, DNS_TXT};
    struct arena arena;
    if (!len)
        return 0;
    const enum dns_type type = types[octets[0] % 5];
    arena_init(&arena, NULL, 0);
    const struct slice packet = slice_of((const char *)octets + 1, len - 1);
    const struct dns_answer answer = dns_answer_read(packet, SLICE("mx.example"), type, &arena);
    if (answer.status == DNS_FOUND && type == DNS_TXT)
        netstrings_are_sound(answer.value);
    else if (answer.status == DNS_FOUND)
        words_are_sound(answer.value);
    assert(answer.ttl <= DNS_TTL_MAX && answer.value.len <= DNS_VALUE_MAX);
    arena_drop(&arena);
    return 0;
}
