// Any bytes as an index of n-grams: it fits or it does not, and what is told of it is not read from
// elsewhere. And any bytes as a stretch: what stands in it is found.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/ngrams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_conversation(void *context, struct record_id id, bool may)
{
    (void)id;
    *(bool *)context = may;
}

static void take_group(void *context, uint64_t from, uint64_t to, bool may)
{
    (void)from;
    (void)to;
    *(bool *)context = may;
}

static void ask_whatever_it_is(bytes content)
{
    uint8_t name[SHA256_SIZE] = {0};
    bool may;
    struct ngrams_asking asking = {bytes_text("needle"), &may, take_conversation, take_group,
                                   take_conversation};
    struct reader r = reader_of(bytes_after(content, 8));
    bytes said = read_bytes(&r, SHA256_SIZE);
    if (said.n) memcpy(name, said.p, SHA256_SIZE);
    ngrams_ask_bytes(content, name, &asking);
}

static void find_what_is_there(bytes content)
{
    const uint8_t name[SHA256_SIZE] = {0};
    static char path[64];
    bool may = false;
    size_t length = content.p[0] % 80 + (size_t)1;
    bytes stretch = bytes_first(content, NGRAMS_CHUNK), needle = bytes_after(stretch, content.p[0]);
    struct ngrams_asking asking = {bytes_first(needle, length), &may, take_conversation, NULL,
                                   NULL};
    struct ngrams_size made;
    snprintf(path, sizeof path, "/tmp/weir-fuzz-ngrams-%ld", (long)getpid());
    struct ngrams_writer *w = ngrams_create(path, name, NULL);
    if (!w) return;
    ngrams_payload(w, stretch.n * 40);
    ngrams_conversation(w, (struct record_id){1, 2}, stretch);
    assert(ngrams_finish(w, &made, NULL));
    assert(ngrams_ask(path, name, &asking) == NGRAMS_FIT && may);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes content = bytes_of(data, size);
    ask_whatever_it_is(content);
    if (size && data[size - 1] % 16 == 0) find_what_is_there(content);
    return 0;
}
