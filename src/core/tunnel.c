/* An HTTP request instead of SMTP: somebody reaches us through an open web proxy. The gate stays silent and
 * reads on for a while, since the sender goes on with its commands, answered or not; so it gives up whom it
 * wanted to write to. Where the finding is only to be observed, the lines are answered as any others and read
 * along. */
#include "core/machine.h"

#include "base/memory.h"
#include "wire/http.h"

void tunnel_begin(struct step *step)
{
    struct session *session = step->session;
    struct conduct *conduct = conduct_of(session);
    conduct->http = memory_take(sizeof *conduct->http);
    http_init(conduct->http, &session->life);
    if (!conduct_drops(session, FIND_FOREIGN_PROTOCOL) && !conduct_drops(session, FIND_HTTP_TUNNEL))
        return;
    session_drop_stage(step);
    conduct->hold = HOLD_NOTHING;
    conduct->due_ms = session->tick_ms + session->world->site->set.tunnel_time;
    session_set_state(step, STATE_FOREIGN);
}

size_t tunnel_take(struct step *step, struct slice octets)
{
    struct session *session = step->session;
    struct http *http = session->conduct->http;
    session->taking = (uint32_t)octets.len;
    http_feed(http, octets);
    if (http->octets >= session->world->site->set.tunnel_size)
        tunnel_end(step, false);
    return octets.len;
}

void tunnel_line(struct step *step, struct slice line)
{
    struct http *http = step->session->conduct ? step->session->conduct->http : NULL;
    if (!http)
        return;
    http_feed(http, line);
    http_feed(http, SLICE("\n"));
}

/* --- the report ------------------------------------------------------------------------------------------
 */

static struct slice recipients_join(const struct http *http, struct arena *arena)
{
    struct slice text = SLICE_NONE;
    for (uint32_t i = 0; i < http->recipient_count && i < HTTP_RECIPIENTS; i++) {
        struct slice start = i ? arena_join(arena, text, SLICE(" ")) : SLICE_NONE;
        text = arena_join(arena, start, http->recipients[i]);
    }
    return text;
}

static struct slice evidence(const struct session *session, const struct http *http, struct slice recipients,
                             struct arena *arena)
{
    char proxy[ADDRESS_TEXT_SIZE];
    address_print(&session->peer, proxy);
    bool claims = http->forwarded_for.len > 0;
    return arena_format(arena,
                        "%s is a proxy, claims to serve %.*s (unverified), and carried HELO %.*s, "
                        "MAIL FROM:<%.*s>, RCPT TO:<%.*s>",
                        proxy, SLICE_ARGS(claims ? http->forwarded_for : SLICE("nobody in particular")),
                        SLICE_ARGS(http->helo), SLICE_ARGS(http->sender), SLICE_ARGS(recipients));
}

void tunnel_report(struct step *step)
{
    struct session *session = step->session;
    struct http *http = session->conduct->http;
    if (!http)
        return;
    http_end(http);
    struct arena arena;
    arena_init(&arena, NULL, 0);
    struct slice recipients = recipients_join(http, &arena);
    RECORD(step, http_request, .method = http->method, .target = http->target, .host = http->host,
           .forwarded_for = http->forwarded_for, .helo = http->helo, .sender = http->sender,
           .recipients = recipients, .recipient_count = http->recipient_count, .commands = http->commands,
           .octets = http->octets);
    if (http->commands)
        record_finding(step, FIND_HTTP_TUNNEL, evidence(session, http, recipients, &arena));
    arena_drop(&arena);
    memory_give(http, sizeof *http);
    session->conduct->http = NULL;
}

void tunnel_end(struct step *step, bool client_gone)
{
    struct session *session = step->session;
    bool carried = session->conduct->http->commands > 0;
    tunnel_report(step);
    RECORD(step, verdict, .stage = STAGE_CONNECT, .verdict = ACTION_DROP, .sum = (uint64_t)session->sum,
           .finding = carried ? FIND_HTTP_TUNNEL : FIND_FOREIGN_PROTOCOL,
           .reason = carried ? SLICE("SMTP commands in an HTTP request") : SLICE("HTTP instead of SMTP"));
    session_close(step, client_gone ? END_CLIENT_CLOSED : END_BY_US, SAY_NOTHING);
}
