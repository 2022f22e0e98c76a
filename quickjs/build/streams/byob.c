/* Reads into views and the requests that sources answer. */

/* ReadableByteStreamControllerGetBYOBRequest; undefined if there is none */
static JSValueConst byob_request(struct readable *s)
{
    struct pull_into *first;
    struct byob_request *q;
    JSValue view;

    if (JS_IsUndefined(s->request) && s->pending.len > 0) {
        first = first_pending(s);
        view = new_view(JS_CLASS_UINT8_ARRAY, js_dup(first->buffer), first->offset + first->filled,
                        first->length - first->filled);
        if (JS_IsException(view))
            return view;
        s->request = new_object(BYOB_REQUEST, &q);
        q->stream = js_dup(s->self);
        q->view = view;
    }
    return s->request;
}

/* ReadableStreamBYOBReaderRead for a readable or closed stream */
static void pull_into(struct readable *s, const struct view *w, double minimum, struct request q)
{
    JSValue buffer = transfer(w->buffer), view, error;
    struct pull_into d = {
        .buffer = buffer, .offset = w->offset, .length = w->length, .minimum = minimum * w->element,
        .element = w->element, .class_id = w->class_id, .reader_type = FOR_BYOB,
    };

    if (JS_IsException(buffer)) {
        give_view(q, buffer);
        return;
    }
    d.buffer_length = array_buffer(buffer)->byte_length;
    if (s->pending.len > 0) {
        fifo_push(&s->pending, sizeof(d), &d);
        fifo_push(&reader_of(s)->requests, sizeof(q), &q);
        return;
    }
    if (s->state == CLOSED) {
        view = new_view(d.class_id, d.buffer, d.offset, 0);
        if (JS_IsException(view))
            give_view(q, view);
        else
            give_close(q, view);
        return;
    }
    if (s->bytes_total > 0) {
        if (fill_from_queue(s, &d)) {
            view = view_of_pull(d);
            handle_drain(s);
            give_view(q, view);
            return;
        }
        if (s->close_requested) {
            JS_FreeValue(ctx, d.buffer);
            error = type_error("The stream closed before the view of a BYOB read had an element");
            byte_error(s, error);
            give_error(q, error);
            JS_FreeValue(ctx, error);
            return;
        }
    }
    fifo_push(&s->pending, sizeof(d), &d);
    fifo_push(&reader_of(s)->requests, sizeof(q), &q);
    call_pull_if_needed(s);
}

static void read_into(struct reader *r, JSValueConst view, double minimum, struct request q)
{
    JSValue hold = js_dup(r->stream);
    struct readable *s = opaque_of(hold);
    struct view w;

    s->disturbed = true;
    if (s->state == ERRORED) {
        give_error(q, s->stored_error);
    } else {
        take_apart(view, &w);
        pull_into(s, &w, minimum, q);
    }
    JS_FreeValue(ctx, hold);
}

static void respond_closed(struct readable *s)
{
    struct fifo filled = { 0 };
    struct pull_into d;
    uint32_t waiting;

    if (first_pending(s)->reader_type == FOR_NONE) {
        d = shift_pending(s);
        JS_FreeValue(ctx, d.buffer);
    }
    if (!has_reader(s, true))
        return;
    waiting = waiting_requests(s);
    while (filled.len < waiting && s->pending.len > 0) {
        d = shift_pending(s);
        fifo_push(&filled, sizeof(d), &d);
    }
    commit_all(s, filled);
}

static int respond_readable(struct readable *s, uint32_t written)
{
    struct pull_into *first = first_pending(s), d;
    struct fifo filled;
    uint32_t rest;

    first->filled += written;
    if (first->reader_type == FOR_NONE) {
        if (enqueue_detached(s) < 0)
            return -1;
        commit_all(s, process_pending(s));
        return 0;
    }
    if (first->filled < first->minimum)
        return 0;
    d = shift_pending(s);
    rest = d.filled % d.element;
    if (rest > 0 && enqueue_cloned(s, d.buffer, d.offset + d.filled - rest, rest) < 0) {
        JS_FreeValue(ctx, d.buffer);
        return -1;
    }
    d.filled -= rest;
    filled = process_pending(s);
    commit(s, d);
    commit_all(s, filled);
    return 0;
}

static int respond_with(struct readable *s, uint32_t written)
{
    invalidate_request(s);
    if (s->state == CLOSED)
        respond_closed(s);
    else if (respond_readable(s, written) < 0)
        return -1;
    call_pull_if_needed(s);
    return 0;
}

/* ReadableByteStreamControllerRespond; -1 with an exception */
static int respond(struct readable *s, double written)
{
    struct pull_into *first = first_pending(s);

    if (s->state == CLOSED) {
        if (written != 0) {
            JS_ThrowTypeError(ctx, "bytesWritten must be 0 when the stream is closed");
            return -1;
        }
    } else if (written == 0) {
        JS_ThrowTypeError(ctx, "bytesWritten must not be 0 while the stream is readable");
        return -1;
    } else if (first->filled + written > first->length) {
        JS_ThrowRangeError(ctx, "bytesWritten is larger than the view of the request");
        return -1;
    }
    if (retransfer(&first->buffer) < 0)
        return -1;
    return respond_with(s, written);
}

/* ReadableByteStreamControllerRespondWithNewView; -1 with an exception */
static int respond_with_new_view(struct readable *s, JSValueConst view)
{
    struct pull_into *first = first_pending(s);
    struct view w;
    JSValue buffer;

    take_apart(view, &w);
    if (s->state == CLOSED) {
        if (w.length != 0) {
            JS_ThrowTypeError(ctx, "The view must be empty when the stream is closed");
            return -1;
        }
    } else if (w.length == 0) {
        JS_ThrowTypeError(ctx, "The view must not be empty while the stream is readable");
        return -1;
    }
    if (first->offset + first->filled != w.offset) {
        JS_ThrowRangeError(ctx, "The view starts at another offset than the request's");
        return -1;
    }
    if (first->buffer_length != array_buffer(w.buffer)->byte_length) {
        JS_ThrowRangeError(ctx, "The view's buffer has another length than the request's");
        return -1;
    }
    if (first->filled + w.length > first->length) {
        JS_ThrowRangeError(ctx, "The view is larger than the request's");
        return -1;
    }
    buffer = transfer(w.buffer);
    if (JS_IsException(buffer))
        return -1;
    put(&first->buffer, buffer);
    return respond_with(s, w.length);
}
