#include "journal/traits.h"

#include "base/text.h"
#include "core/finding.h"

#define KEYS_MAX (300u * TRAITS_MOST)
#define HEAD     3u /* kind, length */

size_t trait_key_text(struct slice text, char key[TRAIT_KEY_MAX])
{
    size_t len = text.len < TRAIT_KEY_MAX ? text.len : TRAIT_KEY_MAX;
    for (size_t i = 0; i < len; i++)
        key[i] = text_lower(text.at[len - 1 - i]);
    return len;
}

size_t trait_key_number(uint64_t number, char key[TRAIT_KEY_MAX])
{
    for (unsigned i = 0; i < 4; i++)
        key[i] = (char)(number >> (24 - 8 * i));
    return 4;
}

size_t trait_key_address(const struct address *address, char key[TRAIT_KEY_MAX])
{
    size_t len = address->family == ADDRESS_IPV4 ? 4 : address->family == ADDRESS_IPV6 ? 16 : 0;
    memcpy(key, address->octets, len);
    return len;
}

void traits_init(struct traits *traits, uint64_t session)
{
    *traits = (struct traits){.session = session};
    buf_init(&traits->keys, KEYS_MAX);
}

void traits_drop(struct traits *traits)
{
    buf_drop(&traits->keys);
}

bool traits_next(const struct traits *traits, size_t *at, enum trait *ret_kind, struct slice *ret_key)
{
    struct slice rest = slice_from(buf_slice(&traits->keys), *at);
    if (rest.len < HEAD)
        return false;
    size_t len = (size_t)(unsigned char)rest.at[1] << 8 | (unsigned char)rest.at[2];
    *ret_kind = (enum trait)(unsigned char)rest.at[0];
    *ret_key = slice_head(slice_from(rest, HEAD), len);
    *at += HEAD + len;
    return true;
}

bool traits_have(const struct traits *traits, enum trait kind, struct slice key)
{
    enum trait other;
    struct slice text;
    for (size_t at = 0; traits_next(traits, &at, &other, &text);)
        if (other == kind && slice_equal(text, key))
            return true;
    return false;
}

static void add(struct traits *traits, enum trait kind, struct slice key)
{
    if (traits->count == TRAITS_MOST || traits_have(traits, kind, key))
        return;
    char *at = buf_room(&traits->keys, HEAD + key.len);
    if (!at)
        return;
    at[0] = (char)kind;
    at[1] = (char)(key.len >> 8);
    at[2] = (char)key.len;
    if (key.len)
        memcpy(at + HEAD, key.at, key.len);
    buf_grow(&traits->keys, HEAD + key.len);
    traits->count++;
}

static void add_text(struct traits *traits, enum trait kind, struct slice text)
{
    char key[TRAIT_KEY_MAX];
    size_t len = trait_key_text(text, key);
    add(traits, kind, slice_of(key, len));
}

static void add_number(struct traits *traits, enum trait kind, uint64_t number)
{
    char key[TRAIT_KEY_MAX];
    size_t len = trait_key_number(number, key);
    add(traits, kind, slice_of(key, len));
}

static void take_verdict(struct traits *traits, const struct event_verdict *verdict)
{
    bool weaker = action_strength((enum action)verdict->verdict) <
                  action_strength((enum action)traits->verdict);
    if (verdict->verdict && !verdict->observed && !weaker)
        traits->verdict = verdict->verdict;
}

static void take_ended(struct traits *traits, const struct event_session_ended *ended)
{
    char key[TRAIT_KEY_MAX];
    size_t len = trait_key_address(&ended->peer, key);
    if (traits->ended)
        return;
    traits->ended = true;
    add(traits, TRAIT_ADDRESS, slice_of(key, len));
    if (ended->ptr.len)
        add_text(traits, TRAIT_PTR, ended->ptr);
    if (ended->helo.len)
        add_text(traits, TRAIT_HELO, ended->helo);
    add_number(traits, TRAIT_VERDICT, traits->verdict);
}

bool traits_want(enum event_kind kind)
{
    switch ((unsigned)kind) {
    case EVENT_KIND_session_opened:
    case EVENT_KIND_reply_sent:
    case EVENT_KIND_finding:
    case EVENT_KIND_verdict:
    case EVENT_KIND_mail_started:
    case EVENT_KIND_recipient_judged:
    case EVENT_KIND_session_ended: return true;
    default: return false;
    }
}

void traits_take(struct traits *traits, const struct event *event)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: traits->opened = true; break;
    case EVENT_KIND_reply_sent:
        if (body->reply_sent.code >= 400)
            add_number(traits, TRAIT_REPLY, body->reply_sent.number);
        break;
    case EVENT_KIND_finding: add_number(traits, TRAIT_FINDING, body->finding.finding); break;
    case EVENT_KIND_verdict: take_verdict(traits, &body->verdict); break;
    case EVENT_KIND_mail_started: add_text(traits, TRAIT_SENDER, body->mail_started.sender); break;
    case EVENT_KIND_recipient_judged:
        add_text(traits, TRAIT_RECIPIENT, body->recipient_judged.recipient);
        break;
    case EVENT_KIND_session_ended: take_ended(traits, &body->session_ended); break;
    default: break;
    }
}
