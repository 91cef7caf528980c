/* A disk in memory behind struct files, which loses, tears and reorders what was not synced, and fails on
 * demand. It promises what io/files.h promises and not a bit more.
 *
 * sim_crash makes of it the disk that a machine might find after it stopped just then: names and octets that
 * were synced are there, of all others any part. Descriptors and locks are gone. */
#ifndef CRASH_SIM_H
#define CRASH_SIM_H

#include "base/random.h"
#include "io/files.h"

/* Operations that change something, counted from 1 since sim_new: crash points and faults are named by them.
 */
enum sim_kind {
    SIM_OPEN, /* that makes a file */
    SIM_WRITE,
    SIM_TRUNCATE,
    SIM_SYNC, /* and sync_all */
    SIM_RENAME,
    SIM_REMOVE,
    SIM_MAKE_FOLDER,
    SIM_SYNC_FOLDER,
    SIM_KINDS
};

/* What becomes of what was not synced. */
enum sim_loss {
    SIM_LOSE_ALL,
    SIM_LOSE_NOTHING,
    SIM_LOSE_SOME, /* each name and each sector by chance */
    SIM_LOSSES
};

struct sim;

struct sim *sim_new(void);
void sim_free(struct sim *sim);
struct files *sim_files(struct sim *sim);

uint64_t sim_operations(const struct sim *sim); /* done so far */
/* From the operation of this number on nothing is done any more and everything fails; 0: never. */
void sim_stop_at(struct sim *sim, uint64_t operation);
bool sim_is_stopped(const struct sim *sim);
/* From the operation of this number on (1: from the first), those of a kind fail with `number`, `times`
 * times; path_part: only where the path holds it (for descriptors the path it was opened by); NULL: anywhere.
 */
void sim_fail(struct sim *sim, enum sim_kind kind, uint64_t from, unsigned times, int number,
              const char *path_part);
void sim_heal(struct sim *sim); /* no more faults */
/* Octets that room() tells, and that writes may still take before they fail with ENOSPC. */
void sim_set_room(struct sim *sim, uint64_t octets);

void sim_crash(struct sim *sim, enum sim_loss loss, struct random *random);

/* The disk as a reader sees it now. */
bool sim_exists(struct sim *sim, const char *path);
/* All of a file; the slice lives until it is changed. Empty where there is none. */
struct slice sim_content(struct sim *sim, const char *path);
/* Overwrites octets behind everybody's back: rot. */
void sim_rot(struct sim *sim, const char *path, uint64_t offset, struct slice octets);
/* Makes a file with folder and octets that are synced already. */
void sim_put(struct sim *sim, const char *path, struct slice octets);
/* Calls `each` with the path of each file below a folder. */
void sim_each(struct sim *sim, const char *folder, void (*each)(void *whom, const char *path), void *whom);
unsigned sim_open_descriptors(struct sim *sim);

#endif
