/* What the administrator asks of the queue. Messages that wait are read from their files for an answer, a few
 * at a time, as fast as the answer is read. */
#include "base/calendar.h"
#include "base/memory.h"
#include "queue/queue_part.h"
#include "queue/segment.h"
#include "wire/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_AT_ONCE    32
#define LINE_MAX_OCTETS (1024u * 1024u)

struct asked_id {
    uint64_t session;
    uint32_t number;
};

/* One message of an answer. */
struct answer_line {
    struct asked_id id;
    bool incoming;
    const char *state;
    bool there;
    struct buf json;
};

struct admin {
    struct link link;
    struct queue *queue;
    enum queue_command command;
    struct queue_question question;
    struct asked_id *ids; /* LIST: those that are to be told */
    size_t id_count, id_size, id_at;
    bool busy;
    bool enough; /* no more is wanted */
    /* LIST, SHOW */
    struct answer_line lines[READ_AT_ONCE];
    size_t line_count;
    /* HOLD, RELEASE, DELETE */
    struct waiting *waiting;
    bool incoming;
    enum waiting_status status;
    struct message *message;
    struct schedule schedule;
    struct error error;
};

static void admin_end(struct admin *admin, const char *trouble)
{
    admin->question.end(admin->question.whom, trouble);
    list_remove(&admin->link);
    if (admin->ids)
        memory_give(admin->ids, admin->id_size * sizeof(*admin->ids));
    memory_give(admin, sizeof(*admin));
}

/* --- a message as JSON -----------------------------------------------------------------------------------
 */

static void put_time(struct json *json, const char *key, int64_t unix_ms)
{
    char text[CALENDAR_TEXT_SIZE];

    json_put_text(json, key, unix_ms ? slice_of(text, calendar_print_iso(unix_ms, 0, text)) : SLICE_NONE);
}

static void put_results(struct json *json, const struct message *message, uint32_t recipient)
{
    static const char *const words[] = {"open", "deferred", "delivered", "relayed", "expanded", "failed"};

    json_key(json, "results");
    json_array_open(json);
    const struct result *result = message_first_result(message, recipient);
    for (; result; result = result->next_same) {
        json_object_open(json);
        json_put_text(json, "outcome", slice_text(words[result->outcome]));
        json_put_text(json, "address", result->address);
        json_put_text(json, "target", result->target);
        json_put_u64(json, "code", result->code);
        json_put_text(json, "text", result->text);
        put_time(json, "time", result->unix_ms);
        json_object_close(json);
    }
    json_array_close(json);
}

/* `list` names recipients, `show` tells what came of each. */
static void put_recipients(struct json *json, const struct message *message, bool whole)
{
    json_key(json, "to");
    json_array_open(json);
    for (uint32_t i = 0; i < message->transaction.recipient_count; i++) {
        if (!whole) {
            json_text(json, message->recipients[i]->address);
            continue;
        }
        json_object_open(json);
        json_put_text(json, "address", message->recipients[i]->address);
        put_results(json, message, i);
        json_object_close(json);
    }
    json_array_close(json);
}

static struct slice last_reason(const struct message *message)
{
    struct slice text = SLICE_NONE;

    for (const struct result *result = message->results; result; result = result->next)
        if (result->outcome == OUTCOME_DEFERRED)
            text = result->text;
    return text;
}

static void put_message(struct buf *buf, const struct message *message, const char *state, bool whole)
{
    const struct transaction *t = &message->transaction;
    char address[ADDRESS_TEXT_SIZE];
    struct json json;

    json_begin(&json, buf);
    json_object_open(&json);
    json_put_text(&json, "id", message_id(message));
    json_put_text(&json, "state", slice_text(state));
    json_put_text(&json, "from", t->sender);
    put_time(&json, "time", t->received_unix_ms);
    put_time(&json, "next", message->schedule.held ? 0 : message->schedule.next_unix_ms);
    json_put_u64(&json, "attempts", message->schedule.attempts);
    json_put_u64(&json, "octets", message->content_octets);
    json_put_text(&json, "reason", last_reason(message));
    if (whole) {
        json_put_text(&json, "client", slice_of(address, address_print(&t->peer, address)));
        json_put_text(&json, "helo", t->helo);
        json_put_text(&json, "envid", t->envid);
        json_put_bool(&json, "smtputf8", t->smtputf8);
        json_put_bool(&json, "warned", message->schedule.warned);
    }
    put_recipients(&json, message, whole);
    json_object_close(&json);
    json_end(&json);
}

