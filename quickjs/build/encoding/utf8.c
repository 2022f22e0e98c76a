/* UTF-8, https://encoding.spec.whatwg.org/#utf-8. */

#define MALFORMED (-1)
#define INCOMPLETE (-2) /* the bytes end within a character */

/* the character at p; size is that of the maximal part that is malformed or
   incomplete */
static int32_t utf8_next(const uint8_t *p, size_t n, size_t *size)
{
    uint8_t c = p[0], low = 0x80, high = 0xbf;
    int32_t v;
    size_t i, count;

    *size = 1;
    if (c < 0x80)
        return c;
    if (c < 0xc2 || c > 0xf4)
        return MALFORMED;
    count = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    v = c & (0x7f >> count);
    switch (c) {
    case 0xe0: low = 0xa0; break;
    case 0xed: high = 0x9f; break;
    case 0xf0: low = 0x90; break;
    case 0xf4: high = 0x8f; break;
    }
    for (i = 1; i < count; i++) {
        *size = i;
        if (i == n)
            return INCOMPLETE;
        if (p[i] < low || p[i] > high)
            return MALFORMED;
        v = v << 6 | (p[i] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    *size = count;
    return v;
}

/* how many bytes at the end begin a character that further bytes may complete */
static size_t utf8_tail(const uint8_t *p, size_t n)
{
    size_t k, size;

    for (k = 1; k <= 3 && k <= n; k++) {
        if ((p[n - k] & 0xc0) != 0x80)
            return utf8_next(p + n - k, k, &size) == INCOMPLETE ? k : 0;
    }
    return 0;
}

static size_t ascii_prefix(const uint8_t *p, size_t n)
{
    size_t i = 0;
    uint64_t word;

    for (; i + sizeof(word) <= n; i += sizeof(word)) {
        memcpy(&word, p + i, sizeof(word));
        if (word & 0x8080808080808080)
            break;
    }
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

/* the text of complete bytes: U+FFFD for each malformed part, or a TypeError */
static JSValue text_of_utf8(const uint8_t *p, size_t n, bool fatal)
{
    size_t i, size, ascii = ascii_prefix(p, n), units = ascii;
    int32_t v, all = 0;
    JSString *s;

    if (ascii == n)
        return js_new_string8_len(ctx, (const char *)p, n);
    for (i = ascii; i < n; i += size) {
        v = utf8_next(p + i, n - i, &size);
        if (v < 0) {
            if (fatal)
                return JS_ThrowTypeError(ctx, "The encoded data is not valid UTF-8");
            v = 0xfffd;
        }
        all |= v;
        units += v > 0xffff ? 2 : 1;
    }
    if (units > JS_STRING_LEN_MAX)
        return JS_ThrowRangeError(ctx, "The text is too long for a string");
    s = js_alloc_string(ctx, units, all > 0xff);
    if (!s)
        return JS_EXCEPTION;
    if (all <= 0xff) {
        uint8_t *out = str8(s);
        memcpy(out, p, ascii);
        out += ascii;
        for (i = ascii; i < n; i += size)
            *out++ = utf8_next(p + i, n - i, &size);
        *out = '\0';
    } else {
        uint16_t *out = str16(s);
        for (i = 0; i < ascii; i++)
            *out++ = p[i];
        for (; i < n; i += size) {
            v = utf8_next(p + i, n - i, &size);
            if (v > 0xffff) {
                *out++ = 0xd7c0 + (v >> 10);
                *out++ = 0xdc00 | (v & 0x3ff);
            } else {
                *out++ = v < 0 ? 0xfffd : v;
            }
        }
    }
    return JS_MKPTR(JS_TAG_STRING, s);
}

static bool is_lead(int c)
{
    return c >= 0xd800 && c <= 0xdbff;
}

static bool is_trail(int c)
{
    return c >= 0xdc00 && c <= 0xdfff;
}

static size_t put_utf8(uint8_t *out, int32_t v)
{
    if (v < 0x80) {
        if (out)
            out[0] = v;
        return 1;
    }
    if (v < 0x800) {
        if (out) {
            out[0] = 0xc0 | v >> 6;
            out[1] = 0x80 | (v & 0x3f);
        }
        return 2;
    }
    if (v < 0x10000) {
        if (out) {
            out[0] = 0xe0 | v >> 12;
            out[1] = 0x80 | (v >> 6 & 0x3f);
            out[2] = 0x80 | (v & 0x3f);
        }
        return 3;
    }
    if (out) {
        out[0] = 0xf0 | v >> 18;
        out[1] = 0x80 | (v >> 12 & 0x3f);
        out[2] = 0x80 | (v >> 6 & 0x3f);
        out[3] = 0x80 | (v & 0x3f);
    }
    return 4;
}

/* writes the first units of a string, after lead if that is no 0, and returns how
   many bytes they take; out may be NULL. Lone surrogates become U+FFFD. */
static size_t write_utf8(uint8_t *out, const JSString *s, uint32_t units, int lead)
{
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < units || lead; ) {
        int32_t v = lead ? lead : string_get(s, i++);
        lead = 0;
        if (is_lead(v) && i < units && is_trail(string_get(s, i)))
            v = 0x10000 + ((v - 0xd800) << 10) + (string_get(s, i++) - 0xdc00);
        else if (is_lead(v) || is_trail(v))
            v = 0xfffd;
        n += put_utf8(out ? out + n : NULL, v);
    }
    return n;
}

static JSValue new_bytes(uint8_t *data, size_t n)
{
    JSValue buffer = JS_NewArrayBuffer(ctx, data, n, 0, js_array_buffer_realloc, NULL, false);
    if (JS_IsException(buffer)) {
        js_free(ctx, data);
        return buffer;
    }
    return new_view(JS_CLASS_UINT8_ARRAY, buffer, 0, n);
}

/* a Uint8Array of what write_utf8 writes */
static JSValue utf8_of_text(const JSString *s, uint32_t units, int lead)
{
    bool ascii = !lead && !s->is_wide_char && ascii_prefix(str8(s), units) == units;
    size_t n = ascii ? units : write_utf8(NULL, s, units, lead);
    uint8_t *data = n > INT32_MAX ? NULL : js_malloc_rt(rt, n ? n : 1);

    if (!data) {
        JS_ThrowOutOfMemory(ctx);
        return JS_EXCEPTION;
    }
    if (ascii)
        memcpy(data, str8(s), n);
    else
        write_utf8(data, s, units, lead);
    return new_bytes(data, n);
}
