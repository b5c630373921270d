// C++ exceptions within a library, over two, and over frames that are not Mach-O's.
#include "provider.hpp"

#include <atomic>
#include <cstdlib>
#include <map>
#include <string>
#include <typeinfo>
#include <unistd.h>

namespace {
struct Guard {
    int &seen;
    ~Guard() { ++seen; }
};

struct Base {
    virtual ~Base() = default;
};
struct Derived : Base {
    int value = 5;
};
} // namespace

// Nested, with a destructor on the way, an exception of libc++'s own, and rethrown: 42 if all of it works.
extern "C" int within() {
    int seen = 0;
    try {
        Guard guard{seen};
        try {
            std::map<std::string, int>().at("absent");
        } catch (const std::out_of_range &) {
            throw;
        }
    } catch (const std::exception &error) {
        return seen == 1 && *error.what() ? 42 : 1;
    }
    return 0;
}

extern "C" int over_libraries(int code) {
    try {
        refuse(code);
    } catch (const std::logic_error &) {
        return -1;
    } catch (const std::runtime_error &error) {
        return dynamic_cast<const Refused &>(error).code;
    }
    return -2;
}

extern "C" int rtti() {
    Derived derived;
    Base *base = &derived;
    auto *again = dynamic_cast<Derived *>(base);
    return again && typeid(*base) == typeid(Derived) ? again->value : 0;
}

extern "C" int count_in_user() { return ++shared_counter(); }

// Calls back; what the callback's callee throws has passed the callback's frames. Python is not fit for use after
// that, so the process ends with the code that was thrown.
extern "C" int through(int (*callback)(int), int code) {
    try {
        return callback(code);
    } catch (const Refused &error) {
        _exit(error.code);
    }
}

extern "C" int reached(int (*callback)(int), int code) { return callback(code) + 1; }

// Thread locals: made on first use, destroyed when their thread ends.
static std::atomic<int> alive{0}, made{0};
namespace {
struct Counted {
    std::string text = "a string that is too long for the small buffer of std::string";
    Counted() { ++alive, ++made; }
    ~Counted() { --alive; }
};
} // namespace
static thread_local Counted counted;
static thread_local int plain = 7;
alignas(64) static thread_local char aligned_bytes[64];

extern "C" int use_locals() {
    if (reinterpret_cast<unsigned long>(aligned_bytes) % 64)
        return -1;
    return ++plain + (counted.text.empty() ? 1000 : 0);
}
extern "C" int locals_alive() { return alive; }
extern "C" int locals_made() { return made; }
