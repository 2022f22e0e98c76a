/* The one entry point: a command with up to three arguments. One exported
   function means one call stack on the host's side per instance. */

static JSValue watched_value;

static void watch(JSValue v)
{
    if (JS_IsPromise(v))
        JS_PromiseMarkAsHandled(ctx, v);
    JS_FreeValue(ctx, watched_value);
    watched_value = v;
    if (JS_IsException(v)) {
        watched_value = JS_GetException(ctx);
        shared.watched = WATCHED_REJECTED;
    } else {
        shared.watched = JS_IsPromise(v) ? WATCHED_PENDING : WATCHED_FULFILLED;
    }
}

static void update_shared(void)
{
    shared.jobs = JS_IsJobPending(rt);
    if (shared.watched == WATCHED_PENDING) {
        JSPromiseStateEnum state = JS_PromiseState(ctx, watched_value);
        if (state != JS_PROMISE_PENDING) {
            JSValue v = JS_PromiseResult(ctx, watched_value);
            JS_FreeValue(ctx, watched_value);
            watched_value = v;
            shared.watched = state == JS_PROMISE_FULFILLED ? WATCHED_FULFILLED : WATCHED_REJECTED;
        }
    }
    drop_cleared_timers();
    if (heap_len)
        shared.next_timer = heap[0]->deadline;
    shared.oom = rt->oom_count;
    shared.malloc_size = rt->malloc_state.malloc_size;
}

static int init(uint32_t memory_limit)
{
    uint64_t seed[2];

    rt = JS_NewRuntime();
    if (!rt)
        return -1;
    shared.memory_limit = memory_limit;
    JS_SetMemoryLimit(rt, memory_limit);
    JS_SetMaxStackSize(rt, STACK_LIMIT);
    ctx = JS_NewContextRaw(rt);
    if (!ctx)
        return -1;
    host_random(seed, sizeof(seed));
    ctx->random_state = seed[0] | 1;
    ctx->hash_seed = seed[1];
    if (JS_AddIntrinsicBaseObjects(ctx) || JS_AddIntrinsicDate(ctx) || JS_AddIntrinsicEval(ctx) ||
        JS_AddIntrinsicRegExp(ctx) || JS_AddIntrinsicJSON(ctx) || JS_AddIntrinsicProxy(ctx) ||
        JS_AddIntrinsicMapSet(ctx) || JS_AddIntrinsicTypedArrays(ctx) ||
        JS_AddIntrinsicPromise(ctx) || JS_AddIntrinsicWeakRef(ctx) ||
        JS_AddIntrinsicDOMException(ctx) || JS_AddIntrinsicAToB(ctx) || JS_AddPerformance(ctx))
        return -1;
    JS_SetHostPromiseRejectionTracker(rt, track_rejection, NULL);
    JS_SetModuleLoaderFunc2(rt, NULL, host_load, check_attributes, NULL);
    JS_SetModuleNormalizeFunc2(rt, host_normalize);
    JS_SetCanBlock(rt, false);
    watched_value = JS_UNDEFINED;
    return add_globals();
}

static void begin(bool preparing, uint32_t seed_lo, uint32_t seed_hi)
{
    if (preparing) /* until freeze, or half of the memory is used */
        JS_SetGCThreshold(rt, shared.memory_limit / 2);
    ctx->random_state = ((uint64_t)seed_hi << 32 | seed_lo) | 1;
    ctx->time_origin = js__now_ms();
    time_origin = host_clock(0);
    rt->oom_count = 0;
}

static char *copy_text(uint32_t ptr, uint32_t len)
{
    return js_strndup(ctx, (const char *)ptr, len);
}

