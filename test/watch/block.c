/* The block list: what is made anew stays longer, what ends is told once, an undo takes its strike back, what
 * a person has decided no rule touches, memory is bounded in the order that the header names, and what is
 * stored comes back the same. Of campaigns no host is proposed whose mail is taken, nor a network of which
 * any was. */
#include "rig.h"

#include "base/random.h"
#include "core/finding.h"
#include "watch/block_rule.h"

#define DAY INT64_C(86400000)

static const struct block_list_settings plain = {
    .most = 100, .step_ms = {DAY, 7 * DAY, 30 * DAY}, .steps = 3, .declined_ms = 30 * DAY, .seed = 3};

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(slice_text(text), &prefix));
    return prefix;
}

static struct block_proposal proposal_of(const char *text, enum block_rule rule)
{
    return (struct block_proposal){.prefix = prefix_of(text),
                                   .rule = rule,
                                   .reason = "Apparent open relay",
                                   .campaign = 77,
                                   .sessions = {101},
                                   .session_count = 1};
}

static struct block_order joe_at(int64_t now_ms)
{
    return (struct block_order){.by = SLICE("joe"), .now_ms = now_ms};
}

static bool propose(struct block_list *list, const char *text, int64_t now_ms)
{
    const struct block_proposal proposal = proposal_of(text, BLOCK_BY_CAMPAIGN);
    return block_list_propose(list, &proposal, now_ms);
}

static const struct block *entry(const struct block_list *list, const char *text)
{
    const struct prefix prefix = prefix_of(text);
    return block_list_find(list, &prefix);
}

static unsigned of_state(const struct block_list *list, enum block_state state)
{
    struct block_list_counts counts;
    block_list_counts(list, &counts);
    return counts.of[state];
}

static void assert_note(struct block_list *list, enum block_note_kind kind, const char *why)
{
    struct block_note note;
    assert_true(block_list_note(list, &note));
    assert_int_equal(note.kind, kind);
    assert_string_equal(note.why, why);
}

#define assert_no_note(list) assert_false(block_list_note(list, &(struct block_note){.why = ""}))

/* --- states --------------------------------------------------------------------------------------------- */

static void a_suggestion_is_approved(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_order order = joe_at(2000);
    (void)state;
    assert_true(propose(list, "192.0.2.7", 1000));
    assert_note(list, BLOCK_NOTE_SUGGESTED, "");
    assert_int_equal(entry(list, "192.0.2.7")->state, BLOCK_SUGGESTED);
    assert_false(propose(list, "192.0.2.7", 1500));
    assert_no_note(list);
    assert_int_equal(block_list_approve(list, &order, &host), BLOCK_DONE);
    assert_note(list, BLOCK_NOTE_MADE, "");
    const struct block *block = entry(list, "192.0.2.7");
    assert_int_equal(block->state, BLOCK_IN_FORCE);
    assert_int_equal(block->until_ms, 2000 + DAY);
    assert_string_equal(block->by, "joe");
    assert_string_equal(block->reason, "Apparent open relay");
    assert_int_equal(block_list_approve(list, &order, &host), BLOCK_ALREADY);
    assert_false(propose(list, "192.0.2.7", 3000));
    block_list_free(list);
}

static void a_no_counts_for_a_while(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_order order = joe_at(2000);
    (void)state;
    assert_int_equal(block_list_decline(list, &order, &host), BLOCK_ABSENT);
    propose(list, "192.0.2.7", 1000);
    assert_int_equal(block_list_decline(list, &order, &host), BLOCK_DONE);
    assert_note(list, BLOCK_NOTE_DECLINED, "");
    assert_false(propose(list, "192.0.2.7", 2000 + 30 * DAY - 1));
    assert_true(propose(list, "192.0.2.7", 2000 + 30 * DAY));
    block_list_free(list);
}

