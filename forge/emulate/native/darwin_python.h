/* The interpreter's functions, for a file that is compiled without Python's headers. */
#ifndef DARWIN_PYTHON_H
#define DARWIN_PYTHON_H

#include "darwin_common.h"

typedef void *object;

/* A function or variable of the interpreter's, looked up once; without it no wheel could have been loaded. */
void *darwin_python(const char *name, void **kept);

#endif
