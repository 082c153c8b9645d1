#include "engine/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/signing.h"
#include "engine/catalogue.h"
#include "extract/file_kind.h"
#include "flow/flow.h"
#include "record/output.h"
#include "store/artifact.h"
#include "store/case.h"

enum { PATH_SIZE = 4096, NAME_SIZE = 300, COPY_SIZE = 65536 };

struct bundle {
    struct case_reader *reader;
    const struct referred *what;
    const char *folder;
    struct text sums; // lines of SHA256SUMS
    struct err *err;
    bool failed;
    // The kind at hand.
    FILE *file;
    struct output *output;
};

static const char readme[] =
    "Conversations out of a case of weir\n"
    "\n"
    "  packets.pcapng     their packets, byte for byte, with the times that the captures had\n"
    "  records/           what was made of them: a file for each kind, one JSON object a line\n"
    "  artifacts/         files that they carried, named by their SHA-256 (file.artifact)\n"
    "  log/, keys/        the log of the whole case, and the public keys that signed it\n"
    "  SHA256SUMS         the SHA-256 of all these, and of this text\n"
    "  SHA256SUMS.sig     an Ed25519 signature over that, made with the key of key.pem\n"
    "\n"
    "To check that nothing was changed, in this folder:\n"
    "\n"
    "  sha256sum --check --strict SHA256SUMS\n"
    "  openssl pkeyutl -verify -rawin -pubin -inkey key.pem -in SHA256SUMS -sigfile "
    "SHA256SUMS.sig\n"
    "\n"
    "Both must succeed, and no file may be here that SHA256SUMS does not name but itself and its\n"
    "signature. Whether key.pem is the key of whoever gave you this, only he can tell:\n"
    "\n"
    "  openssl pkey -pubin -in key.pem -outform DER | sha256sum\n"
    "\n"
    "Each line of the log names the SHA-256 of the line before it (without its line feed) as\n"
    "\"prev\". So this prints the \"prev\" of line 2:\n"
    "\n"
    "  head -n 1 log/00000001.jsonl | tr -d '\\n' | sha256sum\n";

// ---- files --------------------------------------------------------------------------------------

static void path_of(char path[PATH_SIZE], const struct bundle *b, const char *name)
{
    snprintf(path, PATH_SIZE, "%s/%s", b->folder, name);
}

static bool bundle_open(struct bundle *b, const char *name, FILE **out)
{
    char path[PATH_SIZE];
    path_of(path, b, name);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    *out = file < 0 ? NULL : fdopen(file, "wb");
    return *out || err_system(b->err, errno, "cannot write %s", path);
}

// The file is whole: notes its hash.
static bool bundle_close(struct bundle *b, const char *name, FILE *out)
{
    char path[PATH_SIZE], hex[HEX_SHA256_SIZE];
    uint8_t digest[SHA256_SIZE];
    uint64_t size;
    path_of(path, b, name);
    bool ok = !ferror(out);
    if (fclose(out) != 0 || !ok) return err_system(b->err, errno, "cannot write %s", path);
    if (!file_sha256(path, digest, &size, b->err)) return false;
    hex_format(hex, bytes_of(digest, sizeof digest));
    text_format(&b->sums, "%s  %s\n", hex, name);
    return true;
}

static bool bundle_put(struct bundle *b, const char *name, bytes content)
{
    FILE *out;
    if (!bundle_open(b, name, &out)) return false;
    fwrite(content.p, 1, content.n, out);
    return bundle_close(b, name, out);
}

// A file of the case, under the same or another name.
static bool bundle_copy(struct bundle *b, const char *from, const char *name)
{
    char path[PATH_SIZE];
    uint8_t memory[COPY_SIZE];
    FILE *out;
    snprintf(path, sizeof path, "%s/%s", case_path(b->reader), from);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return err_system(b->err, errno, "cannot open %s", path);
    bool ok = bundle_open(b, name, &out);
    ssize_t n = 0;
    while (ok && (n = read(file, memory, sizeof memory)) > 0) fwrite(memory, 1, (size_t)n, out);
    close(file);
    if (!ok) return false;
    ok = bundle_close(b, name, out);
    return ok && (n == 0 || err_system(b->err, errno, "cannot read %s", path));
}

static bool bundle_folder(const struct bundle *b, const char *name)
{
    char path[PATH_SIZE];
    path_of(path, b, name);
    return folder_make(path, b->err);
}

// ---- records and artifacts ----------------------------------------------------------------------

static void take_artifact(struct bundle *b, const struct record_batch *batch, uint32_t row)
{
    char from[ARTIFACT_PATH_MAX], to[NAME_SIZE], path[PATH_SIZE];
    if (!batch_has(batch, FILE_ARTIFACT, row)) return;
    artifact_path(from, batch_get_bytes(batch, FILE_ARTIFACT, row).p);
    snprintf(path, sizeof path, "%s/%s", case_path(b->reader), from);
    if (access(path, F_OK) != 0) return; // nothing was kept of it
    snprintf(to, sizeof to, "artifacts%s", strrchr(from, '/'));
    path_of(path, b, to);
    if (access(path, F_OK) == 0) return; // the same content once more
    if (!bundle_copy(b, from, to)) b->failed = true;
}

