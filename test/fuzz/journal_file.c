/* Whatever octets a journal file holds behind a sound header, or in it, reading it forwards, from its end and
 * by id ends, stays inside the file, and gives records in the order of their places.
 *
 * The first octet says whether the header comes from the input, and where milestones are put between. */
#include "journal/reader.h"
#include "journal/search.h"
#include "journal/redact.h"
#include "journal/summary.h"
#include "journal/view.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len);

static char folder[64];
static char path[192];

static void folder_remove(void)
{
    unlink(path);
    rmdir(folder);
}

static void folder_make(void)
{
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/postern-fuzz-XXXXXX", memory);
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/gate-0.20261121T100711Z.00000001.journal", folder);
    atexit(folder_remove);
}

static void file_write(struct slice octets)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, octets.at, octets.len) != (ssize_t)octets.len)
        abort();
    close(fd);
}

static void file_make(struct slice input)
{
    struct segment_header header = {.name = {"gate", 0, 1795255631, 1}, .started_us = 1795255631000000};
    struct event_stamp stamp = {.unix_us = 1795255631000000};
    struct buf file;
    unsigned char how = input.len ? (unsigned char)input.at[0] : 0;
    input = slice_from(input, 1);
    memcpy(header.marker, "0123456789abcdef", SEGMENT_MARKER_SIZE);
    buf_init(&file, 1 << 20);
    if (how & 1)
        segment_header_add(&file, &header);
    if (how & 2)
        segment_milestone_add(&file, header.marker, &stamp);
    size_t part = how >> 2;
    for (struct slice rest = input; rest.len; rest = slice_from(rest, part ? part * 16 : rest.len)) {
        buf_add(&file, slice_head(rest, part ? part * 16 : rest.len));
        stamp.previous = how;
        if (part)
            segment_milestone_add(&file, header.marker, &stamp);
    }
    file_write(buf_slice(&file));
    buf_drop(&file);
}

static void read_forwards(size_t octets)
{
    struct journal_reader_settings settings = {.folder = folder, .unwatched = true};
    struct journal_reader *reader;
    struct journal_item item;
    uint32_t place = 0;
    if (journal_reader_open(&settings, &reader, NULL) < 0)
        abort();
    while (journal_reader_next(reader, &item)) {
        assert(item.at.offset >= place && item.next.offset > item.at.offset);
        place = item.next.offset;
        assert(place <= octets);
    }
    journal_reader_close(reader);
}

static void summarise(const struct history *history)
{
    struct arena arena;
    struct summary summary;
    struct buf out;
    arena_init(&arena, NULL, 0);
    buf_init(&out, 16u << 20);
    summary_make(history, &arena, &summary);
    summary_sentence(&summary, &out);
    for (size_t i = 0; i < out.len; i++)
        assert((unsigned char)out.at[i] >= 0x20 && out.at[i] != 0x7f);
    summary_json(&summary, SLICE_NONE, &out);
    arena_drop(&arena);
    buf_drop(&out);
}

/* In every view and format: on a terminal and in a page stands nothing that could steer them. */
static void show(struct history *history)
{
    struct redaction *redaction = redaction_new();
    struct buf out;
    buf_init(&out, 256u << 20);
    for (size_t v = 0; view_at(v); v++) {
        struct document document;
        if (v == 1)
            redaction_apply(redaction, history);
        view_make(view_at(v), history, &(struct view_settings){.level = 5}, &document);
        buf_clear(&out);
        document_text(&document, &(struct document_writing){.head = true}, &out);
        document_html(&document, &out);
        document_json(&document, &out);
        for (size_t i = 0; i < out.len; i++)
            assert(((unsigned char)out.at[i] >= 0x20 && out.at[i] != 0x7f) || out.at[i] == '\n');
        document_drop(&document);
    }
    buf_drop(&out);
    redaction_free(redaction);
}

static void read_backwards(void)
{
    struct search *search;
    struct event ended;
    if (search_open(folder, &search, NULL) < 0)
        abort();
    for (unsigned count = 0; count < 50 && search_next(search, &ended); count++) {
        struct history history;
        history_init(&history, ended.stamp.session);
        search_history(search, &history);
        summarise(&history);
        show(&history);
        history_drop(&history);
    }
    search_close(search);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
    struct segment_name name = {"gate", 0, 1795255631, 1};
    if (!folder[0])
        folder_make();
    file_make(slice_of((const char *)octets, len));
    read_forwards(1 << 20);
    read_backwards();
    segment_mend(folder, &name);
    read_forwards(1 << 20);
    return 0;
}
