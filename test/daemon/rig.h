/* Starts the real program on loopback with a configuration of its own, and talks to it. */
#ifndef TEST_DAEMON_RIG_H
#define TEST_DAEMON_RIG_H

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RIG_WAIT_MS           20000
#define RIG_BAD_CONFIGURATION 78 /* exit status */

static const char *rig_program; /* of the build: main sets it */

struct rig {
    char folder[FOLDER_SIZE];
    char conf[96];
    unsigned port;
    pid_t pid;
    int out; /* what it prints */
};

static inline uint64_t rig_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- files --------------------------------------------------------------------------------------------- */

static inline int rig_remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void rig_remove(const char *path)
{
    nftw(path, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Of those that the system gives to no connection meanwhile. */
static inline unsigned rig_free_port(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int bound = -1; bound != 0;) {
        uint16_t drawn;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0 && getrandom(&drawn, sizeof drawn, 0) == (ssize_t)sizeof drawn);
        name.sin_port = htons((uint16_t)(16384 + drawn % 16384));
        bound = bind(fd, (struct sockaddr *)&name, sizeof name);
        close(fd);
    }
    return ntohs(name.sin_port);
}

static inline void rig_configuration_write(const struct rig *rig, const char *path, const char *more)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    const struct passwd *user = getpwuid(geteuid());
    const struct group *group = getgrgid(getegid());
    fprintf(file,
            "listen 127.0.0.1:%u\nstate-directory %s/state\nrun-directory %s/run\nuser %s\ngroup %s\n"
            "log.to none\nbanner.delay 0\nslow.first 0\nslow.octet 0\ngrey.mode off\n"
            "route example.net {\n maildir \"%s/mail/%%s\"\n mailboxes any\n}\n%s%s",
            rig->port, rig->folder, rig->folder, user->pw_name, group->gr_name, rig->folder,
            strstr(more, "dns.server") ? "" : "dns.server 127.0.0.1:1\n", more);
    assert_int_equal(fclose(file), 0);
}

/* A configuration that was in force; false: there were not so many. */
static inline bool rig_configuration(const struct rig *rig, unsigned number, char path[128])
{
    snprintf(path, 128, "%s/was-%u.conf", rig->folder, number);
    return access(path, F_OK) == 0;
}

/* Writes the configuration, and keeps it; `more` comes behind what every one has. No name server of the
 * outside is asked. */
static inline void rig_configure(const struct rig *rig, const char *more)
{
    unsigned number = 0;
    char path[128];
    while (rig_configuration(rig, number, path))
        number++;
    rig_configuration_write(rig, path, more);
    rig_configuration_write(rig, rig->conf, more);
}

/* --- the program --------------------------------------------------------------------------------------- */

static inline pid_t rig_spawn(const struct rig *rig, int out, char *const *words)
{
    char *arguments[16] = {(char *)(uintptr_t)rig_program, (char *)(uintptr_t) "-c",
                           (char *)(uintptr_t)rig->conf};
    for (int i = 0; words[i]; i++)
        arguments[3 + i] = words[i];
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out, 1);
        dup2(out, 2);
        execv(rig_program, arguments);
        _exit(127);
    }
    return pid;
}

/* Reads what is printed until `text` is in it, or its end; false: the end. */
static inline bool rig_read_until(int fd, const char *text, char *room, size_t size)
{
    size_t have = 0;
    room[0] = 0;
    while (have + 1 < size && !(text && strstr(room, text))) {
        struct pollfd at = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&at, 1, RIG_WAIT_MS), 1);
        ssize_t got = read(fd, room + have, size - 1 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
        room[have] = 0;
    }
    return true;
}