static void time_in_force_grows(void **state)
{
    static const int64_t stays[] = {DAY, 7 * DAY, 30 * DAY, 30 * DAY};
    struct block_list_settings settings = plain;
    int64_t now = 1000;
    (void)state;
    settings.makes = true;
    struct block_list *list = block_list_new(&settings);
    for (unsigned i = 0; i < COUNT(stays); i++) {
        assert_true(propose(list, "192.0.2.7", now));
        assert_int_equal(entry(list, "192.0.2.7")->until_ms, now + stays[i]);
        assert_int_equal(entry(list, "192.0.2.7")->strikes, i + 1);
        now += stays[i];
        block_list_time(list, now - 1);
        assert_int_equal(of_state(list, BLOCK_IN_FORCE), 1);
        block_list_time(list, now);
        assert_note(list, BLOCK_NOTE_EXPIRED, "");
        assert_no_note(list);
        assert_int_equal(entry(list, "192.0.2.7")->state, BLOCK_OVER);
    }
    block_list_time(list, now + BLOCK_STRIKES_KEPT_MS);
    assert_null(entry(list, "192.0.2.7"));
    assert_true(propose(list, "192.0.2.7", now + BLOCK_STRIKES_KEPT_MS));
    assert_int_equal(entry(list, "192.0.2.7")->strikes, 1);
    block_list_free(list);
}

static void an_undo_takes_the_strike_back(void **state)
{
    struct block_list_settings settings = plain;
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_order order = joe_at(DAY / 2), late = joe_at(40 * DAY);
    (void)state;
    settings.makes = true;
    struct block_list *list = block_list_new(&settings);
    propose(list, "192.0.2.7", 0);
    assert_int_equal(block_list_undo(list, &order, &host), BLOCK_DONE);
    assert_note(list, BLOCK_NOTE_REMOVED, "undone");
    assert_false(propose(list, "192.0.2.7", DAY));
    assert_true(propose(list, "192.0.2.7", 31 * DAY));
    assert_int_equal(entry(list, "192.0.2.7")->strikes, 1);
    block_list_time(list, 39 * DAY);
    assert_int_equal(entry(list, "192.0.2.7")->state, BLOCK_OVER);
    assert_int_equal(block_list_undo(list, &late, &host), BLOCK_DONE); /* of one that is over, too */
    assert_null(entry(list, "192.0.2.7"));
    assert_int_equal(block_list_undo(list, &late, &host), BLOCK_ABSENT);
    block_list_free(list);
}

static void what_is_removed_keeps_its_strike(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_order order = joe_at(1000), later = joe_at(2000);
    const struct block_proposal proposal = proposal_of("192.0.2.7", BLOCK_BY_PERSON);
    (void)state;
    assert_int_equal(block_list_add(list, &order, &proposal, -1), BLOCK_DONE);
    assert_int_equal(block_list_remove(list, &order, &host), BLOCK_DONE);
    assert_note(list, BLOCK_NOTE_REMOVED, "removed");
    assert_int_equal(block_list_remove(list, &order, &host), BLOCK_ABSENT);
    assert_int_equal(block_list_add(list, &later, &proposal, -1), BLOCK_DONE);
    assert_int_equal(entry(list, "192.0.2.7")->until_ms, 2000 + 7 * DAY);
    block_list_free(list);
}

static void a_person_says_for_how_long(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct block_order order = joe_at(1000), later = joe_at(5000);
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_proposal proposal = proposal_of("192.0.2.7", BLOCK_BY_PERSON);
    (void)state;
    assert_int_equal(block_list_add(list, &order, &proposal, 3 * DAY), BLOCK_DONE);
    block_list_hit(list, &host, 3000);
    assert_int_equal(block_list_add(list, &later, &proposal, 0), BLOCK_DONE); /* renewed, for good */
    const struct block *block = entry(list, "192.0.2.7");
    assert_int_equal(block->until_ms, 0);
    assert_int_equal(block->strikes, 1);
    assert_int_equal(block->hits, 1);
    block_list_time(list, 1000000 * DAY);
    assert_int_equal(entry(list, "192.0.2.7")->state, BLOCK_IN_FORCE);
    block_list_free(list);
}

static void what_is_forbidden_ends_at_once(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct block_order order = joe_at(1000);
    const struct prefix host = prefix_of("192.0.2.7");
    const struct block_proposal proposal = proposal_of("192.0.2.7", BLOCK_BY_PERSON);
    (void)state;
    block_list_add(list, &order, &proposal, -1);
    assert_true(block_list_forbid(list, &host, "it is ours", 2000));
    struct block_note note;
    assert_true(block_list_note(list, &note));
    assert_int_equal(note.kind, BLOCK_NOTE_REMOVED);
    assert_string_equal(note.why, "it is ours");
    assert_string_equal(note.block.by, ""); /* joe has not decided that */
    assert_null(entry(list, "192.0.2.7"));
    assert_false(block_list_forbid(list, &host, "it is ours", 2000));
    block_list_free(list);
}

