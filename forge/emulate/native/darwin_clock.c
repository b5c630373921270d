/* time.h, sys/time.h, mach/mach_time.h: clocks by Darwin's ids, and struct timeval with 32-bit microseconds. */
#include "darwin_common.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

/* Darwin's CLOCK_MONOTONIC goes on while the machine sleeps, as Linux's CLOCK_BOOTTIME does; the UPTIME clocks and
 * mach_absolute_time stop, as Linux's CLOCK_MONOTONIC does (clock_gettime(3)). */
static clockid_t clock_to_host(int clock) {
    switch (clock) {
    case DARWIN_CLOCK_REALTIME: return CLOCK_REALTIME;
    case DARWIN_CLOCK_MONOTONIC: return CLOCK_BOOTTIME;
    case DARWIN_CLOCK_MONOTONIC_RAW:
    case DARWIN_CLOCK_MONOTONIC_RAW_APPROX: return CLOCK_BOOTTIME;
    case DARWIN_CLOCK_UPTIME_RAW:
    case DARWIN_CLOCK_UPTIME_RAW_APPROX: return CLOCK_MONOTONIC;
    case DARWIN_CLOCK_PROCESS_CPUTIME_ID: return CLOCK_PROCESS_CPUTIME_ID;
    case DARWIN_CLOCK_THREAD_CPUTIME_ID: return CLOCK_THREAD_CPUTIME_ID;
    default: return -1; /* the kernel answers EINVAL */
    }
}
DARWIN_EXPORT int forge_darwin_clock_gettime(int clock, struct timespec *time) {
    clockid_t host = clock_to_host(clock);
    if (host < 0) {
        errno = EINVAL;
        return -1;
    }
    return clock_gettime(host, time);
}
DARWIN_EXPORT int forge_darwin_clock_getres(int clock, struct timespec *time) {
    clockid_t host = clock_to_host(clock);
    if (host < 0) {
        errno = EINVAL;
        return -1;
    }
    return clock_getres(host, time);
}
DARWIN_EXPORT uint64_t forge_darwin_clock_gettime_nsec_np(int clock) {
    struct timespec time;
    if (forge_darwin_clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* mach/mach_time.h: ticks; a tick is a nanosecond on x86_64, and here everywhere. */
DARWIN_EXPORT uint64_t forge_darwin_mach_absolute_time(void) {
    return forge_darwin_clock_gettime_nsec_np(DARWIN_CLOCK_UPTIME_RAW);
}
DARWIN_EXPORT uint64_t forge_darwin_mach_continuous_time(void) {
    return forge_darwin_clock_gettime_nsec_np(DARWIN_CLOCK_MONOTONIC_RAW);
}
struct darwin_timebase {
    uint32_t numer, denom;
};
DARWIN_EXPORT int forge_darwin_mach_timebase_info(struct darwin_timebase *info) {
    *info = (struct darwin_timebase){1, 1};
    return DARWIN_KERN_SUCCESS;
}
DARWIN_EXPORT int forge_darwin_mach_wait_until(uint64_t deadline) {
    struct timespec time = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
    return DARWIN_KERN_SUCCESS;
}

/* time.h: clock_t is unsigned long on Darwin and long on Linux, of the same million a second. */
_Static_assert(CLOCKS_PER_SEC == DARWIN_CLOCKS_PER_SEC, "clock's unit");

/* sys/_types/_timeval.h: the upper half of the last word is padding, which callers leave unset. */
struct darwin_timeval {
    int64_t sec;
    int32_t usec;
    int32_t padding;
};
_Static_assert(sizeof(struct darwin_timeval) == 16, "struct timeval");

static struct darwin_timeval from_host(struct timeval host) {
    return (struct darwin_timeval){host.tv_sec, (int32_t)host.tv_usec, 0};
}
static const struct timeval *to_host(const struct darwin_timeval *time, struct timeval *host) {
    if (time == NULL)
        return NULL;
    host->tv_sec = time->sec;
    host->tv_usec = time->usec;
    return host;
}
DARWIN_EXPORT int forge_darwin_gettimeofday(struct darwin_timeval *time, void *zone) {
    struct timeval host;
    int result = gettimeofday(&host, zone); /* struct timezone is two ints on both */
    if (result == 0 && time != NULL)
        *time = from_host(host);
    return result;
}
DARWIN_EXPORT int forge_darwin_utimes(const char *path, const struct darwin_timeval *times) {
    struct timeval host[2];
    for (int i = 0; times != NULL && i < 2; i++)
        to_host(times + i, host + i);
    return utimes(path, times != NULL ? host : NULL);
}
DARWIN_EXPORT int forge_darwin_lutimes(const char *path, const struct darwin_timeval *times) {
    struct timeval host[2];
    for (int i = 0; times != NULL && i < 2; i++)
        to_host(times + i, host + i);
    return lutimes(path, times != NULL ? host : NULL);
}
DARWIN_EXPORT int forge_darwin_futimes(int descriptor, const struct darwin_timeval *times) {
    struct timeval host[2];
    for (int i = 0; times != NULL && i < 2; i++)
        to_host(times + i, host + i);
    return futimes(descriptor, times != NULL ? host : NULL);
}

struct darwin_itimerval {
    struct darwin_timeval interval, value;
};
DARWIN_EXPORT int forge_darwin_setitimer(int which, const struct darwin_itimerval *new, struct darwin_itimerval *old) {
    struct itimerval host, before;
    if (new != NULL) {
        to_host(&new->interval, &host.it_interval);
        to_host(&new->value, &host.it_value);
    }
    int result = setitimer((__itimer_which_t)which, new != NULL ? &host : NULL, &before);
    if (result == 0 && old != NULL)
        *old = (struct darwin_itimerval){from_host(before.it_interval), from_host(before.it_value)};
    return result;
}
DARWIN_EXPORT int forge_darwin_getitimer(int which, struct darwin_itimerval *out) {
    struct itimerval host;
    int result = getitimer((__itimer_which_t)which, &host);
    if (result == 0)
        *out = (struct darwin_itimerval){from_host(host.it_interval), from_host(host.it_value)};
    return result;
}

/* sys/select.h: fd_set is 1,024 bits on both, in words of 32 or 64 bits, the same bytes in little-endian order. */
_Static_assert(sizeof(fd_set) == 128, "fd_set");
DARWIN_EXPORT int forge_darwin_select(int count, fd_set *read, fd_set *write, fd_set *error,
                                      struct darwin_timeval *limit) {
    struct timeval host;
    /* Linux writes the time that is left into its argument; Darwin leaves it alone. */
    return select(count, read, write, error, limit != NULL ? (struct timeval *)to_host(limit, &host) : NULL);
}
/* sys/_types/_fd_def.h: FD_SET asks whether a descriptor fits. */
DARWIN_EXPORT int forge_darwin___darwin_check_fd_set_overflow(int descriptor, const void *set, int unlimited) {
    (void)set;
    return descriptor >= 0 && (unlimited || descriptor < FD_SETSIZE);
}

/* sys/resource.h: struct rusage differs in its timevals alone. */
struct darwin_rusage {
    struct darwin_timeval utime, stime;
    long fields[14];
};
_Static_assert(sizeof(struct darwin_rusage) == 144, "struct rusage (sys/resource.h)");
void darwin_rusage_from_host(const struct rusage *host, void *out) {
    struct darwin_rusage *usage = out;
    usage->utime = from_host(host->ru_utime);
    usage->stime = from_host(host->ru_stime);
    const long fields[14] = {
        host->ru_maxrss * 1024, /* bytes on Darwin, kilobytes on Linux */
        host->ru_ixrss, host->ru_idrss, host->ru_isrss, host->ru_minflt, host->ru_majflt, host->ru_nswap,
        host->ru_inblock, host->ru_oublock, host->ru_msgsnd, host->ru_msgrcv, host->ru_nsignals, host->ru_nvcsw,
        host->ru_nivcsw,
    };
    for (int i = 0; i < 14; i++)
        usage->fields[i] = fields[i];
}
DARWIN_EXPORT int forge_darwin_getrusage(int who, struct darwin_rusage *out) {
    struct rusage host;
    int result = getrusage((__rusage_who_t)who, &host);
    if (result == 0)
        darwin_rusage_from_host(&host, out);
    return result;
}
