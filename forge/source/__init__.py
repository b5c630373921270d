"""Sources: find, download, verify, unpack and patch them."""
