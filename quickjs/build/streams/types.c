/* The objects. A struct starts with the values that it holds, all of which are
   undefined at first, so that one finalizer and one mark function serve all
   classes; what else holds values has functions of its own. */

enum {
    READABLE_STREAM, DEFAULT_READER, BYOB_READER, BYOB_REQUEST, WRITABLE_STREAM, WRITER,
    TRANSFORM_STREAM, PIPE, TEE, ITERATOR, ITERABLE, SIZE_STRATEGY, COUNT_STRATEGY, PUMP,
    /* the rest holds one value, the stream, in place of a struct */
    DEFAULT_CONTROLLER, BYTE_CONTROLLER, WRITABLE_CONTROLLER, TRANSFORM_CONTROLLER, CLASS_COUNT
};

static JSClassID class_ids[CLASS_COUNT];

/* Read request and read-into request: chunk and close take the value. */
struct request {
    const struct request_steps *steps;
    JSValue a, b;
};

struct request_steps {
    void (*chunk)(struct request *q, JSValue value);
    void (*close)(struct request *q, JSValue value);
    void (*error)(struct request *q, JSValueConst reason);
};

struct reader {
    JSValue stream; /* undefined once released */
    JSValue closed;
    JSValue owner; /* the tee that uses it */
    struct fifo requests;
    bool byob;
};

enum { READABLE, CLOSED, ERRORED };

struct entry {
    JSValue buffer;
    uint32_t offset, length;
};

enum { FOR_DEFAULT, FOR_BYOB, FOR_NONE };

struct pull_into {
    JSValue buffer;
    uint32_t buffer_length, offset, length, filled, minimum, element;
    int class_id;
    uint8_t reader_type;
};

/* ReadableStream with the state of its controller */
struct readable {
    JSValue reader; /* undefined: not locked */
    JSValue stored_error;
    JSValue controller;
    JSValue source;          /* receiver of the callbacks, or what pull and cancel work on */
    JSValue on_pull, on_cancel;
    JSValue size;
    JSValue request; /* ReadableStreamBYOBRequest */
    JSValueConst self;
    JSValue (*pull)(struct readable *s);
    JSValue (*cancel)(struct readable *s, JSValueConst reason);
    double mark, auto_allocate;
    uint32_t read_op, handle; /* of a stream that the host holds */
    struct sized_queue queue;
    struct fifo entries; /* of a byte stream */
    double bytes_total;
    struct fifo pending;
    uint8_t state;
    bool bytes, disturbed, started, close_requested, pull_again, pulling;
};

struct byob_request {
    JSValue stream, view; /* undefined once answered */
};

enum { WRITABLE, WS_CLOSED, ERRORING, WS_ERRORED };

struct writable {
    JSValue writer, stored_error, controller;
    JSValue in_flight_write, close_request, in_flight_close; /* eventuals */
    JSValue abort_promise, abort_reason;
    JSValue sink, on_write, on_close, on_abort, size;
    JSValue signal, signal_reason;
    JSValueConst self;
    JSValue (*write)(struct writable *s, JSValueConst chunk);
    JSValue (*close)(struct writable *s);
    JSValue (*abort)(struct writable *s, JSValueConst reason);
    double mark;
    struct sized_queue queue;
    struct fifo requests; /* eventuals of writes */
    uint8_t state;
    bool started, backpressure, was_erroring, aborted;
};

struct writer {
    JSValue stream; /* undefined once released */
    JSValue ready, closed;
};

/* TransformStream with the state of its controller */
struct transform {
    JSValue readable, writable, controller;
    JSValue transformer, on_transform, on_flush, on_cancel;
    JSValue chunk, frame, finish, reason;
    JSValueConst self;
    /* in place of on_transform and on_flush; the state is in transformer */
    JSValue (*transform)(struct transform *t, JSValueConst chunk);
    JSValue (*flush)(struct transform *t);
    bool backpressure, pulling, held;
};

enum action { NO_ACTION, ABORT_DEST, CANCEL_SOURCE, CLOSE_DEST, CANCEL_SOURCE_WITH_FAILURE, ABORT_BOTH };

struct pipe {
    JSValue source, dest, reader, writer, signal, on_abort, done, failure;
    JSValueConst self;
    enum action action;
    bool prevent_abort, prevent_cancel, prevent_close;
    bool shutting_down, holding, failed;
};

