#include "base/nearest.h"

#include <ctype.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int letter(bytes word, unsigned i)
{
    return tolower(word.p[i]);
}

unsigned word_distance(bytes a, bytes b)
{
    unsigned rows[3][NEAREST_WORD_MAX + 1];
    a = bytes_first(a, NEAREST_WORD_MAX);
    b = bytes_first(b, NEAREST_WORD_MAX);
    for (unsigned j = 0; j <= b.n; j++) rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            bool same = letter(a, i - 1) == letter(b, j - 1);
            row[j] = least(least(before[j], row[j - 1]) + 1, before[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && letter(a, i - 1) == letter(b, j - 2) &&
                           letter(a, i - 2) == letter(b, j - 1);
            if (swapped) row[j] = least(row[j], earlier[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}
