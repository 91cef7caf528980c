/* Message-ID syntax (RFC 5322 section 3.6.4), as leniently or strictly as the house wants it. */
#ifndef WIRE_MESSAGE_ID_H
#define WIRE_MESSAGE_ID_H

#include "base/slice.h"

enum message_id_grammar {
    MESSAGE_ID_DEFAULT, /* `<` left `@` right `>`, one @, no blanks or control octets; no dot is wanted */
    MESSAGE_ID_STRICT,  /* RFC 5322's msg-id with comments around it, without the obsolete forms; UTF-8 after
                           RFC 6532 */
    MESSAGE_ID_SEED /* /^\w+\@\w+$/ between the brackets: letters, digits and `_` of ASCII alone. It refuses
                       every identifier that holds a dot, and so nearly all wanted mail */
};

/* Whether the value of a Message-ID field is one. The value is unfolded (struct header's is); blanks at its
 * ends are taken off here. */
bool message_id_check(struct slice value, enum message_id_grammar grammar);

#endif
