#include "daemon/courier.h"

#include "base/memory.h"
#include "daemon/flush.h"
#include "daemon/role.h"
#include "io/disk.h"
#include "io/files.h"
#include "io/inbox.h"
#include "io/outbound.h"
#include "queue/book.h"
#include "queue/queue.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    THREADS = 8,             /* for what blocks: most of their time they wait for the disk */
    LOOK_MS = 5000,          /* the folder, should the system not have told of a change */
    BOOK_MS = 5000,          /* between two looks at alias files and folders of mailboxes */
    BUSY_MS = 50,            /* between two looks whether the last job is done, at the end */
    UNSENT_MAX = 256 * 1024, /* of a control connection, before a listing waits */
    WAITING_JOBS = 10000,
    AGAIN_FIRST_MS = 1000,
    AGAIN_MOST_MS = 60000
};

struct courier {
    const struct worker *worker;
    const struct site *site;
    struct loop *loop;
    struct inbox *inbox;
    struct disk *disk;
    struct outbound *outbound;
    struct worker_port *port;
    struct control *control;
    struct journal_writer *journal;
    struct queue *queue;
    struct loop_watch folder; /* inotify */
    struct loop_timer turn;
    struct loop_timer look;
    struct loop_timer book_look;
    struct loop_timer end;
    struct flush flush;
    uint64_t end_ms;
    uint64_t seed;
    const struct book *book; /* the queue's; for the helper thread that looks whether it is stale */
    bool book_busy;          /* a helper thread has it */
    bool ready;              /* the supervisor was told: once gates can look recipients up */
    bool draining;
    char spool[ROLE_PATH_SIZE];
    char incoming[ROLE_PATH_SIZE + 16];
    char mailboxes[ROLE_PATH_SIZE + 16];
};

/* --- events ----------------------------------------------------------------------------------------------
 */

static void record(void *whom, struct slice records)
{
    struct courier *courier = whom;
    journal_writer_add(courier->journal, records, NULL);
}

static void trouble(struct courier *courier, struct slice what, struct slice reason, struct slice effect)
{
    role_record_trouble(
        courier->journal,
        &(struct event_trouble){.what = what, .reason = slice_head(reason, 4096), .effect = effect},
        loop_unix_us(courier->loop));
}

/* --- what the queue needs ----------------------------------------------------------------------------------
 */

static void run_on_thread(void *whom, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct courier *courier = whom;
    disk_run(courier->disk, work, done, data);
}

static void ship(void *whom, const struct route *route, struct outbound_job *job)
{
    struct courier *courier = whom;
    struct outbound_to to = {
        .targets = route->targets,
        .target_count = route->target_count,
        .protocol = route->kind == ROUTE_LMTP ? CLIENT_LMTP : CLIENT_SMTP,
        .tls = route->tls,
        .tell = route->tell,
    };
    outbound_start(courier->outbound, &to, job);
}

static uint64_t now_ms(void *whom)
{
    const struct courier *courier = whom;
    return loop_now_ms(courier->loop);
}

static int64_t unix_us(void *whom)
{
    const struct courier *courier = whom;
    return loop_unix_us(courier->loop);
}

static void stir(void *whom)
{
    struct courier *courier = whom;
    loop_timer_set(courier->loop, &courier->turn, loop_now_ms(courier->loop));
}

static void turn_due(struct loop_timer *timer)
{
    struct courier *courier = LIST_OF(timer, struct courier, turn);
    uint64_t next_ms = queue_turn(courier->queue);
    if (next_ms != UINT64_MAX && (!loop_timer_is_set(timer) || next_ms < timer->timer.due_ms))
        loop_timer_set(courier->loop, timer, next_ms);
}

/* --- the folder of the gates
 * -------------------------------------------------------------------------------- */

#define NOTES_SIZE 16384

static void folder_changed(struct loop_watch *watch, unsigned ready)
{
    struct courier *courier = LIST_OF(watch, struct courier, folder);
    _Alignas(struct inotify_event) char notes[NOTES_SIZE];
    ssize_t got = read(watch->fd, notes, sizeof notes);
    (void)ready;
    for (ssize_t at = 0; at < got;) {
        const struct inotify_event *note = (const void *)(notes + at);
        queue_look(courier->queue, note->mask & IN_Q_OVERFLOW || !note->len ? NULL : note->name);
        at += (ssize_t)sizeof *note + (ssize_t)note->len;
    }
    stir(courier);
}

