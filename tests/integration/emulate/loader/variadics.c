/* CPython's variadic functions, called as iOS's code calls them. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *built(PyObject *self, PyObject *args) {
    return Py_BuildValue("(idsONKy#)", -1, 2.5, "text", Py_None, PyLong_FromLong(7), 1ULL << 63, "ab\0c", (Py_ssize_t)4);
}
static PyObject *packed(PyObject *self, PyObject *args) {
    return PyTuple_Pack(3, args, Py_True, Py_None);
}
static PyObject *parsed(PyObject *self, PyObject *args) {
    int number = 0;
    const char *text = "";
    double real = 0;
    return PyArg_ParseTuple(args, "is|d:parsed", &number, &text, &real) ? Py_BuildValue("isd", number, text, real) : NULL;
}
static PyObject *named(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"one", "other", NULL};
    PyObject *one, *other = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$O:named", names, &one, &other))
        return NULL;
    return PyTuple_Pack(2, one, other);
}
static PyObject *unpacked(PyObject *self, PyObject *args) {
    PyObject *one, *other = Py_None;
    return PyArg_UnpackTuple(args, "unpacked", 1, 2, &one, &other) ? PyTuple_Pack(2, other, one) : NULL;
}
static PyObject *formatted(PyObject *self, PyObject *args) {
    char buffer[64];
    PyOS_snprintf(buffer, sizeof buffer, "%d %s %.1f", -7, "x", 1.5);
    return Py_BuildValue("NNs", PyUnicode_FromFormat("%d %s %R %zd %c", -7, "x", args, (Py_ssize_t)1 << 40, 'y'),
                         PyBytes_FromFormat("%i-%s", 42, "z"), buffer);
}
static PyObject *called(PyObject *self, PyObject *callable) {
    PyObject *text = PyUnicode_FromString("upper"), *name = PyUnicode_FromString("join"), *list = Py_BuildValue("[ss]", "a", "b");
    PyObject *made = Py_BuildValue("NNNN", PyObject_CallFunction(callable, "id", 3, 0.5),
                                   PyObject_CallFunctionObjArgs(callable, text, Py_None, NULL),
                                   PyObject_CallMethod(text, "replace", "ss", "upp", "low"),
                                   PyObject_CallMethodObjArgs(text, name, list, NULL));
    Py_DECREF(text);
    Py_DECREF(name);
    Py_DECREF(list);
    return made;
}
static PyObject *raises(PyObject *self, PyObject *args) {
    return PyErr_Format(PyExc_ValueError, "%s: %d", "wrong", 9);
}
static PyObject *warns(PyObject *self, PyObject *source) {
    if (PyErr_WarnFormat(PyExc_UserWarning, 1, "%s %d", "first", 1) < 0 ||
        PyErr_ResourceWarning(source, 1, "%s %d", "second", 2) < 0 ||
        PyErr_WarnExplicitFormat(PyExc_FutureWarning, "file.c", 33, "module", NULL, "%s %d", "third", 3) < 0)
        return NULL;
    Py_RETURN_NONE;
}
static PyObject *ignores(PyObject *self, PyObject *args) {
    PyErr_SetString(PyExc_KeyError, "lost");
    PyErr_FormatUnraisable("Ignored in %s %d", "here", 5);
    PyErr_SetString(PyExc_KeyError, "lost too");
    PyErr_FormatUnraisable(NULL);
    Py_RETURN_NONE;
}
static PyObject *audits(PyObject *self, PyObject *args) {
    if (PySys_Audit("forge.several", "si", "a", 3) < 0 || PySys_Audit("forge.none", NULL) < 0 || PySys_Audit("forge.one", "s", "b") < 0)
        return NULL;
    Py_RETURN_NONE;
}
static PyObject *writes(PyObject *self, PyObject *args) {
    PySys_WriteStdout("%s %d\n", "written", 1);
    PySys_FormatStdout("%R %d\n", args, 2);
    PySys_WriteStderr("%s %d\n", "written", 3);
    PySys_FormatStderr("%R %d\n", args, 4);
    Py_RETURN_NONE;
}

/* With a va_list, which is a pointer on Apple's arm64 and a structure on Linux's. */
static PyObject *lists(const char *format, ...) {
    char buffer[32];
    PyObject *made[4];
    va_list arguments;
    va_start(arguments, format);
    made[0] = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    made[1] = PyBytes_FromFormatV(format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    PyOS_vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    made[2] = PyErr_FormatV(PyExc_ValueError, format, arguments);
    va_end(arguments);
    PyErr_Clear();
    made[3] = PyUnicode_FromString(buffer);
    return Py_BuildValue("NNNO", made[0], made[1], made[3], made[2] == NULL ? Py_True : Py_False);
}
static PyObject *builds(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *made = Py_VaBuildValue(format, arguments);
    va_end(arguments);
    return made;
}
static int parses(PyObject *args, PyObject *keywords, const char *format, char **names, ...) {
    va_list arguments;
    va_start(arguments, names);
    int fine = keywords == NULL ? PyArg_VaParse(args, format, arguments)
                                : PyArg_VaParseTupleAndKeywords(args, keywords, format, names, arguments);
    va_end(arguments);
    return fine;
}
static PyObject *listed(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"one", "other", NULL};
    int one = 0, other = 0, first = 0, second = 0;
    PyObject *none = PyDict_New();
    if (!parses(args, NULL, "ii:listed", NULL, &one, &other) || !parses(args, none, "ii:listed", names, &first, &second))
        return NULL;
    Py_DECREF(none);
    return Py_BuildValue("NNiiii", lists("%s-%d", "v", -3), builds("(is)", 4, "w"), one, other, first, second);
}

