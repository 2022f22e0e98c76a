/* Conversions of arguments, https://webidl.spec.whatwg.org/#js-type-mapping. */

#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)

static int require_args(int given, int count, const char *what)
{
    if (given >= count)
        return 0;
    JS_ThrowTypeError(ctx, "%s needs %d argument%s, but got %d", what, count,
                      count == 1 ? "" : "s", given);
    return -1;
}

/* a dictionary argument: undefined for a missing one */
static int to_dictionary(JSValueConst value, const char *what, JSValueConst *out)
{
    *out = JS_UNDEFINED;
    if (JS_IsUndefined(value) || JS_IsNull(value))
        return 0;
    if (!JS_IsObject(value)) {
        JS_ThrowTypeError(ctx, "%s must be an object", what);
        return -1;
    }
    *out = value;
    return 0;
}

/* a member of a dictionary, undefined if the dictionary is missing */
static JSValue get_member(JSValueConst dictionary, const char *name)
{
    if (JS_IsUndefined(dictionary))
        return JS_UNDEFINED;
    return JS_GetPropertyStr(ctx, dictionary, name);
}

static int bool_member(JSValueConst dictionary, const char *name, bool *out)
{
    JSValue v = get_member(dictionary, name);
    if (JS_IsException(v))
        return -1;
    *out = JS_ToBoolFree(ctx, v);
    return 0;
}

/* a member of a callback function type; undefined if absent */
static int callback_member(JSValueConst dictionary, const char *name, const char *what, JSValue *out)
{
    *out = get_member(dictionary, name);
    if (JS_IsException(*out))
        goto fail;
    if (JS_IsUndefined(*out) || JS_IsFunction(ctx, *out))
        return 0;
    JS_ThrowTypeError(ctx, "%s.%s must be a function", what, name);
    JS_FreeValue(ctx, *out);
fail:
    *out = JS_UNDEFINED;
    return -1;
}

/* `optional object` of a constructor */
static int to_optional_object(JSValueConst value, const char *what)
{
    if (JS_IsUndefined(value) || JS_IsObject(value))
        return 0;
    JS_ThrowTypeError(ctx, "%s must be an object", what);
    return -1;
}

/* [EnforceRange] unsigned long long */
static int enforce_range(JSValueConst value, const char *what, double *out)
{
    double d;

    if (JS_ToFloat64(ctx, &d, value) < 0)
        return -1;
    d = trunc(d);
    if (!(d >= 0 && d <= 9007199254740991.0)) {
        JS_ThrowTypeError(ctx, "%s is outside of 0 to 9007199254740991", what);
        return -1;
    }
    *out = d + 0;
    return 0;
}

/* a member of an enumeration with one value */
static int only_value(JSValueConst value, const char *only, const char *what)
{
    const char *s = JS_ToCString(ctx, value);
    bool same;

    if (!s)
        return -1;
    same = strcmp(s, only) == 0;
    if (!same)
        JS_ThrowTypeError(ctx, "%s is \"%.64s\", not \"%s\"", what, s, only);
    JS_FreeCString(ctx, s);
    return same ? 0 : -1;
}

struct strategy {
    bool has_mark;
    double mark;
    JSValue size; /* undefined: every chunk counts as 1 */
};

static int to_strategy(JSValueConst value, struct strategy *s)
{
    JSValueConst dictionary;
    JSValue raw;

    s->has_mark = false;
    s->size = JS_UNDEFINED;
    if (to_dictionary(value, "The queuing strategy", &dictionary) < 0)
        return -1;
    raw = get_member(dictionary, "highWaterMark");
    if (!JS_IsUndefined(raw)) {
        if (JS_IsException(raw) || JS_ToFloat64(ctx, &s->mark, raw) < 0) {
            JS_FreeValue(ctx, raw);
            return -1;
        }
        JS_FreeValue(ctx, raw);
        s->has_mark = true;
    }
    return callback_member(dictionary, "size", "The queuing strategy", &s->size);
}

/* https://streams.spec.whatwg.org/#validate-and-normalize-high-water-mark */
static int mark_of(const struct strategy *s, double by_default, double *out)
{
    *out = s->has_mark ? s->mark : by_default;
    if (*out >= 0)
        return 0;
    JS_ThrowRangeError(ctx, "highWaterMark must be at least 0");
    return -1;
}

/* a call of a user's callback whose arguments outlive it */
static JSValue call_user(JSValueConst fn, JSValueConst receiver, int argc, JSValueConst *argv)
{
    JSValue f = js_dup(fn), r = js_dup(receiver), args[2], v;
    int i;

    for (i = 0; i < argc; i++)
        args[i] = js_dup(argv[i]);
    v = JS_Call(ctx, f, r, argc, vc(args));
    for (i = 0; i < argc; i++)
        JS_FreeValue(ctx, args[i]);
    JS_FreeValue(ctx, f);
    JS_FreeValue(ctx, r);
    return v;
}

/* a callback of type Promise<undefined> */
static JSValue invoke(JSValueConst fn, JSValueConst receiver, int argc, JSValueConst *argv)
{
    return resolved_with(call_user(fn, receiver, argc, argv));
}

/* the size of a chunk; -1 with what the algorithm threw */
static int chunk_size(JSValueConst size, JSValueConst chunk, double *out)
{
    JSValue v;
    int r;

    *out = 1;
    if (JS_IsUndefined(size))
        return 0;
    v = call_user(size, JS_UNDEFINED, 1, &chunk);
    if (JS_IsException(v))
        return -1;
    r = JS_ToFloat64(ctx, out, v);
    JS_FreeValue(ctx, v);
    return r;
}
