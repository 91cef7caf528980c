/* Every check, in the order in which they run. */
#ifndef CHECKS_LIST_H
#define CHECKS_LIST_H

#include "core/check.h"

extern const struct check *const check_list[]; /* ends in NULL */

extern const struct check check_visit;
extern const struct check check_pointer;
extern const struct check check_helo;
extern const struct check check_helo_name;
extern const struct check check_sender;
extern const struct check check_spf;
extern const struct check check_access;
extern const struct check check_dictionary;
extern const struct check check_grey;
extern const struct check check_grey_message;
extern const struct check check_known;
extern const struct check check_known_message;
extern const struct check check_known_pool;
extern const struct check check_known_recipient;
extern const struct check check_listed;
extern const struct check check_null_sender;
extern const struct check check_pool;
extern const struct check check_rate_mail;
extern const struct check check_rate_recipient;
extern const struct check check_origin;
extern const struct check check_blocked;
extern const struct check check_fingerprint;
extern const struct check check_trap;
extern const struct check check_recipient;
extern const struct check check_header;
extern const struct check check_header_form;
extern const struct check check_message_id;

#endif
