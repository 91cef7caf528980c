/* long: one noun, the world round the queue: clock, servers, mailboxes and the invariants */
#include "world.h"

#include "unit.h"

#include "base/memory.h"
#include "queue/maildir.h"

#include <stdio.h>
#include <stdlib.h>

#define START_UNIX_MS INT64_C(1700000000000)
#define SPOOL         "/state/spool"

struct world_job {
    struct world_job *next;
    void (*work)(void *data);
    void (*done)(void *data);
    void *data;
};

/* --- the shell -------------------------------------------------------------------------------------------
 */

static void job_add(struct world_job **first, const struct world_job *job)
{
    struct world_job *copy = malloc(sizeof(*copy));

    *copy = *job;
    copy->next = NULL;
    while (*first)
        first = &(*first)->next;
    *first = copy;
}

static struct world_job job_take(struct world_job **first, size_t at)
{
    for (; at; at--)
        first = &(*first)->next;
    struct world_job *gone = *first;
    const struct world_job job = *gone;
    *first = gone->next;
    free(gone);
    return job;
}

static size_t job_count(const struct world_job *first)
{
    size_t count = 0;

    for (; first; first = first->next)
        count++;
    return count;
}

static void shell_run(void *whom, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct world *world = whom;

    job_add(&world->jobs, &(struct world_job){.work = work, .done = done, .data = data});
}

static void keep_reason(struct world *world, const struct event *event)
{
    struct slice reason = SLICE_NONE;

    if (event->kind == EVENT_KIND_delivery_deferred)
        reason = event->body.delivery_deferred.reason;
    else if (event->kind == EVENT_KIND_delivery_failed)
        reason = event->body.delivery_failed.reason;
    else if (event->kind == EVENT_KIND_queue_damaged)
        reason = event->body.queue_damaged.reason;
    else if (event->kind == EVENT_KIND_message_removed)
        reason = event->body.message_removed.why;
    if (reason.len)
        snprintf(world->last_reason, sizeof(world->last_reason), "%.*s", SLICE_ARGS(reason));
}

static void shell_record(void *whom, struct slice records)
{
    struct world *world = whom;
    struct event event;
    size_t size;

    while (records.len) {
        assert_int_equal(event_read(records, &event, &size), EVENT_DONE);
        world->events[event.kind]++;
        keep_reason(world, &event);
        records = slice_from(records, size);
    }
}

static void shell_ship(void *whom, const struct route *route, struct outbound_job *job)
{
    struct world *world = whom;

    assert_true(world->shipped_count < COUNT(world->shipped));
    world->shipped[world->shipped_count] = job;
    world->shipped_to[world->shipped_count++] = route;
}

static uint64_t shell_now_ms(void *whom)
{
    return ((struct world *)whom)->now_ms;
}

static int64_t shell_unix_us(void *whom)
{
    return (START_UNIX_MS + (int64_t)((struct world *)whom)->now_ms) * 1000;
}

static void shell_stir(void *whom)
{
    (void)whom;
}

/* --- making the world ------------------------------------------------------------------------------------
 */

static struct slice listed[] = {{"box0", 4}, {"box1", 4}, {"box2", 4}, {"box3", 4},
                                {"box4", 4}, {"box5", 4}, {"box6", 4}, {"box7", 4}};
static struct slice alias_file[] = {{"/etc/aliases", 12}};
static const char aliases[] = "twin: box0, box1\nsender: box7\nahead: later@away.example\n";
static struct target target = {.host = {"away.example", 12}, .port = 25};

static struct route *route_add(struct world *world, enum route_kind kind, const char *domain)
{
    struct route *route = &world->site->routes[world->site->route_count];

