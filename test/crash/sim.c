/* long: one noun, the simulated disk: what it holds, what it forgets, and what it checks */
#include "sim.h"

#include "base/list.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR      512u
#define DESCRIPTORS 1024
#define FAULTS      8

struct bytes {
    char *at;
    size_t len;
};

/* A write or a cut that was not synced. */
struct change {
    struct change *next;
    uint64_t offset; /* of the write; the size that it was cut to */
    struct bytes octets;
    bool cut;
};

struct node {
    struct node *next;
    struct bytes now;  /* as readers see it */
    struct bytes disk; /* what is safe */
    struct change *changes;
    struct change **changes_end;
    uint64_t number;
    uint64_t modified;
    bool folder;
    int locked_by; /* descriptor, or -1 */
};

struct name {
    struct name *next;
    char path[FILES_PATH_MAX];
    struct node *node;
};

/* A change of names that was not synced: from NULL: made; to NULL: removed. */
struct move {
    struct move *next;
    char *from;
    char *to;
    struct node *node;
    bool safe;
};

struct descriptor {
    struct node *node;
    bool writable;
    char path[FILES_PATH_MAX];
};

struct fault {
    enum sim_kind kind;
    uint64_t from;
    unsigned times;
    int number;
    const char *part;
};

struct sim {
    struct files files; /* first: the interface is the sim */
    pthread_mutex_t lock;
    struct node *nodes;
    struct name *names, *names_safe;
    struct move *moves;
    struct move **moves_end;
    struct descriptor descriptors[DESCRIPTORS];
    struct fault faults[FAULTS];
    uint64_t operations;
    uint64_t stop_at;
    uint64_t nodes_made;
    uint64_t clock;
    uint64_t room;
    bool stopped;
};

/* --- octets -------------------------------------------------------------------------------------------- */