static void suggestions_lapse_or_are_withdrawn(void **state)
{
    struct block_list *list = block_list_new(&plain);
    const struct prefix host = prefix_of("192.0.2.9");
    (void)state;
    propose(list, "192.0.2.7", 0);
    propose(list, "192.0.2.9", 0);
    propose(list, "192.0.2.7", DAY);
    assert_true(block_list_withdraw(list, &host, "its mail is taken", 2 * DAY));
    assert_note(list, BLOCK_NOTE_REMOVED, "its mail is taken");
    block_list_time(list, BLOCK_SUGGESTION_MS + DAY - 1);
    assert_int_equal(of_state(list, BLOCK_SUGGESTED), 1);
    block_list_time(list, BLOCK_SUGGESTION_MS + DAY);
    assert_note(list, BLOCK_NOTE_REMOVED, "nobody has answered");
    assert_null(entry(list, "192.0.2.7"));
    block_list_free(list);
}

static void networks_and_traps_wait_for_a_person(void **state)
{
    struct block_list_settings settings = plain;
    const struct block_proposal network = proposal_of("192.0.2.0/24", BLOCK_BY_NETWORK),
                                trap = proposal_of("2001:db8:1:2::/64", BLOCK_BY_TRAP),
                                host = proposal_of("2001:db8:1:2::/64", BLOCK_BY_CAMPAIGN);
    (void)state;
    settings.makes = true;
    struct block_list *list = block_list_new(&settings);
    assert_true(block_list_propose(list, &network, 1000));
    assert_true(block_list_propose(list, &trap, 1000));
    assert_int_equal(of_state(list, BLOCK_SUGGESTED), 2);
    assert_true(block_list_propose(list, &host, 2000)); /* there is more against it now */
    assert_int_equal(of_state(list, BLOCK_IN_FORCE), 1);
    block_list_free(list);
}

/* --- memory and the store ------------------------------------------------------------------------------- */

static void text_of(char text[32], unsigned number)
{
    snprintf(text, 32, "198.51.%u.%u", number / 250, number % 250 + 1);
}

static void the_oldest_that_tells_less_makes_room(void **state)
{
    struct block_list_settings settings = plain;
    const struct block_order order = joe_at(1000);
    char text[32];
    (void)state;
    settings.most = 4;
    struct block_list *list = block_list_new(&settings);
    for (unsigned i = 0; i < 4; i++) {
        text_of(text, i);
        propose(list, text, 1000 + i);
    }
    struct prefix kept = prefix_of("198.51.0.1"), declined = prefix_of("198.51.0.2");
    assert_int_equal(block_list_approve(list, &order, &kept), BLOCK_DONE);
    assert_int_equal(block_list_decline(list, &order, &declined), BLOCK_DONE);
    for (unsigned i = 4; i < 1000; i++) {
        text_of(text, i);
        assert_true(propose(list, text, 2000 + i));
        if (block_list_fresh_count(list) >= BLOCK_LIST_FRESH_CALLS)
            block_list_stored(list);
    }
    assert_int_equal(of_state(list, BLOCK_SUGGESTED), 2);
    assert_int_equal(entry(list, "198.51.0.1")->state, BLOCK_IN_FORCE);
    assert_int_equal(entry(list, "198.51.0.2")->state, BLOCK_DECLINED);
    block_list_free(list);
}

static void nothing_makes_room_for_less(void **state)
{
    struct block_list_settings settings = plain;
    const struct block_order order = joe_at(1000);
    const struct block_proposal one = proposal_of("192.0.2.1", BLOCK_BY_PERSON),
                                two = proposal_of("192.0.2.2", BLOCK_BY_PERSON),
                                three = proposal_of("192.0.2.3", BLOCK_BY_PERSON);
    (void)state;
    settings.most = 2;
    struct block_list *list = block_list_new(&settings);
    assert_int_equal(block_list_add(list, &order, &one, -1), BLOCK_DONE);
    assert_int_equal(block_list_add(list, &order, &two, -1), BLOCK_DONE);
    assert_int_equal(block_list_add(list, &order, &three, -1), BLOCK_FULL);
    assert_false(propose(list, "192.0.2.4", 2000));
    assert_int_equal(of_state(list, BLOCK_IN_FORCE), 2);
    block_list_free(list);
}

