"""Byte pair encoding with a made-up vocabulary: the ones that are published are downloaded."""

import tiktoken


def encoding():
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {b"he": 256, b"ll": 257, b"hell": 258, b"hello": 259, b" w": 260}
    return tiktoken.Encoding(
        "made-up", pat_str=r"\s?\w+|\s+|[^\s\w]+", mergeable_ranks=ranks, special_tokens={"<|end|>": 300}
    )


def test_encoding():
    made = encoding()
    assert made.encode("hello world!") == [259, 260, *b"orld", *b"!"]
    assert made.decode(made.encode("hé 漢字 \U0001f600")) == "hé 漢字 \U0001f600"
    assert made.encode("hello<|end|>", allowed_special="all") == [259, 300]
    assert made.n_vocab == 301
    assert made.encode_batch(["hello", "hell"]) == [[259], [258]]
