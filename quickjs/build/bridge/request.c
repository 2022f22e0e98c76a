/* Calls to the host. A synchronous one returns the reply's value; an
   asynchronous one returns a promise that CMD_COMPLETE settles by its id, unless
   the host answers at once. */

struct call {
    JSValue resolve, reject;
    /* what takes the reply in shared in place of the two; resolve is its object */
    void (*done)(JSValueConst object);
    uint16_t generation;
    uint16_t next_free;
    bool active;
};

#define CALL_NONE 0xffff

static struct call *calls;
static uint32_t call_count; /* slots */
static uint16_t first_free_call = CALL_NONE;
static uint32_t last_call;

/* the reply ends up in shared; returns its shape */
static uint32_t request(uint32_t op, uint32_t id, const void *head, size_t head_len,
                        const void *body, size_t body_len)
{
    void *h = NULL, *b = NULL;
    uint32_t shape = host_request(op, id, head, head_len, body, body_len);

    if (shape & SHAPE_STASHED) {
        shape &= ~SHAPE_STASHED;
        if (shape & SHAPE_HEAD)
            h = js_malloc_rt(rt, shared.head_len + 1);
        if (shape & SHAPE_BODY)
            b = js_malloc_rt(rt, max_int(shared.body_len, 1));
        if (((shape & SHAPE_HEAD) && !h) || ((shape & SHAPE_BODY) && !b)) {
            js_free_rt(rt, h);
            js_free_rt(rt, b);
            host_request(OP_TAKE, 0, NULL, 0, NULL, 0);
            JS_ThrowOutOfMemory(ctx);
            shared.shape = 0;
            return SHAPE_STASHED;
        }
        host_request(OP_TAKE, 0, h, shared.head_len, b, shared.body_len);
        if (h)
            ((char *)h)[shared.head_len] = '\0'; /* as JS_ParseJSON wants it */
        shared.head = (uint32_t)h;
        shared.body = (uint32_t)b;
        shape |= (h ? SHAPE_OWNED_HEAD : 0) | (b ? SHAPE_OWNED_BODY : 0);
    }
    shared.shape = shape;
    return shape;
}

static JSValue reply_value(uint32_t shape)
{
    if (shape & SHAPE_STASHED)
        return JS_EXCEPTION;
    if (shape & SHAPE_ERROR) {
        JSValue error = message_error();
        return JS_IsException(error) ? error : JS_Throw(ctx, error);
    }
    return message_value();
}

static JSValue call_sync(uint32_t op, JSValueConst head, JSValueConst body)
{
    struct outgoing m;
    uint32_t shape;

    if (set_outgoing(&m, head, body) < 0)
        return JS_EXCEPTION;
    shape = request(op, 0, m.head, m.head_len, m.body, m.body_len);
    release_outgoing(&m);
    return reply_value(shape);
}

static struct call *new_call(uint32_t *id)
{
    struct call *c;
    uint32_t i, slot, count;

    if (shared.pending >= shared.max_pending) {
        JS_ThrowRangeError(ctx, "too many host calls in flight (limit %u): await some of them first",
                           shared.max_pending);
        return NULL;
    }
    if (first_free_call == CALL_NONE) {
        count = call_count ? call_count * 2 : 16;
        if (count > CALL_NONE)
            count = CALL_NONE;
        c = js_realloc(ctx, calls, count * sizeof(*c));
        if (!c)
            return NULL;
        calls = c;
        for (i = count; i-- > call_count;) {
            calls[i] = (struct call){ .next_free = first_free_call, .generation = 1 };
            first_free_call = i;
        }
        call_count = count;
    }
    slot = first_free_call;
    c = &calls[slot];
    first_free_call = c->next_free;
    c->active = true;
    c->resolve = c->reject = JS_UNDEFINED;
    c->done = NULL;
    shared.pending++;
    *id = (uint32_t)c->generation << 16 | slot;
    return c;
}

static struct call *find_call(uint32_t id)
{
    uint32_t slot = id & 0xffff;
    if (slot >= call_count || !calls[slot].active || calls[slot].generation != id >> 16)
        return NULL;
    return &calls[slot];
}

static void end_call(struct call *c)
{
    JS_FreeValue(ctx, c->resolve);
    JS_FreeValue(ctx, c->reject);
    c->active = false;
    if (++c->generation == 0)
        c->generation = 1;
    c->next_free = first_free_call;
    first_free_call = c - calls;
    shared.pending--;
}

/* settle call id with the message in shared; unknown ids are ignored, since a
   completion may race with the end of its use */
