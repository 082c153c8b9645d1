// Any bytes as a conversation of one dissector: -DDISSECTOR names it, and one target is made for
// each in the list of src/dissect/meson.build.
//
// The first byte chooses the transport and how finely a stream is cut; then come steps: a byte that
// says what and on which side, a length, and so many bytes. A stream is played whole and cut, and
// both must tell the same.
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "dissect/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct dissector DISSECTOR;

// The harness remembers at most so many segments and lines; a byte makes at most one of each.
enum { INPUT_MAX = 4096, STEPS_MAX = 64 };

// What a step's first byte says: its lowest bit is the side.
enum { STEP_GAP = 0x80, STEP_LAST = 0x40, STEP_CLOSE = 0x20, STEP_CUT = 0x10, STEP_LATER = 0x08 };

struct steps {
    struct harness_step step[STEPS_MAX];
    uint8_t head[STEPS_MAX];
    size_t count;
};

static enum harness_what what_of(uint8_t head)
{
    if (head & STEP_GAP) return HARNESS_GAP;
    if (head & STEP_LAST) return HARNESS_LAST;
    return head & STEP_CLOSE ? HARNESS_CLOSE : HARNESS_DATA;
}

static void steps_read(struct steps *steps, struct reader *r)
{
    nanos time = NANOS_PER_SECOND;
    bool ended[2] = {false, false};
    while (reader_left(r) && steps->count < STEPS_MAX) {
        uint8_t head = read_u8(r);
        struct harness_step step = {.what = what_of(head), .side = head & 1};
        size_t length = step.what == HARNESS_DATA || step.what == HARNESS_GAP ? read_be16(r) : 0;
        if (step.what == HARNESS_GAP) step.length = length + 1;
        else step.data = read_bytes(r, length < reader_left(r) ? length : reader_left(r));
        if (head & STEP_LATER) time += NANOS_PER_SECOND;
        step.time = time;
        if (ended[step.side]) continue;
        ended[step.side] = step.what == HARNESS_LAST || step.what == HARNESS_CLOSE;
        steps->head[steps->count] = head;
        steps->step[steps->count++] = step;
    }
}

static void play_datagrams(const struct steps *steps)
{
    struct harness *h = harness_create(&DISSECTOR, TRANSPORT_UDP);
    for (size_t i = 0; i < steps->count; i++) {
        const struct harness_step *step = &steps->step[i];
        uint32_t cut = steps->head[i] & STEP_CUT ? 100 : 0;
        harness_time(h, step->time);
        harness_datagram_cut(h, step->side, step->data, (uint32_t)step->data.n + cut);
    }
    harness_end(h);
    harness_destroy(h);
}

static void play_stream(const struct steps *steps, size_t segment_max)
{
    char *whole = harness_play(&DISSECTOR, TRANSPORT_TCP, steps->step, steps->count, 0, 0);
    char *cut = harness_play(&DISSECTOR, TRANSPORT_TCP, steps->step, steps->count, segment_max, 0);
    assert(strcmp(whole, cut) == 0);
    memory_free(whole);
    memory_free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) return 0;
    struct reader r = reader_of(bytes_of(data, size));
    uint8_t head = read_u8(&r);
    static struct steps steps;
    steps.count = 0;
    steps_read(&steps, &r);
    if (!steps.count) return 0;
    enum transport transport = head & 1 ? TRANSPORT_UDP : TRANSPORT_TCP;
    if (!(DISSECTOR.transports & transport)) return 0;
    harness_recognise(&DISSECTOR, transport, steps.step[0].data);
    if (transport == TRANSPORT_UDP) play_datagrams(&steps);
    else play_stream(&steps, 1 + (head >> 1));
    return 0;
}
