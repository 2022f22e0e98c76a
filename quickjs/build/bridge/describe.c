/* Errors as JSON, written without running JSON.stringify: user code may have
   replaced toJSON or prototypes. A getter that throws counts as absent. */

#define DESCRIBE_DEPTH 8
#define DESCRIBE_TEXT 16384 /* bytes per string */

static void json_string(DynBuf *b, const char *s, size_t len)
{
    size_t i, n = len > DESCRIBE_TEXT ? DESCRIBE_TEXT : len;

    while (n < len && n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80)
        n--;
    dbuf_putc(b, '"');
    for (i = 0; i < n; i++) {
        uint8_t c = s[i];
        if (c == '"' || c == '\\') {
            dbuf_putc(b, '\\');
            dbuf_putc(b, c);
        } else if (c < 0x20) {
            dbuf_printf(b, "\\u%04x", c);
        } else {
            dbuf_putc(b, c);
        }
    }
    if (n < len)
        dbuf_printf(b, " ... (%u bytes more)", (unsigned)(len - n));
    dbuf_putc(b, '"');
}

static void clear_exception(void)
{
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
}

static void json_text(DynBuf *b, JSValueConst v)
{
    size_t len;
    const char *s = JS_ToCStringLen(ctx, &len, v);
    if (s) {
        json_string(b, s, len);
        JS_FreeCString(ctx, s);
    } else {
        clear_exception();
        dbuf_putstr(b, "\"\"");
    }
}

static JSValue get_quietly(JSValueConst obj, const char *name)
{
    JSValue v = JS_GetPropertyStr(ctx, obj, name);
    if (JS_IsException(v)) {
        clear_exception();
        return JS_UNDEFINED;
    }
    return v;
}

static void describe(DynBuf *b, JSValueConst error, int depth)
{
    static const char *const texts[] = { "name", "message", "stack", "code" };
    JSValue v;
    size_t i;
    bool is_object = JS_IsObject(error);

    dbuf_printf(b, "{\"thrown\":\"%s\"", JS_IsError(error) ? "error" : is_object ? "object" : "value");
    if (!is_object) {
        dbuf_putstr(b, ",\"message\":");
        if (JS_IsSymbol(error))
            dbuf_putstr(b, "\"Symbol()\"");
        else
            json_text(b, error);
    } else {
        for (i = 0; i < countof(texts); i++) {
            v = get_quietly(error, texts[i]);
            if (JS_IsString(v) || JS_IsNumber(v)) {
                dbuf_printf(b, ",\"%s\":", texts[i]);
                json_text(b, v);
            }
            JS_FreeValue(ctx, v);
        }
        v = get_quietly(error, "status");
        if (JS_IsNumber(v)) {
            int32_t n;
            if (JS_ToInt32(ctx, &n, v) == 0)
                dbuf_printf(b, ",\"status\":%d", n);
        }
        JS_FreeValue(ctx, v);
        v = get_quietly(error, "cause");
        if (!JS_IsUndefined(v) && depth < DESCRIBE_DEPTH) {
            dbuf_putstr(b, ",\"cause\":");
            describe(b, v, depth + 1);
        }
        JS_FreeValue(ctx, v);
    }
    dbuf_putc(b, '}');
}
