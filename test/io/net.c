/* Proves listening, connecting and accepting over IPv4, IPv6 and unix sockets, the inherited TCP_NODELAY, and
 * that refusals come back in words. */
#include "io/net.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
}

static void tcp_pair(const char *text)
{
    struct error error;
    struct address any, peer;
    assert_true(address_parse(slice_text(text), &any));
    int listener = net_listen(&any, &error);
    if (listener < 0 && error.number == EADDRNOTAVAIL)
        return; /* no IPv6 here */
    assert_true(listener >= 0);
    struct address to = net_local(listener);
    assert_true(to.port != 0);
    int client = net_connect(&to, NULL, &error);
    assert_true(client >= 0);
    wait_for(client, POLLOUT);
    assert_int_equal(net_connect_result(client, &error), 0);
    wait_for(listener, POLLIN);
    int server = net_accept(listener, &peer);
    assert_true(server >= 0);
    struct address local = net_local(client);
    assert_true(address_equal(&peer, &local));
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    assert_true(no_delay != 0);
    assert_int_equal(net_accept(listener, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(net_send(server, SLICE("hello")), 5);
    close(server);
    close(client);
    close(listener);
    client = net_connect(&to, NULL, &error); /* nobody listens any more */
    if (client >= 0) {
        wait_for(client, POLLOUT);
        assert_int_equal(net_connect_result(client, &error), -1);
        close(client);
    }
    assert_int_equal(error.number, ECONNREFUSED);
    assert_non_null(strstr(error.text, "cannot connect"));
}

static void tcp(void **state)
{
    (void)state;
    tcp_pair("127.0.0.1");
    tcp_pair("::1");
}

static void several_listeners_share_an_address(void **state)
{
    (void)state;
    struct error error;
    struct address any;
    assert_true(address_parse(SLICE("127.0.0.1"), &any));
    int one = net_listen(&any, &error);
    struct address at = net_local(one);
    int two = net_listen(&at, &error);
    assert_true(one >= 0 && two >= 0);
    assert_int_equal(net_listen_probe(&at, &error), -1);
    assert_int_equal(error.number, EADDRINUSE);
    close(one);
    close(two);
    assert_int_equal(net_listen_probe(&at, &error), 0);
    struct address foreign;
    assert_true(address_port_parse(SLICE("192.0.2.1:2525"), 0, &foreign));
    assert_int_equal(net_listen(&foreign, &error), -1);
    assert_string_equal(error.text, "cannot listen on 192.0.2.1:2525: Cannot assign requested address");
}

static void unix_socket(void **state)
{
    (void)state;
    struct error error;
    char folder[FOLDER_SIZE];
    char path[FOLDER_SIZE + 8];
    assert_int_equal(folder_new(folder, "net"), 0);
    snprintf(path, sizeof path, "%s/s", folder);
    int listener = net_listen_unix(slice_text(path), 0600, &error);
    assert_true(listener >= 0);
    assert_int_equal(net_listen_unix(slice_text(path), 0600, &error), -1); /* it lives */
    int client = net_connect_unix(slice_text(path), &error);
    assert_true(client >= 0);
    struct address peer;
    int server = net_accept(listener, &peer);
    assert_true(server >= 0);
    assert_int_equal(peer.family, ADDRESS_NONE);
    close(server);
    close(client);
    close(listener);
    listener = net_listen_unix(slice_text(path), 0600, &error); /* the dead file is replaced */
    assert_true(listener >= 0);
    close(listener);
    unlink(path);
    rmdir(folder);
    char much[200];
    memset(much, 'x', sizeof much);
    assert_int_equal(net_connect_unix(slice_of(much, sizeof much), &error), -1);
    assert_int_equal(error.number, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp),
        cmocka_unit_test(several_listeners_share_an_address),
        cmocka_unit_test(unix_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
