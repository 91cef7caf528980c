/* What every subcommand of `postern` has in common.
 *
 * A subcommand is one file with one `const struct cli_command command_NAME`, declared below and listed in
 * commands.c. Options are parsed by its table before it runs, --help, the completion and the manual's test
 * come from the same table; -c FILE, --json and --help are everybody's. What is for programs (--json) goes to
 * standard output, one object a line where there are many; complaints go to standard error. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "core/site.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* what was asked for could not be done, or is not there */
    CLI_USAGE = 64, /* the command line is wrong (sysexits.h) */
    CLI_CONFIG = 78 /* the configuration has mistakes */
};

struct cli;

struct cli_option {
    char letter;          /* -n, or 0: it has none */
    const char *name;     /* "count" for --count; the last row has NULL */
    const char *argument; /* "N", or NULL: it takes none */
    const char *doc;      /* "show at most N" */
};

struct cli_command {
    const char *name;
    /* argv[0] is the command's name; what follows are the arguments that are no options. Returns the exit
     * status. */
    int (*run)(struct cli *cli, int argc, char **argv);
    const char *summary;              /* one line, no capital, no dot: "show what waits in the queue" */
    const char *arguments;            /* behind the options: "[ID ...]", or "" */
    int arguments_min, arguments_max; /* -1: any number */
    const struct cli_option *options; /* its own; NULL: it has none */
    const char *help;     /* paragraphs of whole lines, each line below 80 octets, the last with its \n */
    const char *examples; /* whole lines "postern queue list\n", tried by the manual's test; NULL: none */
};

struct cli {
    const char *file; /* of the configuration: -c FILE, or the default */
    const struct cli_command *command;
    bool json;       /* --json */
    bool colour;     /* standard output is a terminal, and NO_COLOR is not set */
    bool file_given; /* -c was there */
    struct cli_given *given;
    size_t given_count;
};

/* The option's argument, "" for one without, NULL where it was not given. The last one counts. */
const char *cli_option(const struct cli *cli, const char *name);
/* Each time it was given: index from 0; NULL at the end. */
const char *cli_option_each(const struct cli *cli, const char *name, size_t index);
/* The option's argument as a number or a duration (milliseconds); `otherwise` where it was not given. False:
 * the mistake was told, return CLI_USAGE. */
bool cli_option_number(const struct cli *cli, const char *name, uint64_t otherwise, uint64_t *ret_value);
bool cli_option_duration(const struct cli *cli, const char *name, uint64_t otherwise, uint64_t *ret_ms);

/* --- the configuration and the running gate ------------------------------------------------------------ */

/* NULL: there are mistakes; they were told, return CLI_CONFIG. Else the caller's, to be ended by site_free.
 * The files that it names are not looked at. */
struct site *cli_site(const struct cli *cli);

struct cli_call {
    const char
        *socket; /* "postern.sock", "courier.sock", "keeper.sock" or "archivist.sock", in run-directory */
    struct slice request;                        /* one line of JSON without its end */
    void (*line)(void *data, struct slice json); /* each answer but the last; may be NULL */
    void *data;
    uint64_t wait_ms; /* for each line; 0: 10 seconds */
    bool quiet;       /* nothing is told of a failure */
};

/* CLI_OK, or CLI_FAILED with a sentence told (unless quiet): that the gate does not run, or why it refused.
 */
int cli_call(const struct cli *cli, const struct site *site, const struct cli_call *call);

/* What the supervisor is told to do, and what is printed once that is done. */
struct cli_order {
    struct slice request;
    unsigned stops;   /* how many times stop-within it may take … */
    uint64_t more_ms; /* … and so much more */
    const char *json, *text;
};

/* All of such a command: its exit status. */
int cli_order(const struct cli *cli, const struct cli_order *order);

/* Who has run the command, also behind sudo(8): a login name, or "?". */
const char *cli_person(void);

/* --- saying things ------------------------------------------------------------------------------------- */

/* "postern queue: there is no message x\n" on standard error. Returns CLI_FAILED. */
int cli_fail(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a wrong command line, with a hint at --help. Returns CLI_USAGE. */
int cli_fail_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum cli_style {
    CLI_STYLE_PLAIN,
    CLI_STYLE_HEAD, /* bold */
    CLI_STYLE_DIM,
    CLI_STYLE_GOOD,    /* green */
    CLI_STYLE_WARNING, /* yellow */
    CLI_STYLE_BAD,     /* red */
    CLI_STYLE_CLIENT,  /* bold red: what the client sent */
    CLI_STYLE_SERVER,  /* underlined blue: what the server sent */
    CLI_STYLE_COMMENT  /* italic green */
};

/* The escape sequence that begins the style (PLAIN ends any); empty without colour. */
const char *cli_style(const struct cli *cli, enum cli_style style);

/* To standard output; main tells when that fails. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text of a stranger's: what could steer a terminal is escaped. */
void cli_print_text(struct slice text);
/* Whole paragraphs, broken at blanks to `width` columns, each line behind `indent` blanks. */
void cli_print_wrapped(struct slice text, unsigned indent, unsigned width);
/* The buf as one line, then it is empty: JSON that was made in it. */
void cli_print_line(struct buf *buf);

/* On standard error, where that is a terminal: "text  42 %", over itself. total 0: no percentage. */
void cli_progress(const char *text, uint64_t done, uint64_t total);
void cli_progress_end(void);

/* --- tables -------------------------------------------------------------------------------------------- */

#define CLI_COLUMNS_MAX 16

struct cli_table; /* rows are kept until the end, for the widths */

/* heads: NULL-terminated; one that begins with '>' is a column of numbers, set at the right. */
struct cli_table *cli_table_new(const char *const *heads);
/* A cell of the row at hand; a row begins by itself. Text is copied, and escaped as by cli_print_text. */
void cli_table_add(struct cli_table *table, struct slice text);
void cli_table_add_number(struct cli_table *table, uint64_t value);
/* Prints it (nothing but the heads where there are no rows) and gives it back. */
void cli_table_end(struct cli_table *table, const struct cli *cli);

/* --- the subcommands ----------------------------------------------------------------------------------- */

extern const struct cli_command command_blocks;
extern const struct cli_command command_allow;
extern const struct cli_command command_campaigns;
extern const struct cli_command command_check_config;
extern const struct cli_command command_completion;
extern const struct cli_command command_explain;
extern const struct cli_command command_help;
extern const struct cli_command command_history;
extern const struct cli_command command_journal;
extern const struct cli_command command_known;
extern const struct cli_command command_play;
extern const struct cli_command command_queue;
extern const struct cli_command command_replay;
extern const struct cli_command command_report;
extern const struct cli_command command_sessions;
extern const struct cli_command command_reload;
extern const struct cli_command command_scan_log;
extern const struct cli_command command_serve;
extern const struct cli_command command_stats;
extern const struct cli_command command_status;
extern const struct cli_command command_stop;
extern const struct cli_command command_try;
extern const struct cli_command command_why;

extern const struct cli_command *const cli_commands[]; /* NULL-terminated, in the order of --help */
const struct cli_command *cli_command_find(struct slice name);

extern const struct cli_option cli_options_common[]; /* -c, --json, -h */

void cli_print_help(const struct cli *cli);                                            /* of the program */
void cli_print_command_help(const struct cli *cli, const struct cli_command *command); /* of one */

/* Takes options out of argv, wherever they stand: afterwards argc and argv hold the rest. False: the mistake
 * was told. Without a command it stops at the first argument. */
bool cli_options_parse(struct cli *cli, int *argc, char **argv);
void cli_options_drop(struct cli *cli);

#endif
