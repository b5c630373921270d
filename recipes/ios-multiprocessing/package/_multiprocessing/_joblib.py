"""joblib where there is one process: its threads take the place of its processes.

joblib makes a semaphore while it is imported, to learn whether it can have processes. Without semaphores it has no
threads either, with them it starts processes and fails. So it gets its semaphore, and when its module of back ends has
been imported, the names of those that start processes stand for the one with threads (`register_parallel_backend` is
joblib's own way to say so).
"""

import sys
from importlib.abc import Loader, MetaPathFinder

NAMES = ("/joblib-", "/loky-")
"""How the names of its semaphores start: of the one that it asks with (``joblib/_multiprocessing_helpers.py``), and of
all since loky, which is part of it, gave `multiprocessing` other names (``externals/loky/backend/__init__.py``)."""

_MODULE = "joblib.parallel"
_PROCESSES = ("loky", "multiprocessing")


class _Finder(MetaPathFinder):
    """Finds one module, by asking the others, and has it loaded by `_ThenThreads`; once."""

    def find_spec(self, name, path=None, target=None):
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _ThenThreads(spec.loader)
                return spec
        return None


class _ThenThreads(Loader):
    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        threads = module.BACKENDS["threading"]
        for name in _PROCESSES:
            module.register_parallel_backend(name, threads)
        module.register_parallel_backend("threading", threads, make_default=True)


def give_threads():
    """Have joblib use threads, if it is being imported."""
    if _MODULE not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
