/* Records out of a file of events, a JSON object a line, as `postern explain --json` prints them. */
#ifndef RECORDS_H
#define RECORDS_H

#include "core/event.h"

/* Adds them all; the test fails at a line that is none. */
void records_read(const char *path, struct buf *records);

#endif
