#include "cli/replay.h"

#include "core/event.h"
#include "core/finding.h"
#include "journal/words.h"

#include <string.h>

static bool wrong(const struct cli *cli, const char *text, const char *expected)
{
    (void)cli_fail_usage(cli, "--filter cannot be \"%s\": expected %s", text, expected);
    return false;
}

static bool verdict_parse(struct slice value, int *ret_verdict)
{
    for (int i = 0; i <= ACTION_TRAP; i++)
        if (slice_equal(value, slice_text(journal_verdict_word((uint64_t)i)))) {
            *ret_verdict = i;
            return true;
        }
    return false;
}

static bool one_read(const struct cli *cli, const char *text, struct replay_filter *filter)
{
    struct slice rest = slice_text(text), word = SLICE_NONE;
    enum finding finding;
    filter->any = true;
    if (!slice_cut(&rest, '=', &word) || !rest.len)
        return wrong(cli, text, "WORD=TEXT, where WORD is client, ptr, helo, from, to, finding or verdict");
    if (slice_equal(word, SLICE("ptr")))
        filter->name = rest;
    else if (slice_equal(word, SLICE("helo")))
        filter->helo = rest;
    else if (slice_equal(word, SLICE("from")))
        filter->from = rest;
    else if (slice_equal(word, SLICE("to")))
        filter->to = rest;
    else if (slice_equal(word, SLICE("client"))) {
        filter->has_client = prefix_parse(rest, &filter->client);
        return filter->has_client || wrong(cli, text, "an address, or a network such as 192.0.2.0/24");
    } else if (slice_equal(word, SLICE("finding"))) {
        if (!finding_parse(rest, &finding))
            return wrong(cli, text, "a finding's word: see postern-findings(7)");
        filter->finding = finding;
    } else if (slice_equal(word, SLICE("verdict")))
        return verdict_parse(rest, &filter->verdict) ||
               wrong(cli, text, "pass, slow, defer, discard, reject, trap or drop");
    else
        return wrong(cli, text, "client, ptr, helo, from, to, finding or verdict before the =");
    return true;
}

bool replay_filter_read(const struct cli *cli, struct replay_filter *ret_filter)
{
    *ret_filter = (struct replay_filter){.verdict = -1};
    const char *text;
    for (size_t i = 0; (text = cli_option_each(cli, "filter", i)); i++)
        if (!one_read(cli, text, ret_filter))
            return false;
    return true;
}

/* Whether the part stands in the text, without regard to case. */
static bool contains(struct slice text, struct slice part)
{
    for (; text.len >= part.len; text = slice_from(text, 1))
        if (slice_starts_fold(text, part))
            return true;
    return false;
}

struct seen {
    bool from, to, finding, verdict;
};

static void look(const struct replay_filter *filter, const struct event *event, struct seen *seen)
{
    const union event_body *body = &event->body;
    if (event->kind == EVENT_KIND_mail_started)
        seen->from = seen->from || contains(body->mail_started.sender, filter->from);
    else if (event->kind == EVENT_KIND_recipient_judged)
        seen->to = seen->to || contains(body->recipient_judged.recipient, filter->to);
    else if (event->kind == EVENT_KIND_finding)
        seen->finding = seen->finding || body->finding.finding == filter->finding;
    else if (event->kind == EVENT_KIND_verdict)
        seen->verdict = seen->verdict || (int)body->verdict.verdict == filter->verdict;
}

/* A session without any verdict, or with none but such, has passed. */
static bool verdict_fits(const struct replay_filter *filter, const struct tape *tape, const struct seen *seen)
{
    if (filter->verdict == ACTION_NONE)
        return !tape->verdicts_count;
    return filter->verdict < 0 || seen->verdict;
}

bool replay_filter_fits(const struct replay_filter *filter, const struct tape *tape, struct slice records)
{
    struct seen seen = {!filter->from.len, !filter->to.len, !filter->finding, filter->verdict < 0};
    struct event event;
    size_t size;
    if (!filter->any)
        return true;
    if ((filter->has_client && !prefix_contains(&filter->client, &tape->peer)) ||
        !contains(tape->name, filter->name) || !contains(tape->helo, filter->helo))
        return false;
    for (; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size))
        look(filter, &event, &seen);
    return seen.from && seen.to && seen.finding && verdict_fits(filter, tape, &seen);
}
