#include "base/glyph.h"

struct range {
    uint32_t first, last;
};

static bool is_within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

// Unicode Standard Annex 11, the blocks that matter.
static unsigned character_width(uint32_t c)
{
    static const struct range none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                        {0x610, 0x61a},   {0x64b, 0x65f},   {0x200b, 0x200f},
                                        {0x202a, 0x202e}, {0x2060, 0x206f}, {0x20d0, 0x20ff},
                                        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
    static const struct range two[] = {{0x1100, 0x115f},  {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},  {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                       {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
                                       {0x20000, 0x3fffd}};
    if (c < 0x300) return 1;
    if (is_within(none, sizeof none / sizeof *none, c)) return 0;
    return is_within(two, sizeof two / sizeof *two, c) ? 2 : 1;
}

static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

struct glyph glyph_next(bytes *text)
{
    static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint8_t first = text->p[0];
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (more >= text->n) more = 0;
    uint32_t c = first & (more || first < 0x80 ? masks[more] : 0xff);
    for (size_t i = 1; i <= more; i++) c = c << 6 | (text->p[i] & 0x3f);
    struct glyph g = {.as = bytes_first(*text, more + 1), .unsafe = is_unsafe(c)};
    g.width = g.unsafe ? 4 * (unsigned)g.as.n : character_width(c);
    *text = bytes_after(*text, more + 1);
    return g;
}

void glyph_put(struct text *t, const struct glyph *g)
{
    if (!g->unsafe) {
        text_put(t, g->as);
        return;
    }
    for (size_t i = 0; i < g->as.n; i++) text_format(t, "\\x%02x", g->as.p[i]);
}

unsigned glyph_columns(bytes text)
{
    unsigned width = 0;
    while (text.n) width += glyph_next(&text).width;
    return width;
}
