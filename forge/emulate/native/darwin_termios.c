/* termios.h: the same flags in other bits, speeds as plain numbers. */
#include "darwin_common.h"

#include <errno.h>
#include <string.h>
#include <termios.h>

struct darwin_termios {
    uint64_t iflag, oflag, cflag, lflag;
    uint8_t cc[DARWIN_NCCS];
    uint64_t ispeed, ospeed;
};
_Static_assert(sizeof(struct darwin_termios) == 72, "struct termios (sys/termios.h)");

struct flag {
    uint32_t darwin, host;
};
#define SAME(name) {DARWIN_##name, name}
static const struct flag INPUT[] = {
    SAME(IGNBRK), SAME(BRKINT), SAME(IGNPAR), SAME(PARMRK), SAME(INPCK), SAME(ISTRIP), SAME(INLCR), SAME(IGNCR),
    SAME(ICRNL), SAME(IXON), SAME(IXOFF), SAME(IXANY), SAME(IMAXBEL), SAME(IUTF8),
};
static const struct flag OUTPUT[] = {SAME(OPOST), SAME(ONLCR), {DARWIN_OXTABS, XTABS}};
static const struct flag CONTROL[] = {
    SAME(CSTOPB), SAME(CREAD), SAME(PARENB), SAME(PARODD), SAME(HUPCL), SAME(CLOCAL),
};
static const struct flag LOCAL[] = {
    SAME(ECHOKE), SAME(ECHOE), SAME(ECHOK), SAME(ECHO), SAME(ECHONL), SAME(ECHOPRT), SAME(ECHOCTL), SAME(ISIG),
    SAME(ICANON), SAME(IEXTEN), SAME(EXTPROC), SAME(TOSTOP), SAME(FLUSHO), SAME(PENDIN), SAME(NOFLSH),
};
static const struct flag SIZES[] = {SAME(CS5), SAME(CS6), SAME(CS7), SAME(CS8)};
static const struct flag CHARACTERS[] = {
    SAME(VEOF), SAME(VEOL), SAME(VEOL2), SAME(VERASE), SAME(VWERASE), SAME(VKILL), SAME(VREPRINT), SAME(VINTR),
    SAME(VQUIT), SAME(VSUSP), SAME(VSTART), SAME(VSTOP), SAME(VLNEXT), SAME(VDISCARD), SAME(VMIN), SAME(VTIME),
};
/* Linux's speeds are codes, its headers' macros. */
static const struct flag SPEEDS[] = {
    {0, B0}, {50, B50}, {75, B75}, {110, B110}, {134, B134}, {150, B150}, {200, B200}, {300, B300}, {600, B600},
    {1200, B1200}, {1800, B1800}, {2400, B2400}, {4800, B4800}, {9600, B9600}, {19200, B19200}, {38400, B38400},
    {57600, B57600}, {115200, B115200}, {230400, B230400},
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static uint32_t to_host(uint64_t flags, const struct flag *list, size_t count) {
    uint32_t out = 0;
    for (size_t i = 0; i < count; i++)
        if (flags & list[i].darwin)
            out |= list[i].host;
    return out;
}
static uint64_t from_host(uint32_t flags, const struct flag *list, size_t count) {
    uint64_t out = 0;
    for (size_t i = 0; i < count; i++)
        if ((flags & list[i].host) == list[i].host)
            out |= list[i].darwin;
    return out;
}
static void speeds_from_host(speed_t in, speed_t out, struct darwin_termios *t) {
    for (size_t i = 0; i < COUNT(SPEEDS); i++) {
        if (SPEEDS[i].host == in)
            t->ispeed = SPEEDS[i].darwin;
        if (SPEEDS[i].host == out)
            t->ospeed = SPEEDS[i].darwin;
    }
}
static int speed_to_host(uint64_t speed, speed_t *out) {
    for (size_t i = 0; i < COUNT(SPEEDS); i++)
        if (SPEEDS[i].darwin == speed) {
            *out = SPEEDS[i].host;
            return 0;
        }
    errno = EINVAL;
    return -1;
}
DARWIN_EXPORT int forge_darwin_tcgetattr(int descriptor, struct darwin_termios *out) {
    struct termios host;
    if (tcgetattr(descriptor, &host) != 0)
        return -1;
    memset(out, 0, sizeof *out);
    out->iflag = from_host(host.c_iflag, INPUT, COUNT(INPUT));
    out->oflag = from_host(host.c_oflag, OUTPUT, COUNT(OUTPUT));
    out->cflag = from_host(host.c_cflag, CONTROL, COUNT(CONTROL));
    out->lflag = from_host(host.c_lflag, LOCAL, COUNT(LOCAL));
    for (size_t i = 0; i < COUNT(SIZES); i++)
        if ((host.c_cflag & CSIZE) == SIZES[i].host)
            out->cflag |= SIZES[i].darwin;
    memset(out->cc, 0xff, sizeof out->cc); /* _POSIX_VDISABLE is 0xff on Darwin and 0 on Linux */
    for (size_t i = 0; i < COUNT(CHARACTERS); i++) {
        uint8_t c = host.c_cc[CHARACTERS[i].host];
        int number = CHARACTERS[i].host == VMIN || CHARACTERS[i].host == VTIME;
        out->cc[CHARACTERS[i].darwin] = c == 0 && !number ? 0xff : c;
    }
    speeds_from_host(cfgetispeed(&host), cfgetospeed(&host), out);
    return 0;
}
DARWIN_EXPORT int forge_darwin_tcsetattr(int descriptor, int when, const struct darwin_termios *in) {
    struct termios host;
    if (tcgetattr(descriptor, &host) != 0) /* Linux's own flags stay as they are */
        return -1;
    host.c_iflag = (host.c_iflag & ~to_host(~0ull, INPUT, COUNT(INPUT))) | to_host(in->iflag, INPUT, COUNT(INPUT));
    host.c_oflag = (host.c_oflag & ~to_host(~0ull, OUTPUT, COUNT(OUTPUT))) | to_host(in->oflag, OUTPUT, COUNT(OUTPUT));
    host.c_cflag = (host.c_cflag & ~(to_host(~0ull, CONTROL, COUNT(CONTROL)) | CSIZE)) |
                   to_host(in->cflag, CONTROL, COUNT(CONTROL));
    host.c_lflag = (host.c_lflag & ~to_host(~0ull, LOCAL, COUNT(LOCAL))) | to_host(in->lflag, LOCAL, COUNT(LOCAL));
    for (size_t i = 0; i < COUNT(SIZES); i++)
        if ((in->cflag & DARWIN_CSIZE) == SIZES[i].darwin)
            host.c_cflag |= SIZES[i].host;
    for (size_t i = 0; i < COUNT(CHARACTERS); i++) {
        uint8_t c = in->cc[CHARACTERS[i].darwin];
        int number = CHARACTERS[i].host == VMIN || CHARACTERS[i].host == VTIME;
        host.c_cc[CHARACTERS[i].host] = c == 0xff && !number ? 0 : c;
    }
    speed_t input, output;
    if (speed_to_host(in->ispeed, &input) != 0 || speed_to_host(in->ospeed, &output) != 0)
        return -1;
    cfsetispeed(&host, input);
    cfsetospeed(&host, output);
    return tcsetattr(descriptor, when & 3, &host); /* TCSANOW 0, DRAIN 1, FLUSH 2 on both; TCSASOFT is above them */
}
/* The speeds are members of the structure. */
DARWIN_EXPORT uint64_t forge_darwin_cfgetispeed(const struct darwin_termios *t) { return t->ispeed; }
DARWIN_EXPORT uint64_t forge_darwin_cfgetospeed(const struct darwin_termios *t) { return t->ospeed; }
DARWIN_EXPORT int forge_darwin_cfsetispeed(struct darwin_termios *t, uint64_t speed) { return t->ispeed = speed, 0; }
DARWIN_EXPORT int forge_darwin_cfsetospeed(struct darwin_termios *t, uint64_t speed) { return t->ospeed = speed, 0; }
DARWIN_EXPORT void forge_darwin_cfmakeraw(struct darwin_termios *t) {
    t->iflag &= ~(uint64_t)(DARWIN_IGNBRK | DARWIN_BRKINT | DARWIN_PARMRK | DARWIN_ISTRIP | DARWIN_INLCR | DARWIN_IGNCR |
                            DARWIN_ICRNL | DARWIN_IXON);
    t->oflag &= ~(uint64_t)DARWIN_OPOST;
    t->lflag &= ~(uint64_t)(DARWIN_ECHO | DARWIN_ECHONL | DARWIN_ICANON | DARWIN_ISIG | DARWIN_IEXTEN);
    t->cflag = (t->cflag & ~(uint64_t)(DARWIN_CSIZE | DARWIN_PARENB)) | DARWIN_CS8;
}
/* TCIFLUSH 1, TCOFLUSH 2, TCIOFLUSH 3; TCOOFF 1, TCOON 2, TCIOFF 3, TCION 4: Linux counts from 0. */
DARWIN_EXPORT int forge_darwin_tcflush(int descriptor, int queue) { return tcflush(descriptor, queue - 1); }
DARWIN_EXPORT int forge_darwin_tcflow(int descriptor, int action) { return tcflow(descriptor, action - 1); }
_Static_assert(TCIFLUSH == DARWIN_TCIFLUSH - 1 && TCIOFLUSH == DARWIN_TCIOFLUSH - 1, "termios.h");
_Static_assert(TCOOFF == DARWIN_TCOOFF - 1 && TCION == DARWIN_TCION - 1, "termios.h");
