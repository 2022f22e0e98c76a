/* The queue of a writable stream and its writers. */

/* stands for the promise of a write that nobody waits for */
static JSValue unheard;

#define CLOSE_SENTINEL JS_UNINITIALIZED

static void advance(struct writable *s);

static void update_backpressure(struct writable *s)
{
    bool backpressure = s->mark - s->queue.total <= 0;
    struct writer *w = writer_of(s);

    if (backpressure == s->backpressure)
        return;
    s->backpressure = backpressure;
    if (!w)
        return;
    if (backpressure)
        renew(&w->ready);
    else
        fulfill(w->ready, JS_UNDEFINED);
}

JOB(writable_started)
{
    struct writable *s = opaque_of(argv[0]);
    s->started = true;
    advance(s);
    return JS_UNDEFINED;
}

JOB(writable_start_failed)
{
    struct writable *s = opaque_of(argv[0]);
    s->started = true;
    deal_with_rejection(s, argv[1]);
    return JS_UNDEFINED;
}

/* the rest of SetUpWritableStreamDefaultController; takes the outcome of start */
static void start_writable(struct writable *s, JSValue outcome)
{
    react(outcome, s->self, writable_started, writable_start_failed);
}

/* the reaction to the sink's write promise */
JOB(wrote)
{
    struct writable *s = opaque_of(argv[0]);

    settle(&s->in_flight_write, JS_UNDEFINED, true);
    JS_FreeValue(ctx, sized_shift(&s->queue));
    if (s->state == WRITABLE && !close_queued_or_in_flight(s))
        update_backpressure(s);
    advance(s);
    return JS_UNDEFINED;
}

/* the reaction to the sink's write promise */
JOB(write_failed)
{
    struct writable *s = opaque_of(argv[0]);

    if (s->state == WRITABLE)
        clear_writable_algorithms(s);
    settle(&s->in_flight_write, argv[1], false);
    deal_with_rejection(s, argv[1]);
    return JS_UNDEFINED;
}

JOB(close_ok)
{
    struct writable *s = opaque_of(argv[0]);
    struct writer *w;

    settle(&s->in_flight_close, JS_UNDEFINED, true);
    if (s->state == ERRORING) {
        put(&s->stored_error, JS_UNDEFINED);
        settle(&s->abort_promise, JS_UNDEFINED, true);
    }
    s->state = WS_CLOSED;
    w = writer_of(s);
    if (w)
        fulfill(w->closed, JS_UNDEFINED);
    return JS_UNDEFINED;
}

JOB(close_failed)
{
    struct writable *s = opaque_of(argv[0]);

    settle(&s->in_flight_close, argv[1], false);
    settle(&s->abort_promise, argv[1], false);
    deal_with_rejection(s, argv[1]);
    return JS_UNDEFINED;
}

static void process_close(struct writable *s)
{
    JSValue result;

    s->in_flight_close = take(&s->close_request);
    sized_shift(&s->queue);
    result = s->close ? s->close(s) : JS_UNDEFINED;
    clear_writable_algorithms(s);
    react(result, s->self, close_ok, close_failed);
}

static void advance(struct writable *s)
{
    JSValue hold, chunk, outcome;

    if (!s->started || !JS_IsUndefined(s->in_flight_write))
        return;
    hold = js_dup(s->self);
    if (s->state == ERRORING) {
        finish_erroring(s);
    } else if (s->queue.items.len > 0) {
        chunk = ((struct sized *)fifo_at(&s->queue.items, sizeof(struct sized), 0))->value;
        if (JS_VALUE_GET_TAG(chunk) == JS_TAG_UNINITIALIZED) {
            process_close(s);
        } else {
            fifo_shift(&s->requests, sizeof(JSValue), &s->in_flight_write);
            chunk = js_dup(chunk);
            outcome = s->write ? s->write(s, chunk) : JS_UNDEFINED;
            react(outcome, hold, wrote, write_failed);
            JS_FreeValue(ctx, chunk);
        }
    }
    JS_FreeValue(ctx, hold);
}

