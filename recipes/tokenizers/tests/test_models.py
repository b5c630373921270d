"""Training, encoding and saving, all of which is compiled."""

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import BpeTrainer


def test_a_trained_tokenizer_encodes_and_decodes(tmp_path):
    tokenizer = Tokenizer(BPE(unk_token="[UNK]"))  # noqa: S106 - a token of the vocabulary, not a password
    tokenizer.pre_tokenizer = Whitespace()
    trainer = BpeTrainer(vocab_size=30, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(["low lower lowest", "new newer newest"] * 10, trainer)
    encoding = tokenizer.encode("lowest newer")
    assert "".join(encoding.tokens) == "lowestnewer"
    assert encoding.offsets[-1][1] == len("lowest newer")
    assert tokenizer.encode("z").tokens == ["[UNK]"]
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert again.encode("lowest newer").ids == encoding.ids
