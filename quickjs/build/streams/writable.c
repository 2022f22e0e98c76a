/* States of writable streams, https://streams.spec.whatwg.org/#ws-abstract-ops. */

static JSValueConst hook_create_signal, hook_signal_abort;

static bool close_queued_or_in_flight(const struct writable *s)
{
    return !JS_IsUndefined(s->close_request) || !JS_IsUndefined(s->in_flight_close);
}

static struct writer *writer_of(const struct writable *s)
{
    return JS_IsUndefined(s->writer) ? NULL : opaque_of(s->writer);
}

/* a stream whose controller has not been started yet */
static JSValue new_writable(double mark, struct writable **out)
{
    JSValue v = new_object(WRITABLE_STREAM, out);
    (*out)->self = v;
    (*out)->mark = mark;
    (*out)->backpressure = mark <= 0;
    return v;
}

static int lock_writable(JSValueConst writer, struct writer *w, JSValueConst stream)
{
    struct writable *s = opaque_of(stream);

    if (!JS_IsUndefined(s->writer)) {
        JS_ThrowTypeError(ctx, "The WritableStream is locked to a writer already");
        return -1;
    }
    w->stream = js_dup(stream);
    s->writer = js_dup(writer);
    w->ready = s->state == ERRORING || s->state == WS_ERRORED ? rejected_eventual(s->stored_error, true) :
               s->state == WRITABLE && s->backpressure && !close_queued_or_in_flight(s) ?
               new_eventual(true) : fulfilled_eventual();
    w->closed = s->state == WS_ERRORED ? rejected_eventual(s->stored_error, true) :
                s->state == WS_CLOSED ? fulfilled_eventual() : new_eventual(true);
    return 0;
}

static JSValue acquire_writer(JSValueConst stream)
{
    struct writer *w;
    JSValue v = new_object(WRITER, &w);

    if (lock_writable(v, w, stream) < 0) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    return v;
}

static void clear_writable_algorithms(struct writable *s)
{
    s->write = NULL;
    s->close = NULL;
    s->abort = NULL;
    put(&s->on_write, JS_UNDEFINED);
    put(&s->on_close, JS_UNDEFINED);
    put(&s->on_abort, JS_UNDEFINED);
    put(&s->size, JS_UNDEFINED);
}

static void settle(JSValue *slot, JSValueConst reason, bool ok)
{
    JSValue e = take(slot);
    if (JS_IsUndefined(e))
        return;
    if (ok)
        fulfill(e, JS_UNDEFINED);
    else
        reject(e, reason);
    JS_FreeValue(ctx, e);
}

static void reject_close_and_closed(struct writable *s)
{
    struct writer *w = writer_of(s);

    settle(&s->close_request, s->stored_error, false);
    if (w)
        reject_or_replace(&w->closed, s->stored_error);
}

JOB(abort_ok)
{
    struct writable *s = opaque_of(argv[0]);
    settle(&s->abort_promise, JS_UNDEFINED, true);
    reject_close_and_closed(s);
    return JS_UNDEFINED;
}

JOB(abort_failed)
{
    struct writable *s = opaque_of(argv[0]);
    settle(&s->abort_promise, argv[1], false);
    reject_close_and_closed(s);
    return JS_UNDEFINED;
}

static void finish_erroring(struct writable *s)
{
    struct fifo all = fifo_take(&s->requests);
    JSValue request, result, reason;

    s->state = WS_ERRORED;
    sized_free(rt, &s->queue);
    while (all.len) {
        fifo_shift(&all, sizeof(request), &request);
        settle(&request, s->stored_error, false);
    }
    js_free_rt(rt, all.items);
    if (JS_IsUndefined(s->abort_promise)) {
        reject_close_and_closed(s);
        return;
    }
    if (s->was_erroring) {
        settle(&s->abort_promise, s->stored_error, false);
        reject_close_and_closed(s);
        return;
    }
    reason = take(&s->abort_reason);
    result = s->abort ? s->abort(s, reason) : JS_UNDEFINED;
    JS_FreeValue(ctx, reason);
    clear_writable_algorithms(s);
    react(result, s->self, abort_ok, abort_failed);
}

static void start_erroring(struct writable *s, JSValueConst reason)
{
    struct writer *w = writer_of(s);

    s->state = ERRORING;
    put(&s->stored_error, js_dup(reason));
    if (w)
        reject_or_replace(&w->ready, reason);
    if (JS_IsUndefined(s->in_flight_write) && JS_IsUndefined(s->in_flight_close) && s->started)
        finish_erroring(s);
}

static void deal_with_rejection(struct writable *s, JSValueConst reason)
{
    if (s->state == WRITABLE)
        start_erroring(s, reason);
    else
        finish_erroring(s);
}

/* WritableStreamDefaultControllerError */
static void error_writable(struct writable *s, JSValueConst reason)
{
    JSValue hold = js_dup(s->self);
    clear_writable_algorithms(s);
    start_erroring(s, reason);
    JS_FreeValue(ctx, hold);
}

/* WritableStreamDefaultControllerErrorIfNeeded */
static void error_if_needed(struct writable *s, JSValueConst reason)
{
    if (s->state == WRITABLE)
        error_writable(s, reason);
}

/* the signal that sinks see exists from when somebody asks for it */
static JSValue signal_of(struct writable *s)
{
    JSValueConst args[2];
    JSValue r;

    if (JS_IsUndefined(s->signal)) {
        r = JS_Call(ctx, hook_create_signal, JS_UNDEFINED, 0, NULL);
        if (JS_IsException(r))
            return r;
        put(&s->signal, r);
        if (s->aborted) {
            args[0] = s->signal;
            args[1] = s->signal_reason;
            JS_FreeValue(ctx, JS_Call(ctx, hook_signal_abort, JS_UNDEFINED, 2, args));
        }
    }
    return js_dup(s->signal);
}

/* WritableStreamAbort; an outcome */
static JSValue abort_writable(struct writable *s, JSValueConst reason)
{
    JSValueConst args[2];
    JSValue hold, promise;

    if (s->state == WS_CLOSED || s->state == WS_ERRORED)
        return JS_UNDEFINED;
    hold = js_dup(s->self);
    promise = JS_UNDEFINED;
    if (!s->aborted) {
        s->aborted = true;
        put(&s->signal_reason, js_dup(reason));
        if (!JS_IsUndefined(s->signal)) {
            args[0] = s->signal;
            args[1] = reason;
            JS_FreeValue(ctx, JS_Call(ctx, hook_signal_abort, JS_UNDEFINED, 2, args));
            clear_exception();
        }
    }
    /* the signal's listeners may have changed the state */
    if (s->state == WS_CLOSED || s->state == WS_ERRORED)
        goto done;
    if (!JS_IsUndefined(s->abort_promise)) {
        promise = js_dup(s->abort_promise);
        goto done;
    }
    s->was_erroring = s->state == ERRORING;
    promise = new_eventual(false);
    s->abort_promise = js_dup(promise);
    put(&s->abort_reason, s->was_erroring ? JS_UNDEFINED : js_dup(reason));
    if (!s->was_erroring)
        start_erroring(s, reason);
done:
    JS_FreeValue(ctx, hold);
    return promise;
}

/* WritableStreamDefaultWriterGetDesiredSize */
static JSValue writable_desired_size(const struct writable *s)
{
    if (s->state == WS_ERRORED || s->state == ERRORING)
        return JS_NULL;
    return s->state == WS_CLOSED ? js_int32(0) : js_float64(s->mark - s->queue.total);
}
