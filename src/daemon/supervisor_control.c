/* What the supervisor answers on its control socket: status, flush, reload, stop. */
#include "daemon/supervisor_part.h"
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

static void status(struct supervisor *supervisor, slab_handle request)
{
    struct answer_line line = {.supervisor = supervisor, .request = request};
    buf_init(&line.buf, 8192);
    say_supervisor(&line);
    say_listens(&line);
    for (struct link *at = supervisor->children.next; at != &supervisor->children; at = at->next)
        say_child(&line, LIST_OF(at, struct child, link));
    say_totals(&line);
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
