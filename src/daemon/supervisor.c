#include "daemon/supervisor.h"
#include "base/memory.h"
#include "core/event.h"
#include "daemon/conf.h"
#include "daemon/notify.h"
#include "daemon/supervisor_part.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEEPER_STOP_MS = 5000, /* to read the journal to its end */
    EVENTS_MOST = 256 * 1024
};

/* --- saying and recording ------------------------------------------------------------------------------ */

void supervisor_say(struct supervisor *supervisor, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    supervisor->settings->say(supervisor->settings->data, text);
}

struct event_stamp supervisor_stamp(const struct supervisor *supervisor)
{
    return (struct event_stamp){.session = 0, .unix_us = loop_unix_us(supervisor->loop)};
}

static struct child *writer_find(const struct supervisor *supervisor)
{
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next) {
        struct child *child = LIST_OF(at, struct child, link);
        if (child->role == WORKER_GATE && child->state == CHILD_READY && child->channel.fd >= 0)
            return child;
    }
    return NULL;
}

/* Records are sent one by one: a message has room for one of any size. */
void supervisor_record(struct supervisor *supervisor, struct buf *events)
{
    struct child *writer = writer_find(supervisor);
    buf_add(&supervisor->events, buf_slice(events)); /* what no longer fits is lost: nobody writes for long */
    while (writer && supervisor->events.len) {
        struct event event;
        size_t size = 0;
        if (event_read(buf_slice(&supervisor->events), &event, &size) != EVENT_DONE)
            break;
        struct worker_message message = {.kind = WORKER_EVENT,
                                         .payload = slice_head(buf_slice(&supervisor->events), size)};
        if (size <= WORKER_PAYLOAD_MAX && worker_send(writer->channel.fd, &message, NULL) < 0)
            break;
        buf_take_front(&supervisor->events, size);
    }
}

static void record_loaded(struct supervisor *supervisor, const struct site *site)
{
    struct event_stamp stamp = supervisor_stamp(supervisor);
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_configuration_loaded(
        &events, &stamp, &(struct event_configuration_loaded){.file = site->file, .digest = site->digest});
    supervisor_record(supervisor, &events);
    buf_drop(&events);
}

static void record_refused(struct supervisor *supervisor, struct slice mistakes)
{
    struct event_stamp stamp = supervisor_stamp(supervisor);
    struct buf events;
    buf_init(&events, EVENT_SIZE_MAX);
    event_add_configuration_refused(
        &events, &stamp,
        &(struct event_configuration_refused){.file = slice_text(supervisor->settings->file),
                                              .mistakes = slice_head(mistakes, 16384)});
    supervisor_record(supervisor, &events);
    buf_drop(&events);
}

/* --- generations --------------------------------------------------------------------------------------- */

/* One gate a processor, where the configuration does not say how many. */
static unsigned gates_of(const struct site *site)
{
    if (site->set.gates)
        return site->set.gates < LANES_MAX ? (unsigned)site->set.gates : LANES_MAX;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors < (long)LANES_MAX ? (unsigned)processors : LANES_MAX;
}

static void generation_free(struct generation *generation)
{
    list_remove(&generation->link);
    tls_server_free(generation->tls);
    site_free(generation->site);
    memory_give(generation, sizeof *generation);
}

/* The certificates are read here, while the keys can be: gates cannot. The site is the generation's, also
 * when it fails. */
static struct generation *generation_new(struct supervisor *supervisor, struct site *site,
                                         struct error *error)
{
    struct generation *generation = memory_take(sizeof *generation);
    generation->site = site;
    generation->gates = gates_of(site);
    list_add_last(&supervisor->generations, &generation->link);
    if (site->certificate_count)
        generation->tls = tls_server_new(site->certificates, site->certificate_count, error);
    if (!site->certificate_count || generation->tls)
        return generation;
    generation_free(generation);
    return NULL;
}

/* A process of it has gone. With the last one it goes, but for the one in force. */
void generation_drop(struct generation *generation)
{
    generation->children--;
}

static void generations_trim(struct supervisor *supervisor)
{
    for (struct link *at = supervisor->generations.next, *next; at != &supervisor->generations; at = next) {
        next = at->next;
        struct generation *generation = LIST_OF(at, struct generation, link);
        if (!generation->children && generation != supervisor->current && generation != supervisor->next)
            generation_free(generation);
    }
}

