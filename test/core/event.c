/* Every event is read back as it was recorded, fills a buf to its last octet, and stays out of one that is
 * too small by an octet; one without a checksum is otherwise the same. */
#include "core/event.h"

#include "unit.h"

static const struct event_stamp stamp = {.session = UINT64_C(0x123456789abcdef0),
                                         .unix_us = 1763719631000000};

/* Small numbers and large ones, texts, addresses of both families and none. */
static void body_fill(const struct event_type_info *info, union event_body *body, unsigned round)
{
    static const struct address addresses[] = {
        {.family = ADDRESS_NONE},
        {.family = ADDRESS_IPV4, .octets = {192, 0, 2, 7}, .port = 25},
        {.family = ADDRESS_IPV6, .octets = {0x20, 1, 0xd, 0xb8, [15] = 9}, .port = 65535}};
    static const uint64_t numbers[] = {0, 127, UINT64_MAX};
    static const struct slice texts[] = {{NULL, 0}, {"x", 1}, {"MAIL FROM:<alice@example.org>", 29}};
    memset(body, 0, sizeof *body);
    for (size_t i = 0; i < info->field_count; i++) {
        void *value = (char *)body + info->fields[i].offset;
        size_t which = (i + round) % 3;
        switch (info->fields[i].type) {
        case EVENT_TYPE_NUMBER: memcpy(value, &numbers[which], sizeof numbers[which]); break;
        case EVENT_TYPE_TEXT: memcpy(value, &texts[which], sizeof texts[which]); break;
        case EVENT_TYPE_ADDRESS: memcpy(value, &addresses[which], sizeof addresses[which]); break;
        }
    }
}

static void assert_fields(const struct event *event, const union event_body *body)
{
    for (size_t i = 0; i < event->info->field_count; i++) {
        const struct event_field *field = &event->info->fields[i];
        const void *is = (const char *)&event->body + field->offset;
        const void *was = (const char *)body + field->offset;
        const struct address *address = was;
        switch (field->type) {
        case EVENT_TYPE_NUMBER: assert_memory_equal(is, was, sizeof(uint64_t)); break;
        case EVENT_TYPE_TEXT:
            assert_true(slice_equal(*(const struct slice *)is, *(const struct slice *)was));
            break;
        case EVENT_TYPE_ADDRESS:
            assert_memory_equal(((const struct address *)is)->octets, address->octets, 16);
            assert_int_equal(((const struct address *)is)->port, address->port);
            break;
        }
    }
}

static void assert_limits(struct slice record, enum event_kind kind, const union event_body *body)
{
    struct event_stamp unsealed = stamp;
    unsealed.unsealed = true;
    for (size_t less = 0; less < 2; less++) {
        struct buf buf;
        buf_init(&buf, record.len - less);
        assert_int_equal(event_add(&buf, &unsealed, kind, body), less == 0);
        assert_int_equal(buf.len, less ? 0 : record.len);
        if (!less) {
            size_t size;
            assert_int_equal(event_first(buf_slice(&buf), &size), kind);
            assert_int_equal(size, record.len);
            assert_memory_equal(buf.at, record.at, 4);
            assert_memory_equal(buf.at + 8, record.at + 8, record.len - 8);
        }
        buf_drop(&buf);
    }
}

static void test_all_come_back(void **state)
{
    unsigned kinds = 0;
    (void)state;
    for (unsigned kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
        const struct event_type_info *info = event_info(kind);
        union event_body body;
        kinds += info != NULL;
        for (unsigned round = 0; info && round < 3; round++) {
            struct buf buf;
            struct event event;
            size_t size;
            buf_init(&buf, EVENT_SIZE_MAX);
            body_fill(info, &body, round);
            assert_true(event_add(&buf, &stamp, kind, &body));
            assert_int_equal(event_read(buf_slice(&buf), &event, &size), EVENT_DONE);
            assert_int_equal(size, buf.len);
            assert_int_equal(event.kind, kind);
            assert_true(event.stamp.session == stamp.session && event.stamp.unix_us == stamp.unix_us);
            assert_fields(&event, &body);
            assert_limits(buf_slice(&buf), kind, &body);
            buf_drop(&buf);
        }
    }
    assert_true(kinds > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
