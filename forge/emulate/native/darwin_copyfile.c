/* copyfile.h: copying the contents of one open file to another, which std::filesystem does with it. */
#include "darwin_common.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
    int64_t copied;
};
DARWIN_EXPORT struct state *forge_darwin_copyfile_state_alloc(void) { return calloc(1, sizeof(struct state)); }
DARWIN_EXPORT int forge_darwin_copyfile_state_free(struct state *state) {
    free(state);
    return 0;
}

enum { COPYFILE_ACL = 1, COPYFILE_STAT = 2, COPYFILE_XATTR = 4, COPYFILE_DATA = 8 };

static int write_all(int to, const char *data, ssize_t size) {
    while (size > 0) {
        ssize_t done = write(to, data, (size_t)size);
        if (done < 0 && errno != EINTR)
            return -1;
        data += done > 0 ? done : 0;
        size -= done > 0 ? done : 0;
    }
    return 0;
}
/* From the file's beginning, as Darwin's does; the mode with COPYFILE_STAT. Access lists and extended attributes are
 * not copied: the call says so rather than leave them out. */
DARWIN_EXPORT int forge_darwin_fcopyfile(int from, int to, struct state *state, uint32_t flags) {
    char buffer[65536];
    int64_t copied = 0;
    struct stat host;
    if (flags & ~(uint32_t)(COPYFILE_DATA | COPYFILE_STAT)) {
        errno = ENOTSUP;
        return -1;
    }
    for (ssize_t done; flags & COPYFILE_DATA && (done = pread(from, buffer, sizeof buffer, copied)) != 0;) {
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 || write_all(to, buffer, done) != 0)
            return -1;
        copied += done;
    }
    if (flags & COPYFILE_STAT && (fstat(from, &host) != 0 || fchmod(to, host.st_mode & 07777) != 0))
        return -1;
    if (state != NULL)
        state->copied = copied;
    return 0;
}
