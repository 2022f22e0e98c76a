/* The boundary between the module and its host. Mirrored by
   quickjs/internal/abi: change both together. */
#ifndef AGENTRT_ABI_H
#define AGENTRT_ABI_H

#include <stdint.h>
#include <stddef.h>

#define ABI_VERSION 2
#define MAILBOX_SIZE 16384

/* message.shape */
#define SHAPE_HEAD 1      /* head holds JSON (UTF-8), NUL after it towards the module */
#define SHAPE_BODY 2      /* body holds bytes */
#define SHAPE_ERROR 4     /* head describes an error */
#define SHAPE_OWNED_HEAD 8  /* head is a block of run(CMD_ALLOC); the module frees it */
#define SHAPE_OWNED_BODY 16 /* body likewise; it becomes the ArrayBuffer's store */
#define SHAPE_STASHED 32  /* the host keeps head and body until OP_TAKE */

/* One structure at a fixed address carries everything that does not fit into
   the arguments of run and host_request. All pointers are linear-memory
   offsets. */
struct shared {
    uint32_t abi_version;
    uint32_t mailbox;        /* address of the mailbox */
    uint32_t mailbox_size;   /* bytes */
    /* message to or from the module */
    uint32_t shape;
    uint32_t head, head_len;
    uint32_t body, body_len;
    /* arguments of CMD_EVAL and CMD_CALL */
    uint32_t name, name_len;
    uint32_t export_name, export_name_len;
    /* state of the event loop after each command */
    uint32_t jobs;           /* promise jobs are waiting */
    uint32_t pending;        /* host calls without completion */
    uint32_t timers;         /* active timers */
    uint32_t watched;        /* enum watched */
    double next_timer;       /* monotonic ms, valid if timers > 0 */
    uint32_t oom;            /* out-of-memory errors since CMD_BEGIN */
    uint32_t max_pending;    /* limits, set by the host */
    uint32_t max_timers;
    uint32_t memory_limit;   /* bytes the JavaScript heap may hold */
    uint32_t malloc_size;    /* bytes the JavaScript heap holds */
};

enum watched { WATCHED_NONE, WATCHED_PENDING, WATCHED_FULFILLED, WATCHED_REJECTED };

enum command {
    CMD_INIT,       /* (memory_limit): create runtime and context */
    CMD_BEGIN,      /* (preparing, seed_lo, seed_hi): start one use; preparing for
                       a snapshot, cycles are collected at its end */
    CMD_ALLOC,      /* (size) -> address or 0 */
    CMD_FREE,       /* (address) */
    CMD_EVAL,       /* (enum eval_mode, limit): source or bytecode in body, name in name */
    CMD_CALL,       /* (): export_name of module name, with head and body */
    CMD_RUN_JOBS,   /* () */
    CMD_COMPLETE,   /* (call id): settle with the message */
    CMD_RUN_TIMERS, /* (): fire what is due */
    CMD_RESULT,     /* (): message of the watched promise */
    CMD_FREEZE,     /* (gc_slack, headroom): collect, make the heap immortal */
    CMD_GC,         /* () */
};

enum eval_mode { EVAL_MODULE, EVAL_SCRIPT, EVAL_BYTECODE, EVAL_COMPILE };

/* Operations of host_request below OP_USER are the engine's own. */
enum op {
    OP_TAKE,      /* copy the stashed message to head and body */
    OP_LOOKUP,    /* head: name of an operation; reply head: {"op":n,"async":b} */
    OP_NORMALIZE, /* head: {"base","name","attributes"}; reply head: name */
    OP_LOAD,      /* head: {"name","attributes"}; reply head: {"type"}, body: source */
    OP_UNCAUGHT,  /* head: {"kind","error"} */
    OP_CANCEL,    /* id: an asynchronous call */
    OP_USER = 16,
};

#define OP_ASYNC 0x80000000u

#define IMPORT(name) __attribute__((import_module("agentrt"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(tick) int32_t host_tick(void);
IMPORT(host_log) void host_log(const char *ptr, uint32_t len, uint32_t level);
IMPORT(host_request) uint32_t host_request(uint32_t op, uint32_t id, const void *head,
                                           uint32_t head_len, const void *body,
                                           uint32_t body_len);
IMPORT(host_error) void host_error(const char *ptr, uint32_t len);
IMPORT(host_clock) double host_clock(uint32_t monotonic); /* ms */
IMPORT(host_random) void host_random(void *ptr, uint32_t len);

#endif
