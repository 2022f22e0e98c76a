/* Rings of structs, and the queue-with-sizes,
   https://streams.spec.whatwg.org/#queue-with-sizes. */

struct fifo {
    uint8_t *items;
    uint32_t head, len, cap; /* in items */
};

static void *fifo_at(const struct fifo *f, size_t size, uint32_t i)
{
    return f->items + (f->head + i) % f->cap * size;
}

static void fifo_push(struct fifo *f, size_t size, const void *item)
{
    uint32_t cap, tail;

    if (f->len == f->cap) {
        cap = f->cap ? f->cap * 2 : 2;
        f->items = need_more(f->items, cap * size);
        if (f->head) { /* the part that wrapped around goes behind */
            tail = f->cap - f->head;
            memmove(f->items + (cap - tail) * size, f->items + f->head * size, tail * size);
            f->head = cap - tail;
        }
        f->cap = cap;
    }
    memcpy(fifo_at(f, size, f->len++), item, size);
}

static void fifo_shift(struct fifo *f, size_t size, void *item)
{
    memcpy(item, f->items + f->head * size, size);
    f->head = f->head + 1 == f->cap ? 0 : f->head + 1;
    f->len--;
}

/* the items pass to the result, the queue is empty */
static struct fifo fifo_take(struct fifo *f)
{
    struct fifo all = *f;
    memset(f, 0, sizeof(*f));
    return all;
}

struct sized {
    JSValue value;
    double size;
};

struct sized_queue {
    struct fifo items;
    double total;
};

/* takes the value; -1 with a RangeError for a size that is no finite number of at least 0 */
static int sized_push(struct sized_queue *q, JSValue value, double size)
{
    struct sized item = { value, size };

    if (!(size >= 0 && size < INFINITY)) {
        JS_FreeValue(ctx, value);
        JS_ThrowRangeError(ctx, "A chunk's size must be a finite number of at least 0");
        return -1;
    }
    fifo_push(&q->items, sizeof(item), &item);
    q->total += size;
    return 0;
}

static JSValue sized_shift(struct sized_queue *q)
{
    struct sized item;

    fifo_shift(&q->items, sizeof(item), &item);
    q->total -= item.size;
    if (q->total < 0)
        q->total = 0;
    return item.value;
}

static void sized_free(JSRuntime *r, struct sized_queue *q)
{
    struct fifo all = fifo_take(&q->items);
    uint32_t i;

    q->total = 0;
    for (i = 0; i < all.len; i++)
        JS_FreeValueRT(r, ((struct sized *)fifo_at(&all, sizeof(struct sized), i))->value);
    js_free_rt(r, all.items);
}

static void sized_mark(JSRuntime *r, const struct sized_queue *q, JS_MarkFunc *mark)
{
    uint32_t i;
    for (i = 0; i < q->items.len; i++)
        JS_MarkValue(r, ((struct sized *)fifo_at(&q->items, sizeof(struct sized), i))->value, mark);
}
