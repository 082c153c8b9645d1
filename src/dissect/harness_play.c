#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "dissect/harness_inside.h"

// ---- results ------------------------------------------------------------------------------------

size_t harness_count(const struct harness *h)
{
    return h->d.line_count;
}

const char *harness_line(const struct harness *h, size_t index)
{
    return index < h->d.line_count ? h->d.lines[index].text : "";
}

const char *harness_text(struct harness *h)
{
    text_clear(&h->d.joined);
    text_add(&h->d.joined, "");
    for (size_t i = 0; i < h->d.line_count; i++)
        text_format(&h->d.joined, "%s\n", h->d.lines[i].text);
    return h->d.joined.p ? h->d.joined.p : "";
}

const char *harness_value(const struct harness *h, size_t index, const char *field)
{
    if (index >= h->d.line_count || !h->d.lines[index].kind) return NULL;
    struct line *line = &h->d.lines[index];
    int number = kind_field(line->kind, bytes_text(field));
    assert(number >= 0); // the kind has no such field
    char *value = line->values[number];
    if (!value || value[0] != '"') return value;
    value[strlen(value) - 1] = '\0'; // the quotes stand in the line, not here
    memmove(value, value + 1, strlen(value));
    return value;
}

size_t harness_count_of(const struct harness *h, const char *word)
{
    size_t count = 0, n = strlen(word);
    for (size_t i = 0; i < h->d.line_count; i++) {
        const char *text = h->d.lines[i].text;
        count += strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\0');
    }
    return count;
}

bytes harness_body(const struct harness *h, size_t index)
{
    if (index >= h->d.body_count) return bytes_of(NULL, 0);
    return bytes_of(h->d.bodies[index].data.p, h->d.bodies[index].data.n);
}

bool harness_stopped(const struct harness *h, uint8_t side)
{
    return h->d.directions[side].stopped;
}

bool harness_not_mine(const struct harness *h)
{
    return h->d.not_mine;
}

bytes harness_unread(const struct harness *h, uint8_t side)
{
    return bytes_of(h->d.directions[side].unread.p, h->d.directions[side].unread.n);
}

// ---- whole conversations ------------------------------------------------------------------------

struct player {
    struct harness *h;
    size_t segment_max, cut_at;
    size_t fed; // bytes of data so far
};

static void play_datagram(struct player *p, const struct harness_step *step)
{
    harness_datagram(p->h, step->side, step->data);
}

static void play_data(struct player *p, const struct harness_step *step)
{
    bytes rest = step->data;
    while (rest.n) {
        size_t n = rest.n;
        if (p->segment_max && n > p->segment_max) n = p->segment_max;
        if (p->cut_at > p->fed && n > p->cut_at - p->fed) n = p->cut_at - p->fed;
        harness_stream(p->h, step->side, bytes_first(rest, n));
        rest = bytes_after(rest, n);
        p->fed += n;
    }
}

static void play_step(struct player *p, enum transport transport, const struct harness_step *step)
{
    if (step->time) harness_time(p->h, step->time);
    switch (step->what) {
    case HARNESS_DATA:
        if (transport == TRANSPORT_UDP) play_datagram(p, step);
        else play_data(p, step);
        break;
    case HARNESS_GAP:
        harness_gap(p->h, step->side, step->length);
        break;
    case HARNESS_LAST:
        harness_last(p->h, step->side);
        break;
    case HARNESS_CLOSE:
        harness_close(p->h, step->side);
        break;
    }
}

char *harness_play(const struct dissector *dissector, enum transport transport,
                   const struct harness_step *steps, size_t step_count, size_t segment_max,
                   size_t cut_at)
{
    struct player p = {harness_create(dissector, transport), segment_max, cut_at, 0};
    for (size_t i = 0; i < step_count; i++) play_step(&p, transport, &steps[i]);
    harness_end(p.h);
    char *copy = text_copy(harness_text(p.h));
    harness_destroy(p.h);
    return copy;
}

static void play_compare(const struct dissector *dissector, const struct harness_step *steps,
                         size_t step_count, size_t segment_max, size_t cut_at, const char *whole)
{
    char *cut = harness_play(dissector, TRANSPORT_TCP, steps, step_count, segment_max, cut_at);
    if (strcmp(whole, cut) != 0) {
        fprintf(stderr, "whole:\n%ssegments of %zu, cut at %zu:\n%s", whole, segment_max, cut_at,
                cut);
        abort();
    }
    memory_free(cut);
}

char *harness_play_cuts(const struct dissector *dissector, const struct harness_step *steps,
                        size_t step_count)
{
    static const size_t SEGMENTS[] = {1, 2, 3, 7, 1460};
    size_t total = 0;
    for (size_t i = 0; i < step_count; i++)
        total += steps[i].what == HARNESS_DATA ? steps[i].data.n : 0;
    char *whole = harness_play(dissector, TRANSPORT_TCP, steps, step_count, 0, 0);
    for (size_t i = 0; i < sizeof SEGMENTS / sizeof *SEGMENTS; i++) {
        // Byte by byte each call copies all that is unread: keep that to a few million bytes.
        if (total / SEGMENTS[i] > 20000) continue;
        play_compare(dissector, steps, step_count, SEGMENTS[i], 0, whole);
    }
    size_t step = total / CUTS_MAX + 1;
    for (size_t at = 1; at < total; at += step)
        play_compare(dissector, steps, step_count, 0, at, whole);
    return whole;
}
