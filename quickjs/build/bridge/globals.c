/* What the engine itself adds to the global object: timers, and __host, which
   polyfills capture and delete. */

static JSValue reply_proto;

static JSValue js_host_get_async_context(JSContext *c, JSValueConst this_val, int argc,
                                         JSValueConst *argv)
{
    return JS_DupValue(ctx, rt->async_context);
}

static JSValue js_host_set_async_context(JSContext *c, JSValueConst this_val, int argc,
                                         JSValueConst *argv)
{
    JSValue old = rt->async_context;
    rt->async_context = JS_DupValue(ctx, argv[0]);
    JS_FreeValue(ctx, old);
    return JS_UNDEFINED;
}

/* host.log(level, text) */
static JSValue js_host_log(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    int32_t level;
    size_t len;
    const char *s;

    if (JS_ToInt32(ctx, &level, argv[0]) < 0)
        return JS_EXCEPTION;
    s = JS_ToCStringLen(ctx, &len, argv[1]);
    if (!s)
        return JS_EXCEPTION;
    host_log(s, len, level);
    JS_FreeCString(ctx, s);
    return JS_UNDEFINED;
}

/* host.random(view): fill with random bytes of the host's cryptographic source */
static JSValue js_host_random(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    const uint8_t *p;
    size_t len;
    int r = bytes_of(argv[0], &p, &len);

    if (r == 0)
        return JS_ThrowTypeError(ctx, "random() takes an ArrayBuffer or a view of one");
    if (r < 0)
        return JS_EXCEPTION;
    host_random((void *)p, len);
    return JS_DupValue(ctx, argv[0]);
}

/* host.reply(head, body): an export's result that has both */
static JSValue js_host_reply(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue v = JS_NewObjectProto(ctx, reply_proto);
    if (JS_IsException(v))
        return v;
    JS_DefinePropertyValueStr(ctx, v, "head", JS_DupValue(ctx, argv[0]), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, v, "body", JS_DupValue(ctx, argv[1]), JS_PROP_C_W_E);
    return v;
}

static double time_origin; /* Unix ms; ctx->time_origin is its monotonic twin */

static JSValue js_time_origin(JSContext *c, JSValueConst this_val)
{
    return js_float64(time_origin);
}

static const JSCFunctionListEntry host_functions[] = {
    JS_CFUNC_DEF("op", 1, js_host_op),
    JS_CFUNC_DEF("callId", 0, js_host_call_id),
    JS_CFUNC_DEF("cancel", 1, js_host_cancel),
    JS_CFUNC_DEF("asyncContext", 0, js_host_get_async_context),
    JS_CFUNC_DEF("setAsyncContext", 1, js_host_set_async_context),
    JS_CFUNC_DEF("log", 2, js_host_log),
    JS_CFUNC_DEF("random", 1, js_host_random),
    JS_CFUNC_DEF("reply", 2, js_host_reply),
    JS_CFUNC_DEF("onUncaught", 1, js_host_on_uncaught),
};

static const JSCFunctionListEntry global_functions[] = {
    JS_CFUNC_MAGIC_DEF("setTimeout", 2, js_set_timer, 0),
    JS_CFUNC_MAGIC_DEF("setInterval", 2, js_set_timer, 1),
    JS_CFUNC_DEF("clearTimeout", 1, js_clear_timer),
    JS_CFUNC_DEF("clearInterval", 1, js_clear_timer),
};

static const JSCFunctionListEntry performance_properties[] = {
    JS_CGETSET_DEF("timeOrigin", js_time_origin, NULL),
};

static int add_globals(void)
{
    JSValue host = JS_NewObject(ctx), perf;

    reply_proto = JS_NewObject(ctx);
    if (JS_IsException(host) || JS_IsException(reply_proto))
        return -1;
    JS_SetPropertyFunctionList(ctx, host, host_functions, countof(host_functions));
    if (install_streams(host) < 0 || install_encoding(host) < 0)
        return -1;
    JS_DefinePropertyValueStr(ctx, ctx->global_obj, "__host", host,
                              JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
    JS_SetPropertyFunctionList(ctx, ctx->global_obj, global_functions, countof(global_functions));
    perf = JS_GetPropertyStr(ctx, ctx->global_obj, "performance");
    JS_SetPropertyFunctionList(ctx, perf, performance_properties, countof(performance_properties));
    JS_FreeValue(ctx, perf);
    return 0;
}
