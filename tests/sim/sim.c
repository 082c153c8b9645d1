// Simulated traffic with known truth, through the whole engine.
//
//   sim [--count N] [--from SEED] [--seeds FILE]   N cases, and before them those of FILE
//   sim SEED                                       one case
//   sim --print SEED                               its frames, for a person
//   sim --write SEED FILE                          its frames as a capture
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trial.h"

enum { WRONG_SHOWN = 10, LINE_MAX = 256 };

struct sim {
    struct arena arena;
    struct scene scene;
    struct truth truth;
    uint64_t cases, wrong, frames, gaps, readings;
};

static void sim_make(struct sim *s, uint64_t seed)
{
    s->arena.used = 0;
    scene_make(&s->scene, &s->arena, seed);
    truth_make(&s->truth, &s->scene);
}

// How much there was to compare.
static void sim_count(struct sim *s)
{
    s->readings += s->truth.differences.count;
    for (uint32_t i = 0; i < s->scene.talk_count; i++) {
        const struct truth_talk *t = s->scene.talks[i].truth;
        s->readings += t->ambiguities.count;
        s->gaps += (t->side[0].missed_bytes != 0) + (t->side[1].missed_bytes != 0);
    }
}

static bool sim_case(struct sim *s, uint64_t seed, bool many_lanes)
{
    struct trial trial;
    sim_make(s, seed);
    s->cases++;
    s->frames += s->scene.frames.count;
    sim_count(s);
    if (trial_run(&trial, &s->truth, many_lanes)) return true;
    if (s->wrong++ < WRONG_SHOWN)
        printf("seed %" PRIu64 ": %s\n    alone: sim %" PRIu64 "; its frames: sim --print %" PRIu64
               "\n",
               seed, trial.wrong, seed, seed);
    return false;
}

// ---- for a person -------------------------------------------------------------------------------

static void print_tastes(const struct scene *s)
{
#define TASTE_PRINT(name)                                                                          \
    if (s->tastes.name) printf(" " #name);
    TASTES(TASTE_PRINT)
#undef TASTE_PRINT
    printf(" %s\n", s->policy);
}

static void print_flags(const struct message *m)
{
    static const char letters[] = "FSRPA";
    for (unsigned i = 0; i < 5; i++) putchar(m->flags >> i & 1 ? letters[i] : '.');
}

static void print_frame(const struct frame *f)
{
    const struct piece *p = f->piece;
    printf("%5u %+.6f", f->number, (double)(f->time % (NANOS_PER_SECOND * 100)) / 1e9);
    for (; p->of->carrier; p = p->of->inner)
        if (!p->whole)
            printf(" out#%u %u+%zu%s", p->of->identification, p->offset, p->data.n,
                   p->more ? ".." : "");
    const struct message *m = p->of->message;
    printf(" talk %u %c ", m->talk->number, m->side ? '<' : '>');
    if (m->talk->is_tcp) {
        print_flags(m);
        printf(" [%" PRId64 ", %" PRId64 ") ack %" PRId64, m->at, m->at + (int64_t)m->payload.n,
               m->ack_at);
    } else {
        printf("%zu bytes", m->payload.n);
    }
    if (m->differs) printf(" differs");
    if (!p->whole)
        printf(" in#%u %u+%zu%s", p->of->identification, p->offset, p->data.n, p->more ? ".." : "");
    if (f->captured < f->wire.n) printf(" cut by %zu", f->wire.n - f->captured);
    printf("\n");
}

static void print_case(const struct sim *s)
{
    print_tastes(&s->scene);
    for (uint32_t i = 0; i < s->scene.frames.count; i++) print_frame(s->scene.frames.items[i]);
}

static void write_u32(FILE *file, uint32_t v)
{
    fwrite(&v, sizeof v, 1, file);
}

// Classic format, nanoseconds.
static bool write_case(const struct sim *s, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    uint32_t head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1};
    fwrite(head, sizeof head, 1, file);
    for (uint32_t i = 0; i < s->scene.frames.count; i++) {
        const struct frame *f = s->scene.frames.items[i];
        write_u32(file, (uint32_t)(f->time / NANOS_PER_SECOND));
        write_u32(file, (uint32_t)(f->time % NANOS_PER_SECOND));
        write_u32(file, f->captured);
        write_u32(file, (uint32_t)f->wire.n);
        fwrite(f->wire.p, f->captured, 1, file);
    }
    return fclose(file) == 0;
}

// ---- many ---------------------------------------------------------------------------------------

static bool sim_seeds(struct sim *s, const char *path)
{
    char line[LINE_MAX];
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "sim: cannot open %s\n", path);
        return false;
    }
    while (fgets(line, sizeof line, file)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line) sim_case(s, seed, true);
    }
    fclose(file);
    return true;
}

static int sim_many(struct sim *s, uint64_t from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) sim_case(s, from + i, i % 8 == 0);
    printf("%" PRIu64 " cases, %" PRIu64 " frames, %" PRIu64 " directions with gaps, %" PRIu64
           " places with two readings: %" PRIu64 " wrong\n",
           s->cases, s->frames, s->gaps, s->readings, s->wrong);
    return s->wrong || !s->cases ? 1 : 0;
}

static int usage(void)
{
    fputs("usage: sim [--count N] [--from SEED] [--seeds FILE] | SEED | --print SEED | --write "
          "SEED FILE\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    static struct sim sim;
    struct sim *s = &sim;
    struct err err;
    s->arena.range = memory_reserve(ARENA_SIZE, &err);
    uint64_t from = 1, count = 10000;
    const char *seeds = NULL;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        const char *word = argv[i];
        if (more && !strcmp(word, "--count")) count = strtoull(argv[++i], NULL, 10);
        else if (more && !strcmp(word, "--from")) from = strtoull(argv[++i], NULL, 10);
        else if (more && !strcmp(word, "--seeds")) seeds = argv[++i];
        else if (more && !strcmp(word, "--print")) {
            sim_make(s, strtoull(argv[i + 1], NULL, 10));
            print_case(s);
            return 0;
        } else if (i + 2 < argc && !strcmp(word, "--write")) {
            sim_make(s, strtoull(argv[i + 1], NULL, 10));
            return write_case(s, argv[i + 2]) ? 0 : 4;
        } else if (word[0] >= '0' && word[0] <= '9') {
            bool fine = sim_case(s, strtoull(word, NULL, 10), true);
            if (fine) printf("equal\n");
            return fine ? 0 : 1;
        } else {
            return usage();
        }
    }
    if (seeds && !sim_seeds(s, seeds)) return 3;
    return sim_many(s, from, count);
}