static void look_due(struct loop_timer *timer)
{
    struct courier *courier = LIST_OF(timer, struct courier, look);
    queue_look(courier->queue, NULL);
    stir(courier);
    loop_timer_set(courier->loop, timer, loop_now_ms(courier->loop) + LOOK_MS);
}

/* A watch tells at once; without one the slow look has to do. */
static void folder_watch(struct courier *courier)
{
    struct error error;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    courier->folder.ready = folder_changed;
    courier->folder.fd = -1;
    if (fd >= 0 &&
        inotify_add_watch(fd, courier->incoming, IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0) {
        error_set(&error, errno, "cannot watch %s", courier->incoming);
        close(fd);
        fd = -1;
        trouble(courier, SLICE("watch the spool"), slice_text(error.text),
                SLICE("new messages are found some seconds later"));
    }
    courier->folder.fd = fd;
    if (fd >= 0)
        loop_add(courier->loop, &courier->folder, LOOP_READ, &error);
}

/* --- the address book -------------------------------------------------------------------------------------
 */

struct book_job {
    struct courier *courier;
    struct book *book; /* made, or NULL: nothing has changed */
    struct error error;
    bool published;
};

static void book_work(void *data)
{
    struct book_job *job = data;
    struct courier *courier = job->courier;
    if (courier->book && !book_is_stale(courier->book, &files_system))
        return;
    job->book = book_make(courier->site, &files_system);
    job->published = book_publish(job->book, &files_system, courier->mailboxes, courier->seed, &job->error) >=
                     0;
}

static void book_done(void *data)
{
    struct book_job *job = data;
    struct courier *courier = job->courier;
    courier->book_busy = false;
    if (job->book && !job->published)
        trouble(courier, SLICE("publish the table of mailboxes"), slice_text(job->error.text),
                SLICE("gates look recipients up in the old one"));
    if (job->book) {
        if (book_complaints(job->book).len)
            trouble(courier, SLICE("read the alias tables"), book_complaints(job->book),
                    SLICE("those lines do not count"));
        courier->book = job->book;
        queue_set_book(courier->queue, job->book);
        stir(courier);
    }
    memory_give(job, sizeof *job);
    if (!courier->ready)
        worker_ready(courier->worker);
    courier->ready = true;
    if (!courier->draining)
        loop_timer_set(courier->loop, &courier->book_look, loop_now_ms(courier->loop) + BOOK_MS);
}

static void book_due(struct loop_timer *timer)
{
    struct courier *courier = LIST_OF(timer, struct courier, book_look);
    struct book_job *job = memory_take(sizeof *job);
    job->courier = courier;
    courier->book_busy = true;
    disk_run(courier->disk, book_work, book_done, job);
}

/* --- what it is asked -------------------------------------------------------------------------------------
 */

struct asked {
    struct courier *courier;
    struct control *control;
    slab_handle request;
};

static bool asked_line(void *whom, struct slice json)
{
    struct asked *asked = whom;
    return control_line(asked->control, asked->request, json);
}

static bool asked_ready(void *whom)
{
    struct asked *asked = whom;
    return control_unsent(asked->control, asked->request) < UNSENT_MAX;
}

static void asked_end(void *whom, const char *what)
{
    struct asked *asked = whom;
    if (what)
        control_error(asked->control, asked->request, slice_text(what));
    else
        control_done(asked->control, asked->request);
    memory_give(asked, sizeof *asked);
}

static void queue_command(struct courier *courier, struct control *control,
                          const struct control_request *request)
{
    static const char *const words[] = {"list", "show", "retry", "hold", "release", "delete"};
    struct slice word = control_text(request, "do");
    size_t i = 0;
    while (i < sizeof words / sizeof *words && !slice_equal(word, slice_text(words[i])))
        i++;
    if (i == sizeof words / sizeof *words) {
        control_error(control, request->handle,
                      SLICE("the queue knows list, show, retry, hold, release and delete"));
        return;
    }
    struct asked *asked = memory_take(sizeof *asked);
    *asked = (struct asked){courier, control, request->handle};
    struct queue_question question = {
        .command = (enum queue_command)i,
        .id = control_text(request, "id"),
        .whom = asked,
        .line = asked_line,
        .ready = asked_ready,
        .end = asked_end,
    };
    queue_ask(courier->queue, &question);
    stir(courier);
}

static void status_command(struct courier *courier, struct control *control, slab_handle request)
{
    struct queue_counts counts;
    struct buf text;
    queue_count(courier->queue, &counts);
    buf_init(&text, 4096);
    buf_add_format(&text,
                   "{\"process\":\"courier\",\"waiting\":%zu,\"held\":%zu,\"active\":%zu,\"taken\":%llu,"
                   "\"removed\":%llu,"
                   "\"damaged\":%llu,\"connections\":%zu}",
                   counts.waiting, counts.held, counts.active, (unsigned long long)counts.taken,
                   (unsigned long long)counts.removed, (unsigned long long)counts.damaged,
                   outbound_busy(courier->outbound));
    control_line(control, request, buf_slice(&text));
    buf_drop(&text);
    control_done(control, request);
}

static void commanded(void *data, struct control *control, const struct control_request *request)
{
    struct courier *courier = data;
    if (slice_equal(request->command, SLICE("queue")))
        queue_command(courier, control, request);
    else if (slice_equal(request->command, SLICE("status")))
        status_command(courier, control, request->handle);
    else
        control_error(control, request->handle, SLICE("the courier knows the commands queue and status"));
}

/* --- the end -----------------------------------------------------------------------------------------------
 */

static void end_due(struct loop_timer *timer)
{
    struct courier *courier = LIST_OF(timer, struct courier, end);
    bool busy = queue_busy(courier->queue) || courier->book_busy;
    queue_turn(courier->queue);
    if (busy && loop_now_ms(courier->loop) < courier->end_ms)
        loop_timer_set(courier->loop, timer, loop_now_ms(courier->loop) + BUSY_MS);
    else
        loop_stop(courier->loop);
}

static void drain(struct courier *courier, uint64_t within_ms)
{
    uint64_t now = loop_now_ms(courier->loop);
    uint64_t most = courier->site->set.stop_within;
    courier->end_ms = now + (within_ms < most ? within_ms : most);
    if (courier->draining)
        return;
    courier->draining = true;
    queue_stop(courier->queue);
    outbound_stop(courier->outbound);
    loop_timer_clear(courier->loop, &courier->look);
    loop_timer_clear(courier->loop, &courier->book_look);
    loop_timer_set(courier->loop, &courier->end, now);
}

static void message_came(void *data, const struct worker_message *message)
{
    struct courier *courier = data;
    if (message->kind == WORKER_DRAIN)
        drain(courier, message->value);
    else if (message->kind == WORKER_EVENT)
        record(courier, message->payload);
    else if (message->kind == WORKER_FLUSH)
        flush_begin(&courier->flush, courier->worker, courier->loop, courier->journal, message->number);
}

/* --- the beginning -----------------------------------------------------------------------------------------
 */

static void outbound_begin(struct courier *courier)
{
    const struct settings *set = &courier->site->set;
    struct outbound_settings settings = {
        .loop = courier->loop,
        .helo = set->host_name,
        .connect_ms = set->relay_connect_time,
        .reply_ms = set->relay_reply_time,
        .dot_ms = set->relay_dot_time,
        .idle_ms = set->relay_idle,
        .waiting_ms = set->relay_dot_time,
        .again_first_ms = AGAIN_FIRST_MS,
        .again_most_ms = AGAIN_MOST_MS,
        .connections = (unsigned)set->deliver_connections,
        .waiting = WAITING_JOBS,
    };
    courier->outbound = outbound_new(&settings);
}

static int queue_begin(struct courier *courier, struct error *error)
{
    struct queue_settings settings = {
        .files = &files_system,
        .folder = courier->spool,
        .site = courier->site,
        .shell = {courier, run_on_thread, record, ship, now_ms, unix_us, stir},
        .seed = courier->seed,
    };
    return queue_open(&settings, &courier->queue, error);
}

/* The folder that holds a route's mailboxes is made where its parent is there; the mailboxes come with their
 * mail. */
static void mail_folders_make(const struct courier *courier)
{
    char folder[FILES_PATH_MAX];
    for (size_t i = 0; i < courier->site->route_count; i++) {
        struct slice maildir = courier->site->routes[i].maildir;
        size_t mailbox = slice_find_slice(maildir, SLICE("%s"));
        size_t end = slice_find_last(slice_head(maildir, mailbox), '/');
        struct slice base = mailbox == SLICE_NOT_FOUND ? maildir : slice_head(maildir, end);
        if (!base.len || base.len >= sizeof folder)
            continue;
        snprintf(folder, sizeof folder, "%.*s", SLICE_ARGS(base));
        (void)files_need_folder(&files_system, folder, 0750, NULL); /* should it fail, deliveries say why */
    }
}

static int control_begin(struct courier *courier, struct error *error)
{
    struct control_handler handler = {commanded, courier};
    courier->control = role_control_open(courier->worker, courier->loop, &handler, error);
    return courier->control ? 0 : -1;
}

static void names_make(struct courier *courier)
{
    role_folder(courier->worker, "spool", courier->spool);
    snprintf(courier->incoming, sizeof courier->incoming, "%s/incoming", courier->spool);
    snprintf(courier->mailboxes, sizeof courier->mailboxes, "%s/mailboxes", courier->spool);
    courier->turn.due = turn_due;
    courier->look.due = look_due;
    courier->book_look.due = book_due;
    courier->end.due = end_due;
    courier->folder.fd = -1;
}

static int courier_begin(struct courier *courier, struct error *error)
{
    struct inbox_receiver receiver = {NULL, NULL, courier};
    names_make(courier);
    if (getrandom(&courier->seed, sizeof courier->seed, 0) != sizeof courier->seed)
        return error_set(error, errno, "no random number can be had");
    courier->loop = loop_open(error);
    courier->inbox = courier->loop ? inbox_open(courier->loop, &receiver, error) : NULL;
    courier->disk = courier->inbox ? disk_open(courier->inbox, THREADS, error) : NULL;
    if (!courier->disk || role_journal_open(courier->worker, &courier->journal, error) < 0)
        return -1;
    outbound_begin(courier);
    mail_folders_make(courier);
    if (queue_begin(courier, error) < 0 || control_begin(courier, error) < 0)
        return -1;
    courier->port = worker_attach(courier->worker, courier->loop, message_came, courier, error);
    return courier->port ? 0 : -1;
}

/* Whoever is still busy at the end of the time is left as he is: the process ends, and all that counts is on
 * disk. */
static void courier_done(struct courier *courier)
{
    if (courier->queue && (queue_busy(courier->queue) || courier->book_busy)) {
        journal_writer_close(courier->journal);
        return;
    }
    worker_detach(courier->port);
    control_close(courier->control);
    if (courier->loop) {
        loop_remove(courier->loop, &courier->folder);
        loop_timer_clear(courier->loop, &courier->turn);
    }
    if (courier->folder.fd >= 0)
        close(courier->folder.fd);
    queue_free(courier->queue);
    outbound_free(courier->outbound);
    disk_close(courier->disk);
    journal_writer_close(courier->journal);
    inbox_close(courier->inbox);
    loop_close(courier->loop);
    memory_give(courier, sizeof *courier);
}

/* Messages are made on one thread and given back on another: with an arena for each thread the C library
 * would grow and shrink them all the time, at a system call per message. */
static void memory_settle(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int courier_run(const struct worker *worker)
{
    struct error error;
    memory_settle();
    struct courier *courier = memory_take(sizeof *courier);
    courier->worker = worker;
    courier->site = worker->site;
    if (courier_begin(courier, &error) < 0) {
        courier_done(courier);
        return worker_fail(worker, &error);
    }
    role_record_start(worker, courier->journal, loop_unix_us(courier->loop));
    folder_watch(courier);
    look_due(&courier->look);
    book_due(&courier->book_look);
    loop_run(courier->loop);
    courier_done(courier);
    return 0;
}