/* The store as the test keeps it: the last of each prefix. */
static void stored_is_restored(void **state)
{
    struct block_list *list = block_list_new(&plain), *other = block_list_new(&plain);
    const struct block_order order = joe_at(1000);
    const struct prefix approved = prefix_of("192.0.2.7"), gone = prefix_of("192.0.2.8");
    const struct block *block = NULL;
    struct buf packed, again;
    size_t at = 0, removed = 0;
    (void)state;
    buf_init(&packed, BLOCK_PACKED_MAX);
    buf_init(&again, BLOCK_PACKED_MAX);
    propose(list, "192.0.2.7", 0);
    propose(list, "192.0.2.8", 0);
    propose(list, "2001:db8:1:2::/64", 0);
    block_list_approve(list, &order, &approved);
    block_list_hit(list, &approved, 4000);
    block_list_withdraw(list, &gone, "", 1000);
    while ((block = block_list_fresh(list, block)) != NULL) {
        struct block back;
        removed += block->state == 0;
        if (!block->state)
            continue;
        buf_clear(&packed);
        block_pack(block, &packed);
        assert_true(block_unpack(buf_slice(&packed), &back));
        assert_true(block_list_restore(other, &back));
        assert_false(block_list_restore(other, &back));
    }
    assert_int_equal(removed, 1);
    block_list_stored(list);
    assert_int_equal(block_list_fresh_count(list), 0);
    while (block_list_next(other, &at, &block)) {
        buf_clear(&packed);
        buf_clear(&again);
        block_pack(block, &packed);
        block_pack(block_list_find(list, &block->prefix), &again);
        assert_true(slice_equal(buf_slice(&packed), buf_slice(&again)));
    }
    assert_int_equal(of_state(other, BLOCK_IN_FORCE), 1);
    assert_int_equal(of_state(other, BLOCK_SUGGESTED), 1);
    assert_int_equal(entry(other, "192.0.2.7")->hits, 1);
    block_list_time(other, 1000 + DAY);
    assert_note(other, BLOCK_NOTE_EXPIRED, "");
    buf_drop(&packed);
    buf_drop(&again);
    block_list_free(list);
    block_list_free(other);
}

static void damage_is_refused_or_harmless(void **state)
{
    struct block_list *list = block_list_new(&plain);
    struct random random = {5};
    struct buf packed;
    struct block back;
    (void)state;
    propose(list, "2001:db8:1:2::/64", 0);
    buf_init(&packed, BLOCK_PACKED_MAX);
    block_pack(entry(list, "2001:db8:1:2::/64"), &packed);
    for (uint32_t len = 0; len < packed.len; len++)
        assert_false(block_unpack(slice_of(packed.at, len), &back));
    for (int i = 0; i < 20000; i++) {
        const uint32_t at = (uint32_t)random_below(&random, packed.len);
        const char before = packed.at[at];
        packed.at[at] = (char)random_next(&random);
        if (block_unpack(buf_slice(&packed), &back)) {
            struct block_list *other = block_list_new(&plain);
            assert_true(block_list_restore(other, &back));
            block_list_time(other, 1000 * DAY);
            block_list_free(other);
        }
        packed.at[at] = before;
    }
    buf_drop(&packed);
    block_list_free(list);
}

static void reasons_are_harmless(void **state)
{
    char text[11];
    (void)state;
    block_text_set(text, sizeof text, SLICE("  a\r\nb\xff c   and more"));
    assert_string_equal(text, "a??b? c");
    block_text_set(text, sizeof text, SLICE_NONE);
    assert_string_equal(text, "");
}

/* Whatever is asked in whatever order, the counts are those of what stands there, and the generation moves
 * whenever what is in force does. */
static uint64_t digest_in_force(const struct block_list *list)
{
    const struct block *block;
    uint64_t sum = 0;
    size_t at = 0;
    while (block_list_next(list, &at, &block))
        if (block->state == BLOCK_IN_FORCE)
            sum += slice_hash(slice_of((const char *)block->prefix.network.octets, 4),
                              (uint64_t)block->until_ms);
    return sum;
}

