#include "record/capture.h"

#include "base/buf.h"
#include "base/memory.h"

enum { ROOM_FIRST = 64, VARINT_MAX = 10, POINT_SIZE_MIN = 3, DESCRIPTION_SIZE_MIN = 1 };

void capture_map_deinit(struct capture_map *m)
{
    memory_free(m->points);
    memory_free(m->descriptions);
    *m = (struct capture_map){0};
}

void capture_map_add(struct capture_map *m, struct capture_point point)
{
    if (m->full || m->point_count == CAPTURE_POINTS_MAX) return;
    if (m->point_count == m->point_room) {
        m->point_room = m->point_room ? 2 * m->point_room : ROOM_FIRST;
        m->points = memory_resize(m->points, m->point_room * sizeof *m->points);
    }
    m->points[m->point_count++] = point;
}

// No point may come after a description that is not noted.
void capture_map_describe(struct capture_map *m, uint64_t offset)
{
    m->full |= m->description_count == CAPTURE_DESCRIPTIONS_MAX;
    if (m->full) return;
    if (m->description_count == m->description_room) {
        m->description_room = m->description_room ? 2 * m->description_room : ROOM_FIRST;
        m->descriptions =
            memory_resize(m->descriptions, m->description_room * sizeof *m->descriptions);
    }
    m->descriptions[m->description_count++] = offset;
}

const struct capture_point *capture_map_find(const struct capture_map *m, uint64_t ordinal)
{
    uint32_t from = 0, to = m->point_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (m->points[middle].ordinal <= ordinal) from = middle + 1;
        else to = middle;
    }
    return from ? &m->points[from - 1] : NULL;
}

uint32_t capture_map_description(const struct capture_map *m, uint64_t offset)
{
    uint32_t from = 0, to = m->description_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (m->descriptions[middle] < offset) from = middle + 1;
        else to = middle;
    }
    return from;
}

// ---- as bytes -----------------------------------------------------------------------------------

static void put_varint(struct text *to, uint64_t v)
{
    uint8_t memory[VARINT_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    buf_varint(&b, v);
    text_put(to, buf_bytes(&b));
}

void capture_map_put(const struct capture_map *m, struct text *to)
{
    struct capture_point before = {0};
    uint64_t offset = 0;
    put_varint(to, m->description_count);
    for (uint32_t i = 0; i < m->description_count; i++) {
        put_varint(to, m->descriptions[i] - offset);
        offset = m->descriptions[i];
    }
    put_varint(to, m->point_count);
    for (uint32_t i = 0; i < m->point_count; i++) {
        const struct capture_point *p = &m->points[i];
        put_varint(to, p->ordinal - before.ordinal);
        put_varint(to, p->offset - before.offset);
        put_varint(to, p->state);
        before = *p;
    }
}

// A count of things that take so much each; what cannot all be there is none.
static uint32_t read_count(struct reader *r, uint32_t max, size_t size_min)
{
    uint64_t n = read_varint(r);
    if (n > max || n > reader_left(r) / size_min) r->bad = true;
    return r->bad ? 0 : (uint32_t)n;
}

// A sum that rises; `bad` when it overflows.
static uint64_t read_rising(struct reader *r, uint64_t before)
{
    uint64_t v;
    if (__builtin_add_overflow(before, read_varint(r), &v)) r->bad = true;
    return v;
}

bool capture_map_read(struct capture_map *m, struct reader *r)
{
    struct capture_point p = {0};
    uint64_t offset = 0;
    *m = (struct capture_map){0};
    uint32_t n = read_count(r, CAPTURE_DESCRIPTIONS_MAX, DESCRIPTION_SIZE_MIN);
    for (uint32_t i = 0; i < n; i++) {
        offset = read_rising(r, offset);
        capture_map_describe(m, offset);
    }
    n = read_count(r, CAPTURE_POINTS_MAX, POINT_SIZE_MIN);
    for (uint32_t i = 0; i < n; i++) {
        p.ordinal = read_rising(r, p.ordinal);
        p.offset = read_rising(r, p.offset);
        p.state = read_varint(r);
        capture_map_add(m, p);
    }
    if (r->bad) capture_map_deinit(m);
    return !r->bad;
}
