/* https://streams.spec.whatwg.org/#rbs-controller-abstract-ops */

static struct pull_into *first_pending(struct readable *s)
{
    return fifo_at(&s->pending, sizeof(struct pull_into), 0);
}

static struct pull_into shift_pending(struct readable *s)
{
    struct pull_into d;
    fifo_shift(&s->pending, sizeof(d), &d);
    return d;
}

static void push_entry(struct readable *s, JSValue buffer, uint32_t offset, uint32_t length)
{
    struct entry e = { buffer, offset, length };
    fifo_push(&s->entries, sizeof(e), &e);
    s->bytes_total += length;
}

static void reset_entries(struct readable *s)
{
    free_entries(rt, &s->entries);
    s->bytes_total = 0;
}

static void invalidate_request(struct readable *s)
{
    struct byob_request *q;

    if (JS_IsUndefined(s->request))
        return;
    q = opaque_of(s->request);
    put(&q->stream, JS_UNDEFINED);
    put(&q->view, JS_UNDEFINED);
    put(&s->request, JS_UNDEFINED);
}

static void clear_pending(struct readable *s)
{
    invalidate_request(s);
    free_pending(rt, &s->pending);
}

static void byte_clear(struct readable *s)
{
    clear_pending(s);
    reset_entries(s);
}

static void byte_release_steps(struct readable *s)
{
    struct pull_into first;

    if (s->pending.len == 0)
        return;
    first = shift_pending(s);
    first.reader_type = FOR_NONE;
    free_pending(rt, &s->pending);
    fifo_push(&s->pending, sizeof(first), &first);
}

/* ReadableByteStreamControllerError */
static void byte_error(struct readable *s, JSValueConst reason)
{
    if (s->state != READABLE)
        return;
    byte_clear(s);
    clear_readable_algorithms(s);
    error_readable(s, reason);
}

/* errors the stream with what was thrown, which stays thrown */
static int byte_fail(struct readable *s)
{
    JSValue e = JS_GetException(ctx);
    byte_error(s, e);
    JS_Throw(ctx, e);
    return -1;
}

/* ReadableByteStreamControllerClose; -1 with a TypeError */
static int byte_close(struct readable *s)
{
    struct pull_into *first;

    if (s->close_requested || s->state != READABLE)
        return 0;
    if (s->bytes_total > 0) {
        s->close_requested = true;
        return 0;
    }
    if (s->pending.len > 0) {
        first = first_pending(s);
        if (first->filled % first->element) {
            JS_ThrowTypeError(ctx, "The stream closed with part of an element in the view of a BYOB read");
            return byte_fail(s);
        }
    }
    clear_readable_algorithms(s);
    close_readable(s);
    return 0;
}

static void handle_drain(struct readable *s)
{
    if (s->bytes_total == 0 && s->close_requested) {
        clear_readable_algorithms(s);
        close_readable(s);
    } else {
        call_pull_if_needed(s);
    }
}

static void give_view(struct request q, JSValue view)
{
    JSValue error;

    if (JS_IsException(view)) {
        error = JS_GetException(ctx);
        give_error(q, error);
        JS_FreeValue(ctx, error);
    } else {
        give_chunk(q, view);
    }
}

static void fill_read_request(struct readable *s, struct request q)
{
    struct entry e;

    fifo_shift(&s->entries, sizeof(e), &e);
    s->bytes_total -= e.length;
    handle_drain(s);
    give_view(q, new_view(JS_CLASS_UINT8_ARRAY, e.buffer, e.offset, e.length));
}

static void process_read_requests(struct readable *s)
{
    while (waiting_requests(s) > 0 && s->bytes_total > 0)
        fill_read_request(s, next_request(reader_of(s)));
}

static void byte_pull_steps(struct readable *s, struct request q)
{
    JSValue buffer, error;

    if (s->bytes_total > 0) {
        fill_read_request(s, q);
        return;
    }
    if (s->auto_allocate > 0) {
        buffer = s->auto_allocate > INT32_MAX ?
            JS_ThrowRangeError(ctx, "autoAllocateChunkSize is too large") :
            js_array_buffer_constructor1(ctx, JS_UNDEFINED, s->auto_allocate, NULL);
        if (JS_IsException(buffer)) {
            error = JS_GetException(ctx);
            give_error(q, error);
            JS_FreeValue(ctx, error);
            return;
        }
        struct pull_into d = {
            .buffer = buffer, .buffer_length = s->auto_allocate, .length = s->auto_allocate,
            .minimum = 1, .element = 1, .class_id = JS_CLASS_UINT8_ARRAY, .reader_type = FOR_DEFAULT,
        };
        fifo_push(&s->pending, sizeof(d), &d);
    }
    fifo_push(&reader_of(s)->requests, sizeof(q), &q);
    call_pull_if_needed(s);
}

static int enqueue_cloned(struct readable *s, JSValueConst buffer, uint32_t offset, uint32_t length)
{
    JSValue clone = clone_bytes(buffer, offset, length);
    if (JS_IsException(clone))
        return byte_fail(s);
    push_entry(s, clone, 0, length);
    return 0;
}

