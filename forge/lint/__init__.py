"""What is wrong, or could be better, with recipes (``forge lint``)."""
