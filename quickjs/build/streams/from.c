/* https://streams.spec.whatwg.org/#abstract-opdef-readablestreamfromiterable */

static JSValue not_an_object(void)
{
    return JS_ThrowTypeError(ctx, "The iterator's result is not an object");
}

/* GetMethod: undefined for a missing one */
static JSValue get_method(JSValueConst v, JSAtom key, const char *what)
{
    JSValue fn = JS_GetProperty(ctx, v, key);

    if (JS_IsException(fn) || JS_IsFunction(ctx, fn))
        return fn;
    if (JS_IsUndefined(fn) || JS_IsNull(fn))
        return JS_UNDEFINED;
    JS_FreeValue(ctx, fn);
    return JS_ThrowTypeError(ctx, "%s is not a function", what);
}

/* IteratorClose for an error: what the iterator throws in turn is dropped */
static void close_iterator(struct iterable *it)
{
    JSValue fn = get_method(it->iterator, JS_ATOM_return, "The iterator's return");

    if (JS_IsFunction(ctx, fn))
        JS_FreeValue(ctx, JS_Call(ctx, fn, it->iterator, 0, NULL));
    JS_FreeValue(ctx, fn);
    clear_exception();
}

static JSValue sync_result(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                           int magic, JSValueConst *data)
{
    return js_create_iterator_result(ctx, js_dup(ARG(0)), magic);
}

static JSValue sync_failed(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                           int magic, JSValueConst *data)
{
    close_iterator(opaque_of(data[0]));
    return JS_Throw(ctx, js_dup(ARG(0)));
}

/* https://tc39.es/ecma262/#sec-createasyncfromsynciterator: values that are
   promises are awaited; takes the result, gives a promise or an exception */
static JSValue await_sync_result(JSValueConst self, JSValue result, bool close_on_rejection)
{
    struct iterable *it = opaque_of(self);
    JSValue v, promise = JS_EXCEPTION, funcs[2], error;
    int done;

    if (JS_IsException(result))
        return result;
    if (!JS_IsObject(result)) {
        JS_FreeValue(ctx, result);
        return not_an_object();
    }
    v = JS_GetProperty(ctx, result, JS_ATOM_done);
    if (JS_IsException(v)) {
        JS_FreeValue(ctx, result);
        return v;
    }
    done = JS_ToBoolFree(ctx, v);
    v = JS_GetProperty(ctx, result, JS_ATOM_value);
    JS_FreeValue(ctx, result);
    if (!JS_IsException(v))
        promise = js_promise_resolve(ctx, ctx->promise_ctor, 1, vc(&v), 0);
    JS_FreeValue(ctx, v);
    if (JS_IsException(promise)) {
        if (!done && close_on_rejection) {
            error = JS_GetException(ctx);
            close_iterator(it);
            JS_Throw(ctx, error);
        }
        return promise;
    }
    funcs[0] = JS_NewCFunctionData(ctx, sync_result, 1, done, 0, NULL);
    funcs[1] = done || !close_on_rejection ? JS_UNDEFINED :
               JS_NewCFunctionData(ctx, sync_failed, 1, 0, 1, &self);
    v = js_promise_then(ctx, promise, 2, vc(funcs));
    JS_FreeValue(ctx, funcs[0]);
    JS_FreeValue(ctx, funcs[1]);
    JS_FreeValue(ctx, promise);
    return v;
}

/* a sync iterator's exceptions become promises too */
static JSValue settle_sync(JSValue promise)
{
    return JS_IsException(promise) ? to_promise(promise) : promise;
}

/* resolved_with, except that a primitive keeps its value to be refused */
static JSValue settled_with(JSValue value)
{
    JSValue v;

    if (JS_IsException(value) || JS_IsObject(value))
        return resolved_with(value);
    v = fulfilled_eventual();
    ((struct eventual *)opaque_of(v))->value = value;
    return v;
}

/* the reaction to what next() gave */
static JSValue from_take(JSValueConst stream, JSValueConst result)
{
    struct readable *s = opaque_of(stream);
    JSValue v;
    int r;

    if (!JS_IsObject(result))
        return not_an_object();
    v = JS_GetProperty(ctx, result, JS_ATOM_done);
    if (JS_IsException(v))
        return v;
    if (JS_ToBoolFree(ctx, v)) {
        default_close(s);
        return JS_UNDEFINED;
    }
    v = JS_GetProperty(ctx, result, JS_ATOM_value);
    if (JS_IsException(v))
        return v;
    r = default_enqueue(s, v);
    JS_FreeValue(ctx, v);
    return r < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue from_ignore(JSValueConst context, JSValueConst result)
{
    return JS_IsObject(result) ? JS_UNDEFINED : not_an_object();
}

static JSValue from_pull(struct readable *s)
{
    struct iterable *it = opaque_of(s->source);
    JSValue next = JS_Call(ctx, it->next, it->iterator, 0, NULL);

    if (it->sync)
        next = settle_sync(await_sync_result(s->source, next, true));
    return JS_IsException(next) ? next : chain(settled_with(next), s->self, from_take);
}

static JSValue from_cancel(struct readable *s, JSValueConst reason)
{
    JSValue hold = js_dup(s->source), fn, result;
    struct iterable *it = opaque_of(hold);

    fn = get_method(it->iterator, JS_ATOM_return, "The iterator's return");
    if (JS_IsException(fn)) {
        result = it->sync ? to_promise(fn) : JS_EXCEPTION;
    } else if (JS_IsUndefined(fn)) {
        JS_FreeValue(ctx, hold);
        return JS_UNDEFINED;
    } else {
        result = JS_Call(ctx, fn, it->iterator, 1, &reason);
        JS_FreeValue(ctx, fn);
        if (it->sync)
            result = settle_sync(await_sync_result(hold, result, false));
    }
    JS_FreeValue(ctx, hold);
    return JS_IsException(result) ? result : chain(settled_with(result), JS_UNDEFINED, from_ignore);
}

/* ReadableStream.from; throws TypeError for what is not iterable */
static JSValue from_iterable(JSValueConst iterable)
{
    static const char needs[] = "ReadableStream.from() needs an iterable";
    struct iterable *it;
    JSValue fn, iterator, next, source, v;
    bool sync = false;

    if (JS_IsUndefined(iterable) || JS_IsNull(iterable))
        return JS_ThrowTypeError(ctx, needs);
    fn = get_method(iterable, JS_ATOM_Symbol_asyncIterator, "The iterable's [Symbol.asyncIterator]");
    if (JS_IsUndefined(fn)) {
        sync = true;
        fn = get_method(iterable, JS_ATOM_Symbol_iterator, "The iterable's [Symbol.iterator]");
    }
    if (JS_IsException(fn))
        return fn;
    if (JS_IsUndefined(fn))
        return JS_ThrowTypeError(ctx, needs);
    iterator = JS_Call(ctx, fn, iterable, 0, NULL);
    JS_FreeValue(ctx, fn);
    if (JS_IsException(iterator))
        return iterator;
    if (!JS_IsObject(iterator)) {
        JS_FreeValue(ctx, iterator);
        return JS_ThrowTypeError(ctx, "The iterator is not an object");
    }
    next = JS_GetProperty(ctx, iterator, JS_ATOM_next);
    if (JS_IsException(next)) {
        JS_FreeValue(ctx, iterator);
        return next;
    }
    source = new_object(ITERABLE, &it);
    it->iterator = iterator;
    it->next = next;
    it->sync = sync;
    v = create_readable(JS_UNDEFINED, source, false, 0, from_pull, from_cancel);
    JS_FreeValue(ctx, source);
    return v;
}
