// What it costs to fetch packets out of a case: names of frames (from 1) on standard input, in
// their order, all of the first capture of the case's last reading.
//
//     fetch CASE < frames      prints how many packets, and the CPU milliseconds from opening the
//                              capture to the last of them
#include <stdio.h>
#include <time.h>

#include "engine/catalogue.h"
#include "engine/evidence.h"
#include "store/case.h"

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool fetch_all(struct evidence *e, uint64_t *count, struct err *err)
{
    unsigned long long frame;
    struct packet p;
    for (; scanf("%llu", &frame) == 1 && frame; ++*count)
        if (!fetch_next(evidence_fetch(e), frame - 1, &p, err)) return false;
    return true;
}

static bool run(const char *path, struct err *err)
{
    uint32_t kind_count;
    const struct record_kind *const *kinds = catalogue(&kind_count);
    struct case_reader *reader = case_open(path, kinds, kind_count, err);
    const struct catalogue_reading *last = NULL;
    if (!reader) return false;
    for (const struct catalogue_reading *r = NULL; (r = catalogue_next(case_catalogue(reader), r));)
        last = r;
    if (!last) return err_set(err, ERR_INPUT, "%s has no reading", path);
    const struct evidence_of of = {last->seq, 0, last->captures[0].path, last->captures[0].bytes};
    double began = cpu_ms();
    uint64_t count = 0;
    struct evidence *e = evidence_open(reader, &of, err);
    bool fine = e && fetch_all(e, &count, err);
    if (fine) printf("%llu %.3f\n", (unsigned long long)count, cpu_ms() - began);
    evidence_close(e);
    case_close(reader);
    return fine;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc == 2 && run(argv[1], &err)) return 0;
    fprintf(stderr, "%s\n", argc == 2 ? err.text : "fetch CASE < frames");
    return 1;
}
