/* A device that fails on demand: every write and sync of a file below the folder in DEVICE waits, or fails, as the file FAULT
   says by its first letter: h(ang), f(ull), r(ead-only), i(o error). Loaded with LD_PRELOAD into a real gate. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char fault_now(void) {
  const char *path = getenv("FAULT");
  char letter = '-';
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    if (read(fd, &letter, 1) != 1) letter = '-';
    close(fd);
  }
  return letter;
}

static int on_device(int fd) {
  char link[64], target[4096];
  const char *device = getenv("DEVICE");
  if (!device) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length <= 0) return 0;
  target[length] = 0;
  return strncmp(target, device, strlen(device)) == 0;
}

/* 0: go on; else what to fail with. */
static int device_fault(int fd) {
  if (!on_device(fd)) return 0;
  for (;;) {
    switch (fault_now()) {
    case 'h': usleep(20000); break;
    case 'f': return ENOSPC;
    case 'r': return EROFS;
    case 'i': return EIO;
    default: return 0;
    }
  }
}

#define REAL(name, ...) static int (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)
#define REAL_SIZE(name, ...) static ssize_t (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

int fsync(int fd) {
  REAL("fsync", int);
  int no = device_fault(fd);
  if (no) { errno = no; return -1; }
  return real(fd);
}

int fdatasync(int fd) {
  REAL("fdatasync", int);
  int no = device_fault(fd);
  if (no) { errno = no; return -1; }
  return real(fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  REAL_SIZE("pwrite", int, const void *, size_t, off_t);
  int no = device_fault(fd);
  if (no) { errno = no; return -1; }
  return real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL_SIZE("pwrite64", int, const void *, size_t, off64_t);
  int no = device_fault(fd);
  if (no) { errno = no; return -1; }
  return real(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL_SIZE("write", int, const void *, size_t);
  int no = fd > 2 ? device_fault(fd) : 0;
  if (no) { errno = no; return -1; }
  return real(fd, bytes, count);
}
