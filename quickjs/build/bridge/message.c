/* Messages: an optional JSON head and an optional body of bytes, in both
   directions. */

static void free_message(void)
{
    if (shared.shape & SHAPE_OWNED_HEAD)
        js_free_rt(rt, (void *)shared.head);
    if (shared.shape & SHAPE_OWNED_BODY)
        js_free_rt(rt, (void *)shared.body);
    shared.shape = 0;
}

/* take the message as a JavaScript value: undefined, the parsed head, an
   ArrayBuffer, or { head, body } */
static JSValue message_value(void)
{
    JSValue head = JS_UNDEFINED, body = JS_UNDEFINED, pair;
    uint32_t shape = shared.shape;

    if (shape & SHAPE_HEAD) {
        head = JS_ParseJSON(ctx, (const char *)shared.head, shared.head_len, "<host>");
        if (JS_IsException(head)) {
            free_message();
            return head;
        }
    }
    if (shape & SHAPE_BODY) {
        if (shape & SHAPE_OWNED_BODY) {
            shared.shape &= ~SHAPE_OWNED_BODY;
            body = JS_NewArrayBuffer(ctx, (uint8_t *)shared.body, shared.body_len,
                                     0, js_array_buffer_realloc, NULL, false);
        } else {
            body = JS_NewArrayBufferCopy(ctx, (const uint8_t *)shared.body, shared.body_len);
        }
        if (JS_IsException(body)) {
            free_message();
            JS_FreeValue(ctx, head);
            return body;
        }
    }
    free_message();
    switch (shape & (SHAPE_HEAD | SHAPE_BODY)) {
    case SHAPE_HEAD:
        return head;
    case SHAPE_BODY:
        return body;
    case SHAPE_HEAD | SHAPE_BODY:
        pair = JS_NewObject(ctx);
        if (JS_IsException(pair)) {
            JS_FreeValue(ctx, head);
            JS_FreeValue(ctx, body);
            return pair;
        }
        JS_DefinePropertyValueStr(ctx, pair, "head", head, JS_PROP_C_W_E);
        JS_DefinePropertyValueStr(ctx, pair, "body", body, JS_PROP_C_W_E);
        return pair;
    }
    return JS_UNDEFINED;
}

/* an Error from {"name","message","code","status","detail"}; the constructor is the
   global one of that name if it makes errors */
static JSValue message_error(void)
{
    static const char *const keys[] = { "name", "message", "code", "status", "detail" };
    JSValue head = message_value(), error, v;
    size_t i;

    if (JS_IsException(head))
        return head;
    error = JS_NewObjectClass(ctx, JS_CLASS_ERROR);
    if (JS_IsException(error)) {
        JS_FreeValue(ctx, head);
        return error;
    }
    v = get_quietly(head, "name");
    if (JS_IsString(v)) {
        const char *name = JS_ToCString(ctx, v);
        JSValue ctor = name ? get_quietly(ctx->global_obj, name) : JS_UNDEFINED;
        JSValue proto = JS_IsObject(ctor) ? get_quietly(ctor, "prototype") : JS_UNDEFINED;
        if (JS_IsObject(proto) && JS_IsInstanceOf(ctx, proto, ctx->error_ctor) == 1)
            JS_SetPrototype(ctx, error, proto);
        JS_FreeValue(ctx, proto);
        JS_FreeValue(ctx, ctor);
        JS_FreeCString(ctx, name);
        clear_exception();
    }
    JS_FreeValue(ctx, v);
    for (i = 0; i < countof(keys); i++) {
        v = get_quietly(head, keys[i]);
        if (!JS_IsUndefined(v))
            JS_DefinePropertyValueStr(ctx, error, keys[i], v,
                                      JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
    }
    JS_FreeValue(ctx, head);
    build_backtrace(ctx, error, JS_UNDEFINED, NULL, 0, 0, JS_BACKTRACE_FLAG_SKIP_FIRST_LEVEL);
    return error;
}

/* fill head/body of a message to the host; the values stay valid until
   release_outgoing */
struct outgoing {
    const char *head;
    size_t head_len;
    const uint8_t *body;
    size_t body_len;
    JSValue text;
};

/* 1 and the bytes of an ArrayBuffer, typed array or DataView; 0 if v is
   neither; -1 with an exception if it is detached or out of bounds */
static int bytes_of(JSValueConst v, const uint8_t **ptr, size_t *len)
{
    JSObject *p;
    JSTypedArray *ta;
    JSArrayBuffer *ab;
    uint64_t size;

    if (!JS_IsObject(v))
        return 0;
    p = JS_VALUE_GET_OBJ(v);
    if (p->class_id == JS_CLASS_ARRAY_BUFFER || p->class_id == JS_CLASS_SHARED_ARRAY_BUFFER) {
        *ptr = JS_GetArrayBuffer(ctx, len, v);
        return p->u.array_buffer->detached ? -1 : 1;
    }
    if (p->class_id != JS_CLASS_DATAVIEW && !is_typed_array(p->class_id))
        return 0;
    ta = p->u.typed_array;
    ab = ta->buffer->u.array_buffer;
    size = ta->track_rab && ab->byte_length > ta->offset ? ab->byte_length - ta->offset : ta->length;
    if (ab->detached || (uint64_t)ta->offset + size > (uint64_t)ab->byte_length) {
        JS_ThrowTypeError(ctx, "the view's buffer is detached or too short");
        return -1;
    }
    *ptr = ab->data + ta->offset;
    *len = size;
    return 1;
}

static void release_outgoing(struct outgoing *m)
{
    JS_FreeCString(ctx, m->head);
    JS_FreeValue(ctx, m->text);
}

static int set_outgoing(struct outgoing *m, JSValueConst head, JSValueConst body)
{
    memset(m, 0, sizeof(*m));
    m->text = JS_UNDEFINED;
    if (!JS_IsUndefined(head)) {
        m->text = JS_JSONStringify(ctx, head, JS_UNDEFINED, JS_UNDEFINED);
        if (JS_IsException(m->text))
            return -1;
        if (JS_IsUndefined(m->text)) {
            JS_ThrowTypeError(ctx, "the value cannot be represented as JSON");
            return -1;
        }
        m->head = JS_ToCStringLen(ctx, &m->head_len, m->text);
        if (!m->head)
            goto fail;
    }
    if (!JS_IsUndefined(body) && !JS_IsNull(body)) {
        int r = bytes_of(body, &m->body, &m->body_len);
        if (r == 0)
            JS_ThrowTypeError(ctx, "a body must be an ArrayBuffer or a view of one");
        if (r <= 0)
            goto fail;
        if (!m->body)
            m->body = mailbox;
    }
    return 0;
fail:
    release_outgoing(m);
    return -1;
}
