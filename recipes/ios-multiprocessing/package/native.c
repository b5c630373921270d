/* _multiprocessing._native: SemLock for the threads of one process, and the two calls of _posixshmem.

   An app has one process, so a semaphore needs no name that another process could open (which the sandbox may refuse)
   and nothing of the system's: it is a number and a queue of threads that wait for it. Both are changed by whoever
   holds the GIL, and need no other lock. What SemLock's methods do is what multiprocessing.synchronize expects of them
   and Python's documentation says of multiprocessing.Lock, RLock and Semaphore. */

#define Py_LIMITED_API 0x030d0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

enum { RECURSIVE_MUTEX, SEMAPHORE };

#define LARGEST_VALUE 32767 /* SEM_VALUE_MAX of Darwin's limits.h */
#define LONGEST_WAIT 1e9 /* seconds, 31 years: a longer timeout is none */

/* A thread that waits. It sleeps on a lock, whose release wakes it to look whether the value is for it. */
typedef struct Waiter {
    struct Waiter *next;
    PyThread_type_lock lock;
    int woken;
} Waiter;

typedef struct {
    PyObject_HEAD
    int kind;
    int maxvalue;
    int value;           /* how often it can be acquired without waiting */
    int count;           /* how often it was acquired and not released */
    unsigned long owner; /* the thread that acquired it last */
    Waiter *first;       /* in the order in which they came */
} SemLock;

static int
is_mine(const SemLock *self)
{
    return self->count > 0 && self->owner == PyThread_get_thread_ident();
}

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
leave_queue(SemLock *self, const Waiter *waiter)
{
    for (Waiter **at = &self->first; *at != NULL; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

/* Wake the thread that has waited longest of those that sleep. It is not handed the semaphore: the thread that runs may
   acquire it once more before that, which costs no change of threads. */
static void
wake_one(const SemLock *self)
{
    for (Waiter *waiter = self->first; waiter != NULL; waiter = waiter->next) {
        if (!waiter->woken) {
            waiter->woken = 1;
            PyThread_release_lock(waiter->lock);
            return;
        }
    }
}

/* Wait until the value is positive, for ever if end is negative. Returns 1 if it is, 0 if time is up, -1 with an exception
   set, which a signal's handler raised. */
static int
wait_for(SemLock *self, double end)
{
    Waiter waiter = {NULL, PyThread_allocate_lock(), 0};
    if (waiter.lock == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyThread_acquire_lock(waiter.lock, NOWAIT_LOCK);
    Waiter **last = &self->first;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = &waiter;
    int failed = 0;
    while (self->value == 0 && !failed) {
        PY_TIMEOUT_T microseconds = -1;
        if (end >= 0) {
            double left = end - now();
            if (left <= 0) {
                break;
            }
            microseconds = (PY_TIMEOUT_T)(left * 1e6) + 1;
        }
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(waiter.lock, microseconds, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            waiter.woken = 0; /* if another thread was faster, sleep again */
        }
        failed = PyErr_CheckSignals() < 0;
    }
    leave_queue(self, &waiter);
    if (failed && self->value > 0) {
        wake_one(self); /* it may have been woken for nothing; the next one is not */
    }
    PyThread_free_lock(waiter.lock);
    return failed ? -1 : self->value > 0;
}

static PyObject *
semlock_acquire(SemLock *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"block", "timeout", NULL};
    int block = 1;
    PyObject *timeout = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|pO:acquire", names, &block, &timeout)) {
        return NULL;
    }
    double end = -1;
    if (block && timeout != Py_None) {
        double seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1 && PyErr_Occurred()) {
            return NULL;
        }
        if (!(seconds > 0)) {
            block = 0; /* as documented: a negative timeout is one of zero */
        }
        else if (seconds < LONGEST_WAIT) {
            end = now() + seconds;
        }
    }
    if (self->kind == RECURSIVE_MUTEX && is_mine(self)) {
        self->count++;
        Py_RETURN_TRUE;
    }
    if (self->value == 0) {
        int positive = block ? wait_for(self, end) : 0;
        if (positive < 0) {
            return NULL;
        }
        if (!positive) {
            Py_RETURN_FALSE;
        }
    }
    self->value--;
    self->count++;
    self->owner = PyThread_get_thread_ident();
    Py_RETURN_TRUE;
}

static PyObject *
semlock_release(SemLock *self, PyObject *Py_UNUSED(unused))
{
    if (self->kind == RECURSIVE_MUTEX) {
        if (!is_mine(self)) {
            PyErr_SetString(PyExc_AssertionError, "attempt to release recursive lock not owned by thread");
            return NULL;
        }
        if (self->count > 1) {
            self->count--;
            Py_RETURN_NONE;
        }
    }
    else if (self->value >= self->maxvalue) {
        PyErr_SetString(PyExc_ValueError, "semaphore or lock released too many times");
        return NULL;
    }
    self->count--;
    self->value++;
    wake_one(self);
    Py_RETURN_NONE;
}

static PyObject *
semlock_enter(SemLock *self, PyObject *Py_UNUSED(unused))
{
    PyObject *none = PyTuple_New(0);
    PyObject *result = none == NULL ? NULL : semlock_acquire(self, none, NULL);
    Py_XDECREF(none);
    return result;
}

static PyObject *
semlock_exit(SemLock *self, PyObject *Py_UNUSED(args))
{
    return semlock_release(self, NULL);
}

static PyObject *
semlock_count(SemLock *self, PyObject *Py_UNUSED(unused))
{
    return PyLong_FromLong(self->count);
}

static PyObject *
semlock_is_mine(SemLock *self, PyObject *Py_UNUSED(unused))
{
    return PyBool_FromLong(is_mine(self));
}

