/* The processes: starting, watching, starting again, ending. */
#include "base/memory.h"
#include "core/event.h"
#include "daemon/archivist.h"
#include "daemon/courier.h"
#include "daemon/gate.h"
#include "daemon/keeper.h"
#include "daemon/supervisor_part.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DELAY_FIRST_MS = 100,
    DELAY_MOST_MS = 30000,
    DELAY_FORGET_MS = 60000, /* who has lived so long begins with the first delay again */
    KILL_AFTER_MS = 3000,    /* beyond the time it was given */
    LISTENERS_MAX = 4096     /* of one gate */
};

bool slot_is_free(const struct supervisor *supervisor, unsigned slot)
{
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        const struct child *child = LIST_OF(at, struct child, link);
        if (child->role == WORKER_GATE && child->slot == slot)
            return false;
    }
    return true;
}

unsigned children_count(const struct supervisor *supervisor, const struct generation *generation,
                        enum worker_role role, bool ready)
{
    unsigned count = 0;
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        const struct child *child = LIST_OF(at, struct child, link);
        if (child->role == role && (!generation || child->generation == generation) &&
            (!ready || child->state == CHILD_READY))
            count++;
    }
    return count;
}

/* --- inside the new process ---------------------------------------------------------------------------- */

static int fd_compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* All but the three standard ones, the channel and the gate's own sockets. */
static void fds_close(const struct worker *worker)
{
    static int keep[LISTENERS_MAX + 1];
    size_t count = 0;
    keep[count++] = worker->channel;
    for (size_t i = 0; i < worker->listener_count; i++)
        keep[count++] = worker->listeners[i].fd;
    qsort(keep, count, sizeof *keep, fd_compare);
    unsigned from = 3;
    for (size_t i = 0; i < count; i++) {
        if ((unsigned)keep[i] > from)
            close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    close_range(from, ~0u, 0);
}

static void signals_reset(void)
{
    sigset_t none;
    signal(SIGTERM,
           SIG_IGN); /* to all processes of a service, or of a terminal: the supervisor's word counts */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void standard_drop(bool background)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < (background ? 3 : 1); fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}

static int role_run(const struct worker *worker)
{
    switch (worker->role) {
    case WORKER_GATE: return gate_run(worker);
    case WORKER_COURIER: return courier_run(worker);
    case WORKER_KEEPER: return keeper_run(worker);
    case WORKER_ARCHIVIST: return archivist_run(worker);
    }
    return 1;
}

/* Book-keeping can wait where it wants the processor with others; a client cannot. */
static int role_nice(enum worker_role role)
{
    return role == WORKER_KEEPER ? 5 : role == WORKER_ARCHIVIST ? 15 : 0;
}

static _Noreturn void child_main(const struct child *child, const struct worker *worker)
{
    char name[16];
    struct error error;
    snprintf(name, sizeof name, "postern-%s", worker_word(worker->role));
    prctl(PR_SET_NAME, name, 0, 0, 0);
    fds_close(worker);
    standard_drop(child->supervisor->settings->background);
    signals_reset();
    umask(0027);
    errno = 0;
    if (nice(role_nice(worker->role)) < 0 && errno)
        fprintf(stderr, "%s keeps its priority: %s\n", name, strerror(errno));
    int status = guard_drop(&child->supervisor->user, &error) < 0 ? worker_fail(worker, &error)
                                                                  : role_run(worker);
    fflush(NULL);
    _exit(status);
}

/* --- starting ------------------------------------------------------------------------------------------ */

static void channel_ready(struct loop_watch *watch, unsigned ready);
static void again_due(struct loop_timer *timer);
static void kill_due(struct loop_timer *timer);

static unsigned slot_find(const struct supervisor *supervisor)
{
    unsigned slot = 0;
    while (slot < COUNTERS_SLOTS && !slot_is_free(supervisor, slot))
        slot++;
    return slot;
}

struct child *child_new(struct supervisor *supervisor, struct generation *generation, enum worker_role role,
                        unsigned gate)
{
    struct child *child = memory_take(sizeof *child);
    child->supervisor = supervisor;
    child->generation = generation;
    child->role = role;
    child->gate = gate;
    child->slot = role == WORKER_GATE ? slot_find(supervisor) : 0;
    child->again.due = again_due;
    child->kill.due = kill_due;
    child->channel.fd = -1;
    generation->children++;
    list_add_last(&supervisor->children, &child->link);
    return child;
}

void child_drop(struct child *child)
{
    struct loop *loop = child->supervisor->loop;
    for (struct link *at = child->supervisor->children.next; at != &child->supervisor->children;
         at = at->next) {
        struct child *other = LIST_OF(at, struct child, link);
        if (other->adopter == child)
            other->adopter = NULL;
    }
    loop_timer_clear(loop, &child->again);
    loop_timer_clear(loop, &child->kill);
    loop_remove_close(loop, &child->channel);
    list_remove(&child->link);
    generation_drop(child->generation);
    memory_give(child, sizeof *child);
}

static int channel_watch(struct child *child, int channel, struct error *error)
{
    child->channel.fd = channel;
    child->channel.ready = channel_ready;
    if (loop_add(child->supervisor->loop, &child->channel, LOOP_READ, error) == 0)
        return 0;
    close(channel);
    child->channel = (struct loop_watch){.fd = -1};
    return -1;
}

static void child_fork(struct child *child, const struct worker *worker)
{
    fflush(NULL); /* else both would write what waits in standard output */
    pid_t pid = fork();
    if (pid == 0)
        child_main(child, worker);
    child->pid = pid;
}

int child_start(struct child *child, struct error *error)
{
    struct supervisor *supervisor = child->supervisor;
    static struct worker_listener listeners[LISTENERS_MAX];
    int channels[2];
    if (worker_channel(channels, error) < 0)
        return -1;
    struct worker worker = {
        .role = child->role,
        .slot = child->slot,
        .channel = channels[1],
        .site = child->generation->site,
        .counters = supervisor->counters,
        .tls = child->generation->tls,
        .listeners = listeners,
    };
    if (child->role == WORKER_GATE)
        worker.listener_count = sockets_of_gate(supervisor, child->generation, child->gate, listeners,
                                                LISTENERS_MAX);
    child_fork(child, &worker);
    int number = errno;
    close(channels[1]);
    if (child->pid > 0 && channel_watch(child, channels[0], error) == 0) {
        child->state = CHILD_STARTING;
        child->started_ms = loop_now_ms(supervisor->loop);
        child->trouble[0] = 0;
        child->flush_since = child->flush_told = 0;
        return 0;
    }
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        return -1;
    }
    close(channels[0]);
    child->pid = 0;
    return error_set(error, number, "cannot start a process");
}

