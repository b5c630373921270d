/* Block.h: blocks (clang's Block ABI, Block-ABI-Apple) as far as C code makes them: literal, copy, release. */
#include "darwin_common.h"

#include <stdlib.h>
#include <string.h>

/* The classes whose addresses mark where a block lives; nobody looks inside without Objective-C. */
DARWIN_EXPORT void *forge_darwin__NSConcreteGlobalBlock[32];
DARWIN_EXPORT void *forge_darwin__NSConcreteStackBlock[32];
static void *heap_block[32];

enum { REFCOUNT_MASK = 0xfffe, REFCOUNT_ONE = 2, NEEDS_FREE = 1 << 24, HAS_COPY_DISPOSE = 1 << 25, IS_GLOBAL = 1 << 28 };
enum { FIELD_IS_OBJECT = 3, FIELD_IS_BLOCK = 7, FIELD_IS_BYREF = 8, BYREF_CALLER = 128 };

struct descriptor {
    uintptr_t reserved, size;
    void (*copy)(void *, const void *);
    void (*dispose)(const void *);
};
struct block {
    void *isa;
    int32_t flags, reserved;
    void (*invoke)(void);
    struct descriptor *descriptor;
};
struct byref {
    void *isa;
    struct byref *forwarding;
    int32_t flags;
    uint32_t size;
    void (*keep)(struct byref *, struct byref *);
    void (*destroy)(struct byref *);
};
_Static_assert(sizeof(struct block) == 32, "struct Block_layout (Block_private.h)");

DARWIN_EXPORT void *forge_darwin__Block_copy(const void *literal) {
    struct block *block = (struct block *)literal;
    if (block == NULL || block->flags & IS_GLOBAL)
        return block;
    if (block->flags & NEEDS_FREE) {
        __atomic_add_fetch(&block->flags, REFCOUNT_ONE, __ATOMIC_RELAXED);
        return block;
    }
    struct block *made = malloc(block->descriptor->size);
    if (made == NULL)
        return NULL;
    memcpy(made, block, block->descriptor->size);
    made->flags = (made->flags & ~REFCOUNT_MASK) | NEEDS_FREE | REFCOUNT_ONE;
    made->isa = heap_block;
    if (made->flags & HAS_COPY_DISPOSE)
        block->descriptor->copy(made, block);
    return made;
}
DARWIN_EXPORT void forge_darwin__Block_release(const void *literal) {
    struct block *block = (struct block *)literal;
    if (block == NULL || block->flags & IS_GLOBAL || !(block->flags & NEEDS_FREE))
        return;
    if ((__atomic_sub_fetch(&block->flags, REFCOUNT_ONE, __ATOMIC_ACQ_REL) & REFCOUNT_MASK) != 0)
        return;
    if (block->flags & HAS_COPY_DISPOSE)
        block->descriptor->dispose(block);
    free(block);
}

/* A __block variable moves to the heap with the first block that is copied, and is counted like one. */
static struct byref *copy_byref(struct byref *variable) {
    struct byref *source = variable->forwarding;
    if (source->flags & NEEDS_FREE) {
        __atomic_add_fetch(&source->flags, REFCOUNT_ONE, __ATOMIC_RELAXED);
        return source;
    }
    struct byref *made = malloc(source->size);
    if (made == NULL)
        darwin_fatal("_Block_object_assign", "no memory");
    memcpy(made, source, source->size);
    /* One reference for the block, one for the frame that the variable was declared in. */
    made->flags = (source->flags & ~REFCOUNT_MASK) | NEEDS_FREE | 2 * REFCOUNT_ONE;
    made->forwarding = made;
    source->forwarding = made;
    if (source->flags & HAS_COPY_DISPOSE)
        source->keep(made, source);
    return made;
}
DARWIN_EXPORT void forge_darwin__Block_object_assign(void *target, const void *object, int flags) {
    void **out = target;
    if (flags & BYREF_CALLER || (flags & 15) == FIELD_IS_OBJECT)
        *out = (void *)object; /* objects are not counted: there is no Objective-C */
    else if ((flags & 15) == FIELD_IS_BLOCK)
        *out = forge_darwin__Block_copy(object);
    else if ((flags & 15) == FIELD_IS_BYREF)
        *out = copy_byref((struct byref *)object);
}
DARWIN_EXPORT void forge_darwin__Block_object_dispose(const void *object, int flags) {
    if (flags & BYREF_CALLER || (flags & 15) == FIELD_IS_OBJECT)
        return;
    if ((flags & 15) == FIELD_IS_BLOCK) {
        forge_darwin__Block_release(object);
    } else if ((flags & 15) == FIELD_IS_BYREF) {
        struct byref *variable = ((struct byref *)object)->forwarding;
        if (!(variable->flags & NEEDS_FREE) ||
            (__atomic_sub_fetch(&variable->flags, REFCOUNT_ONE, __ATOMIC_ACQ_REL) & REFCOUNT_MASK) != 0)
            return;
        if (variable->flags & HAS_COPY_DISPOSE)
            variable->destroy(variable);
        free(variable);
    }
}
