/* A fault's record: which image, symbol and offset the instruction pointer and its callers lie in.
 *
 * Only async-signal-safe calls; memory that may not be there is read through the kernel (process_vm_readv). Afterwards
 * the handler that was there before (faulthandler's, or the default) gets the same signal.
 */
#define _GNU_SOURCE
#include "loader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} signals[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}};

enum { SIGNALS = sizeof signals / sizeof *signals, MAX_FRAMES = 48 };

static struct sigaction previous[SIGNALS];
static atomic_flag reporting = ATOMIC_FLAG_INIT;

/* Two words at an address, or 0 where nothing is mapped. qemu's user mode has no process_vm_readv: there the kernel
 * says of a write to a pipe whether it could read. */
static int read_words(uintptr_t at, uintptr_t words[2]) {
    static int tube[2] = {-1, -1};
    struct iovec to = {words, 16}, from = {(void *)at, 16};
    ssize_t got = process_vm_readv((pid_t)syscall(SYS_getpid), &to, 1, &from, 1, 0);
    if (got >= 0 || errno != ENOSYS)
        return got == 16;
    if (tube[0] < 0 && pipe2(tube, O_CLOEXEC | O_NONBLOCK))
        return 0;
    got = write(tube[1], (const void *)at, 16);
    return read(tube[0], words, got > 0 ? (size_t)got : 0) == 16;
}

/* Whether an address follows code that an image's symbol names, rather than pointing to its data. */
static int is_code(uintptr_t address) {
    const struct forge_loader_image *image = forge_loader_find_image((const void *)address);
    return image && address - image->base >= image->code_at && address - image->base < image->code_at + image->code_size;
}

static void registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *fp, uintptr_t *sp) {
#if defined(__x86_64__)
    *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    *fp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
    *sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    *pc = context->uc_mcontext.pc;
    *fp = context->uc_mcontext.regs[29];
    *sp = context->uc_mcontext.sp;
#endif
}

/* Both ABIs keep {caller's frame pointer, return address} at the frame pointer; a stack grows down. */
static size_t walk_frames(uintptr_t fp, uintptr_t *pcs, size_t count) {
    uintptr_t words[2];
    while (count < MAX_FRAMES && fp % 8 == 0 && read_words(fp, words)) {
        if (!words[1])
            break;
        pcs[count++] = words[1];
        if (words[0] <= fp)
            break;
        fp = words[0];
    }
    return count;
}

#ifdef __aarch64__
/* A leaf function makes no frame, so that its caller is in the link register alone; in any other function that register
 * leads to its caller's frame, or after a call back into itself. */
static size_t leaf_caller(const ucontext_t *context, uintptr_t *pcs) {
    uintptr_t link = context->uc_mcontext.regs[30], words[2], own = 0, other = 0;
    if (!is_code(pcs[0]) || !is_code(link) || (read_words(context->uc_mcontext.regs[29], words) && words[1] == link))
        return 1;
    forge_loader_find_symbol(forge_loader_find_image((const void *)pcs[0]), (const void *)pcs[0], &own);
    forge_loader_find_symbol(forge_loader_find_image((const void *)link), (const void *)link, &other);
    if (own == other)
        return 1;
    pcs[1] = link;
    return 2;
}
#else
static size_t leaf_caller(const ucontext_t *context, uintptr_t *pcs) {
    (void)context, (void)pcs;
    return 1;
}
#endif

/* glibc is compiled without frame pointers, so that a walk from abort() leads nowhere. What of the stack's upmost
 * 16 KiB points into an image is then the best guess at its callers; the record says that it is one. */
static size_t scan_stack(uintptr_t sp, uintptr_t *pcs, size_t count) {
    uintptr_t words[2];
    for (uintptr_t at = sp & -(uintptr_t)16; at < sp + 16384 && count < MAX_FRAMES && read_words(at, words); at += 16)
        for (int i = 0; i < 2 && count < MAX_FRAMES; i++)
            if (is_code(words[i]))
                pcs[count++] = words[i];
    return count;
}

