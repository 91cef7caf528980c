/* Proves that the seeds' sessions make reports as their golden files have them, one for each owner; that
 * nothing which a client or a zone chose can end a line, make a field or a part, or grow beyond its bounds;
 * and that redaction hides our recipients everywhere and leaves the hosts that a report is about.
 *
 * With GOLDEN_WRITE set in the environment the golden files are written instead. */
#include "unit.h"

#include "report_world.h"

#include "core/event.h"

#define OUT_MAX (1u << 20)

static const char *folder;

/* --- golden files -------------------------------------------------------------------------------------- */

static void assert_golden(struct slice text, const char *name)
{
    char path[1024];
    static char wanted[OUT_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (getenv("GOLDEN_WRITE")) {
        FILE *file = fopen(path, "wbe");
        assert_non_null(file);
        assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
        assert_int_equal(fclose(file), 0);
        return;
    }
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    const size_t len = fread(wanted, 1, sizeof wanted, file);
    (void)fclose(file);
    if (!slice_equal(text, slice_of(wanted, len)))
        fail_msg("not as in %s; GOLDEN_WRITE=1 writes it anew:\n%.*s", path, SLICE_ARGS(text));
}

static void assert_writes(const struct report *report, bool (*write)(const struct report *, struct buf *),
                          const char *name)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    assert_true(write(report, &out));
    assert_golden(buf_slice(&out), name);
    buf_drop(&out);
}

static void assert_report(struct world *world, const struct report *report, struct redaction *redaction,
                          const char *name)
{
    struct report with = *report;
    char file[64];
    struct arena arena;

    arena_init(&arena, NULL, 0);
    world_transcripts(world, &with, redaction, &arena);
    (void)snprintf(file, sizeof file, "%s.eml", name);
    assert_writes(&with, report_arf, file);
    (void)snprintf(file, sizeof file, "%s.txt", name);
    assert_writes(&with, report_text, file);
    (void)snprintf(file, sizeof file, "%s.json", name);
    assert_writes(&with, report_json, file);
    arena_drop(&arena);
}

static void contact(struct world *world, const char *host, const char *to)
{
    for (size_t i = 0; i < report_case_host_count(world->of); i++) {
        struct report_case_host *found = report_case_host(world->of, i);
        struct address address;
        assert_true(address_parse(slice_text(host), &address));
        if (!address_equal_host(&found->host.address, &address))
            continue;
        found->to = (struct contacts){{slice_text(to)}, 1};
        found->to_source = SLICE("contacts.example");
        return;
    }
    fail();
}

static void the_open_proxy_of_seed_000(void **state)
{
    const struct report *reports;
    struct report form = world_form();
    struct world world;

    (void)state;
    form.host = SLICE("mx.yang.id.au");
    form.from = SLICE("postmaster@yang.id.au");
    world_begin(&world);
    world_seed_000(&world);
    contact(&world, "198.51.100.66", "abuse@telecom.example");
    assert_int_equal(report_case_make(world.of, &form, &reports), 1);
    assert_int_equal(reports[0].listed[0].peer.port, 3128);
    assert_report(&world, &reports[0], NULL, "seed-000");
    world_end(&world);
}

static struct report campaign_form(void)
{
    struct report form = world_form();

    form.campaign = SLICE("00000yt8xt3ag");
    form.kind = SLICE("relay-rotation");
    form.sentence = SLICE(
        "5 attempts in 42 s from 4 unrelated networks to deliver the same 1,762-octet message from "
        "5140ghxc@aci.net to LENNON@ONLINEROCK.COM");
    form.reason = SLICE("Apparent open relay");
    return form;
}

static void four_owners_of_seed_003_get_four_reports(void **state)
{
    static const char *const names[] = {"seed-003-kornet", "seed-003-att", "seed-003-inha",
                                        "seed-003-hananet"};
    const struct report *reports;
    const struct report form = campaign_form();
    struct world world;

    (void)state;
    world_begin(&world);
    world_seed_003(&world);
    assert_int_equal(report_case_make(world.of, &form, &reports), COUNT(names));
    assert_int_equal(reports[0].attempts, 2);
    assert_slice_equal(reports[0].owner.name, "KORNET-XDSL-SEONGNAM (KOREA TELECOM, Korea)");
    for (size_t i = 0; i < COUNT(names); i++)
        assert_report(&world, &reports[i], NULL, names[i]);
    world_end(&world);
}