static void path_of(const struct queue *queue, const struct asked_id *id, bool incoming,
                    char path[FILES_PATH_MAX])
{
    char text[QUEUE_ID_SIZE];

    queue_id_print(id->session, id->number, text);
    queue_path(queue, incoming ? queue->incoming : queue->waiting_folder, text, MESSAGE_SUFFIX, path);
}

/* --- LIST and SHOW ---------------------------------------------------------------------------------------
 */

static void read_line(const struct admin *admin, struct answer_line *line)
{
    struct message *message;
    struct waiting_file file;
    char path[FILES_PATH_MAX];

    path_of(admin->queue, &line->id, line->incoming, path);
    if (waiting_load(admin->queue->files, path, 0, &message, &file, NULL) != WAITING_OK)
        return;
    admin->queue->files->close(admin->queue->files, file.descriptor);
    put_message(&line->json, message, line->state, admin->command == QUEUE_SHOW);
    line->there = true;
    message_free(message);
}

static void lines_work(void *data)
{
    struct admin *admin = data;

    for (size_t i = 0; i < admin->line_count; i++)
        if (!admin->lines[i].there)
            read_line(admin, &admin->lines[i]);
}

static void lines_done(void *data)
{
    struct admin *admin = data;
    bool told = false;

    admin->busy = false;
    for (size_t i = 0; i < admin->line_count; i++) {
        struct answer_line *line = &admin->lines[i];
        if (line->there && !admin->enough) {
            told = true;
            admin->enough = !admin->question.line(admin->question.whom, buf_slice(&line->json));
        }
        buf_drop(&line->json);
    }
    admin->line_count = 0;
    if (admin->command == QUEUE_SHOW && !told)
        admin_end(admin, "there is no such message");
    else if (admin->enough || admin->id_at == admin->id_count)
        admin_end(admin, NULL);
}

static const char *state_of(const struct waiting *waiting)
{
    switch ((enum waiting_state)waiting->state) {
    case WAITING_UNREAD: return "unread";
    case WAITING_TIMED: return "waiting";
    case WAITING_READY: return "ready";
    case WAITING_ACTIVE: return "active";
    case WAITING_HELD: return "held";
    }
    return "";
}

/* A message of a segment that is under way has no file of its own. */
static const struct item *find_item(const struct queue *queue, const struct asked_id *id)
{
    const struct link *lists[] = {&queue->items, &queue->settled};

    for (size_t i = 0; i < 2; i++)
        for (const struct link *at = lists[i]->next; at != lists[i]; at = at->next) {
            const struct item *item = LIST_OF(at, struct item, link);
            const struct transaction *t = &item->message->transaction;
            if (t->session == id->session && t->number == id->number)
                return item;
        }
    return NULL;
}

static void add_line(struct admin *admin, const struct asked_id *id)
{
    struct queue *queue = admin->queue;
    const struct waiting *waiting = wait_find(queue, id->session, id->number);
    const struct item *item = waiting ? NULL : find_item(queue, id);

    if (!waiting && !item)
        return;
    struct answer_line *line = &admin->lines[admin->line_count++];
    *line = (struct answer_line){.id = *id, .incoming = waiting && waiting->incoming};
    line->state = waiting ? state_of(waiting) : "active";
    buf_init(&line->json, LINE_MAX_OCTETS);
    if (item) {
        put_message(&line->json, item->message, line->state, admin->command == QUEUE_SHOW);
        line->there = true;
    }
}

