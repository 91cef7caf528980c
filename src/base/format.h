/* Text from formats, quickly: what most formats consist of is done here, the rest by vsnprintf. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf, but for the result: the octets that stand in the room, which is not empty; a terminating NUL
 * is behind them. What does not fit is cut. */
size_t format_into(char *room, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