static void one_address_for_complaints_and_one_as_is_one_report(void **state)
{
    const struct report *reports;
    const struct report form = world_form();
    struct world world;

    (void)state;
    world_begin(&world);
    world_seed_003(&world);
    for (size_t i = 0; i < report_case_host_count(world.of); i++)
        report_case_own(world.of, i,
                        &(struct report_owner){.as = i < 2 ? 64500 : 64501, .name = SLICE("Example")});
    assert_int_equal(report_case_make(world.of, &form, &reports), 2);
    assert_int_equal(reports[0].host_total, 2);
    report_case_host(world.of, 0)->to = (struct contacts){{SLICE("abuse@example.net")}, 1};
    assert_int_equal(report_case_make(world.of, &form, &reports), 3);
    world_end(&world);
}

/* --- redaction ----------------------------------------------------------------------------------------- */

static bool holds(struct slice text, const char *part)
{
    return slice_find_slice(text, slice_text(part)) != SLICE_NOT_FOUND;
}

static void redaction_hides_recipients_and_leaves_the_hosts(void **state)
{
    struct redaction *redaction = redaction_new();
    const struct report *reports;
    struct report form = campaign_form();
    struct world world;
    struct buf out;

    (void)state;
    world_begin(&world);
    world_seed_003(&world);
    form.redacted = true;
    report_case_redact(world.of, redaction);
    struct arena arena;
    arena_init(&arena, NULL, 0);
    form.sentence = redaction_text(redaction, form.sentence, &arena);
    assert_int_equal(report_case_make(world.of, &form, &reports), 4);
    assert_report(&world, &reports[0], redaction, "seed-003-redacted");
    buf_init(&out, OUT_MAX);
    assert_true(report_arf(&reports[0], &out));
    assert_false(holds(buf_slice(&out), "LENNON") || holds(buf_slice(&out), "just for you"));
    assert_true(holds(buf_slice(&out), "Original-Rcpt-To: <person-1@ONLINEROCK.COM>"));
    assert_true(holds(buf_slice(&out), "Source-IP: 61.77.232.38") &&
                holds(buf_slice(&out), "<5140ghxc@aci.net>"));
    buf_drop(&out);
    arena_drop(&arena);
    world_end(&world);
    redaction_free(redaction);
}

/* --- bounds -------------------------------------------------------------------------------------------- */