static int gates_start(struct supervisor *supervisor, struct generation *generation, struct error *error)
{
    for (unsigned i = 0; i < generation->gates; i++) {
        struct child *child = child_new(supervisor, generation, WORKER_GATE, i);
        if (child->slot >= COUNTERS_SLOTS) {
            child_drop(child);
            return error_set(error, 0, "too many gates of earlier configurations are still at work");
        }
        if (child_start(child, error) < 0)
            return -1;
    }
    return 0;
}

/* Courier, keeper and archivist: there is one of each, and the next begins when the last has ended. */
static int singles_start(struct supervisor *supervisor, struct generation *generation, struct error *error)
{
    for (enum worker_role role = WORKER_COURIER; role <= WORKER_ARCHIVIST; role++) {
        if (!children_count(supervisor, NULL, role, false) &&
            child_start(child_new(supervisor, generation, role, 0), error) < 0)
            return -1;
    }
    return 0;
}

/* A generation comes up: courier and keeper first, for gates look recipients up in what the courier
 * publishes; the archivist is not waited for. 1: all of it serves; 0: it takes longer. */
static int generation_raise(struct supervisor *supervisor, struct generation *generation, struct error *error)
{
    if (singles_start(supervisor, generation, error) < 0)
        return -1;
    if (!children_count(supervisor, generation, WORKER_COURIER, true) ||
        !children_count(supervisor, generation, WORKER_KEEPER, true))
        return 0;
    if (!children_count(supervisor, generation, WORKER_GATE, false) &&
        gates_start(supervisor, generation, error) < 0)
        return -1;
    return children_count(supervisor, generation, WORKER_GATE, true) == generation->gates;
}

static const struct site *site_of(const struct supervisor *supervisor)
{
    return supervisor->current->site;
}

static void children_end(struct supervisor *supervisor, const struct generation *generation,
                         enum worker_role role, uint64_t within_ms, struct slice listens)
{
    for (struct link *at = supervisor->children.next, *next; at != &supervisor->children; at = next) {
        next = at->next;
        struct child *child = LIST_OF(at, struct child, link);
        if (child->role == role && (!generation || child->generation == generation))
            child_end(child, within_ms, listens);
    }
}

/* Those who read the journal: keeper and archivist. */
static void readers_end(struct supervisor *supervisor, const struct generation *generation)
{
    children_end(supervisor, generation, WORKER_KEEPER, KEEPER_STOP_MS, SLICE_NONE);
    children_end(supervisor, generation, WORKER_ARCHIVIST, KEEPER_STOP_MS, SLICE_NONE);
}

/* --- reloading ----------------------------------------------------------------------------------------- */

static void reload_answer(struct supervisor *supervisor, const char *failure)
{
    slab_handle request = supervisor->reload_request;
    supervisor->reload_request = 0;
    notify_send("READY=1");
    if (failure)
        supervisor_say(supervisor, "the new configuration is not used: %s", failure);
    if (request && failure)
        control_error(supervisor->control, request, slice_text(failure));
    else if (request)
        control_done(supervisor->control, request);
}

/* The old one stays in force as if nothing had been. */
static void reload_give_up(struct supervisor *supervisor, const char *failure)
{
    struct generation *generation = supervisor->next;
    supervisor->next = NULL;
    supervisor->phase = PHASE_RUN;
    record_refused(supervisor, slice_text(failure));
    if (generation) {
        children_end(supervisor, generation, WORKER_GATE, 0, SLICE_NONE);
        children_end(supervisor, generation, WORKER_COURIER, site_of(supervisor)->set.stop_within,
                     SLICE_NONE);
        readers_end(supervisor, generation);
    }
    sockets_trim(supervisor, supervisor->current->site, NULL);
    generations_trim(supervisor);
    reload_answer(supervisor, failure);
}

/* What processes have open cannot be moved under them. */
static bool may_follow(const struct site *before, const struct site *after, struct buf *mistakes)
{
    if (!slice_equal(before->set.state_directory, after->set.state_directory))
        buf_add(mistakes, SLICE("state-directory cannot be changed by a reload: stop and start again\n"));
    if (!slice_equal(before->set.run_directory, after->set.run_directory))
        buf_add(mistakes, SLICE("run-directory cannot be changed by a reload: stop and start again\n"));
    return mistakes->len == 0;
}

