"""What is built, in which order, and what need not be: provision, fingerprints, the cache, running builds."""
