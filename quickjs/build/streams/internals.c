/* What the rest of the platform uses and users never see: streams made and read
   without promises, and the hooks of abort signals. */

static JSAtom atom_chunk, atom_close, atom_error;

static JSValue js_is_readable(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_bool(is_type(argv[0], READABLE_STREAM));
}

static JSValue js_is_disturbed(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as(argv[0], READABLE_STREAM);
    return s ? js_bool(s->disturbed) : JS_EXCEPTION;
}

static JSValue js_is_locked(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_readable_locked(c, argv[0]);
}

/* closes, locks and disturbs a stream whose content went elsewhere */
static JSValue js_discard(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as(argv[0], READABLE_STREAM);
    JSValue reader;

    if (!s)
        return JS_EXCEPTION;
    s->state = CLOSED;
    s->disturbed = true;
    reader = acquire_reader(argv[0], false);
    if (JS_IsException(reader))
        return reader;
    JS_FreeValue(ctx, reader);
    return JS_UNDEFINED;
}

static JSValue js_acquire_reader(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!as(argv[0], READABLE_STREAM))
        return JS_EXCEPTION;
    return acquire_reader(argv[0], false);
}

static void call_step(struct request *q, JSAtom step, int argc, JSValueConst *argv)
{
    JSValue r = JS_Invoke(ctx, q->a, step, argc, argv);
    if (JS_IsException(r))
        report_exception();
    JS_FreeValue(ctx, r);
}

static void steps_chunk(struct request *q, JSValue value)
{
    call_step(q, atom_chunk, 1, vc(&value));
    JS_FreeValue(ctx, value);
}

static void steps_close(struct request *q, JSValue value)
{
    call_step(q, atom_close, 0, NULL);
    JS_FreeValue(ctx, value);
}

static void steps_error(struct request *q, JSValueConst reason)
{
    call_step(q, atom_error, 1, &reason);
}

static const struct request_steps object_steps = { steps_chunk, steps_close, steps_error };

/* read(reader, { chunk, close, error }) */
static JSValue js_read(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct reader *r = as(argv[0], DEFAULT_READER);
    if (!r)
        return JS_EXCEPTION;
    read_chunk(r, (struct request){ &object_steps, js_dup(argv[1]), JS_UNDEFINED });
    return JS_UNDEFINED;
}

/* cancel(stream, reason): nobody hears the outcome */
static JSValue js_cancel(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as(argv[0], READABLE_STREAM);
    if (!s)
        return JS_EXCEPTION;
    JS_FreeValue(ctx, cancel_readable(s, argv[1]));
    clear_exception();
    return JS_UNDEFINED;
}

static JSValue outcome_of(JSValue v)
{
    if (JS_IsObject(v) && JS_VALUE_GET_OBJ(v)->class_id == eventual_class)
        return v;
    return resolved_with(v);
}

static JSValue platform_pull(struct readable *s)
{
    return outcome_of(call_user(s->on_pull, JS_UNDEFINED, 0, NULL));
}

static JSValue platform_cancel(struct readable *s, JSValueConst reason)
{
    return outcome_of(call_user(s->on_cancel, JS_UNDEFINED, 1, &reason));
}

/* createBytes(pull, cancel): both may be missing, and give nothing or an eventual */
static JSValue js_create_bytes(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    bool pulls = JS_IsFunction(ctx, argv[0]), cancels = JS_IsFunction(ctx, argv[1]);
    JSValue v = create_readable(JS_UNDEFINED, JS_UNDEFINED, true, 0, pulls ? platform_pull : NULL,
                                cancels ? platform_cancel : NULL);
    struct readable *s = opaque_of(v);

    if (pulls)
        s->on_pull = js_dup(argv[0]);
    if (cancels)
        s->on_cancel = js_dup(argv[1]);
    return v;
}

static struct readable *as_bytes(JSValueConst v)
{
    struct readable *s = as(v, READABLE_STREAM);
    if (s && !s->bytes) {
        JS_ThrowTypeError(ctx, "The stream is no stream of bytes");
        return NULL;
    }
    return s;
}