/* What PY_SSIZE_T_CLEAN made of the names until 3.12; extensions for the stable ABI still import them. */
extern int _PyArg_Parse_SizeT(PyObject *, const char *, ...);
extern int _PyArg_ParseTuple_SizeT(PyObject *, const char *, ...);
extern int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *, PyObject *, const char *, char **, ...);
extern PyObject *_Py_BuildValue_SizeT(const char *, ...);
extern PyObject *_PyObject_CallFunction_SizeT(PyObject *, const char *, ...);
extern PyObject *_PyObject_CallMethod_SizeT(PyObject *, const char *, const char *, ...);
static PyObject *sized(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"callable", "data", NULL};
    PyObject *callable, *again;
    const char *data, *other;
    Py_ssize_t length, size;
    int number = 0, old = 0;
    if (!_PyArg_ParseTuple_SizeT(args, "Oy#:sized", &callable, &data, &length) ||
        !_PyArg_ParseTupleAndKeywords_SizeT(args, NULL, "Oy#:sized", names, &again, &other, &size))
        return NULL;
    PyObject *seven = PyLong_FromLong(7);
    if (!_PyArg_Parse_SizeT(seven, "i", &number) || !PyArg_Parse(seven, "i", &old))
        return NULL;
    Py_DECREF(seven);
    return _Py_BuildValue_SizeT("NNy#nii", _PyObject_CallFunction_SizeT(callable, "(y#i)", data, length, 1),
                                _PyObject_CallMethod_SizeT(again, "__call__", "(i)", 2), other, size, size, number, old);
}

static PyMethodDef functions[] = {
    {"listed", (PyCFunction)(void (*)(void))listed, METH_VARARGS | METH_KEYWORDS, NULL},
    {"sized", (PyCFunction)(void (*)(void))sized, METH_VARARGS | METH_KEYWORDS, NULL},
    {"built", built, METH_NOARGS, NULL}, {"packed", packed, METH_VARARGS, NULL}, {"parsed", parsed, METH_VARARGS, NULL},
    {"named", (PyCFunction)(void (*)(void))named, METH_VARARGS | METH_KEYWORDS, NULL}, {"unpacked", unpacked, METH_VARARGS, NULL},
    {"formatted", formatted, METH_VARARGS, NULL}, {"called", called, METH_O, NULL}, {"raises", raises, METH_NOARGS, NULL},
    {"warns", warns, METH_O, NULL}, {"ignores", ignores, METH_NOARGS, NULL}, {"audits", audits, METH_NOARGS, NULL},
    {"writes", writes, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "variadics", .m_size = -1, .m_methods = functions};
PyMODINIT_FUNC PyInit_variadics(void) { return PyModule_Create(&definition); }
