#include "cli/explain_filter.h"

#include "journal/words.h"

#include <string.h>

enum condition {
    HAS_CLIENT = 1,
    HAS_FROM = 2,
    HAS_TO = 4,
    HAS_FINDING = 8,
    HAS_VERDICT = 16,
    WAS_JUDGED = 32
};

static bool client_option(const struct cli *cli, struct explain_filter *filter)
{
    const char *text = cli_option(cli, "client");

    if (!text)
        return true;
    filter->wanted |= HAS_CLIENT;
    if (prefix_parse(slice_text(text), &filter->client))
        return true;
    (void)cli_fail_usage(
        cli, "--client cannot be \"%s\": expected an address, or a network such as 192.0.2.0/24", text);
    return false;
}

static bool finding_option(const struct cli *cli, struct explain_filter *filter)
{
    const char *text = cli_option(cli, "finding");

    if (!text)
        return true;
    filter->wanted |= HAS_FINDING;
    if (finding_parse(slice_text(text), &filter->finding))
        return true;
    (void)cli_fail_usage(cli, "there is no finding \"%s\"", text);
    return false;
}

static bool verdict_option(const struct cli *cli, struct explain_filter *filter)
{
    const char *text = cli_option(cli, "verdict");

    if (!text)
        return true;
    filter->wanted |= HAS_VERDICT;
    for (filter->verdict = 0; filter->verdict <= ACTION_TRAP; filter->verdict++)
        if (strcmp(text, journal_verdict_word(filter->verdict)) == 0)
            return true;
    (void)cli_fail_usage(
        cli, "--verdict cannot be \"%s\": expected pass, slow, defer, discard, reject, trap or drop", text);
    return false;
}

bool explain_filter_parse(const struct cli *cli, struct explain_filter *ret_filter)
{
    *ret_filter = (struct explain_filter){.from = slice_text(cli_option(cli, "from")),
                                          .to = slice_text(cli_option(cli, "to"))};
    ret_filter->wanted = (ret_filter->from.len ? HAS_FROM : 0) | (ret_filter->to.len ? HAS_TO : 0);
    return client_option(cli, ret_filter) && finding_option(cli, ret_filter) &&
           verdict_option(cli, ret_filter);
}

/* Whether the part stands in the text, without regard to case. */
static bool contains(struct slice text, struct slice part)
{
    for (; text.len >= part.len; text = slice_from(text, 1))
        if (slice_starts_fold(text, part))
            return true;
    return false;
}

/* That nothing but "pass" was decided is known at the end. */
static unsigned judged(const struct explain_filter *filter, const struct event_verdict *verdict)
{
    if (verdict->observed || !verdict->verdict)
        return 0;
    return WAS_JUDGED | (verdict->verdict == filter->verdict ? HAS_VERDICT : 0u);
}

static unsigned is_client(const struct explain_filter *filter, const struct address *peer)
{
    return (filter->wanted & HAS_CLIENT) && prefix_contains(&filter->client, peer) ? HAS_CLIENT : 0u;
}

static unsigned conditions(const struct explain_filter *filter, const struct event *event, unsigned met)
{
    const union event_body *body = &event->body;
    switch ((unsigned)event->kind) {
    case EVENT_KIND_session_opened: return is_client(filter, &body->session_opened.peer);
    case EVENT_KIND_session_proxied: return is_client(filter, &body->session_proxied.peer);
    case EVENT_KIND_session_ended:
        return is_client(filter, &body->session_ended.peer) |
               (filter->verdict == ACTION_NONE && !(met & WAS_JUDGED) ? HAS_VERDICT : 0u);
    case EVENT_KIND_mail_started: return contains(body->mail_started.sender, filter->from) ? HAS_FROM : 0;
    case EVENT_KIND_recipient_judged:
        return contains(body->recipient_judged.recipient, filter->to) ? HAS_TO : 0;
    case EVENT_KIND_finding: return body->finding.finding == filter->finding ? HAS_FINDING : 0;
    case EVENT_KIND_verdict: return judged(filter, &body->verdict);
    default: return 0;
    }
}

bool explain_filter_event(const struct explain_filter *filter, const struct event *event, unsigned *met)
{
    *met |= conditions(filter, event, *met);
    return (*met & filter->wanted) == filter->wanted;
}

bool explain_filter_history(const struct explain_filter *filter, const struct history *history)
{
    unsigned met = 0;
    bool all = !filter->wanted;

    for (size_t i = 0; i < history->count; i++)
        all = explain_filter_event(filter, &history->events[i], &met);
    return all;
}
