"""CPython's variadic functions, which Apple's arm64 calls otherwise than Linux's, called by a Mach-O module."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import NetworkError
from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.emulate.guest import find_qemu
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.system import read_table
from forge.ios_python.headers import ensure_headers
from forge.ios_python.interface import known_minors, read_interface
from forge.plan.provision import ensure_context
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux, host_arch
from tests.integration.targets import DEVICE, SIMULATOR

if TYPE_CHECKING:
    from forge.base.target import Target

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "emulate" / "loader" / "variadics.c"
TARGETS = (SIMULATOR, DEVICE)

SCRIPT = """
import json, sys, warnings
sys.path[:0] = [{root!r}, {here!r}]
from forge.emulate.runtime import LoaderConfig, install
install(LoaderConfig.from_json({config!r}))
import variadics as v

def failing(call, *args):
    try:
        call(*args)
    except Exception as error:
        return [type(error).__name__, str(error)]

audited, ignored = [], []
sys.addaudithook(lambda event, args: event.startswith("forge.") and audited.append([event, *args]))
v.audits()
sys.unraisablehook = lambda told: ignored.append([repr(told.exc_value), told.err_msg])
v.ignores()
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    v.warns("source")
number, real, text, none, seven, large, data = v.built()
said = dict(
    built=[number, real, text, none, seven, large, list(data)],
    packed=v.packed(1, 2), parsed=[v.parsed(-5, "t"), v.parsed(5, "t", 0.25), failing(v.parsed, "x", "t")],
    named=[v.named("a"), v.named("a", other="b"), failing(v.named, "a", "b")],
    unpacked=[v.unpacked(1), v.unpacked(1, 2), failing(v.unpacked)],
    formatted=[v.formatted("a")[0], v.formatted()[1].decode(), v.formatted()[2]],
    called=v.called(lambda *args: args), raises=failing(v.raises), audited=audited, ignored=ignored,
    warned=[[w.category.__name__, str(w.message), w.source] for w in warned],
    where=[[w.filename, w.lineno] for w in warned][2],
    listed=[list(one) if isinstance(one, bytes) else one for one in [*v.listed(5, 6)[0], *v.listed(5, 6)[1:]]],
    sized=[list(one) if isinstance(one, bytes) else repr(one) for one in v.sized(lambda *args: args, b"a\\0b")],
)
print("result", json.dumps(said), flush=True)
v.writes(1)
"""

EXPECTED = {
    "built": [-1, 2.5, "text", None, 7, 2**63, [97, 98, 0, 99]],
    "packed": [[1, 2], True, None],
    "parsed": [[-5, "t", 0.0], [5, "t", 0.25], ["TypeError", "'str' object cannot be interpreted as an integer"]],
    "named": [["a", None], ["a", "b"], ["TypeError", "named() takes at most 1 positional argument (2 given)"]],
    "unpacked": [[None, 1], [2, 1], ["TypeError", "unpacked expected at least 1 argument, got 0"]],
    "formatted": ["-7 x ('a',) 1099511627776 y", "42-z", "-7 x 1.5"],
    "called": [[3, 0.5], ["upper", None], "lower", "aupperb"],
    "raises": ["ValueError", "wrong: 9"],
    "audited": [["forge.several", "a", 3], ["forge.none"], ["forge.one", "b"]],
    "ignored": [["KeyError('lost')", "Ignored in here 5"], ["KeyError('lost too')", None]],
    "warned": [
        ["UserWarning", "first 1", None], ["ResourceWarning", "second 2", "source"], ["FutureWarning", "third 3", None],
    ],
    "where": ["file.c", 33],
    "listed": ["v--3", list(b"v--3"), "v--3", True, [4, "w"], 5, 6, 5, 6],
    "sized": ["(b'a\\x00b', 1)", "(2,)", list(b"a\0b"), "3", "7", "7"],
}  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_what_variadic_functions_are_given_arrives(target: Target, tmp_path: Path) -> None:
    if target.arch != host_arch() and find_qemu() is None:
        pytest.skip("there is no qemu-aarch64")
    context = ensure_context(ForgeHome.from_environment(), "3.13", [target], SilentProgress())
    output(
        ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-O1", "-bundle",
         f"-I{context.python.headers(target)}", "-Wl,-undefined,dynamic_lookup", SOURCE,
         "-o", tmp_path / f"variadics.cpython-313-{target.abi}.so"],
        env=cross_environment(context.toolchain, target, tmp_path),
    )  # fmt: skip
    linux = ensure_linux(context, target.arch, SilentProgress())
    config = LoaderConfig(shim=linux.shim)
    script = SCRIPT.format(root=str(ROOT), here=str(tmp_path), config=config.to_json())
    done = subprocess.run(
        [*linux.command, "-I", "-c", script], check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    result, *written = done.stdout.splitlines()
    said: dict[str, Any] = json.loads(result.removeprefix("result "))
    assert said == EXPECTED
    assert written == ["written 1", "(1,) 2"]
    assert done.stderr.splitlines() == ["written 3", "(1,) 4"]


@pytest.mark.parametrize("minor", known_minors())
def test_each_that_python_exports_is_bound_by_name_on_arm64(minor: str) -> None:
    """The rule that binds the interpreter's functions would give Apple's code a function of Linux's convention."""
    try:
        headers = ensure_headers(ForgeHome.from_environment(), minor, SilentProgress())
    except NetworkError as error:
        pytest.skip(f"the headers of Python {minor} cannot be had: {error.message.splitlines()[0]}")
    text = "".join(path.read_text("utf-8") for path in headers.directory.rglob("*.h"))
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    variadic = set(re.findall(r"\b(_?Py\w+)\s*\([^()]*(?:\.\.\.\s*|\bva_list\b[^()]*)\)", code))
    assert {"PyErr_Format", "PyUnicode_FromFormat", "Py_VaBuildValue", "PySys_Audit", "_PyErr_Format"} <= variadic
    exported = variadic & set(read_interface(minor).symbols)
    listed = {entry.symbol[1:] for entry in read_table("python") if entry.arch == "arm64"}
    assert len(exported) > 30
    assert exported - listed == set()


def test_the_module_calls_each() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    adapted = [entry.symbol[1:] for entry in read_table("python") if (entry.arch, entry.provider) == ("arm64", "shim")]
    assert len(adapted) > 30
    assert [name for name in adapted if not re.search(rf"[^\w\"]{name}\(", source)] == []
