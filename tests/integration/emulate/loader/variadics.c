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

static PyMethodDef functions[] = {
    {"built", built, METH_NOARGS, NULL}, {"packed", packed, METH_VARARGS, NULL}, {"parsed", parsed, METH_VARARGS, NULL},
    {"named", (PyCFunction)(void (*)(void))named, METH_VARARGS | METH_KEYWORDS, NULL}, {"unpacked", unpacked, METH_VARARGS, NULL},
    {"formatted", formatted, METH_VARARGS, NULL}, {"called", called, METH_O, NULL}, {"raises", raises, METH_NOARGS, NULL},
    {"warns", warns, METH_O, NULL}, {"ignores", ignores, METH_NOARGS, NULL}, {"audits", audits, METH_NOARGS, NULL},
    {"writes", writes, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "variadics", .m_size = -1, .m_methods = functions};
PyMODINIT_FUNC PyInit_variadics(void) { return PyModule_Create(&definition); }
