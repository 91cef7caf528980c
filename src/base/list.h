/* A doubly linked ring through the structs themselves. The head is a link, too; an empty list's head points
 * at itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *prev;
};

#define LIST_OF(link_pointer, type, member) ((type *)(void *)((char *)(link_pointer)-offsetof(type, member)))

static inline void list_init(struct link *head)
{
    head->next = head->prev = head;
}

static inline bool list_is_empty(const struct link *head)
{
    return head->next == head;
}

static inline void list_add_last(struct link *head, struct link *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

static inline void list_add_first(struct link *head, struct link *item)
{
    list_add_last(head->next, item);
}

/* Takes the item out; it may be taken out again without harm. */
static inline void list_remove(struct link *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    item->next = item->prev = item;
}

/* Whether a stands before b. */
typedef bool list_order(const struct link *a, const struct link *b);

/* Puts the items in order; equal ones stay as they stood. */
void list_sort(struct link *head, list_order *before);

#endif
