/*
 * os/log.h for the SDK that forge assembles: the unified logging interface that C code uses (iOS 10 and later).
 *
 * The open-source Darwin headers do not carry this file. The names, types and values are those of Apple's documented
 * interface; the format string goes through clang's __builtin_os_log_format, as the real macros' does. Objective-C and
 * Swift overlays are not provided. Licensed like forge itself (MIT).
 */
#ifndef FORGE_OS_LOG_H
#define FORGE_OS_LOG_H

#include <os/availability.h>
#include <os/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__BEGIN_DECLS

typedef struct os_log_s *os_log_t;
typedef uint8_t os_log_type_t;

enum {
    OS_LOG_TYPE_DEFAULT = 0x00,
    OS_LOG_TYPE_INFO = 0x01,
    OS_LOG_TYPE_DEBUG = 0x02,
    OS_LOG_TYPE_ERROR = 0x10,
    OS_LOG_TYPE_FAULT = 0x11,
};

extern struct os_log_s _os_log_default API_AVAILABLE(macos(10.12), ios(10.0), watchos(3.0), tvos(10.0));
#define OS_LOG_DEFAULT (&_os_log_default)
#define OS_LOG_DISABLED ((os_log_t)0)

API_AVAILABLE(macos(10.12), ios(10.0), watchos(3.0), tvos(10.0))
os_log_t os_log_create(const char *subsystem, const char *category);

API_AVAILABLE(macos(10.12), ios(10.0), watchos(3.0), tvos(10.0))
bool os_log_type_enabled(os_log_t log, os_log_type_t type);

#define os_log_info_enabled(log) os_log_type_enabled((log), OS_LOG_TYPE_INFO)
#define os_log_debug_enabled(log) os_log_type_enabled((log), OS_LOG_TYPE_DEBUG)

API_AVAILABLE(macos(10.12), ios(10.0), watchos(3.0), tvos(10.0))
void _os_log_impl(void *image, os_log_t log, os_log_type_t type, const char *format, uint8_t *buffer, uint32_t size);

extern const struct mach_header __dso_handle_for_os_log __asm__("___dso_handle");

/* The system finds a message's format by its address in this section of the image that logs. */
#define os_log_with_type(log, type, format, ...)                                                                      \
    __extension__({                                                                                                   \
        os_log_t forge_log = (log);                                                                                   \
        os_log_type_t forge_type = (type);                                                                            \
        if (os_log_type_enabled(forge_log, forge_type)) {                                                             \
            static const char forge_format[]                                                                          \
            __attribute__((section("__TEXT,__oslogstring,cstring_literals"), used)) = format;                         \
            uint8_t __attribute__((aligned(16)))                                                                      \
            forge_buffer[__builtin_os_log_format_buffer_size(format, ##__VA_ARGS__)];                                 \
            _os_log_impl((void *)&__dso_handle_for_os_log, forge_log, forge_type, forge_format,                       \
                         (uint8_t *)__builtin_os_log_format(forge_buffer, format, ##__VA_ARGS__),                     \
                         (uint32_t)sizeof(forge_buffer));                                                             \
        }                                                                                                             \
    })

#define os_log(log, format, ...) os_log_with_type(log, OS_LOG_TYPE_DEFAULT, format, ##__VA_ARGS__)
#define os_log_info(log, format, ...) os_log_with_type(log, OS_LOG_TYPE_INFO, format, ##__VA_ARGS__)
#define os_log_debug(log, format, ...) os_log_with_type(log, OS_LOG_TYPE_DEBUG, format, ##__VA_ARGS__)
#define os_log_error(log, format, ...) os_log_with_type(log, OS_LOG_TYPE_ERROR, format, ##__VA_ARGS__)
#define os_log_fault(log, format, ...) os_log_with_type(log, OS_LOG_TYPE_FAULT, format, ##__VA_ARGS__)

__END_DECLS

#endif
