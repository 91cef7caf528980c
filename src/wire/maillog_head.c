#include "wire/maillog_head.h"

#include "base/text.h"

/*
 * line    = stamp [ "<" facility ">" SP ] host SP program [ "[" pid "]" ] [ ":" ] SP [ solaris ] message
 * solaris = "[ID " *octet "] "
 * 5424    = stamp host SP program SP pid SP msgid SP ( "-" / 1*( "[" *octet "]" ) ) [ SP message ]
 */

struct program_word {
    struct slice word;
    enum maillog_program program;
};

static enum maillog_program find_word(const struct program_word *words, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(name, words[i].word))
            return words[i].program;
    return MAILLOG_OTHER;
}

#define WORD(literal, program)                                                                               \
    {                                                                                                        \
        {literal, sizeof(literal) - 1}, program                                                              \
    }

/* The most frequent ones first. */
static const struct program_word postfix_words[] = {
    WORD("smtpd", MAILLOG_SMTPD),
    WORD("qmgr", MAILLOG_QMGR),
    WORD("cleanup", MAILLOG_CLEANUP),
    WORD("postscreen", MAILLOG_POSTSCREEN),
    WORD("smtp", MAILLOG_DELIVERY),
    WORD("lmtp", MAILLOG_DELIVERY),
    WORD("dnsblog", MAILLOG_SERVICE),
    WORD("local", MAILLOG_DELIVERY),
    WORD("virtual", MAILLOG_DELIVERY),
    WORD("pipe", MAILLOG_DELIVERY),
    WORD("anvil", MAILLOG_SERVICE),
    WORD("error", MAILLOG_DELIVERY),
    WORD("retry", MAILLOG_DELIVERY),
    WORD("discard", MAILLOG_DELIVERY),
    WORD("bounce", MAILLOG_SERVICE),
    WORD("pickup", MAILLOG_SERVICE),
    WORD("tlsproxy", MAILLOG_SERVICE),
    WORD("nqmgr", MAILLOG_QMGR),
    WORD("scache", MAILLOG_SERVICE),
    WORD("tlsmgr", MAILLOG_SERVICE),
    WORD("verify", MAILLOG_SERVICE),
    WORD("trivial-rewrite", MAILLOG_SERVICE),
    WORD("proxymap", MAILLOG_SERVICE),
    WORD("master", MAILLOG_SERVICE),
    WORD("flush", MAILLOG_SERVICE),
    WORD("showq", MAILLOG_SERVICE),
    WORD("postfix-script", MAILLOG_SERVICE),
    WORD("postqueue", MAILLOG_SERVICE),
    WORD("postsuper", MAILLOG_SERVICE),
    WORD("postdrop", MAILLOG_SERVICE),
    WORD("postlogd", MAILLOG_SERVICE),
    WORD("sendmail", MAILLOG_SERVICE),
    WORD("qmqpd", MAILLOG_SERVICE),
    WORD("spawn", MAILLOG_SERVICE),
};

static const struct program_word sendmail_words[] = {
    WORD("sm-mta", MAILLOG_SENDMAIL),       WORD("sendmail", MAILLOG_SENDMAIL),
    WORD("postern", MAILLOG_SENDMAIL),      WORD("sm-mta-in", MAILLOG_SENDMAIL),
    WORD("sm-msp-queue", MAILLOG_SENDMAIL), WORD("sm-que", MAILLOG_SENDMAIL),
    WORD("sendmail-in", MAILLOG_SENDMAIL),
};

/* Postfix has the service behind the last slash, whatever syslog_name stands in front. */
static enum maillog_program program_of(struct slice name)
{
    const size_t slash = slice_find_last(name, '/');

    if (slash == SLICE_NOT_FOUND)
        return find_word(sendmail_words, sizeof sendmail_words / sizeof *sendmail_words, name);
    return find_word(postfix_words, sizeof postfix_words / sizeof *postfix_words,
                     slice_from(name, slash + 1));
}

/* A word and the blank behind it. */
static bool take_word(struct slice *text, struct slice *ret_word)
{
    const size_t blank = slice_find(*text, ' ');

    *ret_word = slice_head(*text, blank);
    if (blank == SLICE_NOT_FOUND || blank == 0)
        return false;
    *text = slice_from(*text, blank + 1);
    return true;
}

static uint32_t number_of(struct slice digits)
{
    uint64_t value;

    return text_parse_u64(digits, &value) && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* "sm-mta[1234]: ", "sm-mta: ", "sm-mta ". */
static bool take_program(struct slice *text, struct maillog_head *head)
{
    size_t end = 0;

    while (end < text->len && text->at[end] != '[' && text->at[end] != ':' && text->at[end] != ' ')
        end++;
    head->name = slice_head(*text, end);
    *text = slice_from(*text, end);
    head->pid = 0;
    if (text->len && text->at[0] == '[') {
        const size_t close = slice_find(slice_head(*text, 24), ']');
        if (close == SLICE_NOT_FOUND)
            return false;
        head->pid = number_of(slice_of(text->at + 1, close - 1));
        *text = slice_from(*text, close + 1);
    }
    if (text->len && text->at[0] == ':')
        *text = slice_from(*text, 1);
    if (text->len && text->at[0] == ' ')
        *text = slice_from(*text, 1);
    return head->name.len > 0;
}

/* Behind the host in RFC 5424. */
static bool take_5424(struct slice *text, struct maillog_head *head)
{
    struct slice pid, message_id;

    if (!take_word(text, &head->name) || !take_word(text, &pid) || !take_word(text, &message_id))
        return false;
    head->pid = number_of(pid);
    if (slice_starts(*text, SLICE("-"))) {
        *text = slice_from(*text, 1);
    } else {
        const size_t end = slice_find_slice(*text, SLICE("] "));
        if (!slice_starts(*text, SLICE("[")) || end == SLICE_NOT_FOUND)
            return false;
        *text = slice_from(*text, end + 1);
    }
    if (text->len && text->at[0] == ' ')
        *text = slice_from(*text, 1);
    return true;
}

static struct slice behind_solaris(struct slice text)
{
    const size_t end = slice_starts(text, SLICE("[ID ")) ? slice_find_slice(text, SLICE("] "))
                                                         : SLICE_NOT_FOUND;

    return end == SLICE_NOT_FOUND ? text : slice_from(text, end + 2);
}

bool maillog_head_parse(struct slice line, int year, struct maillog_head *ret_head)
{
    const size_t size = maillog_stamp_parse(line, year, &ret_head->stamp);
    struct slice rest = slice_from(line, size), facility;

    if (!size)
        return false;
    if (rest.len && rest.at[0] == '<' && !take_word(&rest, &facility))
        return false;
    if (!take_word(&rest, &ret_head->host))
        return false;
    if (!(ret_head->stamp.is_5424 ? take_5424(&rest, ret_head) : take_program(&rest, ret_head)))
        return false;
    ret_head->program = program_of(ret_head->name);
    ret_head->message = ret_head->program == MAILLOG_OTHER ? rest : behind_solaris(rest);
    return true;
}
