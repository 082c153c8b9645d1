#include "source/capture_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

enum { SECOND = 1700000000, PATH_SIZE = 256 };

static struct readout readout;
static char folder[] = "/tmp/source_test_XXXXXX";

// Four packets of 20 bytes with values 1 to 4, a second and a microsecond apart.
// clang-format off
static const uint8_t tiny_gzip[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xbb, 0x72, 0x78, 0xd3, 0x42, 0x26,
    0x06, 0x16, 0x06, 0x18, 0xf8, 0xff, 0x9f, 0x81, 0x81, 0x11, 0xc4, 0xf8, 0x18, 0x9c, 0x0a, 0xa2,
    0x44, 0xa0, 0x98, 0x11, 0x1b, 0x00, 0xaa, 0x61, 0x44, 0x52, 0xc3, 0x84, 0x0d, 0x00, 0xd5, 0x30,
    0x21, 0xa9, 0x61, 0xc6, 0x06, 0x80, 0x6a, 0x98, 0x91, 0xd4, 0xb0, 0x60, 0x01, 0x00, 0x92, 0x04,
    0x4c, 0xf3, 0xa8, 0x00, 0x00, 0x00,
};
static const uint8_t tiny_zstd[] = {
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0xd5, 0x01, 0x00, 0x32, 0x02, 0x08, 0x0f, 0xf0, 0x39, 0x4b,
    0x59, 0x85, 0x40, 0x70, 0xa4, 0xd2, 0xd9, 0x63, 0xa4, 0x94, 0x29, 0x05, 0x12, 0x01, 0xf0, 0x22,
    0xfd, 0xd8, 0x76, 0x91, 0xda, 0xf6, 0xed, 0x5d, 0x8b, 0xc1, 0x0e, 0x33, 0x0b, 0x20, 0x20, 0x3b,
    0x0f, 0x26, 0x31, 0x0e, 0x20, 0xa0, 0x37, 0xe6, 0x80, 0x21, 0x65, 0xe7, 0x38, 0xa5, 0xac, 0x0e,
    0xbc, 0x30, 0x0e, 0xf9, 0x00, 0x19, 0xcb,
};
static const uint8_t tiny_lz4[] = {
    0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x4b, 0x00, 0x00, 0x00, 0x84, 0xd4, 0xc3, 0xb2, 0xa1,
    0x02, 0x00, 0x04, 0x00, 0x01, 0x00, 0x50, 0xff, 0xff, 0x00, 0x00, 0x01, 0x09, 0x00, 0x30, 0xf1,
    0x53, 0x65, 0x07, 0x00, 0x13, 0x14, 0x04, 0x00, 0x1f, 0x01, 0x01, 0x00, 0x01, 0x47, 0xf1, 0x53,
    0x65, 0x01, 0x24, 0x00, 0x1f, 0x02, 0x01, 0x00, 0x01, 0x47, 0xf1, 0x53, 0x65, 0x02, 0x24, 0x00,
    0x1f, 0x03, 0x01, 0x00, 0x01, 0x47, 0xf1, 0x53, 0x65, 0x03, 0x24, 0x00, 0x1a, 0x04, 0x01, 0x00,
    0x50, 0x04, 0x04, 0x04, 0x04, 0x04, 0x00, 0x00, 0x00, 0x00, 0x7d, 0x73, 0xaf, 0x4b,
};
// clang-format on

static int folder_setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/source_test_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_teardown(void **state)
{
    (void)state;
    return folder_remove(folder, NULL) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char paths[4][PATH_SIZE];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static void read_one(const char *path, const char *bpf)
{
    read_paths(&readout, &path, 1, bpf);
}

static void expect_error(const char *path, enum err_code code, const char *says)
{
    read_one(path, NULL);
    assert_false(readout.opened);
    assert_int_equal(readout.err.code, code);
    assert_non_null(strstr(readout.err.text, says));
    assert_non_null(strstr(readout.err.text, path));
}

static void reads_compressed_files(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bytes content;
    } files[] = {{"gzip", {tiny_gzip, sizeof tiny_gzip}},
                 {"zstd", {tiny_zstd, sizeof tiny_zstd}},
                 {"lz4", {tiny_lz4, sizeof tiny_lz4}}};
    for (unsigned k = 0; k < 3; k++) {
        file_put(folder, "c", files[k].content);
        read_one(path_of("c"), NULL);
        assert_int_equal(readout.count, 4);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(readout.packets[i].fill, i + 1);
            assert_false(readout.packets[i].damaged);
        }
        assert_string_equal(readout.info.compression, files[k].name);
        assert_int_equal(readout.info.file_bytes, files[k].content.n);
        assert_false(readout.info.truncated);
        uint8_t digest[SHA256_SIZE];
        sha256_of(files[k].content, digest);
        assert_true(readout.info.hashed);
        assert_memory_equal(readout.info.sha256, digest, SHA256_SIZE);
    }
}

