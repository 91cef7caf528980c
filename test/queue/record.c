/* Records read back as they were written, whatever is torn or rotten is seen, and content cannot pass for a
 * record. */
#include "unit.h"

#include "queue/field.h"
#include "queue/message.h"
#include "queue/record.h"

#define MARK UINT64_C(0x1122334455667788)

static void record_comes_back(void **state)
{
    struct buf buf;
    struct record record;

    (void)state;
    buf_init(&buf, 1000);
    assert_true(record_add(&buf, MARK, RECORD_SYNCED, SLICE("payload")));
    assert_int_equal(buf.len, RECORD_HEAD + 7);
    assert_int_equal(record_read(buf_slice(&buf), MARK, &record), RECORD_OK);
    assert_int_equal(record.kind, RECORD_SYNCED);
    assert_slice_equal(record.payload, "payload");
    assert_int_equal(record_read(buf_slice(&buf), MARK + 1, &record), RECORD_BAD);
    record_remark(buf.at, buf.len, MARK + 1);
    assert_int_equal(record_read(buf_slice(&buf), MARK + 1, &record), RECORD_OK);
    buf_drop(&buf);
}

static void each_flipped_octet_is_seen(void **state)
{
    struct buf buf;
    struct record record;

    (void)state;
    buf_init(&buf, 1000);
    record_add(&buf, MARK, RECORD_RESULT, SLICE("what came of it"));
    for (uint32_t i = 0; i < buf.len; i++) {
        if (i >= 28 && i < RECORD_HEAD)
            continue; /* the zero */
        buf.at[i] ^= 0x10;
        assert_int_equal(record_read(buf_slice(&buf), MARK, &record), RECORD_BAD);
        buf.at[i] ^= 0x10;
    }
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(record_read(slice_head(buf_slice(&buf), len), MARK, &record), RECORD_PARTIAL);
    buf_drop(&buf);
}

static void full_buf_takes_nothing(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, RECORD_HEAD + 3);
    assert_false(record_add(&buf, MARK, RECORD_DONE, SLICE("four")));
    assert_int_equal(buf.len, 0);
    assert_true(record_add(&buf, MARK, RECORD_DONE, SLICE("thr")));
    buf_drop(&buf);
}

static void version_tells_form_and_mark(void **state)
{
    char head[RECORD_VERSION_SIZE];
    uint64_t mark;

    (void)state;
    record_put_version(head, MARK, RECORD_FORM_SEGMENT);
    const struct slice octets = slice_of(head, sizeof(head));
    assert_int_equal(record_read_version(octets, RECORD_FORM_SEGMENT, &mark), RECORD_OK);
    assert_true(mark == MARK);
    assert_int_equal(record_read_version(octets, RECORD_FORM_DONE, &mark), RECORD_BAD);
    assert_int_equal(record_read_version(slice_head(octets, 63), RECORD_FORM_SEGMENT, &mark), RECORD_PARTIAL);
    head[40] ^= 1;
    assert_int_equal(record_read_version(octets, RECORD_FORM_SEGMENT, &mark), RECORD_BAD);
}

static void fields_come_back_and_never_pass_the_end(void **state)
{
    const struct address addresses[] = {
        {.family = ADDRESS_NONE},
        {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 1}, .port = 2525},
        {.family = ADDRESS_IPV6, .octets = {0x20, 1, 0xd, 0xb8}, .port = 65535}};
    const uint64_t numbers[] = {0, 1, 127, 128, UINT32_MAX, UINT64_MAX};
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    for (size_t i = 0; i < COUNT(numbers); i++)
        field_add_number(&buf, numbers[i]);
    for (size_t i = 0; i < COUNT(addresses); i++)
        field_add_address(&buf, &addresses[i]);
    field_add_text(&buf, SLICE("text"));
    struct fields fields = {.rest = buf_slice(&buf)};
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_true(field_number(&fields) == numbers[i]);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        const struct address address = field_address(&fields);
        assert_true(address_equal(&address, &addresses[i]));
    }
    assert_slice_equal(field_text(&fields), "text");
    assert_false(fields.bad);
    /* What an older program did not write reads as nothing. */
    assert_true(field_number(&fields) == 0 && field_text(&fields).len == 0 && !fields.bad);

    fields = (struct fields){.rest = SLICE("\x05"
                                           "abc")};
    assert_int_equal(field_text(&fields).len, 0);
    assert_true(fields.bad);
    fields = (struct fields){.rest = SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")};
    field_number(&fields);
    assert_true(fields.bad);
    buf_drop(&buf);
}

/* --- messages ------------------------------------------------------------------------------------------ */

