/* The configuration file, read into a struct site.
 *
 * Everything that is wrong is reported at once, each as "FILE:LINE: what, and what was expected", with the
 * nearest known word; nothing unknown is passed over. postern.conf(5) tells what may stand in the file.
 *
 * Paths in the file are relative to the folder of the file in which they stand; the site has them absolute.
 */
#ifndef DAEMON_CONF_H
#define DAEMON_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/site.h"

#define CONF_FILE_DEFAULT  "/etc/postern/postern.conf"

#define CONF_INCLUDE_DEPTH 8   /* files within files */
#define CONF_INCLUDE_FILES 100 /* of one configuration */
#define CONF_NOTES_MAX     200 /* of each kind; further ones are counted, not kept */

/* One mistake or one warning. */
struct conf_note {
    struct conf_note *next;
    struct slice file; /* as it was named on the command line or in an include */
    unsigned line;     /* from 1; 0: the file as a whole */
    unsigned order;    /* of its file among the files that were read */
    bool garbled;      /* the line could not be read; nothing else is said of it */
    struct slice text; /* a sentence without a final dot */
};

struct conf_notes {
    struct conf_note *first; /* in the order of files and lines */
    size_t count;            /* all of them, kept or not */
};

struct conf_report {
    struct arena arena; /* the notes live here */
    struct conf_notes mistakes;
    struct conf_notes warnings; /* only where there are no mistakes */
};

void conf_report_init(struct conf_report *report);
void conf_report_drop(struct conf_report *report);
/* Adds "FILE:LINE: text\n" for each, and how many more there were. */
void conf_notes_print(const struct conf_notes *notes, struct buf *buf);

/* How much is looked at. A command that only wants to find the running gate may lack the right to read keys.
 */
enum conf_care {
    CONF_CARE_TEXT,   /* the configuration and its includes alone */
    CONF_CARE_TABLES, /* access tables, too: what decides about a session */
    CONF_CARE_FILES   /* the files it names, too: certificates and their keys, alias tables */
};

/* Reads a file. NULL: there are mistakes, all in the report; also where the file cannot be read. The site is
 * the caller's, to be ended with site_free. An empty host-name has become the system's. */
struct site *conf_load(const char *file, enum conf_care care, struct conf_report *report);

/* The same from memory; `file` is the name for mistakes, and its folder that of relative paths. */
struct site *conf_load_text(struct slice text, const char *file, enum conf_care care,
                            struct conf_report *report);

#endif
