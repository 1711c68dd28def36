/* Makes the writes to a host's store fail, from inside the host's process (LD_PRELOAD).
 *
 * What FAULT_CONTROL names is read before each write, sync and resize of the files `baton.redb` and `baton.wal`: where it holds a
 * number, so many of a hundred of them fail with EIO, without having done anything. Where there is no such file, all
 * is as usual. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int ends_with(const char *path, ssize_t length, const char *name) {
    ssize_t tail = (ssize_t)strlen(name);
    return length >= tail && memcmp(path + length - tail, name, tail) == 0;
}

static int is_store(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 && (ends_with(path, length, "/baton.redb") || ends_with(path, length, "/baton.wal"));
}

static int percent(void) {
    const char *control = getenv("FAULT_CONTROL");
    int fd = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
    char text[8] = {0};
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? atoi(text) : 0;
}

static int fails(int fd) {
    static __thread unsigned seed = 1;
    int saved = errno;
    int share = is_store(fd) ? percent() : 0;
    errno = saved;
    if (share == 0 || rand_r(&seed) % 100 >= share) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, #name)

typedef ssize_t (*write_at)(int, const void *, size_t, off_t);
typedef int (*sync_file)(int);
typedef int (*sync_part)(int, off64_t, off64_t, unsigned int);
typedef int (*resize)(int, off_t);

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite, write_at);
    return fails(fd) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite64, write_at);
    return fails(fd) ? -1 : real(fd, bytes, count, at);
}

int fsync(int fd) {
    REAL(fsync, sync_file);
    return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync, sync_file);
    return fails(fd) ? -1 : real(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags) {
    REAL(sync_file_range, sync_part);
    return fails(fd) ? -1 : real(fd, offset, length, flags);
}

int ftruncate(int fd, off_t length) {
    REAL(ftruncate, resize);
    return fails(fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off_t length) {
    REAL(ftruncate64, resize);
    return fails(fd) ? -1 : real(fd, length);
}
