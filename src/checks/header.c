/* What the header alone says against a message: it goes round in circles, passes every measure, or is not
 * what RFC 5322 section 3.6 wants. */
#include "checks/list.h"

#include "wire/header.h"
#include "wire/mail_date.h"

static enum check_result run_measure(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct header *header = facts->header;
    unsigned received = header->counts[HEADER_RECEIVED];
    if (received > facts->site->set.limit_received)
        turn_find_saying(turn, FIND_HEADER_LOOP, turn_format(turn, "%u", received), "%u Received fields",
                         received);
    if (header->flags & (HEADER_TOO_MANY | HEADER_TOO_LARGE))
        turn_find(turn, FIND_HEADER_EXCESS, "%u header fields of %llu octets", header->count,
                  (unsigned long long)header->size);
    return CHECK_DONE;
}

const struct check check_header = {
    .name = "header",
    .doc = "whether a message loops, or its header passes the limits",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .run = run_measure,
};

/* --- form ---------------------------------------------------------------------------------------------- */

/* Those that may stand once at most. */
static const uint8_t single[] = {HEADER_FROM,       HEADER_SENDER,  HEADER_REPLY_TO,   HEADER_TO,
                                 HEADER_CC,         HEADER_BCC,     HEADER_MESSAGE_ID, HEADER_IN_REPLY_TO,
                                 HEADER_REFERENCES, HEADER_SUBJECT, HEADER_DATE};

static void judge_counts(struct turn *turn)
{
    const struct header *header = turn_facts(turn)->header;
    if (!(header->flags &
          (HEADER_TOO_MANY | HEADER_TOO_LARGE))) { /* else it may stand in what was not read */
        if (!header->counts[HEADER_FROM])
            turn_find_saying(turn, FIND_HEADER_NO_FROM, SLICE("there is no From"), "the header has no From");
        if (!header->counts[HEADER_DATE])
            turn_find_saying(turn, FIND_HEADER_NO_DATE, SLICE("there is no Date"), "the header has no Date");
    }
    for (size_t i = 0; i < sizeof single; i++) {
        if (header->counts[single[i]] < 2)
            continue;
        struct slice name = header_kind_name(single[i]);
        turn_find_saying(turn, FIND_HEADER_DUPLICATE,
                         turn_format(turn, "%.*s stands twice", SLICE_ARGS(name)), "%.*s stands %u times",
                         SLICE_ARGS(name), header->counts[single[i]]);
        return;
    }
}

static void judge_octets(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct header *header = facts->header;
    if (header->flags & HEADER_JUNK)
        turn_find_saying(turn, FIND_HEADER_JUNK, SLICE("a line is no field and continues none"),
                         "%u lines are no field and continue none", header->junk_lines);
    if (header->flags & HEADER_EIGHT_BIT && (!facts->smtputf8 || header->flags & HEADER_BAD_UTF8))
        turn_find_saying(turn, FIND_HEADER_EIGHT_BIT, SLICE("octets above 127 need SMTPUTF8"),
                         "octets above 127 %s",
                         facts->smtputf8 ? "that are no UTF-8" : "in the header, without SMTPUTF8");
    if (header->flags & HEADER_NO_END)
        turn_find_saying(turn, FIND_HEADER_NO_END, SLICE("no empty line ends it"),
                         "the message ends within its header");
}

/* "12 days", "5 hours", "40 minutes" */
static struct slice distance_shown(struct turn *turn, int64_t seconds)
{
    bool days = seconds >= 2 * 86400, hours = seconds >= 2 * 3600;
    return turn_format(turn, "%llu %s",
                       (unsigned long long)(seconds / (days    ? 86400
                                                       : hours ? 3600
                                                               : 60)),
                       days    ? "days"
                       : hours ? "hours"
                               : "minutes");
}

/* Only the first is looked at. It may come a while after it was written: from a queue, or by a list. */
static void judge_date(struct turn *turn)
{
    const struct facts *facts = turn_facts(turn);
    const struct header *header = facts->header;
    struct slice value = header->value[HEADER_DATE];
    int64_t seconds, now = facts->unix_ms / 1000;
    bool proper = false;
    if (!header->counts[HEADER_DATE] || header->value_cut[HEADER_DATE])
        return;
    bool read = mail_date_parse(value, &seconds, &proper);
    if (!proper)
        turn_find_saying(turn, FIND_HEADER_DATE_SYNTAX, SLICE("its Date is none"), "Date: %.*s",
                         SLICE_ARGS(slice_head(value, 100)));
    if (!read)
        return;
    if (seconds > now + (int64_t)(facts->site->set.header_date_ahead / 1000))
        turn_find_saying(turn, FIND_HEADER_DATE_FAR, SLICE("its Date lies ahead"), "%.*s: %.*s ahead",
                         SLICE_ARGS(slice_head(value, 100)), SLICE_ARGS(distance_shown(turn, seconds - now)));
    else if (seconds < now - (int64_t)(facts->site->set.header_date_behind / 1000))
        turn_find_saying(turn, FIND_HEADER_DATE_FAR, SLICE("its Date is long past"), "%.*s: %.*s ago",
                         SLICE_ARGS(slice_head(value, 100)), SLICE_ARGS(distance_shown(turn, now - seconds)));
}

static enum check_result run_form(struct turn *turn)
{
    judge_counts(turn);
    judge_date(turn);
    judge_octets(turn);
    return CHECK_DONE;
}

static const uint8_t form_finds[] = {FIND_HEADER_NO_FROM,     FIND_HEADER_NO_DATE,   FIND_HEADER_DUPLICATE,
                                     FIND_HEADER_JUNK,        FIND_HEADER_EIGHT_BIT, FIND_HEADER_NO_END,
                                     FIND_HEADER_DATE_SYNTAX, FIND_HEADER_DATE_FAR,  0};

const struct check check_header_form = {
    .name = "header-form",
    .doc = "whether the header is what RFC 5322 wants it to be",
    .starts = STAGE_MESSAGE,
    .joins = STAGE_MESSAGE,
    .audience = AUDIENCE_OUTSIDERS,
    .finds = form_finds,
    .run = run_form,
};
