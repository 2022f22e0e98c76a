/* https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamtee */

static void byte_tee_pull_branch(struct tee *t, int which);

/* errors of the source reach the branches as long as the reader is the present one */
JOB(byte_tee_failed)
{
    struct reader *r = opaque_of(argv[0]);
    JSValue hold = js_dup(r->owner);
    struct tee *t = opaque_of(hold);

    if (JS_VALUE_GET_PTR(t->reader) == JS_VALUE_GET_PTR(argv[0])) {
        byte_error(branch_of(t, 0), argv[1]);
        byte_error(branch_of(t, 1), argv[1]);
        tee_finish(t);
    }
    JS_FreeValue(ctx, hold);
    return JS_UNDEFINED;
}

static void byte_tee_forward(struct tee *t)
{
    struct reader *r = opaque_of(t->reader);
    put(&r->owner, js_dup(t->self));
    react(js_dup(r->closed), t->reader, no_job, byte_tee_failed);
}

static void byte_tee_use(struct tee *t, bool byob)
{
    if (((struct reader *)opaque_of(t->reader))->byob == byob)
        return;
    release_reader(t->reader);
    put(&t->reader, acquire_reader(t->stream, byob));
    byte_tee_forward(t);
}

static void byte_tee_again(struct tee *t)
{
    t->reading = false;
    if (t->again[0])
        byte_tee_pull_branch(t, 0);
    else if (t->again[1])
        byte_tee_pull_branch(t, 1);
}

/* copies a chunk; a failure ends both branches and cancels the source */
static JSValue byte_tee_clone(struct tee *t, JSValueConst chunk)
{
    struct view w;
    JSValue copy, error;

    take_apart(chunk, &w);
    copy = clone_bytes(w.buffer, w.offset, w.length);
    if (!JS_IsException(copy))
        copy = new_view(JS_CLASS_UINT8_ARRAY, copy, 0, w.length);
    if (JS_IsException(copy)) {
        error = JS_GetException(ctx);
        byte_error(branch_of(t, 0), error);
        byte_error(branch_of(t, 1), error);
        resolve_with_outcome(t->cancel_result, cancel_readable(opaque_of(t->stream), error));
        JS_FreeValue(ctx, error);
    }
    return copy;
}

JOB(byte_tee_deliver)
{
    struct tee *t = opaque_of(argv[0]);
    JSValue second = js_dup(argv[1]);

    t->again[0] = t->again[1] = false;
    if (!t->canceled[0] && !t->canceled[1]) {
        put(&second, byte_tee_clone(t, argv[1]));
        if (JS_IsException(second))
            return JS_UNDEFINED;
    }
    if (!t->canceled[0])
        byte_enqueue(branch_of(t, 0), argv[1]);
    if (!t->canceled[1])
        byte_enqueue(branch_of(t, 1), second);
    JS_FreeValue(ctx, second);
    byte_tee_again(t);
    return JS_UNDEFINED;
}

static void byte_tee_chunk(struct request *q, JSValue value)
{
    enqueue(byte_tee_deliver, q->a, value);
    JS_FreeValue(ctx, value);
}

static void byte_tee_close(struct request *q, JSValue value)
{
    struct tee *t = opaque_of(q->a);
    int i;

    JS_FreeValue(ctx, value);
    t->reading = false;
    for (i = 0; i < 2; i++) {
        if (!t->canceled[i])
            byte_close(branch_of(t, i));
    }
    for (i = 0; i < 2; i++) {
        if (branch_of(t, i)->pending.len > 0)
            respond(branch_of(t, i), 0);
    }
    tee_finish(t);
}

static const struct request_steps byte_tee_steps = { byte_tee_chunk, byte_tee_close, tee_error };

/* the read-into request for one branch, b; the other one gets a copy */
static JSValue byte_tee_deliver_into(JSContext *c, int argc, JSValueConst *argv)
{
    struct tee *t = opaque_of(argv[0]);
    int which = JS_VALUE_GET_INT(argv[2]), other = 1 - which;
    JSValue copy;

    t->again[0] = t->again[1] = false;
    if (!t->canceled[other]) {
        copy = byte_tee_clone(t, argv[1]);
        if (JS_IsException(copy))
            return JS_UNDEFINED;
        if (!t->canceled[which])
            respond_with_new_view(branch_of(t, which), argv[1]);
        byte_enqueue(branch_of(t, other), copy);
        JS_FreeValue(ctx, copy);
    } else if (!t->canceled[which]) {
        respond_with_new_view(branch_of(t, which), argv[1]);
    }
    byte_tee_again(t);
    return JS_UNDEFINED;
}

static void byte_tee_into_chunk(struct request *q, JSValue value)
{
    JSValueConst args[3] = { q->a, value, q->b };
    JS_EnqueueJob(ctx, byte_tee_deliver_into, 3, args);
    JS_FreeValue(ctx, value);
}

static void byte_tee_into_close(struct request *q, JSValue value)
{
    struct tee *t = opaque_of(q->a);
    int which = JS_VALUE_GET_INT(q->b), other = 1 - which;

    t->reading = false;
    if (!t->canceled[which])
        byte_close(branch_of(t, which));
    if (!t->canceled[other])
        byte_close(branch_of(t, other));
    if (!JS_IsUndefined(value)) {
        if (!t->canceled[which])
            respond_with_new_view(branch_of(t, which), value);
        if (!t->canceled[other] && branch_of(t, other)->pending.len > 0)
            respond(branch_of(t, other), 0);
    }
    tee_finish(t);
    JS_FreeValue(ctx, value);
}

static const struct request_steps byte_tee_into_steps = { byte_tee_into_chunk, byte_tee_into_close, tee_error };

static void byte_tee_pull_branch(struct tee *t, int which)
{
    struct request q = { &byte_tee_steps, JS_UNDEFINED, JS_UNDEFINED };
    JSValue request;

    if (t->reading) {
        t->again[which] = true;
        return;
    }
    t->reading = true;
    request = js_dup(byob_request(branch_of(t, which)));
    q.a = js_dup(t->self);
    if (!JS_IsObject(request)) {
        byte_tee_use(t, false);
        read_chunk(opaque_of(t->reader), q);
    } else {
        JSValue view = js_dup(((struct byob_request *)opaque_of(request))->view);
        byte_tee_use(t, true);
        q.steps = &byte_tee_into_steps;
        q.b = js_int32(which);
        read_into(opaque_of(t->reader), view, 1, q);
        JS_FreeValue(ctx, view);
    }
    JS_FreeValue(ctx, request);
}

static JSValue byte_tee_pull(struct readable *branch)
{
    struct tee *t = opaque_of(branch->source);
    byte_tee_pull_branch(t, which_branch(t, branch));
    return JS_UNDEFINED;
}

static int tee_bytes(JSValueConst stream, JSValue *branches)
{
    struct tee *t;
    JSValue v = new_tee(stream, &t);
    int i;

    if (JS_IsException(v))
        return -1;
    for (i = 0; i < 2; i++) {
        t->branch[i] = create_readable(JS_UNDEFINED, v, true, 0, byte_tee_pull, tee_cancel);
        branches[i] = js_dup(t->branch[i]);
    }
    byte_tee_forward(t);
    JS_FreeValue(ctx, v);
    return 0;
}

/* both branches of a stream, which is locked from now on; -1 with a TypeError */
static int tee_readable(JSValueConst stream, JSValue *branches)
{
    struct readable *s = opaque_of(stream);
    return s->bytes ? tee_bytes(stream, branches) : tee_default(stream, branches);
}
