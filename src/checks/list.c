#include "checks/list.h"

#include <stddef.h>

const struct check *const check_list[] = {&check_spf, &check_recipient, &check_header, NULL};
