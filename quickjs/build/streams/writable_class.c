/* https://streams.spec.whatwg.org/#ws-class and the classes that belong to it */

static int set_sink(struct writable *s, JSValueConst sink, JSValue *on_start)
{
    static const char what[] = "The underlying sink";
    JSValue type;

    if (callback_member(sink, "abort", what, &s->on_abort) < 0 ||
        callback_member(sink, "close", what, &s->on_close) < 0 ||
        callback_member(sink, "start", what, on_start) < 0)
        return -1;
    type = get_member(sink, "type");
    if (JS_IsException(type))
        return -1;
    if (!JS_IsUndefined(type)) {
        JS_FreeValue(ctx, type);
        JS_ThrowRangeError(ctx, "The underlying sink's type must be undefined");
        return -1;
    }
    return callback_member(sink, "write", what, &s->on_write);
}

static JSValue js_writable_constructor(JSContext *c, JSValueConst new_target, int argc,
                                       JSValueConst *argv)
{
    struct writable *s;
    struct strategy strategy = { .size = JS_UNDEFINED };
    JSValueConst sink = ARG(0);
    JSValue v = construct(new_target, WRITABLE_STREAM, &s), on_start = JS_UNDEFINED, r = JS_UNDEFINED;

    if (JS_IsException(v))
        return v;
    s->self = v;
    if (to_optional_object(sink, "The underlying sink") < 0 || to_strategy(ARG(1), &strategy) < 0 ||
        (!JS_IsUndefined(sink) && set_sink(s, sink, &on_start) < 0) ||
        mark_of(&strategy, 1, &s->mark) < 0)
        goto fail;
    s->backpressure = s->mark <= 0;
    s->size = take(&strategy.size);
    s->sink = js_dup(sink);
    s->controller = new_controller(WRITABLE_CONTROLLER, v);
    if (!JS_IsUndefined(s->on_write))
        s->write = user_write;
    if (!JS_IsUndefined(s->on_close))
        s->close = user_close;
    if (!JS_IsUndefined(s->on_abort))
        s->abort = user_abort;
    if (!JS_IsUndefined(on_start)) {
        r = call_user(on_start, sink, 1, vc(&s->controller));
        if (JS_IsException(r))
            goto fail;
    }
    start_writable(s, resolved_with(r));
    JS_FreeValue(ctx, on_start);
    return v;
fail:
    JS_FreeValue(ctx, on_start);
    JS_FreeValue(ctx, strategy.size);
    JS_FreeValue(ctx, v);
    return JS_EXCEPTION;
}

static JSValue js_writable_locked(JSContext *c, JSValueConst this_val)
{
    struct writable *s = as(this_val, WRITABLE_STREAM);
    return s ? js_bool(!JS_IsUndefined(s->writer)) : JS_EXCEPTION;
}

static JSValue writable_locked_error(void)
{
    return JS_ThrowTypeError(ctx, "The WritableStream is locked to a writer");
}

static JSValue close_once(struct writable *s)
{
    if (close_queued_or_in_flight(s))
        return JS_ThrowTypeError(ctx, "The WritableStream is closing already");
    return close_writable(s);
}

static JSValue js_writable_abort(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writable *s = as(this_val, WRITABLE_STREAM);
    if (!s)
        return to_promise(JS_EXCEPTION);
    return to_promise(JS_IsUndefined(s->writer) ? abort_writable(s, ARG(0)) : writable_locked_error());
}

static JSValue js_writable_close(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writable *s = as(this_val, WRITABLE_STREAM);
    if (!s)
        return to_promise(JS_EXCEPTION);
    return to_promise(JS_IsUndefined(s->writer) ? close_once(s) : writable_locked_error());
}

static JSValue js_writable_get_writer(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!as(this_val, WRITABLE_STREAM))
        return JS_EXCEPTION;
    return acquire_writer(this_val);
}

static JSValue js_writable_signal(JSContext *c, JSValueConst this_val)
{
    struct writable *s = controlled(this_val, WRITABLE_CONTROLLER);
    return s ? signal_of(s) : JS_EXCEPTION;
}

static JSValue js_writable_error(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writable *s = controlled(this_val, WRITABLE_CONTROLLER);
    if (!s)
        return JS_EXCEPTION;
    error_if_needed(s, ARG(0));
    return JS_UNDEFINED;
}

static JSValue js_writer_constructor(JSContext *c, JSValueConst new_target, int argc, JSValueConst *argv)
{
    struct writer *w;
    JSValue v = construct(new_target, WRITER, &w);

    if (JS_IsException(v))
        return v;
    if (require_args(argc, 1, "new WritableStreamDefaultWriter()") < 0 ||
        !as(argv[0], WRITABLE_STREAM) || lock_writable(v, w, argv[0]) < 0) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    return v;
}

/* the stream of a writer that was not released */
static struct writable *written(JSValueConst this_val)
{
    struct writer *w = as(this_val, WRITER);
    if (!w)
        return NULL;
    if (JS_IsUndefined(w->stream)) {
        JS_ThrowTypeError(ctx, "The writer was released");
        return NULL;
    }
    return opaque_of(w->stream);
}

enum { WRITER_CLOSED, WRITER_READY };

static JSValue js_writer_promise(JSContext *c, JSValueConst this_val, int magic)
{
    struct writer *w = as(this_val, WRITER);
    if (!w)
        return to_promise(JS_EXCEPTION);
    return promise_of(magic == WRITER_READY ? w->ready : w->closed);
}

static JSValue js_writer_desired_size(JSContext *c, JSValueConst this_val)
{
    struct writable *s = written(this_val);
    return s ? writable_desired_size(s) : JS_EXCEPTION;
}

static JSValue js_writer_abort(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writable *s = written(this_val);
    return to_promise(s ? abort_writable(s, ARG(0)) : JS_EXCEPTION);
}

static JSValue js_writer_close(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writable *s = written(this_val);
    return to_promise(s ? close_once(s) : JS_EXCEPTION);
}

static JSValue js_writer_release(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct writer *w = as(this_val, WRITER);
    if (!w)
        return JS_EXCEPTION;
    if (!JS_IsUndefined(w->stream))
        release_writer(this_val);
    return JS_UNDEFINED;
}

static JSValue js_writer_write(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!written(this_val))
        return to_promise(JS_EXCEPTION);
    return to_promise(write_chunk(opaque_of(this_val), ARG(0), true));
}

static const JSCFunctionListEntry writable_functions[] = {
    JS_CGETSET_DEF("locked", js_writable_locked, NULL),
    JS_CFUNC_DEF("abort", 0, js_writable_abort),
    JS_CFUNC_DEF("close", 0, js_writable_close),
    JS_CFUNC_DEF("getWriter", 0, js_writable_get_writer),
};

static const JSCFunctionListEntry writable_controller_functions[] = {
    JS_CGETSET_DEF("signal", js_writable_signal, NULL),
    JS_CFUNC_DEF("error", 0, js_writable_error),
};

static const JSCFunctionListEntry writer_functions[] = {
    JS_CGETSET_MAGIC_DEF("closed", js_writer_promise, NULL, WRITER_CLOSED),
    JS_CGETSET_DEF("desiredSize", js_writer_desired_size, NULL),
    JS_CGETSET_MAGIC_DEF("ready", js_writer_promise, NULL, WRITER_READY),
    JS_CFUNC_DEF("abort", 0, js_writer_abort),
    JS_CFUNC_DEF("close", 0, js_writer_close),
    JS_CFUNC_DEF("releaseLock", 0, js_writer_release),
    JS_CFUNC_DEF("write", 0, js_writer_write),
};
