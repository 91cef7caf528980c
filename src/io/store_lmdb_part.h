/* What the files of the LMDB class share: not for others. store_lmdb.c is the class, store_check.c tells
 * whether what it finds is whole. */
#ifndef IO_STORE_LMDB_PART_H
#define IO_STORE_LMDB_PART_H

#include <lmdb.h>
#include <stdbool.h>

/* The file is shorter than its own pages say: who reads it would be ended by SIGBUS. Else *ret_info is
 * filled. */
bool env_is_torn(MDB_env *env, MDB_envinfo *ret_info);
/* While the writer has it open there is a file that says so. Whoever finds it when no writer can be there
 * looks at the whole store before he opens it. Should it not be made, so be it: the disk may be full. */
void env_mark(const char *folder, bool open_now);

#endif