static PyObject *
semlock_get_value(SemLock *self, PyObject *Py_UNUSED(unused))
{
    return PyLong_FromLong(self->value);
}

static PyObject *
semlock_is_zero(SemLock *self, PyObject *Py_UNUSED(unused))
{
    return PyBool_FromLong(self->value == 0);
}

static PyObject *
semlock_after_fork(SemLock *self, PyObject *Py_UNUSED(unused))
{
    self->count = 0;
    Py_RETURN_NONE;
}

static PyObject *
semlock_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"kind", "value", "maxvalue", "name", "unlink", NULL};
    int kind, value, maxvalue, unlink;
    const char *name;
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "iiisp:SemLock", names, &kind, &value, &maxvalue, &name, &unlink)) {
        return NULL;
    }
    if (kind != RECURSIVE_MUTEX && kind != SEMAPHORE) {
        PyErr_SetString(PyExc_ValueError, "unrecognized kind");
        return NULL;
    }
    if (value < 0 || value > LARGEST_VALUE) {
        errno = EINVAL; /* as sem_open(2) says it */
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    SemLock *self = (SemLock *)allocate(type, 0);
    if (self != NULL) {
        self->kind = kind;
        self->value = value;
        self->maxvalue = maxvalue;
    }
    return (PyObject *)self;
}

static void
semlock_dealloc(PyObject *self)
{
    /* Nobody waits: a thread that does holds a reference. */
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *
semlock_handle(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromVoidPtr(self);
}

static PyObject *
semlock_name(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE; /* as for every semaphore that was unlinked when it was made */
}

static PyMethodDef semlock_methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))semlock_acquire, METH_VARARGS | METH_KEYWORDS,
     "Acquire the semaphore/lock; False if that cannot be done at once or in time."},
    {"release", (PyCFunction)semlock_release, METH_NOARGS, "Release the semaphore/lock."},
    {"__enter__", (PyCFunction)semlock_enter, METH_NOARGS, "Acquire the semaphore/lock."},
    {"__exit__", (PyCFunction)semlock_exit, METH_VARARGS, "Release the semaphore/lock."},
    {"_count", (PyCFunction)semlock_count, METH_NOARGS, "How often it was acquired and not released."},
    {"_is_mine", (PyCFunction)semlock_is_mine, METH_NOARGS, "Whether this thread has acquired it."},
    {"_get_value", (PyCFunction)semlock_get_value, METH_NOARGS, "Its value."},
    {"_is_zero", (PyCFunction)semlock_is_zero, METH_NOARGS, "Whether its value is zero."},
    {"_after_fork", (PyCFunction)semlock_after_fork, METH_NOARGS, "Forget who has acquired it."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef semlock_members[] = {
    {"kind", Py_T_INT, offsetof(SemLock, kind), Py_READONLY, NULL},
    {"maxvalue", Py_T_INT, offsetof(SemLock, maxvalue), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef semlock_getset[] = {
    {"handle", semlock_handle, NULL, NULL, NULL},
    {"name", semlock_name, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot semlock_slots[] = {
    {Py_tp_doc, "A semaphore or recursive lock for the threads of this process."},
    {Py_tp_new, semlock_new},
    {Py_tp_dealloc, semlock_dealloc},
    {Py_tp_methods, semlock_methods},
    {Py_tp_members, semlock_members},
    {Py_tp_getset, semlock_getset},
    {0, NULL},
};

static PyType_Spec semlock_spec = {
    .name = "_multiprocessing.SemLock",
    .basicsize = sizeof(SemLock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = semlock_slots,
};

static PyObject *
native_shm_open(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", "write", "create", "exclusive", "truncate", "mode", NULL};
    const char *path;
    int write, create, exclusive, truncate, mode, file;
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "sppppi:shm_open", names, &path, &write, &create, &exclusive, &truncate, &mode)) {
        return NULL;
    }
    int flags = (write ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0) | (truncate ? O_TRUNC : 0);
    do {
        Py_BEGIN_ALLOW_THREADS
        file = shm_open(path, flags, mode);
        Py_END_ALLOW_THREADS
    } while (file < 0 && errno == EINTR && PyErr_CheckSignals() == 0);
    if (file >= 0) {
        return PyLong_FromLong(file);
    }
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}

static PyObject *
native_shm_unlink(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", NULL};
    const char *path;
    int result;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s:shm_unlink", names, &path)) {
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS
        result = shm_unlink(path);
        Py_END_ALLOW_THREADS
    } while (result < 0 && errno == EINTR && PyErr_CheckSignals() == 0);
    if (result == 0) {
        Py_RETURN_NONE;
    }
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}

static PyMethodDef native_functions[] = {
    {"shm_open", (PyCFunction)(void (*)(void))native_shm_open, METH_VARARGS | METH_KEYWORDS,
     "Open a shared memory object; its file descriptor."},
    {"shm_unlink", (PyCFunction)(void (*)(void))native_shm_unlink, METH_VARARGS | METH_KEYWORDS,
     "Remove the name of a shared memory object."},
    {NULL, NULL, 0, NULL},
};

static int
native_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &semlock_spec, NULL);
    PyObject *largest = PyLong_FromLong(LARGEST_VALUE);
    int result = -1;
    if (type != NULL && largest != NULL && PyObject_SetAttrString(type, "SEM_VALUE_MAX", largest) == 0) {
        result = PyModule_AddObjectRef(module, "SemLock", type);
    }
    Py_XDECREF(type);
    Py_XDECREF(largest);
    return result;
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {0, NULL},
};

static PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_multiprocessing._native",
    .m_methods = native_functions,
    .m_slots = native_slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
