// The Internet checksum (RFC 1071), of IP, TCP, UDP and ICMP.
#pragma once

#include "base/bytes.h"

// The sum of `b` on top of `sum`; 0xffff when it is right.
uint16_t internet_sum(uint64_t sum, bytes b);
