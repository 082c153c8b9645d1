#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err) return false;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool err_in(struct err *err, const char *format, ...)
{
    if (!err) return false;
    char cause[ERR_TEXT_MAX];
    memcpy(cause, err->text, sizeof cause);
    cause[sizeof cause - 1] = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    const char *parts[] = {": ", cause};
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(parts[i]), room = sizeof err->text - 1 - used;
        if (n > room) n = room;
        memcpy(err->text + used, parts[i], n);
        used += n;
    }
    err->text[used] = 0;
    return false;
}

bool err_system(struct err *err, int error_number, const char *format, ...)
{
    if (!err) return false;
    char cause[128] = "";
    // The GNU strerror_r returns the text, which need not be in the buffer it was given.
    const char *text = strerror_r(error_number, cause, sizeof cause);
    err->code = ERR_MACHINE;
    if (error_number == ENOENT || error_number == EISDIR || error_number == ENOTDIR)
        err->code = ERR_INPUT;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", text);
    return false;
}
