#include "wire/conf_text.h"

#include "base/text.h"
#include "wire/conf_text_lex.h"

#include <string.h>

/*
 * text      = *( directive / line-end )
 * directive = name *( value / list ) ( line-end / block )
 * block     = "{" *( directive / line-end ) "}"     ; "}" ends the directive before it as well
 * list      = "[" *( value / "," / line-end ) "]"   ; no comma without a value before it
 * value     = word / string
 * name      = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
 */

#define VALUES_MIN 4

/* An open block, and where its next child is hung. Level 0 is the text itself. */
struct level {
    struct conf_node *node;
    struct conf_node **tail;
};

struct parser {
    struct conf_lex lex;
    struct conf_token token; /* the one at hand */
    struct arena *arena;
    struct conf_text *conf;
    struct level levels[CONF_DEPTH_MAX + 1];
    unsigned depth;
    unsigned beyond; /* blocks open past the depth that is allowed: read, and thrown away */
    size_t room;     /* values that the directive at hand has memory for */
};

/* Errors are kept in the order of the text, however late they are noticed. */
static void error_add(struct parser *parser, unsigned line, unsigned column, struct slice text)
{
    if (++parser->conf->error_count > CONF_ERRORS_MAX)
        return;
    struct conf_error **at = &parser->conf->errors;
    while (*at && ((*at)->line < line || ((*at)->line == line && (*at)->column <= column)))
        at = &(*at)->next;
    struct conf_error *error = arena_take(parser->arena, sizeof *error);
    *error = (struct conf_error){.next = *at, .line = line, .column = column, .text = text};
    *at = error;
}

static void error_here(struct parser *parser, struct slice text)
{
    error_add(parser, parser->token.line, parser->token.column, text);
}

static void token_next(struct parser *parser)
{
    for (;;) {
        conf_lex_next(&parser->lex, &parser->token);
        if (parser->token.kind != CONF_MISTAKE)
            return;
        error_here(parser, parser->token.text);
    }
}

static void give_up(struct parser *parser, struct slice text)
{
    error_here(parser, text);
    parser->lex.at = parser->lex.text.len;
    parser->depth = parser->beyond = 0;
    token_next(parser);
}

static bool name_is_good(const struct conf_token *token)
{
    if (token->kind != CONF_WORD || !text_is_alpha(token->text.at[0]))
        return false;
    for (size_t i = 0; i < token->text.len; i++) {
        char octet = token->text.at[i];
        if (!text_is_alnum(octet) && octet != '-' && octet != '_' && octet != '.')
            return false;
    }
    return true;
}

/* Values double their memory in the arena: what is left behind is at most as much again. */
static void value_add(struct parser *parser, struct conf_node *node, unsigned list)
{
    if (node->value_count == CONF_VALUES_MAX) {
        give_up(parser, SLICE("this directive has too many values; reading ends here"));
        return;
    }
    if (node->value_count == parser->room) {
        parser->room = parser->room ? parser->room * 2 : VALUES_MIN;
        struct conf_value *values = arena_take(parser->arena, parser->room * sizeof *values);
        if (node->value_count > 0)
            memcpy(values, node->values, node->value_count * sizeof *values);
        node->values = values;
    }
    const struct conf_token *token = &parser->token;
    node->values[node->value_count++] = (struct conf_value){.text = token->text,
                                                            .line = token->line,
                                                            .column = token->column,
                                                            .list = list,
                                                            .quoted = token->kind == CONF_STRING};
    token_next(parser);
}

/* The token at hand is the opening bracket. */
static void list_parse(struct parser *parser, struct conf_node *node, unsigned list)
{
    struct conf_token open = parser->token;
    bool value = false;
    token_next(parser);
    for (;;) {
        switch (parser->token.kind) {
        case CONF_WORD:
        case CONF_STRING:
            value = true;
            value_add(parser, node, list);
            continue;
        case CONF_COMMA:
            if (!value)
                error_here(parser, SLICE("expected a value before the comma"));
            value = false;
            break;
        case CONF_LIST_OPEN: error_here(parser, SLICE("a list cannot hold a list")); break;
        case CONF_LIST_CLOSE: token_next(parser); return;
        case CONF_LINE_END:
        case CONF_MISTAKE: break;
        case CONF_BLOCK_OPEN:
        case CONF_BLOCK_CLOSE:
        case CONF_END:
            error_add(parser, open.line, open.column,
                      SLICE("the list that begins here is not closed: expected ]"));
            return;
        }
        token_next(parser);
    }
}

