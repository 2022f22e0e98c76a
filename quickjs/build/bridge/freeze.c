/* Before a snapshot: everything that lives becomes immortal, so that instances
   mapped copy-on-write do not dirty the snapshot's pages by counting references
   to its objects, and leaves the collector's list, so that a collection in an
   instance visits the objects of that instance only. Blocks that are free inside
   the snapshot stay unused: new objects lie together on new pages. */

static struct list_head frozen_objects;

/* Does not write to what an earlier snapshot froze: its pages stay shared. */
static void make_immortal(const void *p)
{
    if (JS_REF_COUNT(p) > 0 && JS_REF_COUNT(p) != JS_REF_IMMORTAL)
        JS_REF_COUNT(p) = JS_REF_IMMORTAL;
}

static void freeze_value(JSValueConst v)
{
    if (JS_VALUE_HAS_REF_COUNT(v) && JS_VALUE_GET_TAG(v) != JS_TAG_MODULE)
        make_immortal(JS_VALUE_GET_PTR(v));
}

static void freeze_children(JSGCObjectHeader *h)
{
    int i;

    if (JS_GC_TYPE(h) == JS_GC_OBJ_TYPE_FUNCTION_BYTECODE) {
        JSFunctionBytecode *b = (JSFunctionBytecode *)h;
        for (i = 0; i < b->cpool_count; i++)
            freeze_value(b->cpool[i]);
    } else if (JS_GC_TYPE(h) == JS_GC_OBJ_TYPE_JS_OBJECT) {
        JSObject *p = (JSObject *)h;
        JSShapeProperty *prs = get_shape_prop(p->shape);
        for (i = 0; i < p->shape->prop_count; i++, prs++) {
            if (prs->atom != JS_ATOM_NULL && !(prs->flags & JS_PROP_TMASK))
                freeze_value(p->prop[i].u.value);
        }
        if (p->fast_array && p->class_id == JS_CLASS_ARRAY) {
            uint32_t k;
            for (k = 0; k < p->u.array.count; k++)
                freeze_value(p->u.array.u.values[k]);
        }
    }
}

static void seal_arenas(void)
{
    struct list_head *el;
    JSMallocBlockHeader *b;
    unsigned int k;
    int i;

    for (i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        list_for_each(el, &rt->arena_state.arena_list[i]) {
            JSArena *ar = list_entry(el, JSArena, link);
            if (ar->n_used_blocks < ar->n_blocks && !list_empty(&ar->free_link)) {
                list_del(&ar->free_link);
                init_list_head(&ar->free_link);
            }
            /* strings are found by block: no list names them. In a block that
               holds no counted object, and in a free one, the field is unused. */
            for (k = 0; k < ar->n_blocks; k++) {
                b = arena_get_block(ar, k, arena_block_sizes[i]);
                b->ref_count = JS_REF_IMMORTAL;
                b->block_size_idx |= JS_ARENA_SEALED;
            }
        }
        /* nothing is looked for in these arenas again */
        init_list_head(&rt->arena_state.arena_list[i]);
        rt->arena_state.next_size[i] = JS_ARENA_FIRST_SIZE;
    }
}

/* The functions of the standard library are made when they are first read. They are
   made now instead of in every instance. */
static void make_functions(void)
{
    struct list_head *el;
    int i;

    list_for_each(el, &rt->gc_obj_list) { /* new ones come to the end */
        JSGCObjectHeader *h = list_entry(el, JSGCObjectHeader, link);
        JSObject *p = (JSObject *)h;
        if (JS_GC_TYPE(h) != JS_GC_OBJ_TYPE_JS_OBJECT)
            continue;
        for (i = 0; i < p->shape->prop_count; i++) {
            JSShapeProperty *prs = get_shape_prop(p->shape) + i;
            if ((prs->flags & JS_PROP_TMASK) == JS_PROP_AUTOINIT &&
                js_autoinit_get_id(&p->prop[i]) == JS_AUTOINIT_ID_PROP &&
                JS_AutoInitProperty(ctx, p, prs->atom, &p->prop[i], prs) < 0)
                JS_FreeValue(ctx, JS_GetException(ctx));
        }
    }
}

/* Holes of malloc of at least so many bytes stay in use. */
#define LARGE_HOLE (64 << 10)

/* Fills the holes that freed blocks left below top, since the memory of an instance
   would spread over them, and their list along them. The large ones become one list,
   all of them zeros, which need no place in an image. */
static void fill_holes(const char *top)
{
    void **large = NULL;
    size_t size;
    char *p;

    for (size = LARGE_HOLE << 6; size >= 16; size /= 2) {
        while ((p = malloc(size)) && p < top) {
            memset(p, 0, size);
            if (size >= LARGE_HOLE) {
                *(void **)p = large;
                large = (void **)p;
            }
        }
        free(p);
    }
    while (large) {
        void **next = *large;
        *large = NULL;
        free(large);
        large = next;
    }
}

static void freeze(uint32_t gc_slack, uint32_t headroom)
{
    struct list_head *el;
    void *top;
    int i;

    run_jobs();
    make_functions();
    JS_RunGC(rt);
    if (!frozen_objects.next)
        init_list_head(&frozen_objects);
    list_for_each(el, &rt->gc_obj_list) {
        JSGCObjectHeader *h = list_entry(el, JSGCObjectHeader, link);
        make_immortal(h);
        freeze_children(h);
    }
    if (!list_empty(&rt->gc_obj_list)) {
        struct list_head *first = rt->gc_obj_list.next, *last = rt->gc_obj_list.prev;
        first->prev = frozen_objects.prev;
        frozen_objects.prev->next = first;
        last->next = &frozen_objects;
        frozen_objects.prev = last;
        init_list_head(&rt->gc_obj_list);
    }
    for (i = JS_ATOM_END; i < rt->atom_size; i++) {
        if (!atom_is_free(rt->atom_array[i]))
            make_immortal(rt->atom_array[i]);
    }
    js_arena_trim(rt);
    seal_arenas();
    top = malloc(headroom); /* the allocator keeps it: instances need not grow */
    free(top);
    if (top)
        fill_holes(top);
    rt->malloc_gc_threshold = rt->malloc_state.malloc_size + gc_slack;
}
