#include "base/mac.h"

#include "base/text.h"

void mac_format(char text[MAC_TEXT_SIZE], uint64_t mac)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < MAC_SIZE; i++) {
        unsigned octet = mac >> 8 * (MAC_SIZE - 1 - i) & 0xff;
        text[3 * i] = digits[octet >> 4];
        text[3 * i + 1] = digits[octet & 15];
        text[3 * i + 2] = i < MAC_SIZE - 1 ? ':' : 0;
    }
}

bool mac_parse(bytes text, uint64_t *mac)
{
    *mac = 0;
    if (text.n != MAC_TEXT_SIZE - 1) return false;
    for (size_t i = 0; i < MAC_SIZE; i++) {
        int high = text_hex_value(text.p[3 * i]), low = text_hex_value(text.p[3 * i + 1]);
        if (high < 0 || low < 0) return false;
        bool is_last = i == MAC_SIZE - 1;
        if (!is_last && text.p[3 * i + 2] != ':' && text.p[3 * i + 2] != '-') return false;
        *mac = *mac << 8 | (uint64_t)(high << 4 | low);
    }
    return true;
}
