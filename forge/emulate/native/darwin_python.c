/* CPython's own functions that read errno, or hand on a structure of the system's (Include/cpython/fileutils.h).
 *
 * The interpreter is the host's, so what it says of errno must be the host's number. Its functions are looked up when
 * they are called first: this file is compiled without Python's headers. */
#include "darwin_python.h"
#include "darwin_stat.h"

#include <dlfcn.h>
#include <errno.h>

void *darwin_python(const char *name, void **kept) {
    void *found = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
    if (found == NULL) {
        found = dlsym(RTLD_DEFAULT, name);
        if (found == NULL)
            darwin_fatal(name, "the interpreter has no such symbol");
        __atomic_store_n(kept, found, __ATOMIC_RELEASE);
    }
    return found;
}
#define PYTHON(name) (__extension__({ static void *kept_; darwin_python(#name, &kept_); }))

/* pyerrors.h: raises type(errno, text). */
DARWIN_EXPORT object forge_darwin_PyErr_SetFromErrno(object type) {
    darwin_errno_publish();
    return ((object(*)(object))PYTHON(PyErr_SetFromErrno))(type);
}
DARWIN_EXPORT object forge_darwin_PyErr_SetFromErrnoWithFilename(object type, const char *name) {
    darwin_errno_publish();
    return ((object(*)(object, const char *))PYTHON(PyErr_SetFromErrnoWithFilename))(type, name);
}
DARWIN_EXPORT object forge_darwin_PyErr_SetFromErrnoWithFilenameObject(object type, object name) {
    darwin_errno_publish();
    return ((object(*)(object, object))PYTHON(PyErr_SetFromErrnoWithFilenameObject))(type, name);
}
DARWIN_EXPORT object forge_darwin_PyErr_SetFromErrnoWithFilenameObjects(object type, object one, object other) {
    darwin_errno_publish();
    return ((object(*)(object, object, object))PYTHON(PyErr_SetFromErrnoWithFilenameObjects))(type, one, other);
}

/* cpython/fileutils.h, private but exported: fill in a struct stat. */
DARWIN_EXPORT int forge_darwin__Py_fstat_noraise(int descriptor, struct darwin_stat *out) {
    struct stat host;
    int result = fstat(descriptor, &host);
    if (result == 0)
        darwin_stat_from_host(&host, out);
    return result;
}
DARWIN_EXPORT int forge_darwin__Py_fstat(int descriptor, struct darwin_stat *out) {
    int result = forge_darwin__Py_fstat_noraise(descriptor, out);
    if (result != 0)
        forge_darwin_PyErr_SetFromErrno(*(object *)PYTHON(PyExc_OSError));
    return result;
}
/* The result is -2 with an exception, -1, or 0 (Python/fileutils.c). */
DARWIN_EXPORT int forge_darwin__Py_stat(object path, struct darwin_stat *out) {
    struct stat host;
    int result = ((int (*)(object, struct stat *))PYTHON(_Py_stat))(path, &host);
    if (result == 0)
        darwin_stat_from_host(&host, out);
    return result;
}
