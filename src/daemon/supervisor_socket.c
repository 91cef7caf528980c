/* The listening sockets. */
#include "base/memory.h"
#include "daemon/supervisor_part.h"
#include "io/net.h"
#include <unistd.h>

static struct socket_group *group_find(const struct supervisor *supervisor, const struct address *wanted)
{
    for (struct link *at = supervisor->groups.next; at != &supervisor->groups; at = at->next) {
        struct socket_group *group = LIST_OF(at, struct socket_group, link);
        if (address_equal(&group->wanted, wanted))
            return group;
    }
    return NULL;
}

static struct socket_group *group_new(struct supervisor *supervisor, const struct address *wanted)
{
    struct socket_group *group = memory_take(sizeof *group);
    group->wanted = group->bound = *wanted;
    list_add_last(&supervisor->groups, &group->link);
    return group;
}

static void group_close(struct socket_group *group)
{
    for (unsigned i = 0; i < group->count; i++)
        close(group->fds[i]);
    list_remove(&group->link);
    memory_give(group, sizeof *group);
}

static int group_fill(struct socket_group *group, unsigned lanes, struct error *error)
{
    if (!group->count && net_listen_probe(&group->bound, error) < 0)
        return -1;
    while (group->count < lanes) {
        int fd = net_listen(&group->bound, error);
        if (fd < 0)
            return -1;
        group->fds[group->count++] = fd;
        group->bound = net_local(fd);
    }
    return 0;
}

int sockets_open(struct supervisor *supervisor, const struct site *site, unsigned lanes, struct error *error)
{
    for (size_t i = 0; i < site->listen_count; i++) {
        const struct address *wanted = &site->listens[i].address;
        struct socket_group *group = group_find(supervisor, wanted);
        if (!group)
            group = group_new(supervisor, wanted);
        if (group_fill(group, lanes, error) == 0)
            continue;
        if (!site->listens[i].optional)
            return -1;
        supervisor_say(supervisor, "%s: the configuration allows to go on without", error->text);
        group_close(group);
    }
    return 0;
}

static bool site_listens(const struct site *site, const struct address *wanted)
{
    for (size_t i = 0; site && i < site->listen_count; i++) {
        if (address_equal(&site->listens[i].address, wanted))
            return true;
    }
    return false;
}

void sockets_trim(struct supervisor *supervisor, const struct site *site, const struct site *other)
{
    for (struct link *at = supervisor->groups.next, *next; at != &supervisor->groups; at = next) {
        next = at->next;
        struct socket_group *group = LIST_OF(at, struct socket_group, link);
        if (!site_listens(site, &group->wanted) && !site_listens(other, &group->wanted))
            group_close(group);
    }
}

size_t sockets_of_gate(const struct supervisor *supervisor, const struct generation *generation,
                       unsigned gate, struct worker_listener *ret_listeners, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < generation->site->listen_count; i++) {
        const struct socket_group *group = group_find(supervisor, &generation->site->listens[i].address);
        for (unsigned lane = gate; group && lane < group->count; lane += generation->gates) {
            if (count < most)
                ret_listeners[count++] = (struct worker_listener){group->fds[lane], (uint16_t)i};
        }
    }
    return count;
}

void sockets_lost(const struct site *site, const struct site *other, struct buf *ret_listens)
{
    for (size_t i = 0; i < site->listen_count; i++) {
        uint16_t listen = (uint16_t)i;
        if (!site_listens(other, &site->listens[i].address))
            buf_add(ret_listens, slice_of((const char *)&listen, sizeof listen));
    }
}

void sockets_print(const struct supervisor *supervisor, struct buf *buf)
{
    for (struct link *at = supervisor->groups.next; at != &supervisor->groups; at = at->next) {
        char text[ADDRESS_PORT_TEXT_SIZE];
        address_port_print(&LIST_OF(at, struct socket_group, link)->bound, text);
        buf_add_format(buf, "%s%s", buf->len ? ", " : "", text);
    }
}
