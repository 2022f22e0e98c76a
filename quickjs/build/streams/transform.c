/* https://streams.spec.whatwg.org/#ts-abstract-ops */

static struct readable *readable_of(const struct transform *t)
{
    return opaque_of(t->readable);
}

static struct writable *writable_of(const struct transform *t)
{
    return opaque_of(t->writable);
}

JOB(perform_held);

static void set_backpressure(struct transform *t, bool backpressure)
{
    t->backpressure = backpressure;
    if (t->held) {
        t->held = false;
        enqueue_in(t->frame, perform_held, t->self, JS_UNDEFINED);
    }
    if (t->pulling) {
        t->pulling = false;
        enqueue(pulled, t->readable, JS_UNDEFINED);
    }
}

static void unblock_write(struct transform *t)
{
    if (t->backpressure)
        set_backpressure(t, false);
}

static void clear_transform_algorithms(struct transform *t)
{
    put(&t->on_transform, JS_UNDEFINED);
    put(&t->on_flush, JS_UNDEFINED);
    put(&t->on_cancel, JS_UNDEFINED);
}

static void error_writable_and_unblock(struct transform *t, JSValueConst reason)
{
    clear_transform_algorithms(t);
    error_if_needed(writable_of(t), reason);
    unblock_write(t);
}

/* TransformStreamDefaultControllerEnqueue; an exception or undefined */
static JSValue transform_enqueue(struct transform *t, JSValueConst chunk)
{
    struct readable *s = readable_of(t);
    JSValue error;
    bool backpressure;

    if (!can_close_or_enqueue(s))
        return refuse(s, "enqueue");
    if (default_enqueue(s, chunk) < 0) {
        error = JS_GetException(ctx);
        error_writable_and_unblock(t, error);
        JS_FreeValue(ctx, error);
        return JS_Throw(ctx, js_dup(s->stored_error));
    }
    backpressure = !should_call_pull(s);
    if (backpressure != t->backpressure)
        set_backpressure(t, true);
    return JS_UNDEFINED;
}

/* TransformStreamDefaultControllerError */
static void transform_error(struct transform *t, JSValueConst reason)
{
    default_error(readable_of(t), reason);
    error_writable_and_unblock(t, reason);
}

/* TransformStreamDefaultControllerTerminate */
static void terminate(struct transform *t)
{
    JSValue error;

    default_close(readable_of(t));
    error = type_error("The transform stream was terminated");
    error_writable_and_unblock(t, error);
    JS_FreeValue(ctx, error);
}

/* A write settles as many microtasks after the transform as the promises of the
   standard take: two, or three if the write had to wait, whose promise then
   follows another one. */

JOB(transformed)
{
    enqueue(wrote, ((struct transform *)opaque_of(argv[0]))->writable, JS_UNDEFINED);
    return JS_UNDEFINED;
}

JOB(transformed_late)
{
    enqueue(transformed, argv[0], JS_UNDEFINED);
    return JS_UNDEFINED;
}

JOB(fail_write)
{
    enqueue(write_failed, ((struct transform *)opaque_of(argv[0]))->writable, argv[1]);
    return JS_UNDEFINED;
}

JOB(transform_failed)
{
    transform_error(opaque_of(argv[0]), argv[1]);
    return fail_write(c, argc, argv);
}

JOB(transform_failed_late)
{
    transform_error(opaque_of(argv[0]), argv[1]);
    enqueue(fail_write, argv[0], argv[1]);
    return JS_UNDEFINED;
}

static void perform(struct transform *t, JSValueConst chunk, bool waited)
{
    JSValue hold = js_dup(t->self), outcome;
    JSValueConst args[2] = { chunk, t->controller };

    if (t->transform)
        outcome = t->transform(t, chunk);
    else if (JS_IsObject(t->on_transform))
        outcome = invoke(t->on_transform, t->transformer, 2, args);
    else
        outcome = transform_enqueue(t, chunk);
    react(outcome, hold, waited ? transformed_late : transformed,
          waited ? transform_failed_late : transform_failed);
    JS_FreeValue(ctx, hold);
}

JOB(perform_held)
{
    struct transform *t = opaque_of(argv[0]);
    JSValue chunk = take(&t->chunk);
    JSValueConst args[2] = { argv[0], writable_of(t)->stored_error };

    put(&t->frame, JS_UNDEFINED);
    if (writable_of(t)->state == ERRORING)
        fail_write(c, 2, args);
    else
        perform(t, chunk, true);
    JS_FreeValue(ctx, chunk);
    return JS_UNDEFINED;
}

