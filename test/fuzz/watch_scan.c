/* Whatever a log says: its lines are joined within the limits, every attempt has a client from outside, and
 * as many attempts are given as are counted. */
#include "property.h"
#include "watch/scan_join.h"
#include "wire/maillog_postfix.h"
#include "wire/maillog_postscreen.h"
#include "wire/maillog_sendmail.h"

#define OPEN_MAX 8

struct given {
    uint64_t attempts;
};

static void take(void *data, const struct attempt *attempt)
{
    struct given *given = data;
    struct buf line;

    assert(attempt->peer.family && !address_is_loopback(&attempt->peer));
    assert(attempt->recipient_count <= ATTEMPT_RECIPIENTS_MAX);
    assert(attempt->recipient_count <= attempt->recipients_tried);
    assert(attempt->recipients_unknown <= attempt->recipients_tried);
    assert(attempt->sender.len <= ATTEMPT_TEXT_MAX && attempt->helo.len <= ATTEMPT_TEXT_MAX);
    buf_init(&line, 4 * ATTEMPT_LINE_MAX);
    (void)attempt_print(attempt, &line); /* touches every text */
    buf_drop(&line);
    given->attempts++;
}

static void line_join(struct scan_join *join, struct slice line)
{
    struct maillog_head head;
    struct maillog_record record;

    if (!maillog_head_parse(line, 2003, &head) || head.program == MAILLOG_OTHER)
        return;
    if (head.program == MAILLOG_SENDMAIL)
        maillog_sendmail_parse(head.message, &record);
    else if (head.program == MAILLOG_POSTSCREEN)
        maillog_postscreen_parse(head.message, &record);
    else
        maillog_postfix_parse(head.program, head.message, &record);
    scan_join_line(join, &head, &record);
    assert(scan_join_open(join) <= OPEN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len), line;
    struct given given = {0};
    const struct scan_join_settings settings = {OPEN_MAX, take, &given};
    const size_t before = memory_in_use();
    struct scan_join *join = scan_join_new(&settings);

    while (slice_cut(&input, '\n', &line)) {
        /* In memory of its own, which is gone with the line. */
        struct slice own = own_copy(line);
        line_join(join, own);
        own_give(own);
    }
    scan_join_end(join);
    const struct scan_counts *counts = scan_join_counts(join);
    assert(scan_join_open(join) == 0);
    assert(given.attempts == counts->attempts);
    assert(counts->attempts == counts->accepted + counts->put_off + counts->refused + counts->left);
    scan_join_free(join);
    assert(memory_in_use() == before);
    return 0;
}
