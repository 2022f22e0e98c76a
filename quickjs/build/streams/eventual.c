/* Eventuals: the promises of the algorithms. Settling and reacting take the same
   microtasks as with promises, but a reaction is a C function with a context, and
   the Promise that a user may see is made when somebody asks for it.

   An outcome is what an algorithm returns: undefined stands for a promise
   fulfilled with undefined, JS_EXCEPTION for one rejected with what was thrown,
   LATER for a reaction that the algorithm itself sees to. */

#define LATER JS_NULL
#define JOB(name) static JSValue name(JSContext *c, int argc, JSValueConst *argv)

enum { PENDING, FULFILLED, REJECTED };

struct waiting {
    JSJobFunc *ok, *fail;
    JSValue context, frame;
    struct waiting *next;
};

struct eventual {
    uint8_t state;
    bool quiet; /* rejections count as handled */
    JSValue value, promise;
    struct waiting *first, *last;
    JSValue (*run)(JSValueConst context, JSValueConst value); /* of chain() */
    JSValue context;
};

static JSClassID eventual_class;

static void eventual_finalizer(JSRuntime *r, JSValueConst v)
{
    struct eventual *e = opaque_of(v);
    struct waiting *w, *next;

    if (!e)
        return;
    JS_FreeValueRT(r, e->value);
    JS_FreeValueRT(r, e->promise);
    JS_FreeValueRT(r, e->context);
    for (w = e->first; w; w = next) {
        next = w->next;
        JS_FreeValueRT(r, w->context);
        JS_FreeValueRT(r, w->frame);
        js_free_rt(r, w);
    }
    js_free_rt(r, e);
}

static void eventual_mark(JSRuntime *r, JSValueConst v, JS_MarkFunc *mark)
{
    struct eventual *e = opaque_of(v);
    struct waiting *w;

    if (!e)
        return;
    JS_MarkValue(r, e->value, mark);
    JS_MarkValue(r, e->promise, mark);
    JS_MarkValue(r, e->context, mark);
    for (w = e->first; w; w = w->next) {
        JS_MarkValue(r, w->context, mark);
        JS_MarkValue(r, w->frame, mark);
    }
}

static void enqueue(JSJobFunc *job, JSValueConst context, JSValueConst value)
{
    JSValueConst args[2] = { context, value };
    if (JS_EnqueueJob(ctx, job, 2, args) < 0) {
        size_t limit = rt->malloc_state.malloc_limit;
        rt->malloc_state.malloc_limit = 0;
        JS_FreeValue(ctx, JS_GetException(ctx));
        if (JS_EnqueueJob(ctx, job, 2, args) < 0)
            out_of_memory();
        rt->malloc_state.malloc_limit = limit;
    }
}

/* with the asynchronous context of when the job was promised */
static void enqueue_in(JSValueConst frame, JSJobFunc *job, JSValueConst context, JSValueConst value)
{
    JSValue outer = rt->async_context;
    rt->async_context = unsafe_unconst(frame);
    enqueue(job, context, value);
    rt->async_context = outer;
}

static JSValue new_eventual(bool quiet)
{
    JSValue v = need_object(eventual_class);
    struct eventual *e = need(sizeof(*e));

    e->quiet = quiet;
    e->value = e->promise = e->context = JS_UNDEFINED;
    JS_SetOpaqueInternal(v, e);
    return v;
}

static JSValue fulfilled_eventual(void)
{
    JSValue v = new_eventual(false);
    ((struct eventual *)opaque_of(v))->state = FULFILLED;
    return v;
}

static JSValue rejected_eventual(JSValueConst reason, bool quiet)
{
    JSValue v = new_eventual(quiet);
    struct eventual *e = opaque_of(v);
    e->state = REJECTED;
    e->value = js_dup(reason);
    return v;
}

static bool is_pending(JSValueConst v)
{
    return ((struct eventual *)opaque_of(v))->state == PENDING;
}

