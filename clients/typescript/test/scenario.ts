/** Use a running service from the upload of a table to its deletion. `tests/clients` starts it and causes faults. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { NotFoundError, Understudy } from "../src/index.js";
import { saveDownload, uploadFile } from "../src/node.js";

const [baseUrl = "", apiKey = "", tablePath = ""] = process.argv.slice(2);
const PART_BYTES = 65_536;
const N_ROWS = 500;

/** Ask the test to cause a fault. */
const fault = (name: "cut" | "restart" | "break downloads") => process.stdout.write(`${name}\n`);

const client = new Understudy({ baseUrl, apiKey });
const parts: number[] = [];
const { dataset } = await uploadFile(client, tablePath, {
  labels: { team: "ops" },
  partsFromBytes: 0,
  partBytes: PART_BYTES,
  onProgress: (sentBytes) => {
    if (parts.length === 0) fault("cut");
    parts.push(sentBytes);
  },
});
assert.equal(parts.at(-1), (await stat(tablePath)).size);
assert.ok(parts.length > 2);

const training = await client.jobs.create({
  kind: "train",
  dataset_id: dataset.id,
  holdout_fraction: 0.3,
  seed: 1,
});
fault("restart");
const types = [];
for await (const event of client.jobs.events(training.id)) types.push(event.type);
assert.equal(types.at(-1), "succeeded");
const trained = await training.wait({ timeoutSeconds: 300 });
const modelId = trained.result.model_id;
assert.equal((await client.models.get(modelId)).dataset_id, dataset.id);

const fractions: number[] = [];
const sampled = await client.jobs.run(
  { kind: "sample", model_id: modelId, n_rows: N_ROWS, seed: 2 },
  { onProgress: ({ fraction }) => fractions.push(fraction), timeoutSeconds: 300 },
);
assert.equal(fractions.at(-1), 1);
const syntheticId = sampled.result.dataset_id;
fault("break downloads");
const folder = await mkdtemp(join(tmpdir(), "understudy-"));
await saveDownload(await client.datasets.download(syntheticId), join(folder, "table.parquet"));
assert.equal((await readFile(join(folder, "table.parquet"))).subarray(0, 4).toString(), "PAR1");
await rm(folder, { recursive: true });
let nRows = 0;
for await (const row of client.datasets.rows(syntheticId)) {
  assert.deepEqual(Object.keys(row), ["age", "city", "income", "code"]);
  nRows += 1;
}
assert.equal(nRows, N_ROWS);

const evaluated = await client.jobs.run(
  { kind: "evaluate", dataset_id: dataset.id, synthetic_dataset_id: syntheticId, seed: 1 },
  { timeoutSeconds: 300 },
);
const report = await client.reports.get(evaluated.result.report_id);
assert.equal(report.tables["synthetic"]?.n_rows, N_ROWS);

const pipeline = await client.pipelines.create({
  dataset_id: dataset.id,
  train: { synthesizer: { name: "independent" } },
  sample: { n_rows: 20 },
});
const done = await client.pipelines.wait(pipeline.id, { timeoutSeconds: 300 });
assert.deepEqual([done.state, done.stages.length], ["succeeded", 2]);
const days = (await client.project.usage()).data;
assert.ok(days.reduce((sum, day) => sum + (day.rows_sampled ?? 0), 0) >= N_ROWS + 20);

const found = [];
for await (const listed of client.datasets.list({ label: ["team:ops"] })) found.push(listed.id);
assert.ok(found.includes(dataset.id));
await client.datasets.delete(dataset.id, { cascade: true });
await assert.rejects(client.datasets.get(syntheticId), NotFoundError);
process.stdout.write("done\n");
