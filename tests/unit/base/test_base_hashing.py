from __future__ import annotations

import hashlib
import io
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import forge
from forge.base.hashing import code_sha256, file_sha256, fingerprint, tree_sha256, without_comments

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, min_size=2))
def test_the_order_of_keys_does_not_count(value: dict[str, object]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


def test_other_values_have_other_fingerprints() -> None:
    values: list[object] = [
        None,
        True,
        1,
        "1",
        "true",
        "",
        [],
        {},
        [1],
        ["1"],
        [[1]],
        [1, 2],
        [2, 1],
        {"a": 1},
        {"1": 1},
    ]
    assert len({fingerprint(value) for value in values}) == len(values)


def test_a_fingerprint_is_that_of_canonical_json() -> None:
    expected = hashlib.sha256(b'{"a":[1,"\\u00e4"],"b":null}').hexdigest()
    assert fingerprint({"b": None, "a": [1, "ä"]}) == expected


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", float("nan")])
def test_what_is_not_json_has_no_fingerprint(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        fingerprint(value)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def make_tree(root: Path) -> Path:
    (root / "sub").mkdir(parents=True)
    (root / "a").write_text("1")
    (root / "sub" / "b").write_text("2")
    (root / "link").symlink_to("sub")
    return root


def test_the_same_tree_elsewhere(tmp_path: Path) -> None:
    one, other = make_tree(tmp_path / "1"), make_tree(tmp_path / "2")
    before = tree_sha256(one)
    assert before == tree_sha256(other)
    (other / "__pycache__").mkdir()
    (other / "__pycache__" / "a.pyc").touch()
    (other / "empty").mkdir()
    (other / "a").touch()
    assert before == tree_sha256(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a").write_text("2"),
        lambda root: (root / "a").rename(root / "c"),
        lambda root: (root / "a").chmod(0o755),
        lambda root: (root / "new").touch(),
        lambda root: (root / "sub" / "b").unlink(),
        lambda root: [(root / "link").unlink(), (root / "link").symlink_to("a")],
        lambda root: [(root / "link").unlink(), (root / "link").write_text("sub")],
    ],
)
def test_every_change_counts(tmp_path: Path, change: object) -> None:
    root = make_tree(tmp_path / "t")
    before = tree_sha256(root)
    assert callable(change)
    change(root)
    assert tree_sha256(root) != before


CODE = """\
'''A module.

# no comment
'''

def f(x: str) -> str:
    return f"{x}# no comment \\" # either" + '\\\\'


TEXT = r"\\"
"""


class TestCode:
    @staticmethod
    def hashed(directory: Path, text: str, name: str = "x.py") -> str:
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
        return code_sha256(directory)

    @pytest.mark.parametrize(("old", "new"), [
        ("\n\ndef", "\n# A comment\n\n\ndef"),
        ("str:\n", "str:  # a 'comment'\n\n    # and \"another\n"),
        ("\n\n\nTEXT", "\nTEXT"),
        ('TEXT = r"\\"\n', 'TEXT = r"\\"\n# at the end'),
    ])  # fmt: skip
    def test_comments_and_empty_lines_do_not_count(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in CODE
        before = self.hashed(tmp_path / "a", CODE)
        assert self.hashed(tmp_path / "b", CODE.replace(old, new)) == before
        assert self.hashed(tmp_path / "b", CODE.replace(old, new), "x.txt") != before

    @pytest.mark.parametrize(("old", "new"), [
        ("# no comment\n", "# other\n"), ("# no comment \\", "# other \\"), ("A module.\n\n", "A module.\n"),
        ("    return", "     return"), ("x: str", "x:  str"),
    ])  # fmt: skip
    def test_all_else_does(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in CODE
        assert self.hashed(tmp_path / "a", CODE) != self.hashed(tmp_path / "b", CODE.replace(old, new))

    def test_yaml(self, tmp_path: Path) -> None:
        before = self.hashed(tmp_path / "a", "a: 2026-01-01\n", "x.yaml")
        assert self.hashed(tmp_path / "a", "# Why\na:   2026-01-01 # so\n", "x.yaml") == before
        assert self.hashed(tmp_path / "a", "a: 2026-01-02\n", "x.yaml") != before
        assert self.hashed(tmp_path / "a", "a: [", "x.yaml") != self.hashed(tmp_path / "a", "a: {", "x.yaml")

    def test_forges_own_modules_are_read_as_python_reads_them(self) -> None:
        """Without comments and empty lines the tokens are the same, and there are no such any more."""
        left_out = (tokenize.COMMENT, tokenize.NL)
        for file in Path(forge.__file__).parent.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            bare = without_comments(text)
            before, after = ([*tokenize.generate_tokens(io.StringIO(each).readline)] for each in (text, bare))
            assert not [token for token in after if token.type == tokenize.COMMENT], file
            assert [(t.type, t.string) for t in after if t.type not in left_out] == [
                (t.type, t.string) for t in before if t.type not in left_out
            ], file
