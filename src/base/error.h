/* What the system refuses: functions that can fail for such a reason return a negative number and fill this.
 * Results stay untouched then. The text is a sentence for a person, without a final dot. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

struct error {
    int number; /* errno, or 0 where there is none */
    char text[256];
};

/* Sets the text and returns -1, so that a caller can `return error_set(error, errno, "…")`. With a number its
 * meaning is added: "cannot open FILE: No such file or directory". error may be NULL. */
int error_set(struct error *error, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
