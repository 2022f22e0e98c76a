/* What QuickJS needs of the C library beyond memory and mathematics. The
   module imports no WASI function: time, randomness and failure go to the host. */
#include <errno.h>
#include <sys/time.h>
#include <time.h>

_Noreturn static void fail(const char *msg)
{
    host_error(msg, strlen(msg));
    __builtin_trap();
}

_Noreturn void abort(void)
{
    fail("QuickJS aborted: an internal invariant does not hold");
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    double ms = host_clock(id != CLOCK_REALTIME);
    ts->tv_sec = (time_t)(ms / 1000);
    ts->tv_nsec = (long)((ms - (double)ts->tv_sec * 1000) * 1e6);
    return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    double ms = host_clock(0);
    tv->tv_sec = (time_t)(ms / 1000);
    tv->tv_usec = (suseconds_t)((ms - (double)tv->tv_sec * 1000) * 1e3);
    return 0;
}

clock_t clock(void)
{
    return (clock_t)(host_clock(1) * (CLOCKS_PER_SEC / 1000));
}