    route->kind = kind;
    route->number = (uint16_t)world->site->route_count++;
    route->domains = arena_take(&world->site->arena, sizeof(struct slice));
    route->domains[0] = route->name = slice_text(domain);
    route->domain_count = 1;
    route->targets = &target;
    route->target_count = kind == ROUTE_MAILDIR ? 0 : 1;
    route->mailboxes = ROUTE_MAILBOXES_ANY;
    site_add_domain(world->site, route, route->name);
    return route;
}

static void site_make(struct world *world)
{
    struct route *route;

    world->site = site_new();
    world->site->set.host_name = SLICE("mx.example.net");
    world->site->routes = arena_take(&world->site->arena, 4 * sizeof(struct route));
    route = route_add(world, ROUTE_MAILDIR, "our.example");
    route->maildir = SLICE("/mail/%s");
    route->mailboxes = ROUTE_MAILBOXES_LISTED;
    route->mailbox_names = listed;
    route->mailbox_count = COUNT(listed);
    route->alias_files = alias_file;
    route->alias_file_count = 1;
    route_add(world, ROUTE_SMTP, "away.example");
    route_add(world, ROUTE_LMTP, "lmtp.example");
}

struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));

    world->sim = sim_new();
    sim_put(world->sim, "/etc/aliases", slice_of(aliases, sizeof(aliases) - 1));
    sim_put(world->sim, "/mail/x", SLICE(""));
    sim_put(world->sim, SPOOL "/incoming/.x", SLICE(""));
    world->random.state = seed;
    world->now_ms = 1000;
    world->segment.descriptor = -1;
    drafts_init(&world->drafts, sim_files(world->sim), SPOOL "/incoming", 1000 + seed % 1000);
    site_make(world);
    return world;
}

void world_free(struct world *world)
{
    world_courier_end(world);
    if (world->segment.descriptor >= 0)
        segment_close(&world->segment);
    site_free(world->site);
    sim_free(world->sim);
    free(world);
}

/* --- messages --------------------------------------------------------------------------------------------
 */

struct world_message *world_message(struct world *world, const char *to, size_t filler)
{
    struct world_message *message = &world->messages[world->message_count++];
    struct slice rest = slice_text(to);
    struct slice address;

    assert_true(world->message_count <= WORLD_MESSAGES);
    message->key = (uint32_t)world->message_count;
    message->session = 5000 + world->message_count / 3;
    message->number = (uint32_t)(1 + world->message_count % 3);
    message->filler = filler;
    while (slice_cut(&rest, ' ', &address))
        snprintf(message->to[message->to_count++], sizeof(message->to[0]), "%.*s", SLICE_ARGS(address));
    return message;
}

static size_t content_make(const struct world_message *message, char *room, size_t size, const char *end)
{
    if (message->raw.at) {
        memcpy(room, message->raw.at, message->raw.len);
        return message->raw.len;
    }
    size_t len = (size_t)snprintf(room, size, "Message-ID: <%u@example.org>%sX-Key: %u%s%s", message->key,
                                  end, message->key, end, end);
    for (size_t i = 0; i < message->filler / 16; i++)
        len += (size_t)snprintf(room + len, size - len, "%08zu of %03u%s", i, message->key, end);
    len += (size_t)snprintf(room + len, size - len, "end %u%s", message->key, end);
    assert_true(len < size);
    return len;
}

static size_t content_room(const struct world_message *message)
{
    return message->filler * 2 + message->raw.len + 1000;
}

struct made {
    struct transaction t;
    struct recipient *recipients;
    char (*names)[32];
};

