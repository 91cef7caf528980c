/* Whatever octets stand in a record, reading it stays inside it; and whatever an event holds, the log, the
 * mail log and JSON make whole lines of it that steer no terminal.
 *
 * The input is taken as it is, and as the bodies of records with sound heads: a kind, a length, the body. */
#include "base/checksum.h"
#include "journal/maillog.h"
#include "journal/render_json.h"
#include "journal/render_log.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

struct views {
    struct render_log log;
    struct maillog *maillog;
    struct buf out;
};

/* Lines of their own, none with a control octet; UTF-8 may be in them. */
static void look_at_lines(struct buf *out)
{
    struct slice rest = buf_slice(out), line;
    assert(rest.len == 0 || rest.at[rest.len - 1] == '\n');
    while (slice_cut(&rest, '\n', &line))
        for (size_t i = 0; i < line.len; i++)
            assert((unsigned char)line.at[i] >= 0x20 && line.at[i] != 0x7f);
    buf_clear(out);
}

static void show(struct views *views, const struct event *event)
{
    render_log_event(&views->log, event, &views->out);
    look_at_lines(&views->out);
    maillog_add(views->maillog, event, &views->out);
    look_at_lines(&views->out);
    render_json(event, &views->out);
    look_at_lines(&views->out);
}

static void read_all(struct views *views, struct slice records)
{
    struct event event;
    for (size_t size; event_read(records, &event, &size) == EVENT_DONE; records = slice_from(records, size)) {
        assert(size >= EVENT_HEAD_SIZE && size <= records.len);
        show(views, &event);
    }
}

static struct slice record_make(struct buf *record, unsigned kind, struct slice body)
{
    char head[EVENT_HEAD_SIZE] = {0};
    uint32_t size = (uint32_t)(EVENT_HEAD_SIZE + body.len), checksum;
    buf_clear(record);
    memcpy(head, &size, 4);
    head[8] = (char)kind;
    head[12] = 1;
    buf_add(record, slice_of(head, sizeof head));
    buf_add(record, body);
    checksum = checksum_add(0, slice_from(buf_slice(record), 8));
    memcpy(record->at + 4, &checksum, 4);
    return buf_slice(record);
}

/* As records of one session. */
static void shape_all(struct views *views, struct slice rest)
{
    struct buf record;
    buf_init(&record, EVENT_SIZE_MAX);
    while (rest.len >= 2) {
        struct slice body = slice_head(slice_from(rest, 2), (unsigned char)rest.at[1]);
        read_all(views, record_make(&record, (unsigned char)rest.at[0], body));
        rest = slice_from(rest, 2 + body.len);
    }
    buf_drop(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct slice input = slice_of((const char *)octets, len);
    struct views views = {.maillog = maillog_new(4)};
    render_log_init(&views.log, &(struct render_log_settings){.level = 5});
    buf_init(&views.out, 64u << 20);
    read_all(&views, input);
    shape_all(&views, input);
    render_log_end(&views.log, &views.out);
    look_at_lines(&views.out);
    render_log_done(&views.log);
    maillog_free(views.maillog);
    buf_drop(&views.out);
    return 0;
}
