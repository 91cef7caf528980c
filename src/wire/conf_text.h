/* The grammar of the configuration file, apart from what the words mean.
 *
 *     name value value …             # a directive ends with its line
 *     name value … {                 # a block holds directives and blocks
 *         name "value with blanks"
 *     }
 *     name [ value, value,           # a list goes on until it is closed
 *            value ]
 *     name value \                   # a backslash at the end of a line continues it
 *          value
 *
 * `#` begins a comment where a word could begin. Quoted strings know \" \\ \n and end on their line.
 * `include` is a directive like any other: the reader of the file does it. All mistakes are listed: after one
 * the reader goes on at the next line, or at the closing brace. */
#ifndef WIRE_CONF_TEXT_H
#define WIRE_CONF_TEXT_H

#include "base/arena.h"
#include "base/slice.h"

#define CONF_DEPTH_MAX  8
#define CONF_SIZE_MAX   (4u * 1024 * 1024) /* octets of one file */
#define CONF_VALUES_MAX 10000              /* of one directive */
#define CONF_NODES_MAX  100000
#define CONF_ERRORS_MAX 100 /* further ones are counted, not kept */

struct conf_value {
    struct slice text; /* unquoted; into the text or the arena */
    unsigned line, column;
    unsigned list; /* the number of the list it stands in, from 1 within its directive; 0: in none */
    bool quoted;
};

struct conf_node {
    struct slice name;
    struct conf_value *values; /* value_count of them, in the arena */
    size_t value_count;
    struct conf_node *children; /* the first one; the others by next */
    struct conf_node *next;
    unsigned line, column; /* of the name, from 1; a column counts octets */
    bool block;            /* it had braces, perhaps with nothing in them */
};

struct conf_error {
    struct conf_error *next;
    unsigned line, column;
    struct slice text; /* a sentence without a final dot */
};

struct conf_text {
    struct conf_node *first;
    struct conf_error *errors; /* in the order of the text */
    size_t node_count;         /* directives met, the malformed ones among them */
    size_t error_count;        /* all of them, kept or not */
};

/* Everything in the result lives as long as the arena and the text. True: no mistakes. */
bool conf_text_parse(struct slice text, struct arena *arena, struct conf_text *ret_conf);

#endif