static struct recipient third = {.address = {"c@example.net", 13}, .notify = NOTIFY_NEVER};
static struct recipient second = {
    .next = &third, .address = {"b@example.net", 13}, .orcpt = {"rfc822;B@example.net", 20}, .notify = 6};
static struct recipient first = {.next = &second, .address = {"j\xc3\xb6rg@example.net", 17}};

static struct transaction transaction(void)
{
    return (struct transaction){.session = 77777777777,
                                .number = 3,
                                .sender = SLICE("a@example.org"),
                                .recipients = &first,
                                .recipient_count = 3,
                                .body = BODY_8BITMIME,
                                .smtputf8 = true,
                                .ret = RET_HDRS,
                                .envid = SLICE("QQ314159"),
                                .octets = 9,
                                .received_unix_ms = 1700000000123,
                                .peer = {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 40000},
                                .helo = SLICE("client.example"),
                                .esmtp = true};
}

static void add_message(struct buf *buf, struct slice content)
{
    const struct transaction t = transaction();

    assert_true(record_add(buf, MARK, RECORD_CONTENT, content));
    assert_true(message_add_envelope(buf, MARK, &t, SLICE("example.net"), content.len));
}

static void message_comes_back(void **state)
{
    struct message *message = message_new();
    struct slice content;
    struct buf buf;
    size_t size;

    (void)state;
    buf_init(&buf, 10000);
    add_message(&buf, SLICE("Subject: x\r\n\r\nbody\r\n"));
    assert_int_equal(message_read(buf_slice(&buf), MARK, message, &content, &size), RECORD_OK);
    assert_int_equal(size, buf.len);
    assert_slice_equal(content, "Subject: x\r\n\r\nbody\r\n");
    const struct transaction *t = &message->transaction;
    assert_true(t->session == 77777777777 && t->number == 3 && t->recipient_count == 3);
    assert_slice_equal(t->sender, "a@example.org");
    assert_true(t->body == BODY_8BITMIME && t->smtputf8 && t->ret == RET_HDRS && t->esmtp && !t->tls);
    assert_slice_equal(t->envid, "QQ314159");
    assert_slice_equal(t->helo, "client.example");
    assert_slice_equal(message->route, "example.net");
    assert_true(t->received_unix_ms == 1700000000123);
    assert_int_equal(t->peer.port, 40000);
    assert_slice_equal(message->recipients[0]->address, "j\xc3\xb6rg@example.net");
    assert_slice_equal(message->recipients[1]->orcpt, "rfc822;B@example.net");
    assert_int_equal(message->recipients[1]->notify, NOTIFY_SUCCESS | NOTIFY_FAILURE);
    assert_int_equal(message->recipients[2]->notify, NOTIFY_NEVER);
    message_free(message);
    buf_drop(&buf);
}

static void no_part_of_a_message_is_one(void **state)
{
    struct slice content;
    struct buf buf;
    size_t size;

    (void)state;
    buf_init(&buf, 10000);
    add_message(&buf, SLICE("x\r\n"));
    for (size_t len = 0; len < buf.len; len++) {
        struct message *message = message_new();
        assert_int_equal(message_read(slice_head(buf_slice(&buf), len), MARK, message, &content, &size),
                         RECORD_PARTIAL);
        message_free(message);
    }
    buf_drop(&buf);
}

/* A recipient's record that is missing is not passed over. */
static void end_counts_what_came_before(void **state)
{
    struct message *message = message_new();
    struct record record;
    struct slice content;
    struct buf buf;
    size_t size;

    (void)state;
    buf_init(&buf, 10000);
    add_message(&buf, SLICE("x\r\n"));
    const size_t gone = record_find(buf_slice(&buf), MARK, RECORD_RECIPIENT);
    assert_true(gone != SLICE_NOT_FOUND);
    record_read(slice_from(buf_slice(&buf), gone), MARK, &record);
    const size_t len = RECORD_HEAD + (size_t)record.length;
    memmove(buf.at + gone, buf.at + gone + len, buf.len - gone - len);
    assert_int_equal(message_read(slice_head(buf_slice(&buf), buf.len - len), MARK, message, &content, &size),
                     RECORD_BAD);
    message_free(message);
    buf_drop(&buf);
}