static void sums_hold(const struct block_list *list)
{
    struct block_list_counts counts;
    unsigned of[BLOCK_STATE_LIMIT] = {0};
    const struct block *block;
    size_t at = 0;
    block_list_counts(list, &counts);
    while (block_list_next(list, &at, &block))
        of[block->state]++;
    for (unsigned i = 1; i < BLOCK_STATE_LIMIT; i++)
        assert_int_equal(of[i], counts.of[i]);
}

static void anything_in_any_order(void **state)
{
    struct block_list_settings settings = plain;
    struct random random = {11};
    (void)state;
    settings.most = 40;
    settings.makes = true;
    struct block_list *list = block_list_new(&settings);
    uint64_t generation = 0, digest = digest_in_force(list);
    for (int64_t i = 0, now = 0; i < 100000; i++, now += (int64_t)random_below(&random, 3600000)) {
        struct block_list_counts counts;
        char text[32];
        text_of(text, (unsigned)random_below(&random, 60));
        const struct block_proposal proposal = proposal_of(text, random_below(&random, 3) ? BLOCK_BY_CAMPAIGN
                                                                                          : BLOCK_BY_TRAP);
        const struct block_order order = joe_at(now);
        switch (random_below(&random, 10)) {
        case 0: block_list_add(list, &order, &proposal, (int64_t)random_below(&random, 3) * DAY - 1); break;
        case 1: block_list_approve(list, &order, &proposal.prefix); break;
        case 2: block_list_decline(list, &order, &proposal.prefix); break;
        case 3: block_list_remove(list, &order, &proposal.prefix); break;
        case 4: block_list_undo(list, &order, &proposal.prefix); break;
        case 5: block_list_forbid(list, &proposal.prefix, "", now); break;
        case 6: block_list_hit(list, &proposal.prefix, now); break;
        case 7: block_list_time(list, now); break;
        default: block_list_propose(list, &proposal, now);
        }
        if (block_list_fresh_count(list) > 20)
            block_list_stored(list);
        block_list_counts(list, &counts);
        if (digest_in_force(list) != digest)
            assert_true(counts.generation > generation);
        generation = counts.generation;
        digest = digest_in_force(list);
        if (i % 64 == 0)
            sums_hold(list);
    }
    block_list_free(list);
}

/* --- rules ---------------------------------------------------------------------------------------------- */

static void rotate(struct rig *rig, const char *const *hosts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rig_atf(rig, 1000 + (int)i * 13,
                "address=%s from=5140ghxc@aci.net to=lennon@house.example octets=1762", hosts[i]);
}

static void hosts_of_a_campaign_are_proposed(void **state)
{
    static const char *const hosts[] = {"61.77.232.38", "165.246.189.33", "211.209.23.36", "2001:db8:1:2::3"};
    struct rig rig;
    struct block_proposal proposal;
    char text[ADDRESS_PORT_TEXT_SIZE];
    (void)state;
    rig_begin(&rig);
    rotate(&rig, hosts, COUNT(hosts));
    const struct campaign *campaign = rig_campaign(&rig);
    assert_int_equal(campaign->host_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(block_rule_host(rig.watch, campaign, &campaign->hosts[i], &proposal));
        assert_int_equal(proposal.campaign, campaign->id);
        assert_int_equal(proposal.session_count, 1);
        assert_string_equal(proposal.reason, "Apparent open relay");
    }
    prefix_print(&proposal.prefix, text);
    assert_string_equal(text, "2001:db8:1:2::/64");
    assert_false(block_rule_network(rig.watch, campaign, &proposal));
    rig_end(&rig);
}

static void whose_mail_is_taken_is_not(void **state)
{
    static const char *const hosts[] = {"61.77.232.38", "165.246.189.33", "211.209.23.36", "12.237.128.54"};
    struct rig rig;
    struct block_proposal proposal;
    (void)state;
    rig_begin(&rig);
    rotate(&rig, hosts, COUNT(hosts));
    const struct campaign *campaign = rig_campaign(&rig);
    for (int i = 0; i < 4; i++)
        rig_atf(&rig, 2000 + i,
                "address=%s from=a%d@b.example to=c@house.example octets=%d verdict=accepted code=250",
                hosts[0], i, 4000 * i + 900);
    assert_false(block_rule_host(rig.watch, campaign, &campaign->hosts[0], &proposal));
    assert_true(block_rule_host(rig.watch, campaign, &campaign->hosts[1], &proposal));
    rig_end(&rig);
}