/* NULL: there are mistakes, in the buf. */
static struct site *site_load(struct supervisor *supervisor, struct buf *mistakes)
{
    struct conf_report report;
    conf_report_init(&report);
    struct site *site = conf_load(supervisor->settings->file, CONF_CARE_FILES, &report);
    conf_notes_print(&report.mistakes, mistakes);
    conf_report_drop(&report);
    if (site && !may_follow(supervisor->current->site, site, mistakes)) {
        site_free(site);
        return NULL;
    }
    return site;
}

static int reload_begin(struct supervisor *supervisor, struct site *site, struct error *error)
{
    struct guard_user user;
    if (geteuid() == 0 && guard_user_find(site->set.user, site->set.group, &user, error) < 0) {
        site_free(site);
        return -1;
    }
    supervisor->next = generation_new(supervisor, site, error);
    if (!supervisor->next)
        return -1;
    if (supervisor->next->gates > supervisor->lanes)
        supervisor->lanes = supervisor->next->gates;
    if (sockets_open(supervisor, site, supervisor->lanes, error) < 0)
        return -1;
    supervisor->failure[0] = 0;
    children_end(supervisor, NULL, WORKER_COURIER, site_of(supervisor)->set.stop_within, SLICE_NONE);
    readers_end(supervisor, NULL);
    return generation_raise(supervisor, supervisor->next, error) < 0 ? -1 : 0;
}

void supervisor_reload(struct supervisor *supervisor, slab_handle request)
{
    struct buf mistakes;
    struct error error;
    if (supervisor->phase != PHASE_RUN) {
        if (request)
            control_error(supervisor->control, request,
                          SLICE("not now: a start, a reload or a stop is under way"));
        return;
    }
    notify_send("RELOADING=1");
    supervisor->reload_request = request;
    supervisor->phase = PHASE_RELOAD;
    buf_init(&mistakes, 48 * 1024);
    struct site *site = site_load(supervisor, &mistakes);
    if (!site) {
        buf_add_octet(&mistakes, 0);
        reload_give_up(supervisor, mistakes.at);
    } else if (reload_begin(supervisor, site, &error) < 0) {
        reload_give_up(supervisor, error.text);
    }
    buf_drop(&mistakes);
}

/* The new gates serve: the old ones take nothing new any more, but finish what they have. */
static void reload_finish(struct supervisor *supervisor)
{
    struct generation *before = supervisor->current;
    struct buf lost;
    buf_init(&lost, WORKER_PAYLOAD_MAX);
    supervisor->current = supervisor->next;
    supervisor->next = NULL;
    supervisor->phase = PHASE_RUN;
    sockets_lost(before->site, supervisor->current->site, &lost);
    children_end(supervisor, before, WORKER_GATE, WORKER_NO_HURRY, buf_slice(&lost));
    sockets_trim(supervisor, supervisor->current->site, NULL);
    buf_drop(&lost);
    record_loaded(supervisor, supervisor->current->site);
    reload_answer(supervisor, NULL);
}

static void look_reload(struct supervisor *supervisor)
{
    struct error error = {.text = ""};
    int raised = supervisor->failure[0] ? -1 : generation_raise(supervisor, supervisor->next, &error);
    if (raised > 0) {
        reload_finish(supervisor);
    } else if (raised < 0) {
        char failure[sizeof supervisor->failure];
        snprintf(failure, sizeof failure, "%s", supervisor->failure[0] ? supervisor->failure : error.text);
        reload_give_up(supervisor, failure);
    }
}

/* --- stopping ------------------------------------------------------------------------------------------ */

void supervisor_stop(struct supervisor *supervisor, slab_handle request)
{
    struct buf listens;
    if (request)
        supervisor->stop_request = request;
    if (supervisor->phase >= PHASE_STOP_GATES)
        return;
    if (supervisor->phase == PHASE_RELOAD)
        reload_answer(supervisor, "it was told to stop");
    notify_send("STOPPING=1");
    supervisor->phase = PHASE_STOP_GATES;
    buf_init(&listens, WORKER_PAYLOAD_MAX);
    sockets_lost(supervisor->current->site, NULL, &listens);
    children_end(supervisor, NULL, WORKER_GATE, supervisor->current->site->set.stop_within,
                 buf_slice(&listens));
    buf_drop(&listens);
    sockets_trim(supervisor, NULL, NULL);
    supervisor_look(supervisor);
}

