/* Shadows the C library's header: QuickJS prints only heap dumps and the reason
   of an abort, and there is no standard output to print to. Formatting into
   memory stays. */
#ifndef AGENTRT_STDIO_H
#define AGENTRT_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct FILE FILE;
#define stdout ((FILE *)0)
#define stderr ((FILE *)0)

int snprintf(char *restrict, size_t, const char *restrict, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *restrict, size_t, const char *restrict, va_list)
    __attribute__((format(printf, 3, 0)));

__attribute__((format(printf, 1, 2))) static inline int print_nothing(const char *format, ...)
{
    return 0;
}
#define printf(...) print_nothing(__VA_ARGS__)
#define fprintf(f, ...) print_nothing(__VA_ARGS__)
#define putchar(c) (c)
#define puts(s) 0
#define fputs(s, f) 0
#define fputc(c, f) (c)
#define putc(c, f) (c)
#define fwrite(p, size, n, f) (n)
#define fflush(f) 0

#endif
