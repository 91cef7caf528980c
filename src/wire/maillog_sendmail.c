#include "wire/maillog_sendmail.h"

#include "base/text.h"

/*
 * message = [ "... " ] [ ( id / "NOQUEUE" ) ":" SP ] ( fields / words )
 * fields  = field *( "," SP ( field / "..." ) )
 * field   = key "=" value           ; a path is read to its own end; reject= and stat= have the rest of the
 * line
 */

struct field {
    struct slice key;
    struct slice value;
};

static bool is_key_octet(char octet)
{
    return text_is_alnum(octet) || octet == '_' || octet == '-';
}

/* The key that begins the text, before its "="; empty: none. */
static struct slice key_of(struct slice text)
{
    size_t end = 0;

    while (end < text.len && is_key_octet(text.at[end]))
        end++;
    return end < text.len && text.at[end] == '=' ? slice_head(text, end) : SLICE_NONE;
}

/* Paths and lists of them are read to their own end, so that a comma inside is none that ends the field. */
static void pass_paths(struct slice *text)
{
    struct slice path;

    while (maillog_take_path(text, &path) && slice_starts(*text, SLICE(",<")))
        *text = slice_from(*text, 1);
}

/* Takes a value off the text, up to the next ", ". */
static struct slice take_value(struct slice *text)
{
    struct slice rest = *text;

    pass_paths(&rest);
    const size_t passed = text->len - rest.len, comma = slice_find_slice(rest, SLICE(", "));
    const struct slice value = slice_head(*text, comma == SLICE_NOT_FOUND ? text->len : passed + comma);

    *text = slice_from(*text, value.len + 2);
    return value;
}

static bool has_rest_of_line(struct slice key)
{
    return slice_equal(key, SLICE("reject")) || slice_equal(key, SLICE("stat"));
}

/* False: the text is over. What is no field has an empty key. */
static bool take_field(struct slice *text, struct field *ret_field)
{
    if (slice_starts(*text, SLICE("... "))) /* something was left out */
        *text = slice_from(*text, 4);
    if (!text->len)
        return false;
    ret_field->key = key_of(*text);
    if (ret_field->key.len)
        *text = slice_from(*text, ret_field->key.len + 1);
    if (has_rest_of_line(ret_field->key)) {
        ret_field->value = *text;
        *text = slice_from(*text, text->len);
    } else {
        ret_field->value = take_value(text);
    }
    return true;
}

static struct slice unbracketed(struct slice value)
{
    struct slice path;

    return maillog_take_path(&value, &path) ? path : value;
}

/* --- who ----------------------------------------------------------------------------------------------- */

/* "host [192.0.2.7]", "user@host [192.0.2.7] (may be forged)", "[192.0.2.7]". A name that may be forged does
 * not lead back, and is none. */
static void relay_read(struct slice value, struct maillog_record *record)
{
    const size_t open = slice_find_last(value, '[');
    struct slice name = slice_trim(slice_head(value, open));
    struct address address;

    if (open == SLICE_NOT_FOUND || !maillog_address_in(value, &address))
        return;
    const size_t at = slice_find_last(name, '@');
    if (at != SLICE_NOT_FOUND)
        name = slice_from(name, at + 1);
    record->address = address;
    record->name = slice_find_slice(slice_from(value, open), SLICE("(may be forged)")) == SLICE_NOT_FOUND
                       ? name
                       : SLICE_NONE;
    record->has |= MAILLOG_HAS_CLIENT | MAILLOG_HAS_NAME;
}

/* --- the forms ----------------------------------------------------------------------------------------- */

/* from=: the relay stands behind what the client chose (msgid=, bodytype=), so that the last one counts. */
static void from_read(struct slice text, struct maillog_record *record)
{
    struct field field;
    uint64_t number;

    record->kind = MAILLOG_FROM;
    while (take_field(&text, &field)) {
        if (slice_equal(field.key, SLICE("from")) && !(record->has & MAILLOG_HAS_SENDER)) {
            record->sender = unbracketed(field.value);
            record->has |= MAILLOG_HAS_SENDER;
        } else if (slice_equal(field.key, SLICE("size")) && text_parse_u64(field.value, &number)) {
            record->size = number;
            record->has |= MAILLOG_HAS_SIZE;
        } else if (slice_equal(field.key, SLICE("nrcpts")) && text_parse_u64(field.value, &number)) {
            record->recipient_count = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
            record->has |= MAILLOG_HAS_COUNT;
        } else if (slice_equal(field.key, SLICE("msgid"))) {
            record->message_id = unbracketed(field.value);
            record->has |= MAILLOG_HAS_MESSAGE_ID;
        } else if (slice_equal(field.key, SLICE("relay"))) {
            relay_read(field.value, record);
        } else if (slice_equal(field.key, SLICE("auth")) || slice_equal(field.key, SLICE("authid"))) {
            record->authenticated = true;
        }
    }
}