// What was decompressed before the cut is read, and the cut is told wherever it lies.
static void tells_cut_compressed_files(void **state)
{
    (void)state;
    for (size_t n = 20; n < sizeof tiny_gzip; n++) {
        read_memory(&readout, bytes_of(tiny_gzip, n), NULL);
        if (!readout.opened) continue; // not even the magic number came out
        assert_true(readout.info.truncated);
        for (unsigned i = 0; i < readout.count; i++) {
            assert_int_equal(readout.packets[i].fill, i + 1);
        }
    }
}

// Three captures with overlapping times: the result is sorted by time, then by the order named.
static void merges_by_time(void **state)
{
    (void)state;
    enum { FILES = 3, EACH = 900 };
    char names[FILES][PATH_SIZE];
    const char *paths[FILES];
    uint32_t random = 7;
    for (unsigned k = 0; k < FILES; k++) {
        struct build *b = build_create(k & 1);
        pcap_put_header(b, 0xa1b2c3d4, 1);
        uint32_t micros = k * 500;
        for (unsigned i = 0; i < EACH; i++) {
            random = random * 1664525 + 1013904223;
            micros += random >> 30; // often equal
            pcap_put_packet(b, SECOND, micros, 60, 60, (uint8_t)(k + 1));
        }
        snprintf(names[k], PATH_SIZE, "%s/m%u", folder, k);
        paths[k] = names[k];
        file_put(folder, names[k] + strlen(folder) + 1, bytes_of(b->p, b->n));
        memory_free(b);
    }
    read_paths(&readout, paths, FILES, NULL);
    assert_int_equal(readout.captures, FILES);
    assert_int_equal(readout.count, FILES * EACH);
    uint64_t ordinals[FILES] = {0};
    for (unsigned i = 0; i < readout.count; i++) {
        const struct seen *p = &readout.packets[i], *before = i ? p - 1 : NULL;
        assert_int_equal(p->ordinal, ordinals[p->capture]++);
        assert_int_equal(p->fill, p->capture + 1);
        if (!before) continue;
        assert_true(before->time < p->time ||
                    (before->time == p->time && before->capture <= p->capture));
    }
}

// Many files that follow one another, named in any order, with few descriptors.
static void reads_rotated_files_one_after_another(void **state)
{
    (void)state;
    enum { FILES = 300 };
    assert_true(folder_make(path_of("rotated"), NULL));
    for (unsigned k = 0; k < FILES; k++) {
        struct build *b = build_create(false);
        pcap_put_header(b, 0xa1b2c3d4, 1);
        unsigned turn = k * 7 % FILES;
        for (unsigned i = 0; i < 3; i++) {
            pcap_put_packet(b, SECOND + turn, i, 20, 20, (uint8_t)turn);
        }
        char name[PATH_SIZE];
        snprintf(name, sizeof name, "rotated/%03u.pcap", k);
        file_put(folder, name, bytes_of(b->p, b->n));
        memory_free(b);
    }
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 24;
    setrlimit(RLIMIT_NOFILE, &few);
    read_one(path_of("rotated"), NULL);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(readout.captures, FILES);
    assert_int_equal(readout.count, FILES * 3);
    for (unsigned i = 0; i < readout.count; i++) {
        assert_int_equal(readout.packets[i].time / NANOS_PER_SECOND, SECOND + i / 3);
    }
}

// Folders: captures by content, below each other, each file once; what is none is passed over.
static void searches_folders(void **state)
{
    (void)state;
    bytes tiny = bytes_of(tiny_gzip, sizeof tiny_gzip);
    assert_true(folder_make(path_of("f"), NULL));
    assert_true(folder_make(path_of("f/below"), NULL));
    assert_true(folder_make(path_of("f/old.weir"), NULL));
    file_put(folder, "f/notes.txt", bytes_text("nothing of interest"));
    file_put(folder, "f/empty.pcap", (bytes){0});
    file_put(folder, "f/b.cap", tiny);
    file_put(folder, "f/below/a", tiny);
    file_put(folder, "f/old.weir/extent.pcapng", tiny);
    file_put(folder, "f/.hidden", tiny);
    assert_int_equal(link(path_of("f/b.cap"), path_of("f/c.cap")), 0);
    assert_int_equal(symlink("..", path_of("f/below/circle")), 0);
    const char *paths[] = {path_of("f"), path_of("f/b.cap")};
    read_paths(&readout, paths, 2, NULL);
    assert_true(readout.opened);
    assert_int_equal(readout.captures, 2);
    assert_int_equal(readout.count, 8);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    file_put(folder, "empty", (bytes){0});
    file_put(folder, "text", bytes_text("Dear reader, this is not a capture."));
    file_put(folder, "text.gz", bytes_of("\x1f\x8b\x08\x00 no deflate", 14));
    assert_true(folder_make(path_of("none"), NULL));
    file_put(folder, "none/text", bytes_text("Nor this."));
    expect_error(path_of("missing"), ERR_INPUT, "No such file");
    expect_error(path_of("empty"), ERR_INPUT, "is empty");
    expect_error(path_of("text"), ERR_INPUT, "not a capture");
    expect_error(path_of("text.gz"), ERR_INPUT, "not a capture");
    expect_error(path_of("none"), ERR_INPUT, "holds no capture");
    if (geteuid() == 0) return; // who may read everything
    chmod(path_of("text"), 0);
    expect_error(path_of("text"), ERR_MACHINE, "Permission denied");
}