static void come_back(struct rig *rig, int hosts)
{
    for (int i = 0; i < 3 * hosts; i++)
        rig_atf(rig, 5000 + i * 300,
                "address=198.51.100.%d from=x%d@y%d.example to=a@house.example octets=%d", 10 + i % hosts, i,
                i, 1000 + i * 517);
}

static bool network_is_proposed(int hosts, const char *taken)
{
    struct rig rig;
    struct block_proposal proposal;
    rig_begin(&rig);
    rig_atf(&rig, 0, "address=%s from=a@b.example to=c@house.example octets=5000 verdict=accepted code=250",
            taken);
    come_back(&rig, hosts);
    const struct campaign *campaign = rig_campaign(&rig);
    assert_int_equal(campaign->kind, CAMPAIGN_REPEAT_NETBLOCK);
    const bool proposed = block_rule_network(rig.watch, campaign, &proposal);
    rig_end(&rig);
    return proposed;
}

static void a_network_is_proposed_only_where_all_of_it_is_bad(void **state)
{
    (void)state;
    assert_true(network_is_proposed(64, "198.51.101.200"));
    assert_false(network_is_proposed(64, "198.51.100.200")); /* something of it was taken */
    assert_false(network_is_proposed(63, "198.51.101.200")); /* too few were at it */
}

static struct attempt trapped(struct rig *rig, const char *line)
{
    struct attempt attempt;
    assert_true(attempt_parse(slice_text(line), &rig->arena, &attempt));
    attempt.id = 900;
    attempt_finding_set(&attempt, FIND_TRAP);
    return attempt;
}

static void who_wrote_to_a_trap_is_proposed(void **state)
{
    struct rig rig;
    struct block_proposal proposal;
    (void)state;
    rig_begin(&rig);
    struct attempt attempt = trapped(
        &rig, "address=192.0.2.7 from=a@b.example to=trap@house.example verdict=accepted code=250");
    assert_true(block_rule_trap(rig.watch, &attempt, &proposal));
    assert_int_equal(proposal.rule, BLOCK_BY_TRAP);
    assert_int_equal(proposal.sessions[0], 900);
    attempt = trapped(&rig, "address=192.0.2.7 from= to=trap@house.example verdict=accepted code=250");
    assert_false(block_rule_trap(rig.watch, &attempt, &proposal)); /* a bounce */
    for (int i = 0; i < 4; i++)
        rig_atf(&rig, i,
                "address=192.0.2.7 from=a%d@b.example to=c@house.example octets=%d verdict=accepted code=250",
                i, 4000 * i + 900);
    attempt = trapped(&rig,
                      "address=192.0.2.7 from=a@b.example to=trap@house.example verdict=accepted code=250");
    assert_false(block_rule_trap(rig.watch, &attempt, &proposal));
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suggestion_is_approved),
        cmocka_unit_test(a_no_counts_for_a_while),
        cmocka_unit_test(time_in_force_grows),
        cmocka_unit_test(an_undo_takes_the_strike_back),
        cmocka_unit_test(what_is_removed_keeps_its_strike),
        cmocka_unit_test(a_person_says_for_how_long),
        cmocka_unit_test(what_is_forbidden_ends_at_once),
        cmocka_unit_test(suggestions_lapse_or_are_withdrawn),
        cmocka_unit_test(networks_and_traps_wait_for_a_person),
        cmocka_unit_test(the_oldest_that_tells_less_makes_room),
        cmocka_unit_test(nothing_makes_room_for_less),
        cmocka_unit_test(stored_is_restored),
        cmocka_unit_test(damage_is_refused_or_harmless),
        cmocka_unit_test(reasons_are_harmless),
        cmocka_unit_test(anything_in_any_order),
        cmocka_unit_test(hosts_of_a_campaign_are_proposed),
        cmocka_unit_test(whose_mail_is_taken_is_not),
        cmocka_unit_test(a_network_is_proposed_only_where_all_of_it_is_bad),
        cmocka_unit_test(who_wrote_to_a_trap_is_proposed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
