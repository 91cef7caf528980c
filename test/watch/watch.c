/* Each kind of campaign is seen with the attempt that makes it one; its innocent twin is not. */
#include "rig.h"

/* --- the same message ----------------------------------------------------------------------------------- */

#define LENNON                                                                                               \
    " from=5140ghxc@aci.net to=LENNON@ONLINEROCK.COM octets=1762 message-id=no found=56 verdict=refused "    \
    "code=553"

static void five_attempts_from_four_hosts_are_one(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig_at(&rig, 0, "address=61.77.232.38" LENNON);
    rig_at(&rig, 13, "address=165.246.189.33" LENNON);
    rig_at(&rig, 22, "address=61.77.232.38" LENNON);
    assert_int_equal(rig.opened, 0);
    rig_at(&rig, 33, "address=211.209.23.36" LENNON);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 4);
    rig_at(&rig, 42, "address=12.237.128.54 name=12-237-128-54.client.attbi.com generic=yes" LENNON);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 5);
    const struct campaign *campaign = rig_campaign(&rig);
    assert_int_equal(campaign->kind, CAMPAIGN_ROTATION);
    assert_int_equal(campaign->host_total, 4);
    assert_int_equal(campaign->hosts[0].attempts, 2);
    assert_string_equal(campaign->hosts[3].ptr, "12-237-128-54.client.attbi.com");
    assert_sentence(
        &rig, "5 attempts in 42 s from 4 unrelated networks to deliver the same 1,762-octet message from "
              "5140ghxc@aci.net to LENNON@ONLINEROCK.COM");
    for (uint32_t i = 0; i < campaign->host_count; i++)
        assert_true(watch_host_is_guilty(rig.watch, campaign, &campaign->hosts[i]));
    rig_end(&rig);
}

/* The same, but eight addresses of one pool, deferred, refused, and taken in the end. */
static void pool_retries(const char *common)
{
    struct rig rig;
    rig_begin(&rig);
    for (int i = 0; i < 8; i++)
        rig_atf(&rig, i * 20, "address=198.%d.7.%d name=out%d.pool%s" LENNON " %s", 20 + i, i, i,
                strstr(common, "same-name") ? ".example pool=pool.example" : "x.example", common);
    rig_atf(&rig, 200, "address=198.51.100.7" LENNON " %s verdict=accepted", common);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

static void one_pool_is_no_campaign(void **state)
{
    (void)state;
    pool_retries("same-name=");
    pool_retries("as=64500");
    pool_retries("spf=aci.net");
    pool_retries("verdict=deferred");
}

/* The customers of an access provider share its AS and the domain of its names. */
static void access_lines_are_no_pool(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 1; i <= 3; i++)
        rig_atf(&rig, i * 30,
                "address=198.51.%d.7 name=198-51-%d-7.dsl.isp.example generic=yes as=64500" LENNON, i, i);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig_campaign(&rig)->groups, 3);
    rig_end(&rig);
}

static void neighbours_are_one(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 1; i <= 6; i++)
        rig_atf(&rig, i * 30, "address=198.51.100.%d" LENNON, i);
    for (int i = 1; i <= 6; i++)
        rig_atf(&rig, 300 + i, "address=2001:db8:1:%d::1" LENNON, i);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* A host whose name could not be looked up this time is not shown to be a stranger to its pool. */
