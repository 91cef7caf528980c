#include "checks/list.h"

#include <stddef.h>

/* clang-format off */
const struct check *const check_list[] = {
    /* at the connection, at MAIL */
    &check_blocked,
    &check_known,
    &check_listed,
    &check_visit,
    &check_fingerprint,
    &check_pointer,
    &check_helo,
    &check_helo_name,
    &check_spf,
    &check_sender, /* SPF vouches for senders of ours */
    &check_rate_mail,

    /* at RCPT: whose machine it is, then the recipient, then what builds on all that */
    &check_origin,
    &check_pool,
    &check_known_pool,
    &check_recipient,
    &check_trap,
    &check_null_sender,
    &check_dictionary,
    &check_rate_recipient,
    &check_access,
    &check_grey,
    &check_known_recipient,

    /* the message */
    &check_header,
    &check_header_form,
    &check_message_id,
    &check_grey_message,
    &check_known_message,
    NULL,
};
/* clang-format on */
