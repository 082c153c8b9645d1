// What the driver makes of streams that become something else in their midst.
#include "dissect/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "record/kinds.h"

enum { HELLO_MAX = 64, DISSECTIONS = 4, STREAMS = 4 };

struct fixture {
    struct blocks blocks;
    struct streams *streams;
    struct dissect_stage *stage;
    struct record_writer *writer;
    struct conversation c;
    uint32_t next[2];
    uint64_t records;
};

static struct stream_consumed show(void *context, void *owner, const struct stream_view *view)
{
    return dissect_view(((struct fixture *)context)->stage, owner, view);
}

static bool gap(void *context, void *owner, uint8_t side, uint64_t position, uint64_t length,
                enum gap_kind kind)
{
    (void)kind;
    return dissect_lost(((struct fixture *)context)->stage, owner, side, position, length);
}

static void take(void *context, const struct record_batch *batch)
{
    ((struct fixture *)context)->records += batch->rows;
}

static void fixture_init(struct fixture *f)
{
    static const struct record_kind *kinds[64];
    uint32_t count = 0;
    kinds[count++] = &anomaly_kind;
    for (uint32_t i = 0; i < dissector_count; i++)
        for (unsigned k = 0; k < 4 && dissectors[i]->kinds[k]; k++)
            kinds[count++] = dissectors[i]->kinds[k];
    *f = (struct fixture){.next = {1000, 2000}};
    f->c.key.proto = 6;
    assert_true(blocks_init(&f->blocks, 64u << 20, NULL));
    f->writer = writer_create(kinds, count, (struct record_sink){f, take});
    f->streams =
        streams_create(STREAMS, &f->blocks,
                       (struct stream_hooks){f, show, gap, NULL, NULL, NULL, NULL, NULL}, NULL);
    f->stage =
        dissect_stage_create(DISSECTIONS, &f->blocks, f->writer, (struct body_hooks){0}, NULL);
    dissect_stage_streams(f->stage, f->streams);
    f->c.stream = stream_open(f->streams, 0);
}

static void say(struct fixture *f, uint8_t side, bytes payload)
{
    struct packet p = {.data = payload.p,
                       .side = side,
                       .tcp_seq = f->next[side],
                       .tcp_flags = TCP_ACK,
                       .has_transport = true,
                       .payload_captured = (uint32_t)payload.n,
                       .payload_length = (uint32_t)payload.n};
    f->next[side] += (uint32_t)payload.n;
    stream_packet(f->streams, f->c.stream, &f->c, &p);
}

// RFC 5246 section 7.4.1.
static bytes hello(uint8_t type)
{
    static uint8_t memory[HELLO_MAX];
    static const uint8_t client[] = {0, 2, 0, 47, 1, 0}, server[] = {0, 47, 0};
    bytes suites = type == 1 ? bytes_of(client, sizeof client) : bytes_of(server, sizeof server);
    uint8_t length = (uint8_t)(2 + 33 + suites.n);
    const uint8_t head[] = {22, 3, 1, 0, length + 4, type, 0, 0, length, 3, 3};
    struct buf b = buf_on(memory, sizeof memory);
    buf_put(&b, bytes_of(head, sizeof head));
    for (unsigned i = 0; i < 33; i++) buf_u8(&b, 0);
    buf_put(&b, suites);
    return buf_bytes(&b);
}

static void fixture_end(struct fixture *f, const char *service, uint64_t both_recorded)
{
    uint64_t missed[2];
    stream_close(f->streams, f->c.stream, &f->c, missed);
    dissect_close(f->stage, &f->c);
    writer_flush(f->writer);
    assert_non_null(f->c.services[0]);
    assert_string_equal(f->c.services[0], service);
    assert_int_equal(f->records, both_recorded);
    dissect_stage_destroy(f->stage);
    streams_destroy(f->streams);
    writer_destroy(f->writer);
    blocks_deinit(&f->blocks);
}

// The client's line is short enough that more is wanted before it is clear what it is not.
static void finds_tls_behind_a_line(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    say(&f, 0, bytes_text("STARTTLS\r\n"));
    say(&f, 1, bytes_text("220 2.0.0 Ready to start TLS\r\n"));
    say(&f, 0, hello(1));
    say(&f, 1, hello(2));
    fixture_end(&f, "tls", 1);
}

// The server's one byte still waits when the client's hello tells what the conversation is; it is
// no part of TLS.
static void leaves_what_was_before(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    say(&f, 0, bytes_of("\0\0\0\010\004\322\026\057", 8));
    say(&f, 1, bytes_text("S"));
    say(&f, 0, hello(1));
    say(&f, 1, hello(2));
    fixture_end(&f, "tls", 1);
}

// A proxy of no kind that is known answers in two pieces, each too short to tell what it is not.
static void leaves_pieces_one_by_one(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    say(&f, 0, bytes_of("\7\1\0", 3));
    say(&f, 1, bytes_of("\7\0", 2));
    say(&f, 0, bytes_of("\7\1\0\1\300\0\2\1\1\273", 10));
    say(&f, 1, bytes_of("\7\0\0\1\0\0\0\0\1\273", 10));
    say(&f, 0, hello(1));
    say(&f, 1, hello(2));
    fixture_end(&f, "tls", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_tls_behind_a_line),
        cmocka_unit_test(leaves_what_was_before),
        cmocka_unit_test(leaves_pieces_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
