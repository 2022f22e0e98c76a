/* https://streams.spec.whatwg.org/#readable-stream-pipe-to */

static JSValueConst hook_is_signal, hook_signal_aborted, hook_signal_reason, hook_add_algorithm,
                    hook_remove_algorithm;

struct pipe_options {
    bool prevent_abort, prevent_cancel, prevent_close;
    JSValue signal; /* or undefined */
};

static struct readable *pipe_source(const struct pipe *p) { return opaque_of(p->source); }
static struct writable *pipe_dest(const struct pipe *p) { return opaque_of(p->dest); }

static void pipe_pump(struct pipe *p);

JOB(pipe_deliver)
{
    struct pipe *p = opaque_of(argv[0]);

    p->holding = false;
    JS_FreeValue(ctx, write_chunk(opaque_of(p->writer), argv[1], false));
    clear_exception();
    pipe_pump(p);
    return JS_UNDEFINED;
}

static void pipe_chunk(struct request *q, JSValue value)
{
    ((struct pipe *)opaque_of(q->a))->holding = true;
    enqueue(pipe_deliver, q->a, value);
    JS_FreeValue(ctx, value);
}

static void ignore_close(struct request *q, JSValue value) { JS_FreeValue(ctx, value); }
static void ignore_error(struct request *q, JSValueConst reason) {}

static const struct request_steps pipe_steps = { pipe_chunk, ignore_close, ignore_error };

JOB(pipe_ready)
{
    pipe_pump(opaque_of(argv[0]));
    return JS_UNDEFINED;
}

/* reads as long as the destination wants chunks */
static void pipe_pump(struct pipe *p)
{
    struct writable *d = pipe_dest(p);
    struct request q = { &pipe_steps, JS_UNDEFINED, JS_UNDEFINED };

    if (p->shutting_down)
        return;
    if (d->state == WRITABLE && d->mark - d->queue.total > 0) {
        q.a = js_dup(p->self);
        read_chunk(opaque_of(p->reader), q);
    } else {
        react(js_dup(((struct writer *)opaque_of(p->writer))->ready), p->self, pipe_ready, no_job);
    }
}

static void pipe_finalize(struct pipe *p)
{
    JSValueConst args[2] = { p->signal, p->on_abort };

    release_writer(p->writer);
    release_reader(p->reader);
    if (!JS_IsUndefined(p->on_abort)) {
        JS_FreeValue(ctx, JS_Call(ctx, hook_remove_algorithm, JS_UNDEFINED, 2, args));
        put(&p->on_abort, JS_UNDEFINED);
    }
    if (p->failed)
        reject(p->done, p->failure);
    else
        fulfill(p->done, JS_UNDEFINED);
}

JOB(pipe_acted)
{
    pipe_finalize(opaque_of(argv[0]));
    return JS_UNDEFINED;
}

JOB(pipe_action_failed)
{
    struct pipe *p = opaque_of(argv[0]);
    p->failed = true;
    put(&p->failure, js_dup(argv[1]));
    pipe_finalize(p);
    return JS_UNDEFINED;
}

/* of two eventuals: fulfilled when both are, rejected by the first that rejects */
JOB(first_of_both)
{
    struct eventual *e = opaque_of(argv[0]);
    react(js_dup(e->context), argv[0], fulfill_job, no_job);
    return JS_UNDEFINED;
}

static JSValue both(JSValue a, JSValue b)
{
    JSValue v = new_eventual(false);
    ((struct eventual *)opaque_of(v))->context = js_dup(b);
    react(a, v, first_of_both, reject_job);
    react(b, v, no_job, reject_job);
    return v;
}

static JSValue pipe_abort_both(struct pipe *p)
{
    struct readable *s = pipe_source(p);
    struct writable *d = pipe_dest(p);
    JSValue a, b;

    a = eventual_of(p->prevent_abort || d->state != WRITABLE ? JS_UNDEFINED : abort_writable(d, p->failure));
    b = eventual_of(p->prevent_cancel || s->state != READABLE ? JS_UNDEFINED : cancel_readable(s, p->failure));
    return both(a, b);
}

static void pipe_act(struct pipe *p)
{
    struct readable *s = pipe_source(p);
    struct writable *d = pipe_dest(p);
    JSValue outcome;

    switch (p->action) {
    case ABORT_DEST:
        outcome = abort_writable(d, s->stored_error);
        break;
    case CANCEL_SOURCE:
        outcome = cancel_readable(s, d->stored_error);
        break;
    case CLOSE_DEST:
        outcome = close_with_error_propagation(d);
        break;
    case CANCEL_SOURCE_WITH_FAILURE:
        outcome = cancel_readable(s, p->failure);
        break;
    case ABORT_BOTH:
        outcome = pipe_abort_both(p);
        break;
    default:
        pipe_finalize(p);
        return;
    }
    react(outcome, p->self, pipe_acted, pipe_action_failed);
}

JOB(pipe_writes_settled);

/* every chunk that was read gets written, and its write settles */
static void pipe_await_writes(struct pipe *p)
{
    react(last_write(pipe_dest(p)), p->self, pipe_writes_settled, pipe_writes_settled);
}