static void read_more(struct admin *admin)
{
    while (admin->line_count < READ_AT_ONCE && admin->id_at < admin->id_count)
        add_line(admin, &admin->ids[admin->id_at++]);
    admin->busy = true;
    queue_run(admin->queue, lines_work, lines_done, admin);
}

static void gather_ids(struct admin *admin)
{
    const struct queue *queue = admin->queue;
    const struct link *lists[] = {&queue->items, &queue->settled};
    struct slice key;
    size_t at = 0;
    void *value;

    admin->id_size = queue->waiting_by_key.used + queue->active + 1;
    admin->ids = memory_take(admin->id_size * sizeof(*admin->ids));
    while (table_next(&queue->waiting_by_key, &at, &key, &value)) {
        const struct waiting *waiting = value;
        admin->ids[admin->id_count++] = (struct asked_id){waiting->session, waiting->number};
    }
    for (size_t i = 0; i < 2; i++)
        for (const struct link *link = lists[i]->next; link != lists[i]; link = link->next) {
            const struct item *item = LIST_OF(link, struct item, link);
            const struct transaction *t = &item->message->transaction;
            if (!item->waiting)
                admin->ids[admin->id_count++] = (struct asked_id){t->session, t->number};
        }
}

/* --- RETRY -----------------------------------------------------------------------------------------------
 */

static bool retry_one(struct queue *queue, struct waiting *waiting)
{
    const bool timed = waiting->state == WAITING_TIMED;

    if (timed)
        wait_ready(queue, waiting);
    return timed;
}

static void retry_all(struct queue *queue)
{
    struct slice key;
    size_t at = 0;
    void *value;

    while (table_next(&queue->waiting_by_key, &at, &key, &value))
        retry_one(queue, value);
}

/* --- HOLD, RELEASE, DELETE -------------------------------------------------------------------------------
 */

static void change_file(struct admin *admin)
{
    struct files *files = admin->queue->files;
    const struct asked_id id = {admin->waiting->session, admin->waiting->number};
    struct waiting_file file;
    char path[FILES_PATH_MAX];
    char folder[FILES_PATH_MAX];
    int result;

    path_of(admin->queue, &id, admin->incoming, path);
    admin->status = waiting_load(files, path, 0, &admin->message, &file, &admin->error);
    if (admin->status != WAITING_OK)
        return;
    files->close(files, file.descriptor);
    admin->schedule = admin->message->schedule;
    if (admin->command == QUEUE_DELETE) {
        snprintf(folder, sizeof(folder), "%s", path);
        *strrchr(folder, '/') = '\0';
        result = files->remove(files, path, &admin->error);
        if (result == 0)
            result = files->sync_folder(files, folder, &admin->error);
    } else {
        admin->schedule.held = admin->command == QUEUE_HOLD;
        admin->schedule.next_unix_ms = admin->command == QUEUE_HOLD ? admin->schedule.next_unix_ms : 0;
        result = waiting_append(files, path, file.mark, NULL, &admin->schedule, &file.end, &admin->error);
    }
    if (result < 0)
        admin->status = WAITING_FAILED;
}

static void change_work(void *data)
{
    change_file(data);
}

static void change_next(struct admin *admin);

static void change_done(void *data)
{
    struct admin *admin = data;
    struct queue *queue = admin->queue;

    admin->busy = false;
    if (admin->status == WAITING_OK && admin->command == QUEUE_DELETE) {
        tell_removed(queue, admin->message, "deleted by the administrator");
        wait_remove(queue, admin->waiting);
    } else if (admin->status == WAITING_OK) {
        tell_held(queue, admin->waiting, admin->command == QUEUE_HOLD);
        wait_schedule(queue, admin->waiting, &admin->schedule);
    } else {
        wait_ready(queue, admin->waiting); /* whoever fetches it sees what is wrong with it */
    }
    message_free(admin->message);
    admin->message = NULL;
    if (admin->status != WAITING_OK)
        admin_end(admin, admin->error.text);
    else
        change_next(admin);
}