static JSValue new_promise(void)
{
    JSValue v = need_object(JS_CLASS_PROMISE);
    JSPromiseData *s = need(sizeof(*s));

    s->promise_state = JS_PROMISE_PENDING;
    init_list_head(&s->promise_reactions[0]);
    init_list_head(&s->promise_reactions[1]);
    s->promise_result = JS_UNDEFINED;
    JS_SetOpaqueInternal(v, s);
    return v;
}

/* what a promise's resolve function does with a value that is not the promise */
static void resolve_promise(JSValueConst promise, JSValueConst value)
{
    JSValue then, error;
    JSValueConst args[3];

    if (!JS_IsObject(value)) {
        fulfill_or_reject_promise(ctx, promise, value, false);
        return;
    }
    then = JS_GetProperty(ctx, value, JS_ATOM_then);
    if (JS_IsException(then)) {
        error = JS_GetException(ctx);
        fulfill_or_reject_promise(ctx, promise, error, true);
        JS_FreeValue(ctx, error);
    } else if (JS_IsFunction(ctx, then)) {
        args[0] = promise;
        args[1] = value;
        args[2] = then;
        JS_EnqueueJob(ctx, js_promise_resolve_thenable_job, 3, args);
    } else {
        fulfill_or_reject_promise(ctx, promise, value, false);
    }
    JS_FreeValue(ctx, then);
}

static void reject_promise(JSValueConst promise, JSValueConst reason)
{
    fulfill_or_reject_promise(ctx, promise, reason, true);
}

static void notify(struct eventual *e)
{
    struct waiting *w = e->first, *next;

    e->first = e->last = NULL;
    for (; w; w = next) {
        next = w->next;
        enqueue_in(w->frame, e->state == FULFILLED ? w->ok : w->fail, w->context, e->value);
        JS_FreeValue(ctx, w->context);
        JS_FreeValue(ctx, w->frame);
        js_free_rt(rt, w);
    }
}

/* fulfils with a value that is no promise; without effect once settled */
static void fulfill(JSValueConst v, JSValueConst value)
{
    struct eventual *e = opaque_of(v);
    JSValue hold;

    if (e->state != PENDING)
        return;
    hold = js_dup(v);
    e->state = FULFILLED;
    e->value = js_dup(value);
    if (!JS_IsUndefined(e->promise))
        resolve_promise(e->promise, value);
    notify(e);
    JS_FreeValue(ctx, hold);
}

static void reject(JSValueConst v, JSValueConst reason)
{
    struct eventual *e = opaque_of(v);
    JSValue hold;

    if (e->state != PENDING)
        return;
    hold = js_dup(v);
    e->state = REJECTED;
    e->value = js_dup(reason);
    if (!JS_IsUndefined(e->promise)) {
        if (e->quiet)
            JS_PromiseMarkAsHandled(ctx, e->promise);
        reject_promise(e->promise, reason);
    }
    notify(e);
    JS_FreeValue(ctx, hold);
}

/* a pending eventual in place of the one in the slot: the same if nobody can
   hold on to it */
static void renew(JSValue *slot)
{
    struct eventual *e = opaque_of(*slot);

    if (e->state != FULFILLED || !JS_IsUndefined(e->promise))
        put(slot, new_eventual(e->quiet));
    else
        e->state = PENDING;
}

JOB(fulfill_job) { fulfill(argv[0], argv[1]); return JS_UNDEFINED; }
JOB(reject_job) { reject(argv[0], argv[1]); return JS_UNDEFINED; }
JOB(no_job) { return JS_UNDEFINED; }

