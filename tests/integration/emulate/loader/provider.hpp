// What two libraries share: a type that is thrown, and an inline variable that is one for the process.
#pragma once
#include <stdexcept>

struct Refused : std::runtime_error {
    int code;
    explicit Refused(int code) : std::runtime_error("refused"), code(code) {}
};

inline int &shared_counter() {
    static int counter = 0;
    return counter;
}

extern "C" int refuse(int code);
extern "C" int count_in_provider();
extern "C" int provider_renamed();
