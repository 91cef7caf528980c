/* The campaigns, each with what changes in it from attempt to attempt and what stays. */
#include "part.h"

#include "base/memory.h"

enum { HOSTS_MAX = 420, TARGETS_MAX = 5 };

enum helo_way {
    HELO_OWN,    /* as each machine's own software says it */
    HELO_DESK,   /* Made-Up-Name-desk98 */
    HELO_FRIEND, /* one word, the same for all */
    HELO_LETTERS /* letters at random */
};

/* One campaign while it is made. */
struct plan {
    uint32_t campaign; /* from 1 */
    enum stage stage;
    enum finding finding;
    uint16_t code;
    bool esmtp; /* declares SIZE= */
    bool sender_changes, size_changes, body_changes, message_id_lacks;
    enum helo_way helo_way;
    struct slice helo_word;
    struct slice sender_domain;
    struct slice sender;
    uint32_t sender_digits; /* how its local part is made */
    uint32_t octets;
    uint64_t body;
    uint32_t host_count;
    uint32_t hosts[HOSTS_MAX];
};

static void truth_new(struct month *month, enum month_kind kind)
{
    if (month->truth_count == month->truth_room) {
        const size_t room = month->truth_room ? month->truth_room * 2 : 64;
        month->truths = memory_resize(month->truths, month->truth_room * sizeof *month->truths,
                                      room * sizeof *month->truths);
        month->truth_room = room;
    }
    month->truths[month->truth_count++] = (struct month_truth){.kind = kind};
}

/* --- what an attempt of it looks like ------------------------------------------------------------------- */

/* As 5140ghxc: digits, then letters. */
static struct slice made_up_sender(struct month *month, const struct plan *plan)
{
    const struct slice tail = letters(month, 4, 4);
    return plan->sender_digits ? text_of(month, "%u%.*s@%.*s", draw_from(month, 1000, 9999), SLICE_ARGS(tail),
                                         SLICE_ARGS(plan->sender_domain))
                               : text_of(month, "%.*s%u@%.*s", SLICE_ARGS(tail), draw_from(month, 10, 99),
                                         SLICE_ARGS(plan->sender_domain));
}

static struct slice plan_helo(struct month *month, const struct plan *plan, uint32_t host)
{
    static const char *const names[] = {"Amber-Fields", "Nora-Swift", "Blue-Harbor",
                                        "Tom-Keller",   "Grey-Owl",   "Iris-Vale"};
    switch (plan->helo_way) {
    case HELO_OWN: return host_helo(month, host);
    case HELO_DESK: return text_of(month, "%s-desk%u", names[draw(month, 6)], draw_from(month, 10, 99));
    case HELO_FRIEND: return plan->helo_word;
    case HELO_LETTERS: break;
    }
    return letters(month, 6, 12);
}

/* What is decided once for the campaign. */
static void plan_begin(struct month *month, enum month_kind kind, struct plan *ret_plan)
{
    static const char *const friends[] = {"friend", "localhost", "ylmf-pc", "compaq"};
    struct plan plan = {
        .stage = STAGE_HEADER, .finding = FIND_MESSAGE_ID_ABSENT, .code = 553, .message_id_lacks = true};
    const uint32_t where = draw(month, 100);
    truth_new(month, kind);
    plan.campaign = (uint32_t)month->truth_count;
    if (where < 35) {
        plan = (struct plan){
            .campaign = plan.campaign, .stage = STAGE_END, .finding = FIND_HEADER_JUNK, .code = 550};
    } else if (where < 65) {
        plan = (struct plan){.campaign = plan.campaign, .stage = STAGE_RCPT, .code = 550};
        plan.finding = chance(month, 60) ? FIND_LISTED : FIND_RELAY_DENIED;
    }
    plan.esmtp = chance(month, 40);
    plan.sender_changes = chance(month, 30);
    plan.size_changes = chance(month, 50);
    plan.body_changes = chance(month, 40);
    plan.helo_way = (enum helo_way)draw(month, 4);
    if (plan.stage == STAGE_RCPT && !plan.esmtp && plan.helo_way == HELO_OWN)
        plan.helo_way = HELO_FRIEND; /* else it would show nothing that stays */
    plan.helo_word = slice_text(friends[draw(month, 4)]);
    plan.sender_domain = text_of(month, "free%u.example", draw(month, 400));
    plan.sender_digits = draw(month, 2);
    plan.sender = made_up_sender(month, &plan);
    plan.octets = draw_from(month, 1200, 30000);
    plan.body = random_next(&month->random) | 1;
    *ret_plan = plan;
}

