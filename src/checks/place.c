#include "checks/place.h"

#include "base/text.h"

static struct slice network(struct turn *turn, uint8_t bits)
{
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix = {address_network(turn_facts(turn)->peer, bits), bits};
    size_t len = prefix_print(&prefix, text);
    return turn_join(turn, slice_of(text, len), SLICE_NONE);
}

struct slice place_host(struct turn *turn)
{
    const struct address *peer = turn_facts(turn)->peer;
    char text[ADDRESS_TEXT_SIZE];
    if (peer->family == ADDRESS_IPV6)
        return network(turn, 64);
    size_t len = address_print(peer, text);
    return turn_join(turn, slice_of(text, len), SLICE_NONE);
}

struct slice place_network(struct turn *turn)
{
    const struct address *peer = turn_facts(turn)->peer;
    if (peer->family == ADDRESS_IPV6 || address_is_loopback(peer))
        return place_host(turn);
    return network(turn, 24);
}

struct slice place_lower(struct turn *turn, struct slice text)
{
    char lower[400];
    size_t len = 0;
    for (; len < text.len && len < sizeof lower; len++)
        lower[len] = text_lower(text.at[len]);
    return turn_join(turn, slice_of(lower, len), SLICE_NONE);
}