static enum maillog_delivery stat_read(struct slice stat)
{
    static const struct {
        struct slice word;
        enum maillog_delivery delivery;
    } words[] = {
        {{"Sent", 4}, MAILLOG_SENT},
        {{"Deferred", 8}, MAILLOG_DEFERRED},
        {{"queued", 6}, MAILLOG_DEFERRED},
        {{"I/O error", 9}, MAILLOG_DEFERRED},
        {{"Please try", 10}, MAILLOG_DEFERRED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts_fold(stat, words[i].word))
            return words[i].delivery;
    return MAILLOG_BOUNCED; /* User unknown, Service unavailable, … */
}

static void to_read(struct slice text, struct maillog_record *record)
{
    struct field field;

    record->kind = MAILLOG_TO;
    record->delivery = MAILLOG_DELIVERY_OTHER;
    while (take_field(&text, &field)) {
        if (slice_equal(field.key, SLICE("to")) && !(record->has & MAILLOG_HAS_RECIPIENTS)) {
            record->recipients = field.value;
            record->has |= MAILLOG_HAS_RECIPIENTS;
        } else if (slice_equal(field.key, SLICE("stat"))) {
            record->delivery = stat_read(field.value);
            maillog_set_reply(record, field.value);
        }
    }
}

static enum maillog_stage stage_of(struct slice ruleset)
{
    static const struct {
        struct slice word;
        enum maillog_stage stage;
    } words[] = {
        {{"check_rcpt", 10}, MAILLOG_AT_RCPT},     {{"check_mail", 10}, MAILLOG_AT_MAIL},
        {{"check_relay", 11}, MAILLOG_AT_CONNECT}, {{"check_eoh", 9}, MAILLOG_AT_HEADER},
        {{"check_compat", 12}, MAILLOG_AT_END},    {{"check_data", 10}, MAILLOG_AT_DATA},
        {{"check_eom", 9}, MAILLOG_AT_END},        {{"check_helo", 10}, MAILLOG_AT_HELO},
        {{"check_vrfy", 10}, MAILLOG_AT_OTHER},    {{"check_expn", 10}, MAILLOG_AT_OTHER},
        {{"check_etrn", 10}, MAILLOG_AT_OTHER},    {{"tls_client", 10}, MAILLOG_AT_OTHER},
        {{"authinfo", 8}, MAILLOG_AT_OTHER},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal(ruleset, words[i].word))
            return words[i].stage;
    return MAILLOG_AT_HEADER; /* rulesets that look at a field have names of the house's own */
}

static void argument_read(struct slice value, struct maillog_record *record)
{
    if (record->stage == MAILLOG_AT_RCPT && !(record->has & MAILLOG_HAS_RECIPIENTS)) {
        record->recipients = value;
        record->has |= MAILLOG_HAS_RECIPIENTS;
    } else if (record->stage == MAILLOG_AT_MAIL && !(record->has & MAILLOG_HAS_SENDER)) {
        record->sender = unbracketed(value);
        record->has |= MAILLOG_HAS_SENDER;
    }
}

/* Of what stands before reject=, the relay is not the client's own word but in arg1, which ends with its
 * path. */
static void ruleset_read(struct slice text, struct maillog_record *record)
{
    struct field field;

    record->kind = MAILLOG_REFUSED;
    record->stage = MAILLOG_AT_OTHER;
    record->warning = true; /* without reject= or discard nothing was refused */
    while (take_field(&text, &field)) {
        if (slice_equal(field.key, SLICE("ruleset")))
            record->stage = stage_of(field.value);
        else if (slice_equal(field.key, SLICE("arg1")))
            argument_read(field.value, record);
        else if (slice_equal(field.key, SLICE("relay")))
            relay_read(field.value, record);
        else if (slice_equal(field.key, SLICE("reject"))) {
            maillog_set_reply(record, field.value);
            record->warning = false;
        } else if (slice_equal(slice_trim(field.value), SLICE("discard")))
            record->discarded = true;
    }
}

/* "Milter: to=<bob@our.example>, reject=451 …", "Milter: data, reject=554 …", "milter=NAME, action=mail,
 * reject=550 …" */
static void milter_read(struct slice text, struct maillog_record *record)
{
    static const struct {
        struct slice word;
        enum maillog_stage stage;
    } words[] = {
        {{"connect", 7}, MAILLOG_AT_CONNECT}, {{"helo", 4}, MAILLOG_AT_HELO},  {{"mail", 4}, MAILLOG_AT_MAIL},
        {{"from", 4}, MAILLOG_AT_MAIL},       {{"rcpt", 4}, MAILLOG_AT_RCPT},  {{"to", 2}, MAILLOG_AT_RCPT},
        {{"header", 6}, MAILLOG_AT_HEADER},   {{"eoh", 3}, MAILLOG_AT_HEADER},
    };
    struct field field;

    record->kind = MAILLOG_NOTHING;
    record->stage = MAILLOG_AT_END;
    while (take_field(&text, &field)) {
        const struct slice word = field.key.len && !slice_equal(field.key, SLICE("action")) ? field.key
                                                                                            : field.value;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (slice_equal(word, words[i].word))
                record->stage = words[i].stage;
        if (slice_equal(field.key, SLICE("to")) || slice_equal(field.key, SLICE("from")))
            argument_read(field.value, record);
        if (slice_equal(field.key, SLICE("reject"))) {
            record->kind = MAILLOG_REFUSED;
            maillog_set_reply(record, field.value);
        }
    }
}

/* "<bob@our.example>... User unknown" */
static void unknown_user_read(struct slice text, struct maillog_record *record)
{
    const struct slice whole = text;
    struct slice path;

    if (!maillog_take_path(&text, &path) || !slice_starts(text, SLICE("... ")))
        return;
    record->kind = MAILLOG_REFUSED;
    record->stage = MAILLOG_AT_RCPT;
    record->recipients = slice_head(whole, whole.len - text.len);
    record->has |= MAILLOG_HAS_RECIPIENTS;
    record->reply = slice_from(text, 4);
    record->code = slice_starts_fold(record->reply, SLICE("User unknown")) ? 550 : 0;
    record->warning = !record->code;
}

/* Words with a client in them: "lost input channel from host [192.0.2.7] to MTA after rcpt". */
static void words_read(struct slice text, struct maillog_record *record)
{
    static const struct {
        struct slice begin, within;
        enum maillog_kind kind;
    } forms[] = {
        {{"lost input channel from ", 24}, {NULL, 0}, MAILLOG_LOST},
        {{"timeout waiting for input from ", 31}, {NULL, 0}, MAILLOG_LOST},
        {{"collect: premature EOM", 22}, {NULL, 0}, MAILLOG_NOTHING},
        {{"collect: unexpected close", 25}, {NULL, 0}, MAILLOG_NOTHING},
        {{"rejecting commands from ", 24}, {"pre-greeting traffic", 20}, MAILLOG_EARLY},
        {{NULL, 0}, {"did not issue MAIL/EXPN/VRFY/ETRN", 33}, MAILLOG_NOTHING},
        {{"STARTTLS", 8}, {NULL, 0}, MAILLOG_NOTHING},
        {{"AUTH", 4}, {NULL, 0}, MAILLOG_NOTHING},
        {{"Milter", 6}, {NULL, 0}, MAILLOG_NOTHING},
        {{"milter", 6}, {NULL, 0}, MAILLOG_NOTHING},
        {{NULL, 0}, {"Possible SMTP RCPT flood", 24}, MAILLOG_NOTHING},
        {{"SYSERR", 6}, {NULL, 0}, MAILLOG_NOTHING},
        {{"starting daemon", 15}, {NULL, 0}, MAILLOG_NOTHING},
        {{"started as: ", 12}, {NULL, 0}, MAILLOG_NOTHING},
        {{"restarting ", 11}, {NULL, 0}, MAILLOG_NOTHING},
        {{"alias database ", 15}, {NULL, 0}, MAILLOG_NOTHING},
        {{NULL, 0}, {"aliases, longest", 16}, MAILLOG_NOTHING},
        {{"rejecting connections on daemon", 31}, {NULL, 0}, MAILLOG_NOTHING},
        {{"accepting connections again", 27}, {NULL, 0}, MAILLOG_NOTHING},
        {{"forward ", 8}, {NULL, 0}, MAILLOG_NOTHING},
        {{"clone ", 6}, {NULL, 0}, MAILLOG_NOTHING},
        {{"DSN: ", 5}, {NULL, 0}, MAILLOG_NOTHING},
        {{"sender notify: ", 15}, {NULL, 0}, MAILLOG_NOTHING},
        {{"return to sender: ", 18}, {NULL, 0}, MAILLOG_NOTHING},
        {{"postmaster notify: ", 19}, {NULL, 0}, MAILLOG_NOTHING},
        {{"Losing ", 7}, {NULL, 0}, MAILLOG_NOTHING},
        {{"Truncated MIME ", 15}, {NULL, 0}, MAILLOG_NOTHING},
        {{"Authentication-Warning: ", 24}, {NULL, 0}, MAILLOG_NOTHING},
        {{"done; delay=", 12}, {NULL, 0}, MAILLOG_GONE},
        {{"delay=", 6}, {NULL, 0}, MAILLOG_NOTHING},
        {{"#", 1}, {NULL, 0}, MAILLOG_NOTHING}, /* Postern: the end of a session */
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((forms[i].begin.len && !slice_starts(text, forms[i].begin)) ||
            (forms[i].within.len && slice_find_slice(text, forms[i].within) == SLICE_NOT_FOUND))
            continue;
        record->kind = forms[i].kind;
        if (record->kind == MAILLOG_LOST || record->kind == MAILLOG_EARLY) {
            struct slice who = slice_from(text, forms[i].begin.len);
            const size_t close = slice_find(who, ']');
            relay_read(slice_head(who, close == SLICE_NOT_FOUND ? 0 : close + 1), record);
        }
        return;
    }
}

/* --- the whole ----------------------------------------------------------------------------------------- */

/* "h6O8Bj01001234", "AAA01234", "0c8m4w0000g02.1": letters and digits, of which there is one at least. */
static bool is_id(struct slice word)
{
    bool digit = false;

    for (size_t i = 0; i < word.len; i++) {
        if (!text_is_alnum(word.at[i]) && word.at[i] != '.' && word.at[i] != '-')
            return false;
        digit = digit || text_is_digit(word.at[i]);
    }
    return digit && word.len >= 6 && word.len <= 32;
}

static void take_id(struct slice *text, struct maillog_record *record)
{
    size_t end = 0;

    while (end < text->len && end < 40 && text->at[end] != ':' && text->at[end] != ' ')
        end++;
    const struct slice word = slice_head(*text, end);
    const bool none = slice_equal(word, SLICE("NOQUEUE"));
    if (end >= text->len || (!none && !is_id(word)))
        return;
    /* Postern's last line of a session has a blank: "ID #721 end …". */
    if (text->at[end] == ' ' && !slice_starts(slice_from(*text, end), SLICE(" #")))
        return;
    record->id = none ? SLICE_NONE : word;
    *text = slice_from(*text, end + 1);
    if (text->len && text->at[0] == ' ')
        *text = slice_from(*text, 1);
}

void maillog_sendmail_parse(struct slice message, struct maillog_record *ret_record)
{
    *ret_record = (struct maillog_record){.kind = MAILLOG_UNKNOWN};
    if (slice_starts(message, SLICE("... ")))
        message = slice_from(message, 4);
    take_id(&message, ret_record);
    if (slice_starts(message, SLICE("... ")))
        message = slice_from(message, 4);
    if (slice_starts(message, SLICE("from=")))
        from_read(message, ret_record);
    else if (slice_starts(message, SLICE("to=")))
        to_read(message, ret_record);
    else if (slice_starts(message, SLICE("ruleset=")) || slice_starts(message, SLICE("relay=")) ||
             slice_starts(message, SLICE("arg1=")))
        ruleset_read(message, ret_record);
    else if (slice_starts(message, SLICE("Milter: ")))
        milter_read(slice_from(message, 8), ret_record);
    else if (slice_starts(message, SLICE("milter=")))
        milter_read(message, ret_record);
    else if (slice_starts(message, SLICE("<")))
        unknown_user_read(message, ret_record);
    else
        words_read(message, ret_record);
}
