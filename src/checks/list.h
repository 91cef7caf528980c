/* Every check, in the order in which they run. */
#ifndef CHECKS_LIST_H
#define CHECKS_LIST_H

#include "core/check.h"

extern const struct check *const check_list[]; /* ends in NULL */

extern const struct check check_spf;
extern const struct check check_recipient;
extern const struct check check_header;

#endif