static void crowd_add(struct report_case *of, unsigned number)
{
    const int64_t unix_ms = INT64_C(1059000000000) + number;
    const struct event_stamp stamp = {.session = event_id_make(unix_ms, 0, number),
                                      .unix_us = unix_ms * 1000};
    struct event_session_ended ended = {.why = 3};
    struct history history;
    struct buf records;

    ended.peer = address_from_octets(
        ADDRESS_IPV4, (const uint8_t[]){10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
        1);
    buf_init(&records, 1u << 16);
    assert_true(
        event_add_session_opened(&records, &stamp, &(struct event_session_opened){.peer = ended.peer}));
    assert_true(event_add_reply_sent(&records, &stamp,
                                     &(struct event_reply_sent){.code = 554, .text = SLICE("554 no")}));
    assert_true(event_add_session_ended(&records, &stamp, &ended));
    history_init(&history, stamp.session);
    history_add(&history, buf_slice(&records));
    assert_int_equal(report_case_add(of, &history, false), 1);
    history_drop(&history);
    buf_drop(&records);
}

static void more_hosts_and_attempts_than_are_kept_do_no_harm(void **state)
{
    struct report_case *of = report_case_new(1);
    const struct report form = world_form();
    const struct report *reports;
    uint64_t attempts = 0;

    (void)state;
    for (unsigned i = 0; i < REPORT_CASE_HOSTS + 100; i++)
        crowd_add(of, i);
    for (unsigned i = 0; i < REPORT_CASE_ATTEMPTS; i++)
        crowd_add(of, i % 7);
    const size_t count = report_case_make(of, &form, &reports);
    assert_int_equal(count, (REPORT_CASE_HOSTS + 255) / 256); /* a /24 each: nobody knows whose they are */
    for (size_t i = 0; i < count; i++) {
        attempts += reports[i].attempts;
        assert_in_range(reports[i].listed_count, 1, REPORT_ATTEMPTS);
        assert_in_range(reports[i].host_count, 1, REPORT_HOSTS);
        assert_int_equal(reports[i].host_total, 256);
    }
    assert_int_equal(attempts, REPORT_CASE_HOSTS + REPORT_CASE_ATTEMPTS);
    report_case_free(of);
}

/* --- hostile evidence ---------------------------------------------------------------------------------- */

#define EVIL                                                                                                 \
    "a@b.example>\r\nBcc: all@example.org\r\n\r\n--=_0000000000001234_0000000000abcdef\r\nFeedback-Type: "   \
    "not-spam\r\n\xff\x1b[31m\xe2\x80\xae\x00z"

static void assert_is_mail(struct slice text)
{
    struct slice line;
    size_t boundaries = 0, types = 0;

    assert_true(text.len < REPORT_MAX);
    while (slice_cut(&text, '\n', &line)) {
        assert_true(line.len && line.at[line.len - 1] == '\r');
        line.len--;
        if (slice_starts(line, SLICE("\t")))
            line = slice_from(line, 1);
        assert_true(slice_is_printable(line) && line.len <= 998);
        boundaries += slice_starts(line, SLICE("--=_"));
        types += slice_starts(line, SLICE("Feedback-Type:"));
        assert_false(slice_starts_fold(line, SLICE("Bcc:")));
    }
    assert_int_equal(boundaries, 4);
    assert_int_equal(types, 1);
}

static struct report hostile(struct report_host *hosts, struct report_attempt *attempts, size_t count,
                             const struct slice *recipients, struct report_transcript *transcripts)
{
    const struct slice evil = SLICE(EVIL);
    struct report report = world_form();

    for (size_t i = 0; i < count; i++) {
        assert_true(address_parse(SLICE("2001:db8::7"), &hosts[i].address));
        hosts[i].ptr = evil;
        hosts[i].ptr_confirmed = true;
        hosts[i].attempts = 3;
        attempts[i] = (struct report_attempt){.session = UINT64_MAX,
                                              .peer = hosts[i].address,
                                              .has_helo = true,
                                              .has_sender = true,
                                              .helo = evil,
                                              .sender = evil,
                                              .recipients = recipients,
                                              .recipient_count = 16,
                                              .recipients_tried = UINT32_MAX,
                                              .reply = evil,
                                              .said = evil,
                                              .spf = "fail",
                                              .spf_domain = evil,
                                              .message = true,
                                              .message_id = evil,
                                              .date = evil,
                                              .subject = evil,
                                              .queue_id = evil,
                                              .unix_ms = INT64_MIN};
        transcripts[i] = (struct report_transcript){1, evil};
    }
    report.owner = (struct report_owner){.as = 1, .name = SLICE("=?utf-8?Q?=0D=0A?= T\xc3\xbcrk " EVIL)};
    report.sentence = report.reason = report.campaign = report.kind = evil;
    report.attempts = UINT64_MAX;
    report.hosts = hosts;
    report.host_count = report.host_total = count < REPORT_HOSTS ? count : REPORT_HOSTS;
    report.listed = attempts;
    report.listed_count = count < REPORT_ATTEMPTS ? count : REPORT_ATTEMPTS;
    report.transcripts = transcripts;
    report.transcript_count = count < REPORT_TRANSCRIPTS ? count : REPORT_TRANSCRIPTS;
    return report;
}

static void hostile_evidence_does_no_harm(void **state)
{
    enum { COUNT_MOST = 100 };
    static struct report_host hosts[COUNT_MOST];
    static struct report_attempt attempts[COUNT_MOST];
    static struct report_transcript transcripts[COUNT_MOST];
    struct slice recipients[16];
    struct buf out;

    (void)state;
    for (size_t i = 0; i < 16; i++)
        recipients[i] = SLICE(EVIL EVIL EVIL EVIL EVIL EVIL);
    buf_init(&out, OUT_MAX);
    for (size_t count = 1; count <= COUNT_MOST; count += 33) {
        const struct report report = hostile(hosts, attempts, count, recipients, transcripts);
        buf_clear(&out);
        assert_true(report_arf(&report, &out));
        assert_is_mail(buf_slice(&out));
        if (count == 1)
            assert_golden(buf_slice(&out), "hostile.eml");
        buf_clear(&out);
        assert_true(report_text(&report, &out) && report_json(&report, &out) &&
                    report_text_mail(&report, &out));
        assert_false(holds(buf_slice(&out), "\x1b"));
    }
    buf_drop(&out);
}

static void what_does_not_fit_is_refused_whole(void **state)
{
    const struct report *reports;
    const struct report form = world_form();
    struct world world;
    struct buf out;

    (void)state;
    world_begin(&world);
    world_seed_000(&world);
    assert_int_equal(report_case_make(world.of, &form, &reports), 1);
    buf_init(&out, 100);
    assert_false(report_arf(&reports[0], &out) || report_text(&reports[0], &out) ||
                 report_text_mail(&reports[0], &out) || report_json(&reports[0], &out));
    assert_int_equal(out.len, 0);
    buf_drop(&out);
    world_end(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_open_proxy_of_seed_000),
        cmocka_unit_test(four_owners_of_seed_003_get_four_reports),
        cmocka_unit_test(one_address_for_complaints_and_one_as_is_one_report),
        cmocka_unit_test(redaction_hides_recipients_and_leaves_the_hosts),
        cmocka_unit_test(more_hosts_and_attempts_than_are_kept_do_no_harm),
        cmocka_unit_test(hostile_evidence_does_no_harm),
        cmocka_unit_test(what_does_not_fit_is_refused_whole),
    };

    folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
