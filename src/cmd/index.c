// The index for weir search: made when captures are read, or later.
#include "cmd/cmd.h"
#include "engine/indexing.h"
#include "store/case.h"

// How large it is, since that is what it costs.
static void tell(const struct ngrams_size *made)
{
    if (!made->stretches) return;
    fprintf(stderr,
            "weir: the index takes %.1f kB, %.2f %% of %.1f kB of payload; %llu of %llu stretches "
            "have no filter and are always looked at\n",
            (double)made->index / 1e3,
            made->payload ? 100.0 * (double)made->index / (double)made->payload : 0,
            (double)made->payload / 1e3, (unsigned long long)made->unfiltered,
            (unsigned long long)made->stretches);
}

bool index_make(struct case_reader *reader, const char *path, struct err *err)
{
    struct ngrams_size made;
    if (!case_path(reader))
        return err_set(err, ERR_USAGE, "%s is no case: read it into one first", path);
    if (!indexing(reader, &made, err)) return false;
    tell(&made);
    return true;
}
