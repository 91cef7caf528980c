#include "wire/reply.h"

#include "base/text.h"
#include "wire/line.h"

/*
 * reply    = *( code "-" text end ) code [ SP text ] end    ; the same code on all lines
 * code     = %x32-35 2DIGIT
 * text     = [ enhanced [ SP ] ] *octet
 * enhanced = ( "2" / "4" / "5" ) "." 1*3DIGIT "." 1*3DIGIT  ; followed by SP or the end
 * end      = CRLF / LF
 */

static bool code_parse(struct slice line, unsigned *ret_code)
{
    if (line.len < 3 || line.at[0] < '2' || line.at[0] > '5')
        return false;
    if (!text_is_digit(line.at[1]) || !text_is_digit(line.at[2]))
        return false;
    *ret_code = (unsigned)((line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0'));
    return line.len == 3 || line.at[3] == ' ' || line.at[3] == '-';
}

/* 1 to 3 digits off the front. */
static bool number_take(struct slice *text, uint16_t *ret_number)
{
    size_t len = 0;
    unsigned number = 0;
    while (len < text->len && len < 3 && text_is_digit(text->at[len]))
        number = number * 10 + (unsigned)(text->at[len++] - '0');
    *text = slice_from(*text, len);
    *ret_number = (uint16_t)number;
    return len > 0;
}

static bool dot_take(struct slice *text)
{
    if (text->len == 0 || text->at[0] != '.')
        return false;
    *text = slice_from(*text, 1);
    return true;
}

bool enhanced_parse(struct slice *text, struct enhanced *ret_enhanced)
{
    struct slice rest = *text;
    struct enhanced enhanced;
    if (rest.len == 0 || (rest.at[0] != '2' && rest.at[0] != '4' && rest.at[0] != '5'))
        return false;
    enhanced.class = (uint8_t)(rest.at[0] - '0');
    rest = slice_from(rest, 1);
    if (!dot_take(&rest) || !number_take(&rest, &enhanced.subject))
        return false;
    if (!dot_take(&rest) || !number_take(&rest, &enhanced.detail))
        return false;
    if (rest.len > 0 && rest.at[0] != ' ')
        return false;
    *text = slice_from(rest, 1);
    *ret_enhanced = enhanced;
    return true;
}

/* One line of a reply; the first one sets code and enhanced. Returns whether it is one of this reply. */
static bool line_add(struct reply *reply, struct slice line)
{
    unsigned code;
    if (!code_parse(line, &code) || (reply->lines > 0 && code != reply->code))
        return false;
    if (++reply->lines > REPLY_LINES_MAX)
        return false;
    if (reply->lines > 1)
        return true;
    reply->code = code;
    struct slice text = slice_from(line, 4);
    if (!enhanced_parse(&text, &reply->enhanced) || reply->enhanced.class != code / 100)
        reply->enhanced = (struct enhanced){.class = 0};
    return true;
}

enum reply_status reply_parse(struct slice input, struct reply *ret_reply)
{
    *ret_reply = (struct reply){.code = 0};
    size_t taken = 0;
    for (;;) {
        struct line line;
        enum line_status status = line_take(slice_from(input, taken), REPLY_LINE_MAX, &line);
        if (status == LINE_PARTIAL)
            return input.len < REPLY_SIZE_MAX ? REPLY_PARTIAL : REPLY_BAD;
        taken += line.taken;
        if (status == LINE_LONG || taken > REPLY_SIZE_MAX || !line_add(ret_reply, line.text))
            return REPLY_BAD;
        if (line.text.len > 3 && line.text.at[3] == '-')
            continue;
        ret_reply->whole = slice_head(input, taken);
        ret_reply->taken = taken;
        return REPLY_DONE;
    }
}

bool reply_line(const struct reply *reply, size_t *at, struct slice *ret_text)
{
    struct line line;
    struct enhanced unused;
    if (line_take(slice_from(reply->whole, *at), REPLY_LINE_MAX, &line) != LINE_DONE)
        return false;
    *at += line.taken;
    *ret_text = slice_from(line.text, 4);
    if (reply->enhanced.class != 0)
        enhanced_parse(ret_text, &unused);
    return true;
}