static void block_open(struct parser *parser, struct conf_node *node)
{
    node->block = true;
    if (parser->beyond > 0 || parser->depth == CONF_DEPTH_MAX) {
        if (parser->beyond++ == 0)
            error_here(parser, SLICE("blocks are nested too deep"));
    } else {
        parser->levels[++parser->depth] = (struct level){.node = node, .tail = &node->children};
    }
    token_next(parser);
}

static void block_close(struct parser *parser)
{
    if (parser->beyond > 0)
        parser->beyond--;
    else if (parser->depth > 0)
        parser->depth--;
    else
        error_here(parser, SLICE("this } closes nothing"));
    token_next(parser);
}

/* What follows the name, up to and including the end of the line or the opening brace. */
static void values_parse(struct parser *parser, struct conf_node *node)
{
    unsigned lists = 0;
    parser->room = 0;
    for (;;) {
        switch (parser->token.kind) {
        case CONF_WORD:
        case CONF_STRING: value_add(parser, node, 0); continue;
        case CONF_LIST_OPEN: list_parse(parser, node, ++lists); continue;
        case CONF_LIST_CLOSE: error_here(parser, SLICE("this ] closes nothing")); break;
        case CONF_COMMA: error_here(parser, SLICE("a comma stands in lists only: [ a, b ]")); break;
        case CONF_MISTAKE: break;
        case CONF_BLOCK_OPEN: block_open(parser, node); return;
        case CONF_LINE_END: token_next(parser); return;
        case CONF_BLOCK_CLOSE:
        case CONF_END: return;
        }
        token_next(parser);
    }
}

static void directive_parse(struct parser *parser)
{
    struct conf_node *node = arena_take(parser->arena, sizeof *node);
    struct level *level = &parser->levels[parser->depth];
    *node = (struct conf_node){.line = parser->token.line, .column = parser->token.column};
    if (++parser->conf->node_count > CONF_NODES_MAX) {
        give_up(parser, SLICE("there are too many directives; reading ends here"));
        return;
    }
    if (name_is_good(&parser->token)) {
        node->name = parser->token.text;
        token_next(parser);
        if (parser->beyond == 0) {
            *level->tail = node;
            level->tail = &node->next;
        }
    } else {
        error_here(parser,
                   SLICE("expected the name of a directive here: a letter, then letters, digits, - _ ."));
        if (parser->token.kind != CONF_BLOCK_OPEN && parser->token.kind != CONF_LIST_OPEN)
            token_next(parser);
    }
    values_parse(parser, node);
}

static void text_parse(struct parser *parser)
{
    token_next(parser);
    while (parser->token.kind != CONF_END) {
        if (parser->token.kind == CONF_LINE_END)
            token_next(parser);
        else if (parser->token.kind == CONF_BLOCK_CLOSE)
            block_close(parser);
        else
            directive_parse(parser);
    }
    for (; parser->depth > 0; parser->depth--) {
        const struct conf_node *node = parser->levels[parser->depth].node;
        error_add(parser, node->line, node->column,
                  SLICE("the block that begins here is not closed: expected }"));
    }
}

bool conf_text_parse(struct slice text, struct arena *arena, struct conf_text *ret_conf)
{
    *ret_conf = (struct conf_text){.first = NULL};
    struct parser parser = {.arena = arena, .conf = ret_conf};
    parser.levels[0].tail = &ret_conf->first;
    if (text.len > CONF_SIZE_MAX)
        error_add(&parser, 1, 1, SLICE("the file is too large: at most 4 MiB"));
    else
        conf_lex_init(&parser.lex, text, arena);
    if (ret_conf->error_count == 0)
        text_parse(&parser);
    return ret_conf->error_count == 0;
}
