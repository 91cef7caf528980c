/* The words of the configuration text: what conf_text.c parses. Not for others. */
#ifndef WIRE_CONF_TEXT_LEX_H
#define WIRE_CONF_TEXT_LEX_H

#include "base/arena.h"
#include "base/slice.h"

enum conf_token_kind {
    CONF_WORD,
    CONF_STRING,
    CONF_BLOCK_OPEN,
    CONF_BLOCK_CLOSE,
    CONF_LIST_OPEN,
    CONF_LIST_CLOSE,
    CONF_COMMA,
    CONF_LINE_END,
    CONF_MISTAKE, /* `text` says what; the lexer stands behind it */
    CONF_END
};

struct conf_token {
    enum conf_token_kind kind;
    struct slice text; /* WORD, STRING: unquoted, into the text or the arena */
    unsigned line, column;
};

struct conf_lex {
    struct slice text;
    size_t at;
    size_t line_begin; /* where the line at hand begins */
    unsigned line;     /* from 1 */
    struct arena *arena;
};

void conf_lex_init(struct conf_lex *lex, struct slice text, struct arena *arena);
void conf_lex_next(struct conf_lex *lex, struct conf_token *ret_token);

#endif
