"""Tries of words, with values, saved and loaded."""

import marisa_trie


def test_tries():
    trie = marisa_trie.Trie(["key1", "key2", "key12", "ü"])
    assert "key1" in trie
    assert "key3" not in trie
    assert trie.prefixes("key12") == ["key1", "key12"]
    assert sorted(trie.keys("key1")) == ["key1", "key12"]
    records = marisa_trie.RecordTrie("<H?", [("a", (1, True)), ("b", (2, False))])
    assert records["a"] == [(1, True)]


def test_saved(tmp_path):
    trie = marisa_trie.BytesTrie([("a", b"1"), ("b", b"2")])
    trie.save(str(tmp_path / "x"))
    assert marisa_trie.BytesTrie().load(str(tmp_path / "x"))["b"] == [b"2"]
