/* The annotated view's comments over findings and verdicts, and what it says behind the dialogue: what was
 * noticed, how it added up, what would have happened otherwise, and what the sender can do. */
#include "journal/annotate.h"

#include "journal/phrase.h"
#include "journal/words.h"

#define NOTICED_EACH 5 /* lines of one finding in the list behind the dialogue */

/* --- findings ------------------------------------------------------------------------------------------ */

static bool is_kept(const struct annotate *annotate, const struct event_finding *found)
{
    for (size_t i = 0; i < annotate->found_count; i++)
        if (annotate->found[i].finding == found->finding &&
            slice_equal(annotate->found[i].evidence, found->evidence))
            return true;
    return false;
}

static void keep(struct annotate *annotate, const struct event_finding *found)
{
    const int64_t weight = (int64_t)found->weight - (int64_t)found->relief;
    annotate->found[annotate->found_count++] = (struct annotate_found){
        found->finding, found->evidence, found->mode == MODE_ENFORCE ? weight : 0,
        found->mode == MODE_ENFORCE};
}

static void weight(struct annotate *annotate, const struct event_finding *found, bool again)
{
    const struct finding_info *info = found->finding < FIND_LIMIT ? finding_info((unsigned)found->finding)
                                                                  : NULL;
    if (found->mode != MODE_ENFORCE)
        annotate_note(annotate, "It is only noted here and does not count.");
    else if (again)
        annotate_note(annotate, "It counts once.");
    else if (found->relief)
        annotate_note(annotate, "It speaks for them: %s less on the scale.",
                      annotate_number(annotate, found->relief));
    else if (found->weight && annotate->threshold)
        annotate_note(annotate, "On our scale it weighs %s, which makes %s; from %s on we refuse.",
                      annotate_number(annotate, found->weight),
                      annotate_number(annotate, (uint64_t)annotate_sum(annotate)),
                      annotate_number(annotate, annotate->threshold));
    else if (found->weight)
        annotate_note(annotate, "On our scale it weighs %s, which makes %s.",
                      annotate_number(annotate, found->weight),
                      annotate_number(annotate, (uint64_t)annotate_sum(annotate)));
    else if (info && info->action != ACTION_NONE)
        annotate_note(annotate, "It has no weight: it decides by itself.");
    else
        annotate_note(annotate, "It weighs nothing.");
}

static void finding(struct annotate *annotate)
{
    const struct event_finding *found = &annotate->event->body.finding;
    const struct finding_phrase *phrase = phrase_finding(found->finding);
    const bool again = is_kept(annotate, found);
    if (!again)
        keep(annotate, found);
    if (!phrase) {
        annotate_note(annotate, "%s", phrase_event(EVENT_KIND_finding));
        return;
    }
    if (again)
        annotate_note(annotate, "Once more:");
    annotate_note(annotate, "We notice: %s.", phrase->because);
    annotate_note_once(annotate, &annotate->said_finding[found->finding], phrase->means);
    if (found->finding == FIND_HELO_UNVERIFIED || found->finding == FIND_HELO_MISMATCH)
        annotate_note(annotate, "All that we know for sure is their address: %s.", annotate_peer(annotate));
    weight(annotate, found, again);
}

/* --- verdicts ------------------------------------------------------------------------------------------ */

static bool decides_alone(const struct event_verdict *verdict)
{
    return verdict->finding && phrase_finding(verdict->finding) && verdict->verdict != ACTION_NONE;
}

static void sum(struct annotate *annotate, const struct event_verdict *verdict)
{
    const char *parts = "";
    if (!verdict->sum)
        return;
    if (verdict->parts.len)
        parts =
            arena_format(&annotate->document->arena, " (%s)", annotate_shown(annotate, verdict->parts)).at;
    if (!verdict->threshold)
        annotate_note(annotate, "Everything that was noticed weighs %s%s.",
                      annotate_number(annotate, verdict->sum), parts);
    else if (verdict->sum >= verdict->threshold)
        annotate_note(annotate, "Everything that was noticed weighs %s%s, and from %s on we refuse.",
                      annotate_number(annotate, verdict->sum), parts,
                      annotate_number(annotate, verdict->threshold));
    else
        annotate_note(
            annotate, "Everything that was noticed weighs %s%s; from %s on we refuse, so %s %s missing.",
            annotate_number(annotate, verdict->sum), parts, annotate_number(annotate, verdict->threshold),
            annotate_number(annotate, verdict->threshold - verdict->sum),
            verdict->threshold - verdict->sum == 1 ? "is" : "are");
}