static void eval(enum eval_mode mode)
{
    size_t size, len = shared.body_len;
    char *name = copy_text(shared.name, shared.name_len);
    char *src = (char *)shared.body; /* NUL-terminated by the host */
    uint8_t *code;
    JSValue v = JS_EXCEPTION;
    uint32_t shape = shared.shape;

    shared.shape = 0;
    if (name) {
        switch (mode) {
        case EVAL_MODULE:
            v = compile_module(name, src, len);
            if (!JS_IsException(v))
                v = JS_EvalFunction(ctx, v);
            break;
        case EVAL_SCRIPT:
            v = JS_Eval(ctx, src, len, name, JS_EVAL_TYPE_GLOBAL);
            break;
        case EVAL_BYTECODE:
            v = JS_ReadObject(ctx, (uint8_t *)src, len, JS_READ_OBJ_BYTECODE);
            if (JS_IsException(v))
                break;
            if (JS_VALUE_GET_TAG(v) != JS_TAG_MODULE) {
                JS_FreeValue(ctx, v);
                v = JS_ThrowTypeError(ctx, "the bytecode holds no module");
                break;
            }
            if (set_import_meta(JS_VALUE_GET_PTR(v), name) < 0 || JS_ResolveModule(ctx, v) < 0) {
                JS_FreeValue(ctx, v);
                v = JS_EXCEPTION;
                break;
            }
            v = JS_EvalFunction(ctx, v);
            break;
        case EVAL_COMPILE:
            compiling = true;
            v = JS_Eval(ctx, src, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
            compiling = false;
            if (JS_IsException(v))
                break;
            code = JS_WriteObject(ctx, &size, v, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
            JS_FreeValue(ctx, v);
            v = code ? JS_NewArrayBuffer(ctx, code, size, 0, js_array_buffer_realloc, NULL, false)
                     : JS_EXCEPTION;
            break;
        }
    }
    js_free(ctx, name);
    if (shape & SHAPE_OWNED_BODY)
        js_free_rt(rt, src);
    watch(v);
    run_jobs();
}

static JSValue find_export(void)
{
    JSModuleDef *m;
    JSValue ns, v = JS_EXCEPTION;
    JSAtom atom;
    char *name = copy_text(shared.name, shared.name_len);
    char *export = copy_text(shared.export_name, shared.export_name_len);

    if (!name || !export)
        goto done;
    if (!name[0]) {
        v = JS_GetPropertyStr(ctx, ctx->global_obj, export);
    } else {
        atom = JS_NewAtom(ctx, name);
        m = js_find_loaded_module_by_name(ctx, atom);
        JS_FreeAtom(ctx, atom);
        if (!m) {
            JS_ThrowReferenceError(ctx, "module '%s' is not loaded", name);
            goto done;
        }
        ns = JS_GetModuleNamespace(ctx, m);
        if (JS_IsException(ns))
            goto done;
        v = JS_GetPropertyStr(ctx, ns, export);
        JS_FreeValue(ctx, ns);
    }
    if (!JS_IsException(v) && !JS_IsFunction(ctx, v)) {
        JS_FreeValue(ctx, v);
        v = JS_ThrowTypeError(ctx, "%s '%s' exports no function '%s'",
                              name[0] ? "module" : "global object", name, export);
    }
done:
    js_free(ctx, name);
    js_free(ctx, export);
    return v;
}

static void call_export(void)
{
    uint32_t shape = shared.shape;
    JSValue args[2] = { JS_UNDEFINED, JS_UNDEFINED }, func = find_export(), pair, v;

    if (JS_IsException(func)) {
        free_message();
        watch(func);
        return;
    }
    v = message_value();
    if ((shape & (SHAPE_HEAD | SHAPE_BODY)) == (SHAPE_HEAD | SHAPE_BODY) && !JS_IsException(v)) {
        pair = v;
        args[0] = JS_GetPropertyStr(ctx, pair, "head");
        args[1] = JS_GetPropertyStr(ctx, pair, "body");
        JS_FreeValue(ctx, pair);
    } else {
        args[shape & SHAPE_BODY ? 1 : 0] = v;
    }
    if (!JS_IsException(v))
        v = JS_Call(ctx, func, JS_UNDEFINED, 2, (JSValueConst *)args);
    JS_FreeValue(ctx, args[0]);
    JS_FreeValue(ctx, args[1]);
    JS_FreeValue(ctx, func);
    watch(v);
    run_jobs();
}

/* the watched value as a message that stays valid until the next command */
static struct outgoing result;
static DynBuf error_text;

static void release_result(void)
{
    release_outgoing(&result);
    memset(&result, 0, sizeof(result));
    result.text = JS_UNDEFINED;
    if (error_text.buf)
        dbuf_free(&error_text);
}

static void set_result(void)
{
    const uint8_t *p;
    size_t len;
    JSValue head = JS_UNDEFINED, body = JS_UNDEFINED, proto;
    bool is_error = shared.watched == WATCHED_REJECTED, is_reply = false;
    int is_bytes;

    shared.shape = 0;
    if (shared.watched != WATCHED_FULFILLED && !is_error)
        return;
    if (!is_error) {
        if (JS_IsObject(watched_value)) {
            proto = JS_GetPrototype(ctx, watched_value);
            is_reply = JS_IsObject(proto) &&
                       JS_VALUE_GET_PTR(proto) == JS_VALUE_GET_PTR(reply_proto);
            JS_FreeValue(ctx, proto);
            clear_exception();
        }
        is_bytes = bytes_of(watched_value, &p, &len);
        if (is_bytes < 0)
            goto throw;
        if (is_reply) {
            head = get_quietly(watched_value, "head");
            body = get_quietly(watched_value, "body");
        } else if (is_bytes) {
            body = JS_DupValue(ctx, watched_value);
        } else {
            head = JS_DupValue(ctx, watched_value);
        }
        if (set_outgoing(&result, head, body) < 0)
            goto throw;
        if (result.head)
            shared.shape |= SHAPE_HEAD;
        if (result.body)
            shared.shape |= SHAPE_BODY;
        shared.head = (uint32_t)result.head;
        shared.head_len = result.head_len;
        shared.body = (uint32_t)result.body;
        shared.body_len = result.body_len;
        JS_FreeValue(ctx, head);
        JS_FreeValue(ctx, body);
        return;
    throw:
        JS_FreeValue(ctx, head);
        JS_FreeValue(ctx, body);
        JS_FreeValue(ctx, watched_value);
        watched_value = JS_GetException(ctx);
        shared.watched = WATCHED_REJECTED;
    }
    js_dbuf_init(ctx, &error_text);
    describe(&error_text, watched_value, 0);
    if (!dbuf_error(&error_text)) {
        shared.shape = SHAPE_HEAD | SHAPE_ERROR;
        shared.head = (uint32_t)error_text.buf;
        shared.head_len = error_text.size;
    } else {
        shared.shape = SHAPE_ERROR;
    }
}

EXPORT(run) uint32_t run(enum command cmd, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t r = 0;

    if (cmd == CMD_INIT) {
        shared.abi_version = ABI_VERSION;
        shared.mailbox = (uint32_t)mailbox;
        shared.mailbox_size = MAILBOX_SIZE;
        return init(a) < 0 ? 0 : (uint32_t)&shared;
    }
    if (!rt)
        fail("the module was not initialised");
    JS_SetMemoryLimit(rt, shared.memory_limit);
    if (cmd != CMD_ALLOC && cmd != CMD_FREE)
        release_result();
    switch (cmd) {
    case CMD_BEGIN:
        begin(a, b, c);
        break;
    case CMD_ALLOC:
        r = (uint32_t)js_malloc_rt(rt, max_int(a, 1));
        if (!r)
            rt->oom_count++;
        shared.oom = rt->oom_count;
        return r;
    case CMD_FREE:
        js_free_rt(rt, (void *)a);
        return 0;
    case CMD_EVAL:
        eval(a);
        break;
    case CMD_CALL:
        call_export();
        break;
    case CMD_RUN_JOBS:
        run_jobs();
        break;
    case CMD_COMPLETE:
        r = complete_call(a);
        run_jobs();
        break;
    case CMD_RUN_TIMERS:
        run_timers();
        break;
    case CMD_RESULT:
        set_result();
        break;
    case CMD_FREEZE:
        watch(JS_UNDEFINED);
        shared.watched = WATCHED_NONE;
        freeze(a, b);
        break;
    case CMD_GC:
        JS_RunGC(rt);
        break;
    default:
        fail("unknown command");
    }
    update_shared();
    return r;
}
