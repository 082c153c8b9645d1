#include "store/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GENERATION_FIRST = 1000, LEASE_PATH_MAX = 4096 };

static int lock_range(int file, int command, short type, int64_t from, int64_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length};
    return fcntl(file, command, &lock);
}

static int open_lock(const char *folder, int flags)
{
    char path[LEASE_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/lock", folder) >= (int)sizeof path) return -1;
    return open(path, flags | O_CLOEXEC, 0666);
}

enum lease_state lease_writer(const char *folder)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    enum lease_state state = LEASE_FREE;
    char content[1];
    int file = open_lock(folder, O_RDONLY);
    if (file < 0) return LEASE_FREE;
    if (fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) state = LEASE_HELD;
    else if (pread(file, content, sizeof content, 0) == 1) state = LEASE_LEFT;
    close(file);
    return state;
}

// The kernel does not tell whose lock it is, so the writer leaves its number in the file.
static bool refuse(struct lease *l, const char *folder, struct err *err)
{
    char pid[16] = "";
    ssize_t n = pread(l->file, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = 0;
    lease_leave(l);
    return err_set(err, ERR_INPUT,
                   "case %s is being written by another process (pid %.*s): wait for it, end it, "
                   "or write to another case",
                   folder, (int)strcspn(pid, "\n"), pid);
}

bool lease_write(struct lease *l, const char *folder, struct err *err)
{
    l->file = open_lock(folder, O_RDWR | O_CREAT);
    if (l->file < 0) return err_system(err, errno, "cannot open %s/lock for writing", folder);
    if (lock_range(l->file, F_OFD_SETLK, F_WRLCK, 0, 1) != 0) {
        if (errno == EAGAIN || errno == EACCES) return refuse(l, folder, err);
        err_system(err, errno, "cannot lock %s/lock", folder);
        lease_end(l);
        return false;
    }
    char pid[16];
    l->writes = true;
    l->inherited = pread(l->file, pid, 1, 0) == 1;
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    // For the message above, and for the next one if this one is killed: a case is writable without
    // it.
    if (ftruncate(l->file, 0) == 0) (void)!pwrite(l->file, pid, (size_t)n, 0);
    return true;
}

void lease_read(struct lease *l, const char *folder)
{
    l->file = open_lock(folder, O_RDONLY);
}

void lease_hold(struct lease *l, uint64_t generation)
{
    if (l->file >= 0)
        lock_range(l->file, F_OFD_SETLK, F_RDLCK, GENERATION_FIRST + (int64_t)generation, 1);
}

void lease_drop(struct lease *l, uint64_t generation)
{
    if (l->file >= 0)
        lock_range(l->file, F_OFD_SETLK, F_UNLCK, GENERATION_FIRST + (int64_t)generation, 1);
}

void lease_leave(struct lease *l)
{
    if (l->file >= 0) close(l->file);
    *l = (struct lease){.file = -1};
}

void lease_end(struct lease *l)
{
    // An empty file tells that nothing is left behind.
    if (l->file >= 0 && l->writes && ftruncate(l->file, 0) != 0) lease_leave(l);
    lease_leave(l);
}

bool lease_is_read_below(const struct lease *l, uint64_t generation)
{
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = GENERATION_FIRST,
                         .l_len = (int64_t)generation};
    if (generation == 0) return false;
    return fcntl(l->file, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
