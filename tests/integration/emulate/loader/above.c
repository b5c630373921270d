/* Links a library that re-exports another: what it calls is in the other. */
extern int exported_function(int);
extern int exported_data[4];
int call_through(int x);
int call_through(int x) { return exported_function(x) + exported_data[3]; }
