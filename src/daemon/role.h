/* What all workers do alike, whatever their role: a stream of their own in the journal, with the records of
 * their beginning, end and troubles, and a control socket under the role's name. */
#ifndef DAEMON_ROLE_H
#define DAEMON_ROLE_H

#include "core/event.h"
#include "daemon/control.h"
#include "daemon/worker.h"
#include "journal/writer.h"

#define ROLE_PATH_SIZE 300

/* state-directory/NAME, with its NUL: "journal", "store", "history", "spool". */
void role_folder(const struct worker *worker, const char *name, char ret_folder[ROLE_PATH_SIZE]);

/* The journal's stream of the worker's role and slot. Negative: as journal_writer_open. */
int role_journal_open(const struct worker *worker, struct journal_writer **ret_writer, struct error *error);

/* Records of the process itself, of no session; the time is microseconds since 1970. */
void role_record_start(const struct worker *worker, struct journal_writer *writer, int64_t unix_us);
void role_record_stop(const struct worker *worker, struct journal_writer *writer, int64_t unix_us);
void role_record_trouble(struct journal_writer *writer, const struct event_trouble *trouble, int64_t unix_us);

/* run-directory/ROLE.sock. NULL: as control_open. */
struct control *role_control_open(const struct worker *worker, struct loop *loop,
                                  const struct control_handler *handler, struct error *error);

#endif
