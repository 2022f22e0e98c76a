// Fields of type "vector" in PocketBase's dashboard: their settings, their value in
// lists and previews, and a field to edit them. Records come without their vectors,
// so these are asked for when they are shown.

const icon = "ri-bubble-chart-line";

async function load(collection, id, field) {
    const record = await app.pb.collection(collection).getOne(id, { fields: field, requestKey: null });
    return record[field] || null;
}

// exists asks for all of a page's records at once whether they have a vector.
const asked = new Map();
function exists(collection, id, field) {
    const key = collection + "/" + field;
    if (!asked.has(key)) {
        const ids = new Set();
        const found = new Promise((resolve) => setTimeout(resolve, 20)).then(async () => {
            asked.delete(key);
            const filter = [...ids].map((id) => app.pb.filter("id = {:id}", { id })).join(" || ");
            const list = await app.pb.collection(collection).getFullList({
                filter: `${field} != "" && (${filter})`,
                fields: "id",
                requestKey: null,
            });
            return new Set(list.map((r) => r.id));
        });
        asked.set(key, { ids, found });
    }
    const { ids, found } = asked.get(key);
    ids.add(id);
    if (ids.size >= 30) {
        asked.delete(key); // filters have a largest length
    }
    return found.then((all) => all.has(id));
}

function help(field) {
    return () => field().help && t.div({ className: "field-help" }, field().help);
}

function view(props) {
    const local = store({ text: "", missing: false });

    async function update() {
        const { record, field, short } = props;
        const collection = record?.collectionId;
        if (!record?.id || !collection) {
            return;
        }
        try {
            if (short) {
                local.missing = !(await exists(collection, record.id, field.name));
                local.text = `${field.dimensions} numbers`;
            } else {
                const vector = await load(collection, record.id, field.name);
                local.missing = !vector;
                local.text = JSON.stringify(vector);
            }
        } catch (err) {
            local.text = err.message;
        }
    }

    const watchers = [watch(() => [props.record?.id, props.record?.updated], update)];

    return t.div(
        { className: "record-field-view field-type-vector", onunmount: () => watchers.forEach((w) => w?.unwatch()) },
        () => {
            if (local.missing) {
                return t.span({ className: "missing-value" });
            }
            if (props.short) {
                return t.span({ className: "label" }, () => local.text);
            }
            return app.components.codeBlock({ value: () => local.text });
        },
    );
}

// parse makes of what was typed what is sent: an array, null, or the text for the server to complain of.
function parse(text) {
    if (text.trim() === "") {
        return null;
    }
    try {
        return JSON.parse(text);
    } catch (_) {
        return text;
    }
}

function input(props) {
    const uniqueId = "vector_" + app.utils.randomString();
    const local = store({ stored: "", text: "", loading: false });

    function show() {
        const value = props.record[props.field.name];
        if (value === undefined) {
            local.text = local.stored;
        } else if (JSON.stringify(parse(local.text)) !== JSON.stringify(value)) {
            local.text = value === null ? "" : typeof value == "string" ? value : JSON.stringify(value);
        }
    }

    async function reload() {
        const id = props.originalRecord?.id;
        local.stored = "";
        if (id) {
            local.loading = true;
            try {
                const vector = await load(props.collection.id, id, props.field.name);
                local.stored = vector ? JSON.stringify(vector) : "";
            } catch (err) {
                app.checkApiError(err);
            }
            local.loading = false;
        }
        show();
    }

    const watchers = [
        watch(() => [props.originalRecord?.id, props.originalRecord?.updated], reload),
        // Saving, and taking back, leave the record without the vector again.
        watch(() => props.record[props.field.name], (now, before) => now === undefined && before !== undefined ? reload() : show()),
    ];

    // edit keeps the field out of the record, and so out of what is saved, as long as it is what is stored.
    function edit(text) {
        local.text = text;
        if (text === local.stored) {
            delete props.record[props.field.name];
        } else {
            props.record[props.field.name] = parse(text);
        }
    }

    function count() {
        const value = parse(local.text);
        if (value === null) {
            return "none";
        }
        return `${Array.isArray(value) ? value.length : "no array"} of ${props.field.dimensions} numbers`;
    }

    return t.div(
        { className: "record-field-input field-type-vector", onunmount: () => watchers.forEach((w) => w?.unwatch()) },
        t.div(
            { className: "field" },
            t.label(
                { htmlFor: uniqueId },
                t.i({ className: icon, ariaHidden: true }),
                t.span({ className: "txt" }, () => props.field.name),
                t.small({ className: "txt-hint" }, () => ` (${count()})`),
            ),
            t.textarea({
                id: uniqueId,
                name: () => props.field.name,
                rows: 3,
                spellcheck: false,
                className: "txt-code",
                placeholder: () => local.loading ? "Loading…" : "[0.1, 0.2, …]",
                required: () => props.field.required,
                value: () => local.text,
                oninput: (e) => edit(e.target.value),
            }),
        ),
        help(() => props.field),
    );
}