struct tee {
    JSValue stream, reader, cancel_result, reasons[2], branch[2];
    JSValueConst self;
    bool reading, canceled[2], again[2];
};

struct iteration {
    JSValue reader, ongoing;
    bool prevent_cancel, finished;
};

struct iterable {
    JSValue iterator, next;
    bool sync;
};

struct counting {
    double mark;
};

/* sends a stream to the host */
struct pump {
    JSValue reader, owner;
    uint32_t op, handle;
    bool reading, again;
};

#define VALUES(type, field) (offsetof(struct type, field) / sizeof(JSValue))

static const struct {
    const char *name;
    size_t size;
    int values;
} types[CLASS_COUNT] = {
    [READABLE_STREAM] = { "ReadableStream", sizeof(struct readable), VALUES(readable, self) },
    [DEFAULT_READER] = { "ReadableStreamDefaultReader", sizeof(struct reader), VALUES(reader, requests) },
    [BYOB_READER] = { "ReadableStreamBYOBReader", sizeof(struct reader), VALUES(reader, requests) },
    [BYOB_REQUEST] = { "ReadableStreamBYOBRequest", sizeof(struct byob_request), 2 },
    [WRITABLE_STREAM] = { "WritableStream", sizeof(struct writable), VALUES(writable, self) },
    [WRITER] = { "WritableStreamDefaultWriter", sizeof(struct writer), 3 },
    [TRANSFORM_STREAM] = { "TransformStream", sizeof(struct transform), VALUES(transform, self) },
    [PIPE] = { "Pipe", sizeof(struct pipe), VALUES(pipe, self) },
    [TEE] = { "Tee", sizeof(struct tee), VALUES(tee, self) },
    [ITERATOR] = { "ReadableStream AsyncIterator", sizeof(struct iteration), 2 },
    [ITERABLE] = { "Iterable", sizeof(struct iterable), 2 },
    [SIZE_STRATEGY] = { "ByteLengthQueuingStrategy", sizeof(struct counting), 0 },
    [COUNT_STRATEGY] = { "CountQueuingStrategy", sizeof(struct counting), 0 },
    [PUMP] = { "Pump", sizeof(struct pump), 2 },
    [DEFAULT_CONTROLLER] = { "ReadableStreamDefaultController" },
    [BYTE_CONTROLLER] = { "ReadableByteStreamController" },
    [WRITABLE_CONTROLLER] = { "WritableStreamDefaultController" },
    [TRANSFORM_CONTROLLER] = { "TransformStreamDefaultController" },
};

/* class ids are allocated in a row */
static int type_of(JSValueConst v)
{
    return JS_VALUE_GET_OBJ(v)->class_id - class_ids[0];
}

static void free_requests(JSRuntime *r, struct fifo *f)
{
    struct fifo all = fifo_take(f);
    uint32_t i;
    for (i = 0; i < all.len; i++) {
        struct request *q = fifo_at(&all, sizeof(*q), i);
        JS_FreeValueRT(r, q->a);
        JS_FreeValueRT(r, q->b);
    }
    js_free_rt(r, all.items);
}

static void free_entries(JSRuntime *r, struct fifo *f)
{
    struct fifo all = fifo_take(f);
    uint32_t i;
    for (i = 0; i < all.len; i++)
        JS_FreeValueRT(r, ((struct entry *)fifo_at(&all, sizeof(struct entry), i))->buffer);
    js_free_rt(r, all.items);
}

static void free_pending(JSRuntime *r, struct fifo *f)
{
    struct fifo all = fifo_take(f);
    uint32_t i;
    for (i = 0; i < all.len; i++)
        JS_FreeValueRT(r, ((struct pull_into *)fifo_at(&all, sizeof(struct pull_into), i))->buffer);
    js_free_rt(r, all.items);
}

static void free_eventuals(JSRuntime *r, struct fifo *f)
{
    struct fifo all = fifo_take(f);
    uint32_t i;
    for (i = 0; i < all.len; i++)
        JS_FreeValueRT(r, *(JSValue *)fifo_at(&all, sizeof(JSValue), i));
    js_free_rt(r, all.items);
}

