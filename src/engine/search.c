#include "engine/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/candidates.h"
#include "engine/named_artifacts.h"
#include "engine/replay.h"
#include "flow/flow.h"
#include "flow/references.h"
#include "store/case.h"

enum { LOOKED_UP_AT_ONCE = 256, READ_SIZE = 65536, FRAMES_AT_ONCE = 64 };

// The two directions of a conversation.
struct watched {
    uint32_t track[2];
};

struct run {
    struct case_reader *reader;
    const struct search_options *options;
    struct search_result *result;
    struct finder finder;
    struct pool watched;
    const char **captures; // of the reading at hand, by number: each one of result->paths
    uint32_t capture_count;
    struct candidates candidates;
    struct named_artifacts named;
    // What is searched just now.
    const struct conversation *conversation; // NULL: an artifact
    uint8_t side;
    size_t artifact; // the first of `named` that has it
};

// ---- matches ------------------------------------------------------------------------------------

static uint8_t copy_shown(uint8_t *to, size_t size, bytes from)
{
    bytes b = bytes_first(from, size);
    if (b.n) memcpy(to, b.p, b.n);
    return (uint8_t)b.n;
}

static void put_stream(const struct run *r, const struct found *found, struct match *m)
{
    const struct conversation *c = r->conversation;
    m->conversation = conversation_id(c);
    m->time = found->time;
    m->side = r->side;
    m->a = c->key.a;
    m->port_a = c->key.port_a;
    m->more_frames = found->more_frames;
    m->frames = memory_get(found->frame_count * sizeof *m->frames);
    m->frame_count = found->frame_count;
    for (uint32_t i = 0; i < found->frame_count; i++) {
        const struct packet_frame *f = &found->frames[i];
        const char *path = f->capture < r->capture_count ? r->captures[f->capture] : NULL;
        m->frames[i] = (struct match_frame){path ? path : "", f->ordinal + 1};
    }
}

static void put_artifact(const struct run *r, struct match *m)
{
    const struct named_artifact *named = &r->named.all[r->artifact];
    m->in_artifact = true;
    m->file_count = (uint32_t)named_artifacts_same(&r->named, r->artifact);
    memcpy(m->sha256, named->sha256, sizeof m->sha256);
    for (size_t i = 0; i < m->file_count && i < MATCH_FILES_MAX; i++) m->files[i] = named[i].file;
}

static void take_found(void *context, const struct found *found)
{
    struct run *r = context;
    struct match m = {.position = found->position, .length = found->text.n};
    m.shown_count = copy_shown(m.shown, sizeof m.shown, found->text);
    m.before_count = copy_shown(m.before, sizeof m.before, found->before);
    m.behind_count = copy_shown(m.behind, sizeof m.behind, found->behind);
    if (r->conversation) put_stream(r, found, &m);
    else put_artifact(r, &m);
    match_list_add(&r->result->list, &m);
}

// ---- streams ------------------------------------------------------------------------------------

static const char *keep_path(struct search_result *result, const char *path)
{
    for (size_t i = 0; i < result->path_count; i++)
        if (strcmp(result->paths[i], path) == 0) return result->paths[i];
    result->paths = memory_resize(result->paths, (result->path_count + 1) * sizeof(char *));
    return result->paths[result->path_count++] = text_copy(path);
}

// Captures are numbered anew in each reading.
static void note_packet(void *context, const struct packet *p, const char *path)
{
    struct run *r = context;
    if (p->capture >= r->capture_count) {
        size_t count = p->capture + (size_t)1;
        r->captures = memory_resize(r->captures, count * sizeof *r->captures);
        for (size_t i = r->capture_count; i < count; i++) r->captures[i] = NULL;
        r->capture_count = (uint32_t)count;
    }
    const char **at = &r->captures[p->capture];
    if (!*at || strcmp(*at, path) != 0) *at = keep_path(r->result, path);
}

static uint32_t watch_begin(void *context, const struct conversation *c)
{
    struct run *r = context;
    (void)c;
    return pool_take(&r->watched);
}

static void watch_piece(void *context, const struct conversation *c,
                        const struct stream_delivery *piece)
{
    struct run *r = context;
    struct watched none = {0}, *w = c->watched ? pool_at(&r->watched, c->watched) : &none;
    uint32_t *track = &w->track[piece->side];
    if (c->watched && !*track) *track = finder_open(&r->finder);
    if (!*track) {
        r->finder.cut++;
        return;
    }
    struct packet_frame frames[FRAMES_AT_ONCE];
    uint32_t n = 0;
    for (; n < piece->other_frame_count && n + 1 < FRAMES_AT_ONCE; n++)
        frames[n] = piece->other_frames[n];
    frames[n++] = piece->frame;
    r->conversation = c;
    r->side = piece->side;
    struct finder_piece of = {piece->data, piece->position, piece->time, frames, n};
    finder_add(&r->finder, *track, &of);
    // A datagram is a message of its own.
    if (c->key.proto != 6) finder_end(&r->finder, *track);
}

