/* The session of seed 001, told in events. */
#ifndef SEED_H
#define SEED_H

#include "core/event.h"

struct seed {
    struct buf records; /* one behind the other */
    struct event_stamp stamp;
};

#define SEED_START_MS INT64_C(1784860556000)

void seed_tell(struct seed *seed);

#endif
