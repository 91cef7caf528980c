/* What the supervisor answers on its control socket: status, flush, reload, stop. */
#include "daemon/supervisor_part.h"
#include "io/blocklist.h"
#include "wire/json.h"
#include <stdio.h>
#include <unistd.h>

static const char *state_word(enum child_state state)
{
    switch (state) {
    case CHILD_DELAYED: return "delayed";
    case CHILD_STARTING: return "starting";
    case CHILD_READY: return "ready";
    case CHILD_LEAVING: return "ending";
    }
    return NULL;
}

struct answer_line {
    struct supervisor *supervisor;
    slab_handle request;
    struct buf buf;
    struct json json;
};

static void line_begin(struct answer_line *line)
{
    buf_clear(&line->buf);
    json_begin(&line->json, &line->buf);
    json_object_open(&line->json);
}

static void line_end(struct answer_line *line)
{
    json_object_close(&line->json);
    if (json_end(&line->json))
        control_line(line->supervisor->control, line->request, buf_slice(&line->buf));
}

static void say_supervisor(struct answer_line *line)
{
    const struct supervisor *supervisor = line->supervisor;
    uint64_t up_ms = loop_now_ms(supervisor->loop) - supervisor->started_ms;
    line_begin(line);
    json_put_text(&line->json, "process", SLICE("supervisor"));
    json_put_u64(&line->json, "pid", (uint64_t)getpid());
    json_put_text(&line->json, "version", SLICE(POSTERN_VERSION));
    json_put_text(&line->json, "file", slice_text(supervisor->settings->file));
    json_put_text(&line->json, "configuration", supervisor->current->site->digest);
    json_put_u64(&line->json, "seconds", up_ms / 1000);
    line_end(line);
}

static void put_counters(struct answer_line *line, unsigned slot)
{
    for (unsigned counter = 0; counter < COUNTER_LIMIT; counter++)
        json_put_u64(&line->json, counter_word((enum counter)counter),
                     counters_get(line->supervisor->counters, slot, (enum counter)counter));
    json_put_u64(&line->json, "lag_p99_us", counters_lag_us(line->supervisor->counters, slot, 99));
}

static void say_child(struct answer_line *line, const struct child *child)
{
    const struct supervisor *supervisor = line->supervisor;
    line_begin(line);
    json_put_text(&line->json, "process", slice_text(worker_word(child->role)));
    if (child->role == WORKER_GATE)
        json_put_u64(&line->json, "slot", child->slot);
    json_put_u64(&line->json, "pid", (uint64_t)child->pid);
    json_put_text(&line->json, "state", slice_text(state_word(child->state)));
    json_put_bool(&line->json, "current", child->generation == supervisor->current);
    json_put_u64(&line->json, "seconds", (loop_now_ms(supervisor->loop) - child->started_ms) / 1000);
    if (child->role == WORKER_GATE)
        put_counters(line, child->slot);
    line_end(line);
}

static void say_listens(struct answer_line *line)
{
    const struct supervisor *supervisor = line->supervisor;
    for (struct link *at = supervisor->groups.next; at != &supervisor->groups; at = at->next) {
        const struct socket_group *group = LIST_OF(at, struct socket_group, link);
        char text[ADDRESS_PORT_TEXT_SIZE];
        size_t len = address_port_print(&group->bound, text);
        line_begin(line);
        json_put_text(&line->json, "listen", slice_of(text, len));
        json_put_u64(&line->json, "sockets", group->count);
        line_end(line);
    }
}

static void say_totals(struct answer_line *line)
{
    const struct supervisor *supervisor = line->supervisor;
    line_begin(line);
    json_put_bool(&line->json, "total", true);
    json_put_u64(&line->json, "slots", supervisor->current->site->set.limit_connections);
    for (unsigned counter = 0; counter < COUNTER_LIMIT; counter++) {
        if (counter != COUNTER_CONN_SIZE && counter != COUNTER_DNS_STATE)
            json_put_u64(&line->json, counter_word((enum counter)counter),
                         counters_sum(supervisor->counters, (enum counter)counter));
    }
    line_end(line);
}

/* --- name servers and blocklists ------------------------------------------------------------------------ */

/* Of the gates in force the next behind *at, or NULL. */
static const struct child *gate_next(const struct supervisor *supervisor, const struct link **at)
{
    while ((*at = (*at)->next) != &supervisor->children) {
        const struct child *child = LIST_OF(*at, const struct child, link);
        if (child->role == WORKER_GATE && child->generation == supervisor->current)
            return child;
    }
    return NULL;
}