static void change_file_of(struct admin *admin, struct waiting *waiting)
{
    wait_ready(admin->queue, waiting);
    list_remove(&waiting->link);
    waiting->state = WAITING_ACTIVE;
    admin->waiting = waiting;
    admin->incoming = waiting->incoming;
    admin->busy = true;
    queue_run(admin->queue, change_work, change_done, admin);
}

/* RELEASE of all: one after the other. */
static void change_next(struct admin *admin)
{
    while (admin->id_at < admin->id_count) {
        const struct asked_id *id = &admin->ids[admin->id_at++];
        struct waiting *waiting = wait_find(admin->queue, id->session, id->number);
        if (waiting && waiting->state == WAITING_HELD) {
            change_file_of(admin, waiting);
            return;
        }
    }
    admin_end(admin, NULL);
}

static void change_start(struct admin *admin, struct waiting *waiting)
{
    const bool held = waiting->state == WAITING_HELD;

    if (waiting->state == WAITING_ACTIVE || waiting->state == WAITING_UNREAD) {
        admin_end(admin, "the message is being delivered just now; ask again in a moment");
        return;
    }
    if (admin->command != QUEUE_DELETE && held == (admin->command == QUEUE_HOLD)) {
        admin_end(admin, held ? "the message is held already" : "the message is not held");
        return;
    }
    change_file_of(admin, waiting);
}

/* --- asking ----------------------------------------------------------------------------------------------
 */

static void ask_one(struct admin *admin, const struct asked_id *id)
{
    struct queue *queue = admin->queue;
    struct waiting *waiting = wait_find(queue, id->session, id->number);

    if (!waiting)
        admin_end(admin, find_item(queue, id)
                             ? "the message is being delivered just now; ask again in a moment"
                             : "there is no such message");
    else if (admin->command != QUEUE_RETRY)
        change_start(admin, waiting);
    else if (retry_one(queue, waiting))
        admin_end(admin, NULL);
    else
        admin_end(admin, waiting->state == WAITING_HELD ? "the message is held: release it first"
                                                        : "the message is being delivered just now");
}

void queue_ask(struct queue *queue, const struct queue_question *question)
{
    struct admin *admin = memory_take(sizeof(*admin));
    struct asked_id id;
    const bool one = question->id.len > 0;

    admin->queue = queue;
    admin->command = question->command;
    admin->question = *question;
    list_add_last(&queue->questions, &admin->link);
    if (one && !queue_id_parse(question->id, &id.session, &id.number)) {
        admin_end(admin, "this is no id of a message; expected one such as 06p3qj7x4r0a1.1");
    } else if (question->command == QUEUE_LIST) {
        gather_ids(admin);
        read_more(admin);
    } else if (question->command == QUEUE_RETRY && !one) {
        retry_all(queue);
        admin_end(admin, NULL);
    } else if (question->command == QUEUE_RELEASE && !one) {
        gather_ids(admin);
        change_next(admin);
    } else if (!one) {
        admin_end(admin, "which message? Expected its id");
    } else if (question->command == QUEUE_SHOW) {
        add_line(admin, &id);
        read_more(admin);
    } else {
        ask_one(admin, &id);
    }
}

void admin_turn(struct queue *queue)
{
    for (struct link *at = queue->questions.next; at != &queue->questions;) {
        struct admin *admin = LIST_OF(at, struct admin, link);
        at = at->next;
        if (!admin->busy && admin->command == QUEUE_LIST && admin->question.ready(admin->question.whom))
            read_more(admin);
    }
}

void admin_drop(struct queue *queue)
{
    while (!list_is_empty(&queue->questions)) {
        struct admin *admin = LIST_OF(queue->questions.next, struct admin, link);
        admin_end(admin, "the courier stops");
    }
}
