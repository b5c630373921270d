/* Fixups of every kind that C makes: pointers to data and functions, own and imported, with addends, and initialisers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int first(int x) { return x + 1; }
static int second(int x) { return x * 2; }
int exported_function(int x);
int exported_function(int x) { return x - 3; }
_Thread_local long exported_local = 11;
int exported_data[4] = {1, 2, 3, 4};
static const char *const words[] = {"zero", "one", "two", "three"};
static int (*const table[])(int) = {first, second, exported_function};
static int *into = &exported_data[2];
static void *(*const allocate)(size_t) = malloc;
static void (*const release)(void *) = free;
extern int not_there(int) __attribute__((weak_import));

static int order;
static int initialised_as, header_seen, argc_seen;
__attribute__((constructor)) static void start(int argc, char **argv, char **envp, char **apple, void *vars) {
    initialised_as = ++order;
    argc_seen = argc > 0 && argv[0] && argv[argc] == NULL && envp && !strncmp(apple[0], "executable_path=", 16);
    header_seen = **(const unsigned **)vars == 0xfeedfacf;
}
static void finish(void) { (void)!write(1, "finished\n", 9); }
__attribute__((section("__DATA,__mod_term_func,mod_term_funcs"), used)) static void (*const at_end)(void) = finish;

int check_fixups(void);
int check_fixups(void) {
    char *copy = allocate(8);
    int bad = 0;
    bad |= table[0](1) != 2;
    bad |= (table[1](4) != 8) << 1;
    bad |= (table[2](4) != 1) << 2;
    bad |= (*into != 3) << 3;
    bad |= (strcmp(words[3], "three") != 0) << 4;
    bad |= (copy == NULL || strcmp(strcpy(copy, words[2]), "two") != 0) << 5;
    bad |= (initialised_as != 1 || !header_seen || !argc_seen) << 6;
    bad |= (not_there != NULL) << 7;
    release(copy);
    return bad;
}

const char *word(int n);
const char *word(int n) { return words[n & 3]; }

int swap_errno(int number);
int swap_errno(int number) {
    int before = errno;
    errno = number;
    return before;
}

extern char ***_NSGetArgv(void); /* crt_externs.h, which iOS's SDK has not */
extern int *_NSGetArgc(void);
const char *first_argument(void);
const char *first_argument(void) { return (*_NSGetArgv())[0]; }
int argument_count(void);
int argument_count(void) { return *_NSGetArgc(); }
