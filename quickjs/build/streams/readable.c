/* Readable streams and their readers, https://streams.spec.whatwg.org/#rs-abstract-ops. */

static void default_pull_steps(struct readable *s, struct request q);
static void byte_pull_steps(struct readable *s, struct request q);
static void byte_release_steps(struct readable *s);
static void byte_clear(struct readable *s);

static JSValue new_readable(struct readable **out)
{
    JSValue v = new_object(READABLE_STREAM, out);
    (*out)->self = v;
    return v;
}

static struct reader *reader_of(const struct readable *s)
{
    return JS_IsUndefined(s->reader) ? NULL : opaque_of(s->reader);
}

static uint32_t waiting_requests(const struct readable *s)
{
    struct reader *r = reader_of(s);
    return r ? r->requests.len : 0;
}

static bool has_reader(const struct readable *s, bool byob)
{
    struct reader *r = reader_of(s);
    return r && r->byob == byob;
}

static void finish_request(struct request *q)
{
    JS_FreeValue(ctx, q->a);
    JS_FreeValue(ctx, q->b);
}

static void give_chunk(struct request q, JSValue value)
{
    q.steps->chunk(&q, value);
    finish_request(&q);
}

static void give_close(struct request q, JSValue value)
{
    q.steps->close(&q, value);
    finish_request(&q);
}

static void give_error(struct request q, JSValueConst reason)
{
    q.steps->error(&q, reason);
    finish_request(&q);
}

static struct request next_request(struct reader *r)
{
    struct request q;
    fifo_shift(&r->requests, sizeof(q), &q);
    return q;
}

/* -1 with a TypeError if the stream is locked or has no bytes */
static int lock_readable(JSValueConst reader, struct reader *r, JSValueConst stream, bool byob)
{
    struct readable *s = opaque_of(stream);

    if (!JS_IsUndefined(s->reader)) {
        JS_ThrowTypeError(ctx, "The ReadableStream is locked to a reader already");
        return -1;
    }
    if (byob && !s->bytes) {
        JS_ThrowTypeError(ctx, "A BYOB reader needs a ReadableStream of bytes");
        return -1;
    }
    r->byob = byob;
    r->stream = js_dup(stream);
    s->reader = js_dup(reader);
    r->closed = s->state == READABLE ? new_eventual(true) :
                s->state == CLOSED ? fulfilled_eventual() : rejected_eventual(s->stored_error, true);
    return 0;
}

static JSValue acquire_reader(JSValueConst stream, bool byob)
{
    struct reader *r;
    JSValue v = new_object(byob ? BYOB_READER : DEFAULT_READER, &r);

    if (lock_readable(v, r, stream, byob) < 0) {
        JS_FreeValue(ctx, v);
        return JS_EXCEPTION;
    }
    return v;
}

/* ReadableStreamDefaultReaderRead */
static void read_chunk(struct reader *r, struct request q)
{
    JSValue hold = js_dup(r->stream);
    struct readable *s = opaque_of(hold);

    s->disturbed = true;
    if (s->state == CLOSED)
        give_close(q, JS_UNDEFINED);
    else if (s->state == ERRORED)
        give_error(q, s->stored_error);
    else if (s->bytes)
        byte_pull_steps(s, q);
    else
        default_pull_steps(s, q);
    JS_FreeValue(ctx, hold);
}

static void fail_requests(struct reader *r, JSValueConst reason)
{
    struct fifo all = fifo_take(&r->requests);
    struct request q;

    while (all.len) {
        fifo_shift(&all, sizeof(q), &q);
        give_error(q, reason);
    }
    js_free_rt(rt, all.items);
}

static void close_requests(struct reader *r)
{
    struct fifo all = fifo_take(&r->requests);
    struct request q;

    while (all.len) {
        fifo_shift(&all, sizeof(q), &q);
        give_close(q, JS_UNDEFINED);
    }
    js_free_rt(rt, all.items);
}

static void reject_or_replace(JSValue *slot, JSValueConst reason)
{
    if (is_pending(*slot))
        reject(*slot, reason);
    else
        put(slot, rejected_eventual(reason, true));
}

/* ReadableStream{Default,BYOB}ReaderRelease */
static void release_reader(JSValueConst reader)
{
    struct reader *r = opaque_of(reader);
    JSValue hold = js_dup(reader), stream = js_dup(r->stream);
    struct readable *s = opaque_of(stream);
    JSValue error = type_error("The reader was released");

    reject_or_replace(&r->closed, error);
    if (s->bytes)
        byte_release_steps(s);
    put(&s->reader, JS_UNDEFINED);
    put(&r->stream, JS_UNDEFINED);
    fail_requests(r, error);
    JS_FreeValue(ctx, error);
    JS_FreeValue(ctx, stream);
    JS_FreeValue(ctx, hold);
}

/* ReadableStreamClose */
static void close_readable(struct readable *s)
{
    struct reader *r = reader_of(s);
    JSValue hold;

    s->state = CLOSED;
    if (!r)
        return;
    hold = js_dup(s->reader);
    fulfill(r->closed, JS_UNDEFINED);
    if (!r->byob)
        close_requests(r);
    JS_FreeValue(ctx, hold);
}

/* ReadableStreamError */
static void error_readable(struct readable *s, JSValueConst reason)
{
    struct reader *r = reader_of(s);
    JSValue hold;

    s->state = ERRORED;
    put(&s->stored_error, js_dup(reason));
    if (!r)
        return;
    hold = js_dup(s->reader);
    reject(r->closed, reason);
    fail_requests(r, reason);
    JS_FreeValue(ctx, hold);
}

static void clear_readable_algorithms(struct readable *s)
{
    s->pull = NULL;
    s->cancel = NULL;
    put(&s->on_pull, JS_UNDEFINED);
    put(&s->on_cancel, JS_UNDEFINED);
    put(&s->size, JS_UNDEFINED);
}

static JSValue to_undefined(JSValueConst context, JSValueConst value)
{
    return JS_UNDEFINED;
}

/* ReadableStreamCancel; an outcome */
static JSValue cancel_readable(struct readable *s, JSValueConst reason)
{
    struct reader *r;
    JSValue result, hold;

    s->disturbed = true;
    if (s->state == CLOSED)
        return JS_UNDEFINED;
    if (s->state == ERRORED)
        return JS_Throw(ctx, js_dup(s->stored_error));
    hold = js_dup(s->self);
    close_readable(s);
    r = reader_of(s);
    if (r && r->byob)
        close_requests(r);
    if (s->bytes)
        byte_clear(s);
    else
        sized_free(rt, &s->queue);
    result = s->cancel ? s->cancel(s, reason) : JS_UNDEFINED;
    clear_readable_algorithms(s);
    result = chain(result, JS_UNDEFINED, to_undefined);
    JS_FreeValue(ctx, hold);
    return result;
}

/* the pull and cancel of an underlying source */
static JSValue user_pull(struct readable *s)
{
    return invoke(s->on_pull, s->source, 1, vc(&s->controller));
}

static JSValue user_cancel(struct readable *s, JSValueConst reason)
{
    return invoke(s->on_cancel, s->source, 1, &reason);
}
