/* signal.h, sys/signal.h: numbers, masks of 32 bits, struct sigaction, and handlers that get Darwin's numbers. */
#include "darwin_common.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DARWIN_NSIG = 32 };
static const signed char TO_HOST[DARWIN_NSIG] = {
    [0] = 0, [DARWIN_SIGHUP] = SIGHUP, [DARWIN_SIGINT] = SIGINT, [DARWIN_SIGQUIT] = SIGQUIT, [DARWIN_SIGILL] = SIGILL,
    [DARWIN_SIGTRAP] = SIGTRAP, [DARWIN_SIGABRT] = SIGABRT, [DARWIN_SIGEMT] = -1, [DARWIN_SIGFPE] = SIGFPE,
    [DARWIN_SIGKILL] = SIGKILL, [DARWIN_SIGBUS] = SIGBUS, [DARWIN_SIGSEGV] = SIGSEGV, [DARWIN_SIGSYS] = SIGSYS,
    [DARWIN_SIGPIPE] = SIGPIPE, [DARWIN_SIGALRM] = SIGALRM, [DARWIN_SIGTERM] = SIGTERM, [DARWIN_SIGURG] = SIGURG,
    [DARWIN_SIGSTOP] = SIGSTOP, [DARWIN_SIGTSTP] = SIGTSTP, [DARWIN_SIGCONT] = SIGCONT, [DARWIN_SIGCHLD] = SIGCHLD,
    [DARWIN_SIGTTIN] = SIGTTIN, [DARWIN_SIGTTOU] = SIGTTOU, [DARWIN_SIGIO] = SIGIO, [DARWIN_SIGXCPU] = SIGXCPU,
    [DARWIN_SIGXFSZ] = SIGXFSZ, [DARWIN_SIGVTALRM] = SIGVTALRM, [DARWIN_SIGPROF] = SIGPROF,
    [DARWIN_SIGWINCH] = SIGWINCH, [DARWIN_SIGINFO] = -1, [DARWIN_SIGUSR1] = SIGUSR1, [DARWIN_SIGUSR2] = SIGUSR2,
};
int darwin_signal_to_host(int number) { return number >= 0 && number < DARWIN_NSIG ? TO_HOST[number] : -1; }
int darwin_signal_from_host(int number) {
    for (int i = 1; i < DARWIN_NSIG; i++)
        if (TO_HOST[i] == number)
            return i;
    return 0;
}

/* sigset_t is 32 bits, signal n at bit n - 1. */
static void mask_to_host(uint32_t mask, sigset_t *host) {
    sigemptyset(host);
    for (int i = 1; i < DARWIN_NSIG; i++)
        if (mask >> (i - 1) & 1 && TO_HOST[i] > 0)
            sigaddset(host, TO_HOST[i]);
}
static uint32_t mask_from_host(const sigset_t *host) {
    uint32_t mask = 0;
    for (int i = 1; i < DARWIN_NSIG; i++)
        if (TO_HOST[i] > 0 && sigismember(host, TO_HOST[i]) == 1)
            mask |= 1u << (i - 1);
    return mask;
}
DARWIN_EXPORT int forge_darwin_sigemptyset(uint32_t *set) { return *set = 0, 0; }
DARWIN_EXPORT int forge_darwin_sigfillset(uint32_t *set) { return *set = ~0u, 0; }
static int bit(int number, uint32_t *out) {
    if (number < 1 || number >= DARWIN_NSIG) {
        errno = EINVAL;
        return -1;
    }
    *out = 1u << (number - 1);
    return 0;
}
DARWIN_EXPORT int forge_darwin_sigaddset(uint32_t *set, int number) {
    uint32_t one;
    return bit(number, &one) != 0 ? -1 : (*set |= one, 0);
}
DARWIN_EXPORT int forge_darwin_sigdelset(uint32_t *set, int number) {
    uint32_t one;
    return bit(number, &one) != 0 ? -1 : (*set &= ~one, 0);
}
DARWIN_EXPORT int forge_darwin_sigismember(const uint32_t *set, int number) {
    uint32_t one;
    return bit(number, &one) != 0 ? -1 : (*set & one) != 0;
}