static void what_is_not_known_proves_nothing(void **state)
{
    struct rig rig;
    struct attempt attempt;
    (void)state;
    rig_begin(&rig);
    rig_at(&rig, 0, "address=198.51.100.1 name=o1.pool.example pool=pool.example" LENNON);
    for (int i = 2; i < 6; i++) {
        char line[400];
        snprintf(line, sizeof line, "address=198.%d.100.2" LENNON, 60 + i);
        assert_true(attempt_parse(slice_text(line), &rig.arena, &attempt));
        attempt.unix_ms = START_MS + i * 1000;
        watch_add(rig.watch, &attempt);
        rig_notes(&rig);
    }
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

static void what_changes_and_what_stays(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig); /* senders made up, sizes within 5 %, HELO names made up */
    rig_at(&rig, 0, "address=198.51.1.1 helo=x7k2q from=12ab@free.example to=a@house.example octets=1000");
    rig_at(&rig, 20, "address=198.52.1.1 helo=m3n8p from=94xy@free.example to=a@house.example octets=1049");
    rig_at(&rig, 40, "address=198.53.1.1 helo=q9w1e from=77zz@free.example to=a@house.example octets=1020");
    assert_int_equal(rig.opened, 1);
    rig_end(&rig);
    rig_begin(&rig); /* no size, but the HELO names of one program */
    rig_at(&rig, 0, "address=198.51.1.1 helo=Amber-Fields-desk98 from=a@free.example to=a@house.example");
    rig_at(&rig, 20, "address=198.52.1.1 helo=Tom-Keller-desk12 from=a@free.example to=a@house.example");
    rig_at(&rig, 40, "address=198.53.1.1 helo=Iris-Vale-desk55 from=a@free.example to=a@house.example");
    assert_int_equal(rig.opened, 1);
    rig_end(&rig);
    rig_begin(&rig); /* nothing in common but the envelope */
    rig_at(&rig, 0, "address=198.51.1.1 helo=one from=a@free.example to=a@house.example");
    rig_at(&rig, 20, "address=198.52.1.1 helo=two from=a@free.example to=a@house.example");
    rig_at(&rig, 40, "address=198.53.1.1 helo=three from=a@free.example to=a@house.example");
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
    rig_begin(&rig); /* other sizes: other messages */
    for (int i = 1; i <= 6; i++)
        rig_atf(&rig, i * 20,
                "address=198.%d.1.1 helo=friend from=a@free.example to=a@house.example octets=%d", 50 + i,
                1000 * i);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
    rig_begin(&rig); /* eleven minutes apart */
    for (int i = 1; i <= 6; i++)
        rig_atf(&rig, i * 660, "address=198.%d.1.1" LENNON, 50 + i);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

static void one_body_to_many_is_a_botnet(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 1; i <= 30; i++)
        rig_atf(
            &rig, i * 3,
            "address=198.%d.1.1 from=s%d@free%d.example to=user%d@house.example octets=%d body=77 took=20000",
            20 + i, i, i, i, 4000 + i);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 30);
    assert_int_equal(rig.changed, 1);
    assert_int_equal(rig_campaign(&rig)->kind, CAMPAIGN_BOTNET);
    assert_sentence(
        &rig,
        "30 attempts in 87 s, side by side, from 30 hosts in 30 unrelated networks to deliver the same "
        "4,001 to 4,030-octet message from s3@free3.example and the like to user3@house.example and others");
    rig_end(&rig);
}

static void next_recipients_are_the_same_campaign(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int message = 0; message < 4; message++)
        for (int i = 0; i < 4; i++)
            rig_atf(&rig, message * 200 + i * 30,
                    "address=198.%d.1.1 from=5140ghxc@aci.net to=user%d@house.example octets=1762", 50 + i,
                    message);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 16);
    assert_int_equal(rig_campaign(&rig)->host_total, 4);
    rig_end(&rig);
}

/* Probes from far-off places ask up to RCPT and go; nobody has refused them anything. */
static void monitoring_is_no_campaign(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 100; i++)
        rig_atf(&rig, i * 60,
                "address=198.%d.1.1 helo=probe from=probe@up.example to=x@house.example verdict=left",
                50 + i % 5);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* A person has addresses at three places, and all send on what comes: one copy is taken, others are not. */
static void forwarders_are_no_campaign(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig_at(&rig, 0, "address=198.51.1.1 name=mx.a.example pool=a.example" LENNON " verdict=accepted");
    rig_at(&rig, 10, "address=198.52.1.1 name=mx.b.example pool=b.example" LENNON);
    rig_at(&rig, 20, "address=198.53.1.1 name=mx.c.example pool=c.example" LENNON);
    rig_at(&rig, 30, "address=198.54.1.1 name=mx.d.example pool=d.example" LENNON);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* Hosts of which mail is taken day by day are no relays for everybody, whatever one customer sends. */
static void hosts_in_good_standing_are_no_members(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int host = 0; host < 5; host++)
        for (int i = 0; i < 4; i++)
            rig_atf(&rig, host * 10 + i,
                    "address=198.%d.1.1 from=x%d@y.example to=u@house.example verdict=accepted", 50 + host,
                    i);
    for (int host = 0; host < 5; host++)
        rig_atf(&rig, 100 + host * 20, "address=198.%d.1.1" LENNON, 50 + host);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* Mail hosts of all the world return what was sent in our name. */
static void bounces_are_no_campaign(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 50; i++)
        rig_atf(&rig, i * 5,
                "address=198.%d.1.1 name=mx.far%d.example pool=far%d.example from= to=gone%d@house.example "
                "unknown=1 octets=4000",
                20 + i, i, i, i % 2 ? i : 0);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* --- those who come back -------------------------------------------------------------------------------- */

static void who_comes_back_is_a_repeat_host(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 8; i++)
        rig_atf(&rig, i * 3600, "address=198.51.100.7 from=s%d@free%d.example to=u%d@house.example octets=%d",
                i, i, i, 1000 * i);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 8);
    assert_sentence(&rig,
                    "8 attempts in 7 hours by one host, 198.51.100.7, which comes back after it was refused");
    rig_end(&rig);
}

