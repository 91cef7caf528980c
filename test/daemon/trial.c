/* A trial is a whole session without a gate: replies come one by one, time that passes takes none, questions
 * that nobody answers fail, and what is recorded can be read back. */
#include "loaded.h"

#include "core/event.h"
#include "daemon/trial.h"

static const char conf[] = "host-name mx.example.net\n"
                           "banner.delay 30s\n"
                           "route example.net { lmtp 192.0.2.9\n mailboxes listed\n mailbox joe }\n"
                           "route relay.example { relay 192.0.2.1 }\n";

struct rig {
    struct loaded loaded;
    struct trial *trial;
    unsigned asked;
};

static bool count_asked(void *data, enum ask_kind kind, struct slice key, struct answer *ret_answer)
{
    struct rig *rig = data;
    rig->asked++;
    if (kind != ASK_TXT)
        return false;
    ret_answer->status = ANSWER_NONE;
    ret_answer->value = key.len ? SLICE("no such data") : SLICE_NONE;
    return true;
}

static void begin(struct rig *rig)
{
    *rig = (struct rig){.loaded = load(slice_text(conf), CONF_CARE_TEXT)};
    struct trial_settings settings = {
        .site = rig->loaded.site, .unix_us = INT64_C(1059024945000000), .answer = count_asked, .data = rig};
    assert_non_null(rig->loaded.site);
    assert_true(address_parse(SLICE("198.51.100.7"), &settings.peer));
    rig->trial = trial_new(&settings);
}

static void end(struct rig *rig)
{
    trial_free(rig->trial);
    drop(&rig->loaded);
}

static void assert_reply(struct rig *rig, const char *start)
{
    struct slice reply = trial_hear(rig->trial);
    if (!slice_starts(reply, slice_text(start)))
        fail_msg("%.*s is not %s", SLICE_ARGS(reply), start);
    assert_true(reply.at[reply.len - 1] == '\n');
}

static void dialogue(struct rig *rig, const char *line, const char *start)
{
    trial_say(rig->trial, slice_text(line));
    assert_reply(rig, start);
}

static void test_message(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig);
    assert_reply(&rig, "220 mx.example.net ");
    dialogue(&rig, "EHLO client.example\r\n", "250-mx.example.net");
    trial_say(rig.trial,
              SLICE("MAIL FROM:<a@b.example>\r\nRCPT TO:<joe@example.net>\r\nRCPT TO:<x@example.net>\r\n"));
    assert_reply(&rig, "250 2.1.0 ");
    assert_reply(&rig, "250 2.1.5 ");
    assert_reply(&rig, "550 5.1.1 ");
    dialogue(&rig, "DATA\r\n", "354 ");
    dialogue(&rig, "From: a@b.example\r\nMessage-ID: <x@b>\r\n\r\nx\r\n.\r\n", "250 2.0.0 ");
    dialogue(&rig, "MAIL FROM:<a@b.example>\r\n", "250 ");
    dialogue(&rig, "RCPT TO:<anybody@relay.example>\r\n", "250 ");
    dialogue(&rig, "DATA\r\n", "354 ");
    dialogue(&rig, "From: a@b.example\r\nMessage-ID: <y@b>\r\n\r\ny\r\n.\r\n", "250 2.0.0 ");
    assert_false(trial_is_over(rig.trial));
    dialogue(&rig, "QUIT\r\n", "221 ");
    assert_true(trial_is_over(rig.trial));
    assert_int_equal(trial_hear(rig.trial).len, 0);
    assert_true(rig.asked > 0);
    end(&rig);
}

static void test_time_passes(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig);
    assert_reply(&rig, "220 ");
    trial_wait(rig.trial, 3600000);
    assert_reply(&rig, "421 ");
    assert_true(trial_is_over(rig.trial));
    end(&rig);
}

static void test_records(void **state)
{
    (void)state;
    struct rig rig;
    struct event event;
    size_t size;
    unsigned count = 0;
    begin(&rig);
    trial_leave(rig.trial);
    assert_true(trial_is_over(rig.trial));
    struct slice records = trial_records(rig.trial);
    for (; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size), count++)
        assert_int_equal(event.stamp.unix_us, INT64_C(1059024945000000));
    assert_int_equal(records.len, 0);
    assert_true(count >= 2);
    assert_int_equal(event.kind, EVENT_KIND_state_changed);
    end(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_time_passes),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