static void stream_finalizer(JSRuntime *r, JSValueConst v)
{
    int type = type_of(v), i;
    JSValue *p = opaque_of(v);

    if (!p)
        return;
    for (i = 0; i < types[type].values; i++)
        JS_FreeValueRT(r, p[i]);
    switch (type) {
    case READABLE_STREAM:
        sized_free(r, &((struct readable *)p)->queue);
        free_entries(r, &((struct readable *)p)->entries);
        free_pending(r, &((struct readable *)p)->pending);
        break;
    case DEFAULT_READER:
    case BYOB_READER:
        free_requests(r, &((struct reader *)p)->requests);
        break;
    case WRITABLE_STREAM:
        sized_free(r, &((struct writable *)p)->queue);
        free_eventuals(r, &((struct writable *)p)->requests);
        break;
    }
    js_free_rt(r, p);
}

static void mark_fifo(JSRuntime *r, const struct fifo *f, size_t size, size_t at, JS_MarkFunc *mark)
{
    uint32_t i;
    for (i = 0; i < f->len; i++)
        JS_MarkValue(r, *(JSValue *)((uint8_t *)fifo_at(f, size, i) + at), mark);
}

static void stream_mark(JSRuntime *r, JSValueConst v, JS_MarkFunc *mark)
{
    int type = type_of(v), i;
    JSValue *p = opaque_of(v);

    if (!p)
        return;
    for (i = 0; i < types[type].values; i++)
        JS_MarkValue(r, p[i], mark);
    switch (type) {
    case READABLE_STREAM: {
        struct readable *s = (struct readable *)p;
        sized_mark(r, &s->queue, mark);
        mark_fifo(r, &s->entries, sizeof(struct entry), offsetof(struct entry, buffer), mark);
        mark_fifo(r, &s->pending, sizeof(struct pull_into), offsetof(struct pull_into, buffer), mark);
        break;
    }
    case DEFAULT_READER:
    case BYOB_READER: {
        struct reader *s = (struct reader *)p;
        mark_fifo(r, &s->requests, sizeof(struct request), offsetof(struct request, a), mark);
        mark_fifo(r, &s->requests, sizeof(struct request), offsetof(struct request, b), mark);
        break;
    }
    case WRITABLE_STREAM: {
        struct writable *s = (struct writable *)p;
        sized_mark(r, &s->queue, mark);
        mark_fifo(r, &s->requests, sizeof(JSValue), 0, mark);
        break;
    }
    }
}

static void controller_finalizer(JSRuntime *r, JSValueConst v)
{
    void *p = opaque_of(v);
    if (p)
        JS_FreeValueRT(r, JS_MKPTR(JS_TAG_OBJECT, p));
}

static void controller_mark(JSRuntime *r, JSValueConst v, JS_MarkFunc *mark)
{
    void *p = opaque_of(v);
    if (p)
        JS_MarkValue(r, JS_MKPTR(JS_TAG_OBJECT, p), mark);
}

/* gives an object its struct */
static void *attach(JSValueConst v, int type)
{
    JSValue *p = need(types[type].size);
    int i;

    for (i = 0; i < types[type].values; i++)
        p[i] = JS_UNDEFINED;
    JS_SetOpaqueInternal(v, p);
    return p;
}

static JSValue new_object(int type, void *out)
{
    JSValue v = need_object(class_ids[type]);
    *(void **)out = attach(v, type);
    return v;
}

/* the object of a constructor call */
static JSValue construct(JSValueConst new_target, int type, void *out)
{
    JSValue v = js_create_from_ctor(ctx, new_target, class_ids[type]);
    if (!JS_IsException(v))
        *(void **)out = attach(v, type);
    return v;
}

static JSValue new_controller(int type, JSValueConst stream)
{
    JSValue v = need_object(class_ids[type]);
    JS_SetOpaqueInternal(v, JS_VALUE_GET_PTR(js_dup(stream)));
    return v;
}

/* the struct of a receiver or argument; NULL with a TypeError */
static void *as(JSValueConst v, int type)
{
    return JS_GetOpaque2(ctx, v, class_ids[type]);
}

/* the stream's struct of a controller; NULL with a TypeError */
static void *controlled(JSValueConst v, int type)
{
    JSObject *stream = JS_GetOpaque2(ctx, v, class_ids[type]);
    return stream ? stream->u.opaque : NULL;
}

static bool is_type(JSValueConst v, int type)
{
    return JS_IsObject(v) && JS_VALUE_GET_OBJ(v)->class_id == class_ids[type];
}

static JSValue type_error(const char *message)
{
    return thrown(JS_ThrowTypeError(ctx, "%s", message));
}