JOB(pipe_writes_settled)
{
    struct pipe *p = opaque_of(argv[0]);
    struct writable *d = pipe_dest(p);

    if (p->holding || !JS_IsUndefined(d->in_flight_write) || d->requests.len > 0)
        pipe_await_writes(p);
    else
        pipe_act(p);
    return JS_UNDEFINED;
}

static void pipe_shutdown(struct pipe *p, enum action action, bool failed, JSValueConst failure)
{
    struct writable *d = pipe_dest(p);

    if (p->shutting_down)
        return;
    p->shutting_down = true;
    p->action = action;
    p->failed = failed;
    put(&p->failure, js_dup(failure));
    if (d->state == WRITABLE && !close_queued_or_in_flight(d))
        pipe_await_writes(p);
    else
        pipe_act(p);
}

JOB(pipe_source_failed)
{
    struct pipe *p = opaque_of(argv[0]);
    pipe_shutdown(p, p->prevent_abort ? NO_ACTION : ABORT_DEST, true, pipe_source(p)->stored_error);
    return JS_UNDEFINED;
}

JOB(pipe_dest_failed)
{
    struct pipe *p = opaque_of(argv[0]);
    pipe_shutdown(p, p->prevent_cancel ? NO_ACTION : CANCEL_SOURCE, true, pipe_dest(p)->stored_error);
    return JS_UNDEFINED;
}

JOB(pipe_source_closed)
{
    struct pipe *p = opaque_of(argv[0]);
    pipe_shutdown(p, p->prevent_close ? NO_ACTION : CLOSE_DEST, false, JS_UNDEFINED);
    return JS_UNDEFINED;
}

static void pipe_dest_closed(struct pipe *p)
{
    JSValue error = type_error("The destination of the pipe is closed or closing");
    pipe_shutdown(p, p->prevent_cancel ? NO_ACTION : CANCEL_SOURCE_WITH_FAILURE, true, error);
    JS_FreeValue(ctx, error);
}

static void pipe_aborted(struct pipe *p)
{
    JSValue reason = JS_Call(ctx, hook_signal_reason, JS_UNDEFINED, 1, vc(&p->signal));
    pipe_shutdown(p, ABORT_BOTH, true, reason);
    JS_FreeValue(ctx, reason);
}

static JSValue pipe_on_abort(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                             int magic, JSValueConst *data)
{
    JSValue hold = js_dup(data[0]);
    pipe_aborted(opaque_of(hold));
    JS_FreeValue(ctx, hold);
    return JS_UNDEFINED;
}

/* watches the signal; true if it is aborted already */
static bool pipe_watch(struct pipe *p)
{
    JSValueConst args[2] = { p->signal, JS_UNDEFINED }, self = p->self;
    JSValue r = JS_Call(ctx, hook_signal_aborted, JS_UNDEFINED, 1, args);

    p->on_abort = JS_NewCFunctionData(ctx, pipe_on_abort, 0, 0, 1, &self);
    if (JS_ToBoolFree(ctx, r) > 0) {
        pipe_aborted(p);
        return true;
    }
    args[1] = p->on_abort;
    JS_FreeValue(ctx, JS_Call(ctx, hook_add_algorithm, JS_UNDEFINED, 2, args));
    return false;
}

/* ReadableStreamPipeTo of streams that are not locked; takes the options. An eventual. */
static JSValue pipe_to(JSValueConst source, JSValueConst dest, struct pipe_options *o)
{
    struct readable *s = opaque_of(source);
    struct writable *d = opaque_of(dest);
    struct pipe *p;
    JSValue v = new_object(PIPE, &p), done;
    JSValueConst args[1] = { v };

    p->self = v;
    p->source = js_dup(source);
    p->dest = js_dup(dest);
    p->signal = o->signal;
    p->prevent_abort = o->prevent_abort;
    p->prevent_cancel = o->prevent_cancel;
    p->prevent_close = o->prevent_close;
    p->done = new_eventual(false);
    p->reader = acquire_reader(source, false);
    p->writer = acquire_writer(dest);
    done = js_dup(p->done);
    s->disturbed = true;
    if (!JS_IsUndefined(p->signal) && pipe_watch(p))
        goto out;
    if (s->state == ERRORED)
        pipe_source_failed(ctx, 1, args);
    else if (d->state == WS_ERRORED)
        pipe_dest_failed(ctx, 1, args);
    else if (s->state == CLOSED)
        pipe_source_closed(ctx, 1, args);
    if (!p->shutting_down && (close_queued_or_in_flight(d) || d->state == WS_CLOSED))
        pipe_dest_closed(p);
    if (!p->shutting_down) {
        react(js_dup(((struct reader *)opaque_of(p->reader))->closed), v, pipe_source_closed, pipe_source_failed);
        react(js_dup(((struct writer *)opaque_of(p->writer))->closed), v, no_job, pipe_dest_failed);
        pipe_pump(p);
    }
out:
    JS_FreeValue(ctx, v);
    return done;
}