static bool complete_call(uint32_t id)
{
    struct call *c = find_call(id);
    JSValue value, settle, r;

    if (!c) {
        free_message();
        return false;
    }
    if (c->done) {
        void (*done)(JSValueConst object) = c->done;
        value = JS_DupValue(ctx, c->resolve);
        end_call(c);
        done(value);
        JS_FreeValue(ctx, value);
        return true;
    }
    if (shared.shape & SHAPE_ERROR) {
        value = message_error();
        settle = c->reject;
    } else {
        value = message_value();
        settle = c->resolve;
    }
    if (JS_IsException(value)) {
        value = JS_GetException(ctx);
        settle = c->reject;
    }
    settle = JS_DupValue(ctx, settle);
    end_call(c);
    r = JS_Call(ctx, settle, JS_UNDEFINED, 1, (JSValueConst *)&value);
    if (JS_IsException(r))
        report_exception();
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, settle);
    JS_FreeValue(ctx, value);
    return true;
}

static JSValue call_async(uint32_t op, JSValueConst head, JSValueConst body)
{
    JSValue promise, funcs[2], value, r;
    struct outgoing m;
    bool failed = true;
    struct call *c;
    uint32_t shape, id;

    promise = JS_NewPromiseCapability(ctx, funcs);
    if (JS_IsException(promise))
        return promise;
    c = new_call(&id);
    if (!c)
        goto settle;
    c->resolve = JS_DupValue(ctx, funcs[0]);
    c->reject = JS_DupValue(ctx, funcs[1]);
    last_call = id;
    if (set_outgoing(&m, head, body) < 0) {
        end_call(find_call(id));
        goto settle;
    }
    shape = request(op | OP_ASYNC, id, m.head, m.head_len, m.body, m.body_len);
    release_outgoing(&m);
    if (!shape)
        goto done;
    end_call(find_call(id));
    value = reply_value(shape);
    failed = JS_IsException(value);
settle:
    if (failed)
        value = JS_GetException(ctx);
    r = JS_Call(ctx, funcs[failed], JS_UNDEFINED, 1, (JSValueConst *)&value);
    JS_FreeValue(ctx, value);
    JS_FreeValue(ctx, r);
done:
    JS_FreeValue(ctx, funcs[0]);
    JS_FreeValue(ctx, funcs[1]);
    return promise;
}

static JSValue js_op_call(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                          int magic, JSValueConst *data)
{
    if (magic & 1)
        return call_async(magic >> 1, argv[0], argv[1]);
    return call_sync(magic >> 1, argv[0], argv[1]);
}

/* what js_host_op put into a function, 0 for another value: the number of the
   operation with OP_ASYNC */
static uint32_t op_number(JSValueConst v)
{
    JSCFunctionDataRecord *f;

    if (!JS_IsObject(v) || JS_VALUE_GET_OBJ(v)->class_id != JS_CLASS_C_FUNCTION_DATA)
        return 0;
    f = JS_VALUE_GET_OBJ(v)->u.c_function_data_record;
    if (f->func != js_op_call)
        return 0;
    return f->magic >> 1 | (f->magic & 1 ? OP_ASYNC : 0);
}

/* host.op(name): the function that calls the operation */
static JSValue js_host_op(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue reply = call_sync(OP_LOOKUP, argv[0], JS_UNDEFINED), v;
    int32_t op = 0;
    int is_async;

    if (JS_IsException(reply))
        return reply;
    v = JS_GetPropertyStr(ctx, reply, "op");
    if (JS_ToInt32(ctx, &op, v) < 0)
        op = 0;
    JS_FreeValue(ctx, v);
    v = JS_GetPropertyStr(ctx, reply, "async");
    is_async = JS_ToBool(ctx, v);
    JS_FreeValue(ctx, v);
    JS_FreeValue(ctx, reply);
    return JS_NewCFunctionData(ctx, js_op_call, 2, op << 1 | (is_async > 0), 0, NULL);
}

static JSValue js_host_call_id(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_uint32(last_call);
}

/* host.cancel(id): ask the host to give up; the call still settles */
static JSValue js_host_cancel(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    int64_t id;

    if (JS_ToInt64(ctx, &id, argv[0]) < 0)
        return JS_EXCEPTION;
    if (id < 0 || id > UINT32_MAX || !find_call(id))
        return JS_FALSE;
    host_request(OP_CANCEL, id, NULL, 0, NULL, 0);
    return JS_TRUE;
}
