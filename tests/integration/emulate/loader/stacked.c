/* A library that has nothing but another's symbols. */
int stacked_own(void);
int stacked_own(void) { return 1; }
