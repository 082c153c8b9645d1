// Numbers for people: 1,234; 1.2 MB; 3.1 %; 1 h 02 min. The same on every machine and in every
// locale.
#pragma once

#include "base/time.h"

enum { AMOUNT_SIZE = 32 };

struct amount {
    char text[AMOUNT_SIZE];
};

struct amount amount_count(uint64_t n);
struct amount amount_scaled(double n, const char *unit); // by powers of 1000
struct amount amount_share(uint64_t part, uint64_t whole);
struct amount amount_span(nanos span);
