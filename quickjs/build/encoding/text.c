/* TextDecoder and TextEncoder for UTF-8, and their streams, on host.encoding.
   polyfill/encoding gives them their classes. */

/* what a decoder keeps between two calls */
struct decoding {
    bool fatal, ignore_mark, started;
    uint8_t pending_len, pending[3];
};

static JSClassID decoding_class;

static void decoding_finalizer(JSRuntime *r, JSValueConst v)
{
    js_free_rt(r, opaque_of(v));
}

/* the bytes of a BufferSource; -1 with a TypeError for another value */
static int source_bytes(JSValueConst v, const uint8_t **p, size_t *n)
{
    int r;

    *p = NULL;
    *n = 0;
    if (JS_IsObject(v)) {
        JSObject *o = JS_VALUE_GET_OBJ(v);
        JSObject *buffer = is_view(v) ? o->u.typed_array->buffer : o;
        if ((buffer->class_id == JS_CLASS_ARRAY_BUFFER || buffer->class_id == JS_CLASS_SHARED_ARRAY_BUFFER) &&
            (buffer->u.array_buffer->detached || (is_view(v) && o->class_id != JS_CLASS_DATAVIEW && typed_array_is_oob(o))))
            return 0;
    }
    r = bytes_of(v, p, n);
    if (r == 0)
        JS_ThrowTypeError(ctx, "What is decoded must be an ArrayBuffer or a view of one");
    return r > 0 ? 0 : -1;
}

static void restart(struct decoding *d)
{
    d->started = false;
    d->pending_len = 0;
}

static JSValue decode_part(struct decoding *d, const uint8_t *p, size_t n, bool more)
{
    size_t tail = more ? utf8_tail(p, n) : 0;
    uint8_t kept[3];
    JSValue text;

    memcpy(kept, p + n - tail, tail);
    n -= tail;
    if (!d->started && n > 0) {
        d->started = true;
        if (!d->ignore_mark && n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
            p += 3;
            n -= 3;
        }
    }
    text = n ? text_of_utf8(p, n, d->fatal) : js_empty_string(rt);
    d->pending_len = tail;
    memcpy(d->pending, kept, tail);
    if (!more || JS_IsException(text))
        restart(d);
    return text;
}

static JSValue decode_source(struct decoding *d, JSValueConst source, bool more)
{
    const uint8_t *p;
    uint8_t *all;
    size_t n, size;
    JSValue text;

    if (JS_IsUndefined(source)) {
        p = d->pending;
        n = 0;
    } else if (source_bytes(source, &p, &n) < 0) {
        return JS_EXCEPTION;
    }
    if (d->pending_len == 0)
        return decode_part(d, n ? p : d->pending, n, more);
    size = d->pending_len + n;
    all = js_malloc(ctx, size);
    if (!all)
        return JS_EXCEPTION;
    memcpy(all, d->pending, d->pending_len);
    if (n)
        memcpy(all + d->pending_len, p, n);
    text = decode_part(d, all, size, more);
    js_free(ctx, all);
    return text;
}

/* newDecoder(fatal, ignoreBOM) */
static JSValue js_new_decoder(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue v = need_object(decoding_class);
    struct decoding *d = need(sizeof(*d));

    d->fatal = JS_ToBool(ctx, argv[0]) > 0;
    d->ignore_mark = JS_ToBool(ctx, argv[1]) > 0;
    JS_SetOpaqueInternal(v, d);
    return v;
}

/* decodeMore(decoder, source, more): a source of undefined has no bytes */
static JSValue js_decode_more(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    struct decoding *d = JS_GetOpaque2(ctx, argv[0], decoding_class);
    if (!d)
        return JS_EXCEPTION;
    return decode_source(d, argv[1], JS_ToBool(ctx, argv[2]) > 0);
}

/* decode(bytes, fatal): complete bytes, the byte order mark is kept */
static JSValue js_decode(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    const uint8_t *p;
    size_t n;

    if (source_bytes(argv[0], &p, &n) < 0)
        return JS_EXCEPTION;
    return n ? text_of_utf8(p, n, JS_ToBool(ctx, argv[1]) > 0) : js_empty_string(rt);
}

/* encode(value): the bytes of its string */
static JSValue js_encode(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue text = JS_ToString(ctx, argv[0]), v;

    if (JS_IsException(text))
        return text;
    v = utf8_of_text(JS_VALUE_GET_STRING(text), JS_VALUE_GET_STRING(text)->len, 0);
    JS_FreeValue(ctx, text);
    return v;
}

