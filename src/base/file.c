#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    FILE_HASH_PIECE = 64 * 1024,
    READ_SIZE_FIRST = 64 * 1024,
    FOLDER_DEPTH_MAX = 32,
    HIDDEN_NAMES_TRIED_MAX = 16,
    WRITE_SIZE_MAX = 1 << 30, // Linux writes no more than 2 GB at once
};

// All of fd, growing as it comes, since files of /proc and pipes do not tell their size. p is
// NULL on failure.
static bytes read_whole(int fd, const char *path, size_t size_max, struct err *err)
{
    size_t size = size_max < READ_SIZE_FIRST ? size_max : READ_SIZE_FIRST, n = 0;
    uint8_t *p = memory_get(size + 1);
    while (true) {
        // One byte more than allowed is asked for, to learn of a file that is too large.
        ssize_t got = read(fd, p + n, size + 1 - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) err_system(err, errno, "cannot read %s", path);
        else if (n + (size_t)got > size_max)
            err_set(err, ERR_INPUT, "%s is larger than the allowed %zu bytes", path, size_max);
        else {
            n += (size_t)got;
            if (got == 0) return bytes_of(p, n);
            if (n <= size) continue;
            size = size > size_max / 2 ? size_max : 2 * size;
            p = memory_resize(p, size + 1);
            continue;
        }
        memory_free(p);
        return (bytes){NULL, 0};
    }
}

bytes file_read(const char *path, size_t size_max, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_system(err, errno, "cannot open %s", path);
        return (bytes){NULL, 0};
    }
    bytes content = read_whole(fd, path, size_max, err);
    close(fd);
    return content;
}

int file_create(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        err_set(err, ERR_USAGE, "%s is there already: choose another name, or remove it", path);
    else if (fd < 0) err_system(err, errno, "cannot write %s", path);
    return fd;
}

bool file_write_all(int fd, bytes content, struct err *err)
{
    while (content.n) {
        ssize_t n = write(fd, content.p, content.n < WRITE_SIZE_MAX ? content.n : WRITE_SIZE_MAX);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_system(err, errno, "cannot write");
        content = bytes_after(content, (size_t)n);
    }
    return true;
}

static bool open_folder(const char *path, int *fd, struct err *err)
{
    *fd = open(path[0] ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd >= 0) return true;
    return err_system(err, errno, "cannot open the folder %s", path);
}

// Opens the folder that `path` lies in and gives the name within it.
static bool open_parent(const char *path, const char **name, int *folder, struct err *err)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name) return err_set(err, ERR_USAGE, "%s names no file", path);
    char parent[PATH_MAX];
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof parent) return err_system(err, ENAMETOOLONG, "cannot write %s", path);
    memcpy(parent, path, n);
    parent[n] = 0;
    return open_folder(slash ? parent : ".", folder, err);
}

