/* Plays every script named on the command line; prints TAP. Proves that the session machine says, records and
 * keeps what the scripts say, in all six ways, and that together they reach every command in every state,
 * every reply and every event, and every finding off, observed and enforced. */
#include "replay.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    unsigned number = 0, failed = 0;
    bool whole = false, matrix = true;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--matrix")) {
            whole = true;
            continue;
        }
        if (!strcmp(argv[i], "--no-matrix")) {
            matrix = false;
            continue;
        }
        struct script script;
        bool fine = script_read(argv[i], &script) && run_script(&script);
        failed += !fine;
        const char *name = strrchr(argv[i], '/');
        printf("%s %u - %s: %.*s\n", fine ? "ok" : "not ok", ++number, name ? name + 1 : argv[i],
               SLICE_ARGS(script.title));
        script_drop(&script);
    }
    if (matrix) {
        unsigned holes = matrix_report(whole);
        failed += holes > 0;
        printf("%s %u - the scripts reach every command in every state, every reply and event, every finding "
               "in each mode\n",
               holes ? "not ok" : "ok", ++number);
    }
    printf("1..%u\n", number);
    return failed > 0;
}
