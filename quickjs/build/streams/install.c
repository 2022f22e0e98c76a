/* The constructors and internals on host.streams. polyfill/streams.ts gives the
   prototypes the descriptors of Web IDL and defines the globals. */

struct interface {
    int type;
    JSCFunctionEnum kind;
    int length;
    JSCFunctionType constructor;
    const JSCFunctionListEntry *functions;
    int count;
};

#define PLAIN(f) JS_CFUNC_constructor, .constructor.constructor = f
#define MAGIC(f) JS_CFUNC_constructor_magic, .constructor.constructor_magic = f
#define MEMBERS(list) .functions = list, .count = countof(list)

static const struct interface interfaces[] = {
    { READABLE_STREAM, PLAIN(js_readable_constructor), .length = 0, MEMBERS(readable_functions) },
    { DEFAULT_READER, MAGIC(js_reader_constructor), .length = 1, MEMBERS(default_reader_functions) },
    { BYOB_READER, MAGIC(js_reader_constructor), .length = 1, MEMBERS(byob_reader_functions) },
    { DEFAULT_CONTROLLER, PLAIN(js_illegal), .length = 0, MEMBERS(default_controller_functions) },
    { BYTE_CONTROLLER, PLAIN(js_illegal), .length = 0, MEMBERS(byte_controller_functions) },
    { BYOB_REQUEST, PLAIN(js_illegal), .length = 0, MEMBERS(byob_request_functions) },
    { WRITABLE_STREAM, PLAIN(js_writable_constructor), .length = 0, MEMBERS(writable_functions) },
    { WRITABLE_CONTROLLER, PLAIN(js_illegal), .length = 0, MEMBERS(writable_controller_functions) },
    { WRITER, PLAIN(js_writer_constructor), .length = 1, MEMBERS(writer_functions) },
    { TRANSFORM_STREAM, PLAIN(js_transform_constructor), .length = 0, MEMBERS(transform_functions) },
    { TRANSFORM_CONTROLLER, PLAIN(js_illegal), .length = 0, MEMBERS(transform_controller_functions) },
    { SIZE_STRATEGY, MAGIC(js_strategy_constructor), .length = 1, MEMBERS(size_strategy_functions) },
    { COUNT_STRATEGY, MAGIC(js_strategy_constructor), .length = 1, MEMBERS(count_strategy_functions) },
};

static int install_interface(JSValueConst host_streams, const struct interface *f)
{
    const char *name = types[f->type].name;
    JSValue proto = JS_NewObject(ctx), ctor;

    ctor = JS_NewCFunction2(ctx, f->constructor.generic, name, f->length, f->kind, f->type);
    if (JS_IsException(proto) || JS_IsException(ctor))
        return -1;
    JS_SetPropertyFunctionList(ctx, proto, f->functions, f->count);
    if (f->type == READABLE_STREAM)
        JS_SetPropertyFunctionList(ctx, ctor, readable_statics, countof(readable_statics));
    if (JS_SetConstructor(ctx, ctor, proto) < 0)
        return -1;
    JS_SetClassProto(ctx, class_ids[f->type], proto);
    return JS_DefinePropertyValueStr(ctx, host_streams, name, ctor, JS_PROP_C_W_E);
}

static int install_iterator(void)
{
    JSValue proto = JS_NewObjectProto(ctx, ctx->async_iterator_proto);
    static const char *const names[] = { "next", "return" };
    int i;

    if (JS_IsException(proto))
        return -1;
    for (i = 0; i < 2; i++) {
        JSValue f = JS_NewCFunctionMagic(ctx, js_iterator_step, names[i], i, JS_CFUNC_generic_magic, i);
        if (JS_DefinePropertyValueStr(ctx, proto, names[i], f, JS_PROP_C_W_E) < 0)
            return -1;
    }
    JS_DefinePropertyValue(ctx, proto, JS_ATOM_Symbol_toStringTag,
                           JS_NewString(ctx, types[ITERATOR].name), JS_PROP_CONFIGURABLE);
    JS_SetClassProto(ctx, class_ids[ITERATOR], proto);
    return 0;
}

static int install_streams(JSValueConst host)
{
    JSValue v = JS_NewObject(ctx);
    JSClassDef eventual_def = { "Eventual", .finalizer = eventual_finalizer, .gc_mark = eventual_mark };
    size_t i;

    if (JS_IsException(v))
        return -1;
    JS_NewClassID(rt, &eventual_class);
    JS_NewClass(rt, eventual_class, &eventual_def);
    for (i = 0; i < CLASS_COUNT; i++) {
        bool has_struct = i < DEFAULT_CONTROLLER;
        JSClassDef def = {
            types[i].name, .finalizer = has_struct ? stream_finalizer : controller_finalizer,
            .gc_mark = has_struct ? stream_mark : controller_mark,
        };
        JS_NewClassID(rt, &class_ids[i]);
        if (JS_NewClass(rt, class_ids[i], &def) < 0)
            return -1;
    }
    for (i = 0; i < countof(interfaces); i++) {
        if (install_interface(v, &interfaces[i]) < 0)
            return -1;
    }
    if (install_iterator() < 0)
        return -1;
    hook_is_signal = hook_create_signal = hook_signal_abort = hook_signal_aborted = JS_UNDEFINED;
    hook_signal_reason = hook_add_algorithm = hook_remove_algorithm = JS_UNDEFINED;
    unheard = fulfilled_eventual();
    size_functions[0] = JS_NewCFunction(ctx, js_byte_length_size, "size", 1);
    size_functions[1] = JS_NewCFunction(ctx, js_count_size, "size", 0);
    atom_chunk = JS_NewAtom(ctx, "chunk");
    atom_close = JS_NewAtom(ctx, "close");
    atom_error = JS_NewAtom(ctx, "error");
    atom_gone = JS_NewAtom(ctx, "gone");
    atom_drain = JS_NewAtom(ctx, "drain");
    JS_SetPropertyFunctionList(ctx, v, internal_functions, countof(internal_functions));
    JS_SetPropertyFunctionList(ctx, v, handle_functions, countof(handle_functions));
    return JS_DefinePropertyValueStr(ctx, host, "streams", v, JS_PROP_C_W_E);
}
