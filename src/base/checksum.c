#include "base/checksum.h"

// The sum of words read in the machine's byte order is the sum with its bytes exchanged (RFC 1071
// section 2), so any width may be added and the bytes be put right once.
uint16_t internet_sum(uint64_t sum, bytes b)
{
    uint64_t native = 0;
    for (; b.n >= 4; b = bytes_after(b, 4)) {
        uint32_t word;
        memcpy(&word, b.p, sizeof word);
        native += word;
    }
    struct reader r = reader_of(b);
    if (b.n >= 2) sum += read_be16(&r);
    if (b.n & 1) sum += (uint64_t)read_u8(&r) << 8;
    while (native >> 16) native = (native & 0xffff) + (native >> 16);
    sum += __builtin_bswap16((uint16_t)native);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}
