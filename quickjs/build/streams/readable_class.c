/* https://streams.spec.whatwg.org/#rs-class */

/* the members of an underlying source, in their order */
static int set_source(struct readable *s, JSValueConst source, const struct strategy *strategy,
                      JSValue *on_start)
{
    static const char what[] = "The underlying source";
    JSValue v;
    double allocate = -1;

    v = get_member(source, "autoAllocateChunkSize");
    if (JS_IsException(v) ||
        (!JS_IsUndefined(v) && enforce_range(v, "The underlying source.autoAllocateChunkSize", &allocate) < 0)) {
        JS_FreeValue(ctx, v);
        return -1;
    }
    JS_FreeValue(ctx, v);
    if (callback_member(source, "cancel", what, &s->on_cancel) < 0 ||
        callback_member(source, "pull", what, &s->on_pull) < 0 ||
        callback_member(source, "start", what, on_start) < 0)
        return -1;
    v = get_member(source, "type");
    if (JS_IsException(v))
        return -1;
    if (!JS_IsUndefined(v)) {
        int r = only_value(v, "bytes", "The underlying source.type");
        JS_FreeValue(ctx, v);
        if (r < 0)
            return -1;
        s->bytes = true;
        if (!JS_IsUndefined(strategy->size)) {
            JS_ThrowRangeError(ctx, "A ReadableStream of bytes takes no strategy with a size function");
            return -1;
        }
    }
    if (mark_of(strategy, s->bytes ? 0 : 1, &s->mark) < 0)
        return -1;
    if (s->bytes) {
        if (allocate == 0) {
            JS_ThrowTypeError(ctx, "The underlying source.autoAllocateChunkSize must be larger than 0");
            return -1;
        }
        s->auto_allocate = allocate > 0 ? allocate : 0;
    }
    return 0;
}

static JSValue js_readable_constructor(JSContext *c, JSValueConst new_target, int argc,
                                       JSValueConst *argv)
{
    struct readable *s;
    struct strategy strategy = { .size = JS_UNDEFINED };
    JSValueConst source = ARG(0);
    JSValue v = construct(new_target, READABLE_STREAM, &s), on_start = JS_UNDEFINED, r = JS_UNDEFINED;

    if (JS_IsException(v))
        return v;
    s->self = v;
    if (to_optional_object(source, "The underlying source") < 0 || to_strategy(ARG(1), &strategy) < 0)
        goto fail;
    if (JS_IsUndefined(source)) {
        if (mark_of(&strategy, 1, &s->mark) < 0)
            goto fail;
        s->size = take(&strategy.size);
    } else {
        if (set_source(s, source, &strategy, &on_start) < 0)
            goto fail;
        s->size = take(&strategy.size);
        s->source = js_dup(source);
        s->controller = new_controller(s->bytes ? BYTE_CONTROLLER : DEFAULT_CONTROLLER, v);
        if (!JS_IsUndefined(s->on_pull))
            s->pull = user_pull;
        if (!JS_IsUndefined(s->on_cancel))
            s->cancel = user_cancel;
        if (!JS_IsUndefined(on_start)) {
            r = call_user(on_start, source, 1, vc(&s->controller));
            if (JS_IsException(r))
                goto fail;
        }
    }
    start_readable(s, resolved_with(r));
    JS_FreeValue(ctx, on_start);
    return v;
fail:
    JS_FreeValue(ctx, on_start);
    JS_FreeValue(ctx, strategy.size);
    JS_FreeValue(ctx, v);
    return JS_EXCEPTION;
}

static JSValue js_readable_from(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (require_args(argc, 1, "ReadableStream.from()") < 0)
        return JS_EXCEPTION;
    return from_iterable(argv[0]);
}

static JSValue js_readable_locked(JSContext *c, JSValueConst this_val)
{
    struct readable *s = as(this_val, READABLE_STREAM);
    return s ? js_bool(!JS_IsUndefined(s->reader)) : JS_EXCEPTION;
}

static JSValue readable_locked_error(void)
{
    return JS_ThrowTypeError(ctx, "The ReadableStream is locked to a reader");
}

static JSValue js_readable_cancel(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = as(this_val, READABLE_STREAM);
    if (!s)
        return to_promise(JS_EXCEPTION);
    if (!JS_IsUndefined(s->reader))
        return to_promise(readable_locked_error());
    return to_promise(cancel_readable(s, ARG(0)));
}

static JSValue js_readable_get_reader(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValueConst options;
    JSValue mode;
    bool byob;

    if (!as(this_val, READABLE_STREAM) ||
        to_dictionary(ARG(0), "getReader()'s options", &options) < 0)
        return JS_EXCEPTION;
    mode = get_member(options, "mode");
    if (JS_IsException(mode))
        return mode;
    byob = !JS_IsUndefined(mode);
    if (byob && only_value(mode, "byob", "mode") < 0) {
        JS_FreeValue(ctx, mode);
        return JS_EXCEPTION;
    }
    JS_FreeValue(ctx, mode);
    return acquire_reader(this_val, byob);
}

