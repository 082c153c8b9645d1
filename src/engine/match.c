#include "engine/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LIST_SLACK = 1024 };

// ---- the list -----------------------------------------------------------------------------------

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_streams(const struct match *a, const struct match *b)
{
    int ids = record_id_compare(a->conversation, b->conversation);
    if (ids) return ids;
    if (a->side != b->side) return compare(a->side, b->side);
    return compare(a->position, b->position);
}

static int compare_matches(const void *x, const void *y)
{
    const struct match *a = x, *b = y;
    if (a->in_artifact != b->in_artifact) return a->in_artifact ? 1 : -1;
    if (!a->in_artifact) return compare_streams(a, b);
    int hashes = memcmp(a->sha256, b->sha256, sizeof a->sha256);
    return hashes ? hashes : compare(a->position, b->position);
}

void match_list_order(struct match_list *l)
{
    if (l->count) qsort(l->matches, l->count, sizeof *l->matches, compare_matches);
    for (; l->count > l->limit; l->count--) memory_free(l->matches[l->count - 1].frames);
}

void match_list_add(struct match_list *l, const struct match *match)
{
    l->total++;
    if (l->count == l->room) {
        if (l->count >= l->limit + LIST_SLACK) match_list_order(l);
        if (l->count * 2 >= l->room) {
            l->room = l->room ? 2 * l->room : 64;
            l->matches = memory_resize(l->matches, l->room * sizeof *l->matches);
        }
    }
    l->matches[l->count++] = *match;
}

void match_list_deinit(struct match_list *l)
{
    for (size_t i = 0; i < l->count; i++) memory_free(l->matches[i].frames);
    memory_free(l->matches);
    *l = (struct match_list){0};
}

// ---- the kind -----------------------------------------------------------------------------------

enum match_field {
    MATCH_TS,
    MATCH_CONVERSATION_ID,
    MATCH_SRC_ADDR,
    MATCH_SRC_PORT,
    MATCH_DST_ADDR,
    MATCH_DST_PORT,
    MATCH_PROTO,
    MATCH_SIDE,
    MATCH_ARTIFACT,
    MATCH_FILE_IDS,
    MATCH_FILES,
    MATCH_POSITION,
    MATCH_LENGTH,
    MATCH_CAPTURES,
    MATCH_FRAMES,
    MATCH_MORE_FRAMES,
    MATCH_BEFORE,
    MATCH_TEXT,
    MATCH_BEHIND,
    MATCH_FIELDS,
};

// clang-format off
static const struct field match_fields[MATCH_FIELDS] = {
    {"ts", FIELD_TIME, NULL, "Time of the packet that brought its first byte", NULL, NULL, 0},
    {"conversation_id", FIELD_ID, NULL, "The conversation it stands in", NULL, NULL, 0},
    {"src_addr", FIELD_ADDRESS, NULL, "Address of who began", NULL, NULL, 0},
    {"src_port", FIELD_UINT, NULL, "Port of who began", NULL, NULL, 0},
    {"dst_addr", FIELD_ADDRESS, NULL, "Address of who answered", NULL, NULL, 0},
    {"dst_port", FIELD_UINT, NULL, "Port of who answered", NULL, NULL, 0},
    {"proto", FIELD_UINT, NULL, "IP protocol number", NULL, NULL, 0},
    {"side", FIELD_TEXT, NULL, "Who sent it: src or dst", NULL, NULL, 0},
    {"artifact", FIELD_HASH, NULL, "The artifact it stands in", NULL, NULL, 0},
    {"file_ids", FIELD_TEXTS, NULL, "The first file records that name the artifact", NULL, NULL, 0},
    {"files", FIELD_UINT, NULL, "How many file records name it", NULL, NULL, 0},
    {"position", FIELD_UINT, "bytes",
     "Where it begins in the stream of that side, or in the artifact", NULL, NULL, 0},
    {"length", FIELD_UINT, "bytes", "How long it is", NULL, NULL, 0},
    {"captures", FIELD_TEXTS, NULL, "Captures with the packets that brought it, one for each of "
     "`frames`", NULL, NULL, 0},
    {"frames", FIELD_UINTS, NULL, "Numbers of these packets in their captures, from 1", NULL, NULL,
     0},
    {"more_frames", FIELD_BOOL, NULL, "Set when there are more of them than are named", NULL, NULL,
     0},
    {"before", FIELD_TEXT, NULL, "What stands before it", NULL, NULL, 0},
    {"text", FIELD_TEXT, NULL, "What it is, up to a bound", NULL, NULL, 0},
    {"behind", FIELD_TEXT, NULL, "What stands behind it", NULL, NULL, 0},
};
// clang-format on

const struct record_kind match_kind = {
    .name = "match",
    .help = "Where something that was looked for stands",
    .fields = match_fields,
    .field_count = MATCH_FIELDS,
};

static void row_stream(const struct match *m, struct row *row)
{
    row_time(row, MATCH_TS, m->time);
    row_id(row, MATCH_CONVERSATION_ID, m->conversation);
    row_address(row, MATCH_SRC_ADDR, m->src_addr);
    row_uint(row, MATCH_SRC_PORT, m->src_port);
    row_address(row, MATCH_DST_ADDR, m->dst_addr);
    row_uint(row, MATCH_DST_PORT, m->dst_port);
    row_uint(row, MATCH_PROTO, m->proto);
    row_text(row, MATCH_SIDE, bytes_text(m->from_src ? "src" : "dst"));
    for (uint32_t i = 0; i < m->frame_count; i++) {
        row_text(row, MATCH_CAPTURES, bytes_text(m->frames[i].path));
        row_uint(row, MATCH_FRAMES, m->frames[i].number);
    }
    if (m->more_frames) row_uint(row, MATCH_MORE_FRAMES, true);
}

static void row_artifact(const struct match *m, struct row *row)
{
    char id[RECORD_ID_TEXT_SIZE];
    row_hash(row, MATCH_ARTIFACT, bytes_of(m->sha256, sizeof m->sha256));
    for (uint32_t i = 0; i < m->file_count && i < MATCH_FILES_MAX; i++) {
        record_id_format(id, m->files[i]);
        row_text(row, MATCH_FILE_IDS, bytes_text(id));
    }
    row_uint(row, MATCH_FILES, m->file_count);
}

void match_row(const struct match *m, struct row *row)
{
    if (m->in_artifact) row_artifact(m, row);
    else row_stream(m, row);
    row_uint(row, MATCH_POSITION, m->position);
    row_uint(row, MATCH_LENGTH, m->length);
    row_text(row, MATCH_BEFORE, bytes_of(m->before, m->before_count));
    row_text(row, MATCH_TEXT, bytes_of(m->shown, m->shown_count));
    row_text(row, MATCH_BEHIND, bytes_of(m->behind, m->behind_count));
}