/* The gates first, as the courier takes up what they have stored; keeper and archivist last, as they read
 * what all have written. */
static void look_stop(struct supervisor *supervisor)
{
    if (supervisor->phase == PHASE_STOP_GATES && !children_count(supervisor, NULL, WORKER_GATE, false)) {
        supervisor->phase = PHASE_STOP_COURIER;
        children_end(supervisor, NULL, WORKER_COURIER, supervisor->current->site->set.stop_within,
                     SLICE_NONE);
    }
    if (supervisor->phase == PHASE_STOP_COURIER && !children_count(supervisor, NULL, WORKER_COURIER, false)) {
        supervisor->phase = PHASE_STOP_KEEPER;
        readers_end(supervisor, NULL);
    }
    if (supervisor->phase == PHASE_STOP_KEEPER && !children_count(supervisor, NULL, WORKER_KEEPER, false) &&
        !children_count(supervisor, NULL, WORKER_ARCHIVIST, false))
        loop_stop(supervisor->loop);
}

/* --- running ------------------------------------------------------------------------------------------- */

static void ready_tell(struct supervisor *supervisor)
{
    struct buf listens;
    buf_init(&listens, 16384);
    sockets_print(supervisor, &listens);
    supervisor->settings->ready(supervisor->settings->data, site_of(supervisor), buf_slice(&listens));
    buf_drop(&listens);
}

static void look_start(struct supervisor *supervisor)
{
    struct error error = {.text = ""};
    int raised = supervisor->failure[0] ? -1 : generation_raise(supervisor, supervisor->current, &error);
    if (raised < 0) {
        if (!supervisor->failure[0])
            snprintf(supervisor->failure, sizeof supervisor->failure, "%s", error.text);
        supervisor->failed = true;
        supervisor_stop(supervisor, 0);
    } else if (raised > 0) {
        supervisor->phase = PHASE_RUN;
        notify_send("READY=1");
        record_loaded(supervisor, site_of(supervisor));
        ready_tell(supervisor);
    }
}

/* After a reload that was given up the old configuration's courier and keeper come back. */
static void singles_look(struct supervisor *supervisor)
{
    struct error error;
    if (singles_start(supervisor, supervisor->current, &error) < 0)
        supervisor_say(supervisor, "%s", error.text);
}

void supervisor_look(struct supervisor *supervisor)
{
    switch (supervisor->phase) {
    case PHASE_START: look_start(supervisor); break;
    case PHASE_RELOAD: look_reload(supervisor); break;
    case PHASE_RUN: break;
    case PHASE_STOP_GATES:
    case PHASE_STOP_COURIER:
    case PHASE_STOP_KEEPER: look_stop(supervisor); break;
    }
    if (supervisor->phase == PHASE_RUN)
        singles_look(supervisor);
    generations_trim(supervisor);
}

static void signals_ready(struct loop_watch *watch, unsigned ready)
{
    (void)ready;
    struct supervisor *supervisor = LIST_OF(watch, struct supervisor, signals);
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            children_reap(supervisor);
        else if (info.ssi_signo == SIGHUP)
            supervisor_reload(supervisor, 0);
        else
            supervisor_stop(supervisor, 0);
    }
}

static int signals_open(struct supervisor *supervisor, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    supervisor->signals.ready = signals_ready;
    supervisor->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (supervisor->signals.fd < 0)
        return error_set(error, errno, "cannot watch for signals");
    return loop_add(supervisor->loop, &supervisor->signals, LOOP_READ, error);
}

/* --- the start ----------------------------------------------------------------------------------------- */

/* A folder with its parents; the last one belongs to those who work in it. */
static int folder_make(const struct supervisor *supervisor, struct slice folder, struct error *error)
{
    char path[300];
    snprintf(path, sizeof path, "%.*s", SLICE_ARGS(folder));
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        mkdir(path, 0755); /* one that is there, or cannot be made, shows at the last */
        *at = '/';
    }
    bool made = mkdir(path, 0750) == 0;
    if (!made && errno != EEXIST)
        return error_set(error, errno, "cannot make the folder %s", path);
    if (made && geteuid() == 0 && chown(path, supervisor->user.uid, supervisor->user.gid) < 0)
        return error_set(error, errno, "cannot give away the folder %s", path);
    return 0;
}