static void bytes_size(struct bytes *bytes, size_t len)
{
    bytes->at = realloc(bytes->at, len ? len : 1);
    if (len > bytes->len)
        memset(bytes->at + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static void bytes_put(struct bytes *bytes, uint64_t offset, struct slice octets)
{
    if (offset + octets.len > bytes->len)
        bytes_size(bytes, (size_t)(offset + octets.len));
    if (octets.len)
        memcpy(bytes->at + offset, octets.at, octets.len);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
    bytes_size(to, 0);
    bytes_put(to, 0, slice_of(from->at, from->len));
}

/* --- nodes and names ----------------------------------------------------------------------------------- */

static struct node *node_new(struct sim *sim, bool folder)
{
    struct node *node = calloc(1, sizeof(*node));

    node->folder = folder;
    node->number = ++sim->nodes_made;
    node->locked_by = -1;
    node->changes_end = &node->changes;
    node->modified = ++sim->clock;
    node->next = sim->nodes;
    sim->nodes = node;
    return node;
}

static void changes_drop(struct node *node)
{
    while (node->changes) {
        struct change *next = node->changes->next;
        free(node->changes->octets.at);
        free(node->changes);
        node->changes = next;
    }
    node->changes_end = &node->changes;
}

static struct name **name_find(struct name **names, const char *path)
{
    while (*names && strcmp((*names)->path, path) != 0)
        names = &(*names)->next;
    return names;
}

static struct node *node_at(struct name *names, const char *path)
{
    struct name *name = *name_find(&names, path);

    return name ? name->node : NULL;
}

static void name_set(struct name **names, const char *path, struct node *node)
{
    struct name **at = name_find(names, path);

    if (!*at) {
        *at = calloc(1, sizeof(**at));
        snprintf((*at)->path, FILES_PATH_MAX, "%s", path);
    }
    (*at)->node = node;
}

static void name_clear(struct name **names, const char *path)
{
    struct name **at = name_find(names, path);
    struct name *gone = *at;

    if (gone) {
        *at = gone->next;
        free(gone);
    }
}

static void names_drop(struct name **names)
{
    while (*names)
        name_clear(names, (*names)->path);
}

static bool in_folder(const char *path, const char *folder)
{
    const size_t len = strlen(folder);

    return path && strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static void folder_of(const char *path, char folder[FILES_PATH_MAX])
{
    snprintf(folder, FILES_PATH_MAX, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
}

static void move_apply(struct name **names, const struct move *move)
{
    if (move->from)
        name_clear(names, move->from);
    if (move->to)
        name_set(names, move->to, move->node);
}

static void move_add(struct sim *sim, const char *from, const char *to, struct node *node)
{
    struct move *move = calloc(1, sizeof(*move));

    move->from = from ? strdup(from) : NULL;
    move->to = to ? strdup(to) : NULL;
    move->node = node;
    *sim->moves_end = move;
    sim->moves_end = &move->next;
    move_apply(&sim->names, move);
}

static void move_take(struct sim *sim, struct move **at)
{
    struct move *move = *at;

    *at = move->next;
    if (!*at)
        sim->moves_end = at;
    free(move->from);
    free(move->to);
    free(move);
}

static bool touches(const struct move *move, const char *path)
{
    return path &&
           ((move->from && strcmp(move->from, path) == 0) || (move->to && strcmp(move->to, path) == 0));
}

/* Names of one path follow one another: a later change of the same name cannot be there without the earlier.
 */
static bool depends(const struct move *later, const struct move *earlier)
{
    return touches(earlier, later->from) || touches(earlier, later->to) || earlier->node == later->node;
}

/* --- counting, stopping, failing ----------------------------------------------------------------------- */

/* True: the operation does not take place, *error is filled. */
static bool refused(struct sim *sim, enum sim_kind kind, const char *path, struct error *error)
{
    if (!sim->stopped && sim->stop_at && sim->operations + 1 >= sim->stop_at)
        sim->stopped = true;
    if (sim->stopped) {
        error_set(error, EIO, "the machine has stopped");
        return true;
    }
    sim->operations++;
    for (struct fault *fault = sim->faults; fault < sim->faults + FAULTS; fault++) {
        if (!fault->times || fault->kind != kind || sim->operations < fault->from)
            continue;
        if (fault->part && !strstr(path, fault->part))
            continue;
        fault->times--;
        error_set(error, fault->number, "made to fail");
        return true;
    }
    return false;
}

static struct descriptor *descriptor_of(struct sim *sim, int number)
{
    assert(number >= 0 && number < DESCRIPTORS && sim->descriptors[number].node);
    return &sim->descriptors[number];
}

/* --- the interface ------------------------------------------------------------------------------------- */

#define SIM(files_) ((struct sim *)(void *)(files_))
#define LOCKED(sim_, type, call)                                                                             \
    pthread_mutex_lock(&(sim_)->lock);                                                                       \
    const type locked_result = call;                                                                         \
    pthread_mutex_unlock(&(sim_)->lock);                                                                     \
    return locked_result

static struct change *change_add(struct sim *sim, struct node *node)
{
    struct change *change = calloc(1, sizeof(*change));

    *node->changes_end = change;
    node->changes_end = &change->next;
    node->modified = ++sim->clock;
    return change;
}

static int do_truncate(struct sim *sim, int number, uint64_t size, struct error *error)
{
    struct descriptor *descriptor = descriptor_of(sim, number);

    if (refused(sim, SIM_TRUNCATE, descriptor->path, error))
        return -1;
    struct change *change = change_add(sim, descriptor->node);
    change->cut = true;
    change->offset = size;
    bytes_size(&descriptor->node->now, (size_t)size);
    return 0;
}

static int do_open(struct sim *sim, const char *path, unsigned flags, int *ret_descriptor,
                   struct error *error)
{
    struct node *node = node_at(sim->names, path);
    char folder[FILES_PATH_MAX];
    int number = 0;

    if (sim->stopped)
        return error_set(error, EIO, "the machine has stopped");
    if (!node && !(flags & FILES_CREATE))
        return error_set(error, ENOENT, "cannot open %s", path);
    if (node && (flags & FILES_NEW))
        return error_set(error, EEXIST, "cannot open %s", path);
    folder_of(path, folder);
    if (!node && !node_at(sim->names, folder))
        return error_set(error, ENOENT, "cannot open %s", path);
    if (!node) {
        if (refused(sim, SIM_OPEN, path, error))
            return -1;
        node = node_new(sim, false);
        move_add(sim, NULL, path, node);
    }
    while (number < DESCRIPTORS && sim->descriptors[number].node)
        number++;
    assert(number < DESCRIPTORS);
    sim->descriptors[number].node = node;
    sim->descriptors[number].writable = flags & FILES_WRITE;
    snprintf(sim->descriptors[number].path, FILES_PATH_MAX, "%s", path);
    *ret_descriptor = number;
    if (flags & FILES_TRUNCATE && node->now.len)
        return do_truncate(sim, number, 0, error);
    return 0;
}

static int sim_open(struct files *files, const char *path, unsigned flags, int *ret_descriptor,
                    struct error *error)
{
    LOCKED(SIM(files), int, do_open(SIM(files), path, flags, ret_descriptor, error));
}

static int do_read(struct sim *sim, int number, uint64_t offset, struct bytes room, size_t *ret_got,
                   struct error *error)
{
    const struct node *node = descriptor_of(sim, number)->node;

    if (sim->stopped)
        return error_set(error, EIO, "the machine has stopped");
    *ret_got = 0;
    if (offset < node->now.len) {
        const size_t left = node->now.len - (size_t)offset;
        *ret_got = left < room.len ? left : room.len;
        memcpy(room.at, node->now.at + offset, *ret_got);
    }
    return 0;
}

static int sim_read(struct files *files, int descriptor, uint64_t offset, char *at, size_t size,
                    size_t *ret_got, struct error *error)
{
    const struct bytes room = {at, size};
    LOCKED(SIM(files), int, do_read(SIM(files), descriptor, offset, room, ret_got, error));
}

static int do_write(struct sim *sim, int number, uint64_t offset, struct slice octets, struct error *error)
{
    struct descriptor *descriptor = descriptor_of(sim, number);
    const uint64_t size = descriptor->node->now.len;
    const uint64_t more = offset + octets.len > size ? offset + octets.len - size : 0;

    assert(descriptor->writable);
    if (refused(sim, SIM_WRITE, descriptor->path, error))
        return -1;
    const bool full = more > sim->room;
    if (full) /* what fits is written, as a file system does */
        octets = slice_head(octets, octets.len - (size_t)(more - sim->room));
    sim->room -= full ? sim->room : more;
    struct change *change = change_add(sim, descriptor->node);
    change->offset = offset;
    bytes_put(&change->octets, 0, octets);
    bytes_put(&descriptor->node->now, offset, octets);
    return full ? error_set(error, ENOSPC, "cannot write") : 0;
}

static int sim_write(struct files *files, int descriptor, uint64_t offset, struct slice octets,
                     struct error *error)
{
    LOCKED(SIM(files), int, do_write(SIM(files), descriptor, offset, octets, error));
}

static int sim_truncate(struct files *files, int descriptor, uint64_t size, struct error *error)
{
    LOCKED(SIM(files), int, do_truncate(SIM(files), descriptor, size, error));
}

static void node_safe(struct node *node)
{
    for (const struct change *change = node->changes; change; change = change->next)
        if (change->cut)
            bytes_size(&node->disk, (size_t)change->offset);
        else
            bytes_put(&node->disk, change->offset, slice_of(change->octets.at, change->octets.len));
    changes_drop(node);
}

static int do_sync(struct sim *sim, int number, struct error *error)
{
    struct descriptor *descriptor = descriptor_of(sim, number);

    if (refused(sim, SIM_SYNC, descriptor->path, error)) {
        /* The kernel forgets that it did not write it: a later sync will not make it good. */
        if (!sim->stopped)
            changes_drop(descriptor->node);
        return -1;
    }
    node_safe(descriptor->node);
    return 0;
}

static int sim_sync(struct files *files, int descriptor, struct error *error)
{
    LOCKED(SIM(files), int, do_sync(SIM(files), descriptor, error));
}

static int do_sync_all(struct sim *sim, int number, struct error *error)
{
    if (refused(sim, SIM_SYNC, descriptor_of(sim, number)->path, error))
        return -1;
    for (struct node *node = sim->nodes; node; node = node->next)
        node_safe(node);
    while (sim->moves) {
        move_apply(&sim->names_safe, sim->moves);
        move_take(sim, &sim->moves);
    }
    return 0;
}

static int sim_sync_all(struct files *files, int descriptor, struct error *error)
{
    LOCKED(SIM(files), int, do_sync_all(SIM(files), descriptor, error));
}

static void sim_flush(struct files *files, int descriptor, uint64_t offset, uint64_t size)
{
    (void)files, (void)descriptor, (void)offset, (void)size;
}

static int do_close(struct sim *sim, int number)
{
    struct descriptor *descriptor = descriptor_of(sim, number);

    if (descriptor->node->locked_by == number)
        descriptor->node->locked_by = -1;
    memset(descriptor, 0, sizeof(*descriptor));
    return 0;
}

static void sim_close(struct files *files, int descriptor)
{
    pthread_mutex_lock(&SIM(files)->lock);
    do_close(SIM(files), descriptor);
    pthread_mutex_unlock(&SIM(files)->lock);
}

static int status_fill(const struct node *node, struct files_status *status)
{
    *status = (struct files_status){.size = node->now.len,
                                    .modified_ns = (int64_t)node->modified,
                                    .number = node->number,
                                    .device = 1,
                                    .folder = node->folder};
    return 0;
}

static int do_status(struct sim *sim, const char *path, struct files_status *ret_status, struct error *error)
{
    const struct node *node = node_at(sim->names, path);

    if (sim->stopped)
        return error_set(error, EIO, "the machine has stopped");
    return node ? status_fill(node, ret_status) : error_set(error, ENOENT, "cannot look at %s", path);
}

static int sim_status(struct files *files, const char *path, struct files_status *ret_status,
                      struct error *error)
{
    LOCKED(SIM(files), int, do_status(SIM(files), path, ret_status, error));
}

static int sim_descriptor_status(struct files *files, int descriptor, struct files_status *ret_status,
                                 struct error *error)
{
    if (SIM(files)->stopped)
        return error_set(error, EIO, "the machine has stopped");
    LOCKED(SIM(files), int, status_fill(descriptor_of(SIM(files), descriptor)->node, ret_status));
}

static int do_lock(struct sim *sim, int number, bool *ret_mine, struct error *error)
{
    struct node *node = descriptor_of(sim, number)->node;

    if (sim->stopped)
        return error_set(error, EIO, "the machine has stopped");
    if (node->locked_by < 0)
        node->locked_by = number;
    *ret_mine = node->locked_by == number;
    return 0;
}

static int sim_lock(struct files *files, int descriptor, bool *ret_mine, struct error *error)
{
    LOCKED(SIM(files), int, do_lock(SIM(files), descriptor, ret_mine, error));
}

static int do_rename(struct sim *sim, const char *from, const char *to, struct error *error)
{
    struct node *node = node_at(sim->names, from);
    char folder[FILES_PATH_MAX];

    if (refused(sim, SIM_RENAME, from, error))
        return -1;
    folder_of(to, folder);
    if (!node || !node_at(sim->names, folder))
        return error_set(error, ENOENT, "cannot rename %s", from);
    move_add(sim, from, to, node);
    return 0;
}

static int sim_rename(struct files *files, const char *from, const char *to, struct error *error)
{
    LOCKED(SIM(files), int, do_rename(SIM(files), from, to, error));
}

static int do_remove(struct sim *sim, const char *path, struct error *error)
{
    struct node *node = node_at(sim->names, path);

    if (refused(sim, SIM_REMOVE, path, error))
        return -1;
    if (!node)
        return error_set(error, ENOENT, "cannot remove %s", path);
    move_add(sim, path, NULL, node);
    return 0;
}

static int sim_remove(struct files *files, const char *path, struct error *error)
{
    LOCKED(SIM(files), int, do_remove(SIM(files), path, error));
}

static int do_make_folder(struct sim *sim, const char *path, struct error *error)
{
    char folder[FILES_PATH_MAX];

    if (node_at(sim->names, path))
        return error_set(error, EEXIST, "cannot make the folder %s", path);
    folder_of(path, folder);
    if (*folder && !node_at(sim->names, folder))
        return error_set(error, ENOENT, "cannot make the folder %s", path);
    if (refused(sim, SIM_MAKE_FOLDER, path, error))
        return -1;
    move_add(sim, NULL, path, node_new(sim, true));
    return 0;
}

static int sim_make_folder(struct files *files, const char *path, unsigned mode, struct error *error)
{
    (void)mode;
    LOCKED(SIM(files), int, do_make_folder(SIM(files), path, error));
}

/* New names in the folder and removals from it become safe, and with them what they depend on. A rename is
 * safe with its new name. */
static void moves_settle(struct sim *sim, const char *folder)
{
    for (struct move *move = sim->moves; move; move = move->next)
        move->safe = move->to ? in_folder(move->to, folder) : in_folder(move->from, folder);
    for (bool more = true; more;) {
        more = false;
        for (struct move *move = sim->moves; move; move = move->next)
            for (struct move *before = sim->moves; move->safe && before != move; before = before->next)
                if (!before->safe && depends(move, before))
                    more = before->safe = true;
    }
}

static int do_sync_folder(struct sim *sim, const char *folder, struct error *error)
{
    if (refused(sim, SIM_SYNC_FOLDER, folder, error))
        return -1;
    if (!node_at(sim->names, folder))
        return error_set(error, ENOENT, "cannot sync %s", folder);
    moves_settle(sim, folder);
    for (struct move **at = &sim->moves; *at;) {
        if ((*at)->safe) {
            move_apply(&sim->names_safe, *at);
            move_take(sim, at);
        } else {
            at = &(*at)->next;
        }
    }
    return 0;
}

static int sim_sync_folder(struct files *files, const char *path, struct error *error)
{
    LOCKED(SIM(files), int, do_sync_folder(SIM(files), path, error));
}

/* Names are gathered first: `each` may change the folder. */
static int sim_list(struct files *files, const char *path, bool (*each)(void *whom, const char *name),
                    void *whom, struct error *error)
{
    struct sim *sim = SIM(files);
    char *found[4096];
    size_t count = 0;
    bool more = true;

    if (sim->stopped)
        return error_set(error, EIO, "the machine has stopped");
    pthread_mutex_lock(&sim->lock);
    const bool there = node_at(sim->names, path) != NULL;
    for (const struct name *name = sim->names; name; name = name->next)
        if (in_folder(name->path, path) && count < sizeof(found) / sizeof(found[0]))
            found[count++] = strdup(strrchr(name->path, '/') + 1);
    pthread_mutex_unlock(&sim->lock);
    for (size_t i = 0; i < count; i++) {
        more = more && each(whom, found[i]);
        free(found[i]);
    }
    return there ? 0 : error_set(error, ENOENT, "cannot read the folder %s", path);
}

static int sim_room(struct files *files, const char *path, uint64_t *ret_octets, struct error *error)
{
    (void)path, (void)error;
    *ret_octets = SIM(files)->room;
    return 0;
}

/* --- the test's side ----------------------------------------------------------------------------------- */

struct sim *sim_new(void)
{
    struct sim *sim = calloc(1, sizeof(*sim));

    sim->files = (struct files){.open = sim_open,
                                .read = sim_read,
                                .write = sim_write,
                                .truncate = sim_truncate,
                                .sync = sim_sync,
                                .sync_all = sim_sync_all,
                                .flush = sim_flush,
                                .close = sim_close,
                                .status = sim_status,
                                .descriptor_status = sim_descriptor_status,
                                .lock = sim_lock,
                                .rename = sim_rename,
                                .remove = sim_remove,
                                .make_folder = sim_make_folder,
                                .sync_folder = sim_sync_folder,
                                .list = sim_list,
                                .room = sim_room};
    pthread_mutex_init(&sim->lock, NULL);
    sim->moves_end = &sim->moves;
    sim->room = UINT64_C(1) << 40;
    return sim;
}

static void moves_drop(struct sim *sim)
{
    while (sim->moves)
        move_take(sim, &sim->moves);
}

void sim_free(struct sim *sim)
{
    moves_drop(sim);
    names_drop(&sim->names);
    names_drop(&sim->names_safe);
    while (sim->nodes) {
        struct node *next = sim->nodes->next;
        changes_drop(sim->nodes);
        free(sim->nodes->now.at);
        free(sim->nodes->disk.at);
        free(sim->nodes);
        sim->nodes = next;
    }
    pthread_mutex_destroy(&sim->lock);
    free(sim);
}

struct files *sim_files(struct sim *sim)
{
    return &sim->files;
}

uint64_t sim_operations(const struct sim *sim)
{
    return sim->operations;
}

void sim_stop_at(struct sim *sim, uint64_t operation)
{
    sim->stop_at = operation;
}

bool sim_is_stopped(const struct sim *sim)
{
    return sim->stopped;
}

void sim_fail(struct sim *sim, enum sim_kind kind, uint64_t from, unsigned times, int number,
              const char *path_part)
{
    for (struct fault *fault = sim->faults; fault < sim->faults + FAULTS; fault++)
        if (!fault->times) {
            *fault = (struct fault){kind, from, times, number, path_part};
            return;
        }
    assert(!"too many faults");
}

void sim_heal(struct sim *sim)
{
    memset(sim->faults, 0, sizeof(sim->faults));
}

void sim_set_room(struct sim *sim, uint64_t octets)
{
    sim->room = octets;
}

/* A write reaches the disk sector by sector, in any order; what is missing reads as before, or as zeros where
 * the file had not been that long. */
static void write_torn(struct bytes *disk, const struct change *change, struct random *random)
{
    for (size_t at = 0; at < change->octets.len;) {
        const size_t part = SECTOR - (change->offset + at) % SECTOR;
        const size_t len = part < change->octets.len - at ? part : change->octets.len - at;
        if (random_below(random, 2))
            bytes_put(disk, change->offset + at, slice_of(change->octets.at + at, len));
        at += len;
    }
}

static void node_crash(struct node *node, enum sim_loss loss, struct random *random)
{
    for (const struct change *change = node->changes; change && loss == SIM_LOSE_SOME;
         change = change->next) {
        if (random_below(random, 3) == 0)
            continue;
        if (change->cut)
            bytes_size(&node->disk, (size_t)change->offset);
        else
            write_torn(&node->disk, change, random);
    }
    if (loss == SIM_LOSE_NOTHING)
        node_safe(node);
    changes_drop(node);
    bytes_copy(&node->now, &node->disk);
    node->locked_by = -1;
}

/* What stands in a folder that is gone is gone, too. */
static void names_unreachable(struct sim *sim)
{
    char folder[FILES_PATH_MAX];

    for (bool more = true; more;) {
        more = false;
        for (const struct name *name = sim->names_safe; name && !more; name = name->next) {
            folder_of(name->path, folder);
            more = *folder && !node_at(sim->names_safe, folder);
            snprintf(folder, sizeof(folder), "%s", name->path);
            if (more)
                name_clear(&sim->names_safe, folder);
        }
    }
}

static void names_crash(struct sim *sim, enum sim_loss loss, struct random *random)
{
    struct move *lost[4096];
    size_t count = 0;

    for (struct move *move = sim->moves; move; move = move->next) {
        bool stays = loss == SIM_LOSE_NOTHING || (loss == SIM_LOSE_SOME && random_below(random, 2));
        for (size_t i = 0; stays && i < count; i++)
            stays = !depends(move, lost[i]);
        if (stays)
            move_apply(&sim->names_safe, move);
        else if (count < sizeof(lost) / sizeof(lost[0]))
            lost[count++] = move;
    }
    moves_drop(sim);
    names_unreachable(sim);
    names_drop(&sim->names);
    for (const struct name *name = sim->names_safe; name; name = name->next)
        name_set(&sim->names, name->path, name->node);
}

void sim_crash(struct sim *sim, enum sim_loss loss, struct random *random)
{
    for (struct node *node = sim->nodes; node; node = node->next)
        node_crash(node, loss, random);
    names_crash(sim, loss, random);
    memset(sim->descriptors, 0, sizeof(sim->descriptors));
    memset(sim->faults, 0, sizeof(sim->faults));
    sim->stopped = false;
    sim->stop_at = 0;
}

bool sim_exists(struct sim *sim, const char *path)
{
    return node_at(sim->names, path) != NULL;
}

struct slice sim_content(struct sim *sim, const char *path)
{
    const struct node *node = node_at(sim->names, path);

    return node ? slice_of(node->now.at, node->now.len) : SLICE_NONE;
}

void sim_rot(struct sim *sim, const char *path, uint64_t offset, struct slice octets)
{
    struct node *node = node_at(sim->names, path);

    assert(node && offset + octets.len <= node->now.len);
    bytes_put(&node->now, offset, octets);
    if (offset + octets.len <= node->disk.len)
        bytes_put(&node->disk, offset, octets);
}

void sim_put(struct sim *sim, const char *path, struct slice octets)
{
    char folder[FILES_PATH_MAX];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        if (!node_at(sim->names, folder)) {
            struct node *made = node_new(sim, true);
            name_set(&sim->names, folder, made);
            name_set(&sim->names_safe, folder, made);
        }
    }
    struct node *node = node_new(sim, false);
    bytes_put(&node->now, 0, octets);
    bytes_put(&node->disk, 0, octets);
    name_set(&sim->names, path, node);
    name_set(&sim->names_safe, path, node);
}

void sim_each(struct sim *sim, const char *folder, void (*each)(void *whom, const char *path), void *whom)
{
    const size_t len = strlen(folder);

    for (const struct name *name = sim->names; name; name = name->next)
        if (strncmp(name->path, folder, len) == 0 && name->path[len] == '/' && !name->node->folder)
            each(whom, name->path);
}

unsigned sim_open_descriptors(struct sim *sim)
{
    unsigned count = 0;

    for (unsigned i = 0; i < DESCRIPTORS; i++)
        count += sim->descriptors[i].node != NULL;
    return count;
}