/* A queue that tries again is deferred, not refused; a host whose mail is taken mostly may have some refused.
 */
static void a_queue_is_no_repeat_host(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 20; i++)
        rig_at(&rig, i * 1800, "address=198.51.100.7" LENNON " verdict=deferred");
    for (int i = 0; i < 60; i++)
        rig_atf(&rig, 40000 + i * 600,
                "address=198.51.100.8 from=a@b.example to=u%d@house.example verdict=%s", i,
                i % 4 ? "accepted" : "refused");
    for (int i = 0; i < 5; i++) /* and somebody who tries five times, says sorry and goes */
        rig_at(&rig, 80000 + i * 60, "address=198.51.100.9 from=a@b.example to=u@house.example");
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

static void many_hosts_of_one_network_are_a_repeat_netblock(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 24; i++)
        rig_atf(
            &rig, i * 1800,
            "address=198.51.100.%d name=mail%d.offers.example pool=offers.example from=s%d@offers%d.example "
            "to=u%d@house.example octets=%d spf=offers%d.example",
            i % 6, i % 6, i, i, i, 900 * i, i);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 24);
    assert_sentence(
        &rig,
        "24 attempts in 11 hours by 6 hosts of 198.51.100.0/24, which come back after they were refused");
    rig_end(&rig);
}

/* In a large access network a machine here and there is infected. */
static void one_offs_are_no_netblock(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 7; i++)
        rig_atf(&rig, i * 80000, "address=198.51.100.%d from=s%d@free.example to=u%d@house.example", i, i, i);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* --- guessing ------------------------------------------------------------------------------------------- */

static void one_host_guesses(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig_at(&rig, 0, "address=198.51.100.7 from=a@b.example to=aaa@house.example tried=12 unknown=12");
    rig_at(&rig, 60, "address=198.51.100.7 from=a@b.example to=bbb@house.example tried=12 unknown=11");
    assert_int_equal(rig.opened, 1);
    assert_sentence(&rig, "23 unknown recipients at house.example tried in 60 s by 198.51.100.7");
    rig_end(&rig);
}

static void many_hosts_share_the_guessing(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 12; i++)
        rig_atf(&rig, i * 20, "address=198.%d.1.1 from=12ab%d@free.example to=g%d@house.example unknown=1",
                20 + i, i, i);
    assert_int_equal(rig.opened, 1);
    assert_int_equal(rig.joined, 12);
    assert_int_equal(rig.kind, CAMPAIGN_DICTIONARY);
    assert_false(watch_host_is_guilty(rig.watch, rig_campaign(&rig), &rig_campaign(&rig)->hosts[0]));
    rig_end(&rig);
}

/* A newsletter with stale addresses; and everybody's typing errors of a day. */
static void stale_addresses_are_no_guessing(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 1000; i++)
        rig_atf(&rig, i,
                "address=198.51.100.%d name=o.mailer.example pool=mailer.example from=b%d@mailer.example "
                "to=u%d@house.example %s",
                i % 50, i, i, i % 20 ? "verdict=accepted" : "unknown=1");
    for (int i = 0; i < 40; i++)
        rig_atf(&rig, 2000 + i * 900,
                "address=198.%d.1.1 name=mx.f%d.example pool=f%d.example from=p@f%d.example "
                "to=x%d@house.example unknown=1",
                20 + i, i, i, i, i);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* --- open web proxies ----------------------------------------------------------------------------------- */

