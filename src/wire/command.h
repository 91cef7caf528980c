/* SMTP command lines: verb and argument (RFC 5321 section 4.1.1). */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "base/slice.h"

enum verb {
    VERB_NONE,    /* an empty line, or blanks alone */
    VERB_UNKNOWN, /* a word that is no verb of ours */
    VERB_HELO,
    VERB_EHLO,
    VERB_LHLO,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_QUIT,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_TURN,
    VERB_ETRN,
    VERB_AUTH,
    VERB_STARTTLS,
    VERB_XCLIENT,
    VERB_COUNT
};

/* All slices point into the line. */
struct command {
    enum verb verb;
    struct slice word;     /* the verb as it was sent */
    struct slice argument; /* what follows, without blanks at both ends; may hold any octet but LF */
    bool extra_space; /* blanks before the verb, more than one (or a HT) behind it, or blanks at the end */
    bool header_like; /* an unknown word of the form `Name:`: a mail header field, or HTTP's */
};

/* Never fails: what is no command is VERB_UNKNOWN. The line comes without its end (line_take). The verb is
 * compared without regard to case and ends at SP or HT. */
void command_parse(struct slice line, struct command *ret_command);

/* "MAIL"; "-" for VERB_NONE, "?" for VERB_UNKNOWN. Constant text. */
struct slice verb_name(enum verb verb);

#define BDAT_DIGITS_MAX 19
/* The argument of BDAT: `SIZE [LAST]` (RFC 3030 section 2). False: malformed, or the number does not fit. */
bool command_parse_bdat(struct slice argument, uint64_t *ret_size, bool *ret_last);

#endif
