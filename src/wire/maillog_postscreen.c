#include "wire/maillog_postscreen.h"

#include "wire/maillog_postfix.h"

/* How a message begins, and behind which word its client stands; empty: right behind the beginning. */
struct form {
    struct slice begin;
    struct slice before;
    enum maillog_kind kind;
};

#define FORM(begin, before, kind)                                                                            \
    {                                                                                                        \
        {begin, sizeof(begin) - 1}, {before, sizeof(before) - 1}, kind                                       \
    }

static const struct form forms[] = {
    FORM("CONNECT from ", "", MAILLOG_CONNECTED),
    FORM("DISCONNECT ", "", MAILLOG_DISCONNECTED),
    FORM("PREGREET ", " from ", MAILLOG_EARLY),
    FORM("COMMAND PIPELINING from ", "", MAILLOG_EARLY),
    FORM("NON-SMTP COMMAND from ", "", MAILLOG_FOREIGN),
    FORM("HANGUP after ", " from ", MAILLOG_LOST),
    FORM("COMMAND TIME LIMIT from ", "", MAILLOG_LOST),
    FORM("COMMAND COUNT LIMIT from ", "", MAILLOG_LOST),
    FORM("COMMAND LENGTH LIMIT from ", "", MAILLOG_LOST),
    /* Handed over to smtpd, which tells the rest. */
    FORM("PASS NEW ", "", MAILLOG_DISCONNECTED),
    FORM("PASS OLD ", "", MAILLOG_DISCONNECTED),
    FORM("DNSBL rank ", "", MAILLOG_NOTHING),
    FORM("BARE NEWLINE from ", "", MAILLOG_NOTHING),
    FORM("WHITELISTED ", "", MAILLOG_NOTHING),
    FORM("ALLOWLISTED ", "", MAILLOG_NOTHING),
    FORM("BLACKLISTED ", "", MAILLOG_NOTHING),
    FORM("DENYLISTED ", "", MAILLOG_NOTHING),
    FORM("WHITELIST VETO ", "", MAILLOG_NOTHING),
    FORM("ALLOWLIST VETO ", "", MAILLOG_NOTHING),
    FORM("cache ", "", MAILLOG_NOTHING),
    FORM("warning: ", "", MAILLOG_NOTHING),
    FORM("fatal: ", "", MAILLOG_NOTHING),
    FORM("error: ", "", MAILLOG_NOTHING),
    FORM("panic: ", "", MAILLOG_NOTHING),
    FORM("close database ", "", MAILLOG_NOTHING),
    FORM("entering STRESS mode", "", MAILLOG_NOTHING),
    FORM("leaving STRESS mode", "", MAILLOG_NOTHING),
    FORM("reload ", "", MAILLOG_NOTHING),
    FORM("daemon started", "", MAILLOG_NOTHING),
    FORM("table ", "", MAILLOG_NOTHING),
};

static void form_read(const struct form *form, struct slice text, struct maillog_record *record)
{
    text = slice_from(text, form->begin.len);
    if (form->kind != MAILLOG_NOTHING && form->before.len) {
        const size_t at = slice_find_slice(text, form->before);
        text = slice_from(text, at == SLICE_NOT_FOUND ? text.len : at + form->before.len);
    }
    if (form->kind == MAILLOG_NOTHING || maillog_take_client(&text, record))
        record->kind = form->kind;
}

void maillog_postscreen_parse(struct slice message, struct maillog_record *ret_record)
{
    *ret_record = (struct maillog_record){.kind = MAILLOG_UNKNOWN};
    if (slice_starts(message, SLICE("NOQUEUE: "))) {
        if (!maillog_postfix_refusal(slice_from(message, 9), ret_record))
            ret_record->kind = MAILLOG_UNKNOWN;
        return;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (slice_starts(message, forms[i].begin)) {
            form_read(&forms[i], message, ret_record);
            return;
        }
}