static void transaction_make(const struct world_message *message, struct made *made)
{
    struct transaction *t = &made->t;
    const unsigned count = message->to_count + message->extra;

    memset(made, 0, sizeof(*made));
    made->recipients = calloc(count, sizeof(*made->recipients));
    made->names = calloc(message->extra + 1, sizeof(*made->names));
    t->session = message->session;
    t->number = message->number;
    t->sender = message->null_sender ? SLICE_NONE : SLICE("sender@our.example");
    if (message->sender.len)
        t->sender = message->sender;
    t->recipients = made->recipients;
    t->recipient_count = count;
    t->received_unix_ms = START_UNIX_MS;
    t->ret = message->ret;
    t->smtputf8 = message->smtputf8;
    t->envid = SLICE("QQ+2B314");
    t->helo = SLICE("client.example");
    for (unsigned i = 0; i < count; i++) {
        struct slice address;
        if (i >= message->to_count)
            snprintf(made->names[i - message->to_count], 32, "x%u@lmtp.example", i - message->to_count);
        address = slice_text(i < message->to_count ? message->to[i] : made->names[i - message->to_count]);
        made->recipients[i] = (struct recipient){.next = i + 1 < count ? &made->recipients[i + 1] : NULL,
                                                 .address = address,
                                                 .notify = i < message->to_count ? message->notify[i] : 0};
    }
}

static void transaction_drop(struct made *made)
{
    free(made->recipients);
    free(made->names);
}

static bool store_large(struct world *world, const struct world_message *message, struct slice content)
{
    struct made made;
    struct buf envelope;
    char id[QUEUE_ID_SIZE];
    struct draft *draft = draft_new(&world->drafts);

    transaction_make(message, &made);
    queue_id_print(message->session, message->number, id);
    buf_init(&envelope, UINT32_MAX);
    message_add_envelope(&envelope, message->key, &made.t, SLICE("our.example"), content.len);
    bool good = draft_add(draft, content);
    good = good && segment_store_large(draft, sim_files(world->sim), SPOOL "/incoming", message->key,
                                       buf_slice(&envelope), id, NULL) == 0;
    buf_drop(&envelope);
    transaction_drop(&made);
    draft_free(draft);
    return good;
}

static bool store_small(struct world *world, const struct world_message *message, struct slice content)
{
    struct made made;
    struct buf records;
    struct segment *segment = &world->segment;

    world->segments += segment->descriptor < 0;
    if (segment->descriptor < 0 && segment_begin(segment, sim_files(world->sim), SPOOL "/incoming",
                                                 world->segments, 0xabc + world->segments, NULL) < 0)
        return false;
    transaction_make(message, &made);
    buf_init(&records, UINT32_MAX);
    record_add(&records, segment->mark, RECORD_CONTENT, content);
    message_add_envelope(&records, segment->mark, &made.t, SLICE("our.example"), content.len);
    const bool good = segment_add(segment, buf_slice(&records), NULL) == 0;
    buf_drop(&records);
    transaction_drop(&made);
    return good;
}

void world_commit(struct world *world, size_t first, size_t count)
{
    bool small = false;
    bool good = true;

    for (size_t i = first; i < first + count; i++) {
        struct world_message *message = &world->messages[i];
        char *room = malloc(content_room(message));
        const struct slice content = slice_of(room,
                                              content_make(message, room, content_room(message), "\r\n"));
        message->tried = true;
        if (content.len > DRAFT_MEMORY) {
            message->accepted = store_large(world, message, content);
        } else {
            small = true;
            good = good && store_small(world, message, content);
        }
        free(room);
    }
    if (!small)
        return;
    good = good && segment_sync(&world->segment, NULL) == 0;
    if (!good)
        segment_abandon(&world->segment);
    for (size_t i = first; i < first + count; i++)
        if (good && !world->messages[i].accepted &&
            world->messages[i].filler + world->messages[i].raw.len <= DRAFT_MEMORY / 2)
            world->messages[i].accepted = true;
}

void world_gate_close(struct world *world)
{
    segment_close(&world->segment);
}

void world_gate_abandon(struct world *world)
{
    if (world->segment.descriptor >= 0)
        sim_files(world->sim)->close(sim_files(world->sim), world->segment.descriptor);
    world->segment.descriptor = -1;
}

/* --- other servers ---------------------------------------------------------------------------------------
 */

