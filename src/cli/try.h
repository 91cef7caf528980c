/* What the files of `postern try` share: try.c leads the dialogue, try_answer.c is what is known, try_show.c
 * says what came of it. */
#ifndef CLI_TRY_H
#define CLI_TRY_H

#include "cli/cli.h"
#include "daemon/lookup.h"
#include "daemon/trial.h"
#include "journal/history.h"

#define TRY_RECIPIENTS 100

struct try_recipient {
    struct slice address;
    unsigned code;      /* 0: it was not said any more */
    struct slice reply; /* with its line ends */
};

struct
try {
    const struct cli *cli;
    struct site *site;
    struct arena arena;
    struct trial *trial;
    struct lookups *lookups;    /* name servers with --dns alone */
    struct store *store;        /* what the gates remember, or an empty one */
    bool store_stays;           /* it is the gates' */
    struct error store_trouble; /* why that cannot be read, or empty */
    struct address client;
    struct slice ptr; /* in lower case; empty: the client has none, where has_ptr */
    bool has_ptr;
    struct slice helo, sender;
    bool has_sender, has_message;
    struct buf message;
    struct try_recipient recipients[TRY_RECIPIENTS];
    size_t recipient_count, accepted;
    struct slice value; /* of the last answer */
    /* what came of it */
    struct slice heard; /* the last reply, with its line ends */
    struct slice reply; /* the one before QUIT */
    bool passed;        /* all that was to be said was taken, or some recipient at least */
};

/* --ptr and --fact, as they were given. False: the mistake was told. */
bool try_facts(struct try *try);
/* For struct trial_settings; data is the struct try. */
bool try_answer(void *data, enum ask_kind kind, struct slice key, struct answer *ret_answer);
void try_show(const struct try *try, const struct history *history);

#endif