static void take_row(struct bundle *b, const struct record_batch *batch, uint32_t row)
{
    char name[NAME_SIZE];
    if (!b->file) {
        snprintf(name, sizeof name, "records/%.100s.jsonl", batch->kind->name);
        b->failed = !bundle_open(b, name, &b->file);
        if (b->failed) return;
        b->output = output_create_for(OUTPUT_JSON, b->file, batch->kind, 0);
    }
    output_batch_row(b->output, batch, row);
    if (batch->kind == &file_kind) take_artifact(b, batch, row);
}

static int conversation_field(const struct record_kind *kind)
{
    return kind_field(kind, bytes_text(kind == &conversation_kind ? "id" : "conversation_id"));
}

static bool take_records(void *context, const struct record_batch *batch)
{
    struct bundle *b = context;
    unsigned field = (unsigned)conversation_field(batch->kind);
    for (uint32_t row = 0; row < batch->rows && !b->failed; row++)
        if (batch_has(batch, field, row) && referred_find(b->what, batch_get_id(batch, field, row)))
            take_row(b, batch, row);
    return !b->failed;
}

static bool bundle_kind(struct bundle *b, const struct record_kind *kind)
{
    char name[NAME_SIZE];
    struct case_scan scan = {kind, CASE_ALL_FIELDS, NULL, take_records, b};
    bool ok = case_scan(b->reader, &scan, b->err) && !b->failed;
    if (!b->file) return ok;
    ok = output_end(b->output, ok ? b->err : &(struct err){0}) && ok;
    output_destroy(b->output);
    snprintf(name, sizeof name, "records/%.100s.jsonl", kind->name);
    if (ok) ok = bundle_close(b, name, b->file);
    else fclose(b->file);
    b->file = NULL;
    return ok;
}

static bool bundle_records(struct bundle *b)
{
    uint32_t count;
    const struct record_kind *const *kinds = catalogue(&count);
    bool ok = bundle_folder(b, "records") && bundle_folder(b, "artifacts");
    for (uint32_t i = 0; ok && i < count; i++)
        if (!kinds[i]->hidden && conversation_field(kinds[i]) >= 0) ok = bundle_kind(b, kinds[i]);
    return ok;
}

// ---- proof --------------------------------------------------------------------------------------

static bool bundle_keys(struct bundle *b)
{
    char path[PATH_SIZE], name[NAME_SIZE];
    snprintf(path, sizeof path, "%s/keys", case_path(b->reader));
    DIR *d = opendir(path);
    bool ok = d || err_system(b->err, errno, "cannot open %s", path);
    for (struct dirent *e; ok && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "keys/%.255s", e->d_name);
        ok = bundle_copy(b, name, name);
    }
    if (d) closedir(d);
    return ok;
}

static bool bundle_sign(struct bundle *b, const struct author *author)
{
    struct text key = {0};
    uint8_t signature[SIGNATURE_SIZE];
    public_key_text(&key, signing_public(author->key));
    bool ok = bundle_put(b, "key.pem", bytes_of(key.p, key.n)) &&
              bundle_put(b, "README", bytes_text(readme));
    text_deinit(&key);
    if (!ok) return false;
    size_t n = b->sums.n; // its own hash is not among them
    signing_sign(author->key, bytes_of(b->sums.p, n), signature);
    struct text sums = {0};
    text_put(&sums, bytes_of(b->sums.p, n));
    ok = bundle_put(b, "SHA256SUMS", bytes_of(sums.p, sums.n)) &&
         bundle_put(b, "SHA256SUMS.sig", bytes_of(signature, sizeof signature));
    text_deinit(&sums);
    return ok;
}

static bool bundle_log(struct bundle *b)
{
    return bundle_folder(b, "log") && bundle_folder(b, "keys") &&
           bundle_copy(b, CASE_LOG, CASE_LOG) && bundle_keys(b);
}

static bool bundle_packets(struct bundle *b, struct export_counts *counts)
{
    FILE *out;
    if (!bundle_open(b, "packets.pcapng", &out)) return false;
    if (export_packets(b->reader, b->what, out, counts, b->err))
        return bundle_close(b, "packets.pcapng", out);
    fclose(out);
    return false;
}

static bool folder_is_empty(const char *path, struct err *err)
{
    DIR *d = opendir(path);
    bool empty = true;
    if (!d) return err_system(err, errno, "cannot open %s", path);
    for (struct dirent *e; (e = readdir(d));)
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    return empty ||
           err_set(err, ERR_USAGE,
                   "%s is there already and not empty: name a folder that is to be made", path);
}

bool bundle_write(struct case_reader *reader, const struct referred *what, const char *folder,
                  const struct author *author, struct export_counts *counts, struct err *err)
{
    struct bundle b = {.reader = reader, .what = what, .folder = folder, .err = err};
    if (!case_path(reader))
        return err_set(err, ERR_USAGE, "a bundle is made of a case: read the capture into one");
    bool ok = folder_make(folder, err) && folder_is_empty(folder, err) &&
              bundle_packets(&b, counts) && bundle_records(&b) && bundle_log(&b) &&
              bundle_sign(&b, author);
    text_deinit(&b.sums);
    return ok;
}
