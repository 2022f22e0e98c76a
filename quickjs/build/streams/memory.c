/* Allocation of what algorithms cannot do without. When the limit is reached it
   goes above it, into the reserve that the host keeps, and counts as out of
   memory: the algorithms stay sound until the host ends the use. */

_Noreturn static void out_of_memory(void)
{
    shared.oom = rt->oom_count + 1;
    fail("out of memory");
}

static void *above_limit(void *p, size_t size)
{
    size_t limit = rt->malloc_state.malloc_limit;

    rt->oom_count++;
    rt->malloc_state.malloc_limit = 0;
    p = js_realloc_rt(rt, p, size);
    rt->malloc_state.malloc_limit = limit;
    if (!p)
        out_of_memory();
    return p;
}

static void *need(size_t size)
{
    void *p = js_malloc_rt(rt, size);
    if (!p)
        p = above_limit(NULL, size);
    memset(p, 0, size);
    return p;
}

static void *need_more(void *old, size_t size)
{
    void *p = js_realloc_rt(rt, old, size);
    return p ? p : above_limit(old, size);
}

static JSValue need_object(JSClassID id)
{
    JSValue v = JS_NewObjectClass(ctx, id);

    if (JS_IsException(v)) {
        size_t limit = rt->malloc_state.malloc_limit;
        JS_FreeValue(ctx, JS_GetException(ctx));
        rt->malloc_state.malloc_limit = 0;
        v = JS_NewObjectClass(ctx, id);
        rt->malloc_state.malloc_limit = limit;
        if (JS_IsException(v))
            out_of_memory();
    }
    return v;
}

/* the struct of an object whose class is known */
static inline void *opaque_of(JSValueConst v)
{
    return JS_VALUE_GET_OBJ(v)->u.opaque;
}

static void put(JSValue *slot, JSValue v)
{
    JSValue old = *slot;
    *slot = v;
    JS_FreeValue(ctx, old);
}

static JSValue take(JSValue *slot)
{
    JSValue v = *slot;
    *slot = JS_UNDEFINED;
    return v;
}

/* the TypeError or RangeError thrown last, as a value */
static JSValue thrown(JSValue exception)
{
    return JS_GetException(ctx);
}
