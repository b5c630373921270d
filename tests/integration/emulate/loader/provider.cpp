#include "provider.hpp"

extern "C" int refuse(int code) {
    if (code >= 0)
        throw Refused(code);
    return code;
}

extern "C" int count_in_provider() { return ++shared_counter(); }

extern "C" int provider_renamed() { return 77; }
