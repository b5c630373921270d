/* Formatted output as Darwin writes it. */
#ifndef FORGE_DARWIN_FORMAT_H
#define FORGE_DARWIN_FORMAT_H

#include "darwin_common.h"

#include <stdarg.h>
#include <stdio.h>

/* The text of a format, newly allocated, and its length (-1 with errno: no memory, or a conversion failed). */
int darwin_vasprintf(char **text, const char *format, va_list arguments);

/* The same to a buffer: what fits, ended with NUL; the result is the whole length. */
int darwin_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

/* The same to a stream. */
int darwin_vfprintf(FILE *stream, const char *format, va_list arguments);

#endif
