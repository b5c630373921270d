"""What a branch changes of wheels: the plan of its merge base compared with its own, by fingerprint."""
