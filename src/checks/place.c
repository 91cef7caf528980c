#include "checks/place.h"

#include "base/text.h"

struct slice place_network(struct turn *turn)
{
    const struct address *peer = turn_facts(turn)->peer;
    char text[ADDRESS_PORT_TEXT_SIZE];
    struct prefix prefix = {.bits = peer->family == ADDRESS_IPV6 ? 64 : 24};
    prefix.network = address_network(peer, prefix.bits);
    size_t len = prefix_print(&prefix, text);
    return turn_format(turn, "%.*s", (int)len, text);
}

struct slice place_host(struct turn *turn)
{
    const struct address *peer = turn_facts(turn)->peer;
    char text[ADDRESS_TEXT_SIZE];
    if (peer->family == ADDRESS_IPV6)
        return place_network(turn);
    size_t len = address_print(peer, text);
    return turn_format(turn, "%.*s", (int)len, text);
}

struct slice place_lower(struct turn *turn, struct slice text)
{
    char lower[400];
    size_t len = 0;
    for (; len < text.len && len < sizeof lower; len++)
        lower[len] = text_lower(text.at[len]);
    return turn_format(turn, "%.*s", (int)len, lower);
}
