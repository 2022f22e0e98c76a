/* The module: QuickJS-ng and the code that connects it to the host, as one
   translation unit, because the bridge works on QuickJS's own structures. */
#include "stdio.h"
#include "abi.h"
#include "quickjs.c"

static JSRuntime *rt;
static JSContext *ctx;
static struct shared shared;
static uint8_t mailbox[MAILBOX_SIZE] __attribute__((aligned(16)));

#include "libc.c"
#include "describe.c"
#include "message.c"
#include "uncaught.c"
#include "request.c"
#include "timers.c"
#include "modules.c"
#include "freeze.c"
#include "sample.c"
#include "streams/streams.c"
#include "encoding/utf8.c"
#include "encoding/text.c"
#include "globals.c"
#include "run.c"