static int how_to_host(int how) {
    return how == DARWIN_SIG_BLOCK     ? SIG_BLOCK
           : how == DARWIN_SIG_UNBLOCK ? SIG_UNBLOCK
           : how == DARWIN_SIG_SETMASK ? SIG_SETMASK
                                       : -1;
}
DARWIN_EXPORT int forge_darwin_pthread_sigmask(int how, const uint32_t *set, uint32_t *old) {
    sigset_t host, before;
    if (set != NULL)
        mask_to_host(*set, &host);
    int failure = pthread_sigmask(how_to_host(how), set != NULL ? &host : NULL, &before);
    if (failure == 0 && old != NULL)
        *old = mask_from_host(&before);
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_sigprocmask(int how, const uint32_t *set, uint32_t *old) {
    int failure = forge_darwin_pthread_sigmask(how, set, old);
    if (failure != 0)
        errno = darwin_errno_to_host(failure);
    return failure == 0 ? 0 : -1;
}
DARWIN_EXPORT int forge_darwin_sigpending(uint32_t *set) {
    sigset_t host;
    int result = sigpending(&host);
    if (result == 0)
        *set = mask_from_host(&host);
    return result;
}
DARWIN_EXPORT int forge_darwin_sigsuspend(const uint32_t *set) {
    sigset_t host;
    mask_to_host(*set, &host);
    return sigsuspend(&host);
}
DARWIN_EXPORT int forge_darwin_sigwait(const uint32_t *set, int *number) {
    sigset_t host;
    int received, failure;
    mask_to_host(*set, &host);
    failure = sigwait(&host, &received);
    if (failure == 0)
        *number = darwin_signal_from_host(received);
    return darwin_errno_from_host(failure);
}
DARWIN_EXPORT int forge_darwin_raise(int number) { return raise(darwin_signal_to_host(number)); }
DARWIN_EXPORT int forge_darwin_kill(pid_t process, int number) { return kill(process, darwin_signal_to_host(number)); }
DARWIN_EXPORT int forge_darwin_killpg(pid_t group, int number) { return killpg(group, darwin_signal_to_host(number)); }
DARWIN_EXPORT int forge_darwin_pthread_kill(pthread_t thread, int number) {
    return darwin_errno_from_host(pthread_kill(thread, darwin_signal_to_host(number)));
}
DARWIN_EXPORT char *forge_darwin_strsignal(int number) {
    static _Thread_local char text[64];
    int host = darwin_signal_to_host(number);
    const char *name = host > 0 ? sigdescr_np(host) : NULL;
    if (name != NULL)
        snprintf(text, sizeof text, "%s: %d", name, number);
    else
        snprintf(text, sizeof text, "Unknown signal: %d", number);
    return text;
}

/* sys/signal.h: siginfo_t, 104 bytes. */
struct darwin_siginfo {
    int32_t signo, errnum, code, pid;
    uint32_t uid;
    int32_t status;
    void *addr, *value;
    long band;
    unsigned long pad[7];
};
_Static_assert(sizeof(struct darwin_siginfo) == 104, "siginfo_t (sys/signal.h)");

/* Codes of faults and of children are numbered alike, but for floating point; who sent a signal is 0x10001 and on. */
static int code_from_host(int number, int code) {
    static const unsigned char fpe[] = {
        [FPE_INTDIV] = DARWIN_FPE_INTDIV, [FPE_INTOVF] = DARWIN_FPE_INTOVF, [FPE_FLTDIV] = DARWIN_FPE_FLTDIV,
        [FPE_FLTOVF] = DARWIN_FPE_FLTOVF, [FPE_FLTUND] = DARWIN_FPE_FLTUND, [FPE_FLTRES] = DARWIN_FPE_FLTRES,
        [FPE_FLTINV] = DARWIN_FPE_FLTINV, [FPE_FLTSUB] = DARWIN_FPE_FLTSUB,
    };
    if (number == SIGFPE && code > 0 && code < (int)sizeof fpe)
        return fpe[code];
    switch (code) {
    case SI_USER:
    case SI_TKILL: return DARWIN_SI_USER;
    case SI_QUEUE: return DARWIN_SI_QUEUE;
    case SI_TIMER: return DARWIN_SI_TIMER;
    default: return code;
    }
}
static void info_from_host(const siginfo_t *host, struct darwin_siginfo *out) {
    memset(out, 0, sizeof *out);
    out->signo = darwin_signal_from_host(host->si_signo);
    out->errnum = darwin_errno_from_host(host->si_errno);
    out->code = code_from_host(host->si_signo, host->si_code);
    int fault = host->si_signo == SIGSEGV || host->si_signo == SIGBUS || host->si_signo == SIGILL ||
                host->si_signo == SIGFPE || host->si_signo == SIGTRAP;
    if (fault && host->si_code > 0) {
        out->addr = host->si_addr;
        return;
    }
    out->pid = host->si_pid;
    out->uid = host->si_uid;
    if (host->si_signo == SIGCHLD)
        out->status = host->si_code == CLD_EXITED ? host->si_status : darwin_signal_from_host(host->si_status);
    if (host->si_code == SI_QUEUE)
        out->value = host->si_value.sival_ptr;
}

/* What the handlers of Darwin code are, by the host's number; the host runs one of the two functions below. A handler
 * that looks into the third argument (the registers, ucontext_t) is not served: it gets NULL. */
static struct {
    uintptr_t handler;
    int with_info;
} handlers[NSIG];

static void run_plain(int number) {
    void (*handler)(int) = (void (*)(int))__atomic_load_n(&handlers[number].handler, __ATOMIC_ACQUIRE);
    int before = errno;
    handler(darwin_signal_from_host(number));
    errno = before;
}
static void run_with_info(int number, siginfo_t *host, void *context) {
    (void)context;
    void (*handler)(int, struct darwin_siginfo *, void *) =
        (void (*)(int, struct darwin_siginfo *, void *))__atomic_load_n(&handlers[number].handler, __ATOMIC_ACQUIRE);
    struct darwin_siginfo info;
    int before = errno;
    info_from_host(host, &info);
    handler(darwin_signal_from_host(number), &info, NULL);
    errno = before;
}

static const int FLAGS[][2] = {
    {DARWIN_SA_ONSTACK, SA_ONSTACK}, {DARWIN_SA_RESTART, SA_RESTART}, {DARWIN_SA_RESETHAND, SA_RESETHAND},
    {DARWIN_SA_NOCLDSTOP, SA_NOCLDSTOP}, {DARWIN_SA_NODEFER, SA_NODEFER}, {DARWIN_SA_NOCLDWAIT, SA_NOCLDWAIT},
    {DARWIN_SA_SIGINFO, SA_SIGINFO},
};
struct darwin_sigaction {
    uintptr_t handler;
    uint32_t mask;
    int32_t flags;
};
_Static_assert(sizeof(struct darwin_sigaction) == 16, "struct sigaction (sys/signal.h)");

/* SIG_DFL 0, SIG_IGN 1, SIG_ERR -1 are the same on both. */
static int is_function(uintptr_t handler) { return handler > 1; }

DARWIN_EXPORT int forge_darwin_sigaction(int number, const struct darwin_sigaction *new, struct darwin_sigaction *old) {
    int host = darwin_signal_to_host(number);
    struct sigaction action, before;
    if (host <= 0) {
        errno = EINVAL;
        return -1;
    }
    uintptr_t own_before = handlers[host].handler;
    if (new != NULL) {
        memset(&action, 0, sizeof action);
        mask_to_host(new->mask, &action.sa_mask);
        for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
            if (new->flags & FLAGS[i][0])
                action.sa_flags |= FLAGS[i][1];
        int with_info = (new->flags & DARWIN_SA_SIGINFO) != 0;
        if (!is_function(new->handler))
            action.sa_handler = (void (*)(int))new->handler;
        else if (with_info)
            action.sa_sigaction = run_with_info;
        else
            action.sa_handler = run_plain;
        if (is_function(new->handler))
            __atomic_store_n(&handlers[host].handler, new->handler, __ATOMIC_RELEASE);
    }
    int result = sigaction(host, new != NULL ? &action : NULL, &before);
    if (result == 0 && old != NULL) {
        int ours = before.sa_handler == run_plain || before.sa_sigaction == run_with_info;
        old->handler = ours ? own_before : (uintptr_t)before.sa_handler;
        old->mask = mask_from_host(&before.sa_mask);
        old->flags = 0;
        for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
            if (before.sa_flags & FLAGS[i][1])
                old->flags |= FLAGS[i][0];
    }
    return result;
}
/* BSD's signal: interrupted calls go on, and the handler stays. The old handler, or SIG_ERR. */
DARWIN_EXPORT uintptr_t forge_darwin_signal(int number, uintptr_t handler) {
    struct darwin_sigaction new = {handler, 0, DARWIN_SA_RESTART}, old;
    return forge_darwin_sigaction(number, &new, &old) != 0 ? (uintptr_t)-1 : old.handler;
}
DARWIN_EXPORT int forge_darwin_siginterrupt(int number, int interrupts) {
    struct darwin_sigaction action;
    if (forge_darwin_sigaction(number, NULL, &action) != 0)
        return -1;
    action.flags = interrupts ? action.flags & ~DARWIN_SA_RESTART : action.flags | DARWIN_SA_RESTART;
    return forge_darwin_sigaction(number, &action, NULL);
}

/* struct sigaltstack: pointer, size, flags; Linux has the flags before the size. */
struct darwin_stack {
    void *pointer;
    size_t size;
    int32_t flags;
};
_Static_assert(sizeof(struct darwin_stack) == 24, "stack_t (sys/signal.h)");
DARWIN_EXPORT int forge_darwin_sigaltstack(const struct darwin_stack *new, struct darwin_stack *old) {
    stack_t host, before;
    if (new != NULL)
        host = (stack_t){.ss_sp = new->pointer, .ss_size = new->size,
                         .ss_flags = new->flags & DARWIN_SS_DISABLE ? SS_DISABLE : 0};
    int result = sigaltstack(new != NULL ? &host : NULL, &before);
    if (result == 0 && old != NULL)
        *old = (struct darwin_stack){before.ss_sp, before.ss_size,
                                     (before.ss_flags & SS_ONSTACK ? DARWIN_SS_ONSTACK : 0) |
                                         (before.ss_flags & SS_DISABLE ? DARWIN_SS_DISABLE : 0)};
    return result;
}