/* runs ok or fail in the microtask after the outcome is known; takes the outcome */
static void react(JSValue outcome, JSValueConst context, JSJobFunc *ok, JSJobFunc *fail)
{
    struct eventual *e;
    struct waiting *w;

    switch (JS_VALUE_GET_TAG(outcome)) {
    case JS_TAG_UNDEFINED:
        enqueue(ok, context, JS_UNDEFINED);
        return;
    case JS_TAG_NULL:
        return;
    case JS_TAG_EXCEPTION:
        outcome = JS_GetException(ctx);
        enqueue(fail, context, outcome);
        JS_FreeValue(ctx, outcome);
        return;
    }
    e = opaque_of(outcome);
    if (e->state != PENDING) {
        enqueue(e->state == FULFILLED ? ok : fail, context, e->value);
    } else {
        w = need(sizeof(*w));
        w->ok = ok;
        w->fail = fail;
        w->context = js_dup(context);
        w->frame = js_dup(rt->async_context);
        if (e->last)
            e->last->next = w;
        else
            e->first = w;
        e->last = w;
    }
    JS_FreeValue(ctx, outcome);
}

JOB(chain_ok)
{
    struct eventual *e = opaque_of(argv[0]);
    JSValue context = take(&e->context), v, error;

    v = e->run(context, argv[1]);
    if (JS_IsException(v)) {
        error = JS_GetException(ctx);
        reject(argv[0], error);
        JS_FreeValue(ctx, error);
    } else {
        fulfill(argv[0], v);
        JS_FreeValue(ctx, v);
    }
    JS_FreeValue(ctx, context);
    return JS_UNDEFINED;
}

/* the result of run after the outcome, whose rejection is passed on */
static JSValue chain(JSValue outcome, JSValueConst context,
                     JSValue (*run)(JSValueConst context, JSValueConst value))
{
    JSValue v = new_eventual(false);
    struct eventual *e = opaque_of(v);

    e->run = run;
    e->context = js_dup(context);
    react(outcome, v, chain_ok, reject_job);
    return v;
}

/* the eventual of an outcome */
static JSValue eventual_of(JSValue outcome)
{
    JSValue error, v;

    if (JS_IsUndefined(outcome))
        return fulfilled_eventual();
    if (!JS_IsException(outcome))
        return outcome;
    error = JS_GetException(ctx);
    v = rejected_eventual(error, false);
    JS_FreeValue(ctx, error);
    return v;
}

JOB(adopt)
{
    react(js_dup(argv[1]), argv[0], fulfill_job, reject_job);
    return JS_UNDEFINED;
}

/* resolves v with the promise of an outcome, which takes one more microtask */
static void resolve_with_outcome(JSValueConst v, JSValue outcome)
{
    if (JS_IsException(outcome))
        outcome = eventual_of(outcome);
    enqueue(adopt, v, outcome);
    JS_FreeValue(ctx, outcome);
}

static void resolve_with_value(JSValueConst v, JSValueConst value);

static JSValue settle_once(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                           int magic, JSValueConst *data)
{
    JSValueConst value = argc > 0 ? argv[0] : JS_UNDEFINED;
    struct eventual *called = opaque_of(data[1]);

    if (called->state != PENDING)
        return JS_UNDEFINED;
    called->state = FULFILLED;
    if (magic)
        reject(data[0], value);
    else
        resolve_with_value(data[0], value);
    return JS_UNDEFINED;
}

JOB(promise_fulfilled_job) { resolve_with_value(argv[0], argv[1]); return JS_UNDEFINED; }

/* whether then.call(promise, ...) does nothing else that a user could see */
static bool is_plain_then(JSValueConst value, JSValueConst then)
{
    JSObject *f;
    JSValue ctor;
    bool plain;

    if (!JS_IsObject(value) || JS_VALUE_GET_OBJ(value)->class_id != JS_CLASS_PROMISE)
        return false;
    f = JS_VALUE_GET_OBJ(then);
    if (f->class_id != JS_CLASS_C_FUNCTION || f->u.cfunc.c_function.generic != js_promise_then)
        return false;
    if (find_own_property1(JS_VALUE_GET_OBJ(value), JS_ATOM_constructor))
        return false;
    ctor = JS_GetProperty(ctx, value, JS_ATOM_constructor);
    plain = JS_VALUE_GET_TAG(ctor) == JS_TAG_OBJECT &&
            JS_VALUE_GET_PTR(ctor) == JS_VALUE_GET_PTR(ctx->promise_ctor);
    if (JS_IsException(ctor))
        JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, ctor);
    return plain;
}