static JSValue sink_write(struct writable *s, JSValueConst chunk)
{
    struct transform *t = opaque_of(s->sink);

    if (t->backpressure) {
        t->held = true;
        put(&t->chunk, js_dup(chunk));
        put(&t->frame, js_dup(rt->async_context));
    } else {
        perform(t, chunk, false);
    }
    return LATER;
}

static void end_transform(struct transform *t, bool failed, JSValueConst reason)
{
    if (failed)
        reject(t->finish, reason);
    else
        fulfill(t->finish, JS_UNDEFINED);
}

/* runs once: cancel or flush, then settles the finish promise */
static JSValue finishing(struct transform *t, JSValueConst reason, bool flush, JSJobFunc *ok, JSJobFunc *fail)
{
    JSValue hold, outcome = JS_UNDEFINED;

    if (!JS_IsUndefined(t->finish))
        return js_dup(t->finish);
    hold = js_dup(t->self);
    t->finish = new_eventual(false);
    put(&t->reason, js_dup(reason));
    if (flush) {
        if (t->flush)
            outcome = t->flush(t);
        else if (!JS_IsUndefined(t->on_flush))
            outcome = invoke(t->on_flush, t->transformer, 1, vc(&t->controller));
    } else if (!JS_IsUndefined(t->on_cancel)) {
        outcome = invoke(t->on_cancel, t->transformer, 1, &reason);
    }
    clear_transform_algorithms(t);
    react(outcome, hold, ok, fail);
    outcome = js_dup(t->finish);
    JS_FreeValue(ctx, hold);
    return outcome;
}

JOB(abort_finished)
{
    struct transform *t = opaque_of(argv[0]);
    struct readable *s = readable_of(t);

    if (s->state == ERRORED) {
        end_transform(t, true, s->stored_error);
    } else {
        default_error(s, t->reason);
        end_transform(t, false, JS_UNDEFINED);
    }
    return JS_UNDEFINED;
}

JOB(finish_failed)
{
    struct transform *t = opaque_of(argv[0]);
    default_error(readable_of(t), argv[1]);
    end_transform(t, true, argv[1]);
    return JS_UNDEFINED;
}

JOB(flushed)
{
    struct transform *t = opaque_of(argv[0]);
    struct readable *s = readable_of(t);

    if (s->state == ERRORED) {
        end_transform(t, true, s->stored_error);
    } else {
        default_close(s);
        end_transform(t, false, JS_UNDEFINED);
    }
    return JS_UNDEFINED;
}

JOB(cancel_finished)
{
    struct transform *t = opaque_of(argv[0]);
    struct writable *s = writable_of(t);

    if (s->state == WS_ERRORED) {
        end_transform(t, true, s->stored_error);
    } else {
        error_if_needed(s, t->reason);
        unblock_write(t);
        end_transform(t, false, JS_UNDEFINED);
    }
    return JS_UNDEFINED;
}

JOB(cancel_failed)
{
    struct transform *t = opaque_of(argv[0]);
    error_if_needed(writable_of(t), argv[1]);
    unblock_write(t);
    end_transform(t, true, argv[1]);
    return JS_UNDEFINED;
}

static JSValue sink_abort(struct writable *s, JSValueConst reason)
{
    return finishing(opaque_of(s->sink), reason, false, abort_finished, finish_failed);
}

static JSValue sink_close(struct writable *s)
{
    return finishing(opaque_of(s->sink), JS_UNDEFINED, true, flushed, finish_failed);
}

static JSValue source_cancel(struct readable *s, JSValueConst reason)
{
    return finishing(opaque_of(s->source), reason, false, cancel_finished, cancel_failed);
}

static JSValue source_pull(struct readable *s)
{
    struct transform *t = opaque_of(s->source);
    set_backpressure(t, false);
    t->pulling = true;
    return LATER;
}

static JSValue adopted(JSValueConst start)
{
    JSValue v = new_eventual(false);
    resolve_with_outcome(v, js_dup(start));
    return v;
}

/* InitializeTransformStream and SetUpTransformStreamDefaultController; both sides
   wait for start. Takes the size functions. */
static void initialize_transform(struct transform *t, JSValueConst self, JSValueConst start,
                                 double writable_mark, JSValue writable_size,
                                 double readable_mark, JSValue readable_size)
{
    struct writable *w;
    struct readable *r;

    t->self = self;
    t->backpressure = true;
    t->writable = new_writable(writable_mark, &w);
    w->sink = js_dup(self);
    w->size = writable_size;
    w->write = sink_write;
    w->close = sink_close;
    w->abort = sink_abort;
    start_writable(w, adopted(start));
    t->readable = create_readable(adopted(start), self, false, readable_mark, source_pull, source_cancel);
    r = readable_of(t);
    r->size = readable_size;
    t->controller = new_controller(TRANSFORM_CONTROLLER, self);
}