static uint32_t key_of(struct slice content)
{
    const size_t at = slice_find_slice(content, SLICE("X-Key: "));

    return at == SLICE_NOT_FOUND ? 0 : (uint32_t)strtoul(content.at + at + 7, NULL, 10);
}

/* What is taken is taken whole; notifications have a key as well, in the header that they return. */
static struct world_message *remote_take(struct world *world, const struct outbound_job *job)
{
    struct buf all;
    struct slice piece;
    struct world_message *found = NULL;

    buf_init(&all, UINT32_MAX);
    job->content.rewind(job->content.from);
    while (job->content.next(job->content.from, &piece, NULL) == 0 && piece.len)
        buf_add(&all, piece);
    buf_add_octet(&all, '\0');
    const uint32_t key = key_of(buf_slice(&all));
    if (key >= 1 && key <= world->message_count) {
        found = &world->messages[key - 1];
        char *room = malloc(content_room(found));
        const size_t len = content_make(found, room, content_room(found), "\r\n");
        if (all.len - 1 != len || memcmp(all.at, room, len) != 0)
            world->remote_bad++;
        free(room);
    }
    buf_drop(&all);
    return found;
}

static void remote_count(struct world_message *message, struct slice address)
{
    if (message && slice_starts(address, SLICE("x")) && message->extra)
        message->remote_extra++;
    for (unsigned i = 0; message && i < message->to_count; i++)
        if (slice_equal(slice_text(message->to[i]), address) ||
            (strncmp(message->to[i], "ahead@", 6) == 0 && slice_starts(address, SLICE("later@"))))
            message->remote[i]++;
}

static struct client_reply reply(uint16_t code, const char *enhanced, const char *text)
{
    return (struct client_reply){.code = code, .enhanced = slice_text(enhanced), .text = slice_text(text)};
}

static void remote_recipient(struct world *world, struct client_recipient *recipient, bool lmtp)
{
    (void)lmtp;
    recipient->delivered = false;
    recipient->accepted = true;
    if (slice_starts(recipient->address, SLICE("fail"))) {
        recipient->accepted = false;
        recipient->reply = reply(550, "5.1.1", "no such user");
    } else if (slice_starts(recipient->address, SLICE("later")) && !world->remote_up) {
        recipient->accepted = false;
        recipient->reply = reply(451, "4.2.1", "come back later");
    } else {
        recipient->delivered = true;
        recipient->reply = reply(250, "2.0.0", "taken");
    }
}

static void remote_answer(struct world *world, const struct route *route, struct outbound_job *job)
{
    struct client_job *client = &job->job;
    bool any = false;
    bool lost = false;

    job->server = SLICE("192.0.2.1:25");
    job->trouble = SLICE_NONE;
    job->capability = (struct capability){.set = world->remote_dsn ? CAPABILITY_DSN : 0};
    for (size_t i = 0; i < client->recipient_count; i++) {
        remote_recipient(world, &client->recipients[i], route->kind == ROUTE_LMTP);
        any |= client->recipients[i].delivered;
        lost |= slice_starts(client->recipients[i].address, SLICE("lost"));
    }
    struct world_message *message = any ? remote_take(world, job) : NULL;
    for (size_t i = 0; i < client->recipient_count; i++)
        if (client->recipients[i].delivered)
            remote_count(message, client->recipients[i].address);
    job->result = OUTBOUND_ANSWERED;
    if (lost && !world->lost_once) {
        world->lost_once = true;
        job->result = OUTBOUND_LOST;
        job->trouble = SLICE("the connection was lost");
    }
    job->done(job->whom, job);
}

/* --- what happens ----------------------------------------------------------------------------------------
 */

