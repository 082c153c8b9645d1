// Time is a number: nanoseconds since 1970-01-01T00:00:00Z. No stage asks the clock; packets carry
// their time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

typedef int64_t nanos;

#define NANOS_PER_SECOND INT64_C(1000000000)
#define NANOS_PER_MICRO INT64_C(1000)
#define NANOS_PER_MILLI INT64_C(1000000)
enum { TIME_TEXT_MAX = 40 };

// RFC 3339 in UTC with as many of nine fraction digits as are needed, in groups of three; returns
// the length written.
int time_format(char text[TIME_TEXT_MAX], nanos t);

// Reads RFC 3339 (date alone, or date and time, with or without fraction and zone), seconds since
// 1970 with or without fraction, and "now", "now-1h", "now+5m" relative to `now`. False when the
// text is none of them.
bool time_parse(bytes text, nanos now, nanos *t);

// Reads "250ms", "10s", "5m", "1h", "2d", "1w", "3us", "7ns"; a bare number is seconds. False when
// it is none, or too large.
bool duration_parse(bytes text, nanos *d);
