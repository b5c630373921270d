"""Strings compared by the C++ modules, with the results of the Python ones."""

import pytest
from rapidfuzz import distance, fuzz, fuzz_cpp, fuzz_py, process, process_cpp, process_py, utils, utils_cpp
from rapidfuzz.distance import Levenshtein, metrics_cpp, metrics_py

_TEXTS = [
    "",
    "kitten",
    "sitting",
    "new york mets",
    "new york mets vs atlanta braves",
    "\u30c6\u30b9\u30c8 kitten",
    "a" * 200,
]
_PAIRS = [(one, other) for one in _TEXTS for other in _TEXTS]


def test_the_compiled_code_is_used():
    assert type(fuzz.ratio) is type(fuzz_cpp.ratio) is not type(fuzz_py.ratio)
    assert type(process.extract) is type(process_cpp.extract) is not type(process_py.extract)
    assert type(utils.default_process) is type(utils_cpp.default_process)
    assert type(Levenshtein.distance) is type(metrics_cpp.levenshtein_distance)


@pytest.mark.parametrize("name", ["ratio", "partial_ratio", "token_set_ratio", "token_sort_ratio", "WRatio", "QRatio"])
def test_ratios(name):
    compiled, python = getattr(fuzz_cpp, name), getattr(fuzz_py, name)
    for one, other in _PAIRS:
        assert compiled(one, other) == pytest.approx(python(one, other)), (one, other)


@pytest.mark.parametrize(
    "name",
    [
        "damerau_levenshtein_distance",
        "hamming_distance",
        "indel_distance",
        "jaro_winkler_similarity",
        "lcs_seq_similarity",
        "levenshtein_distance",
        "osa_distance",
    ],
)
def test_metrics(name):
    compiled, python = getattr(metrics_cpp, name), getattr(metrics_py, name)
    for one, other in _PAIRS:
        assert compiled(one, other) == pytest.approx(python(one, other)), (one, other)


def test_edits():
    edits = Levenshtein.editops("kitten", "sitting")
    assert [edit.tag for edit in edits] == ["replace", "replace", "insert"]
    assert edits.apply("kitten", "sitting") == "sitting"
    assert distance.Levenshtein.distance("kitten", "sitting", weights=(1, 1, 2)) == 5


def test_choices():
    found = process_cpp.extract("new york", _TEXTS, scorer=fuzz.partial_ratio, limit=2, processor=utils.default_process)
    assert [(text, round(score)) for text, score, _ in found] == [(_TEXTS[3], 100), (_TEXTS[4], 100)]
    assert process_py.extractOne("sittin", _TEXTS) == process_cpp.extractOne("sittin", _TEXTS)


def test_text_is_cleaned():
    assert utils_cpp.default_process("  ?\xc4 b!\xdf ") == "\xe4 b \xdf"