void world_courier(struct world *world)
{
    const struct queue_settings settings = {.files = sim_files(world->sim),
                                            .folder = SPOOL,
                                            .site = world->site,
                                            .active_max = world->active_max,
                                            .seed = random_next(&world->random),
                                            .shell = {.whom = world,
                                                      .run = shell_run,
                                                      .record = shell_record,
                                                      .ship = shell_ship,
                                                      .now_ms = shell_now_ms,
                                                      .unix_us = shell_unix_us,
                                                      .stir = shell_stir}};

    if (queue_open(&settings, &world->queue, NULL) < 0)
        world->queue = NULL;
    else
        queue_set_book(world->queue, book_make(world->site, sim_files(world->sim)));
}

static void ship_step(struct world *world)
{
    const size_t at = (size_t)random_below(&world->random, world->shipped_count);
    struct outbound_job *job = world->shipped[at];
    const struct route *route = world->shipped_to[at];

    world->shipped_count--;
    world->shipped[at] = world->shipped[world->shipped_count];
    world->shipped_to[at] = world->shipped_to[world->shipped_count];
    remote_answer(world, route, job);
}

bool world_step(struct world *world)
{
    const size_t works = job_count(world->jobs);
    const size_t dones = job_count(world->dones);
    const size_t all = works + dones + world->shipped_count;

    if (world->queue) {
        struct queue_counts counts;
        queue_turn(world->queue);
        queue_count(world->queue, &counts);
        world->active_most = counts.active > world->active_most ? counts.active : world->active_most;
    }
    if (!all)
        return job_count(world->jobs) + world->shipped_count > 0;
    const size_t at = (size_t)random_below(&world->random, all);
    if (at < works) {
        const struct world_job job = job_take(&world->jobs, at);
        job.work(job.data);
        job_add(&world->dones, &job);
    } else if (at < works + dones) {
        const struct world_job job = job_take(&world->dones, at - works);
        job.done(job.data);
    } else {
        ship_step(world);
    }
    return true;
}

/* What is under way ends: helper threads cannot be stopped in the middle, and a server that was reached has
 * what it has. */
void world_courier_end(struct world *world)
{
    if (!world->queue)
        return;
    queue_stop(world->queue);
    while (queue_busy(world->queue)) {
        queue_turn(world->queue);
        if (world->jobs) {
            const struct world_job job = job_take(&world->jobs, 0);
            job.work(job.data);
            job_add(&world->dones, &job);
        } else if (world->dones) {
            const struct world_job job = job_take(&world->dones, 0);
            job.done(job.data);
        } else if (world->shipped_count) {
            struct outbound_job *job = world->shipped[--world->shipped_count];
            job->result = OUTBOUND_DOWN;
            job->server = job->trouble = SLICE("gone");
            job->done(job->whom, job);
        }
    }
    queue_free(world->queue);
    world->queue = NULL;
}

void world_run(struct world *world, uint64_t ms)
{
    const uint64_t until = world->now_ms + ms;

    while (world->queue && !sim_is_stopped(world->sim)) {
        queue_look(world->queue, NULL);
        while (world_step(world))
            ;
        const uint64_t due = queue_turn(world->queue);
        if (due > until)
            break;
        world->now_ms = due > world->now_ms ? due : world->now_ms + 1;
    }
    if (world->now_ms < until)
        world->now_ms = until;
}

void world_crash(struct world *world, enum sim_loss loss)
{
    /* Whatever still runs meets a disk that does nothing any more. */
    sim_stop_at(world->sim, 1);
    world_courier_end(world);
    world->segment.descriptor = -1;
    sim_crash(world->sim, loss, &world->random);
    world->crashes++;
}

/* --- looking at what came of it --------------------------------------------------------------------------
 */

struct looking {
    struct world *world;
    const struct world_message *message;
    const char *action;
    unsigned count;
};

