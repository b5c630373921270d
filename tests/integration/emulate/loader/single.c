/* An extension module with single-phase initialisation, imported below a package. */
#define Py_LIMITED_API 0x030c0000
#include <Python.h>

static int times;
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "single", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_single(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module)
        PyModule_AddIntConstant(module, "times", ++times);
    return module;
}
