/* The thread-local thunk for x86_64; see loader_tlv.c. In a C file, so that one list of sources builds everything. */
#if defined(__x86_64__)
#define _GNU_SOURCE
#include <cpuid.h>
#include <stddef.h>

extern size_t forge_tlv_save_size;

/* x87, SSE, AVX, opmask, ZMM: what a callee may change. Not PKRU, and not AMX tiles, which take 8 KiB and which no
 * function called from here touches. */
#define SAVED "0xe7"

__attribute__((constructor)) static void measure(void) {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
        return;
    /* Leaf 13, subleaf 0: ebx is the size of the area for all features that the kernel has switched on (Intel SDM,
     * volume 1, 13.2); more than the saved part needs, never less. */
    if (__get_cpuid_count(13, 0, &eax, &ebx, &ecx, &edx))
        forge_tlv_save_size = ebx;
}

/* A block is 16 bytes: memory, start. Blocks begin 8 bytes into the table, so block k's start is at 16 + 16 k.
 * The red zone does not matter: this is reached by a call. The slow path's frame is walkable by frame pointer. */
__asm__(".text\n"
        ".globl forge_loader_tlv_get_addr\n"
        ".type forge_loader_tlv_get_addr,@function\n"
        ".p2align 4\n"
        "forge_loader_tlv_get_addr:\n"
        "  pushq %rcx\n"
        "  movq forge_tlv_table@gottpoff(%rip), %rcx\n"
        "  movq %fs:(%rcx), %rcx\n"
        "  testq %rcx, %rcx\n"
        "  jz 1f\n"
        "  movq 8(%rdi), %rax\n"
        "  cmpq %rax, (%rcx)\n"
        "  jle 1f\n"
        "  shlq $4, %rax\n"
        "  movq 16(%rcx,%rax), %rax\n"
        "  testq %rax, %rax\n"
        "  jz 1f\n"
        "  addq 16(%rdi), %rax\n"
        "  popq %rcx\n"
        "  ret\n"
        "1:\n"
        "  popq %rcx\n"
        "  pushq %rbp\n"
        "  movq %rsp, %rbp\n"
        "  pushq %rbx\n"
        "  pushq %rcx\n"
        "  pushq %rdx\n"
        "  pushq %rsi\n"
        "  pushq %rdi\n"
        "  pushq %r8\n"
        "  pushq %r9\n"
        "  pushq %r10\n"
        "  pushq %r11\n"
        "  movq %rdi, %rbx\n"
        "  movq forge_tlv_save_size(%rip), %rcx\n"
        "  testq %rcx, %rcx\n"
        "  jz 2f\n"
        "  subq %rcx, %rsp\n"
        "  andq $-64, %rsp\n"
        /* xrstor refuses an area whose header has other than zeros where xsave does not write. */
        "  xorl %eax, %eax\n"
        "  movq %rax, 512(%rsp)\n  movq %rax, 520(%rsp)\n  movq %rax, 528(%rsp)\n  movq %rax, 536(%rsp)\n"
        "  movq %rax, 544(%rsp)\n  movq %rax, 552(%rsp)\n  movq %rax, 560(%rsp)\n  movq %rax, 568(%rsp)\n"
        "  movl $" SAVED ", %eax\n"
        "  xorl %edx, %edx\n"
        "  xsave64 (%rsp)\n"
        "  movq 8(%rbx), %rdi\n"
        "  call forge_tlv_allocate\n"
        "  movq %rax, %rcx\n"
        "  movl $" SAVED ", %eax\n"
        "  xorl %edx, %edx\n"
        "  xrstor64 (%rsp)\n"
        "  jmp 3f\n"
        "2:\n"
        "  subq $512, %rsp\n"
        "  andq $-64, %rsp\n"
        "  fxsave64 (%rsp)\n"
        "  movq 8(%rbx), %rdi\n"
        "  call forge_tlv_allocate\n"
        "  movq %rax, %rcx\n"
        "  fxrstor64 (%rsp)\n"
        "3:\n"
        "  movq %rcx, %rax\n"
        "  addq 16(%rbx), %rax\n"
        "  leaq -72(%rbp), %rsp\n"
        "  popq %r11\n"
        "  popq %r10\n"
        "  popq %r9\n"
        "  popq %r8\n"
        "  popq %rdi\n"
        "  popq %rsi\n"
        "  popq %rdx\n"
        "  popq %rcx\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size forge_loader_tlv_get_addr,.-forge_loader_tlv_get_addr\n");
#else
typedef int forge_tlv_not_x86_64; /* a C file may not be empty */
#endif