/* Of a verdict that was not done, the record holds what was decided: pass, but for one that was observed. */
static void not_done(struct annotate *annotate, const struct event_verdict *verdict)
{
    const char *phrase = phrase_otherwise(verdict->verdict);
    if (verdict->spared.len)
        annotate_note(annotate, "It would have been reason enough to turn them away, but it is not done: %s.",
                      annotate_shown(annotate, verdict->spared));
    else
        annotate_note(annotate,
                      "Were these rules in force, %s; but here they are only tried out, so nothing is "
                      "done.",
                      phrase ? phrase : "something would have been done");
}

static void verdict(struct annotate *annotate)
{
    const struct event_verdict *verdict = &annotate->event->body.verdict;
    const struct finding_phrase *finding = phrase_finding(verdict->finding);
    const char *phrase = phrase_verdict(verdict->verdict), *stage = phrase_stage(verdict->stage);
    annotate_note(annotate, "%s, it is decided what is to be done.", stage ? stage : "Now");
    annotate->comment.at[0] = (char)(annotate->comment.at[0] & ~0x20); /* a sentence begins */
    if (decides_alone(verdict))
        annotate_note(annotate, "One thing is reason enough: %s.", finding->because);
    sum(annotate, verdict);
    if (verdict->observed || verdict->spared.len) {
        annotate->observed = annotate->observed || verdict->observed;
        not_done(annotate, verdict);
        return;
    }
    annotate_note(annotate, "%s", phrase ? phrase : phrase_event(EVENT_KIND_verdict));
    if (verdict->override.len)
        annotate_note(annotate, "A rule of the administrator counts here (%s).",
                      annotate_shown(annotate, verdict->override));
    annotate->decided = verdict->finding;
    annotate->judged = verdict->verdict && verdict->finding;
    annotate->sheds = verdict->verdict == ACTION_DISCARD || verdict->verdict == ACTION_TRAP;
}

void annotate_judgement(struct annotate *annotate)
{
    if (annotate->event->kind == EVENT_KIND_finding)
        finding(annotate);
    else
        verdict(annotate);
}

/* --- behind the dialogue ------------------------------------------------------------------------------- */

static void noticed_line(struct annotate *annotate, const struct annotate_found *found)
{
    struct document *document = annotate->document;
    const struct finding_phrase *phrase = phrase_finding(found->finding);
    const char *evidence = annotate_shown(annotate, found->evidence);
    document_add(document, &(struct document_line){
                               .style = DOCUMENT_FINDING,
                               .lead = arena_format(&document->arena, "%4lld  ", (long long)found->weight),
                               .text = arena_format(&document->arena, "%s%s%s%s%s%s",
                                                    journal_finding_word(found->finding), phrase ? ": " : "",
                                                    phrase ? phrase->because : "", *evidence ? " (" : "",
                                                    evidence, *evidence ? ")" : ""),
                           });
}

/* Of what was found again and again the first few stand for all. */
static void noticed(struct annotate *annotate)
{
    unsigned shown[FIND_LIMIT] = {0};
    if (!annotate->found_count)
        return;
    document_format(annotate->document, DOCUMENT_HEADING, "What was noticed");
    for (size_t i = 0; i < annotate->found_count; i++) {
        const uint64_t finding = annotate->found[i].finding;
        if (finding < FIND_LIMIT && shown[finding]++ < NOTICED_EACH)
            noticed_line(annotate, &annotate->found[i]);
    }
    for (unsigned finding = 0; finding < FIND_LIMIT; finding++)
        if (shown[finding] > NOTICED_EACH)
            document_format(annotate->document, DOCUMENT_PLAIN, "      and %s more of %s",
                            annotate_number(annotate, shown[finding] - NOTICED_EACH),
                            journal_finding_word(finding));
}

/* Which single finding made the difference. */
static void without_one(struct annotate *annotate, const struct summary_cause *cause)
{
    struct slice rest = cause->parts, word;
    int64_t part;
    unsigned count = 0;
    while (summary_part(&rest, &word, &part)) {
        enum finding finding = FIND_NOTHING;
        const struct finding_phrase *phrase = finding_parse(word, &finding) ? phrase_finding(finding) : NULL;
        if (!phrase || part <= 0 || (int64_t)cause->sum - part >= (int64_t)cause->threshold)
            continue;
        annotate_note(annotate, "%s that %s, the sum would have been %lld, too little to refuse.",
                      count++ ? "Or were it not" : "Were it not", phrase->because,
                      (long long)((int64_t)cause->sum - part));
    }
    if (!count)
        annotate_note(annotate,
                      "No single one of these made the difference: without any one of them the rest "
                      "would still have been enough.");
}