function settings(props) {
    const uniqueId = "f_" + app.utils.randomString();
    const field = props.field;
    field.dimensions ??= 768;
    field.metric ||= "cosine";

    const clearError = () => app.utils.deleteByPath(app.store.errors, `fields.${props.fieldIndex}.embed`);
    const setEmbed = (key, value) => {
        const embed = { from: "", model: "", ...field.embed, [key]: value };
        field.embed = embed.from || embed.model ? embed : null;
        clearError();
    };

    const text = (className, name, label, hint, value, oninput) =>
        t.div(
            { className },
            t.div(
                { className: "field" },
                t.label({ htmlFor: `${uniqueId}.${name}` }, label),
                t.input({
                    type: "text",
                    id: `${uniqueId}.${name}`,
                    name: () => `fields.${props.fieldIndex}.${name}`,
                    placeholder: hint,
                    value,
                    oninput: (e) => oninput(e.target.value),
                }),
            ),
        );

    return app.components.fieldSettings(props, {
        header: () => [
            t.div(
                { className: "field header-select" },
                t.input({
                    type: "number",
                    className: "inline-error",
                    min: 1,
                    max: 16000,
                    step: 1,
                    required: true,
                    title: "Dimensions",
                    placeholder: "Dimensions*",
                    name: () => `fields.${props.fieldIndex}.dimensions`,
                    value: () => props.field.dimensions || "",
                    oninput: (e) => (props.field.dimensions = parseInt(e.target.value, 10) || 0),
                }),
            ),
            t.div(
                { className: "field header-select" },
                app.components.select({
                    required: true,
                    name: () => `fields.${props.fieldIndex}.metric`,
                    options: [
                        { value: "cosine", label: "Cosine" },
                        { value: "l2", label: "L2" },
                        { value: "dot", label: "Dot" },
                    ],
                    value: () => props.field.metric,
                    onchange: (opts) => (props.field.metric = opts?.[0]?.value || "cosine"),
                }),
            ),
        ],
        content: () =>
            t.div(
                { className: "grid sm" },
                text("col-sm-8", "embed", "Embed from", "a field, or a template: {{title}}: {{body}}", () => props.field.embed?.from || "",
                    (value) => setEmbed("from", value)),
                text("col-sm-4", "model", "Embedding model", "the default", () => props.field.embed?.model || "", (value) => setEmbed("model", value)),
                text("col-sm-12", "text", "Fields for hybrid searches", "those of “Embed from”", () => (props.field.text || []).join(", "),
                    (value) => (props.field.text = value.split(",").map((name) => name.trim()).filter(Boolean))),
                text("col-sm-12", "help", "Help text", "", () => props.field.help || "", (value) => (props.field.help = value)),
                t.div({ className: "col-sm-12 txt-hint" }, "Dimensions and metric can change only while no record has a vector."),
            ),
        footer: () => [
            t.div(
                { className: "field" },
                t.input({
                    className: "sm",
                    type: "checkbox",
                    id: uniqueId + ".required",
                    name: () => `fields.${props.fieldIndex}.required`,
                    checked: () => !!props.field.required,
                    onchange: (e) => (props.field.required = e.target.checked),
                }),
                t.label({ htmlFor: uniqueId + ".required" }, t.span({ className: "txt" }, "Required")),
            ),
        ],
    });
}

app.fieldTypes.vector = {
    icon,
    label: "Vector",
    settings,
    input,
    view,
    summaryPriority: -2,
    onrecordduplicate: async ({ collection, field, originalRecord, clone }) => {
        if (originalRecord?.id) {
            clone[field.name] = await load(collection.id, originalRecord.id, field.name);
        }
    },
    dummyData: (field) => Array.from({ length: Math.min(field.dimensions || 3, 3) }, (_, i) => (i + 1) / 10),
};
