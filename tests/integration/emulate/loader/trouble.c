/* A call of a function that nobody has, and a crash three frames deep. */
#include <stddef.h>

extern int nobody_has_this(int);

int call_nobody(int x);
int call_nobody(int x) { return nobody_has_this(x) + 1; }

__attribute__((noinline)) static int innermost(volatile int *p) { return *p + 1; }
__attribute__((noinline)) static int middle(volatile int *p) { return innermost(p) + 1; }
int crash(void);
int crash(void) { return middle((volatile int *)16) + 1; }
