/* Calls the thread-local thunk with every register set, and tells which ones it changed. x86_64 only. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern void forge_loader_tlv_get_addr(void);
extern long forge_loader_tlv_register(const void *, size_t, size_t, size_t, size_t);
extern void forge_loader_tlv_atexit(void (*)(void *), void *);

struct descriptor {
    void (*thunk)(void);
    unsigned long key, offset;
};

struct state {
    uint64_t general[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
    uint8_t vector[16][32];
    uint64_t mask[8];
};

/* Loads everything from *before, calls the thunk with the descriptor, stores everything to *after. */
extern void call_with_registers(const struct descriptor *, const struct state *before, struct state *after, int avx512);

__asm__(".globl call_with_registers\n"
        "call_with_registers:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  pushq %rdx\n  pushq %rcx\n"
        "  subq $8, %rsp\n" /* the stack is where a call leaves it */
        "  testl %ecx, %ecx\n  jz 1f\n"
        "  kmovq 640(%rsi), %k1\n  kmovq 648(%rsi), %k2\n  kmovq 656(%rsi), %k7\n"
        "1:\n"
        "  vmovdqu 128(%rsi), %ymm0\n  vmovdqu 160(%rsi), %ymm1\n  vmovdqu 192(%rsi), %ymm2\n"
        "  vmovdqu 224(%rsi), %ymm3\n  vmovdqu 256(%rsi), %ymm4\n  vmovdqu 288(%rsi), %ymm5\n"
        "  vmovdqu 320(%rsi), %ymm6\n  vmovdqu 352(%rsi), %ymm7\n  vmovdqu 384(%rsi), %ymm8\n"
        "  vmovdqu 416(%rsi), %ymm9\n  vmovdqu 448(%rsi), %ymm10\n  vmovdqu 480(%rsi), %ymm11\n"
        "  vmovdqu 512(%rsi), %ymm12\n  vmovdqu 544(%rsi), %ymm13\n  vmovdqu 576(%rsi), %ymm14\n"
        "  vmovdqu 608(%rsi), %ymm15\n"
        "  movq 8(%rsi), %rcx\n  movq 16(%rsi), %rdx\n  movq 24(%rsi), %rbx\n  movq 40(%rsi), %rbp\n"
        "  movq 64(%rsi), %r8\n  movq 72(%rsi), %r9\n  movq 80(%rsi), %r10\n  movq 88(%rsi), %r11\n"
        "  movq 96(%rsi), %r12\n  movq 104(%rsi), %r13\n  movq 112(%rsi), %r14\n  movq 120(%rsi), %r15\n"
        "  movq 48(%rsi), %rsi\n"
        "  call *(%rdi)\n"
        "  xchgq 16(%rsp), %rdx\n" /* the pointer for the result; rdx as it came back is now there */
        "  movq %rax, (%rdx)\n  movq %rcx, 8(%rdx)\n  movq %rbx, 24(%rdx)\n  movq %rbp, 40(%rdx)\n"
        "  movq %rsi, 48(%rdx)\n  movq %rdi, 56(%rdx)\n  movq %r8, 64(%rdx)\n  movq %r9, 72(%rdx)\n"
        "  movq %r10, 80(%rdx)\n  movq %r11, 88(%rdx)\n  movq %r12, 96(%rdx)\n  movq %r13, 104(%rdx)\n"
        "  movq %r14, 112(%rdx)\n  movq %r15, 120(%rdx)\n"
        "  movq 16(%rsp), %rax\n  movq %rax, 16(%rdx)\n"
        "  vmovdqu %ymm0, 128(%rdx)\n  vmovdqu %ymm1, 160(%rdx)\n  vmovdqu %ymm2, 192(%rdx)\n"
        "  vmovdqu %ymm3, 224(%rdx)\n  vmovdqu %ymm4, 256(%rdx)\n  vmovdqu %ymm5, 288(%rdx)\n"
        "  vmovdqu %ymm6, 320(%rdx)\n  vmovdqu %ymm7, 352(%rdx)\n  vmovdqu %ymm8, 384(%rdx)\n"
        "  vmovdqu %ymm9, 416(%rdx)\n  vmovdqu %ymm10, 448(%rdx)\n  vmovdqu %ymm11, 480(%rdx)\n"
        "  vmovdqu %ymm12, 512(%rdx)\n  vmovdqu %ymm13, 544(%rdx)\n  vmovdqu %ymm14, 576(%rdx)\n"
        "  vmovdqu %ymm15, 608(%rdx)\n"
        "  cmpl $0, 8(%rsp)\n  jz 2f\n"
        "  kmovq %k1, 640(%rdx)\n  kmovq %k2, 648(%rdx)\n  kmovq %k7, 656(%rdx)\n"
        "2:\n"
        "  vzeroupper\n"
        "  addq $24, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n");

static const char content[24] = "initial contents";

static int compare(const struct descriptor *descriptor, const char *what) {
    struct state before, after;
    int bad = 0, avx512 = __builtin_cpu_supports("avx512bw") != 0;
    for (size_t i = 0; i < sizeof before; i++)
        ((uint8_t *)&before)[i] = (uint8_t)(i * 37 + 11);
    memset(&after, 0, sizeof after);
    call_with_registers(descriptor, &before, &after, avx512);
    for (int i = 1; i < 16; i++)
        if (i != 4 && i != 7 && before.general[i] != after.general[i])
            bad |= printf("%s: general register %d changed\n", what, i);
    if (after.general[7] != (uint64_t)descriptor)
        bad |= printf("%s: rdi changed\n", what);
    for (int i = 0; i < 16; i++)
        if (memcmp(before.vector[i], after.vector[i], 32))
            bad |= printf("%s: ymm%d changed\n", what, i);
    if (avx512 && memcmp(before.mask, after.mask, 24))
        bad |= printf("%s: a mask register changed\n", what);
    const char *address = (const char *)after.general[0];
    if ((uintptr_t)address % 64 != 8 + 4 || memcmp(address, content + 4, sizeof content - 4) || address[24])
        bad |= printf("%s: the contents are not the template's\n", what);
    return bad;
}

static char order[3];
static int ran;
static void destroyed(void *object) { order[ran++] = *(const char *)object; }

static void *thread(void *descriptor) {
    long bad = compare(descriptor, "first use in a thread");
    forge_loader_tlv_atexit(destroyed, "b");
    forge_loader_tlv_atexit(destroyed, "a");
    return (void *)(bad | compare(descriptor, "second use in a thread"));
}

int main(void) {
    if (!__builtin_cpu_supports("avx"))
        return 77;
    long bad = 0;
    /* More images than the table has at first; a template that starts 8 bytes past a multiple of 64. */
    for (int image = 0; image < 300; image++) {
        long key = forge_loader_tlv_register(content, sizeof content, 80, 64, 8);
        struct descriptor descriptor = {forge_loader_tlv_get_addr, (unsigned long)key, 4};
        void *said;
        pthread_t other;
        bad |= compare(&descriptor, "first use") | compare(&descriptor, "second use");
        ran = 0;
        if (image % 50 == 0) {
            if (pthread_create(&other, NULL, thread, &descriptor) || pthread_join(other, &said))
                return 2;
            bad |= (long)said;
            if (strcmp(order, "ab"))
                bad |= printf("destructors ran in order %s\n", order);
        }
    }
    return bad != 0;
}
