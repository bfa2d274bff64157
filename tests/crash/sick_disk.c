/* Preloaded into a process: lets one call fail that writes or syncs the store's files.
 *
 * `keyturn_arm(n, error)` lets the n-th such call from now on fail with that errno, and the ones after it succeed;
 * `keyturn_calls()` tells how many there were since. Calls are told by the name of their file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long calls, fails_at;
static int with_error;

void keyturn_arm(long at, int error)
{
    calls = 0;
    fails_at = at;
    with_error = error;
}

long keyturn_calls(void)
{
    return calls;
}

static int fails(int fd)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (!strstr(path, "/store.db"))
        return 0;
    if (++calls != fails_at)
        return 0;
    errno = with_error;
    return 1;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count)
{
    REAL(write);
    return fails(fd) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    REAL(pwrite);
    return fails(fd) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    REAL(pwrite64);
    return fails(fd) ? -1 : real(fd, bytes, count, at);
}

int fsync(int fd)
{
    REAL(fsync);
    return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return fails(fd) ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t length)
{
    REAL(ftruncate64);
    return fails(fd) ? -1 : real(fd, length);
}