static struct record *plan_record(struct month *month, const struct plan *plan, uint32_t host,
                                  int64_t unix_ms)
{
    struct record *record = record_new(month, host, unix_ms);
    record->campaign = plan->campaign;
    record->helo = plan_helo(month, plan, host);
    record->sender = plan->sender_changes ? made_up_sender(month, plan) : plan->sender;
    record->octets = plan->size_changes ? vary(month, plan->octets, 22) : plan->octets;
    record->size = plan->esmtp ? record->octets : 0;
    record->body = plan->body_changes ? random_next(&month->random) | 1 : plan->body;
    record->message_id_lacks = plan->message_id_lacks;
    record_refuse(record, plan->stage, plan->finding, plan->code);
    return record;
}

static void record_address(struct record *record, const struct slice *recipients, size_t count)
{
    record->recipients = recipients;
    record->recipient_count = record->tried = (uint16_t)count;
}

static const struct slice *some_mailboxes(struct month *month, size_t count)
{
    struct slice list[ATTEMPT_RECIPIENTS_MAX];
    for (size_t i = 0; i < count; i++)
        list[i] = mailbox_any(month);
    return recipients_of(month, list, count);
}

/* --- relay-rotation ------------------------------------------------------------------------------------- */

/* Hosts that have nothing in common: other AS, other /16. Some are mail hosts that relay for everybody. */
static void relays_make(struct month *month, struct plan *plan, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t kind = draw(month, 100);
        const uint32_t as = as_of_kind(month, kind < 70 ? AS_ACCESS : kind < 85 ? AS_HOSTING : AS_SCHOOL);
        plan->hosts[i] = kind < 70 ? host_bot(month, as, MONTH_GUILTY)
                                   : host_in(month, as, PTR_OWN, MONTH_GUILTY, SLICE("server"),
                                             text_of(month, "open%u-%u.example", plan->campaign, i));
    }
    plan->host_count = count;
}

/* One message: at first three of the hosts, then any, one behind the other. */
static int64_t rotate(struct month *month, const struct plan *plan, int64_t at_ms, bool slow)
{
    const size_t recipient_count = draw_from(month, 1, 3);
    const struct slice *recipients = some_mailboxes(month, recipient_count);
    const uint32_t attempts = draw_from(month, 3, 9), first = draw(month, plan->host_count);
    for (uint32_t i = 0; i < attempts; i++) {
        const uint32_t which = i < 3 ? (first + i) % plan->host_count : draw(month, plan->host_count);
        struct record *record = plan_record(month, plan, plan->hosts[which], at_ms);
        record_address(record, recipients, recipient_count);
        record->duration_ms = draw_from(month, 500, 20000);
        at_ms += record->duration_ms +
                 (slow ? draw_from(month, 60000, 180000) : draw_from(month, 1000, 45000));
    }
    return at_ms;
}

static void rotation_make(struct month *month)
{
    struct plan plan;
    int64_t at_ms = draw_time(month);
    plan_begin(month, MONTH_ROTATION, &plan);
    relays_make(month, &plan, draw_from(month, 3, 12));
    const bool slow = chance(month, 20);
    const uint32_t messages = chance(month, 60) ? 1 : draw_from(month, 2, 12);
    for (uint32_t i = 0; i < messages; i++) {
        at_ms = rotate(month, &plan, at_ms, slow);
        at_ms += draw_from(month, 5000, 240000);
    }
}

/* --- botnet --------------------------------------------------------------------------------------------- */

static void bots_make(struct month *month, struct plan *plan, uint32_t count)
{
    const uint32_t home = as_of_kind(month, AS_ACCESS);
    const uint32_t at_home = chance(month, 10) ? 100 : draw(month, 30); /* customers of one access provider */
    for (uint32_t i = 0; i < count; i++)
        plan->hosts[i] = host_bot(month, chance(month, at_home) ? home : as_of_kind(month, AS_ACCESS),
                                  MONTH_GUILTY);
    plan->host_count = count;
}

