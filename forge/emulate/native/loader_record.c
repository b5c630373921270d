/* Machine-readable records of traps and faults, written with async-signal-safe calls only (signal-safety(7)). */
#define _GNU_SOURCE
#include "loader_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int report_fd = -1;

void forge_loader_set_report_fd(int fd) { report_fd = fd; }

int forge_loader_report_fd(void) { return report_fd; }

static void put(struct forge_record *record, char c) {
    if (record->used < sizeof record->text)
        record->text[record->used++] = c;
}

void forge_record_text(struct forge_record *record, const char *text) {
    while (*text)
        put(record, *text++);
}

void forge_record_json(struct forge_record *record, const char *text) {
    static const char digits[] = "0123456789abcdef";
    if (!text) {
        forge_record_text(record, "null");
        return;
    }
    put(record, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put(record, '\\');
        /* Bytes above 0x7e are written as escapes: a path need not be UTF-8, a JSON text must be. */
        if (c < 0x20 || c > 0x7e) {
            forge_record_text(record, "\\u00");
            put(record, digits[c >> 4]);
            put(record, digits[c & 15]);
        } else {
            put(record, (char)c);
        }
    }
    put(record, '"');
}

static void put_number(struct forge_record *record, uintptr_t value, unsigned base) {
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(record, digits[--count]);
}

void forge_record_hex(struct forge_record *record, uintptr_t value) {
    forge_record_text(record, "0x");
    put_number(record, value, 16);
}

void forge_record_number(struct forge_record *record, uintptr_t value) { put_number(record, value, 10); }

void forge_record_write(struct forge_record *record, int fd) {
    const char *at = record->text;
    size_t left = record->used;
    while (fd >= 0 && left) {
        ssize_t written = write(fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        at += written;
        left -= (size_t)written;
    }
}

void forge_record_place(struct forge_record *record, uintptr_t address) {
    const struct forge_loader_image *image = forge_loader_find_image((const void *)address);
    if (!image)
        return;
    uintptr_t start = image->base;
    const char *symbol = forge_loader_find_symbol(image, (const void *)address, &start);
    forge_record_text(record, ",\"image\":");
    forge_record_json(record, image->path);
    forge_record_text(record, ",\"symbol\":");
    forge_record_json(record, symbol);
    forge_record_text(record, ",\"offset\":");
    forge_record_number(record, address - start);
}

_Noreturn void forge_loader_trap(const char *symbol, const char *library, const char *image) {
    forge_loader_trap_from(symbol, library, image, (uintptr_t)__builtin_return_address(0));
}

_Noreturn void forge_loader_trap_from(const char *symbol, const char *library, const char *image, uintptr_t caller) {
    struct forge_record record;
    record.used = 0;
    forge_record_text(&record, "{\"kind\":\"trap\",\"symbol\":");
    forge_record_json(&record, symbol);
    forge_record_text(&record, ",\"library\":");
    forge_record_json(&record, library);
    forge_record_text(&record, ",\"importer\":");
    forge_record_json(&record, image);
    forge_record_text(&record, ",\"caller\":{\"pc\":\"");
    forge_record_hex(&record, caller);
    forge_record_text(&record, "\"");
    forge_record_place(&record, caller);
    forge_record_text(&record, "}}\n");
    forge_record_write(&record, report_fd);
    record.used = 0;
    forge_record_text(&record, "forge: ");
    forge_record_text(&record, symbol ? symbol : "a function");
    forge_record_text(&record, " was called, which this emulation does not provide; ");
    forge_record_text(&record, image ? image : "an image");
    forge_record_text(&record, " wants it from ");
    forge_record_text(&record, library ? library : "any library");
    forge_record_text(&record, "\n");
    forge_record_write(&record, STDERR_FILENO);
    abort();
}

/* What lazy pointers' helpers jump to under dyld. Here lazy pointers are bound at load, so nothing does. */
void forge_loader_stub_binder(void) { forge_loader_trap("dyld_stub_binder", "/usr/lib/libSystem.B.dylib", NULL); }
