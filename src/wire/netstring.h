/* Netstrings: texts one behind the other, each with its length in front, "5:hello,0:,". So answers carry
 * lists of texts that may hold any octet. */
#ifndef WIRE_NETSTRING_H
#define WIRE_NETSTRING_H

#include "base/slice.h"

/* Takes the first text off *list. False: the list is empty, or does not go on as one; *list is then as
 * before. */
bool netstring_cut(struct slice *list, struct slice *ret_text);

#endif