/* What the rest weighs without the finding that decided. Where the record does not tell the parts, they are
 * those of the findings. */
static int64_t sum_without(const struct annotate *annotate, const struct summary_cause *cause)
{
    struct slice rest = cause->parts, word;
    const char *decided = journal_finding_word(cause->finding);
    int64_t part, sum = 0;
    for (size_t i = 0; !rest.len && i < annotate->found_count; i++)
        if (annotate->found[i].finding != cause->finding)
            sum += annotate->found[i].weight;
    while (summary_part(&rest, &word, &part))
        if (!slice_equal(word, slice_text(decided)))
            sum += part;
    return sum > 0 ? sum : 0;
}

/* Another finding that would by default have been enough to turn them away. */
static const struct finding_phrase *other_reason(const struct annotate *annotate, uint64_t decided)
{
    for (size_t i = 0; i < annotate->found_count; i++) {
        const struct annotate_found *found = &annotate->found[i];
        const struct finding_info *info = found->finding < FIND_LIMIT ? finding_info((unsigned)found->finding)
                                                                      : NULL;
        if (found->finding != decided && found->enforced && info &&
            action_strength(info->action) >= action_strength(ACTION_DEFER))
            return phrase_finding(found->finding);
    }
    return NULL;
}

static void without_it(struct annotate *annotate, const struct summary_cause *cause)
{
    const struct finding_phrase *phrase = phrase_finding(cause->finding);
    const struct finding_phrase *other = other_reason(annotate, cause->finding);
    const int64_t rest = sum_without(annotate, cause);
    const char *threshold = annotate_number(annotate, cause->threshold);
    if (!phrase)
        return;
    annotate_note(annotate, "One thing decided: %s.", phrase->because);
    if (annotate->observed)
        annotate_note(annotate,
                      "Without it they could have gone on: the other rules are only tried out here.");
    else if (cause->threshold && rest >= (int64_t)cause->threshold)
        annotate_note(annotate,
                      "But even without it we would have refused: the rest weighs %lld, and from %s on we "
                      "refuse.",
                      (long long)rest, threshold);
    else if (other)
        annotate_note(annotate, "But even without it there was reason enough: %s.", other->because);
    else if (rest && cause->threshold)
        annotate_note(annotate,
                      "Without it the rest weighs %lld, and from %s on we refuse: they could have gone on.",
                      (long long)rest, threshold);
    else
        annotate_note(annotate,
                      "Without it nothing that weighs would have spoken against them, and they could have "
                      "gone on.");
}

static void otherwise(struct annotate *annotate)
{
    const struct summary_cause *cause = &annotate->summary->cause;
    if (!cause->verdict || (!cause->finding && !cause->parts.len))
        return;
    document_format(annotate->document, DOCUMENT_HEADING, "What would have happened otherwise");
    if (cause->finding)
        without_it(annotate, cause);
    else
        without_one(annotate, cause);
    annotate_flush(annotate);
}

static void remedies(struct annotate *annotate)
{
    const struct summary_cause *cause = &annotate->summary->cause;
    const struct finding_phrase *phrase = phrase_finding(cause->finding);
    const struct say_info *info = cause->number < SAY_LIMIT ? say_info((unsigned)cause->number) : NULL;
    struct slice rest = cause->parts, word;
    int64_t part;
    if (!cause->number && !cause->verdict)
        return;
    document_format(annotate->document, DOCUMENT_HEADING, "What the sender can do");
    if (phrase || cause->finding || !cause->parts.len) {
        annotate_note(annotate, "%s", phrase ? phrase->remedy : info ? info->remedy : "Ask the postmaster.");
    } else {
        while (summary_part(&rest, &word, &part)) {
            enum finding finding = FIND_NOTHING;
            phrase = finding_parse(word, &finding) ? phrase_finding(finding) : NULL;
            if (phrase && part > 0)
                annotate_note(annotate, "%s", phrase->remedy);
            annotate_flush(annotate);
        }
    }
    annotate_flush(annotate);
}

void annotate_closing(struct annotate *annotate)
{
    annotate->event = NULL;
    buf_clear(&annotate->comment);
    noticed(annotate);
    otherwise(annotate);
    remedies(annotate);
}
