/* open, fcntl and ioctl with their last argument spelled out. */
#ifndef FORGE_DARWIN_FCNTL_H
#define FORGE_DARWIN_FCNTL_H

#include "darwin_common.h"

int darwin_open(int directory, const char *path, int flags, int mode);
int darwin_fcntl(int descriptor, int command, intptr_t argument);
int darwin_ioctl(int descriptor, unsigned long request, void *argument);

#endif