static void forged_records_are_not_found(void **state)
{
    struct buf inner;
    struct buf buf;

    (void)state;
    buf_init(&inner, 10000);
    buf_init(&buf, 10000);
    assert_true(record_add(&inner, MARK + 1, RECORD_CONTENT, SLICE("forged")));
    buf_add(&buf, SLICE("some octets that are none"));
    buf_add(&buf, buf_slice(&inner));
    const size_t real = buf.len;
    add_message(&buf, SLICE("x\r\n"));
    assert_int_equal(record_find(buf_slice(&buf), MARK, RECORD_CONTENT), real);
    buf_drop(&inner);
    buf_drop(&buf);
}

/* So many that looking through all of them for each would outlast the test's time. */
static void each_recipient_has_his_results(void **state)
{
    struct message *message = message_new();
    struct result result = {.outcome = OUTCOME_DEFERRED, .address = SLICE("a@b.example")};
    const uint32_t count = 100000;

    (void)state;
    message->transaction.recipient_count = count;
    assert_null(message_find_result(message, 0, result.address));
    for (; result.outcome <= OUTCOME_DELIVERED; result.outcome++)
        for (result.recipient = 0; result.recipient < count; result.recipient += 2)
            message_add_result(message, &result);
    for (uint32_t i = 0; i < count; i += 2) {
        const struct result *found = message_find_result(message, i, SLICE("a@b.example"));
        assert_true(found && found->recipient == i && found->outcome == OUTCOME_DELIVERED);
        assert_int_equal(message_first_result(message, i)->outcome, OUTCOME_DEFERRED);
        assert_null(message_find_result(message, i, SLICE("other@b.example")));
        assert_null(message_first_result(message, i + 1));
    }
    message_free(message);
}

static void results_are_read_as_far_as_they_are_whole(void **state)
{
    const struct result result = {.recipient = 1,
                                  .outcome = OUTCOME_DEFERRED,
                                  .code = 451,
                                  .unix_ms = 1700000001000,
                                  .address = SLICE("b@example.net"),
                                  .target = SLICE("inner.example"),
                                  .enhanced = SLICE("4.3.0"),
                                  .text = SLICE("later")};
    const struct schedule schedule = {.attempts = 4, .held = true, .next_unix_ms = 1700000009000};
    struct message *message = message_new();
    struct slice content;
    struct buf buf;
    size_t size;

    (void)state;
    buf_init(&buf, 10000);
    add_message(&buf, SLICE("x\r\n"));
    const size_t whole = buf.len;
    assert_true(message_add_result_record(&buf, MARK, &result));
    assert_true(message_add_schedule_record(&buf, MARK, &schedule));
    const size_t good = buf.len - whole;
    assert_true(message_add_result_record(&buf, MARK, &result));
    assert_int_equal(message_read(buf_slice(&buf), MARK, message, &content, &size), RECORD_OK);
    const struct slice torn = slice_from(slice_head(buf_slice(&buf), buf.len - 1), whole);
    assert_int_equal(message_read_results(torn, MARK, message), good);
    const struct result *found = message_find_result(message, 1, SLICE("b@example.net"));
    assert_non_null(found);
    assert_int_equal(found->outcome, OUTCOME_DEFERRED);
    assert_int_equal(found->code, 451);
    assert_slice_equal(found->text, "later");
    assert_null(message_find_result(message, 0, SLICE("b@example.net")));
    assert_true(message->schedule.held && message->schedule.attempts == 4);
    message_free(message);
    buf_drop(&buf);
}

static void queue_ids_come_back(void **state)
{
    char text[QUEUE_ID_SIZE];
    uint64_t session;
    uint32_t number;

    (void)state;
    assert_true(queue_id_print(UINT64_MAX, UINT32_MAX, text) < QUEUE_ID_SIZE);
    assert_true(queue_id_parse(slice_text(text), &session, &number));
    assert_true(session == UINT64_MAX && number == UINT32_MAX);
    assert_false(queue_id_parse(SLICE("06p3qj7x4r0a1"), &session, &number));
    assert_false(queue_id_parse(SLICE("06p3qj7x4r0a1.x"), &session, &number));
    assert_false(queue_id_parse(SLICE("../etc.1"), &session, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_comes_back),
        cmocka_unit_test(each_flipped_octet_is_seen),
        cmocka_unit_test(full_buf_takes_nothing),
        cmocka_unit_test(version_tells_form_and_mark),
        cmocka_unit_test(fields_come_back_and_never_pass_the_end),
        cmocka_unit_test(message_comes_back),
        cmocka_unit_test(no_part_of_a_message_is_one),
        cmocka_unit_test(end_counts_what_came_before),
        cmocka_unit_test(forged_records_are_not_found),
        cmocka_unit_test(each_recipient_has_his_results),
        cmocka_unit_test(results_are_read_as_far_as_they_are_whole),
        cmocka_unit_test(queue_ids_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
