"""Memory that is somebody's: addresses, and modules that take it from a pool."""

import pytest
from cymem.cymem import Address, Pool


def test_addresses():
    addresses = [Address(number, 8) for number in range(1, 50)]
    assert len({address.addr for address in addresses}) == 49
    assert all(address.addr > 0 for address in addresses)


def test_a_pool():
    assert Pool().size == 0
    with pytest.raises(TypeError):
        Pool(1)