static void watch_end(void *context, const struct conversation *c)
{
    struct run *r = context;
    if (!c->watched) return;
    struct watched *w = pool_at(&r->watched, c->watched);
    r->conversation = c;
    for (uint8_t side = 0; side < 2; side++) {
        r->side = side;
        if (w->track[side]) finder_close(&r->finder, w->track[side]);
    }
    pool_give(&r->watched, c->watched);
}

// What cannot be searched is told with what was found elsewhere.
static void search_streams(struct run *r)
{
    const struct candidates *c = &r->candidates;
    struct replay_options replaying = {
        .which = {.ids = c->all ? NULL : c->ids, .id_count = c->count},
        .context = r,
        .begin = watch_begin,
        .end = watch_end,
        .watch = watch_piece,
        .packet = note_packet,
        .left_out = &r->result->left_out,
    };
    if (!c->all && !c->count) return;
    replay(r->reader, &replaying, &r->result->streams);
}

// ---- who spoke ----------------------------------------------------------------------------------

static void look_up(struct match *m, const struct record_batch *b, uint32_t row)
{
    const struct record_kind *k = b->kind;
    m->src_addr = batch_get_address(b, (unsigned)kind_field(k, bytes_text("src_addr")), row);
    m->dst_addr = batch_get_address(b, (unsigned)kind_field(k, bytes_text("dst_addr")), row);
    m->src_port = (uint16_t)batch_get(b, (unsigned)kind_field(k, bytes_text("src_port")), row);
    m->dst_port = (uint16_t)batch_get(b, (unsigned)kind_field(k, bytes_text("dst_port")), row);
    m->proto = batch_get(b, (unsigned)kind_field(k, bytes_text("proto")), row);
    bool a_began = address_equal(m->a, m->src_addr) && m->port_a == m->src_port;
    m->from_src = a_began == (m->side == 0);
}

static bool take_conversation(void *context, const struct record_batch *b)
{
    struct match_list *l = context;
    for (uint32_t row = 0; row < b->rows; row++) {
        struct record_id id = batch_get_id(b, 0, row);
        for (size_t i = 0; i < l->count && !l->matches[i].in_artifact; i++)
            if (record_id_equal(l->matches[i].conversation, id)) look_up(&l->matches[i], b, row);
    }
    return true;
}

// Puts the condition for some of the conversations that matches are in, from *at on, which moves
// on.
static void put_condition(const struct match_list *l, size_t *at, struct text *where)
{
    text_clear(where);
    for (unsigned n = 0; *at < l->count && n < LOOKED_UP_AT_ONCE; ++*at) {
        const struct match *m = &l->matches[*at];
        char one[CASE_ID_CONDITION_MAX];
        if (m->in_artifact) continue;
        if (*at && record_id_equal(m[-1].conversation, m->conversation)) continue;
        case_id_condition(one, "id", m->conversation);
        text_format(where, "%s(%s)", n++ ? " OR " : "", one);
    }
}

static bool look_up_conversations(struct run *r, struct err *err)
{
    struct match_list *l = &r->result->list;
    struct text where = {0};
    bool ok = true;
    for (size_t at = 0; ok && at < l->count;) {
        put_condition(l, &at, &where);
        struct case_scan scan = {&conversation_kind, CASE_ALL_FIELDS, where.p, take_conversation,
                                 l};
        if (where.n) ok = case_scan(r->reader, &scan, err);
    }
    text_deinit(&where);
    return ok;
}

// ---- artifacts ----------------------------------------------------------------------------------

static bool search_file(struct run *r, int file, uint32_t track, struct err *err)
{
    static uint8_t memory[READ_SIZE];
    struct finder_piece piece = {0};
    for (;;) {
        ssize_t n = read(file, memory, sizeof memory);
        if (n < 0) return err_system(err, errno, "cannot read an artifact");
        if (n == 0) return true;
        piece.data = bytes_of(memory, (size_t)n);
        finder_add(&r->finder, track, &piece);
        piece.position += (size_t)n;
    }
}