/* Runs the program with these words; returns the exit status, and what it printed. */
static inline int rig_program_run(const struct rig *rig, char *const *words, char *room, size_t size)
{
    int pipes[2], status;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = rig_spawn(rig, pipes[1], words);
    close(pipes[1]);
    rig_read_until(pipes[0], NULL, room, size);
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs `postern COMMAND`, with one option or none. */
static inline int rig_command(const struct rig *rig, const char *command, const char *option, char *room,
                              size_t size)
{
    char *words[] = {(char *)(uintptr_t)command, (char *)(uintptr_t)option, NULL};
    return rig_program_run(rig, words, room, size);
}

static inline void rig_make(struct rig *rig, const char *more)
{
    *rig = (struct rig){.port = rig_free_port(), .out = -1};
    assert_int_equal(folder_new(rig->folder, "gate"), 0);
    snprintf(rig->conf, sizeof rig->conf, "%s/t.conf", rig->folder);
    rig_configure(rig, more);
}

/* Starts what rig_make has prepared. */
static inline void rig_run(struct rig *rig, const char *more)
{
    char room[8192];
    int pipes[2];
    rig_configure(rig, more);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    char *words[] = {(char *)(uintptr_t) "serve", (char *)(uintptr_t) "--foreground", NULL};
    rig->pid = rig_spawn(rig, pipes[1], words);
    close(pipes[1]);
    rig->out = pipes[0];
    if (!rig_read_until(rig->out, "answers at", room, sizeof room))
        fail_msg("it did not start: %s", room);
}

static inline void rig_start(struct rig *rig, const char *more)
{
    rig_make(rig, more);
    rig_run(rig, more);
}

/* Waits for its end; returns the exit status. */
static inline int rig_wait(struct rig *rig)
{
    char room[65536];
    int status;
    rig_read_until(rig->out, NULL, room, sizeof room);
    if (strstr(room, "runtime error") ||
        strstr(room, "Sanitizer")) /* of a process that lives on nevertheless */
        fail_msg("%s", room);
    assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
    close(rig->out);
    rig->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What was recorded under each configuration, played again under the same: nothing may differ. */
static inline void rig_play_again(const struct rig *rig)
{
    char path[128], room[16384];
    snprintf(path, sizeof path, "%s/state/journal", rig->folder);
    if (access(path, F_OK) != 0)
        return; /* it never ran */
    for (unsigned i = 0; rig_configuration(rig, i, path); i++) {
        char *words[] = {(char *)(uintptr_t) "replay",   (char *)(uintptr_t) "--same",
                         (char *)(uintptr_t) "--config", path,
                         (char *)(uintptr_t) "--json",   NULL};
        int status = rig_program_run(rig, words, room, sizeof room);
        if (status == RIG_BAD_CONFIGURATION)
            continue;
        if (status || !strstr(room, "\"same_by_other_finding\":0,\"changed\":0,\"unknown\":0,") ||
            !strstr(room, "\"not_understood\":0"))
            fail_msg("%s: %s", path, room);
    }
}

static inline void rig_end(struct rig *rig)
{
    if (rig->pid) {
        kill(rig->pid, SIGTERM);
        assert_int_equal(rig_wait(rig), 0);
    }
    rig_play_again(rig);
    rig_remove(rig->folder);
}

/* --- its processes ------------------------------------------------------------------------------------- */

struct rig_gate {
    pid_t pid;
    bool ready;
    bool current;
    unsigned connections;
};

static inline unsigned long rig_number(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

/* The gates, as status tells them. Returns how many. */
static inline size_t rig_gates(const struct rig *rig, struct rig_gate *gates, size_t most)
{
    char room[16384];
    size_t count = 0;
    assert_int_equal(rig_command(rig, "status", "--json", room, sizeof room), 0);
    for (char *line = room, *end; (end = strchr(line, 0x0a)); line = end + 1) {
        *end = 0;
        if (!strstr(line, "\"process\":\"gate\"") || count == most)
            continue;
        gates[count++] = (struct rig_gate){
            .pid = (pid_t)rig_number(line, "\"pid\":"),
            .ready = strstr(line, "\"state\":\"ready\"") != NULL,
            .current = strstr(line, "\"current\":true") != NULL,
            .connections = (unsigned)rig_number(line, "\"connections\":"),
        };
    }
    return count;
}

/* --- a client ------------------------------------------------------------------------------------------ */

static inline int rig_connect(const struct rig *rig)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)rig->port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static inline void rig_say(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* One octet at a time: nothing is read past the line. False: the stream ended. */
static inline bool rig_line(int fd, char *line, size_t size)
{
    size_t have = 0;
    while (have + 1 < size && (!have || line[have - 1] != '\n')) {
        struct pollfd at = {.fd = fd, .events = POLLIN};
        if (poll(&at, 1, RIG_WAIT_MS) != 1)
            fail_msg("no reply in time");
        if (recv(fd, line + have, 1, 0) != 1)
            break;
        have++;
    }
    line[have] = 0;
    return have > 0;
}

/* Reads one whole reply, whose last line begins with `wanted`. */
static inline void rig_expect(int fd, const char *wanted)
{
    char line[1024];
    do {
        if (!rig_line(fd, line, sizeof line))
            fail_msg("the end instead of %s", wanted);
    } while (line[3] == '-');
    if (strncmp(line, wanted, strlen(wanted)) != 0)
        fail_msg("%s instead of %s", line, wanted);
}

static inline void rig_talk(int fd, const char *text, const char *wanted)
{
    rig_say(fd, text);
    rig_expect(fd, wanted);
}

static inline void rig_expect_end(int fd)
{
    char line[1024];
    assert_false(rig_line(fd, line, sizeof line));
}

static inline int rig_session(const struct rig *rig)
{
    int fd = rig_connect(rig);
    rig_expect(fd, "220 ");
    rig_talk(fd, "EHLO client.example.org\r\n", "250 ");
    return fd;
}

static inline void rig_quit(int fd)
{
    rig_talk(fd, "QUIT\r\n", "221 ");
    rig_expect_end(fd);
    close(fd);
}

#endif
