/* The JavaScript stack for the profiler, called from the host's tick in the
   middle of any C function: it allocates nothing and writes only to buf.
   A record: u32 line, u16 name length, u16 file length, name, file (UTF-8). */

static uint32_t put_text(uint8_t *dst, uint32_t cap, JSValueConst v)
{
    JSString *s;
    uint32_t i, n = 0;

    if (JS_VALUE_GET_TAG(v) != JS_TAG_STRING)
        return 0;
    s = JS_VALUE_GET_STRING(v);
    for (i = 0; i < s->len && n + 3 <= cap; i++) {
        uint32_t c = string_get(s, i);
        if (c < 0x80) {
            dst[n++] = c;
        } else if (c < 0x800) {
            dst[n++] = 0xc0 | c >> 6;
            dst[n++] = 0x80 | (c & 0x3f);
        } else {
            dst[n++] = 0xe0 | c >> 12;
            dst[n++] = 0x80 | (c >> 6 & 0x3f);
            dst[n++] = 0x80 | (c & 0x3f);
        }
    }
    return n;
}

static JSValueConst function_name(JSObject *p)
{
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, p, JS_ATOM_name);
    if (!prs || (prs->flags & JS_PROP_TMASK) != JS_PROP_NORMAL)
        return JS_UNDEFINED;
    return pr->u.value;
}

#define SAMPLE_TEXT 256 /* bytes of a name or file */

EXPORT(sample) uint32_t sample(uint8_t *buf, uint32_t cap, uint32_t max_frames)
{
    JSStackFrame *sf;
    uint32_t n = 0, frames = 0;

    if (!rt)
        return 0;
    for (sf = rt->current_stack_frame; sf && frames < max_frames; sf = sf->prev_frame, frames++) {
        JSObject *p;
        uint32_t name_len, file_len = 0;
        int line = 0, column;

        if (JS_VALUE_GET_TAG(sf->cur_func) != JS_TAG_OBJECT)
            continue;
        if (n + 8 + 2 * SAMPLE_TEXT > cap)
            break;
        p = JS_VALUE_GET_OBJ(sf->cur_func);
        name_len = put_text(buf + n + 8, SAMPLE_TEXT, function_name(p));
        if (js_class_has_bytecode(p->class_id)) {
            JSFunctionBytecode *b = p->u.func.function_bytecode;
            if (b->filename)
                file_len = put_text(buf + n + 8 + name_len, SAMPLE_TEXT,
                                    JS_MKPTR(JS_TAG_STRING, rt->atom_array[b->filename]));
            if (sf->cur_pc > b->byte_code_buf)
                line = find_line_num(ctx, b, sf->cur_pc - b->byte_code_buf - 1, &column);
            else
                line = b->line_num;
        }
        put_u32(buf + n, line > 0 ? line : 0);
        put_u16(buf + n + 4, name_len);
        put_u16(buf + n + 6, file_len);
        n += 8 + name_len + file_len;
    }
    return n;
}