static JSValue enqueue_text(struct transform *t, JSValue v, bool empty)
{
    JSValue r;

    if (JS_IsException(v))
        return v;
    r = empty ? JS_UNDEFINED : transform_enqueue(t, v);
    JS_FreeValue(ctx, v);
    return r;
}

static JSValue decode_chunk(struct transform *t, JSValueConst source, bool more)
{
    JSValue text = decode_source(opaque_of(t->transformer), source, more);
    return enqueue_text(t, text, JS_IsString(text) && JS_VALUE_GET_STRING(text)->len == 0);
}

static JSValue decoder_transform(struct transform *t, JSValueConst chunk)
{
    if (JS_IsUndefined(chunk))
        return JS_ThrowTypeError(ctx, "What is decoded must be an ArrayBuffer or a view of one");
    return decode_chunk(t, chunk, true);
}

static JSValue decoder_flush(struct transform *t)
{
    return decode_chunk(t, JS_UNDEFINED, false);
}

/* a high surrogate at the end of a chunk waits for the next one, in transformer */
static JSValue encoder_transform(struct transform *t, JSValueConst chunk)
{
    JSValue text = JS_ToString(ctx, chunk), v;
    JSString *s;
    int lead = JS_VALUE_GET_INT(t->transformer), last;
    uint32_t units;

    if (JS_IsException(text))
        return text;
    s = JS_VALUE_GET_STRING(text);
    units = s->len;
    if (units == 0) {
        JS_FreeValue(ctx, text);
        return JS_UNDEFINED;
    }
    last = string_get(s, units - 1);
    t->transformer = js_int32(is_lead(last) ? last : 0);
    if (is_lead(last))
        units--;
    v = units || lead ? utf8_of_text(s, units, lead) : JS_UNDEFINED;
    JS_FreeValue(ctx, text);
    return enqueue_text(t, v, JS_IsUndefined(v));
}

static JSValue encoder_flush(struct transform *t)
{
    static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd };
    uint8_t *data;

    if (JS_VALUE_GET_INT(t->transformer) == 0)
        return JS_UNDEFINED;
    data = js_malloc(ctx, sizeof(replacement));
    if (!data)
        return JS_EXCEPTION;
    memcpy(data, replacement, sizeof(replacement));
    return enqueue_text(t, new_bytes(data, sizeof(replacement)), false);
}

static JSValue native_transform(JSValue state, JSValue (*transform)(struct transform *, JSValueConst),
                                JSValue (*flush)(struct transform *))
{
    struct transform *t;
    JSValue v = new_object(TRANSFORM_STREAM, &t), started = fulfilled_eventual();

    t->transformer = state;
    t->transform = transform;
    t->flush = flush;
    initialize_transform(t, v, started, 1, JS_UNDEFINED, 0, JS_UNDEFINED);
    JS_FreeValue(ctx, started);
    return v;
}

/* decoderStream(decoder) */
static JSValue js_decoder_stream(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!JS_GetOpaque2(ctx, argv[0], decoding_class))
        return JS_EXCEPTION;
    return native_transform(js_dup(argv[0]), decoder_transform, decoder_flush);
}

static JSValue js_encoder_stream(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return native_transform(js_int32(0), encoder_transform, encoder_flush);
}

static const JSCFunctionListEntry encoding_functions[] = {
    JS_CFUNC_DEF("newDecoder", 2, js_new_decoder),
    JS_CFUNC_DEF("decodeMore", 3, js_decode_more),
    JS_CFUNC_DEF("decode", 2, js_decode),
    JS_CFUNC_DEF("encode", 1, js_encode),
    JS_CFUNC_DEF("decoderStream", 1, js_decoder_stream),
    JS_CFUNC_DEF("encoderStream", 0, js_encoder_stream),
};

static int install_encoding(JSValueConst host)
{
    JSClassDef def = { "Decoding", .finalizer = decoding_finalizer };
    JSValue v = JS_NewObject(ctx);

    JS_NewClassID(rt, &decoding_class);
    if (JS_IsException(v) || JS_NewClass(rt, decoding_class, &def) < 0)
        return -1;
    JS_SetPropertyFunctionList(ctx, v, encoding_functions, countof(encoding_functions));
    return JS_DefinePropertyValueStr(ctx, host, "encoding", v, JS_PROP_C_W_E);
}