static JSValue js_enqueue_bytes(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as_bytes(argv[0]);
    struct view w;
    if (!s || to_view(argv[1], "The chunk", &w) < 0 || byte_enqueue(s, argv[1]) < 0)
        return JS_EXCEPTION;
    return JS_UNDEFINED;
}

/* closes a stream of bytes and answers a read that waits with a view */
static JSValue js_close_bytes(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as_bytes(argv[0]);
    if (!s || byte_close(s) < 0 || (s->pending.len > 0 && respond(s, 0) < 0))
        return JS_EXCEPTION;
    return JS_UNDEFINED;
}

static JSValue js_error_bytes(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as_bytes(argv[0]);
    if (!s)
        return JS_EXCEPTION;
    byte_error(s, argv[1]);
    return JS_UNDEFINED;
}

static JSValue js_tee(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_readable_tee(c, argv[0], 0, NULL);
}

static JSValue js_new_eventual(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return new_eventual(true);
}

/* settle(eventual) fulfils, settle(eventual, reason) rejects */
static JSValue js_settle(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!JS_GetOpaque2(ctx, argv[0], eventual_class))
        return JS_EXCEPTION;
    if (argc > 1)
        reject(argv[0], argv[1]);
    else
        fulfill(argv[0], JS_UNDEFINED);
    return JS_UNDEFINED;
}

/* createTransform(transform, flush): one chunk waits on the writable side, none on
   the readable side; both functions run at once and return nothing */
static JSValue js_create_transform(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct transform *t;
    JSValue v = new_object(TRANSFORM_STREAM, &t), started = fulfilled_eventual();

    t->on_transform = js_dup(argv[0]);
    t->on_flush = js_dup(argv[1]);
    initialize_transform(t, v, started, 1, JS_UNDEFINED, 0, JS_UNDEFINED);
    JS_FreeValue(ctx, started);
    return v;
}

static JSValue js_enqueue_transformed(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct transform *t = as(argv[0], TRANSFORM_STREAM);
    return t ? transform_enqueue(t, argv[1]) : JS_EXCEPTION;
}

static JSValue js_side(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv, int magic)
{
    return js_transform_side(c, argv[0], magic);
}

/* hooks(isSignal, create, abort, aborted, reason, add, remove) */
static JSValue js_hooks(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValueConst *const slots[] = {
        &hook_is_signal, &hook_create_signal, &hook_signal_abort, &hook_signal_aborted,
        &hook_signal_reason, &hook_add_algorithm, &hook_remove_algorithm,
    };
    size_t i;

    for (i = 0; i < countof(slots); i++) {
        JS_FreeValue(ctx, unsafe_unconst(*slots[i]));
        *slots[i] = js_dup(argv[i]);
    }
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry internal_functions[] = {
    JS_CFUNC_DEF("isReadable", 1, js_is_readable),
    JS_CFUNC_DEF("isDisturbed", 1, js_is_disturbed),
    JS_CFUNC_DEF("isLocked", 1, js_is_locked),
    JS_CFUNC_DEF("discard", 1, js_discard),
    JS_CFUNC_DEF("acquireReader", 1, js_acquire_reader),
    JS_CFUNC_DEF("read", 2, js_read),
    JS_CFUNC_DEF("cancel", 2, js_cancel),
    JS_CFUNC_DEF("createBytes", 2, js_create_bytes),
    JS_CFUNC_DEF("enqueueBytes", 2, js_enqueue_bytes),
    JS_CFUNC_DEF("closeBytes", 1, js_close_bytes),
    JS_CFUNC_DEF("errorBytes", 2, js_error_bytes),
    JS_CFUNC_DEF("tee", 1, js_tee),
    JS_CFUNC_DEF("eventual", 0, js_new_eventual),
    JS_CFUNC_DEF("settle", 1, js_settle),
    JS_CFUNC_DEF("createTransform", 2, js_create_transform),
    JS_CFUNC_DEF("enqueueTransformed", 2, js_enqueue_transformed),
    JS_CFUNC_MAGIC_DEF("readableSide", 1, js_side, READABLE_SIDE),
    JS_CFUNC_MAGIC_DEF("writableSide", 1, js_side, WRITABLE_SIDE),
    JS_CFUNC_DEF("hooks", 7, js_hooks),
};
