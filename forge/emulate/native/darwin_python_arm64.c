/* CPython's variadic functions on arm64 (see darwin_variadic_arm64.c): each by the function that takes a va_list, or
 * by one that takes an array. Py_ssize_t is the size of every "#" since 3.13 and with PY_SSIZE_T_CLEAN before. */
#ifdef __aarch64__
#include "darwin_python.h"
#include "darwin_variadic_arm64.h"

#include <dlfcn.h>
#include <stdio.h>

typedef intptr_t ssize;

#define CALL(type, name, parameters, arguments) \
    (__extension__({ \
        static void *kept_; \
        ((type(*) parameters)darwin_python(#name, &kept_)) arguments; \
    }))
#define DROP(o) CALL(void, Py_DecRef, (object), (o))

/* modsupport.h */
#define PARSE CALL(int, PyArg_VaParse, (object, const char *, va_list), (args, f, a))
#define PARSE_KEYWORDS \
    CALL(int, PyArg_VaParseTupleAndKeywords, (object, object, const char *, char **, va_list), (args, kw, f, names, a))
#define BUILD CALL(object, Py_VaBuildValue, (const char *, va_list), (f, a))
VARIADIC(int, PyArg_ParseTuple, 2, (object args, const char *f, char *slots), PARSE)
VARIADIC(int, _PyArg_ParseTuple_SizeT, 2, (object args, const char *f, char *slots), PARSE)
VARIADIC(int, PyArg_ParseTupleAndKeywords, 4, (object args, object kw, const char *f, char **names, char *slots), PARSE_KEYWORDS)
VARIADIC(int, _PyArg_ParseTupleAndKeywords_SizeT, 4, (object args, object kw, const char *f, char **names, char *slots), PARSE_KEYWORDS)
LISTED(int, PyArg_VaParse, (object args, const char *f, char *slots), PARSE)
LISTED(int, PyArg_VaParseTupleAndKeywords, (object args, object kw, const char *f, char **names, char *slots), PARSE_KEYWORDS)
LISTED(object, Py_VaBuildValue, (const char *f, char *slots), BUILD)
VARIADIC(object, Py_BuildValue, 1, (const char *f, char *slots), BUILD)
VARIADIC(object, _Py_BuildValue_SizeT, 1, (const char *f, char *slots), BUILD)

static object tuple_of(ssize count, object *items) {
    object made = CALL(object, PyTuple_New, (ssize), (count));
    for (ssize i = 0; made != NULL && i < count; i++) {
        CALL(void, Py_IncRef, (object), (items[i]));
        CALL(int, PyTuple_SetItem, (object, ssize, object), (made, i, items[i]));
    }
    return made;
}
/* PyArg_Parse takes one object where PyArg_VaParse takes a tuple of them. */
static int parse_one(object value, const char *f, va_list a) {
    object args = tuple_of(1, &value);
    int result = args == NULL ? 0 : PARSE;
    if (args != NULL)
        DROP(args);
    return result;
}
VARIADIC(int, PyArg_Parse, 2, (object value, const char *f, char *slots), parse_one(value, f, a))
VARIADIC(int, _PyArg_Parse_SizeT, 2, (object value, const char *f, char *slots), parse_one(value, f, a))

/* The objects of a tuple into variables, borrowed; the errors are CPython's. */
ENTRY(PyArg_UnpackTuple, 4)
TARGET int variadic_PyArg_UnpackTuple(object args, const char *name, ssize low, ssize high, char *slots) {
    ssize count = CALL(ssize, PyTuple_Size, (object), (args));
    object *to[8];
    if (count < low || count > high || high > 8) {
        if (high > 8 && count >= low && count <= high)
            darwin_fatal("PyArg_UnpackTuple", "more than eight variables");
        /* Its own error, with variables that are not written to. */
        for (int i = 0; i < 8; i++)
            to[i] = (object *)0;
        return CALL(int, PyArg_UnpackTuple, (object, const char *, ssize, ssize, ...), (args, name, low, high, to[0]));
    }
    for (ssize i = 0; i < count; i++)
        *((object **)(void *)slots)[i] = CALL(object, PyTuple_GetItem, (object, ssize), (args, i));
    return 1;
}
ENTRY(PyTuple_Pack, 1)
TARGET object variadic_PyTuple_Pack(ssize count, char *slots) { return tuple_of(count, (object *)(void *)slots); }

/* pyerrors.h, unicodeobject.h, bytesobject.h, warnings.h, pyerrors' snprintf, sysmodule.h */
VARIADIC(object, PyErr_Format, 2, (object type, const char *f, char *slots), CALL(object, PyErr_FormatV, (object, const char *, va_list), (type, f, a)))
LISTED(object, PyErr_FormatV, (object type, const char *f, char *slots), CALL(object, PyErr_FormatV, (object, const char *, va_list), (type, f, a)))
#define UNICODE CALL(object, PyUnicode_FromFormatV, (const char *, va_list), (f, a))
VARIADIC(object, PyUnicode_FromFormat, 1, (const char *f, char *slots), UNICODE)
LISTED(object, PyUnicode_FromFormatV, (const char *f, char *slots), UNICODE)
VARIADIC(object, PyBytes_FromFormat, 1, (const char *f, char *slots), CALL(object, PyBytes_FromFormatV, (const char *, va_list), (f, a)))
LISTED(object, PyBytes_FromFormatV, (const char *f, char *slots), CALL(object, PyBytes_FromFormatV, (const char *, va_list), (f, a)))
static int warn(object category, ssize level, object message) {
    const char *text = message == NULL ? NULL : CALL(const char *, PyUnicode_AsUTF8AndSize, (object, ssize *), (message, NULL));
    int result = text == NULL ? -1 : CALL(int, PyErr_WarnEx, (object, const char *, ssize), (category, text, level));
    if (message != NULL)
        DROP(message);
    return result;
}
VARIADIC(int, PyErr_WarnFormat, 3, (object category, ssize level, const char *f, char *slots), warn(category, level, UNICODE))
/* With the message in one piece, which "%U" is; NULL, if it cannot be made. */
static int warn_of(object source, ssize level, object message) {
    int result = message == NULL ? -1 : CALL(int, PyErr_ResourceWarning, (object, ssize, const char *, ...), (source, level, "%U", message));
    if (message != NULL)
        DROP(message);
    return result;
}
VARIADIC(int, PyErr_ResourceWarning, 3, (object source, ssize level, const char *f, char *slots), warn_of(source, level, UNICODE))
static int warn_at(object category, const char *file, int line, const char *module, object registry, object message) {
    int result = message == NULL ? -1 : CALL(int, PyErr_WarnExplicitFormat, (object, const char *, int, const char *, object, const char *, ...), (category, file, line, module, registry, "%U", message));
    if (message != NULL)
        DROP(message);
    return result;
}
VARIADIC(int, PyErr_WarnExplicitFormat, 6, (object category, const char *file, int line, const char *module, object registry, const char *f, char *slots), warn_at(category, file, line, module, registry, UNICODE))
/* The exception that it tells is set while it is called, and must not be while the message is made. */
static void tell_unraisable(const char *f, va_list a) {
    object exception = CALL(object, PyErr_GetRaisedException, (void), ());
    object message = f == NULL ? NULL : UNICODE;
    if (f != NULL && message == NULL)
        CALL(void, PyErr_Clear, (void), ());
    CALL(void, PyErr_SetRaisedException, (object), (exception));
    CALL(void, PyErr_FormatUnraisable, (const char *, ...), (message == NULL ? NULL : "%U", message));
    if (message != NULL)
        DROP(message);
}
VARIADIC(void, PyErr_FormatUnraisable, 1, (const char *f, char *slots), tell_unraisable(f, a))
static void write_to(const char *stream, object message) {
    const char *text = message == NULL ? NULL : CALL(const char *, PyUnicode_AsUTF8AndSize, (object, ssize *), (message, NULL));
    if (text != NULL && stream[0] == 'e')
        CALL(void, PySys_FormatStderr, (const char *, ...), ("%s", text));
    else if (text != NULL)
        CALL(void, PySys_FormatStdout, (const char *, ...), ("%s", text));
    if (message != NULL)
        DROP(message);
}
VARIADIC(void, PySys_FormatStderr, 1, (const char *f, char *slots), write_to("err", UNICODE))
VARIADIC(void, PySys_FormatStdout, 1, (const char *f, char *slots), write_to("out", UNICODE))
/* At most 1,000 bytes, as CPython cuts. */
static void write_cut(const char *stream, const char *f, va_list a) {
    char text[1001];
    vsnprintf(text, sizeof text, f, a);
    if (stream[0] == 'e')
        CALL(void, PySys_WriteStderr, (const char *, ...), ("%s", text));
    else
        CALL(void, PySys_WriteStdout, (const char *, ...), ("%s", text));
}
VARIADIC(void, PySys_WriteStderr, 1, (const char *f, char *slots), write_cut("err", f, a))
VARIADIC(void, PySys_WriteStdout, 1, (const char *f, char *slots), write_cut("out", f, a))
#define PRINT CALL(int, PyOS_vsnprintf, (char *, size_t, const char *, va_list), (b, n, f, a))
VARIADIC(int, PyOS_snprintf, 3, (char *b, size_t n, const char *f, char *slots), PRINT)
LISTED(int, PyOS_vsnprintf, (char *b, size_t n, const char *f, char *slots), PRINT)

/* abstract.h: calls with arguments by a format, or objects up to NULL. */
static object arguments_by(const char *f, va_list a) {
    object value = f == NULL || *f == '\0' ? CALL(object, PyTuple_New, (ssize), (0)) : BUILD;
    if (value == NULL || CALL(int, PyType_IsSubtype, (object, object), (((object *)value)[1], dlsym(RTLD_DEFAULT, "PyTuple_Type"))))
        return value;
    object made = tuple_of(1, &value);
    DROP(value);
    return made;
}
static int audit(const char *event, object args) {
    int result = args == NULL ? -1 : CALL(int, PySys_AuditTuple, (const char *, object), (event, args));
    if (args != NULL)
        DROP(args);
    return result;
}
VARIADIC(int, PySys_Audit, 2, (const char *event, const char *f, char *slots), audit(event, arguments_by(f, a)))
static object call_with(object callable, object args) {
    object result = args == NULL ? NULL : CALL(object, PyObject_CallObject, (object, object), (callable, args));
    if (args != NULL)
        DROP(args);
    return result;
}
static object call_method(object method, object args) {
    object result = method == NULL ? NULL : call_with(method, args);
    if (method == NULL && args != NULL)
        DROP(args);
    if (method != NULL)
        DROP(method);
    return result;
}
static object attribute(object self, const char *name) { return CALL(object, PyObject_GetAttrString, (object, const char *), (self, name)); }
static object until_null(char *slots) {
    object *items = (object *)(void *)slots;
    ssize count = 0;
    while (items[count] != NULL)
        count++;
    return tuple_of(count, items);
}
VARIADIC(object, PyObject_CallFunction, 2, (object callable, const char *f, char *slots), call_with(callable, arguments_by(f, a)))
VARIADIC(object, _PyObject_CallFunction_SizeT, 2, (object callable, const char *f, char *slots), call_with(callable, arguments_by(f, a)))
VARIADIC(object, PyObject_CallMethod, 3, (object self, const char *name, const char *f, char *slots), call_method(attribute(self, name), arguments_by(f, a)))
VARIADIC(object, _PyObject_CallMethod_SizeT, 3, (object self, const char *name, const char *f, char *slots), call_method(attribute(self, name), arguments_by(f, a)))
ENTRY(PyObject_CallFunctionObjArgs, 1)
TARGET object variadic_PyObject_CallFunctionObjArgs(object callable, char *slots) { return call_with(callable, until_null(slots)); }
ENTRY(PyObject_CallMethodObjArgs, 2)
TARGET object variadic_PyObject_CallMethodObjArgs(object self, object name, char *slots) {
    return call_method(CALL(object, PyObject_GetAttr, (object, object), (self, name)), until_null(slots));
}
#endif