/* All write to the same few, or, with the same body, each to others. */
static void botnet_make(struct month *month)
{
    struct plan plan;
    const struct slice *targets[TARGETS_MAX];
    size_t sizes[TARGETS_MAX];
    plan_begin(month, MONTH_BOTNET, &plan);
    bots_make(month, &plan, draw_from(month, 20, 300));
    const bool shared = chance(month, 50);
    const uint32_t target_count = draw_from(month, 1, TARGETS_MAX);
    for (uint32_t i = 0; i < target_count; i++) {
        sizes[i] = draw_from(month, 1, 5);
        targets[i] = some_mailboxes(month, sizes[i]);
    }
    if (shared) { /* only the body says that it is one message */
        plan.stage = STAGE_END;
        plan.finding = FIND_HEADER_JUNK;
        plan.body_changes = false;
    }
    const uint32_t attempts = plan.host_count * draw_from(month, 1, 3),
                   every_ms = draw_from(month, 1000, 10000);
    const int64_t start_ms = draw_time(month);
    for (uint32_t i = 0; i < attempts; i++) {
        const uint32_t which = i < plan.host_count ? i : draw(month, plan.host_count),
                       target = draw(month, target_count);
        struct record *record = plan_record(month, &plan, plan.hosts[which],
                                            start_ms + (int64_t)i * every_ms +
                                                draw(month, 2 * (uint64_t)every_ms));
        record_address(record, shared ? some_mailboxes(month, 1) : targets[target],
                       shared ? 1 : sizes[target]);
        record->duration_ms = draw_from(month, 15000, 60000);
        if (shared && chance(month, 10))
            record->body = random_next(&month->random) | 1;
    }
}

/* --- those who come back -------------------------------------------------------------------------------- */

/* Another message each time. */
static void change_all(struct month *month, struct plan *plan)
{
    plan->sender_domain = text_of(month, "free%u.example", draw(month, 400));
    plan->sender = made_up_sender(month, plan);
    plan->octets = draw_from(month, 1200, 30000);
    plan->body = random_next(&month->random) | 1;
}

static void repeat_host_make(struct month *month)
{
    struct plan plan;
    int64_t at_ms = draw_time(month);
    plan_begin(month, MONTH_REPEAT_HOST, &plan);
    relays_make(month, &plan, 1);
    const uint32_t attempts = draw_from(month, 10, 150);
    const uint32_t most_s = (uint32_t)(chance(month, 50) ? 600 : 6 * DAY_MS / 1000 / attempts);
    const bool changes = chance(month, 70);
    for (uint32_t i = 0; i < attempts; i++) {
        if (changes)
            change_all(month, &plan);
        const size_t count = draw_from(month, 1, 2);
        struct record *record = plan_record(month, &plan, plan.hosts[0], at_ms);
        record_address(record, some_mailboxes(month, count), count);
        at_ms += (int64_t)draw_from(month, 20, most_s) * 1000;
    }
}

/* Many hosts of one /24 with names of their own; now and then two /24 side by side. */
static void repeat_netblock_make(struct month *month)
{
    struct plan plan;
    plan_begin(month, MONTH_REPEAT_NETBLOCK, &plan);
    const uint32_t as = as_of_kind(month, AS_HOSTING);
    const uint16_t third = (uint16_t)(draw(month, 255) & ~1u);
    const bool named = chance(month, 60), wide = chance(month, 30);
    plan.host_count = draw_from(month, 6, 40);
    for (uint32_t i = 0; i < plan.host_count; i++)
        plan.hosts[i] = host_at(month, as, address_in_net(month, as, (uint16_t)(third + (wide && i % 2))),
                                named ? PTR_OWN : PTR_NONE, MONTH_GUILTY, SLICE("mail"),
                                text_of(month, "offers%u-%u.example", plan.campaign, i / 4));
    const uint32_t attempts = plan.host_count * draw_from(month, 3, 8);
    const uint32_t most_s = (uint32_t)(draw_from(month, 4, 150) * (HOUR_MS / 1000) / attempts);
    int64_t at_ms = draw_time(month);
    for (uint32_t i = 0; i < attempts; i++) {
        change_all(month, &plan);
        struct record *record = plan_record(
            month, &plan, plan.hosts[i < plan.host_count ? i : draw(month, plan.host_count)], at_ms);
        record_address(record, some_mailboxes(month, 1), 1);
        at_ms += (int64_t)draw_from(month, 5, most_s > 5 ? 2 * most_s : 10) * 1000;
    }
}