static void reads_standard_input(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], tiny_lz4, sizeof tiny_lz4), sizeof tiny_lz4);
    close(ends[1]);
    int before = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    read_one("-", NULL);
    dup2(before, STDIN_FILENO);
    close(before);
    assert_int_equal(readout.count, 4);
    assert_true(readout.info.hashed);
}

// Filtered packets are counted and keep their ordinals; each link type has its own program.
static void filters(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    section_put(b, NULL);
    interface_put(b, 1, -1);
    interface_put(b, 101, -1);
    for (unsigned i = 0; i < 40; i++) enhanced_put(b, i % 2, i, 60 + i % 4, 60 + i % 4, 0x45);
    bytes content = bytes_of(b->p, b->n);
    read_memory(&readout, content, "len = 63");
    assert_int_equal(readout.count, 10);
    assert_int_equal(readout.packets[1].ordinal, 7);
    assert_int_equal(readout.info.packets, 40);
    assert_int_equal(readout.info.packets_filtered, 30);
    read_memory(&readout, content, "ip");
    assert_int_equal(readout.count, 20); // raw packets are IPv4, the frames are not
    assert_int_equal(readout.packets[0].link_type, 101);
    read_memory(&readout, content, "no filter");
    assert_false(readout.opened);
    assert_int_equal(readout.err.code, ERR_USAGE);
    assert_non_null(strstr(readout.err.text, "no filter"));
    memory_free(b);
}

// A file that is cut while it is read ends early and says so.
static void notices_shrinking(void **state)
{
    (void)state;
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < 2000; i++) pcap_put_packet(b, SECOND, i, 984, 984, 1);
    file_put(folder, "shrinks", bytes_of(b->p, b->n));
    const char *path = path_of("shrinks");
    struct source_options options = {.paths = &path, .path_count = 1};
    struct source *s = source_open(&options, NULL);
    assert_non_null(s);
    assert_int_equal(truncate(path, 24 + 1000 * 1000), 0); // at the end of a packet
    struct packet_batch *batch = packet_batch_create();
    uint32_t count = 0;
    while (source_read(s, batch, NULL) == SOURCE_PACKETS) {
        count += batch->count;
        packet_batch_clear(batch);
    }
    assert_int_equal(count, 1000);
    assert_true(source_capture(s, 0)->truncated);
    assert_int_equal(source_bytes_done(s), 24 + 1000 * 1000);
    packet_batch_destroy(batch);
    source_close(s);
    memory_free(b);
}

// Packets stay as they are as long as their batch does, even behind the end of the source.
static void keeps_packets_with_their_batch(void **state)
{
    (void)state;
    enum { BATCHES = 12 };
    struct build *b = build_create(false);
    pcap_put_header(b, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < BATCHES * PACKETS_MAX; i++) {
        pcap_put_packet(b, SECOND, i, 1000, 1000, (uint8_t)i);
    }
    struct source_options options = {.hash_captures = true};
    struct source *s = source_open_memory(bytes_of(b->p, b->n), &options, NULL);
    struct packet_batch *batches[BATCHES];
    for (unsigned k = 0; k < BATCHES; k++) {
        batches[k] = packet_batch_create();
        assert_int_equal(source_read(s, batches[k], NULL), SOURCE_PACKETS);
        assert_int_equal(batches[k]->count, PACKETS_MAX);
    }
    source_close(s); // before its end
    for (unsigned k = 0; k < BATCHES; k++) {
        for (unsigned i = 0; i < PACKETS_MAX; i++) {
            const struct packet *p = &batches[k]->packets[i];
            for (unsigned j = 0; j < p->captured; j++) assert_int_equal(p->data[j], (uint8_t)i);
        }
        packet_batch_destroy(batches[k]);
    }
    memory_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_compressed_files),
        cmocka_unit_test(tells_cut_compressed_files),
        cmocka_unit_test(merges_by_time),
        cmocka_unit_test(reads_rotated_files_one_after_another),
        cmocka_unit_test(searches_folders),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(reads_standard_input),
        cmocka_unit_test(filters),
        cmocka_unit_test(notices_shrinking),
        cmocka_unit_test(keeps_packets_with_their_batch),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
