/* https://streams.spec.whatwg.org/#rs-default-controller-abstract-ops; calling
   pull when needed is the same for byte streams. */

static void default_error(struct readable *s, JSValueConst reason);
static void byte_error(struct readable *s, JSValueConst reason);

static void controller_error(struct readable *s, JSValueConst reason)
{
    if (s->bytes)
        byte_error(s, reason);
    else
        default_error(s, reason);
}

JOB(readable_failed)
{
    controller_error(opaque_of(argv[0]), argv[1]);
    return JS_UNDEFINED;
}

static bool should_call_pull(const struct readable *s)
{
    if (s->state != READABLE || s->close_requested || !s->started)
        return false;
    return waiting_requests(s) > 0 || s->mark - (s->bytes ? s->bytes_total : s->queue.total) > 0;
}

JOB(pulled);

static void call_pull_if_needed(struct readable *s)
{
    JSValue hold, outcome;

    if (!s->pull || !should_call_pull(s))
        return;
    if (s->pulling) {
        s->pull_again = true;
        return;
    }
    s->pulling = true;
    hold = js_dup(s->self);
    outcome = s->pull(s);
    react(outcome, hold, pulled, readable_failed);
    JS_FreeValue(ctx, hold);
}

/* the reaction to the pull promise */
JOB(pulled)
{
    struct readable *s = opaque_of(argv[0]);

    s->pulling = false;
    if (s->pull_again) {
        s->pull_again = false;
        call_pull_if_needed(s);
    }
    return JS_UNDEFINED;
}

JOB(readable_started)
{
    struct readable *s = opaque_of(argv[0]);
    s->started = true;
    call_pull_if_needed(s);
    return JS_UNDEFINED;
}

/* the reactions to the start promise; takes the outcome */
static void start_readable(struct readable *s, JSValue outcome)
{
    react(outcome, s->self, readable_started, readable_failed);
}

static bool can_close_or_enqueue(const struct readable *s)
{
    return !s->close_requested && s->state == READABLE;
}

static void default_pull_steps(struct readable *s, struct request q)
{
    JSValue chunk;

    if (s->queue.items.len == 0) {
        fifo_push(&reader_of(s)->requests, sizeof(q), &q);
        call_pull_if_needed(s);
        return;
    }
    chunk = sized_shift(&s->queue);
    if (s->close_requested && s->queue.items.len == 0) {
        clear_readable_algorithms(s);
        close_readable(s);
    } else {
        call_pull_if_needed(s);
    }
    give_chunk(q, chunk);
}

/* ReadableStreamDefaultControllerClose */
static void default_close(struct readable *s)
{
    if (!can_close_or_enqueue(s))
        return;
    s->close_requested = true;
    if (s->queue.items.len == 0) {
        clear_readable_algorithms(s);
        close_readable(s);
    }
}

/* ReadableStreamDefaultControllerEnqueue; -1 with what the size algorithm threw */
static int default_enqueue(struct readable *s, JSValueConst chunk)
{
    double size;
    JSValue error;

    if (!can_close_or_enqueue(s))
        return 0;
    if (waiting_requests(s) > 0) {
        give_chunk(next_request(reader_of(s)), js_dup(chunk));
    } else if (chunk_size(s->size, chunk, &size) < 0 ||
               sized_push(&s->queue, js_dup(chunk), size) < 0) {
        error = JS_GetException(ctx);
        default_error(s, error);
        JS_Throw(ctx, error);
        return -1;
    }
    call_pull_if_needed(s);
    return 0;
}

/* ReadableStreamDefaultControllerError */
static void default_error(struct readable *s, JSValueConst reason)
{
    if (s->state != READABLE)
        return;
    sized_free(rt, &s->queue);
    clear_readable_algorithms(s);
    error_readable(s, reason);
}

/* ReadableStream{Default,Byte}ControllerGetDesiredSize */
static JSValue readable_desired_size(const struct readable *s)
{
    if (s->state == ERRORED)
        return JS_NULL;
    if (s->state == CLOSED)
        return js_int32(0);
    return js_float64(s->mark - (s->bytes ? s->bytes_total : s->queue.total));
}

/* the TypeError of an enqueue or close that comes too late */
static JSValue refuse(const struct readable *s, const char *what)
{
    return JS_ThrowTypeError(ctx, "Cannot %s: the stream %s", what, s->close_requested ? "is closing" :
                             s->state == ERRORED ? "has failed" : "is closed");
}

/* CreateReadableStream and CreateReadableByteStream; takes the outcome of start */
static JSValue create_readable(JSValue outcome, JSValueConst source, bool bytes, double mark,
                               JSValue (*pull)(struct readable *s),
                               JSValue (*cancel)(struct readable *s, JSValueConst reason))
{
    struct readable *s;
    JSValue v = new_readable(&s);

    s->bytes = bytes;
    s->mark = mark;
    s->source = js_dup(source);
    s->pull = pull;
    s->cancel = cancel;
    start_readable(s, outcome);
    return v;
}