/* --- dictionary ----------------------------------------------------------------------------------------- */

/* Guessed local parts at one of our domains; a few of them exist. */
static void guess(struct month *month, struct record *record, uint32_t ours, uint32_t count)
{
    struct slice list[ATTEMPT_RECIPIENTS_MAX];
    uint16_t unknown = 0;
    const uint32_t kept = count < ATTEMPT_RECIPIENTS_MAX ? count : ATTEMPT_RECIPIENTS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const bool hit = chance(month, 3);
        const struct slice local = hit ? person(month, draw(month, 700)) : letters(month, 3, 7);
        unknown = (uint16_t)(unknown + !hit);
        if (i < kept)
            list[i] = text_of(month, "%.*s@house%u.example", SLICE_ARGS(local), ours);
    }
    record_address(record, recipients_of(month, list, kept), kept);
    record->tried = (uint16_t)count;
    record_unknown(record, unknown);
    if (count > 20)
        record_find(record, FIND_DICTIONARY);
}

static void dictionary_make(struct month *month)
{
    struct plan plan;
    const bool alone = chance(month, 50);
    plan_begin(month, MONTH_DICTIONARY, &plan);
    if (alone)
        relays_make(month, &plan, 1);
    else
        bots_make(month, &plan, draw_from(month, 10, 100));
    const uint32_t ours = draw(month, DOMAINS);
    const uint32_t most = alone ? draw_from(month, 8, 40) : draw_from(month, 1, 8);
    const uint32_t attempts = alone ? draw_from(month, 5, 60) : plan.host_count * draw_from(month, 2, 5);
    const uint32_t most_s = draw_from(month, 5, alone ? 60 : 40);
    int64_t at_ms = draw_time(month);
    for (uint32_t i = 0; i < attempts; i++) {
        struct record *record = plan_record(
            month, &plan, plan.hosts[i < plan.host_count ? i : draw(month, plan.host_count)], at_ms);
        guess(month, record, ours, draw_from(month, most / 2 + 1, most));
        at_ms += (int64_t)draw_from(month, 1, most_s) * 1000;
    }
}

/* --- open-proxy ----------------------------------------------------------------------------------------- */

static void open_proxy_make(struct month *month)
{
    struct plan plan;
    int64_t at_ms = draw_time(month);
    plan_begin(month, MONTH_OPEN_PROXY, &plan);
    plan.stage = STAGE_RCPT; /* sender and recipients stand in the request */
    plan.esmtp = false;
    relays_make(month, &plan, draw_from(month, 1, 6));
    const uint32_t attempts = plan.host_count * draw_from(month, 1, 6);
    for (uint32_t i = 0; i < attempts; i++) {
        struct record *record = plan_record(
            month, &plan, plan.hosts[i < plan.host_count ? i : draw(month, plan.host_count)], at_ms);
        record_address(record, some_mailboxes(month, 1), 1);
        record->findings[0] = FIND_HTTP_TUNNEL;
        record->findings[1] = FIND_FOREIGN_PROTOCOL;
        record->verdict = ATTEMPT_DROPPED;
        record->code = 0;
        at_ms += (int64_t)draw_from(month, 5, 900) * 1000;
    }
}

void campaigns_make(struct month *month)
{
    static void (*const make[])(struct month * month) = {
        rotation_make,    rotation_make,    rotation_make,        botnet_make,     botnet_make,
        repeat_host_make, repeat_host_make, repeat_netblock_make, dictionary_make, open_proxy_make,
    };
    for (uint32_t i = 0; i < month->settings.campaigns; i++)
        make[i % 10](month);
}
