#include "core/outbox.h"

#define SEND_MAX   (256u * 1024u)
#define EVENTS_MAX (1024u * 1024u)

void outbox_init(struct outbox *outbox)
{
    buf_init(&outbox->send, SEND_MAX);
    buf_init(&outbox->events, EVENTS_MAX);
    arena_init(&outbox->texts, NULL, 0);
    outbox->count = 0;
    outbox->timer_ms = OUTBOX_TIMER_KEEP;
}

void outbox_clear(struct outbox *outbox)
{
    buf_clear(&outbox->send);
    buf_clear(&outbox->events);
    outbox->count = 0;
    outbox->timer_ms = OUTBOX_TIMER_KEEP;
}

void outbox_done(struct outbox *outbox)
{
    buf_drop(&outbox->send);
    buf_drop(&outbox->events);
    arena_drop(&outbox->texts);
}