/* What most of a bad lot says: a state that is worse than works, where one gate has it. */
static void say_name_servers(struct answer_line *line)
{
    static const char *const words[] = {"none", "works", "silent", "rewrites"};
    const struct supervisor *supervisor = line->supervisor;
    const struct link *at = &supervisor->children;
    uint64_t worst = 0;
    for (const struct child *gate; (gate = gate_next(supervisor, &at));) {
        const uint64_t state = counters_get(supervisor->counters, gate->slot, COUNTER_DNS_STATE);
        worst = state > worst ? state : worst;
    }
    line_begin(line);
    json_put_text(&line->json, "name_servers", slice_text(words[worst < 4 ? worst : 0]));
    line_end(line);
}

static void list_sum(const struct supervisor *supervisor, unsigned list, struct blocklist_counts *ret_sum)
{
    const struct link *at = &supervisor->children;
    *ret_sum = (struct blocklist_counts){.state = BLOCKLIST_UNPROVED};
    for (const struct child *gate; (gate = gate_next(supervisor, &at));) {
        struct blocklist_counts one = {0};
        const struct counters *counters = supervisor->counters;
        const unsigned slot = gate->slot;
        if (blocklist_condition_unpack(counters_list_get(counters, slot, list, LIST_CONDITION), &one) &&
            one.state > ret_sum->state) {
            ret_sum->state = one.state;
            ret_sum->trouble = one.trouble;
            ret_sum->code = one.code;
        }
        ret_sum->asked += counters_list_get(counters, slot, list, LIST_ASKED);
        ret_sum->listed += counters_list_get(counters, slot, list, LIST_LISTED);
        ret_sum->failed += counters_list_get(counters, slot, list, LIST_FAILED);
        ret_sum->waited += counters_list_get(counters, slot, list, LIST_WAITED);
        ret_sum->took_us += counters_list_get(counters, slot, list, LIST_TOOK_US);
    }
}

static void say_blocklist(struct answer_line *line, unsigned list)
{
    static const char *const words[] = {"unproved", "works", "off"};
    const struct supervisor *supervisor = line->supervisor;
    struct blocklist_counts sum;
    char room[BLOCKLIST_WORDS_MAX];
    list_sum(supervisor, list, &sum);
    line_begin(line);
    json_put_text(&line->json, "blocklist", supervisor->current->site->blocklists[list].name);
    json_put_text(&line->json, "state", slice_text(words[sum.state]));
    json_put_text(&line->json, "reason", blocklist_trouble_words(sum.trouble, &sum.code, room));
    json_put_u64(&line->json, "asked", sum.asked);
    json_put_u64(&line->json, "listed", sum.listed);
    json_put_u64(&line->json, "failed", sum.failed);
    json_put_u64(&line->json, "waited", sum.waited);
    json_put_u64(&line->json, "took_us", sum.took_us);
    line_end(line);
}

static void say_services(struct answer_line *line)
{
    say_name_servers(line);
    for (unsigned i = 0; i < line->supervisor->current->site->blocklist_count; i++)
        say_blocklist(line, i);
}

static void status(struct supervisor *supervisor, slab_handle request)
{
    struct answer_line line = {.supervisor = supervisor, .request = request};
    buf_init(&line.buf, 8192);
    say_supervisor(&line);
    say_listens(&line);
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next)
        say_child(&line, LIST_OF(at, struct child, link));
    say_totals(&line);
    say_services(&line);
    buf_drop(&line.buf);
    control_done(supervisor->control, request);
}

static void on_command(void *data, struct control *control, const struct control_request *request)
{
    struct supervisor *supervisor = data;
    if (slice_equal(request->command, SLICE("status")))
        status(supervisor, request->handle);
    else if (slice_equal(request->command, SLICE("reload")))
        supervisor_reload(supervisor, request->handle);
    else if (slice_equal(request->command, SLICE("stop")))
        supervisor_stop(supervisor, request->handle);
    else if (slice_equal(request->command, SLICE("flush")))
        supervisor_flush(supervisor, request->handle);
    else
        control_error(control, request->handle,
                      SLICE("unknown command; there are status, flush, reload and stop"));
}

int supervisor_control_open(struct supervisor *supervisor, struct error *error)
{
    char path[300];
    struct control_handler handler = {on_command, supervisor};
    int len = snprintf(path, sizeof path, "%.*s/postern.sock",
                       SLICE_ARGS(supervisor->settings->site->set.run_directory));
    supervisor->control = control_open(supervisor->loop, slice_of(path, (size_t)len), &handler, error);
    return supervisor->control ? 0 : -1;
}
