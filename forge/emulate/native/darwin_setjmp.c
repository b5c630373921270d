/* setjmp.h: Darwin's jmp_buf is 148 bytes on x86_64 and 192 on arm64; glibc's 200 and 312, but what it writes without
 * saving the signal mask (8 registers and a flag on x86_64, 22 words and a flag on arm64) fits in both.
 *
 * Darwin's setjmp saves the mask and _setjmp does not. Here neither does, since a mask of 1,024 bits finds no room. A
 * setjmp must not have a frame of its own, so these are jumps. longjmp and _longjmp are glibc's. */
#ifdef __x86_64__
#define JUMP(name, target) \
    __asm__(".text\n\t.globl forge_darwin_" #name "\n\t.type forge_darwin_" #name ", @function\nforge_darwin_" #name \
            ":\n\tjmp " #target "@PLT\n\t.size forge_darwin_" #name ", .-forge_darwin_" #name "\n")
#define NO_MASK "xorl %esi, %esi\n\tjmp __sigsetjmp@PLT"
#else
#define JUMP(name, target) \
    __asm__(".text\n\t.globl forge_darwin_" #name "\n\t.type forge_darwin_" #name ", %function\nforge_darwin_" #name \
            ":\n\tb " #target "\n\t.size forge_darwin_" #name ", .-forge_darwin_" #name "\n")
#define NO_MASK "mov w1, wzr\n\tb __sigsetjmp"
#endif

JUMP(setjmp, _setjmp);
JUMP(_setjmp, _setjmp);
__asm__(".text\n\t.globl forge_darwin_sigsetjmp\n\t.type forge_darwin_sigsetjmp, %function\nforge_darwin_sigsetjmp:\n\t" NO_MASK
        "\n\t.size forge_darwin_sigsetjmp, .-forge_darwin_sigsetjmp\n");

/* The compiler's probe of large stack frames, which changes no register; Linux grows a stack without. */
__asm__(".text\n\t.globl forge_darwin___chkstk_darwin\n\t.type forge_darwin___chkstk_darwin, %function\n"
        "forge_darwin___chkstk_darwin:\n\tret\n\t.size forge_darwin___chkstk_darwin, .-forge_darwin___chkstk_darwin\n");