/* --- what they say ------------------------------------------------------------------------------------- */

static void child_ready(struct child *child)
{
    struct supervisor *supervisor = child->supervisor;
    if (child->state == CHILD_STARTING)
        child->state = CHILD_READY;
    struct buf none;
    buf_init(&none, 0);
    supervisor_record(supervisor, &none);
    children_cover(supervisor);
    supervisor_look(supervisor);
}

static void trouble_take(struct child *child, struct slice text)
{
    snprintf(child->trouble, sizeof child->trouble, "%.*s", SLICE_ARGS(text));
}

static void channel_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    struct child *child = LIST_OF(watch, struct child, channel);
    struct worker_message message;
    switch (worker_receive(watch->fd, &child->supervisor->room, &message)) {
    case WORKER_NOTHING: return;
    case WORKER_GONE: loop_remove_close(child->supervisor->loop, watch); return; /* SIGCHLD tells the rest */
    case WORKER_RECEIVED: break;
    }
    for (size_t i = 0; i < message.fd_count; i++)
        close(message.fds[i]);
    if (message.kind == WORKER_READY)
        child_ready(child);
    else if (message.kind == WORKER_TROUBLE)
        trouble_take(child, message.payload);
    else if (message.kind == WORKER_FLUSHED)
        flush_told(child, message.number);
}

/* What it said last may come together with its end. */
static void channel_empty(struct child *child)
{
    struct worker_message message;
    while (child->channel.fd >= 0 &&
           worker_receive(child->channel.fd, &child->supervisor->room, &message) == WORKER_RECEIVED) {
        if (message.kind == WORKER_TROUBLE)
            trouble_take(child, message.payload);
    }
    loop_remove_close(child->supervisor->loop, &child->channel);
}

/* --- the sockets of a gate that is not there ----------------------------------------------------------- */

static void adoption_tell(struct child *adopter, const struct child *orphan, enum worker_kind kind)
{
    static struct worker_listener listeners[LISTENERS_MAX];
    struct worker_message message = {.kind = kind, .number = orphan->slot};
    size_t count = kind == WORKER_RELEASE ? 0
                                          : sockets_of_gate(orphan->supervisor, orphan->generation,
                                                            orphan->gate, listeners, LISTENERS_MAX);
    size_t done = 0;
    do {
        int fds[WORKER_FDS_MAX];
        uint16_t listens[WORKER_FDS_MAX];
        size_t part = count - done < WORKER_FDS_MAX ? count - done : WORKER_FDS_MAX;
        for (size_t i = 0; i < part; i++) {
            fds[i] = listeners[done + i].fd;
            listens[i] = listeners[done + i].listen;
        }
        message.fds = fds;
        message.fd_count = part;
        message.payload = slice_of((const char *)listens, part * sizeof *listens);
        worker_send(adopter->channel.fd, &message, NULL); /* one that does not read is soon found dead */
        done += part;
    } while (done < count);
}

static struct child *adopter_find(const struct child *orphan)
{
    const struct supervisor *supervisor = orphan->supervisor;
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        struct child *child = LIST_OF(at, struct child, link);
        if (child->role == WORKER_GATE && child->state == CHILD_READY && child->channel.fd >= 0 &&
            child->generation == orphan->generation)
            return child;
    }
    return NULL;
}

