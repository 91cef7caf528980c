#include "daemon/keeper_report.h"

#include "core/event.h"
#include "core/transaction.h"
#include "daemon/role.h"
#include "io/store.h"
#include "journal/notice_watch.h"
#include "queue/message.h"
#include "queue/post.h"
#include "watch/report.h"
#include "wire/json.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

enum { HOSTS_MOST = 64, HOSTS_TEXT = 8192, LINE_MOST = 1024, LINE_LONGEST = 998 };

/* One report while it goes into the queue. */
struct sending {
    const struct keeper_report *keeper;
    const struct control_request *request;
    struct slice from, to, content;
    struct prefix hosts[HOSTS_MOST];
    size_t host_count, host_total;
    char queue_id[QUEUE_ID_SIZE];
};

/* --- what is asked for --------------------------------------------------------------------------------- */

static bool is_mail(struct slice content)
{
    struct slice line;

    if (!content.len || content.len > REPORT_MAX || content.at[content.len - 1] != '\n')
        return false;
    while (slice_cut(&content, '\n', &line)) {
        if (!line.len || line.at[line.len - 1] != '\r' || line.len - 1 > LINE_LONGEST)
            return false;
        for (size_t i = 0; i + 1 < line.len; i++)
            if (line.at[i] != '\t' && (line.at[i] < ' ' || line.at[i] > '~'))
                return false;
    }
    return true;
}

static bool hosts_read(struct slice text, struct sending *sending)
{
    struct address address;
    struct slice word;

    while (slice_word(&text, &word)) {
        if (!address_parse(word, &address))
            return false;
        const struct prefix host = {report_host_key(&address), address.family == ADDRESS_IPV6 ? 64 : 32};
        if (sending->host_count < HOSTS_MOST)
            sending->hosts[sending->host_count++] = host;
        sending->host_total++;
    }
    return sending->host_total > 0;
}

/* NULL: it is in order. */
static const char *request_read(struct sending *sending)
{
    const struct control_request *request = sending->request;

    sending->from = control_text(request, "from");
    sending->to = control_text(request, "to");
    sending->content = control_text(request, "content");
    if (!contact_is_sound(sending->to))
        return "this is no address that a report can go to";
    if (!contact_is_sound(sending->from))
        return "this is no address that a report can come from";
    if (!is_mail(sending->content))
        return "this is no mail in lines of plain ASCII";
    return hosts_read(control_text(request, "hosts"), sending) ? NULL : "these are no hosts";
}

/* --- the queue ----------------------------------------------------------------------------------------- */

static int post(struct sending *sending, struct error *error)
{
    const struct keeper_report *keeper = sending->keeper;
    struct post new = {.to = sending->to,
                       .sender = sending->from,
                       .content = sending->content,
                       .now_unix_ms = keeper->unix_us / 1000};
    char spool[ROLE_PATH_SIZE];
    uint32_t counter;

    if (getrandom(&new.mark, sizeof new.mark, 0) != sizeof new.mark ||
        getrandom(&counter, sizeof counter, 0) != sizeof counter)
        return error_set(error, errno, "no random number can be had");
    (void)snprintf(spool, sizeof spool, "%.*s/spool", SLICE_ARGS(keeper->site->set.state_directory));
    new.session = notice_id_make(new.now_unix_ms, counter % (1u << 14) + (1u << 14));
    queue_id_print(new.session, 0, sending->queue_id);
    return post_message(&files_system, spool, &new, error);
}

/* --- what is recorded ---------------------------------------------------------------------------------- */

static size_t host_print(const struct prefix *host, char text[ADDRESS_PORT_TEXT_SIZE])
{
    return host->bits == 64 ? prefix_print(host, text) : address_print(&host->network, text);
}

static void told_add(const struct sending *sending, const struct prefix *host, struct buf *events)
{
    const struct keeper_report *keeper = sending->keeper;
    const struct event_stamp stamp = {.unix_us = keeper->unix_us};
    char address[ADDRESS_PORT_TEXT_SIZE], key[ADDRESS_PORT_TEXT_SIZE + 16], value[512];

    (void)host_print(host, address);
    (void)snprintf(key, sizeof key, "reported %s", address);
    (void)snprintf(value, sizeof value, "%lld %s %.*s", (long long)keeper->unix_us / 1000, sending->queue_id,
                   SLICE_ARGS(sending->to));
    (void)event_add_told(
        events, &stamp,
        &(struct event_told){.verb = STORE_PUT,
                             .key = slice_text(key),
                             .value = slice_text(value),
                             .expires_ms = (uint64_t)(keeper->unix_us / 1000 + KEEPER_REPORT_KEEP_MS)});
}

static void sent_add(const struct sending *sending, struct buf *events)
{
    const struct event_stamp stamp = {.unix_us = sending->keeper->unix_us};
    char address[ADDRESS_PORT_TEXT_SIZE];
    struct buf hosts;

    buf_init(&hosts, HOSTS_TEXT);
    for (size_t i = 0; i < sending->host_count; i++) {
        (void)host_print(&sending->hosts[i], address);
        (void)buf_add_format(&hosts, "%s%s", i ? " " : "", address);
    }
    (void)event_add_report_sent(
        events, &stamp,
        &(struct event_report_sent){.queue_id = slice_text(sending->queue_id),
                                    .recipient = sending->to,
                                    .hosts = buf_slice(&hosts),
                                    .hosts_more = sending->host_total - sending->host_count,
                                    .attempts = control_number(sending->request, "attempts", 0),
                                    .campaign = control_text(sending->request, "campaign")});
    buf_drop(&hosts);
}

static void record(const struct sending *sending)
{
    struct buf events;

    buf_init(&events, 1u << 20);
    sent_add(sending, &events);
    for (size_t i = 0; i < sending->host_count; i++)
        told_add(sending, &sending->hosts[i], &events);
    journal_writer_add(sending->keeper->journal, buf_slice(&events), NULL);
    buf_drop(&events);
}

static void answer(const struct sending *sending, struct control *control)
{
    struct json json;
    struct buf line;

    buf_init(&line, LINE_MOST);
    json_begin(&json, &line);
    json_object_open(&json);
    json_put_text(&json, "queue_id", slice_text(sending->queue_id));
    json_put_text(&json, "to", sending->to);
    json_object_close(&json);
    if (json_end(&json))
        control_line(control, sending->request->handle, buf_slice(&line));
    buf_drop(&line);
}

void keeper_report_command(const struct keeper_report *keeper, struct control *control,
                           const struct control_request *request)
{
    struct sending sending = {.keeper = keeper, .request = request};
    const char *complaint = request_read(&sending);
    struct error error;

    if (complaint) {
        control_error(control, request->handle, slice_text(complaint));
        return;
    }
    if (post(&sending, &error) < 0) {
        control_error(control, request->handle, slice_text(error.text));
        return;
    }
    record(&sending);
    answer(&sending, control);
    control_done(control, request->handle);
}
