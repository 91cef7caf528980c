/* What is known in a trial: what --ptr and --fact say. */
#include "cli/try.h"

#include "base/text.h"

/* Names in questions are in lower case. */
static struct slice lower(struct arena *arena, struct slice text)
{
    char *copy = arena_take(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = text_lower(text.at[i]);
    return slice_of(copy, text.len);
}

/* "KIND KEY = STATUS [VALUE]" */
struct fact {
    enum ask_kind kind;
    struct slice key; /* * stands for anything */
    struct answer answer;
};

static bool status_parse(struct slice word, enum answer_status *ret_status)
{
    for (enum answer_status status = ANSWER_FOUND; status <= ANSWER_FAILED; status++)
        if (slice_equal(word, slice_text(answer_word(status)))) {
            *ret_status = status;
            return true;
        }
    return false;
}

static bool fact_parse(const char *text, struct fact *ret_fact)
{
    struct slice rest = slice_text(text), word;

    *ret_fact = (struct fact){0};
    if (slice_find(rest, '=') == SLICE_NOT_FOUND || !slice_word(&rest, &word) ||
        !ask_kind_parse(word, &ret_fact->kind))
        return false;
    (void)slice_cut(&rest, '=', &ret_fact->key);
    ret_fact->key = slice_trim(ret_fact->key);
    if (!ret_fact->key.len || !slice_word(&rest, &word) || !status_parse(word, &ret_fact->answer.status))
        return false;
    ret_fact->answer.value = slice_trim(rest);
    return true;
}

bool try_facts(struct try *try)
{
    const char *ptr = cli_option(try->cli, "ptr"), *text;
    struct fact fact;

    try->has_ptr = ptr;
    if (ptr && !slice_equal(slice_text(ptr), SLICE("none")))
        try->ptr = lower(&try->arena, slice_text(ptr));
    for (size_t i = 0; (text = cli_option_each(try->cli, "fact", i)); i++)
        if (!fact_parse(text, &fact)) {
            (void)cli_fail_usage(try->cli,
                                 "--fact cannot be \"%s\": expected \"KIND KEY = STATUS [VALUE]\", such as "
                                 "\"mx example.org = none\"",
                                 text);
            return false;
        }
    return true;
}

static bool fact_answers(const struct try *try, enum ask_kind kind, struct slice key,
                         struct answer *ret_answer)
{
    struct fact fact;
    const char *text;

    for (size_t i = 0; (text = cli_option_each(try->cli, "fact", i)); i++)
        if (fact_parse(text, &fact) && fact.kind == kind && text_match(fact.key, key)) {
            *ret_answer = fact.answer;
            return true;
        }
    return false;
}

/* The name of --ptr points back, so that it is confirmed. */
static bool ptr_answers(struct try *try, enum ask_kind kind, struct slice key, struct answer *ret_answer)
{
    const bool six = try->client.family == ADDRESS_IPV6;
    char address[ADDRESS_TEXT_SIZE];

    const struct slice shown = slice_of(address, address_print(&try->client, address));
    if (kind == ASK_POINTER && slice_equal(key, shown)) {
        ret_answer->status = try->ptr.len ? ANSWER_FOUND : ANSWER_NONE;
        ret_answer->value = try->ptr.len ? try->ptr : SLICE("no such name");
        return true;
    }
    if ((kind != ASK_ADDRESS4 && kind != ASK_ADDRESS6) || !try->ptr.len || !slice_equal(key, try->ptr))
        return false;
    const bool its_own = (kind == ASK_ADDRESS6) == six;
    ret_answer->status = its_own ? ANSWER_FOUND : ANSWER_NONE;
    ret_answer->value = its_own ? arena_copy(&try->arena, shown) : SLICE("no such data");
    return true;
}

bool try_answer(void *data, enum ask_kind kind, struct slice key, struct answer *ret_answer)
{
    struct try *try = data;

    return fact_answers(try, kind, key, ret_answer) ||
           (try->has_ptr && ptr_answers(try, kind, key, ret_answer));
}
