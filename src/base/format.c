#include "base/format.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>

/* Done here: text, %%, %c, %s, %.*s, and the numbers of %d and %u, with l, ll or z in front. */

struct out {
    char *at;
    char *end; /* there is room for a NUL behind it */
};

enum size_word { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE };

static void put(struct out *out, const char *text, size_t len)
{
    const size_t left = (size_t)(out->end - out->at);
    if (len > left)
        len = left;
    if (len)
        memcpy(out->at, text, len);
    out->at += len;
}

static void put_number(struct out *out, uint64_t number, bool below)
{
    char digits[TEXT_UNIT_SIZE];
    if (below)
        put(out, "-", 1);
    put(out, digits, text_print_u64(below ? 0 - number : number, digits));
}

static const char *size_read(const char *at, enum size_word *ret_size)
{
    *ret_size = SIZE_INT;
    if (at[0] == 'z') {
        *ret_size = SIZE_SIZE;
        return at + 1;
    }
    if (at[0] != 'l')
        return at;
    *ret_size = at[1] == 'l' ? SIZE_LONG_LONG : SIZE_LONG;
    return at + (at[1] == 'l' ? 2 : 1);
}

/* The text of %s and %.*s may be NULL where nothing of it is wanted. */
static void put_text(struct out *out, const char *text, int most)
{
    const char *end = most < 0 ? NULL : most ? memchr(text, '\0', (size_t)most) : text;
    put(out, text, most < 0 ? strlen(text) : end ? (size_t)(end - text) : (size_t)most);
}

/* Behind the directive, or NULL: it is not done here. `*list` has its arguments taken. */
static const char *directive(struct out *out, const char *at, va_list *list)
{
    enum size_word size;
    if (at[0] == '.' && at[1] == '*' && at[2] == 's') {
        const int most = va_arg(*list, int);
        put_text(out, va_arg(*list, const char *), most);
        return at + 3;
    }
    at = size_read(at, &size);
    if (size != SIZE_INT && *at != 'u' && *at != 'd')
        return NULL;
    switch (*at) {
    case '%': put(out, "%", 1); return at + 1;
    case 's': put_text(out, va_arg(*list, const char *), -1); return at + 1;
    case 'c': {
        const char octet = (char)va_arg(*list, int);
        put(out, &octet, 1);
        return at + 1;
    }
    case 'u': {
        uint64_t number = size == SIZE_INT         ? va_arg(*list, unsigned)
                          : size == SIZE_LONG      ? va_arg(*list, unsigned long)
                          : size == SIZE_LONG_LONG ? va_arg(*list, unsigned long long)
                                                   : va_arg(*list, size_t);
        put_number(out, number, false);
        return at + 1;
    }
    case 'd': {
        int64_t number = size == SIZE_INT         ? va_arg(*list, int)
                         : size == SIZE_LONG      ? va_arg(*list, long)
                         : size == SIZE_LONG_LONG ? va_arg(*list, long long)
                                                  : (int64_t)va_arg(*list, size_t);
        put_number(out, (uint64_t)number, number < 0);
        return at + 1;
    }
    default: return NULL;
    }
}

static size_t by_library(char *room, size_t size, const char *format, va_list arguments)
{
    const int len = vsnprintf(room, size, format, arguments);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

size_t format_into(char *room, size_t size, const char *format, va_list arguments)
{
    struct out out = {room, room + size - 1};
    const char *at = format;
    va_list list;
    assert(size > 0);
    va_copy(list, arguments);
    while (at && *at) {
        const char *percent = strchr(at, '%');
        const size_t plain = percent ? (size_t)(percent - at) : strlen(at);
        put(&out, at, plain);
        at = percent ? directive(&out, percent + 1, &list) : NULL;
        if (percent && !at) {
            va_end(list);
            return by_library(room, size, format, arguments);
        }
    }
    va_end(list);
    *out.at = '\0';
    return (size_t)(out.at - room);
}
