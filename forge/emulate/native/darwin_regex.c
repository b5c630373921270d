/* regex.h: glibc's matcher behind Darwin's structures, whose offsets have 64 bits, and flags.
 *
 * Both follow POSIX: the leftmost, longest match. What Darwin has beyond it, non-greedy and "enhanced" expressions,
 * glibc has not. */
#include "darwin_common.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct darwin_regex {
    int32_t flags; /* Darwin's own use of it is nobody's business */
    size_t groups;
    const char *end;
    regex_t *host;
};
_Static_assert(sizeof(struct darwin_regex) == 32, "regex_t");
_Static_assert(offsetof(struct darwin_regex, groups) == 8, "regex_t.re_nsub");
_Static_assert(offsetof(struct darwin_regex, end) == 16, "regex_t.re_endp");
_Static_assert(offsetof(struct darwin_regex, host) == 24, "regex_t.re_g");

struct darwin_match {
    int64_t start, end;
};
_Static_assert(sizeof(struct darwin_match) == 16, "regmatch_t");
_Static_assert(offsetof(struct darwin_match, start) == 0, "regmatch_t.rm_so");
_Static_assert(offsetof(struct darwin_match, end) == 8, "regmatch_t.rm_eo");

/* The numbers of these are the same in both headers. */
_Static_assert(REG_EXTENDED == DARWIN_REG_EXTENDED, "REG_EXTENDED");
_Static_assert(REG_ICASE == DARWIN_REG_ICASE, "REG_ICASE");
_Static_assert(REG_NOTBOL == DARWIN_REG_NOTBOL, "REG_NOTBOL");
_Static_assert(REG_NOTEOL == DARWIN_REG_NOTEOL, "REG_NOTEOL");
_Static_assert(REG_STARTEND == DARWIN_REG_STARTEND, "REG_STARTEND");
_Static_assert(REG_NOMATCH == DARWIN_REG_NOMATCH, "REG_NOMATCH");
_Static_assert(REG_ESPACE == DARWIN_REG_ESPACE, "REG_ESPACE");
_Static_assert(REG_BADRPT == DARWIN_REG_BADRPT, "REG_BADRPT");

/* A copy of a pattern, with a backslash before each special character if it is to be taken as it is. */
static char *copied(const char *pattern, size_t length, int literal) {
    char *copy = malloc(2 * length + 1), *out = copy;
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (literal && strchr(".[\\*^$", pattern[i]) != NULL)
            *out++ = '\\';
        *out++ = pattern[i];
    }
    *out = '\0';
    return copy;
}

DARWIN_EXPORT int forge_darwin_regcomp(struct darwin_regex *regex, const char *pattern, int flags) {
    int literal = (flags & DARWIN_REG_NOSPEC) != 0;
    if (flags & (DARWIN_REG_MINIMAL | DARWIN_REG_ENHANCED))
        darwin_fatal("regcomp", "is asked for non-greedy or enhanced expressions, which glibc has not");
    if (literal && (flags & DARWIN_REG_EXTENDED))
        return DARWIN_REG_INVARG;
    size_t length = flags & DARWIN_REG_PEND ? (size_t)(regex->end - pattern) : strlen(pattern);
    if (memchr(pattern, '\0', length) != NULL)
        darwin_fatal("regcomp", "is given a pattern with a NUL, which glibc's ends at");
    int host = flags & (REG_EXTENDED | REG_ICASE);
    host |= flags & DARWIN_REG_NOSUB ? REG_NOSUB : 0;
    host |= flags & DARWIN_REG_NEWLINE ? REG_NEWLINE : 0;
    char *copy = copied(pattern, length, literal);
    regex_t *compiled = malloc(sizeof *compiled);
    int code = copy == NULL || compiled == NULL ? DARWIN_REG_ESPACE : regcomp(compiled, copy, host);
    free(copy);
    if (code != 0) {
        free(compiled);
        return code;
    }
    *regex = (struct darwin_regex){.flags = flags, .groups = compiled->re_nsub, .end = regex->end, .host = compiled};
    return 0;
}

DARWIN_EXPORT int forge_darwin_regexec(const struct darwin_regex *regex, const char *text, size_t count,
                                       struct darwin_match *matches, int flags) {
    int host = flags & (REG_NOTBOL | REG_NOTEOL | REG_STARTEND);
    /* With REG_STARTEND the first one says where the text is, whatever the count. */
    size_t room = count > 0 ? count : 1;
    regmatch_t *found = calloc(room, sizeof *found);
    if (found == NULL)
        return DARWIN_REG_ESPACE;
    if (flags & DARWIN_REG_STARTEND)
        found[0] = (regmatch_t){.rm_so = (regoff_t)matches[0].start, .rm_eo = (regoff_t)matches[0].end};
    int code = regexec(regex->host, text, count, found, host);
    if (code == 0 && !(regex->flags & DARWIN_REG_NOSUB))
        for (size_t i = 0; i < count; i++)
            matches[i] = (struct darwin_match){.start = found[i].rm_so, .end = found[i].rm_eo};
    free(found);
    return code;
}

DARWIN_EXPORT void forge_darwin_regfree(struct darwin_regex *regex) {
    if (regex->host != NULL) {
        regfree(regex->host);
        free(regex->host);
        regex->host = NULL;
    }
}

/* The words are glibc's. Codes that it has not are said by number. */
DARWIN_EXPORT size_t forge_darwin_regerror(int code, const struct darwin_regex *regex, char *text, size_t size) {
    if (code >= 0 && code <= DARWIN_REG_BADRPT)
        return regerror(code, regex != NULL ? regex->host : NULL, text, size);
    int length = snprintf(text, size, "regular expression error %d", code);
    return (size_t)length + 1;
}
