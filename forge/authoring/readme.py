"""Examples of a README as a test: those that hold for the project's own wheel on this machine."""

from __future__ import annotations

import doctest
import itertools
import json
import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.attempts import new_log
from forge.base.errors import BuildError, NetworkError, ToolchainError
from forge.base.process import output, run
from forge.crossbuild.resolve import scratch
from forge.crossbuild.tools import ensure_tools, pip_environment
from forge.plan.lock_python import find_lock_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress

_MOST_TEXT = 8000
_SECONDS = 60

_CHECK = """\
import doctest, json, os, sys
directory, file = sys.argv[1:]
sys.path.insert(0, directory)
os.chdir(os.path.dirname(file))  # examples may write files
with open(file, encoding="utf-8") as opened:
    examples = [doctest.Example(source, want) for source, want in json.load(opened)]
names, good = {}, []
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
for number, example in enumerate(examples):
    test = doctest.DocTest([example], names, "README", None, 0, None)
    test.globs = names
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    if runner.run(test, out=lambda text: None, clear_globs=False).failed == 0:
        good.append(number)
print("\\n" + json.dumps(good))
"""


def readme_examples(description: str, packages: Sequence[str]) -> tuple[doctest.Example, ...]:
    """The examples of a README, from the first that imports the package on: pieces of a page share their names.

    Args:
        description: The long description.
        packages: The import packages.
    """
    try:
        examples = doctest.DocTestParser().get_examples(description)
    except ValueError:  # badly indented
        return ()
    importing = re.compile(rf"\s*(?:import|from)\s+(?:{'|'.join(map(re.escape, packages))})\b")
    first = next((number for number, each in enumerate(examples) if importing.match(each.source)), len(examples))
    return tuple(map(_without_fence, examples[first:]))


def true_examples(
    examples: Sequence[doctest.Example], name: str, version: str, minor: str, home: ForgeHome, progress: Progress
) -> tuple[doctest.Example, ...]:
    """Those of some examples that hold for the project's wheel for this machine; none if it has no such wheel.

    Args:
        examples: In order.
        name: The project.
        version: Its version.
        minor: Python's major.minor.
        home: The cache.
        progress: Receives progress updates.
    """
    if not examples:
        return ()
    progress.phase(name, "try the examples of its README")
    try:
        build_python = find_lock_python(home, minor, progress)
        tools = ensure_tools(home, build_python)
        with scratch(home, "readme") as directory:
            command: list[str | Path] = [
                tools.python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
                "--only-binary", ":all:", "--target", directory / "wheel", f"{canonicalize_name(name)}=={version}",
            ]  # fmt: skip
            log = new_log(home.logs, f"readme-{name}")
            run(command, log=log, env=pip_environment(home), cwd=directory, what="the wheel for this machine")
            return check_examples(examples, directory / "wheel", build_python.executable, directory)
    except (BuildError, ToolchainError, NetworkError):  # no wheel for this machine, or it needs what is not here
        return ()


def check_examples(
    examples: Sequence[doctest.Example], packages: Path, python: Path, work: Path
) -> tuple[doctest.Example, ...]:
    """Those of some examples that hold, tried until those that are left hold without the others.

    Args:
        examples: In order.
        packages: The directory that the package is installed in.
        python: The interpreter.
        work: A directory of its own, in which they run.

    Raises:
        ToolchainError: They ended the interpreter, or took too long.
    """
    left = tuple(examples)
    while left:
        file = work / "examples.json"
        file.write_text(json.dumps([(each.source, each.want) for each in left]), encoding="utf-8")
        said = output([python, "-I", "-c", _CHECK, packages, file], timeout=_SECONDS)
        try:
            good = json.loads(said.strip().rpartition("\n")[2])
        except ValueError as error:  # an example ended the process
            raise ToolchainError("the examples ended before their results were told") from error
        kept = tuple(left[number] for number in good)
        if kept == left:
            break
        left = kept
    return left


def readme_test(examples: Sequence[doctest.Example], package: str) -> str | None:
    """A pytest file that runs examples, or None if nothing in them is compared.

    Args:
        examples: Those that hold.
        package: The import package.
    """
    shown = "".join(map(_shown, examples))
    compared = any(example.want for example in examples)
    if not compared or '"""' in shown or len(shown) > _MOST_TEXT:
        return None
    return (
        f'"""The examples of {package}\'s README."""\n\n'
        "import doctest\n\n"
        f'EXAMPLES = r"""\n{shown}"""\n\n\n'
        "def test_examples():\n"
        "    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE\n"
        '    parsed = doctest.DocTestParser().get_doctest(EXAMPLES, {}, "README", None, 0)\n'
        "    assert doctest.DocTestRunner(optionflags=flags).run(parsed).failed == 0\n"
    )


def _without_fence(example: doctest.Example) -> doctest.Example:
    """An example whose result ends where Markdown's block of code does."""
    lines = itertools.takewhile(lambda line: not line.startswith(("```", "~~~")), example.want.splitlines())
    return doctest.Example(example.source, "".join(f"{line}\n" for line in lines))


def _shown(example: doctest.Example) -> str:
    lines = example.source.rstrip("\n").split("\n")
    return "".join(f"{line}\n" for line in (f">>> {lines[0]}", *(f"... {line}" for line in lines[1:]))) + example.want
