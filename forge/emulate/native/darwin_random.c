/* stdlib.h, sys/random.h, CommonCrypto/CommonRandom.h: random numbers from the system. */
#include "darwin_common.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/* Fills a buffer of any size; 0, or -1 with errno. */
static int fill(void *buffer, size_t size) {
    for (char *out = buffer; size > 0;) {
        ssize_t done = getrandom(out, size, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        out += done;
        size -= (size_t)done;
    }
    return 0;
}
/* sys/random.h: at most 256 bytes. */
DARWIN_EXPORT int forge_darwin_getentropy(void *buffer, size_t size) {
    if (size > 256) {
        errno = EIO;
        return -1;
    }
    return fill(buffer, size);
}
DARWIN_EXPORT void forge_darwin_arc4random_buf(void *buffer, size_t size) {
    if (fill(buffer, size) != 0)
        darwin_fatal("arc4random_buf", "the system gives no random numbers");
}
DARWIN_EXPORT uint32_t forge_darwin_arc4random(void) {
    uint32_t value;
    forge_darwin_arc4random_buf(&value, sizeof value);
    return value;
}
/* Without the bias of a plain remainder: draws again while the value is below 2**32 mod limit. */
DARWIN_EXPORT uint32_t forge_darwin_arc4random_uniform(uint32_t limit) {
    if (limit < 2)
        return 0;
    uint32_t low = -limit % limit, value;
    do
        value = forge_darwin_arc4random();
    while (value < low);
    return value % limit;
}
DARWIN_EXPORT void forge_darwin_arc4random_stir(void) {}
DARWIN_EXPORT void forge_darwin_arc4random_addrandom(unsigned char *data, int size) { (void)data, (void)size; }
/* CCRNGStatus: kCCSuccess is 0, kCCRNGFailure -4307. */
DARWIN_EXPORT int forge_darwin_CCRandomGenerateBytes(void *buffer, size_t size) { return fill(buffer, size) == 0 ? 0 : -4307; }
/* Security/SecRandom.h: errSecSuccess 0, or -1 with errno; the generator is always kSecRandomDefault. */
DARWIN_EXPORT int forge_darwin_SecRandomCopyBytes(void *generator, size_t size, void *buffer) {
    (void)generator;
    return fill(buffer, size);
}
/* Seeds random() from the system. */
DARWIN_EXPORT void forge_darwin_srandomdev(void) { srandom(forge_darwin_arc4random()); }
DARWIN_EXPORT void forge_darwin_sranddev(void) { srand(forge_darwin_arc4random()); }
