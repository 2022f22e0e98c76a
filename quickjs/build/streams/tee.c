/* https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaulttee */

static struct readable *branch_of(const struct tee *t, int i)
{
    return opaque_of(t->branch[i]);
}

static JSValue new_tee(JSValueConst stream, struct tee **out)
{
    JSValue v, reader = acquire_reader(stream, false);

    if (JS_IsException(reader))
        return reader;
    v = new_object(TEE, out);
    (*out)->self = v;
    (*out)->stream = js_dup(stream);
    (*out)->reader = reader;
    (*out)->cancel_result = new_eventual(false);
    return v;
}

static int which_branch(const struct tee *t, const struct readable *branch)
{
    return branch == branch_of(t, 0) ? 0 : 1;
}

static JSValue tee_cancel(struct readable *branch, JSValueConst reason)
{
    struct tee *t = opaque_of(branch->source);
    int which = which_branch(t, branch);
    JSValue reasons;

    t->canceled[which] = true;
    put(&t->reasons[which], js_dup(reason));
    if (t->canceled[1 - which]) {
        reasons = js_create_array(ctx, 2, vc(t->reasons));
        resolve_with_outcome(t->cancel_result, cancel_readable(opaque_of(t->stream), reasons));
        JS_FreeValue(ctx, reasons);
    }
    return js_dup(t->cancel_result);
}

static void tee_finish(struct tee *t)
{
    if (!t->canceled[0] || !t->canceled[1])
        fulfill(t->cancel_result, JS_UNDEFINED);
}

static const struct request_steps tee_steps;

static void tee_read(struct tee *t)
{
    struct request q = { &tee_steps, js_dup(t->self), JS_UNDEFINED };

    if (t->reading) {
        t->again[0] = true;
        finish_request(&q);
        return;
    }
    t->reading = true;
    read_chunk(opaque_of(t->reader), q);
}

static JSValue tee_pull(struct readable *branch)
{
    tee_read(opaque_of(branch->source));
    return JS_UNDEFINED;
}

JOB(tee_deliver)
{
    struct tee *t = opaque_of(argv[0]);
    int i;

    t->again[0] = false;
    for (i = 0; i < 2; i++) {
        if (!t->canceled[i])
            default_enqueue(branch_of(t, i), argv[1]);
    }
    t->reading = false;
    if (t->again[0])
        tee_read(t);
    return JS_UNDEFINED;
}

static void tee_chunk(struct request *q, JSValue value)
{
    enqueue(tee_deliver, q->a, value);
    JS_FreeValue(ctx, value);
}

static void tee_close(struct request *q, JSValue value)
{
    struct tee *t = opaque_of(q->a);
    int i;

    JS_FreeValue(ctx, value);
    t->reading = false;
    for (i = 0; i < 2; i++) {
        if (!t->canceled[i])
            default_close(branch_of(t, i));
    }
    tee_finish(t);
}

static void tee_error(struct request *q, JSValueConst reason)
{
    ((struct tee *)opaque_of(q->a))->reading = false;
}

static const struct request_steps tee_steps = { tee_chunk, tee_close, tee_error };

JOB(tee_failed)
{
    struct tee *t = opaque_of(argv[0]);
    default_error(branch_of(t, 0), argv[1]);
    default_error(branch_of(t, 1), argv[1]);
    tee_finish(t);
    return JS_UNDEFINED;
}

static int tee_default(JSValueConst stream, JSValue *branches)
{
    struct tee *t;
    JSValue v = new_tee(stream, &t);
    int i;

    if (JS_IsException(v))
        return -1;
    for (i = 0; i < 2; i++) {
        t->branch[i] = create_readable(JS_UNDEFINED, v, false, 1, tee_pull, tee_cancel);
        branches[i] = js_dup(t->branch[i]);
    }
    react(js_dup(((struct reader *)opaque_of(t->reader))->closed), v, no_job, tee_failed);
    JS_FreeValue(ctx, v);
    return 0;
}