// A name that nobody else is writing to, even when two threads write the same file. A left-over
// of a crashed process with the same number is stepped over.
static int create_hidden(int folder, const char *name, char hidden[NAME_MAX + 1])
{
    static unsigned counter;
    for (int i = 0; i < HIDDEN_NAMES_TRIED_MAX; i++) {
        unsigned number = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        int n = snprintf(hidden, NAME_MAX + 1, ".%s.%ld-%u.part", name, (long)getpid(), number);
        if (n > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

static bool is_hidden_part(const char *name)
{
    static const char end[] = ".part";
    size_t n = strlen(name);
    return name[0] == '.' && n > sizeof end && strcmp(name + n - (sizeof end - 1), end) == 0;
}

void file_sweep(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_hidden_part(e->d_name)) unlinkat(dirfd(d), e->d_name, 0);
    if (d) closedir(d);
}

static bool write_synced(int fd, bytes content, struct err *err)
{
    bool ok = file_write_all(fd, content, err);
    if (ok && fsync(fd) != 0) ok = err_system(err, errno, "cannot sync");
    // Some file systems tell of a full disk only here.
    if (close(fd) != 0 && ok) ok = err_system(err, errno, "cannot close");
    return ok;
}

static bool write_and_rename(int folder, const char *name, bytes content, struct err *err)
{
    char hidden[NAME_MAX + 1];
    int fd = create_hidden(folder, name, hidden);
    if (fd < 0) return err_system(err, errno, "cannot create a file");
    bool ok = write_synced(fd, content, err);
    if (ok && renameat(folder, hidden, folder, name) != 0)
        ok = err_system(err, errno, "cannot rename");
    if (!ok) {
        unlinkat(folder, hidden, 0);
        return false;
    }
    if (fsync(folder) != 0) return err_system(err, errno, "cannot sync its folder");
    return true;
}

bool file_write_durable(const char *path, bytes content, struct err *err)
{
    const char *name;
    int folder;
    if (!open_parent(path, &name, &folder, err)) return false;
    bool ok = write_and_rename(folder, name, content, err);
    close(folder);
    return ok || err_in(err, "writing %s", path);
}

bool file_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_system(err, errno, "cannot open %s", path);
    bool ok = fsync(fd) == 0;
    if (!ok) err_system(err, errno, "cannot sync %s", path);
    close(fd);
    return ok;
}

bool folder_make(const char *path, struct err *err)
{
    if (mkdir(path, 0777) == 0) return true;
    int cause = errno;
    struct stat s;
    if (cause == EEXIST && stat(path, &s) == 0 && S_ISDIR(s.st_mode)) return true;
    return err_system(err, cause, "cannot make the folder %s", path);
}

// The folders from the one to be removed down to where we are, and what each is called in the one
// above.
struct descent {
    int depth;
    DIR *folders[FOLDER_DEPTH_MAX];
    char names[FOLDER_DEPTH_MAX][NAME_MAX + 1];
};

// Links are not followed: a folder that is one is not opened.
static bool descend(struct descent *d, int above, const char *name, struct err *err)
{
    if (d->depth == FOLDER_DEPTH_MAX)
        return err_set(err, ERR_INPUT, "folders lie more than %d deep", FOLDER_DEPTH_MAX);
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return err_system(err, errno, "cannot open %s", name);
    DIR *folder = fdopendir(fd);
    if (!folder) {
        err_system(err, errno, "cannot read %s", name);
        close(fd);
        return false;
    }
    d->folders[d->depth] = folder;
    snprintf(d->names[d->depth], sizeof d->names[0], "%s", d->depth ? name : "");
    d->depth++;
    return true;
}

static bool ascend(struct descent *d, struct err *err)
{
    closedir(d->folders[--d->depth]);
    if (d->depth == 0) return true;
    const char *name = d->names[d->depth];
    if (unlinkat(dirfd(d->folders[d->depth - 1]), name, AT_REMOVEDIR) == 0) return true;
    return err_system(err, errno, "cannot remove the folder %s", name);
}

// One step: removes the next entry, or goes into it, or leaves a folder that is empty now.
static bool remove_next(struct descent *d, struct err *err)
{
    DIR *folder = d->folders[d->depth - 1];
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (!entry && errno) return err_system(err, errno, "cannot read the folder");
    if (!entry) return ascend(d, err);
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return true;
    if (unlinkat(dirfd(folder), name, 0) == 0 || errno == ENOENT) return true;
    if (errno == EISDIR) return descend(d, dirfd(folder), name, err);
    return err_system(err, errno, "cannot remove %s", name);
}

bool folder_remove(const char *path, struct err *err)
{
    struct descent d = {.depth = 0};
    bool ok = descend(&d, AT_FDCWD, path, err);
    while (ok && d.depth) ok = remove_next(&d, err);
    while (d.depth) closedir(d.folders[--d.depth]);
    if (!ok) return err_in(err, "removing %s", path);
    if (rmdir(path) == 0) return true;
    return err_system(err, errno, "cannot remove %s", path);
}

bool file_sha256(const char *path, uint8_t digest[SHA256_SIZE], uint64_t *size, struct err *err)
{
    uint8_t piece[FILE_HASH_PIECE];
    struct sha256 hash;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return err_system(err, errno, "cannot read %s", path);
    sha256_init(&hash);
    *size = 0;
    ssize_t n;
    while ((n = read(file, piece, sizeof piece)) > 0) {
        sha256_add(&hash, bytes_of(piece, (size_t)n));
        *size += (uint64_t)n;
    }
    int error = errno;
    close(file);
    if (n < 0) return err_system(err, error, "cannot read %s", path);
    sha256_end(&hash, digest);
    return true;
}
