/* What `postern why` and its pages share. */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "base/arena.h"
#include "cli/cli.h"
#include "core/say.h"

/* The reply's text with "..." for what differs each time. */
struct slice why_text(const struct say_info *info, struct arena *arena);
const char *why_enhanced(const struct say_info *info); /* "5.7.1", "..." or empty */
const char *why_kind(unsigned code);                   /* what its code means to the sender, a sentence */

/* --html: the catalogue as pages for others to read. A folder gets index.html and a page for each number
 * (81.html); a file, or standard output for "-", has all of them with an anchor each (#81). */
int why_pages(const struct cli *cli, const char *path);

#endif
