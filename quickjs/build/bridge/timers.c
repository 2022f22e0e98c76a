/* setTimeout and setInterval (HTML, timers): a binary heap by deadline and then
   by order of creation. The host sleeps until shared.next_timer. */

struct timer {
    double deadline, interval; /* ms; interval < 0: fires once */
    uint64_t seq;
    uint32_t id;               /* 0: cleared, removed when it reaches the top */
    uint32_t argc;
    JSValue async_context, func;
    JSValue argv[];
};

static struct timer **heap;
static uint32_t heap_len, heap_size, next_timer_id = 1;
static uint64_t timer_seq;

static bool timer_before(const struct timer *a, const struct timer *b)
{
    return a->deadline < b->deadline || (a->deadline == b->deadline && a->seq < b->seq);
}

static void sift_down(uint32_t i)
{
    for (;;) {
        uint32_t k = 2 * i + 1;
        struct timer *t = heap[i];
        if (k >= heap_len)
            return;
        if (k + 1 < heap_len && timer_before(heap[k + 1], heap[k]))
            k++;
        if (!timer_before(heap[k], t))
            return;
        heap[i] = heap[k];
        heap[k] = t;
        i = k;
    }
}

static void sift_up(uint32_t i)
{
    while (i > 0 && timer_before(heap[i], heap[(i - 1) / 2])) {
        struct timer *t = heap[i];
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
        heap[i] = t;
    }
}

static void release_timer_values(struct timer *t)
{
    uint32_t i;
    JS_FreeValue(ctx, t->func);
    JS_FreeValue(ctx, t->async_context);
    for (i = 0; i < t->argc; i++)
        JS_FreeValue(ctx, t->argv[i]);
    t->func = t->async_context = JS_UNDEFINED;
    t->argc = 0;
}

static struct timer *pop_timer(void)
{
    struct timer *t = heap[0];
    heap[0] = heap[--heap_len];
    if (heap_len)
        sift_down(0);
    return t;
}

static int push_timer(struct timer *t)
{
    if (heap_len == heap_size) {
        uint32_t size = heap_size ? heap_size * 2 : 16;
        struct timer **h = js_realloc(ctx, heap, size * sizeof(*h));
        if (!h)
            return -1;
        heap = h;
        heap_size = size;
    }
    t->seq = timer_seq++;
    heap[heap_len++] = t;
    sift_up(heap_len - 1);
    return 0;
}

static void drop_cleared_timers(void)
{
    uint32_t i, n = 0;

    if (heap_len > 64 && shared.timers < heap_len / 2) {
        for (i = 0; i < heap_len; i++) {
            if (heap[i]->id)
                heap[n++] = heap[i];
            else
                js_free_rt(rt, heap[i]);
        }
        heap_len = n;
        for (i = n / 2; i-- > 0;)
            sift_down(i);
    }
    while (heap_len && !heap[0]->id)
        js_free_rt(rt, pop_timer());
}

static JSValue js_set_timer(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv,
                            int repeat)
{
    struct timer *t;
    double delay = 0;
    int i, extra = argc > 2 ? argc - 2 : 0;

    if (!JS_IsFunction(ctx, argv[0]))
        return JS_ThrowTypeError(ctx, "the callback of a timer must be a function");
    if (argc > 1 && !JS_IsUndefined(argv[1]) && JS_ToFloat64(ctx, &delay, argv[1]) < 0)
        return JS_EXCEPTION;
    if (!(delay >= 1))
        delay = repeat ? 1 : 0;
    else if (delay > INT32_MAX)
        delay = 1; /* as browsers and Node do for what does not fit 32 bits */
    if (shared.timers >= shared.max_timers)
        return JS_ThrowRangeError(ctx, "too many timers (limit %u): clear some of them first",
                                  shared.max_timers);
    t = js_malloc(ctx, sizeof(*t) + extra * sizeof(JSValue));
    if (!t)
        return JS_EXCEPTION;
    t->deadline = host_clock(1) + delay;
    t->interval = repeat ? delay : -1;
    t->id = next_timer_id;
    t->argc = extra;
    if (push_timer(t) < 0) {
        js_free(ctx, t);
        return JS_EXCEPTION;
    }
    t->func = JS_DupValue(ctx, argv[0]);
    t->async_context = JS_DupValue(ctx, rt->async_context);
    for (i = 0; i < extra; i++)
        t->argv[i] = JS_DupValue(ctx, argv[i + 2]);
    if (++next_timer_id > INT32_MAX)
        next_timer_id = 1;
    shared.timers++;
    return js_uint32(t->id);
}

static JSValue js_clear_timer(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    double id;
    uint32_t i;

    if (argc < 1 || JS_IsUndefined(argv[0]) || JS_IsNull(argv[0]))
        return JS_UNDEFINED;
    if (JS_ToFloat64(ctx, &id, argv[0]) < 0)
        return JS_EXCEPTION;
    if (!(id >= 1))
        return JS_UNDEFINED;
    for (i = 0; i < heap_len; i++) {
        if (heap[i]->id == id) {
            heap[i]->id = 0;
            release_timer_values(heap[i]);
            shared.timers--;
            drop_cleared_timers();
            break;
        }
    }
    return JS_UNDEFINED;
}

static void fire(struct timer *t)
{
    JSValue r, saved = rt->async_context;
    JSValue func = JS_DupValue(ctx, t->func);
    uint32_t i, argc = t->argc;
    JSValue *args = NULL;

    if (argc) {
        args = js_malloc(ctx, argc * sizeof(*args));
        if (!args) {
            report_exception();
            argc = 0;
        }
        for (i = 0; i < argc; i++)
            args[i] = JS_DupValue(ctx, t->argv[i]);
    }
    rt->async_context = JS_DupValue(ctx, t->async_context);
    if (t->interval < 0) {
        t->id = 0;
        shared.timers--;
        release_timer_values(t);
        js_free(ctx, t);
    } else {
        t->deadline = host_clock(1) + t->interval;
        if (push_timer(t) < 0) {
            report_exception();
            shared.timers--;
            release_timer_values(t);
            js_free(ctx, t);
        }
    }
    r = JS_Call(ctx, func, ctx->global_obj, argc, (JSValueConst *)args);
    if (JS_IsException(r))
        report_exception();
    JS_FreeValue(ctx, r);
    JS_FreeValue(ctx, func);
    for (i = 0; i < argc; i++)
        JS_FreeValue(ctx, args[i]);
    js_free(ctx, args);
    JS_FreeValue(ctx, rt->async_context);
    rt->async_context = saved;
}

/* fire what is due now, not what these callbacks add */
static void run_timers(void)
{
    double now = host_clock(1);
    uint64_t last = timer_seq;

    for (;;) {
        drop_cleared_timers();
        if (!heap_len || heap[0]->deadline > now || heap[0]->seq >= last)
            return;
        fire(pop_timer());
        run_jobs();
    }
}
