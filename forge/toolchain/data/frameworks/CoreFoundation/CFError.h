/* CFError.h: forge keeps all of CoreFoundation in one header. */
#include <CoreFoundation/CoreFoundation.h>
