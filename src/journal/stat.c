#include "journal/stat.h"

#include "base/text.h"
#include "core/ask.h"
#include "core/finding.h"
#include "core/say.h"
#include "journal/words.h"

#include <stdio.h>

enum { STAGES = 6, VERDICTS = 7, DECADE = 10, OWN_FIRST = 256 };

_Static_assert((int)FIND_LIMIT <= (int)OWN_FIRST, "findings have the numbers below");
_Static_assert(STAT_QUESTION_KINDS + ASK_KIND_LIMIT <= STAT_REPLY_NUMBERS, "questions end before replies");
_Static_assert(STAT_REPLY_NUMBERS + SAY_LIMIT <= STAT_LIMIT, "replies are the last");

/* --- what is counted by itself -------------------------------------------------------------------------- */

struct own {
    unsigned number;
    enum stat_section section;
    const char *name;
    const char *metric;
    const char *doc;
};

static const struct own owns[] = {
#define SECTION(name, word, doc)
#define STAT(name, number, section, text, metric, doc) {number, STAT_SECTION_##section, text, metric, doc},
#define FINDING_STAT(finding, section)
#include "core/stat.def"
#undef SECTION
#undef STAT
#undef FINDING_STAT
};

#define OWNS (sizeof owns / sizeof *owns)

static const struct own *own_find(unsigned number)
{
    for (size_t i = 0; i < OWNS; i++)
        if (owns[i].number == number)
            return &owns[i];
    return NULL;
}

/* --- sections ------------------------------------------------------------------------------------------- */

static const struct {
    const char *word, *doc;
} sections[STAT_SECTION_COUNT] = {
#define SECTION(name, word, doc) {word, doc},
#define STAT(name, number, section, text, metric, doc)
#define FINDING_STAT(finding, section)
#include "core/stat.def"
#undef SECTION
#undef STAT
#undef FINDING_STAT
};

/* A finding without a row is one of the client's. */
static const uint8_t finding_sections[FIND_LIMIT] = {
#define SECTION(name, word, doc)
#define STAT(name, number, section, text, metric, doc)
#define FINDING_STAT(finding, section) [FIND_##finding] = STAT_SECTION_##section,
#include "core/stat.def"
#undef SECTION
#undef STAT
#undef FINDING_STAT
};

static enum stat_section stage_section(unsigned stage)
{
    static const uint8_t of[STAGES] = {STAT_SECTION_CLIENTS, STAT_SECTION_CLIENTS, STAT_SECTION_MAIL,
                                       STAT_SECTION_RCPT,    STAT_SECTION_DATA,    STAT_SECTION_MESSAGES};
    return of[stage];
}

const char *stat_section_word(enum stat_section section)
{
    return sections[section].word;
}

const char *stat_section_doc(enum stat_section section)
{
    return sections[section].doc;
}

bool stat_section_parse(struct slice word, enum stat_section *ret_section)
{
    for (unsigned i = 0; i < STAT_SECTION_COUNT; i++)
        if (slice_equal_fold(word, slice_text(sections[i].word))) {
            *ret_section = (enum stat_section)i;
            return true;
        }
    return false;
}

unsigned stat_base(enum stat_section section)
{
    for (size_t i = 0; i < OWNS; i++)
        if (owns[i].section == section)
            return owns[i].number;
    return STAT_NONE;
}

/* --- numbers -------------------------------------------------------------------------------------------- */

unsigned stat_of_finding(uint64_t finding)
{
    return finding < FIND_LIMIT ? (unsigned)finding : STAT_NONE;
}

unsigned stat_of_verdict(uint64_t stage, uint64_t verdict, bool observed)
{
    if (stage >= STAGES || verdict >= VERDICTS)
        return STAT_NONE;
    return (observed ? STAT_OBSERVED : STAT_VERDICTS) + DECADE * (unsigned)stage + (unsigned)verdict;
}

unsigned stat_of_reply(uint64_t reply)
{
    return reply && reply < SAY_LIMIT ? STAT_REPLY_NUMBERS + (unsigned)reply : STAT_NONE;
}

