/* Whatever a line is: what is read of it lies within it, and no record has a client without an address. */
#include "property.h"
#include "wire/maillog_head.h"
#include "wire/maillog_postfix.h"
#include "wire/maillog_postscreen.h"
#include "wire/maillog_sendmail.h"

static void record_holds(const struct maillog_record *record, struct slice line)
{
    struct slice rest = record->recipients, recipient;

    assert(slice_is_within(record->id, line));
    assert(slice_is_within(record->name, line));
    assert(slice_is_within(record->sender, line));
    assert(slice_is_within(record->helo, line));
    assert(slice_is_within(record->message_id, line));
    assert(slice_is_within(record->reply, line));
    assert(slice_is_within(record->recipients, line));
    while (maillog_next_recipient(&rest, &recipient))
        assert(slice_is_within(recipient, line));
    assert(!(record->has & MAILLOG_HAS_CLIENT) || record->address.family);
    assert(!record->code || (record->code >= 400 && record->code <= 599));
}

/* Every grammar reads every message: what the head says about the program is a stranger's word, too. */
static void message_holds(struct slice message)
{
    struct maillog_record record;

    maillog_sendmail_parse(message, &record);
    record_holds(&record, message);
    maillog_postscreen_parse(message, &record);
    record_holds(&record, message);
    for (enum maillog_program program = MAILLOG_SMTPD; program <= MAILLOG_DELIVERY; program++) {
        maillog_postfix_parse(program, message, &record);
        record_holds(&record, message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len), line;
    struct maillog_head head;

    while (slice_cut(&input, '\n', &line)) {
        message_holds(line);
        if (!maillog_head_parse(line, 2003, &head))
            continue;
        assert(slice_is_within(head.host, line) && slice_is_within(head.name, line));
        assert(slice_is_within(head.message, line));
        assert(head.stamp.month >= 1 && head.stamp.month <= 12);
        message_holds(head.message);
    }
    return 0;
}
