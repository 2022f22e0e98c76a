/* https://streams.spec.whatwg.org/#ts-class */

static int absent_member(JSValueConst dictionary, const char *name)
{
    JSValue v = get_member(dictionary, name);

    if (JS_IsException(v))
        return -1;
    if (JS_IsUndefined(v))
        return 0;
    JS_FreeValue(ctx, v);
    return 1;
}

/* the members of a transformer, in their order */
static int set_transformer(struct transform *t, JSValueConst transformer, JSValue *on_start)
{
    static const char what[] = "The transformer";
    int readable_type, writable_type;

    if (callback_member(transformer, "cancel", what, &t->on_cancel) < 0 ||
        callback_member(transformer, "flush", what, &t->on_flush) < 0 ||
        (readable_type = absent_member(transformer, "readableType")) < 0 ||
        callback_member(transformer, "start", what, on_start) < 0 ||
        callback_member(transformer, "transform", what, &t->on_transform) < 0 ||
        (writable_type = absent_member(transformer, "writableType")) < 0)
        return -1;
    if (readable_type || writable_type) {
        JS_ThrowRangeError(ctx, "The transformer's %s must be undefined",
                           readable_type ? "readableType" : "writableType");
        return -1;
    }
    return 0;
}

static JSValue js_transform_constructor(JSContext *c, JSValueConst new_target, int argc,
                                        JSValueConst *argv)
{
    struct transform *t;
    struct strategy w = { .size = JS_UNDEFINED }, r = { .size = JS_UNDEFINED };
    JSValueConst transformer = ARG(0);
    JSValue v = construct(new_target, TRANSFORM_STREAM, &t), on_start = JS_UNDEFINED, started, result;
    double writable_mark, readable_mark;

    if (JS_IsException(v))
        return v;
    if (to_optional_object(transformer, "The transformer") < 0 || to_strategy(ARG(1), &w) < 0 ||
        to_strategy(ARG(2), &r) < 0 || set_transformer(t, transformer, &on_start) < 0 ||
        mark_of(&r, 0, &readable_mark) < 0 || mark_of(&w, 1, &writable_mark) < 0)
        goto fail;
    t->transformer = js_dup(transformer);
    started = new_eventual(true);
    initialize_transform(t, v, started, writable_mark, take(&w.size), readable_mark, take(&r.size));
    if (JS_IsUndefined(on_start)) {
        fulfill(started, JS_UNDEFINED);
    } else {
        result = call_user(on_start, transformer, 1, vc(&t->controller));
        if (JS_IsException(result)) {
            JS_FreeValue(ctx, started);
            goto fail;
        }
        resolve_with_value(started, result);
        JS_FreeValue(ctx, result);
    }
    JS_FreeValue(ctx, started);
    JS_FreeValue(ctx, on_start);
    return v;
fail:
    JS_FreeValue(ctx, on_start);
    JS_FreeValue(ctx, w.size);
    JS_FreeValue(ctx, r.size);
    JS_FreeValue(ctx, v);
    return JS_EXCEPTION;
}

enum { READABLE_SIDE, WRITABLE_SIDE };

static JSValue js_transform_side(JSContext *c, JSValueConst this_val, int magic)
{
    struct transform *t = as(this_val, TRANSFORM_STREAM);
    if (!t)
        return JS_EXCEPTION;
    return js_dup(magic == READABLE_SIDE ? t->readable : t->writable);
}

static JSValue js_transform_desired_size(JSContext *c, JSValueConst this_val)
{
    struct transform *t = controlled(this_val, TRANSFORM_CONTROLLER);
    return t ? readable_desired_size(readable_of(t)) : JS_EXCEPTION;
}

static JSValue js_transform_enqueue(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct transform *t = controlled(this_val, TRANSFORM_CONTROLLER);
    return t ? transform_enqueue(t, ARG(0)) : JS_EXCEPTION;
}

static JSValue js_transform_error(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct transform *t = controlled(this_val, TRANSFORM_CONTROLLER);
    if (!t)
        return JS_EXCEPTION;
    transform_error(t, ARG(0));
    return JS_UNDEFINED;
}

static JSValue js_transform_terminate(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct transform *t = controlled(this_val, TRANSFORM_CONTROLLER);
    if (!t)
        return JS_EXCEPTION;
    terminate(t);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry transform_functions[] = {
    JS_CGETSET_MAGIC_DEF("readable", js_transform_side, NULL, READABLE_SIDE),
    JS_CGETSET_MAGIC_DEF("writable", js_transform_side, NULL, WRITABLE_SIDE),
};

static const JSCFunctionListEntry transform_controller_functions[] = {
    JS_CGETSET_DEF("desiredSize", js_transform_desired_size, NULL),
    JS_CFUNC_DEF("enqueue", 0, js_transform_enqueue),
    JS_CFUNC_DEF("error", 0, js_transform_error),
    JS_CFUNC_DEF("terminate", 0, js_transform_terminate),
};
