/* The journal's reader: all streams of a folder, forwards, as they grow. What it gives comes in order within
 * a stream; between streams there is no order but that none is kept waiting.
 *
 * The place behind each event can be stored, and reading taken up there again. Where octets are damaged the
 * reader goes on at the next milestone; a torn end counts as damage once its stream has gone on in another
 * file. Both are counted. */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "journal/history.h"

struct journal_reader;

enum journal_from { JOURNAL_FROM_START, JOURNAL_FROM_END };

struct journal_reader_settings {
    const char *folder;
    enum journal_from
        from;       /* for streams that are there when the reader opens; later ones: from their start */
    bool unwatched; /* only what is there now is of interest: journal_reader_fd gives -1 */
    /* Where a stream is to be taken up; false: nothing is known of it. May be NULL. A place in a file that is
     * gone means the next file. */
    bool (*place)(void *data, struct slice stream, struct journal_mark *ret_place);
    /* Whether a file is read at all; `next` is the one behind it in its stream, or NULL. May be NULL. */
    bool (*wanted)(void *data, const struct segment_name *name, const struct segment_name *next);
    void *data;
};

struct journal_item {
    struct slice stream; /* "gate-0", as long as the reader */
    struct event event;  /* its texts live until the next call */
    struct journal_mark at;
    struct journal_mark next; /* behind it: what to store */
};

/* Negative: the folder cannot be read or watched. */
int journal_reader_open(const struct journal_reader_settings *settings, struct journal_reader **ret_reader,
                        struct error *error);
/* False: there is nothing more for now. */
bool journal_reader_next(struct journal_reader *reader, struct journal_item *ret_item);
/* Gathers what came before the item in its session, as far as it is in the same file: for whoever takes up
 * reading in the middle. */
void journal_reader_before(const struct journal_reader *reader, const struct journal_item *item,
                           struct history *history);
/* Readable when something was written; -1: the system offers no watching, look every second. Behind a wake-up
 * call journal_reader_look. */
int journal_reader_fd(const struct journal_reader *reader);
/* Takes notice of new and vanished files. */
void journal_reader_look(struct journal_reader *reader);

struct journal_reader_counts {
    uint64_t events;
    uint64_t damaged;   /* octets that were passed over */
    uint64_t missing;   /* files that vanished before they were read */
    uint64_t behind;    /* octets that are not read yet, by the files' sizes now */
    struct error error; /* the newest refusal of the system; text[0] is 0 where there was none */
};

void journal_reader_counts(const struct journal_reader *reader, struct journal_reader_counts *ret_counts);

struct journal_stream_state {
    struct slice stream;
    struct journal_mark place; /* where the next event is read */
    uint64_t behind;           /* octets */
};

/* The streams by number from 0; false: there are no more. */
bool journal_reader_stream(const struct journal_reader *reader, size_t index,
                           struct journal_stream_state *ret_state);
/* The same without what has to be asked of the system. */
bool journal_reader_place(const struct journal_reader *reader, size_t index, struct slice *ret_stream,
                          struct journal_mark *ret_place);
void journal_reader_close(struct journal_reader *reader); /* NULL is taken */

#endif
