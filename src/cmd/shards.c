// weir shards: how the conversations of captures spread (G13).
#include "base/memory.h"
#include "cmd/cmd.h"
#include "decode/decode.h"
#include "flow/table.h"
#include "source/source.h"

struct shards_options {
    uint64_t shards;
    const char *bpf;
};

static const struct option_row rows[] = {
    {'s', "shards", OPTION_COUNT, offsetof(struct shards_options, shards), "N",
     "how many [10]; 256 are those of the format", 1, SHARDS},
    {'f', "filter", OPTION_TEXT, offsetof(struct shards_options, bpf), "BPF",
     "only packets that match", 0, 0},
};

struct load {
    uint64_t packets, bytes;
};

static void load_add(struct load *load, uint64_t shards, const struct packet *p)
{
    if (p->class_ != PACKET_IP) return;
    load[p->shard % shards].packets += 1 + (uint64_t)p->frame_count - p->shared_count;
    if (!p->is_more) load[p->shard % shards].bytes += p->length;
}

static bool shards_count(const struct source_options *options, uint64_t shards, struct load *load,
                         struct err *err)
{
    struct source *source = source_open(options, err);
    if (!source) return false;
    struct packet_batch *batch = packet_batch_create();
    struct decoder *decoder = memory_get(sizeof *decoder);
    decoder_init(decoder);
    enum source_result result;
    while ((result = source_read(source, batch, err)) == SOURCE_PACKETS) {
        decode_batch(decoder, batch);
        for (uint32_t i = 0; i < batch->count; i++) load_add(load, shards, &batch->packets[i]);
        for (uint32_t i = 0; i < batch->more_count; i++)
            load_add(load, shards, &batch->more[i].packet);
        packet_batch_clear(batch);
    }
    decoder_deinit(decoder);
    memory_free(decoder);
    packet_batch_destroy(batch);
    source_close(source);
    return result == SOURCE_END;
}

static void shards_print(const struct load *load, uint64_t shards)
{
    enum { BAR = 50 };
    struct load top = {0}, sum = {0};
    for (uint64_t i = 0; i < shards; i++) {
        if (load[i].packets > top.packets) top.packets = load[i].packets;
        if (load[i].bytes > top.bytes) top.bytes = load[i].bytes;
        sum.packets += load[i].packets;
        sum.bytes += load[i].bytes;
    }
    for (int what = 0; what < 2; what++) {
        printf("%s, %llu in all\n", what ? "bytes" : "packets",
               (unsigned long long)(what ? sum.bytes : sum.packets));
        for (uint64_t i = 0; i < shards; i++) {
            uint64_t n = what ? load[i].bytes : load[i].packets,
                     most = what ? top.bytes : top.packets;
            int length = most ? (int)(n * BAR / most) : 0;
            printf("%5llu %14llu  ", (unsigned long long)i, (unsigned long long)n);
            for (int k = 0; k < length; k++) putchar('#');
            putchar('\n');
        }
    }
}

static int shards_run(int argc, char **argv)
{
    struct shards_options o = {.shards = 10};
    struct err err = {0};
    argc = options_parse(&shards_command, argc, argv, &o, &err);
    if (argc == 0) err_set(&err, ERR_USAGE, "name captures: weir shards FILE|DIR|-");
    if (argc <= 0) return command_fail(&err);
    struct load load[SHARDS] = {0};
    struct source_options source = {
        .paths = (const char *const *)argv, .path_count = (uint32_t)argc, .bpf = o.bpf};
    if (!shards_count(&source, o.shards, load, &err)) return command_fail(&err);
    shards_print(load, o.shards);
    return 0;
}

const struct command shards_command = {
    "shards", "FILE|DIR|- ... [-s N]",      "packets and bytes per shard",
    rows,     sizeof rows / sizeof rows[0], shards_run};
