/* The file operations that the spool and the courier's queue are made of, as an interface: so that their
 * tests can put a disk below them that loses, tears and reorders what was not synced, or fails. files_system
 * is the real one.
 *
 * What is promised about the disk, and nothing more:
 * - octets of a file are safe when `sync` has returned 0 after they were written; before, any part of them
 * may be lost or torn, in any order; the size of the file may grow without its octets;
 * - a name in a folder (made, renamed, removed) is safe when `sync_folder` of the folder has returned 0;
 * before, each of them may be lost, in any order;
 * - `rename` is atomic: after a crash either the old name stands or the new one, never none and never half; a
 *   rename between two folders is safe when that of the new name is synced;
 * - after `sync` has failed, what was written since the last good sync is to be counted as lost, whatever a
 *   later sync returns.
 *
 * Functions return 0, or -1 with the error filled (its number is errno). Paths end in NUL. Descriptors are
 * numbers of the implementation. Every function may be called from several threads at once. */
#ifndef IO_FILES_H
#define IO_FILES_H

#include "base/error.h"
#include "base/slice.h"

#define FILES_WRITE    1u /* for reading and writing; else for reading */
#define FILES_CREATE   2u /* made when it is not there */
#define FILES_NEW      4u /* with CREATE: it must not be there (errno EEXIST) */
#define FILES_PRIVATE  8u /* with CREATE: mode 0600; else 0660 */
#define FILES_TRUNCATE 16u

#define FILES_PATH_MAX 1024u /* octets of a path with its NUL */

struct files_status {
    uint64_t size;
    int64_t modified_ns; /* since 1970 */
    uint64_t number;     /* inode: tells a replaced file from the one before */
    uint64_t device;     /* of the file system, for sync_all */
    bool folder;
};

struct files {
    int (*open)(struct files *files, const char *path, unsigned flags, int *ret_descriptor,
                struct error *error);
    /* Whatever stands there, up to size octets; *ret_got 0 at the end. */
    int (*read)(struct files *files, int descriptor, uint64_t offset, char *at, size_t size, size_t *ret_got,
                struct error *error);
    /* All of it. */
    int (*write)(struct files *files, int descriptor, uint64_t offset, struct slice octets,
                 struct error *error);
    int (*truncate)(struct files *files, int descriptor, uint64_t size, struct error *error);
    int (*sync)(struct files *files, int descriptor, struct error *error); /* octets and size */
    /* Everything on the file system that the descriptor is on. An error of any write since the descriptor was
     * opened is told (Linux 5.8 and later). */
    int (*sync_all)(struct files *files, int descriptor, struct error *error);
    /* Tells the disk to begin writing; a hint. */
    void (*flush)(struct files *files, int descriptor, uint64_t offset, uint64_t size);
    void (*close)(struct files *files, int descriptor);
    int (*status)(struct files *files, const char *path, struct files_status *ret_status,
                  struct error *error);
    int (*descriptor_status)(struct files *files, int descriptor, struct files_status *ret_status,
                             struct error *error);
    /* An advisory lock that dies with the process. *ret_mine false: another holds it. */
    int (*lock)(struct files *files, int descriptor, bool *ret_mine, struct error *error);
    int (*rename)(struct files *files, const char *from, const char *to, struct error *error);
    int (*remove)(struct files *files, const char *path, struct error *error);
    int (*make_folder)(struct files *files, const char *path, unsigned mode, struct error *error);
    int (*sync_folder)(struct files *files, const char *path, struct error *error);
    /* Calls `each` for every name but . and .., in no order, until it returns false. */
    int (*list)(struct files *files, const char *path, bool (*each)(void *whom, const char *name), void *whom,
                struct error *error);
    /* Octets that may still be written where path is. */
    int (*room)(struct files *files, const char *path, uint64_t *ret_octets, struct error *error);
};

extern struct files files_system;

/* Makes the folder where it is missing, and then syncs the one it stands in: what stands in a folder is no
 * safer than its name. 1: it was there already. */
int files_need_folder(struct files *files, const char *path, unsigned mode, struct error *error);

/* For a file that was just made: locks it, and looks whether its name still leads to it. *ret_mine false:
 * another holds it, or took it for a file that was left behind, and has removed it meanwhile. */
int files_claim(struct files *files, const char *path, int descriptor, bool *ret_mine, struct error *error);

/* "FOLDER/NAME" into path; -1 where it does not fit. */
int files_join(char path[FILES_PATH_MAX], const char *folder, const char *name, struct error *error);

#endif
