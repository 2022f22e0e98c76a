/* Exceptions that no user code caught: from jobs and timers at once, rejected
   promises at the end of the turn in which nobody handled them. */

#define MAX_REJECTIONS 256 /* tracked at a time; further ones are counted only */

static struct { JSValue promise, reason; } rejections[MAX_REJECTIONS];
static int rejection_count, rejections_dropped;

static int late_count; /* promises handled after they were reported */
static JSValue late[MAX_REJECTIONS];
static JSValue uncaught_hook = JS_UNDEFINED; /* (kind, error, promise) -> handled */

static JSValue js_host_on_uncaught(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JS_FreeValue(ctx, uncaught_hook);
    uncaught_hook = JS_DupValue(ctx, argv[0]);
    return JS_UNDEFINED;
}

static bool ask_hook(const char *kind, JSValueConst error, JSValueConst promise)
{
    JSValue argv[3], result;
    bool handled;

    if (JS_IsUndefined(uncaught_hook))
        return false;
    argv[0] = JS_NewString(ctx, kind);
    argv[1] = error;
    argv[2] = promise;
    result = JS_Call(ctx, uncaught_hook, JS_UNDEFINED, 3, argv);
    JS_FreeValue(ctx, argv[0]);
    handled = JS_VALUE_GET_TAG(result) == JS_TAG_BOOL && JS_VALUE_GET_BOOL(result);
    if (JS_IsException(result))
        JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, result);
    return handled;
}

static void report_uncaught(const char *kind, JSValueConst error, JSValueConst promise)
{
    DynBuf b;

    if (ask_hook(kind, error, promise))
        return;
    js_dbuf_init(ctx, &b);
    dbuf_printf(&b, "{\"kind\":\"%s\",\"error\":", kind);
    describe(&b, error, 0);
    dbuf_putc(&b, '}');
    if (dbuf_error(&b))
        host_request(OP_UNCAUGHT, 0, NULL, 0, NULL, 0);
    else
        host_request(OP_UNCAUGHT, 0, b.buf, b.size, NULL, 0);
    dbuf_free(&b);
}

static void report_exception(void)
{
    JSValue error = JS_GetException(ctx);
    report_uncaught("exception", error, JS_UNDEFINED);
    JS_FreeValue(ctx, error);
}

static void track_rejection(JSContext *c, JSValueConst promise, JSValueConst reason,
                            bool is_handled, void *opaque)
{
    int i;

    if (!is_handled) {
        if (rejection_count == MAX_REJECTIONS) {
            rejections_dropped++;
            return;
        }
        rejections[rejection_count].promise = JS_DupValue(ctx, promise);
        rejections[rejection_count++].reason = JS_DupValue(ctx, reason);
        return;
    }
    for (i = 0; i < rejection_count; i++) {
        if (JS_VALUE_GET_PTR(rejections[i].promise) == JS_VALUE_GET_PTR(promise)) {
            JS_FreeValue(ctx, rejections[i].promise);
            JS_FreeValue(ctx, rejections[i].reason);
            rejections[i] = rejections[--rejection_count];
            return;
        }
    }
    if (!JS_IsUndefined(uncaught_hook) && late_count < MAX_REJECTIONS)
        late[late_count++] = JS_DupValue(ctx, promise);
}

static void report_rejections(void)
{
    while (late_count > 0) {
        JSValue promise = late[0];
        memmove(late, late + 1, --late_count * sizeof(late[0]));
        ask_hook("handled", JS_UNDEFINED, promise);
        JS_FreeValue(ctx, promise);
    }
    while (rejection_count > 0) {
        JSValue promise = rejections[0].promise, reason = rejections[0].reason;
        memmove(rejections, rejections + 1, --rejection_count * sizeof(rejections[0]));
        report_uncaught("rejection", reason, promise);
        JS_FreeValue(ctx, promise);
        JS_FreeValue(ctx, reason);
    }
    if (rejections_dropped) {
        JSValue text = JS_NewInternalError(ctx, "%d further unhandled rejections in one turn",
                                           rejections_dropped);
        rejections_dropped = 0;
        report_uncaught("rejection", text, JS_UNDEFINED);
        JS_FreeValue(ctx, text);
    }
}

/* the microtask checkpoint: jobs until none, then what ends with the turn */
static void run_jobs(void)
{
    JSContext *c;
    int r;

    do {
        while ((r = JS_ExecutePendingJob(rt, &c)) != 0) {
            if (r < 0)
                report_exception();
        }
        js_clear_kept_objects(rt);
        report_rejections();
    } while (JS_IsJobPending(rt));
}
