/* Proves, on the real program: a gate that is killed is replaced while others serve, a reload keeps sessions
 * and refuses mistakes, a stop lets messages finish, and what has just happened can be read at once. */
#include "rig.h"

#define SESSIONS 24

/* Waits until as many gates as wanted serve the current configuration and no other is left. */
static void gates_settle(const struct rig *rig, size_t wanted, struct rig_gate *gates)
{
    for (uint64_t until_ms = rig_now_ms() + RIG_WAIT_MS; rig_now_ms() < until_ms;) {
        size_t count = rig_gates(rig, gates, 8), good = 0;
        for (size_t i = 0; i < count; i++)
            good += gates[i].ready && gates[i].current;
        if (count == wanted && good == wanted)
            return;
    }
    fail_msg("the gates do not come to rest");
}

static void message_finish(int fd)
{
    rig_talk(fd, "Subject: t\r\n\r\nhello\r\n.\r\n", "250 2.0.0");
}

static void message_begin(int fd)
{
    rig_talk(fd, "MAIL FROM:<a@example.org>\r\n", "250 ");
    rig_talk(fd, "RCPT TO:<b@example.net>\r\n", "250 ");
    rig_talk(fd, "DATA\r\n", "354 ");
}

static void killed_gate_is_replaced(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_gate gates[8], after[8];
    int fds[SESSIONS];
    rig_start(&rig, "host-name mx.example.net\ngates 2\n");
    for (int i = 0; i < SESSIONS; i++)
        fds[i] = rig_session(&rig);
    gates_settle(&rig, 2, gates);
    assert_int_equal(gates[0].connections + gates[1].connections, SESSIONS);
    assert_int_equal(kill(gates[0].pid, SIGKILL), 0);
    for (int i = 0; i < SESSIONS; i++) { /* whichever socket they fall to: the other gate, or the new one */
        int fd = rig_session(&rig);
        rig_quit(fd);
    }
    unsigned alive = 0;
    for (int i = 0; i < SESSIONS; i++) {
        char octet;
        send(fds[i], "NOOP\r\n", 6, MSG_NOSIGNAL);
        struct pollfd at = {.fd = fds[i], .events = POLLIN};
        assert_int_equal(poll(&at, 1, RIG_WAIT_MS), 1);
        alive += recv(fds[i], &octet, 1, 0) == 1;
        close(fds[i]);
    }
    assert_int_equal(alive, gates[1].connections);
    gates_settle(&rig, 2, after);
    assert_true(after[0].pid != gates[0].pid && after[1].pid != gates[0].pid);
    rig_end(&rig);
}

static void reload_keeps_sessions(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_gate gates[8];
    char room[4096];
    rig_start(&rig, "host-name one.example.net\ngates 1\n");
    int waiting = rig_session(&rig), sending = rig_session(&rig);
    message_begin(sending);
    rig_configure(&rig, "host-name two.example.net\ngates 2\n");
    assert_int_equal(rig_command(&rig, "reload", NULL, room, sizeof room), 0);
    int fresh = rig_connect(&rig);
    rig_expect(fresh, "220 two.example.net");
    rig_quit(fresh);
    message_finish(sending);
    rig_quit(sending);
    rig_talk(waiting, "NOOP\r\n", "250 ");
    assert_int_equal(rig_gates(&rig, gates, 8), 3); /* the old one lives for its session */
    rig_talk(waiting, "QUIT\r\n", "221 2.0.0 one.example.net");
    close(waiting);
    gates_settle(&rig, 2, gates);
    rig_end(&rig);
}

static void mistakes_change_nothing(void **state)
{
    (void)state;
    struct rig rig;
    char room[4096];
    rig_start(&rig, "host-name one.example.net\n");
    rig_configure(&rig, "host-name two.example.net\nlimits.recipient 5\nlimits.line 1\n");
    assert_int_not_equal(rig_command(&rig, "reload", NULL, room, sizeof room), 0);
    assert_non_null(strstr(room, "limits.recipient"));
    assert_non_null(strstr(room, "limits.line"));
    int fd = rig_connect(&rig);
    rig_expect(fd, "220 one.example.net");
    rig_quit(fd);
    rig_configure(&rig, "host-name two.example.net\n");
    assert_int_equal(kill(rig.pid, SIGHUP), 0);
    char line[256] = "";
    for (uint64_t until_ms = rig_now_ms() + RIG_WAIT_MS; !strstr(line, "two.example.net");) {
        assert_true(rig_now_ms() < until_ms);
        fd = rig_connect(&rig);
        assert_true(rig_line(fd, line, sizeof line));
        rig_quit(fd);
    }
    rig_end(&rig);
}

static void listeners_come_and_go(void **state)
{
    (void)state;
    struct rig rig, more;
    char room[4096], text[128];
    rig_start(&rig, "host-name mx.example.net\n");
    more = rig;
    more.port = rig_free_port();
    snprintf(text, sizeof text, "host-name mx.example.net\nlisten 127.0.0.1:%u\n", more.port);
    rig_configure(&rig, text);
    assert_int_equal(rig_command(&rig, "reload", NULL, room, sizeof room), 0);
    int there = rig_session(&more);
    rig_configure(&rig, "host-name mx.example.net\n");
    assert_int_equal(rig_command(&rig, "reload", NULL, room, sizeof room), 0);
    rig_quit(there); /* its session lives on */
    rig_quit(rig_session(&rig));
    rig_end(&rig);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)more.port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), -1);
    close(fd);
}

