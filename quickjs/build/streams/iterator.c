/* The asynchronous iterator, https://streams.spec.whatwg.org/#rs-asynciterator
   and https://webidl.spec.whatwg.org/#js-asynchronous-iterator-prototype-object. */

static void resolve_result(JSValueConst promise, JSValueConst value, bool done)
{
    JSValue result = js_create_iterator_result(ctx, js_dup(value), done), error;

    if (JS_IsException(result)) {
        error = JS_GetException(ctx);
        reject_promise(promise, error);
        JS_FreeValue(ctx, error);
        return;
    }
    resolve_promise(promise, result);
    JS_FreeValue(ctx, result);
}

static JSValue result_promise(JSValueConst value, bool done)
{
    JSValue p = new_promise();
    resolve_result(p, value, done);
    return p;
}

/* The steps of a next() run a microtask late, as reactions to the promise of the
   standard do. argv: iteration, promise, value */

static JSValue next_deliver(JSContext *c, int argc, JSValueConst *argv)
{
    put(&((struct iteration *)opaque_of(argv[0]))->ongoing, JS_UNDEFINED);
    resolve_result(argv[1], argv[2], false);
    return JS_UNDEFINED;
}

static JSValue next_finish(JSContext *c, int argc, JSValueConst *argv)
{
    struct iteration *it = opaque_of(argv[0]);
    put(&it->ongoing, JS_UNDEFINED);
    it->finished = true;
    resolve_result(argv[1], JS_UNDEFINED, true);
    return JS_UNDEFINED;
}

static JSValue next_fail(JSContext *c, int argc, JSValueConst *argv)
{
    struct iteration *it = opaque_of(argv[0]);
    put(&it->ongoing, JS_UNDEFINED);
    it->finished = true;
    reject_promise(argv[1], argv[2]);
    return JS_UNDEFINED;
}

static void next_later(struct request *q, JSJobFunc *job, JSValueConst value)
{
    JSValueConst args[3] = { q->a, q->b, value };
    JS_EnqueueJob(ctx, job, 3, args);
}

static void next_chunk(struct request *q, JSValue value)
{
    next_later(q, next_deliver, value);
    JS_FreeValue(ctx, value);
}

static void next_close(struct request *q, JSValue value)
{
    release_reader(((struct iteration *)opaque_of(q->a))->reader);
    next_later(q, next_finish, JS_UNDEFINED);
    JS_FreeValue(ctx, value);
}

static void next_error(struct request *q, JSValueConst reason)
{
    release_reader(((struct iteration *)opaque_of(q->a))->reader);
    next_later(q, next_fail, reason);
}

static const struct request_steps next_steps = { next_chunk, next_close, next_error };

static JSValue iteration_done(JSValueConst context, JSValueConst value)
{
    return js_create_iterator_result(ctx, js_dup(context), true);
}

enum { ITERATE_NEXT, ITERATE_RETURN };

static JSValue iterate_step(JSValueConst self, int kind, JSValueConst value)
{
    struct iteration *it = opaque_of(self);
    struct reader *r = opaque_of(it->reader);
    JSValue p, outcome;

    if (kind == ITERATE_NEXT) {
        if (it->finished)
            return result_promise(JS_UNDEFINED, true);
        p = new_promise();
        read_chunk(r, (struct request){ &next_steps, js_dup(self), js_dup(p) });
        return p;
    }
    if (it->finished)
        return result_promise(value, true);
    it->finished = true;
    outcome = it->prevent_cancel ? JS_UNDEFINED : eventual_of(cancel_readable(opaque_of(r->stream), value));
    release_reader(it->reader);
    return to_promise(chain(outcome, value, iteration_done));
}

static JSValue iterate_again(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                             int magic, JSValueConst *data)
{
    return iterate_step(data[0], magic, data[1]);
}

static JSValue js_iterator_step(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                                int magic)
{
    struct iteration *it = as(this_val, ITERATOR);
    JSValueConst data[2];
    JSValue again[2], p;

    if (!it)
        return to_promise(JS_EXCEPTION);
    if (JS_IsUndefined(it->ongoing)) {
        p = iterate_step(this_val, magic, ARG(0));
    } else {
        data[0] = this_val;
        data[1] = ARG(0);
        again[0] = JS_NewCFunctionData(ctx, iterate_again, 0, magic, 2, data);
        again[1] = js_dup(again[0]);
        p = js_promise_then(ctx, it->ongoing, 2, vc(again));
        JS_FreeValue(ctx, again[0]);
        JS_FreeValue(ctx, again[1]);
        if (JS_IsException(p))
            return to_promise(p);
    }
    put(&it->ongoing, js_dup(p));
    return p;
}

static const JSCFunctionListEntry iterator_functions[] = {
    JS_CFUNC_MAGIC_DEF("next", 0, js_iterator_step, ITERATE_NEXT),
    JS_CFUNC_MAGIC_DEF("return", 1, js_iterator_step, ITERATE_RETURN),
};

/* an iterator that locks the stream */
static JSValue iterate(JSValueConst stream, bool prevent_cancel)
{
    struct iteration *it;
    JSValue reader = acquire_reader(stream, false), v;

    if (JS_IsException(reader))
        return reader;
    v = new_object(ITERATOR, &it);
    it->reader = reader;
    it->prevent_cancel = prevent_cancel;
    return v;
}
