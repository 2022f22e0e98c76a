/* Streams whose other end the host holds under a handle. The messages that move
   bytes are made and read here: their heads are numbers. */

#define HANDLE_TEXT 12
#define PUMP_PIECE 65536 /* most bytes of one write */

static JSAtom atom_gone, atom_drain;

static size_t handle_text(char *buf, uint32_t handle)
{
    return u32toa(buf, handle);
}

static void fail_read(struct readable *s, JSValue error)
{
    JSValue reason = s->state == READABLE ? call_user(s->on_pull, JS_UNDEFINED, 1, vc(&error)) : js_dup(error);

    if (JS_IsException(reason))
        reason = JS_GetException(ctx);
    enqueue(readable_failed, s->self, reason);
    JS_FreeValue(ctx, reason);
    JS_FreeValue(ctx, error);
}

/* takes the reply in shared: bytes, none at the end, or an error */
static void finish_read(JSValueConst stream)
{
    struct readable *s = opaque_of(stream);
    bool failed = shared.shape & SHAPE_ERROR;
    JSValue v = failed ? message_error() : message_value(), r = JS_UNDEFINED;
    uint32_t length;

    if (failed || JS_IsException(v)) {
        fail_read(s, JS_IsException(v) ? JS_GetException(ctx) : v);
        return;
    }
    length = array_buffer(v)->byte_length;
    if (s->state != READABLE) {
        JS_FreeValue(ctx, v);
    } else if (length > 0) {
        if (enqueue_buffer(s, v, 0, length) < 0)
            r = JS_EXCEPTION;
    } else {
        JS_FreeValue(ctx, v);
        r = call_user(s->on_pull, JS_UNDEFINED, 0, NULL);
        if (!JS_IsException(r) && (byte_close(s) < 0 || (s->pending.len > 0 && respond(s, 0) < 0)))
            r = JS_EXCEPTION;
    }
    if (JS_IsException(r)) {
        r = JS_GetException(ctx);
        enqueue(readable_failed, stream, r);
    } else {
        enqueue(pulled, stream, JS_UNDEFINED);
    }
    JS_FreeValue(ctx, r);
}

static JSValue handle_pull(struct readable *s)
{
    char head[HANDLE_TEXT];
    uint32_t id, shape;
    struct call *c = new_call(&id);

    if (!c)
        return JS_EXCEPTION;
    c->resolve = js_dup(s->self);
    c->done = finish_read;
    shape = request(s->read_op, id, head, handle_text(head, s->handle), NULL, 0);
    if (shape) {
        end_call(find_call(id));
        if (shape & SHAPE_STASHED)
            return JS_EXCEPTION;
        finish_read(s->self);
    }
    return LATER;
}

/* openHandle(op, handle, end, cancel): a stream of bytes over body.read. end() is
   called once at the end, or end(error) for the reason to fail with. */
static JSValue js_open_handle(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    uint32_t op = op_number(argv[0]), handle;
    struct readable *s;
    JSValue v;

    if (JS_ToUint32(ctx, &handle, argv[1]) < 0)
        return JS_EXCEPTION;
    if (!(op & OP_ASYNC))
        return JS_ThrowTypeError(ctx, "openHandle() takes an asynchronous operation");
    v = create_readable(JS_UNDEFINED, JS_UNDEFINED, true, 0, handle_pull, platform_cancel);
    s = opaque_of(v);
    s->on_pull = js_dup(argv[2]);
    s->on_cancel = js_dup(argv[3]);
    s->read_op = op;
    s->handle = handle;
    return v;
}

static const struct request_steps pump_steps;

/* reads until the stream has nothing at hand or a write has to wait */
static void pump_on(JSValueConst pump)
{
    struct pump *p = opaque_of(pump);

    if (p->reading) {
        p->again = true;
        return;
    }
    p->reading = true;
    do {
        p->again = false;
        read_chunk(opaque_of(p->reader), (struct request){ &pump_steps, js_dup(pump), JS_UNDEFINED });
    } while (p->again);
    p->reading = false;
}

static void pump_call(struct request *q, JSAtom step, int argc, JSValueConst *argv)
{
    struct pump *p = opaque_of(q->a);
    JSValue owner = js_dup(p->owner), r = JS_Invoke(ctx, owner, step, argc, argv);

    if (JS_IsException(r))
        report_exception();
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, owner);
}

static void pump_chunk(struct request *q, JSValue value)
{
    struct pump *p = opaque_of(q->a);
    char head[HANDLE_TEXT];
    const uint8_t *data;
    size_t len;
    uint32_t shape;
    int credit = 1;
    JSValue error;

    if (!JS_IsObject(value) || JS_VALUE_GET_OBJ(value)->class_id != JS_CLASS_UINT8_ARRAY ||
        JS_VALUE_GET_OBJ(value)->u.typed_array->length > PUMP_PIECE || bytes_of(value, &data, &len) <= 0 ||
        len > PUMP_PIECE) {
        clear_exception();
        pump_call(q, atom_chunk, 1, vc(&value));
        JS_FreeValue(ctx, value);
        return;
    }
    if (len > 0) {
        shape = request(p->op, 0, head, handle_text(head, p->handle), data, len);
        if (shape & (SHAPE_ERROR | SHAPE_STASHED)) {
            JS_FreeValue(ctx, reply_value(shape));
            error = JS_GetException(ctx);
            pump_call(q, atom_gone, 1, vc(&error));
            JS_FreeValue(ctx, error);
            JS_FreeValue(ctx, value);
            return;
        }
        credit = atoi((const char *)shared.head);
        free_message();
    }
    JS_FreeValue(ctx, value);
    if (credit > 0)
        pump_on(q->a);
    else
        pump_call(q, atom_drain, 0, NULL);
}

static void pump_close(struct request *q, JSValue value)
{
    pump_call(q, atom_close, 0, NULL);
    JS_FreeValue(ctx, value);
}

static void pump_error(struct request *q, JSValueConst reason)
{
    pump_call(q, atom_error, 1, &reason);
}

static const struct request_steps pump_steps = { pump_chunk, pump_close, pump_error };

/* newPump(reader, op, handle, owner): writes chunks with body.write. The owner gets
   chunk(value) for one that is no Uint8Array or a large one, drain() when there is
   no credit left, gone(error) when a write failed, close() and error(reason). */
static JSValue js_new_pump(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    uint32_t op = op_number(argv[1]), handle;
    struct pump *p;
    JSValue v;

    if (!as(argv[0], DEFAULT_READER) || JS_ToUint32(ctx, &handle, argv[2]) < 0)
        return JS_EXCEPTION;
    if (!op || op & OP_ASYNC)
        return JS_ThrowTypeError(ctx, "newPump() takes a synchronous operation");
    v = new_object(PUMP, &p);
    p->reader = js_dup(argv[0]);
    p->owner = js_dup(argv[3]);
    p->op = op;
    p->handle = handle;
    return v;
}

/* pumpOn(pump): begins, or goes on after chunk() or drain() */
static JSValue js_pump_on(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!as(argv[0], PUMP))
        return JS_EXCEPTION;
    pump_on(argv[0]);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry handle_functions[] = {
    JS_CFUNC_DEF("openHandle", 4, js_open_handle),
    JS_CFUNC_DEF("newPump", 4, js_new_pump),
    JS_CFUNC_DEF("pumpOn", 1, js_pump_on),
};
