#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int number, const char *format, ...)
{
    va_list arguments;
    size_t len;

    if (!error)
        return -1;
    error->number = number;
    va_start(arguments, format);
    if (vsnprintf(error->text, sizeof(error->text), format, arguments) < 0)
        error->text[0] = '\0';
    va_end(arguments);
    if (number == 0)
        return -1;
    len = strlen(error->text);
    const char *meaning = strerrordesc_np(number);
    if (meaning)
        snprintf(error->text + len, sizeof(error->text) - len, ": %s", meaning);
    else
        snprintf(error->text + len, sizeof(error->text) - len, ": error %d", number);
    return -1;
}
