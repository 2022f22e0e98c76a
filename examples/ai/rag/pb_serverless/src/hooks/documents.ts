// Leaves documents that are new or changed to workers/index.ts. The job exists once the
// document is saved.
pb.onRecordBeforeCreate("documents", ({ record }) => enqueue(record.id));

pb.onRecordBeforeUpdate("documents", ({ record, original }) => {
  if (record.text !== original.text || record.file !== original.file) return enqueue(record.id);
});

const enqueue = (id: string) => pb.jobs.enqueue("index", { id });