static int user_find(struct supervisor *supervisor, const struct site *site, struct error *error)
{
    supervisor->user = (struct guard_user){geteuid(), getegid()};
    if (geteuid() == 0)
        return guard_user_find(site->set.user, site->set.group, &supervisor->user, error);
    supervisor_say(supervisor, "not started by root: everything runs as the user who started it");
    return 0;
}

static int pid_write(struct supervisor *supervisor, const struct site *site, struct error *error)
{
    snprintf(supervisor->pid_file, sizeof supervisor->pid_file, "%.*s/postern.pid",
             SLICE_ARGS(site->set.run_directory));
    FILE *file = fopen(supervisor->pid_file, "we");
    bool written = file && fprintf(file, "%d\n", (int)getpid()) > 0;
    if (file && fclose(file) == 0 && written)
        return 0;
    return error_set(error, errno, "cannot write %s", supervisor->pid_file);
}

static int shared_make(struct supervisor *supervisor, struct error *error)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return error_set(error, errno, "the system has no random octets");
    supervisor->counters = counters_open(seed, error);
    return supervisor->counters ? 0 : -1;
}

/* The control socket comes before the listening ones: it is what a second start of the same site stumbles
 * over. */
static int places_make(struct supervisor *supervisor, const struct site *site, struct error *error)
{
    if (user_find(supervisor, site, error) < 0 ||
        folder_make(supervisor, site->set.state_directory, error) < 0 ||
        folder_make(supervisor, site->set.run_directory, error) < 0 || shared_make(supervisor, error) < 0)
        return -1;
    supervisor->loop = loop_open(error);
    if (!supervisor->loop)
        return -1;
    loop_forks(supervisor->loop);
    return supervisor_control_open(supervisor, error);
}

static int supervisor_begin(struct supervisor *supervisor, struct error *error)
{
    struct site *site = supervisor->settings->site;
    if (places_make(supervisor, site, error) < 0) {
        site_free(site);
        return -1;
    }
    supervisor->started_ms = loop_now_ms(supervisor->loop);
    supervisor->current = generation_new(supervisor, site, error);
    if (!supervisor->current)
        return -1;
    supervisor->lanes = supervisor->current->gates;
    if (sockets_open(supervisor, site, supervisor->lanes, error) < 0 ||
        pid_write(supervisor, site, error) < 0 || signals_open(supervisor, error) < 0)
        return -1;
    supervisor_store_look(supervisor, site);
    return generation_raise(supervisor, supervisor->current, error) < 0 ? -1 : 0;
}

static void supervisor_free(struct supervisor *supervisor)
{
    while (!list_is_empty(&supervisor->children)) {
        struct child *child = LIST_OF(supervisor->children.next, struct child, link);
        if (child->pid)
            kill(child->pid, SIGKILL);
        child_drop(child);
    }
    supervisor->current = supervisor->next = NULL;
    generations_trim(supervisor);
    if (supervisor->pid_file[0])
        unlink(supervisor->pid_file);
    if (supervisor->stop_request)
        control_done(supervisor->control, supervisor->stop_request);
    flushes_drop(supervisor);
    control_close(supervisor->control);
    if (supervisor->loop)
        loop_remove_close(supervisor->loop, &supervisor->signals);
    sockets_trim(supervisor, NULL, NULL);
    loop_close(supervisor->loop);
    counters_close(supervisor->counters);
    buf_drop(&supervisor->events);
    memory_give(supervisor, sizeof *supervisor);
}

int supervisor_run(const struct supervisor_settings *settings, struct error *error)
{
    struct supervisor *supervisor = memory_take(sizeof *supervisor);
    supervisor->settings = settings;
    supervisor->signals.fd = -1;
    list_init(&supervisor->groups);
    list_init(&supervisor->generations);
    list_init(&supervisor->children);
    list_init(&supervisor->flushes);
    buf_init(&supervisor->events, EVENTS_MOST);
    int result = supervisor_begin(supervisor, error);
    if (result == 0) {
        loop_run(supervisor->loop);
        if (supervisor->failed)
            result = error_set(error, 0, "%s", supervisor->failure);
    }
    supervisor_free(supervisor);
    return result;
}
