/* Sockets: listening, accepting, connecting. All descriptors are non-blocking and close-on-exec. */
#ifndef IO_NET_H
#define IO_NET_H

#include "base/address.h"
#include "base/error.h"
#include "base/slice.h"

/* TCP, with SO_REUSEPORT, IPv6 for IPv6 only, TCP_NODELAY (connections inherit it), TCP_SAVE_SYN where the
 * system has it, and the longest backlog that the system allows, up to 4,096. Port 0 takes a free one: see
 * net_local. Returns the descriptor, or -1.
 */
int net_listen(const struct address *address, struct error *error);
/* Whether nobody listens there yet: with SO_REUSEPORT two programs of one user would share the connections
 * without knowing. 0, or -1 with the reason. */
int net_listen_probe(const struct address *address, struct error *error);
/* A unix socket at `path` (at most 107 octets), with these permissions; a dead socket file there is replaced,
 * a live one is not. Returns the descriptor, or -1. */
int net_listen_unix(struct slice path, unsigned mode, struct error *error);

/* The next connection of a listener and its peer (family ADDRESS_NONE for unix sockets; ret_peer may be
 * NULL). -1: errno tells; EAGAIN: there is none. */
int net_accept(int listener, struct address *ret_peer);

/* Begins to connect; when the descriptor can be written, net_connect_result tells what came of it. `from` may
 * be NULL. Returns the descriptor, or -1. */
int net_connect(const struct address *to, const struct address *from, struct error *error);
int net_connect_unix(struct slice path, struct error *error);
int net_connect_result(int fd, struct error *error); /* 0, or -1 */

/* The first packet of an accepted connection's client, IP header and TCP header, where the listener was made
 * by net_listen. Octets written, or 0: the system has none (it was told by a SYN cookie, or is not Linux). It
 * is given once. */
size_t net_saved_syn(int fd, char *at, size_t size);

struct address net_local(int fd); /* our own end; ADDRESS_NONE for unix sockets */

/* Sends without SIGPIPE. As send(2): octets, or -1 with errno. */
long net_send(int fd, struct slice octets);
/* The same for what is followed by close or shutdown at once: it travels with the end in one packet. */
long net_send_last(int fd, struct slice octets);

#endif