/* takes what the first descriptor holds, whose reader is gone, into the queue */
static int enqueue_detached(struct readable *s)
{
    struct pull_into d = *first_pending(s);

    if (d.filled > 0 && enqueue_cloned(s, d.buffer, d.offset, d.filled) < 0)
        return -1;
    if (s->pending.len > 0) {
        d = shift_pending(s);
        JS_FreeValue(ctx, d.buffer);
    }
    return 0;
}

/* FillPullIntoDescriptorFromQueue: true once it holds what its read asked for */
static bool fill_from_queue(struct readable *s, struct pull_into *d)
{
    uint32_t room = d->length - d->filled;
    uint32_t most = s->bytes_total < room ? (uint32_t)s->bytes_total : room;
    uint32_t filled = d->filled + most, aligned = filled - filled % d->element, left, n;
    bool ready = aligned >= d->minimum;
    uint8_t *target = array_buffer(d->buffer)->data;

    left = ready ? aligned - d->filled : most;
    while (left > 0) {
        struct entry *e = fifo_at(&s->entries, sizeof(*e), 0);
        n = left < e->length ? left : e->length;
        memcpy(target + d->offset + d->filled, array_buffer(e->buffer)->data + e->offset, n);
        if (n == e->length) {
            struct entry done;
            fifo_shift(&s->entries, sizeof(done), &done);
            JS_FreeValue(ctx, done.buffer);
        } else {
            e->offset += n;
            e->length -= n;
        }
        s->bytes_total -= n;
        d->filled += n;
        left -= n;
    }
    return ready;
}

/* takes the descriptor */
static JSValue view_of_pull(struct pull_into d)
{
    JSValue buffer = transfer(d.buffer);

    JS_FreeValue(ctx, d.buffer);
    if (JS_IsException(buffer))
        return buffer;
    return new_view(d.class_id, buffer, d.offset, d.filled / d.element);
}

static void commit(struct readable *s, struct pull_into d)
{
    bool done = s->state == CLOSED;
    JSValue view = view_of_pull(d);

    if (done && !JS_IsException(view))
        give_close(next_request(reader_of(s)), view);
    else
        give_view(next_request(reader_of(s)), view);
}

static void commit_all(struct readable *s, struct fifo filled)
{
    struct pull_into d;

    while (filled.len) {
        fifo_shift(&filled, sizeof(d), &d);
        if (waiting_requests(s) > 0)
            commit(s, d);
        else
            JS_FreeValue(ctx, d.buffer);
    }
    js_free_rt(rt, filled.items);
}

static struct fifo process_pending(struct readable *s)
{
    struct fifo filled = { 0 };
    struct pull_into d;

    while (s->pending.len > 0 && s->bytes_total > 0) {
        if (!fill_from_queue(s, first_pending(s)))
            continue;
        d = shift_pending(s);
        fifo_push(&filled, sizeof(d), &d);
    }
    return filled;
}

/* the rest of ReadableByteStreamControllerEnqueue: takes the buffer, which nobody
   else has; -1 with an exception */
static int enqueue_buffer(struct readable *s, JSValue buffer, uint32_t offset, uint32_t length)
{
    struct pull_into *first;

    if (s->pending.len > 0) {
        first = first_pending(s);
        if (array_buffer(first->buffer)->detached) {
            JS_ThrowTypeError(ctx, "The view of the pending BYOB request was transferred: its ArrayBuffer is detached");
            goto fail;
        }
        invalidate_request(s);
        first = first_pending(s);
        if (retransfer(&first->buffer) < 0)
            goto fail;
        if (first->reader_type == FOR_NONE && enqueue_detached(s) < 0)
            goto fail;
    }
    if (has_reader(s, false)) {
        process_read_requests(s);
        if (waiting_requests(s) == 0) {
            push_entry(s, buffer, offset, length);
        } else {
            if (s->pending.len > 0) {
                struct pull_into d = shift_pending(s);
                JS_FreeValue(ctx, d.buffer);
            }
            give_view(next_request(reader_of(s)),
                      new_view(JS_CLASS_UINT8_ARRAY, buffer, offset, length));
        }
    } else {
        push_entry(s, buffer, offset, length);
        if (has_reader(s, true))
            commit_all(s, process_pending(s));
    }
    call_pull_if_needed(s);
    return 0;
fail:
    JS_FreeValue(ctx, buffer);
    return -1;
}

/* ReadableByteStreamControllerEnqueue; -1 with an exception */
static int byte_enqueue(struct readable *s, JSValueConst chunk)
{
    struct view w;
    JSValue buffer;

    if (s->close_requested || s->state != READABLE)
        return 0;
    take_apart(chunk, &w);
    if (array_buffer(w.buffer)->detached) {
        JS_ThrowTypeError(ctx, "The chunk was transferred: its ArrayBuffer is detached");
        return -1;
    }
    buffer = transfer(w.buffer);
    if (JS_IsException(buffer))
        return -1;
    return enqueue_buffer(s, buffer, w.offset, w.length);
}
