/* What every unit test includes: cmocka with the headers that it wants before it, and assertions for slices.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define assert_slice_equal(actual, literal)                                                                  \
    do {                                                                                                     \
        const struct slice unit_slice = (actual);                                                            \
        const struct slice unit_wanted = SLICE(literal);                                                     \
        if (!slice_equal(unit_slice, unit_wanted))                                                           \
            fail_msg("\"%.*s\" is not \"%.*s\"", SLICE_ARGS(unit_slice), SLICE_ARGS(unit_wanted));           \
    } while (0)

/* What a printing function of base returned and wrote. */
static inline void assert_printed(size_t len, const char *text, const char *wanted)
{
    assert_string_equal(text, wanted);
    assert_int_equal(len, strlen(text));
}

#define FOLDER_SIZE 64

/* Makes a folder of the test's own, below $TMPDIR or /tmp. The test removes it; what a failed one leaves goes
 * with the folder that test/run gives as $TMPDIR. -1: it cannot be made. */
static inline int folder_new(char folder[FOLDER_SIZE], const char *name)
{
    const char *below = getenv("TMPDIR");
    const int len = snprintf(folder, FOLDER_SIZE, "%s/postern-%s-XXXXXX", below ? below : "/tmp", name);
    return len < FOLDER_SIZE && mkdtemp(folder) ? 0 : -1;
}

#endif
