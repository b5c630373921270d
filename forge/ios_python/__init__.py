"""iOS Pythons: found, built from source, described; and the build Pythons that match them."""
