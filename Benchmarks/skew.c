// Preloaded into a PostgreSQL server: a clock that is wrong by SKEW_US microseconds, and a network on which every
// message of a client is DELAY_US microseconds late.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long skew, delay;
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_day)(struct timeval *, void *);
static ssize_t (*real_recv)(int, void *, size_t, int);

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("SKEW_US");
    skew = text ? atoll(text) : 0;
    text = getenv("DELAY_US");
    delay = text ? atoll(text) : 0;
    real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    real_day = dlsym(RTLD_NEXT, "gettimeofday");
    real_recv = dlsym(RTLD_NEXT, "recv");
}

int gettimeofday(struct timeval *now, void *zone) {
    int result = real_day(now, zone);
    long long moment = (long long)now->tv_sec * 1000000 + now->tv_usec + skew;
    now->tv_sec = moment / 1000000;
    now->tv_usec = moment % 1000000;
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = real_clock(clock, now);
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return result;
    long long moment = (long long)now->tv_sec * 1000000000 + now->tv_nsec + skew * 1000;
    now->tv_sec = moment / 1000000000;
    now->tv_nsec = moment % 1000000000;
    return result;
}

time_t time(time_t *result) {
    struct timeval now;
    gettimeofday(&now, 0);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

ssize_t recv(int socket, void *bytes, size_t length, int flags) {
    ssize_t got = real_recv(socket, bytes, length, flags);
    if (got > 0 && delay > 0) usleep(delay);
    return got;
}
