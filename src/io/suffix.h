/* Which domain somebody has registered: by the public suffix list (publicsuffix.org), over libpsl. The list
 * is the system's where there is one, else the one that libpsl was built with. */
#ifndef IO_SUFFIX_H
#define IO_SUFFIX_H

#include "base/arena.h"

struct suffix;

struct suffix *suffix_open(void);         /* NULL: there is no list at all */
void suffix_close(struct suffix *suffix); /* NULL is taken */

/* The registered domain of a name in lower case: "example.co.uk" for "mx.example.co.uk". The suffixes of the
 * list's private part count, too: a customer's host at a big house is nobody else's. Empty: the name is
 * itself such a suffix, or an address, or no name. In the arena. */
struct slice suffix_registered(struct suffix *suffix, struct slice name, struct arena *arena);

#endif