static void a_tunnel_is_an_open_proxy(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig_at(&rig, 0,
           "address=198.51.100.7 from=12ab@free.example to=a@house.example found=22,23 verdict=dropped");
    assert_int_equal(rig.opened, 1);
    rig_at(&rig, 60,
           "address=198.52.100.7 from=77xy@free.example to=b@house.example found=22,23 verdict=dropped");
    assert_int_equal(rig.opened, 1);
    assert_sentence(
        &rig,
        "2 attempts in 60 s through 2 open web proxies from 12ab@free.example to a@house.example and others");
    for (int i = 0; i < 5; i++) /* who looks for web servers is none */
        rig_atf(&rig, 100 + i, "address=198.60.100.%d found=22 verdict=dropped", i);
    assert_int_equal(rig.opened, 1);
    rig_end(&rig);
}

/* --- the watcher ---------------------------------------------------------------------------------------- */

static void trusted_networks_are_never_in_one(void **state)
{
    struct rig rig;
    struct prefix ours;
    (void)state;
    assert_true(prefix_parse(SLICE("198.51.100.0/24"), &ours));
    rig_begin_with(&rig, &(struct watch_settings){.hosts = 4096,
                                                  .traces = 1024,
                                                  .campaigns = 32,
                                                  .octets = 1u << 20,
                                                  .trusted = &ours,
                                                  .trusted_count = 1});
    for (int i = 0; i < 50; i++)
        rig_atf(&rig, i * 60, "address=198.51.100.7 from=s%d@f.example to=u%d@house.example unknown=%d", i, i,
                i % 2);
    assert_int_equal(rig.opened, 0);
    rig_end(&rig);
}

/* Whatever comes first: the campaign is the same. */
static void order_within_two_minutes_does_not_matter(void **state)
{
    static const char *const hosts[] = {"61.77.232.38", "165.246.189.33", "61.77.232.38", "211.209.23.36",
                                        "12.237.128.54"};
    static const int at[] = {0, 13, 22, 33, 42};
    static const uint8_t orders[][5] = {{4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}, {1, 3, 0, 2, 4}, {3, 4, 0, 2, 1}};
    (void)state;
    for (size_t order = 0; order < COUNT(orders); order++) {
        struct rig rig;
        rig_begin(&rig);
        for (int i = 0; i < 5; i++)
            rig_atf(&rig, at[orders[order][i]], "address=%s" LENNON, hosts[orders[order][i]]);
        assert_int_equal(rig.opened, 1);
        assert_int_equal(rig.joined, 5);
        assert_int_equal(rig_campaign(&rig)->kind, CAMPAIGN_ROTATION);
        assert_int_equal(rig_campaign(&rig)->first_ms, START_MS);
        assert_int_equal(rig_campaign(&rig)->last_ms, START_MS + 42000);
        assert_int_equal(rig_campaign(&rig)->host_total, 4);
        rig_end(&rig);
    }
}

static void what_is_quiet_closes(void **state)
{
    struct rig rig;
    struct watch_counts counts;
    (void)state;
    rig_begin(&rig);
    for (int i = 0; i < 4; i++)
        rig_atf(&rig, i * 10, "address=198.%d.1.1" LENNON, 50 + i);
    watch_time(rig.watch, START_MS + 7000 * 1000);
    rig_notes(&rig);
    assert_int_equal(rig.closed, 0);
    watch_time(rig.watch, START_MS + 7500 * 1000);
    rig_notes(&rig);
    assert_int_equal(rig.closed, 1);
    assert_slice_equal(
        buf_slice(&rig.sentence),
        "4 attempts in 30 s from 4 unrelated networks to deliver the same 1,762-octet message from "
        "5140ghxc@aci.net to LENNON@ONLINEROCK.COM");
    watch_time(rig.watch, START_MS + 7600 * 1000);
    assert_null(watch_campaign(rig.watch, rig.campaign));
    watch_counts(rig.watch, &counts);
    assert_int_equal(counts.open, 0);
    rig_end(&rig);
}

