#include "daemon/guard.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void guard_init(struct guard *guard, uint64_t memory_max)
{
    struct rlimit limit;
    *guard = (struct guard){.memory_max = memory_max, .descriptors_max = 1024};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* refused: the soft limit stays as it is, and is read below */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t most = limit.rlim_cur < 10000000 ? limit.rlim_cur : 10000000;
        guard->descriptors_max = most > GUARD_DESCRIPTORS_RESERVED * 2
                                     ? (uint32_t)(most - GUARD_DESCRIPTORS_RESERVED)
                                     : (uint32_t)(most / 2);
    }
}

void guard_room(const struct guard *guard, uint64_t connections)
{
    uint64_t most = connections < guard->descriptors_max ? connections : guard->descriptors_max;
    int highest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, (int)(most + GUARD_DESCRIPTORS_RESERVED - 1));
    if (highest >= 0)
        close(highest);
}

bool guard_is_short(const struct guard *guard, uint32_t connections)
{
    uint64_t memory = memory_in_use() + (uint64_t)guard->tls * GUARD_TLS_OCTETS;
    return memory > guard->memory_max || connections + GUARD_POLITE > guard->descriptors_max;
}

bool guard_is_full(const struct guard *guard, uint32_t connections)
{
    return connections >= guard->descriptors_max;
}

/* A name as the C library wants it; longer ones do not exist. */
static const char *name_text(struct slice name, char text[256])
{
    size_t len = name.len < 255 ? name.len : 255;
    memcpy(text, name.at, len);
    text[len] = 0;
    return text;
}

int guard_user_find(struct slice user, struct slice group, struct guard_user *ret_user, struct error *error)
{
    char text[256];
    const struct passwd *entry = getpwnam(name_text(user, text));
    if (!entry)
        return error_set(error, 0, "there is no user %s", text);
    struct guard_user found = {entry->pw_uid, entry->pw_gid};
    if (group.len) {
        const struct group *line = getgrnam(name_text(group, text));
        if (!line)
            return error_set(error, 0, "there is no group %s", text);
        found.gid = line->gr_gid;
    }
    *ret_user = found;
    return 0;
}

static int identity_change(const struct guard_user *user, struct error *error)
{
    if (setgroups(1, &user->gid) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return error_set(error, errno, "cannot become user %u", (unsigned)user->uid);
    if (user->uid != 0 && setuid(0) == 0)
        return error_set(error, 0, "root can be had back");
    return 0;
}

int guard_drop(const struct guard_user *user, struct error *error)
{
    if (geteuid() == 0 && user->uid != 0 && identity_change(user, error) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(error, errno, "cannot renounce new privileges");
    return 0;
}