void children_cover(struct supervisor *supervisor)
{
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        struct child *child = LIST_OF(at, struct child, link);
        bool orphaned = child->role == WORKER_GATE && child->state == CHILD_DELAYED;
        if (orphaned && !child->adopter) {
            child->adopter = adopter_find(child);
            if (child->adopter)
                adoption_tell(child->adopter, child, WORKER_ADOPT);
        } else if (child->adopter && (child->state == CHILD_READY || child->state == CHILD_LEAVING)) {
            adoption_tell(child->adopter, child, WORKER_RELEASE);
            child->adopter = NULL;
        }
    }
}

/* --- their end ----------------------------------------------------------------------------------------- */

static void end_print(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

static void crash_record(const struct child *child, const char *how)
{
    struct event_stamp stamp = supervisor_stamp(child->supervisor);
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_process_crashed(&events, &stamp,
                              &(struct event_process_crashed){.role = slice_text(worker_word(child->role)),
                                                              .pid = (uint64_t)child->pid,
                                                              .how = slice_text(how),
                                                              .again_ms = child->delay_ms});
    supervisor_record(child->supervisor, &events);
    buf_drop(&events);
}

static void delay_begin(struct child *child)
{
    uint64_t now_ms = loop_now_ms(child->supervisor->loop);
    bool lived = now_ms - child->started_ms >= DELAY_FORGET_MS;
    child->delay_ms = child->delay_ms && !lived ? child->delay_ms * 2 : DELAY_FIRST_MS;
    if (child->delay_ms > DELAY_MOST_MS)
        child->delay_ms = DELAY_MOST_MS;
    child->state = CHILD_DELAYED;
    loop_timer_set(child->supervisor->loop, &child->again, now_ms + child->delay_ms);
}

static void again_due(struct loop_timer *timer)
{
    struct child *child = LIST_OF(timer, struct child, again);
    struct error error;
    if (child_start(child, &error) == 0)
        return;
    supervisor_say(child->supervisor, "%s: %s", worker_word(child->role), error.text);
    child->started_ms = loop_now_ms(child->supervisor->loop);
    delay_begin(child);
}

static void child_crashed(struct child *child, int status)
{
    struct supervisor *supervisor = child->supervisor;
    char end[128], how[400];
    end_print(status, end, sizeof end);
    snprintf(how, sizeof how, "%s%s%s", end, child->trouble[0] ? ": " : "", child->trouble);
    delay_begin(child);
    supervisor_say(supervisor, "%s %d has ended by itself (%s) and is started again in %llu ms",
                   worker_word(child->role), (int)child->pid, how, (unsigned long long)child->delay_ms);
    crash_record(child, how);
    bool awaited = child->role != WORKER_ARCHIVIST && /* mail goes on without search */
                   (supervisor->phase == PHASE_START || child->generation == supervisor->next);
    if (awaited && !supervisor->failure[0])
        snprintf(supervisor->failure, sizeof supervisor->failure, "%s: %s", worker_word(child->role), how);
    child->pid = 0;
}

static void child_ended(struct child *child, int status)
{
    struct supervisor *supervisor = child->supervisor;
    channel_empty(child);
    loop_timer_clear(supervisor->loop, &child->kill);
    if (child->role == WORKER_GATE)
        counters_clear(supervisor->counters, child->slot);
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        struct child *other = LIST_OF(at, struct child, link);
        if (other->adopter == child)
            other->adopter = NULL; /* somebody else has to */
    }
    if (child->state == CHILD_LEAVING)
        child_drop(child);
    else
        child_crashed(child, status);
    flush_look(supervisor);
    children_cover(supervisor);
    supervisor_look(supervisor);
}

void children_reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (struct link *at = supervisor->children.next, *next; at != &supervisor->children; at = next) {
            struct child *child = LIST_OF(at, struct child, link);
            next = at->next;
            if (child->pid != pid)
                continue;
            child_ended(child, status);
            break;
        }
    }
}

static void kill_due(struct loop_timer *timer)
{
    struct child *child = LIST_OF(timer, struct child, kill);
    if (child->pid)
        kill(child->pid, SIGKILL);
}

void child_end(struct child *child, uint64_t within_ms, struct slice listens)
{
    struct supervisor *supervisor = child->supervisor;
    struct worker_message message = {.kind = WORKER_DRAIN, .value = within_ms, .payload = listens};
    if (!child->pid) {
        child_drop(child);
        return;
    }
    child->state = CHILD_LEAVING;
    if (worker_send(child->channel.fd, &message, NULL) < 0)
        kill(child->pid, SIGKILL); /* it does not read: it would never end by itself */
    if (within_ms != WORKER_NO_HURRY)
        loop_timer_set(supervisor->loop, &child->kill,
                       loop_now_ms(supervisor->loop) + within_ms + KILL_AFTER_MS);
}