static void look_at_copy(void *whom, const char *path)
{
    struct looking *looking = whom;
    const struct slice file = sim_content(looking->world->sim, path);
    char *room;

    if (!strstr(path, "/new/") || key_of(file) != looking->message->key ||
        slice_find_slice(file, SLICE("multipart/report")) != SLICE_NOT_FOUND)
        return;
    looking->count++;
    room = malloc(content_room(looking->message));
    const size_t len = content_make(looking->message, room, content_room(looking->message), "\n");
    if (!slice_starts(file, SLICE("Return-Path: <")))
        fail_msg("%s has no Return-Path", path);
    const size_t head = slice_find_slice(file, SLICE("Message-ID: <"));
    if (head == SLICE_NOT_FOUND || !slice_equal(slice_from(file, head), slice_of(room, len)))
        fail_msg("%s is not whole", path);
    free(room);
}

unsigned world_copies(struct world *world, const char *box, const struct world_message *message)
{
    struct looking looking = {.world = world, .message = message};
    char folder[64];

    snprintf(folder, sizeof(folder), "/mail/%s", box);
    sim_each(world->sim, folder, look_at_copy, &looking);
    return looking.count;
}

static void look_at_notification(void *whom, const char *path)
{
    struct looking *looking = whom;
    const struct slice file = sim_content(looking->world->sim, path);
    char action[64];

    snprintf(action, sizeof(action), "Action: %s\n", looking->action);
    looking->count += strstr(path, "/new/") && key_of(file) == looking->message->key &&
                      slice_find_slice(file, SLICE("multipart/report")) != SLICE_NOT_FOUND &&
                      slice_find_slice(file, slice_text(action)) != SLICE_NOT_FOUND;
}

unsigned world_notifications(struct world *world, const struct world_message *message, const char *action)
{
    struct looking looking = {.world = world, .message = message, .action = action};

    sim_each(world->sim, "/mail/box7", look_at_notification, &looking);
    return looking.count;
}

static void count_file(void *whom, const char *path)
{
    if (!strstr(path, "/.x"))
        ++*(unsigned *)whom;
}

unsigned world_files(struct world *world, const char *folder)
{
    char path[128];
    unsigned count = 0;

    snprintf(path, sizeof(path), SPOOL "/%s", folder);
    sim_each(world->sim, path, count_file, &count);
    return count;
}

static void check_recipient(struct world *world, const struct world_message *message, unsigned at)
{
    const char *to = message->to[at];
    char box[8];
    const unsigned most = message->accepted ? 1 + world->crashes + world->lost_once : 1 + world->crashes;
    const unsigned least = message->accepted;

    snprintf(box, sizeof(box), "%.4s", to);
    if (strncmp(to, "box", 3) == 0) {
        /* Copies have the same name each time: never two. */
        const unsigned copies = world_copies(world, box, message);
        if (copies < least || copies > 1)
            fail_msg("message %u: %u copies for %s", message->key, copies, to);
    } else if (strncmp(to, "twin", 4) == 0) {
        if (world_copies(world, "box0", message) < least || world_copies(world, "box1", message) < least)
            fail_msg("message %u: not both of twin", message->key);
    } else if (strncmp(to, "fail", 4) == 0 || strncmp(to, "nobody", 6) == 0) {
        const unsigned told = world_notifications(world, message, "failed");
        const bool wanted = !message->null_sender && !(message->notify[at] & NOTIFY_NEVER);
        if (told < (wanted ? least : 0) || (!wanted && told > 0))
            fail_msg("message %u: %u notifications", message->key, told);
    } else if (message->remote[at] < least || message->remote[at] > most) {
        fail_msg("message %u: %u copies sent to %s", message->key, message->remote[at], to);
    }
}

void world_check(struct world *world)
{
    for (size_t i = 0; i < world->message_count; i++)
        for (unsigned k = 0; world->messages[i].tried && k < world->messages[i].to_count; k++)
            check_recipient(world, &world->messages[i], k);
    assert_int_equal(world->remote_bad, 0);
    assert_int_equal(world_files(world, "incoming"), 0);
    assert_int_equal(world_files(world, "queue"), 0);
    assert_int_equal(world_files(world, "done"), 0);
}
