#include "base/list.h"

#define RUNS 64 /* run i has 2^i items, or none */

/* Two runs in order, chained by `next` and ended by NULL, made one. Of equals those of `early` stand first.
 */
static struct link *merge(struct link *early, struct link *late, list_order *before)
{
    struct link *first = NULL, **end = &first;
    while (early && late) {
        struct link **from = before(late, early) ? &late : &early;
        *end = *from;
        end = &(*from)->next;
        *from = (*from)->next;
    }
    *end = early ? early : late;
    return first;
}

void list_sort(struct link *head, list_order *before)
{
    struct link *runs[RUNS] = {NULL}, *all = NULL;
    while (!list_is_empty(head)) {
        struct link *run = head->next;
        size_t i = 0;
        list_remove(run);
        run->next = NULL;
        for (; runs[i]; i++) {
            run = merge(runs[i], run, before);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    for (size_t i = 0; i < RUNS; i++)
        all = merge(runs[i], all, before);
    for (struct link *next; all; all = next) {
        next = all->next;
        list_add_last(head, all);
    }
}
