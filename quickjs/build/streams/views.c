/* ArrayBuffers and their views, by their internal slots. */

struct view {
    JSValueConst buffer;
    uint32_t offset, length; /* bytes; 0 when detached */
    int class_id;
    uint32_t element;
};

static JSArrayBuffer *array_buffer(JSValueConst v)
{
    return JS_VALUE_GET_OBJ(v)->u.array_buffer;
}

static uint32_t element_size(int class_id)
{
    return class_id == JS_CLASS_DATAVIEW ? 1 : 1u << typed_array_size_log2(class_id);
}

static void take_apart(JSValueConst v, struct view *w)
{
    JSObject *p = JS_VALUE_GET_OBJ(v);
    JSTypedArray *ta = p->u.typed_array;
    JSArrayBuffer *ab = ta->buffer->u.array_buffer;

    w->buffer = JS_MKPTR(JS_TAG_OBJECT, ta->buffer);
    w->class_id = p->class_id;
    w->element = element_size(p->class_id);
    w->offset = ab->detached ? 0 : ta->offset;
    w->length = ab->detached ? 0 : ta->length;
}

static bool is_view(JSValueConst v)
{
    JSObject *p;
    if (!JS_IsObject(v))
        return false;
    p = JS_VALUE_GET_OBJ(v);
    return p->class_id == JS_CLASS_DATAVIEW || is_typed_array(p->class_id);
}

/* ArrayBufferView: neither shared nor resizable memory */
static int to_view(JSValueConst v, const char *what, struct view *w)
{
    JSArrayBuffer *ab;

    if (!is_view(v)) {
        JS_ThrowTypeError(ctx, "%s must be an ArrayBufferView", what);
        return -1;
    }
    take_apart(v, w);
    ab = array_buffer(w->buffer);
    if (ab->shared) {
        JS_ThrowTypeError(ctx, "%s must not be backed by a SharedArrayBuffer", what);
        return -1;
    }
    if (array_buffer_is_resizable(ab)) {
        JS_ThrowTypeError(ctx, "%s must not be backed by a resizable ArrayBuffer", what);
        return -1;
    }
    return 0;
}

/* a new view; takes the buffer; count is in elements */
static JSValue new_view(int class_id, JSValue buffer, uint32_t offset, uint32_t count)
{
    JSValue args[3], v;

    if (class_id == JS_CLASS_UINT8_ARRAY && !array_buffer(buffer)->detached) {
        v = JS_NewObjectClass(ctx, class_id);
        if (JS_IsException(v)) {
            JS_FreeValue(ctx, buffer);
            return v;
        }
        if (typed_array_init(ctx, v, buffer, offset, count, false) < 0) {
            JS_FreeValue(ctx, v);
            return JS_EXCEPTION;
        }
        return v;
    }
    args[0] = buffer;
    args[1] = js_uint32(offset);
    args[2] = js_uint32(count);
    if (class_id == JS_CLASS_DATAVIEW)
        v = js_dataview_constructor(ctx, JS_UNDEFINED, 3, vc(args));
    else
        v = js_typed_array_constructor(ctx, JS_UNDEFINED, 3, vc(args), class_id);
    JS_FreeValue(ctx, buffer);
    return v;
}

static JSValue transfer(JSValueConst buffer)
{
    return js_array_buffer_transfer(ctx, buffer, 0, NULL, JS_ARRAY_BUFFER_TRANSFER);
}

/* transfers the buffer in the slot */
static int retransfer(JSValue *slot)
{
    JSValue v = transfer(*slot);
    if (JS_IsException(v))
        return -1;
    put(slot, v);
    return 0;
}

static JSValue clone_bytes(JSValueConst buffer, uint32_t offset, uint32_t length)
{
    JSArrayBuffer *ab = array_buffer(buffer);
    if (ab->detached || (uint64_t)offset + length > (uint64_t)ab->byte_length)
        return JS_ThrowTypeErrorDetachedArrayBuffer(ctx);
    return JS_NewArrayBufferCopy(ctx, ab->data + offset, length);
}
