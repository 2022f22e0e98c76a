/* https://streams.spec.whatwg.org/#qs-api */

static JSValue size_functions[2]; /* of ByteLengthQueuingStrategy and CountQueuingStrategy */

static JSValue js_strategy_constructor(JSContext *c, JSValueConst new_target, int argc,
                                       JSValueConst *argv, int magic)
{
    struct counting *s;
    JSValueConst init;
    JSValue v = construct(new_target, magic, &s), mark = JS_UNDEFINED;

    if (JS_IsException(v))
        return v;
    if (require_args(argc, 1, magic == COUNT_STRATEGY ? "new CountQueuingStrategy()" :
                     "new ByteLengthQueuingStrategy()") < 0 ||
        to_dictionary(argv[0], "The strategy's init", &init) < 0)
        goto fail;
    mark = get_member(init, "highWaterMark");
    if (JS_IsException(mark))
        goto fail;
    if (JS_IsUndefined(mark)) {
        JS_ThrowTypeError(ctx, "The strategy's init needs a highWaterMark");
        goto fail;
    }
    if (JS_ToFloat64(ctx, &s->mark, mark) < 0)
        goto fail;
    JS_FreeValue(ctx, mark);
    return v;
fail:
    JS_FreeValue(ctx, mark);
    JS_FreeValue(ctx, v);
    return JS_EXCEPTION;
}

static JSValue js_strategy_mark(JSContext *c, JSValueConst this_val, int magic)
{
    struct counting *s = as(this_val, magic);
    return s ? js_number(s->mark) : JS_EXCEPTION;
}

static JSValue js_strategy_size(JSContext *c, JSValueConst this_val, int magic)
{
    if (!as(this_val, magic))
        return JS_EXCEPTION;
    return js_dup(size_functions[magic - SIZE_STRATEGY]);
}

static JSValue js_byte_length_size(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return JS_GetPropertyStr(ctx, argv[0], "byteLength");
}

static JSValue js_count_size(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_int32(1);
}

static const JSCFunctionListEntry size_strategy_functions[] = {
    JS_CGETSET_MAGIC_DEF("highWaterMark", js_strategy_mark, NULL, SIZE_STRATEGY),
    JS_CGETSET_MAGIC_DEF("size", js_strategy_size, NULL, SIZE_STRATEGY),
};

static const JSCFunctionListEntry count_strategy_functions[] = {
    JS_CGETSET_MAGIC_DEF("highWaterMark", js_strategy_mark, NULL, COUNT_STRATEGY),
    JS_CGETSET_MAGIC_DEF("size", js_strategy_size, NULL, COUNT_STRATEGY),
};
