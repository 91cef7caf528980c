/* Whatever stands in a file of the spool, reading it ends, stays within the octets, and what is taken for an
 * envelope reads the same when it is written again. */
#include "../crash/sim.h"
#include "queue/message.h"
#include "queue/segment.h"
#include "queue/tail.h"
#include "queue/waiting.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

#define MARK    UINT64_C(0x5eed5eed5eed)
#define SEGMENT "0000000000001.segment"
#define READS   1000 /* far more than any input needs */

static bool same(struct slice a, struct slice b)
{
    return slice_equal(a, b);
}

static void envelope_there_and_back(const struct message *message)
{
    struct message *again = message_new();
    struct buf records;
    size_t size;

    buf_init(&records, 1 << 20);
    assert(
        message_add_envelope(&records, MARK, &message->transaction, message->route, message->content_octets));
    assert(message_read_envelope(buf_slice(&records), MARK, again, &size) == RECORD_OK &&
           size == records.len);
    assert(same(again->transaction.sender, message->transaction.sender));
    assert(same(again->transaction.envid, message->transaction.envid));
    assert(again->transaction.recipient_count == message->transaction.recipient_count);
    for (uint32_t i = 0; i < again->transaction.recipient_count; i++)
        assert(same(again->recipients[i]->address, message->recipients[i]->address));
    buf_drop(&records);
    message_free(again);
}

static void read_all(struct slice octets)
{
    struct message *message = message_new();
    struct slice content;
    size_t size;

    if (message_read(octets, MARK, message, &content, &size) == RECORD_OK) {
        assert(size <= octets.len && content.len <= size);
        envelope_there_and_back(message);
        assert(message_read_results(slice_from(octets, size), MARK, message) <= octets.len - size);
    }
    message_free(message);
    for (enum record_kind kind = RECORD_VERSION; kind <= RECORD_DONE; kind++) {
        const size_t at = record_find(octets, MARK, kind);
        assert(at == SLICE_NOT_FOUND || at + RECORD_HEAD <= octets.len);
    }
}

static void read_as_segment(struct sim *sim)
{
    struct tail *tail;
    struct tail_message *first;
    unsigned reads = 0;

    if (tail_open(sim_files(sim), "/in", "/done", SEGMENT, &tail, NULL) < 0)
        return;
    while (!tail->ended && ++reads < READS) {
        assert(tail_read(tail, 4096, &first, NULL) == 0);
        for (const struct tail_message *at = first; at; at = at->next)
            envelope_there_and_back(at->message);
        tail_messages_free(first);
    }
    assert(tail->ended);
    tail_close(tail);
}

static void read_as_message(struct sim *sim)
{
    struct message *message;
    struct waiting_file file;

    if (waiting_load(sim_files(sim), "/in/message", WAITING_CHECK, &message, &file, NULL) != WAITING_OK)
        return;
    envelope_there_and_back(message);
    assert(file.end <= sim_content(sim, "/in/message").len);
    sim_files(sim)->close(sim_files(sim), file.descriptor);
    message_free(message);
}

/* The input is a row of kind, length and payload, each made a record with the right checksums; a kind beyond
 * the known puts octets that are no record. */
static void make_records(struct buf *buf, struct slice input)
{
    while (input.len >= 2) {
        const uint8_t kind = (uint8_t)input.at[0];
        const size_t size = (uint8_t)input.at[1];
        const struct slice payload = slice_head(slice_from(input, 2), size);
        if (kind >= RECORD_VERSION && kind <= RECORD_DONE)
            record_add(buf, MARK, (enum record_kind)kind, payload);
        else
            buf_add(buf, payload);
        input = slice_from(slice_from(input, 2), size);
    }
}

static void read_in_files(struct slice records)
{
    struct sim *sim = sim_new();
    struct buf file;
    char head[RECORD_VERSION_SIZE];

    buf_init(&file, 1 << 22);
    record_put_version(head, MARK, RECORD_FORM_SEGMENT);
    buf_add(&file, slice_of(head, sizeof(head)));
    buf_add(&file, records);
    sim_put(sim, "/in/" SEGMENT, buf_slice(&file));
    sim_put(sim, "/done/x", SLICE_NONE);
    record_put_version(file.at, MARK, RECORD_FORM_MESSAGE);
    sim_put(sim, "/in/message", buf_slice(&file));
    read_as_segment(sim);
    read_as_message(sim);
    buf_drop(&file);
    sim_free(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    const struct slice input = slice_of((const char *)octets, len);
    struct buf records;

    read_all(input);
    read_in_files(input);
    buf_init(&records, 1 << 22);
    make_records(&records, input);
    read_all(buf_slice(&records));
    read_in_files(buf_slice(&records));
    buf_drop(&records);
    return 0;
}
