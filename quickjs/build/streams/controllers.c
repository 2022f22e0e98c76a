/* The controllers and the BYOB request as users see them,
   https://streams.spec.whatwg.org/#rs-default-controller-class and following. */

static JSValue js_illegal(JSContext *c, JSValueConst new_target, int argc, JSValueConst *argv)
{
    return JS_ThrowTypeError(ctx, "Illegal constructor");
}

static JSValue js_readable_desired_size(JSContext *c, JSValueConst this_val, int magic)
{
    struct readable *s = controlled(this_val, magic);
    return s ? readable_desired_size(s) : JS_EXCEPTION;
}

static JSValue js_default_close(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = controlled(this_val, DEFAULT_CONTROLLER);
    if (!s)
        return JS_EXCEPTION;
    if (!can_close_or_enqueue(s))
        return refuse(s, "close");
    default_close(s);
    return JS_UNDEFINED;
}

static JSValue js_default_enqueue(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = controlled(this_val, DEFAULT_CONTROLLER);
    if (!s)
        return JS_EXCEPTION;
    if (!can_close_or_enqueue(s))
        return refuse(s, "enqueue");
    return default_enqueue(s, ARG(0)) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue js_readable_error(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                                 int magic)
{
    struct readable *s = controlled(this_val, magic);
    if (!s)
        return JS_EXCEPTION;
    controller_error(s, ARG(0));
    return JS_UNDEFINED;
}

static JSValue js_byte_request(JSContext *c, JSValueConst this_val)
{
    struct readable *s = controlled(this_val, BYTE_CONTROLLER);
    JSValueConst request;

    if (!s)
        return JS_EXCEPTION;
    request = byob_request(s);
    return JS_IsUndefined(request) ? JS_NULL : js_dup(request);
}

static JSValue js_byte_close(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = controlled(this_val, BYTE_CONTROLLER);
    if (!s)
        return JS_EXCEPTION;
    if (!can_close_or_enqueue(s))
        return refuse(s, "close");
    return byte_close(s) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue js_byte_enqueue(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct readable *s = controlled(this_val, BYTE_CONTROLLER);
    struct view w;

    if (!s || require_args(argc, 1, "enqueue()") < 0 || to_view(argv[0], "The chunk", &w) < 0)
        return JS_EXCEPTION;
    if (w.length == 0)
        return JS_ThrowTypeError(ctx, "The chunk must not be empty");
    if (array_buffer(w.buffer)->byte_length == 0)
        return JS_ThrowTypeError(ctx, "The chunk's buffer must not be empty");
    if (!can_close_or_enqueue(s))
        return refuse(s, "enqueue");
    return byte_enqueue(s, argv[0]) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue answered(void)
{
    return JS_ThrowTypeError(ctx, "The BYOB request was answered or is no longer valid");
}

static JSValue js_request_view(JSContext *c, JSValueConst this_val)
{
    struct byob_request *q = as(this_val, BYOB_REQUEST);
    if (!q)
        return JS_EXCEPTION;
    return JS_IsUndefined(q->view) ? JS_NULL : js_dup(q->view);
}

static JSValue js_request_respond(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct byob_request *q = as(this_val, BYOB_REQUEST);
    struct view w;
    JSValue hold;
    double n;
    int r;

    if (!q || require_args(argc, 1, "respond()") < 0 || enforce_range(argv[0], "bytesWritten", &n) < 0)
        return JS_EXCEPTION;
    if (JS_IsUndefined(q->stream))
        return answered();
    take_apart(q->view, &w);
    if (array_buffer(w.buffer)->detached)
        return JS_ThrowTypeError(ctx, "The request's view was transferred: its ArrayBuffer is detached");
    hold = js_dup(q->stream);
    r = respond(opaque_of(hold), n);
    JS_FreeValue(ctx, hold);
    return r < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue js_request_respond_with_new_view(JSContext *c, JSValueConst this_val, int argc,
                                                JSValueConst *argv)
{
    struct byob_request *q = as(this_val, BYOB_REQUEST);
    struct view w;
    JSValue hold;
    int r;

    if (!q || require_args(argc, 1, "respondWithNewView()") < 0 || to_view(argv[0], "The view", &w) < 0)
        return JS_EXCEPTION;
    if (JS_IsUndefined(q->stream))
        return answered();
    if (array_buffer(w.buffer)->detached)
        return JS_ThrowTypeError(ctx, "The view's ArrayBuffer is detached");
    hold = js_dup(q->stream);
    r = respond_with_new_view(opaque_of(hold), argv[0]);
    JS_FreeValue(ctx, hold);
    return r < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry default_controller_functions[] = {
    JS_CGETSET_MAGIC_DEF("desiredSize", js_readable_desired_size, NULL, DEFAULT_CONTROLLER),
    JS_CFUNC_DEF("close", 0, js_default_close),
    JS_CFUNC_DEF("enqueue", 0, js_default_enqueue),
    JS_CFUNC_MAGIC_DEF("error", 0, js_readable_error, DEFAULT_CONTROLLER),
};

static const JSCFunctionListEntry byte_controller_functions[] = {
    JS_CGETSET_DEF("byobRequest", js_byte_request, NULL),
    JS_CGETSET_MAGIC_DEF("desiredSize", js_readable_desired_size, NULL, BYTE_CONTROLLER),
    JS_CFUNC_DEF("close", 0, js_byte_close),
    JS_CFUNC_DEF("enqueue", 1, js_byte_enqueue),
    JS_CFUNC_MAGIC_DEF("error", 0, js_readable_error, BYTE_CONTROLLER),
};

static const JSCFunctionListEntry byob_request_functions[] = {
    JS_CGETSET_DEF("view", js_request_view, NULL),
    JS_CFUNC_DEF("respond", 1, js_request_respond),
    JS_CFUNC_DEF("respondWithNewView", 1, js_request_respond_with_new_view),
};
