/* A configuration loaded from memory, with what was said of it as text. */
#ifndef TEST_LOADED_H
#define TEST_LOADED_H

#include "unit.h"

#include "daemon/conf.h"

#define ROUTE "route example.org { relay 192.0.2.1:25 }\n"

/* What all but the warnings' own tests put in front: with it there is nothing to warn of. */
#define QUIET "host-name mx.example.net\n"

struct loaded {
    struct conf_report report;
    struct site *site;
    struct buf mistakes, warnings;
};

static inline struct loaded load(struct slice text, enum conf_care care)
{
    struct loaded loaded = {0};

    conf_report_init(&loaded.report);
    loaded.site = conf_load_text(text, "t.conf", care, &loaded.report);
    buf_init(&loaded.mistakes, 1u << 20);
    buf_init(&loaded.warnings, 1u << 20);
    conf_notes_print(&loaded.report.mistakes, &loaded.mistakes);
    conf_notes_print(&loaded.report.warnings, &loaded.warnings);
    assert_int_equal(loaded.site == NULL, loaded.report.mistakes.count > 0);
    return loaded;
}

static inline void drop(struct loaded *loaded)
{
    site_free(loaded->site);
    conf_report_drop(&loaded->report);
    buf_drop(&loaded->mistakes);
    buf_drop(&loaded->warnings);
}

#endif