/* Packed and taken back by another watcher it grows as if nothing had been. */
static void a_restart_forgets_no_campaign(void **state)
{
    struct rig rig, next;
    struct buf packed;
    struct campaign campaign;
    (void)state;
    rig_begin(&rig);
    rig_begin(&next);
    buf_init(&packed, CAMPAIGN_PACKED_MAX);
    for (int i = 0; i < 4; i++)
        rig_atf(&rig, i * 10, "address=198.%d.1.1" LENNON, 50 + i);
    assert_true(campaign_pack(rig_campaign(&rig), &packed));
    assert_true(campaign_unpack(buf_slice(&packed), &campaign));
    assert_true(watch_restore(next.watch, &campaign));
    assert_true(campaign_unpack(buf_slice(&packed), &campaign));
    assert_false(watch_restore(next.watch, &campaign)); /* it is open */
    rig_at(&next, 50, "address=198.50.1.1" LENNON);
    rig_at(&next, 60, "address=198.70.1.1" LENNON);
    assert_int_equal(next.opened, 0);
    assert_int_equal(next.joined, 2);
    assert_int_equal(next.campaign, rig.campaign);
    assert_int_equal(rig_campaign(&next)->attempts, 6);
    assert_int_equal(rig_campaign(&next)->host_total, 5);
    buf_drop(&packed);
    rig_end(&next);
    rig_end(&rig);
}

/* No clock is so wrong that it does harm. */
static void impossible_times_do_no_harm(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN + 1, INT64_MAX - 1};
    struct rig rig;
    struct attempt attempt;
    (void)state;
    rig_begin(&rig);
    for (size_t i = 0; i < 40; i++) {
        char line[400];
        snprintf(line, sizeof line, "address=198.%zu.100.2" LENNON, 20 + i % 5);
        assert_true(attempt_parse(slice_text(line), &rig.arena, &attempt));
        attempt.unix_ms = times[i % COUNT(times)];
        watch_add(rig.watch, &attempt);
        rig_notes(&rig);
    }
    rig_end(&rig);
}

/* More campaigns than there is room for: the quietest make room, and memory stays what it was. */
static void room_is_bounded(void **state)
{
    struct rig rig;
    struct watch_counts counts;
    (void)state;
    rig_begin_with(&rig,
                   &(struct watch_settings){.hosts = 1024, .traces = 64, .campaigns = 4, .octets = 1u << 16});
    for (int i = 0; i < 20000; i++)
        rig_atf(&rig, i, "address=198.%d.%d.%d from=s%d@f%d.example to=u%d@house.example octets=%d", i % 200,
                i / 7 % 250, i % 250, i / 4, i / 4, i / 4, 5000 + i / 4 * 700);
    watch_counts(rig.watch, &counts);
    assert_true(counts.opened > 1000);
    assert_true(counts.open <= 4);
    assert_true(counts.hosts <= 1024);
    assert_true(counts.crowded > 1000);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_attempts_from_four_hosts_are_one),
        cmocka_unit_test(one_pool_is_no_campaign),
        cmocka_unit_test(access_lines_are_no_pool),
        cmocka_unit_test(neighbours_are_one),
        cmocka_unit_test(what_is_not_known_proves_nothing),
        cmocka_unit_test(what_changes_and_what_stays),
        cmocka_unit_test(one_body_to_many_is_a_botnet),
        cmocka_unit_test(next_recipients_are_the_same_campaign),
        cmocka_unit_test(monitoring_is_no_campaign),
        cmocka_unit_test(forwarders_are_no_campaign),
        cmocka_unit_test(hosts_in_good_standing_are_no_members),
        cmocka_unit_test(bounces_are_no_campaign),
        cmocka_unit_test(who_comes_back_is_a_repeat_host),
        cmocka_unit_test(a_queue_is_no_repeat_host),
        cmocka_unit_test(many_hosts_of_one_network_are_a_repeat_netblock),
        cmocka_unit_test(one_offs_are_no_netblock),
        cmocka_unit_test(one_host_guesses),
        cmocka_unit_test(many_hosts_share_the_guessing),
        cmocka_unit_test(stale_addresses_are_no_guessing),
        cmocka_unit_test(a_tunnel_is_an_open_proxy),
        cmocka_unit_test(trusted_networks_are_never_in_one),
        cmocka_unit_test(order_within_two_minutes_does_not_matter),
        cmocka_unit_test(what_is_quiet_closes),
        cmocka_unit_test(a_restart_forgets_no_campaign),
        cmocka_unit_test(impossible_times_do_no_harm),
        cmocka_unit_test(room_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