static bool search_artifact(struct run *r, struct err *err)
{
    char path[NAMED_PATH_MAX];
    const struct named_artifact *named = &r->named.all[r->artifact];
    int file = open(named_artifact_path(r->reader, named, path), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        r->result->absent++;
        return true;
    }
    uint32_t track = finder_open(&r->finder);
    bool ok = search_file(r, file, track, err);
    finder_close(&r->finder, track);
    close(file);
    return ok;
}

static bool search_artifacts(struct run *r, struct err *err)
{
    const struct search_options *o = r->options;
    bool ok = named_artifacts_load(&r->named, r->reader, o->ids, o->id_count, err);
    r->conversation = NULL;
    for (r->artifact = 0; ok && r->artifact < r->named.count;
         r->artifact += named_artifacts_same(&r->named, r->artifact)) {
        if (candidates_has_artifact(&r->candidates, r->named.all[r->artifact].sha256))
            ok = search_artifact(r, err);
    }
    return ok;
}

// ---- the run ------------------------------------------------------------------------------------

static bool count_rows(void *context, const struct record_batch *b)
{
    *(uint64_t *)context += b->rows;
    return true;
}

// Conversations of recordings whose packets are known: each has one first part of references.
static bool count_recorded(struct case_reader *reader, uint64_t *count, struct err *err)
{
    const struct catalogue *c = case_catalogue(reader);
    struct text where = {0};
    for (size_t i = 0; c && i < c->reading_count; i++)
        if (c->readings[i].is_recording)
            text_format(&where, "%s%llu", where.n ? ", " : "part = 0 AND reading IN (",
                        (unsigned long long)c->readings[i].seq);
    bool ok = true;
    if (where.n) {
        text_add(&where, ")");
        struct case_scan scan = {&packets_kind, 1u << PACKETS_PART, where.p, count_rows, count};
        ok = case_scan(reader, &scan, err);
    }
    text_deinit(&where);
    return ok;
}

// Conversations that were seen on interfaces, whose packets nobody kept.
static bool count_unkept(struct case_reader *reader, uint64_t *unkept, struct err *err)
{
    const struct catalogue *c = case_catalogue(reader);
    uint64_t rows = 0, recorded = 0;
    for (size_t i = 0; c && i < c->reading_count; i++) {
        const struct catalogue_reading *reading = &c->readings[i];
        if (!reading->tail || reading->replaced_by) continue;
        for (size_t n = 0; n < reading->segment_count; n++)
            if (strcmp(reading->segments[n].kind, conversation_kind.name) == 0)
                rows += reading->segments[n].rows;
    }
    bool ok = !rows || count_recorded(reader, &recorded, err);
    *unkept = rows > recorded ? rows - recorded : 0;
    return ok;
}

// Where to look: what an index leaves of what is asked for. Without one that is all of it.
static bool find_candidates(struct run *r, struct err *err)
{
    const struct search_options *o = r->options;
    bytes needle = o->scan ? bytes_of(NULL, 0) : needle_required(o->needle);
    if (!candidates_find(&r->candidates, r->reader, needle, err)) return false;
    if (o->ids) candidates_narrow(&r->candidates, o->ids, o->id_count);
    if (!case_rows(r->reader, &packets_kind)) candidates_narrow(&r->candidates, NULL, 0);
    r->result->unfit = r->candidates.unfit;
    return true;
}

bool search(struct case_reader *reader, const struct search_options *options,
            struct search_result *result, struct err *err)
{
    struct run r = {.reader = reader, .options = options, .result = result};
    *result = (struct search_result){.list = {.limit = options->limit}};
    bool ok = finder_init(&r.finder, options->needle, &r, take_found, err) &&
              pool_init(&r.watched, sizeof(struct watched), FINDER_TRACKS_MAX, err);
    ok = ok && find_candidates(&r, err);
    if (ok) search_streams(&r);
    ok = ok && search_artifacts(&r, err);
    match_list_order(&result->list);
    ok = ok && look_up_conversations(&r, err) && count_unkept(reader, &result->unkept, err);
    result->given_up = r.finder.given_up;
    result->cut = r.finder.cut;
    finder_deinit(&r.finder);
    pool_deinit(&r.watched);
    memory_free(r.captures);
    named_artifacts_deinit(&r.named);
    candidates_deinit(&r.candidates);
    return ok;
}

void search_result_deinit(struct search_result *r)
{
    match_list_deinit(&r->list);
    for (size_t i = 0; i < r->path_count; i++) memory_free(r->paths[i]);
    memory_free(r->paths);
}
