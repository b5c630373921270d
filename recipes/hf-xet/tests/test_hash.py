from pathlib import Path

import hf_xet


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "numbers.bin"
    file.write_bytes(bytes(range(256)) * 4096)
    (found,) = hf_xet.hash_files([str(file)])
    # What the Linux wheel of the same version says.
    assert found.hash == "64ced0eb807e8cdd2a45f3766c186f2e59106b04f97b3c4dee241ce52bebc779"
    assert found.file_size == 1 << 20
