/* The table of images: lookups by address and by name, over dependencies and in a cycle, and callbacks. */
#include "../../../../forge/emulate/native/loader.h"
#include "../../../../forge/emulate/native/loader_private.h"

#include <stdio.h>
#include <string.h>

#define CHECK(what)                                                                                                  \
    do {                                                                                                             \
        if (!(what))                                                                                                 \
            bad = printf("line %d: %s\n", __LINE__, #what);                                                          \
    } while (0)

static char memory[4][0x1000];
static int announced;
static void added(const void *header, intptr_t slide) { announced += header != NULL && slide == 0x10; }

int main(void) {
    int bad = 0;
    static const char strings[] = "\0_first\0_second\0_debug";
    static const struct forge_nlist symbols[] = {
        {1, 0x0e, 1, 0, 0x100},
        {8, 0x0f, 1, 0, 0x200},
        {16, 0x24, 1, 0, 0x280},  /* a debugger's entry */
        {1 << 20, 0x0e, 1, 0, 0x300}, /* a name outside the table */
    };
    /* Sorted by name: one without an underscore sorts before or after those with one. */
    struct forge_loader_export exports[] = {
        {"ZERO", 1, 0}, {"__Z1fv", 2, 0}, {"_alpha", (uintptr_t)memory[0] + 0x400, 0}, {"_beta", 4, 0}, {"zzz", 5, 0},
    };
    struct forge_loader_export other[] = {{"_gamma", 77, 0}};
    const struct forge_loader_image *needs[1] = {NULL}, *back[1] = {NULL};
    struct forge_loader_image one = {.path = "/one", .base = (uintptr_t)memory[0], .size = 0x1000, .slide = 0x10,
                                     .symbols = symbols, .symbol_count = 4, .strings = strings,
                                     .strings_size = sizeof strings, .exports = exports, .export_count = 5,
                                     .dependencies = needs, .dependency_count = 1};
    one.slide = 0x10;
    struct forge_nlist moved[4];
    memcpy(moved, symbols, sizeof moved);
    for (int i = 0; i < 4; i++)
        moved[i].value += one.base - 0x10;
    one.symbols = moved;
    struct forge_loader_image two = {.path = "/two", .base = (uintptr_t)memory[1], .size = 0x1000, .slide = 0x10,
                                     .exports = other, .export_count = 1, .dependencies = back, .dependency_count = 1};

    CHECK(forge_loader_image_count() == 0 && forge_loader_image_get(0) == NULL);
    CHECK(forge_loader_find_image(memory[0]) == NULL);
    const struct forge_loader_image *first = forge_loader_add_image(&one);
    CHECK(forge_loader_on_add(added) == 0 && announced == 1);
    const struct forge_loader_image *second = forge_loader_add_image(&two);
    CHECK(announced == 2);
    needs[0] = second;
    back[0] = first;

    CHECK(forge_loader_image_count() == 2 && forge_loader_image_get(1) == second);
    CHECK(forge_loader_find_image(memory[0] + 0xfff) == first && forge_loader_find_image(memory[1]) == second);
    CHECK(forge_loader_is_handle(first) && !forge_loader_is_handle(&one) && !forge_loader_is_handle(NULL));
    CHECK(forge_loader_dlclose((void *)first) == 0 && forge_loader_dlclose(&one) == -1);

    uintptr_t start = 0;
    CHECK(!strcmp(forge_loader_find_symbol(first, memory[0] + 0x1ff, &start), "_first"));
    CHECK(start == one.base + 0x100);
    CHECK(!strcmp(forge_loader_find_symbol(first, memory[0] + 0x3ff, &start), "_second"));
    CHECK(!strcmp(forge_loader_find_symbol(first, memory[0] + 0x500, &start), "_alpha"));
    CHECK(forge_loader_find_symbol(first, memory[0] + 0xff, &start) == NULL);

    CHECK((uintptr_t)forge_loader_dlsym((void *)first, "alpha") == one.base + 0x400);
    CHECK((uintptr_t)forge_loader_dlsym((void *)first, "beta") == 4);
    CHECK((uintptr_t)forge_loader_dlsym((void *)first, "_Z1fv") == 2);
    CHECK((uintptr_t)forge_loader_dlsym((void *)first, "gamma") == 77); /* in what it depends on */
    CHECK((uintptr_t)forge_loader_dlsym((void *)second, "beta") == 4);
    CHECK((uintptr_t)forge_loader_dlsym_any("gamma") == 77);
    CHECK(forge_loader_dlerror() == NULL);
    CHECK(forge_loader_dlsym((void *)first, "ZERO") == NULL); /* on disk it has no underscore */
    CHECK(!strcmp(forge_loader_dlerror(), "/one: symbol not found: ZERO"));
    CHECK(forge_loader_dlerror() == NULL);

    uint64_t slots[3] = {1, 2, 3}, at[2] = {0, 16}, values[2] = {100, 300};
    forge_loader_apply_slide((uintptr_t)slots, at, 2, 10);
    CHECK(slots[0] == 11 && slots[1] == 2 && slots[2] == 13);
    forge_loader_store((uintptr_t)slots, at, values, 2);
    CHECK(slots[0] == 100 && slots[1] == 2 && slots[2] == 300);
    return bad != 0;
}
