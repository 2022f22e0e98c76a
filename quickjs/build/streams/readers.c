/* https://streams.spec.whatwg.org/#default-reader-class and #byob-reader-class */

/* a read that a promise waits for */
static void promise_chunk(struct request *q, JSValue value)
{
    resolve_result(q->a, value, false);
    JS_FreeValue(ctx, value);
}

static void promise_close(struct request *q, JSValue value)
{
    resolve_result(q->a, value, true);
    JS_FreeValue(ctx, value);
}

static void promise_error(struct request *q, JSValueConst reason)
{
    reject_promise(q->a, reason);
}

static const struct request_steps promise_steps = { promise_chunk, promise_close, promise_error };

static JSValue reader_released(void)
{
    return to_promise(JS_ThrowTypeError(ctx, "The reader was released"));
}

static JSValue js_reader_constructor(JSContext *c, JSValueConst new_target, int argc,
                                     JSValueConst *argv, int magic)
{
    struct reader *r;
    JSValue v = construct(new_target, magic, &r);

    if (JS_IsException(v))
        return v;
    if (require_args(argc, 1, magic == BYOB_READER ? "new ReadableStreamBYOBReader()" :
                     "new ReadableStreamDefaultReader()") < 0 ||
        !as(argv[0], READABLE_STREAM) ||
        lock_readable(v, r, argv[0], magic == BYOB_READER) < 0) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    return v;
}

static JSValue js_reader_closed(JSContext *c, JSValueConst this_val, int magic)
{
    struct reader *r = as(this_val, magic);
    return r ? promise_of(r->closed) : to_promise(JS_EXCEPTION);
}

static JSValue js_reader_cancel(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                                int magic)
{
    struct reader *r = as(this_val, magic);
    if (!r)
        return to_promise(JS_EXCEPTION);
    if (JS_IsUndefined(r->stream))
        return reader_released();
    return to_promise(cancel_readable(opaque_of(r->stream), ARG(0)));
}

static JSValue js_reader_read(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct reader *r = as(this_val, DEFAULT_READER);
    JSValue p;

    if (!r)
        return to_promise(JS_EXCEPTION);
    if (JS_IsUndefined(r->stream))
        return reader_released();
    p = new_promise();
    read_chunk(r, (struct request){ &promise_steps, js_dup(p), JS_UNDEFINED });
    return p;
}

static int byob_read_args(int argc, JSValueConst *argv, double *min)
{
    JSValueConst options;
    JSValue given;
    struct view w;
    uint32_t length;

    if (require_args(argc, 1, "read()") < 0 || to_view(argv[0], "The view", &w) < 0 ||
        to_dictionary(ARG(1), "read()'s options", &options) < 0)
        return -1;
    given = get_member(options, "min");
    if (JS_IsException(given))
        return -1;
    *min = 1;
    if (!JS_IsUndefined(given) && enforce_range(given, "min", min) < 0) {
        JS_FreeValue(ctx, given);
        return -1;
    }
    JS_FreeValue(ctx, given);
    length = w.class_id == JS_CLASS_DATAVIEW ? w.length : w.length / w.element;
    if (w.length == 0)
        JS_ThrowTypeError(ctx, "The view must not be empty");
    else if (array_buffer(w.buffer)->detached)
        JS_ThrowTypeError(ctx, "The view's ArrayBuffer is detached");
    else if (array_buffer(w.buffer)->byte_length == 0)
        JS_ThrowTypeError(ctx, "The view's buffer must not be empty");
    else if (*min == 0)
        JS_ThrowTypeError(ctx, "min must be larger than 0");
    else if (*min > length)
        JS_ThrowRangeError(ctx, "min must not be larger than the view");
    else
        return 0;
    return -1;
}

static JSValue js_byob_read(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct reader *r = as(this_val, BYOB_READER);
    double min;
    JSValue p;

    if (!r || byob_read_args(argc, argv, &min) < 0)
        return to_promise(JS_EXCEPTION);
    if (JS_IsUndefined(r->stream))
        return reader_released();
    p = new_promise();
    read_into(r, argv[0], min, (struct request){ &promise_steps, js_dup(p), JS_UNDEFINED });
    return p;
}

static JSValue js_reader_release(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                                 int magic)
{
    struct reader *r = as(this_val, magic);
    if (!r)
        return JS_EXCEPTION;
    if (!JS_IsUndefined(r->stream))
        release_reader(this_val);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry default_reader_functions[] = {
    JS_CGETSET_MAGIC_DEF("closed", js_reader_closed, NULL, DEFAULT_READER),
    JS_CFUNC_MAGIC_DEF("cancel", 0, js_reader_cancel, DEFAULT_READER),
    JS_CFUNC_DEF("read", 0, js_reader_read),
    JS_CFUNC_MAGIC_DEF("releaseLock", 0, js_reader_release, DEFAULT_READER),
};

static const JSCFunctionListEntry byob_reader_functions[] = {
    JS_CGETSET_MAGIC_DEF("closed", js_reader_closed, NULL, BYOB_READER),
    JS_CFUNC_MAGIC_DEF("cancel", 0, js_reader_cancel, BYOB_READER),
    JS_CFUNC_DEF("read", 1, js_byob_read),
    JS_CFUNC_MAGIC_DEF("releaseLock", 0, js_reader_release, BYOB_READER),
};
