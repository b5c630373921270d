"""What every room stands on: errors, targets, paths, atomic files, running programs, hashing, progress."""
