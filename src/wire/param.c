#include "wire/param.h"

#include "base/text.h"

/*
 * parameters = [ parameter *( 1*blank parameter ) ]
 * parameter  = key [ "=" value ]
 * key        = ( ALPHA / DIGIT ) *( ALPHA / DIGIT / "-" )
 * value      = 1*( %x21-3C / %x3E-7E / U8 )     ; U8: octets of well-formed UTF-8 (RFC 6531)
 *
 * SIZE=1*20DIGIT  BODY=7BIT|8BITMIME|BINARYMIME  SMTPUTF8  RET=FULL|HDRS  ENVID=xtext
 * NOTIFY=NEVER | NOTIFY=word *( "," word )      ; word = SUCCESS / FAILURE / DELAY
 * ORCPT=type ";" xtext                          ; type utf-8: RFC 6533 section 3, any value
 * xtext      = *( %x21-2A / %x2C-3C / %x3E-7E / "+" 2HEXUPPER )   ; lower-case digits are tolerated
 */

#define SIZE_DIGITS_MAX 20 /* RFC 1870 section 5 */

static bool key_check(struct slice key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!text_is_alnum(key.at[i]) && (key.at[i] != '-' || i == 0))
            return false;
    return key.len > 0;
}

static bool value_check(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char octet = (unsigned char)value.at[i];
        if (octet <= 0x20 || octet == '=' || octet == 0x7f)
            return false;
    }
    return value.len > 0 && slice_is_utf8(value);
}

enum param_status param_next(struct slice *rest, struct param *ret_param)
{
    struct slice word;
    *ret_param = (struct param){.has_value = false};
    if (!slice_word(rest, &word))
        return PARAM_END;
    size_t equals = slice_find(word, '=');
    ret_param->key = slice_head(word, equals);
    ret_param->has_value = equals != SLICE_NOT_FOUND;
    if (ret_param->has_value)
        ret_param->value = slice_from(word, equals + 1);
    if (key_check(ret_param->key) && (!ret_param->has_value || value_check(ret_param->value)))
        return PARAM_DONE;
    ret_param->key = word;
    return PARAM_BAD;
}

/* One key of a command: how its value is read. A key without a value has needs_value false. */
struct param_row {
    struct slice key;
    bool needs_value;
    bool (*read)(struct slice value, void *params);
};

static enum params_status params_parse(struct slice text, const struct param_row *rows, size_t row_count,
                                       void *params, struct slice *ret_culprit)
{
    unsigned seen = 0;
    struct param param;
    *ret_culprit = SLICE_NONE;
    for (;;) {
        enum param_status status = param_next(&text, &param);
        if (status == PARAM_END)
            return PARAMS_DONE;
        *ret_culprit = param.key;
        if (status == PARAM_BAD)
            return PARAMS_SYNTAX;
        size_t row = 0;
        while (row < row_count && !slice_equal_fold(param.key, rows[row].key))
            row++;
        if (row == row_count)
            return PARAMS_UNKNOWN;
        if (seen & 1u << row)
            return PARAMS_DUPLICATE;
        seen |= 1u << row;
        if (param.has_value != rows[row].needs_value || !rows[row].read(param.value, params))
            return PARAMS_VALUE;
        *ret_culprit = SLICE_NONE;
    }
}

/* The words of a set; returns the index or -1. */
static int word_index(struct slice word, const struct slice *words, int count)
{
    for (int i = 0; i < count; i++)
        if (slice_equal_fold(word, words[i]))
            return i;
    return -1;
}

static bool read_size(struct slice value, void *params)
{
    struct mail_params *mail = params;
    for (size_t i = 0; i < value.len; i++)
        if (!text_is_digit(value.at[i]))
            return false;
    if (value.len > SIZE_DIGITS_MAX)
        return false;
    mail->has_size = true;
    if (!text_parse_u64(value, &mail->size))
        mail->size = UINT64_MAX;
    return true;
}

static const struct slice body_words[] = {{"", 0}, {"7BIT", 4}, {"8BITMIME", 8}, {"BINARYMIME", 10}};
static const struct slice ret_words[] = {{"", 0}, {"FULL", 4}, {"HDRS", 4}};

static bool read_body(struct slice value, void *params)
{
    struct mail_params *mail = params;
    int index = word_index(value, body_words, 4);
    if (index > 0)
        mail->body = (enum body_kind)index;
    return index > 0;
}

static bool read_smtputf8(struct slice value, void *params)
{
    struct mail_params *mail = params;
    mail->smtputf8 = true;
    return value.len == 0;
}

static bool read_ret(struct slice value, void *params)
{
    struct mail_params *mail = params;
    int index = word_index(value, ret_words, 3);
    if (index > 0)
        mail->ret = (enum ret_kind)index;
    return index > 0;
}

static bool read_envid(struct slice value, void *params)
{
    struct mail_params *mail = params;
    if (value.len > ENVID_SIZE_MAX || !xtext_check(value))
        return false;
    mail->envid = value;
    return true;
}

static bool read_notify(struct slice value, void *params)
{
    static const struct slice words[] = {{"NEVER", 5}, {"SUCCESS", 7}, {"FAILURE", 7}, {"DELAY", 5}};
    struct rcpt_params *rcpt = params;
    unsigned bits = 0;
    struct slice word;
    if (value.at[value.len - 1] == ',')
        return false;
    while (slice_cut(&value, ',', &word)) {
        int index = word_index(word, words, 4);
        if (index < 0)
            return false;
        bits |= 1u << index;
    }
    if ((bits & NOTIFY_NEVER) && bits != NOTIFY_NEVER)
        return false;
    rcpt->notify = bits;
    return true;
}

static bool read_orcpt(struct slice value, void *params)
{
    struct rcpt_params *rcpt = params;
    size_t semicolon = slice_find(value, ';');
    if (value.len > ORCPT_SIZE_MAX || semicolon == SLICE_NOT_FOUND || semicolon + 1 == value.len)
        return false;
    struct slice type = slice_head(value, semicolon), address = slice_from(value, semicolon + 1);
    if (!key_check(type) || (!slice_equal_fold(type, SLICE("utf-8")) && !xtext_check(address)))
        return false;
    rcpt->orcpt_whole = value;
    rcpt->orcpt_type = type;
    rcpt->orcpt = address;
    return true;
}

enum params_status mail_params_parse(struct slice text, struct mail_params *ret_params,
                                     struct slice *ret_culprit)
{
    static const struct param_row rows[] = {
        {{"SIZE", 4}, true, read_size},          {{"BODY", 4}, true, read_body},
        {{"SMTPUTF8", 8}, false, read_smtputf8}, {{"RET", 3}, true, read_ret},
        {{"ENVID", 5}, true, read_envid},
    };
    *ret_params = (struct mail_params){.size = 0};
    return params_parse(text, rows, sizeof rows / sizeof *rows, ret_params, ret_culprit);
}

enum params_status rcpt_params_parse(struct slice text, struct rcpt_params *ret_params,
                                     struct slice *ret_culprit)
{
    static const struct param_row rows[] = {
        {{"NOTIFY", 6}, true, read_notify},
        {{"ORCPT", 5}, true, read_orcpt},
    };
    *ret_params = (struct rcpt_params){.notify = 0};
    return params_parse(text, rows, sizeof rows / sizeof *rows, ret_params, ret_culprit);
}

struct slice body_kind_name(enum body_kind body)
{
    return body_words[body];
}
