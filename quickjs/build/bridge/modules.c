/* ES modules: names and sources come from the host. */

static bool compiling; /* imports are left unresolved */

static char *host_normalize(JSContext *c, const char *base, const char *name,
                            JSValueConst attributes, void *opaque)
{
    DynBuf b;
    JSValue v;
    const char *s;
    char *copy = NULL;

    if (compiling)
        return js_strdup(ctx, name);
    js_dbuf_init(ctx, &b);
    dbuf_putstr(&b, "{\"base\":");
    json_string(&b, base, strlen(base));
    dbuf_putstr(&b, ",\"name\":");
    json_string(&b, name, strlen(name));
    dbuf_putc(&b, '}');
    v = reply_value(request(OP_NORMALIZE, 0, b.buf, b.size, NULL, 0));
    dbuf_free(&b);
    if (JS_IsException(v))
        return NULL;
    s = JS_ToCString(ctx, v);
    JS_FreeValue(ctx, v);
    if (s) {
        copy = js_strdup(ctx, s);
        JS_FreeCString(ctx, s);
    }
    return copy;
}

static int init_default_export(JSContext *c, JSModuleDef *m)
{
    return JS_SetModuleExport(ctx, m, "default", JS_GetModulePrivateValue(ctx, m));
}

static JSModuleDef *value_module(const char *name, JSValue value)
{
    JSModuleDef *m;

    if (JS_IsException(value))
        return NULL;
    m = JS_NewCModule(ctx, name, init_default_export);
    if (!m) {
        JS_FreeValue(ctx, value);
        return NULL;
    }
    if (JS_AddModuleExport(ctx, m, "default") < 0) {
        JS_FreeValue(ctx, value);
        return NULL;
    }
    JS_SetModulePrivateValue(ctx, m, value);
    return m;
}

static int set_import_meta(JSModuleDef *m, const char *name)
{
    JSValue meta = JS_GetImportMeta(ctx, m);
    if (JS_IsException(meta))
        return -1;
    JS_DefinePropertyValueStr(ctx, meta, "url", JS_NewString(ctx, name), JS_PROP_C_W_E);
    JS_FreeValue(ctx, meta);
    return 0;
}

static JSValue compile_module(const char *name, const char *src, size_t len)
{
    JSValue v = JS_Eval(ctx, src, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (!JS_IsException(v) && set_import_meta(JS_VALUE_GET_PTR(v), name) < 0)
        return JS_EXCEPTION;
    return v;
}

static JSModuleDef *host_load(JSContext *c, const char *name, void *opaque, JSValueConst attributes)
{
    DynBuf b;
    uint32_t shape;
    JSValue v, wanted, kind;
    JSModuleDef *m = NULL;
    char *src;
    size_t len;
    const char *type;

    if (compiling)
        return JS_NewCModule(ctx, name, init_default_export);
    js_dbuf_init(ctx, &b);
    dbuf_putstr(&b, "{\"name\":");
    json_string(&b, name, strlen(name));
    wanted = JS_IsObject(attributes) ? get_quietly(attributes, "type") : JS_UNDEFINED;
    if (JS_IsString(wanted)) {
        dbuf_putstr(&b, ",\"type\":");
        json_text(&b, wanted);
    }
    JS_FreeValue(ctx, wanted);
    dbuf_putc(&b, '}');
    shape = request(OP_LOAD, 0, b.buf, b.size, NULL, 0);
    dbuf_free(&b);
    if (shape & (SHAPE_ERROR | SHAPE_STASHED) || !(shape & SHAPE_BODY)) {
        JS_FreeValue(ctx, reply_value(shape));
        return NULL;
    }
    len = shared.body_len;
    src = js_malloc(ctx, len + 1);
    if (!src) {
        free_message();
        return NULL;
    }
    memcpy(src, (const char *)shared.body, len);
    src[len] = '\0';
    shape = shared.shape & ~SHAPE_BODY;
    if (shared.shape & SHAPE_OWNED_BODY)
        js_free_rt(rt, (void *)shared.body);
    shared.shape = shape & ~SHAPE_OWNED_BODY;
    v = message_value();
    kind = get_quietly(v, "type");
    JS_FreeValue(ctx, v);
    type = JS_ToCString(ctx, kind);
    JS_FreeValue(ctx, kind);
    if (type && !strcmp(type, "json")) {
        m = value_module(name, JS_ParseJSON(ctx, src, len, name));
    } else if (type && !strcmp(type, "text")) {
        m = value_module(name, JS_NewStringLen(ctx, src, len));
    } else if (type) {
        v = compile_module(name, src, len);
        if (!JS_IsException(v)) {
            m = JS_VALUE_GET_PTR(v);
            JS_FreeValue(ctx, v);
        }
    }
    JS_FreeCString(ctx, type);
    js_free(ctx, src);
    return m;
}

static int check_attributes(JSContext *c, void *opaque, JSValueConst attributes)
{
    JSPropertyEnum *tab;
    uint32_t i, len;
    int r = 0;

    if (JS_GetOwnPropertyNames(ctx, &tab, &len, attributes, JS_GPN_STRING_MASK) < 0)
        return -1;
    for (i = 0; i < len && r == 0; i++) {
        const char *key = JS_AtomToCString(ctx, tab[i].atom);
        if (!key || strcmp(key, "type")) {
            JS_ThrowTypeError(ctx, "import attribute '%s' is not supported", key ? key : "");
            r = -1;
        }
        JS_FreeCString(ctx, key);
    }
    JS_FreePropertyEnum(ctx, tab, len);
    return r;
}
