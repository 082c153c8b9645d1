#include "base/packing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { PIECES = 200, PIECE_SIZE = 1200, ROOM = 2048 };

// Pieces that resemble one another: text with numbers in it, and zeros.
static void piece_make(uint8_t piece[PIECE_SIZE], unsigned number)
{
    memset(piece, 0, PIECE_SIZE);
    int n = snprintf((char *)piece + 400, 400, "GET /articles/%08x/index.html?page=%u from %08x",
                     number * 2654435761u, number, number * 40503u);
    piece[n] = (uint8_t)number;
}

static void what_went_in_comes_back(void **state)
{
    (void)state;
    static uint8_t packed[PIECES][ROOM], piece[PIECE_SIZE], back[PIECE_SIZE];
    size_t sizes[PIECES];
    struct packing *p = packing_create();
    assert_non_null(p);
    for (unsigned i = 0; i < PIECES; i++) {
        piece_make(piece, i);
        sizes[i] = packing_pack(p, bytes_of(piece, PIECE_SIZE), packed[i], ROOM);
        assert_true(sizes[i] > 0);
    }
    // Those packed before the sample was whole come back as well as those behind it.
    for (unsigned i = PIECES; i-- > 0;) {
        piece_make(piece, i);
        assert_true(packing_unpack(p, bytes_of(packed[i], sizes[i]), back, PIECE_SIZE));
        assert_memory_equal(back, piece, PIECE_SIZE);
    }
    assert_true(sizes[PIECES - 1] < sizes[0]);
    assert_true(sizes[PIECES - 1] < PIECE_SIZE / 10);
    packing_destroy(p);
}

static void what_is_no_packed_piece_is_refused(void **state)
{
    (void)state;
    static uint8_t piece[PIECE_SIZE], packed[ROOM], large[PACKING_PIECE_MAX + 1];
    struct packing *p = packing_create();
    piece_make(piece, 1);
    size_t n = packing_pack(p, bytes_of(piece, PIECE_SIZE), packed, ROOM);
    assert_false(packing_unpack(p, bytes_of(packed, n), piece, PIECE_SIZE - 1));
    assert_false(packing_unpack(p, bytes_of(packed, n - 1), piece, PIECE_SIZE));
    assert_false(packing_unpack(p, bytes_of(packed, 0), piece, PIECE_SIZE));
    packed[0] = 1; // there is no sample yet
    assert_false(packing_unpack(p, bytes_of(packed, n), piece, PIECE_SIZE));
    assert_int_equal(packing_pack(p, bytes_of(piece, PIECE_SIZE), packed, 8), 0);
    assert_int_equal(packing_pack(p, bytes_of(large, sizeof large), packed, ROOM), 0);
    packing_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_back),
        cmocka_unit_test(what_is_no_packed_piece_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