unsigned stat_of_question(uint64_t kind)
{
    return kind && kind < ASK_KIND_LIMIT ? STAT_QUESTION_KINDS + (unsigned)kind : STAT_NONE;
}

static void name_print(struct stat_info *info, const char *before, const char *word)
{
    snprintf(info->name, sizeof info->name, "%s%s", before, word);
}

static bool finding_read(unsigned number, struct stat_info *info)
{
    const struct finding_info *finding = finding_info(number);
    if (!finding)
        return false;
    name_print(info, "", finding->word);
    info->section = (enum stat_section)finding_sections[number];
    info->doc = finding->doc;
    return true;
}

static bool verdict_read(unsigned place, bool observed, struct stat_info *info)
{
    unsigned stage = place / DECADE, verdict = place % DECADE;
    if (stage >= STAGES || verdict >= VERDICTS)
        return false;
    snprintf(info->name, sizeof info->name, "%s-%s%s", journal_stage_word(stage),
             journal_verdict_word(verdict), observed ? "-observed" : "");
    info->section = stage_section(stage);
    info->doc = observed ? "verdicts at this stage that were only observed: what would have been done"
                         : "verdicts at this stage, where anything weighed";
    return true;
}

static bool question_read(unsigned kind, struct stat_info *info)
{
    const char *word = kind < ASK_KIND_LIMIT ? ask_word((enum ask_kind)kind) : NULL;
    if (!word)
        return false;
    name_print(info, "ask-", word);
    info->section = STAT_SECTION_QUESTIONS;
    info->doc = "questions of this kind";
    return true;
}

/* RELAY_DENIED is reply-relay-denied. */
static bool reply_read(unsigned number, struct stat_info *info)
{
    const struct say_info *say = number < SAY_LIMIT ? say_info(number) : NULL;
    if (!say)
        return false;
    name_print(info, "reply-", say->name);
    for (char *at = info->name; *at; at++)
        *at = *at == '_' ? '-' : text_lower(*at);
    info->section = STAT_SECTION_REPLIES;
    info->doc = say->cause;
    return true;
}

static bool own_read(unsigned number, struct stat_info *info)
{
    const struct own *own = own_find(number);
    if (!own)
        return false;
    name_print(info, "", own->name);
    info->section = own->section;
    info->metric = own->metric;
    info->doc = own->doc;
    return true;
}

bool stat_info(unsigned number, struct stat_info *ret_info)
{
    ret_info->metric = "";
    if (number < OWN_FIRST)
        return number && finding_read(number, ret_info);
    if (number >= STAT_REPLY_NUMBERS)
        return reply_read(number - STAT_REPLY_NUMBERS, ret_info);
    if (number >= STAT_QUESTION_KINDS)
        return question_read(number - STAT_QUESTION_KINDS, ret_info);
    if (number >= STAT_VERDICTS && number < STAT_VERDICTS + 200)
        return verdict_read((number - STAT_VERDICTS) % 100, number >= STAT_OBSERVED, ret_info);
    return own_read(number, ret_info);
}

unsigned stat_parse(struct slice text)
{
    struct stat_info info;
    uint64_t number;
    if (text_parse_u64(text, &number))
        return number < STAT_LIMIT && stat_info((unsigned)number, &info) ? (unsigned)number : STAT_NONE;
    for (unsigned i = 1; i < STAT_LIMIT; i++)
        if (stat_info(i, &info) && slice_equal_fold(text, slice_text(info.name)))
            return i;
    return STAT_NONE;
}

/* Findings come last: what they relate to stands before them. */
unsigned stat_next(enum stat_section section, unsigned number)
{
    struct stat_info info;
    unsigned place = number ? (number + STAT_LIMIT - OWN_FIRST) % STAT_LIMIT + 1 : 0;
    for (; place < STAT_LIMIT; place++) {
        unsigned at = (place + OWN_FIRST) % STAT_LIMIT;
        if (stat_info(at, &info) && info.section == section)
            return at;
    }
    return 0;
}

unsigned stat_next_own(unsigned number)
{
    unsigned next = 0;
    for (size_t i = 0; i < OWNS; i++)
        if (owns[i].number > number && (!next || owns[i].number < next))
            next = owns[i].number;
    return next;
}
