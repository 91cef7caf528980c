/* The catalogue of statistics: a number, a name and a section for everything that is counted. The table is
 * core/stat.def; findings, verdicts, replies and questions join it from their own catalogues:
 *
 *   1-255      a finding, by its own number ("ehlo-no-helo")
 *   256-399    counted by themselves ("clients")
 *   400-499    verdicts: 400 + 10 × stage + verdict ("rcpt-reject")
 *   500-599    likewise, those that were only observed ("rcpt-reject-observed")
 *   600-699    counted by themselves
 *   700-763    questions by kind: 700 + kind ("ask-pointer")
 *   1001-1255  replies: 1000 + number ("reply-relay-denied")
 *
 * Numbers and names never change and are never used again. */
#ifndef JOURNAL_STAT_H
#define JOURNAL_STAT_H

#include "base/slice.h"

#define STAT_LIMIT 1280 /* numbers are below */

enum stat_number {
    STAT_NONE = 0,
#define SECTION(name, word, doc)
#define STAT(name, number, section, text, metric, doc) STAT_##name = number,
#define FINDING_STAT(finding, section)
#include "core/stat.def"
#undef SECTION
#undef STAT
#undef FINDING_STAT
    STAT_VERDICTS = 400,
    STAT_OBSERVED = 500,
    STAT_QUESTION_KINDS = 700,
    STAT_REPLY_NUMBERS = 1000
};

enum stat_section {
#define SECTION(name, word, doc) STAT_SECTION_##name,
#define STAT(name, number, section, text, metric, doc)
#define FINDING_STAT(finding, section)
#include "core/stat.def"
#undef SECTION
#undef STAT
#undef FINDING_STAT
    STAT_SECTION_COUNT
};

/* The statistic of something that an event names by its number; STAT_NONE where that is out of range. */
unsigned stat_of_finding(uint64_t finding);
unsigned stat_of_verdict(uint64_t stage, uint64_t verdict, bool observed);
unsigned stat_of_reply(uint64_t reply);
unsigned stat_of_question(uint64_t kind);

#define STAT_NAME_SIZE 64

struct stat_info {
    char name[STAT_NAME_SIZE];
    enum stat_section section;
    const char *metric; /* where it is counted by itself; else "" */
    const char *doc;
};

/* False: there is no such statistic. */
bool stat_info(unsigned number, struct stat_info *ret_info);
/* By name, or by number as text ("030"); STAT_NONE: there is none. */
unsigned stat_parse(struct slice text);

/* The numbers of a section in the order in which they are shown, its first statistic first: begin with 0.
 * Returns 0 at the end. */
unsigned stat_next(enum stat_section section, unsigned number);
/* Those that are counted by themselves, in the order of their numbers: begin with 0. Returns 0 at the end. */
unsigned stat_next_own(unsigned number);
/* The first statistic of the section, to which percentages relate. */
unsigned stat_base(enum stat_section section);
const char *stat_section_word(enum stat_section section); /* "clients" */
const char *stat_section_doc(enum stat_section section);
bool stat_section_parse(struct slice word, enum stat_section *ret_section);

#endif