/* argv: eventual, then, thenable */
static JSValue call_then(JSContext *c, int argc, JSValueConst *argv)
{
    JSValue funcs[2], called, r;
    JSValueConst data[2];
    struct eventual *once;
    int i;

    if (is_plain_then(argv[2], argv[1])) {
        JSPromiseData *s = opaque_of(argv[2]);
        if (s->promise_state != JS_PROMISE_PENDING) {
            call_promise_rejection_tracker(ctx, argv[2], true);
            s->is_handled = true;
            enqueue(s->promise_state == JS_PROMISE_FULFILLED ? promise_fulfilled_job : reject_job,
                    argv[0], s->promise_result);
            return JS_UNDEFINED;
        }
    }
    called = new_eventual(true);
    once = opaque_of(called);
    data[0] = argv[0];
    data[1] = called;
    for (i = 0; i < 2; i++)
        funcs[i] = JS_NewCFunctionData(ctx, settle_once, 1, i, 2, data);
    r = JS_IsException(funcs[0]) || JS_IsException(funcs[1]) ?
        JS_EXCEPTION : JS_Call(ctx, argv[1], argv[2], 2, vc(funcs));
    if (JS_IsException(r)) {
        r = JS_GetException(ctx);
        if (once->state == PENDING) {
            once->state = FULFILLED;
            reject(argv[0], r);
        }
    }
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, funcs[0]);
    JS_FreeValue(ctx, funcs[1]);
    JS_FreeValue(ctx, called);
    return JS_UNDEFINED;
}

/* resolves v with a value from user code, which may be a thenable */
static void resolve_with_value(JSValueConst v, JSValueConst value)
{
    JSValue then, error;
    JSValueConst args[3];

    if (!JS_IsObject(value)) {
        fulfill(v, value);
        return;
    }
    then = JS_GetProperty(ctx, value, JS_ATOM_then);
    if (JS_IsException(then)) {
        error = JS_GetException(ctx);
        reject(v, error);
        JS_FreeValue(ctx, error);
    } else if (JS_IsFunction(ctx, then)) {
        args[0] = v;
        args[1] = then;
        args[2] = value;
        JS_EnqueueJob(ctx, call_then, 3, args);
    } else {
        fulfill(v, value);
    }
    JS_FreeValue(ctx, then);
}

/* "a promise resolved with" a value from user code (Web IDL), whose fulfilment
   nobody looks at if it is no object; takes the value */
static JSValue resolved_with(JSValue value)
{
    JSValue v;

    if (JS_IsException(value))
        return value;
    if (!JS_IsObject(value)) {
        JS_FreeValue(ctx, value);
        return JS_UNDEFINED;
    }
    v = new_eventual(false);
    resolve_with_value(v, value);
    JS_FreeValue(ctx, value);
    return v;
}

/* the Promise of an eventual, the same one each time */
static JSValue promise_of(JSValueConst v)
{
    struct eventual *e = opaque_of(v);

    if (JS_IsUndefined(e->promise)) {
        e->promise = new_promise();
        if (e->state == REJECTED) {
            if (e->quiet)
                JS_PromiseMarkAsHandled(ctx, e->promise);
            reject_promise(e->promise, e->value);
        } else if (e->state == FULFILLED) {
            resolve_promise(e->promise, e->value);
        }
    }
    return js_dup(e->promise);
}

/* the Promise of an outcome; takes the outcome */
static JSValue to_promise(JSValue outcome)
{
    JSValue p, error;

    if (JS_IsUndefined(outcome)) {
        p = new_promise();
        resolve_promise(p, JS_UNDEFINED);
    } else if (JS_IsException(outcome)) {
        error = JS_GetException(ctx);
        p = new_promise();
        reject_promise(p, error);
        JS_FreeValue(ctx, error);
    } else {
        p = promise_of(outcome);
        JS_FreeValue(ctx, outcome);
    }
    return p;
}
