/* An extension module with multi-phase initialisation (PEP 489) that any interpreter may import (PEP 684). */
#define Py_LIMITED_API 0x030c0000
#include <Python.h>

static int execute(PyObject *module) { return PyModule_AddIntConstant(module, "answer", 42); }
static PyObject *fail(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    return PyErr_Format(PyExc_KeyError, "from %s", "multi");
}
static PyMethodDef methods[] = {{"fail", fail, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "multi", NULL, 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_multi(void) { return PyModuleDef_Init(&definition); }
PyMODINIT_FUNC PyInitU_mlti_0ra(void) { return PyModuleDef_Init(&definition); }
