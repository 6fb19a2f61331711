/* Sets the wall clock of the process that it is loaded into (LD_PRELOAD): it goes wrong by as many
 * seconds as the file says that WRONG_CLOCK names, eight bytes in the machine's order. Clocks that
 * nobody can set are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *wrong_by;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("WRONG_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        abort();
    }
    void *bytes = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (bytes == MAP_FAILED) {
        abort();
    }
    wrong_by = bytes;
}

static int64_t offset(void) { return wrong_by ? *wrong_by : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = syscall(SYS_clock_gettime, clock, now);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += offset();
    }
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int code = syscall(SYS_gettimeofday, now, zone);
    if (code == 0 && now) {
        now->tv_sec += offset();
    }
    return code;
}

typedef int (*timed_wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

/* Waits until a time of the wall clock: the kernel must be told the right one. */
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    static timed_wait wait;
    if (!wait) {
        /* An older form of the same name is found first where there is one. */
        void *found = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        wait = (timed_wait)(found ? found : dlsym(RTLD_NEXT, "pthread_cond_timedwait"));
    }
    struct timespec right = *until;
    right.tv_sec -= offset();
    return wait(condition, mutex, &right);
}

/* The same of C's own threads. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until) {
    static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);
    if (!wait) {
        wait = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    }
    struct timespec right = *until;
    right.tv_sec -= offset();
    return wait(condition, mutex, &right);
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) {
        *now = at.tv_sec;
    }
    return at.tv_sec;
}
