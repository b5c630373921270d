/*
 * util.h for the SDK that forge assembles: pseudo-terminals, the part of the BSD header that portable code uses.
 *
 * The open-source Darwin headers do not carry this file; the declarations are BSD's, see openpty(3) and login_tty(3).
 * Licensed like forge itself (MIT).
 */
#ifndef FORGE_UTIL_H
#define FORGE_UTIL_H

#include <sys/cdefs.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

__BEGIN_DECLS
int openpty(int *primary, int *replica, char *name, struct termios *settings, struct winsize *size);
int forkpty(int *primary, char *name, struct termios *settings, struct winsize *size);
int login_tty(int descriptor);
__END_DECLS

#endif