static void stop_lets_messages_finish(void **state)
{
    (void)state;
    struct rig rig;
    char path[128];
    rig_start(&rig, "host-name mx.example.net\nstop-within 20s\n");
    int idle = rig_session(&rig), sending = rig_session(&rig);
    message_begin(sending);
    assert_int_equal(kill(rig.pid, SIGTERM), 0);
    rig_expect(idle, "421 ");
    rig_expect_end(idle);
    message_finish(sending);
    rig_expect(sending, "421 ");
    rig_expect_end(sending);
    close(idle);
    close(sending);
    assert_int_equal(rig_wait(&rig), 0);
    snprintf(path, sizeof path, "%s/run/postern.pid", rig.folder);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/run/postern.sock", rig.folder);
    assert_int_equal(access(path, F_OK), -1);
    rig_end(&rig);
}

static void stop_by_command(void **state)
{
    (void)state;
    struct rig rig, other;
    char room[4096];
    rig_start(&rig, "host-name mx.example.net\n");
    assert_int_equal(rig_command(&rig, "serve", "--foreground", room, sizeof room), 1); /* twice is refused */
    assert_non_null(strstr(room, "in use"));
    rig_make(&other, "");
    other.port = rig.port;
    rig_configure(&other, "host-name mx.example.net\n");
    assert_int_equal(rig_command(&other, "serve", "--foreground", room, sizeof room),
                     1); /* not its address, too */
    assert_non_null(strstr(room, "in use"));
    rig_end(&other);
    assert_int_equal(rig_command(&rig, "stop", NULL, room, sizeof room), 0);
    assert_int_equal(rig_wait(&rig), 0);
    assert_int_equal(rig_command(&rig, "status", NULL, room, sizeof room), 1);
    assert_non_null(strstr(room, "not running"));
    rig_end(&rig);
}

static void in_the_background(void **state)
{
    (void)state;
    struct rig rig;
    char room[4096];
    rig_make(&rig, "host-name mx.example.net\n");
    assert_int_equal(rig_command(&rig, "serve", NULL, room, sizeof room), 0);
    assert_non_null(strstr(room, "answers at"));
    rig_quit(rig_session(&rig));
    assert_int_equal(rig_command(&rig, "stop", NULL, room, sizeof room), 0);
    rig_configure(&rig, "host-name mx.example.net\nnonsense 1\n");
    assert_int_equal(rig_command(&rig, "serve", NULL, room, sizeof room), 78);
    assert_non_null(strstr(room, "nonsense"));
    rig_configure(&rig, "host-name mx.example.net\nlisten 192.0.2.1:25\n"); /* not ours */
    assert_int_equal(rig_command(&rig, "serve", NULL, room, sizeof room), 1);
    assert_non_null(strstr(room, "cannot listen on 192.0.2.1:25"));
    rig_end(&rig);
}

/* A session that is refused: its id, as the reply has it. */
static void refused_session(const struct rig *rig, char id[14])
{
    char line[1024];
    int fd = rig_session(rig);
    rig_talk(fd, "MAIL FROM:<a@example.org>\r\n", "250 ");
    rig_say(fd, "RCPT TO:<b@elsewhere.example>\r\n");
    assert_true(rig_line(fd, line, sizeof line));
    const char *at = strrchr(line, '(');
    assert_non_null(at);
    assert_true(strlen(at) > 14 && at[14] == ')');
    snprintf(id, 14, "%s", at + 1);
    rig_quit(fd);
}

static void last_session_is_the_last(void **state)
{
    (void)state;
    struct rig rig;
    static char room[65536];
    char id[14];
    rig_start(&rig, "host-name mx.example.net\ngates 2\n");
    for (int i = 0; i < 10; i++) {
        refused_session(&rig, id);
        assert_int_equal(rig_command(&rig, "explain", "last", room, sizeof room), 0);
        assert_non_null(strstr(room, id));
    }
    refused_session(&rig, id);
    assert_int_equal(rig_command(&rig, "sessions", "--limit=1", room, sizeof room), 0);
    assert_non_null(strstr(room, id));
    assert_int_equal(rig_command(&rig, "status", NULL, room, sizeof room), 0);
    assert_non_null(strstr(room, "the keeper "));
    assert_null(strstr(room, "not answer"));
    assert_int_equal(rig_command(&rig, "stop", NULL, room, sizeof room), 0);
    assert_int_equal(rig_wait(&rig), 0);
    assert_int_equal(rig_command(&rig, "explain", "last", room, sizeof room),
                     0); /* nobody has to run for it */
    assert_non_null(strstr(room, id));
    rig_end(&rig);
}

int main(int argc, char **argv)
{
    rig_program = argc > 1 ? argv[1] : "build/postern";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_gate_is_replaced),   cmocka_unit_test(reload_keeps_sessions),
        cmocka_unit_test(mistakes_change_nothing),   cmocka_unit_test(listeners_come_and_go),
        cmocka_unit_test(stop_lets_messages_finish), cmocka_unit_test(stop_by_command),
        cmocka_unit_test(in_the_background),         cmocka_unit_test(last_session_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