/* WritableStreamClose; an outcome */
static JSValue close_writable(struct writable *s)
{
    struct writer *w;
    JSValue promise;

    if (s->state == WS_CLOSED || s->state == WS_ERRORED)
        return JS_ThrowTypeError(ctx, "Cannot close: the stream %s",
                                 s->state == WS_CLOSED ? "is closed" : "has failed");
    promise = new_eventual(false);
    s->close_request = js_dup(promise);
    w = writer_of(s);
    if (w && s->backpressure && s->state == WRITABLE)
        fulfill(w->ready, JS_UNDEFINED);
    sized_push(&s->queue, CLOSE_SENTINEL, 0);
    advance(s);
    return promise;
}

/* WritableStreamDefaultWriterWrite; without heard its promise is made only when last_write asks */
static JSValue write_chunk(struct writer *w, JSValueConst chunk, bool heard)
{
    JSValue hold = js_dup(w->stream), promise = JS_EXCEPTION, error, request;
    struct writable *s = opaque_of(hold);
    double size;

    if (chunk_size(s->size, chunk, &size) < 0) {
        error = JS_GetException(ctx);
        error_if_needed(s, error);
        JS_FreeValue(ctx, error);
        size = 1;
    }
    if (JS_IsUndefined(w->stream)) {
        JS_ThrowTypeError(ctx, "The writer was released");
    } else if (s->state == WS_ERRORED) {
        JS_Throw(ctx, js_dup(s->stored_error));
    } else if (close_queued_or_in_flight(s) || s->state == WS_CLOSED) {
        JS_ThrowTypeError(ctx, "Cannot write: the stream is %s",
                          s->state == WS_CLOSED ? "closed" : "closing");
    } else if (s->state == ERRORING) {
        JS_Throw(ctx, js_dup(s->stored_error));
    } else {
        promise = heard ? new_eventual(false) : js_dup(unheard);
        request = js_dup(promise);
        fifo_push(&s->requests, sizeof(request), &request);
        if (sized_push(&s->queue, js_dup(chunk), size) < 0) {
            error = JS_GetException(ctx);
            error_if_needed(s, error);
            JS_FreeValue(ctx, error);
        } else {
            if (s->state == WRITABLE && !close_queued_or_in_flight(s))
                update_backpressure(s);
            advance(s);
        }
    }
    JS_FreeValue(ctx, hold);
    return promise;
}

/* settles with the last write that was made; undefined if there is none left */
static JSValue last_write(struct writable *s)
{
    JSValue *last;

    if (s->requests.len > 0) {
        last = fifo_at(&s->requests, sizeof(JSValue), s->requests.len - 1);
        put(last, new_eventual(false));
        return js_dup(*last);
    }
    if (JS_VALUE_GET_TAG(s->in_flight_write) == JS_TAG_OBJECT &&
        JS_VALUE_GET_PTR(s->in_flight_write) == JS_VALUE_GET_PTR(unheard))
        put(&s->in_flight_write, new_eventual(false));
    return js_dup(s->in_flight_write);
}

/* WritableStreamDefaultWriterCloseWithErrorPropagation; an outcome */
static JSValue close_with_error_propagation(struct writable *s)
{
    if (close_queued_or_in_flight(s) || s->state == WS_CLOSED)
        return JS_UNDEFINED;
    if (s->state == WS_ERRORED)
        return JS_Throw(ctx, js_dup(s->stored_error));
    return close_writable(s);
}

/* WritableStreamDefaultWriterRelease */
static void release_writer(JSValueConst writer)
{
    struct writer *w = opaque_of(writer);
    struct writable *s = opaque_of(w->stream);
    JSValue hold = js_dup(writer), error = type_error("The writer was released");

    reject_or_replace(&w->ready, error);
    reject_or_replace(&w->closed, error);
    put(&s->writer, JS_UNDEFINED);
    put(&w->stream, JS_UNDEFINED);
    JS_FreeValue(ctx, error);
    JS_FreeValue(ctx, hold);
}

/* the algorithms of an underlying sink */
static JSValue user_write(struct writable *s, JSValueConst chunk)
{
    JSValueConst args[2] = { chunk, s->controller };
    return invoke(s->on_write, s->sink, 2, args);
}

static JSValue user_close(struct writable *s)
{
    return invoke(s->on_close, s->sink, 0, NULL);
}

static JSValue user_abort(struct writable *s, JSValueConst reason)
{
    return invoke(s->on_abort, s->sink, 1, &reason);
}