static void write_frame(struct forge_record *record, uintptr_t pc, int first) {
    forge_record_text(record, first ? "{\"pc\":\"" : ",{\"pc\":\"");
    forge_record_hex(record, pc);
    forge_record_text(record, "\"");
    forge_record_place(record, pc);
    forge_record_text(record, "}");
}

static void say_frame(uintptr_t pc) {
    const struct forge_loader_image *image = forge_loader_find_image((const void *)pc);
    if (!image)
        return;
    uintptr_t start = image->base;
    const char *symbol = forge_loader_find_symbol(image, (const void *)pc, &start);
    struct forge_record line;
    line.used = 0;
    forge_record_text(&line, "forge:   ");
    forge_record_text(&line, symbol ? symbol : "(no symbol)");
    forge_record_text(&line, " + ");
    forge_record_number(&line, pc - start);
    forge_record_text(&line, " in ");
    forge_record_text(&line, image->path);
    forge_record_text(&line, "\n");
    forge_record_write(&line, STDERR_FILENO);
}

static void write_report(const char *name, int number, const siginfo_t *info, const ucontext_t *context) {
    uintptr_t pcs[MAX_FRAMES], fp = 0, sp = 0;
    size_t count;
    int known = 0;
    registers(context, &pcs[0], &fp, &sp);
    count = walk_frames(fp, pcs, leaf_caller(context, pcs));
    for (size_t i = 0; i < count; i++)
        known |= forge_loader_find_image((const void *)pcs[i]) != NULL;
    if (!known)
        count = scan_stack(sp, pcs, 1);
    struct forge_record record;
    record.used = 0;
    forge_record_text(&record, "{\"kind\":\"fault\",\"signal\":");
    forge_record_json(&record, name);
    if (info->si_code > 0 && number != SIGABRT) {
        forge_record_text(&record, ",\"address\":\"");
        forge_record_hex(&record, (uintptr_t)info->si_addr);
        forge_record_text(&record, "\"");
    }
    forge_record_text(&record, known ? ",\"scanned\":false,\"frames\":[" : ",\"scanned\":true,\"frames\":[");
    for (size_t i = 0; i < count && record.used < sizeof record.text - 2048; i++)
        write_frame(&record, pcs[i], i == 0);
    forge_record_text(&record, "]}\n");
    forge_record_write(&record, forge_loader_report_fd());
    record.used = 0;
    forge_record_text(&record, "forge: ");
    forge_record_text(&record, name);
    forge_record_text(&record, "; of the loaded Mach-O images, there were on the stack, innermost first:\n");
    forge_record_write(&record, STDERR_FILENO);
    for (size_t i = 0; i < count; i++)
        say_frame(pcs[i]);
}

static void handle(int number, siginfo_t *info, void *context) {
    size_t i = 0;
    while (i < SIGNALS - 1 && signals[i].number != number)
        i++;
    /* Once a process: a fault in here, or in a second thread meanwhile, goes straight to the earlier handler. */
    if (!atomic_flag_test_and_set(&reporting))
        write_report(signals[i].name, number, info, context);
    sigaction(number, &previous[i], NULL);
    /* A fault of the CPU's happens again on return, with its registers as they were; a sent signal does not. */
    if (info->si_code <= 0)
        raise(number);
}

int forge_loader_install_fault_handler(void) {
    static int installed;
    if (installed)
        return 0;
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE) {
        /* A stack overflow leaves no room for a handler; 64 KiB hold one record and the vector registers. */
        stack_t stack = {.ss_size = 1 << 16, .ss_sp = malloc(1 << 16)};
        if (!stack.ss_sp || sigaltstack(&stack, NULL))
            return -1;
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = handle;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i].number, &action, &previous[i]))
            return -1;
    }
    installed = 1;
    return 0;
}