static int to_pipe_options(JSValueConst value, struct pipe_options *o)
{
    JSValueConst options;
    JSValue is;

    if (to_dictionary(value, "The options of a pipe", &options) < 0 ||
        bool_member(options, "preventAbort", &o->prevent_abort) < 0 ||
        bool_member(options, "preventCancel", &o->prevent_cancel) < 0 ||
        bool_member(options, "preventClose", &o->prevent_close) < 0)
        return -1;
    o->signal = get_member(options, "signal");
    if (JS_IsException(o->signal))
        return -1;
    if (JS_IsUndefined(o->signal))
        return 0;
    is = JS_Call(ctx, hook_is_signal, JS_UNDEFINED, 1, vc(&o->signal));
    if (JS_ToBoolFree(ctx, is) > 0)
        return 0;
    JS_FreeValue(ctx, o->signal);
    JS_ThrowTypeError(ctx, "The signal of a pipe must be an AbortSignal");
    return -1;
}

/* an eventual, or an exception */
static JSValue pipe_with_options(JSValueConst source, JSValueConst dest, JSValueConst options)
{
    struct pipe_options o;

    if (to_pipe_options(options, &o) < 0)
        return JS_EXCEPTION;
    if (!JS_IsUndefined(((struct readable *)opaque_of(source))->reader)) {
        JS_FreeValue(ctx, o.signal);
        return readable_locked_error();
    }
    if (!JS_IsUndefined(((struct writable *)opaque_of(dest))->writer)) {
        JS_FreeValue(ctx, o.signal);
        return JS_ThrowTypeError(ctx, "The WritableStream of the pipe is locked to a writer");
    }
    return pipe_to(source, dest, &o);
}

static JSValue js_readable_pipe_through(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValueConst pair;
    JSValue readable, writable = JS_UNDEFINED, done;

    if (!as(this_val, READABLE_STREAM) || require_args(argc, 1, "pipeThrough()") < 0 ||
        to_dictionary(argv[0], "pipeThrough()'s argument", &pair) < 0)
        return JS_EXCEPTION;
    readable = get_member(pair, "readable");
    if (JS_IsException(readable) || !as(readable, READABLE_STREAM))
        goto fail;
    writable = get_member(pair, "writable");
    if (JS_IsException(writable) || !as(writable, WRITABLE_STREAM))
        goto fail;
    done = pipe_with_options(this_val, writable, ARG(1));
    if (JS_IsException(done))
        goto fail;
    JS_FreeValue(ctx, done);
    JS_FreeValue(ctx, writable);
    return readable;
fail:
    JS_FreeValue(ctx, writable);
    JS_FreeValue(ctx, readable);
    return JS_EXCEPTION;
}

static JSValue js_readable_pipe_to(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!as(this_val, READABLE_STREAM) || require_args(argc, 1, "pipeTo()") < 0 ||
        !as(argv[0], WRITABLE_STREAM))
        return to_promise(JS_EXCEPTION);
    return to_promise(pipe_with_options(this_val, argv[0], ARG(1)));
}

static JSValue js_readable_tee(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue branches[2], pair;

    if (!as(this_val, READABLE_STREAM) || tee_readable(this_val, branches) < 0)
        return JS_EXCEPTION;
    pair = js_create_array(ctx, 2, vc(branches));
    JS_FreeValue(ctx, branches[0]);
    JS_FreeValue(ctx, branches[1]);
    return pair;
}

static JSValue js_readable_values(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValueConst options;
    bool prevent_cancel;

    if (!as(this_val, READABLE_STREAM) ||
        to_dictionary(ARG(0), "values()'s options", &options) < 0 ||
        bool_member(options, "preventCancel", &prevent_cancel) < 0)
        return JS_EXCEPTION;
    return iterate(this_val, prevent_cancel);
}

static const JSCFunctionListEntry readable_functions[] = {
    JS_CGETSET_DEF("locked", js_readable_locked, NULL),
    JS_CFUNC_DEF("cancel", 0, js_readable_cancel),
    JS_CFUNC_DEF("getReader", 0, js_readable_get_reader),
    JS_CFUNC_DEF("pipeThrough", 1, js_readable_pipe_through),
    JS_CFUNC_DEF("pipeTo", 1, js_readable_pipe_to),
    JS_CFUNC_DEF("tee", 0, js_readable_tee),
    JS_CFUNC_DEF("values", 0, js_readable_values),
    JS_ALIAS_DEF("[Symbol.asyncIterator]", "values"),
};

static const JSCFunctionListEntry readable_statics[] = {
    JS_CFUNC_DEF("from", 1, js_readable_from),
};
