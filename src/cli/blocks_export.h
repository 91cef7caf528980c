/* The block list as the keeper writes it into files, to standard output. */
#ifndef CLI_BLOCKS_EXPORT_H
#define CLI_BLOCKS_EXPORT_H

#include "cli/cli.h"

/* form: the word of one; returns what the command ends with. */
int blocks_export(const struct cli *cli, const struct site *site, const char *form);

#endif
