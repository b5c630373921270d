"""One extension module, against the Limited API of Python 3.13: one wheel serves that version and all later ones."""

from setuptools import Extension, setup

setup(
    ext_modules=[Extension("_multiprocessing._native", ["native.c"], py_limited_api=True)],
    options={"bdist_wheel": {"py_limited_api": "cp313"}},
)
