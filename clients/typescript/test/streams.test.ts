import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ConnectionError } from "../src/index.js";
import { saveDownload } from "../src/node.js";
import { piecesOf } from "../src/pieces.js";
import { json, problem, serve, torn, type Handler } from "./server.js";

const STREAM = { "Content-Type": "text/event-stream" };
const TABLE = "0123456789";
const STORED = { "Content-Length": "10", "Accept-Ranges": "bytes", ETag: '"a"' };

const send =
  (text: string, status: number, headers: Record<string, string>): Handler =>
  (_, response) => {
    response.writeHead(status, headers).end(text);
  };

test("an event stream continues after the last received event", async () => {
  const server = await serve(
    torn('id: 1\nevent: queued\ndata: {}\n\nevent: progress\ndata: {"fraction": 0.5}\n\nid: 2\nevent: run', STREAM),
    send(": the server stops\n\n", 200, STREAM),
    json({ id: "job_1", state: "running" }),
    problem(503, "unavailable"),
    send('id: 2\r\nevent: running\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid: 3\nevent: succeeded\ndata: {}\n\n', 200, STREAM),
  );
  const events = [];
  for await (const event of server.client().jobs.events("job_1")) events.push(event);
  server.close();
  assert.deepEqual(
    events.map(({ id, type }) => [id, type]),
    [["1", "queued"], [undefined, "progress"], ["2", "running"], ["3", "succeeded"]],
  );
  assert.deepEqual(events[2]?.data, { a: 1 });
  const ids = server.requests.map((request) => request.headers["last-event-id"]);
  assert.deepEqual(ids, [undefined, "1", undefined, "1", "1"]);
});

test("an event stream of a retried job goes on after its earlier end", async () => {
  const server = await serve(
    send('id: 1\nevent: failed\ndata: {}\n\nid: 2\nevent: queued\ndata: {}\n\n', 200, STREAM),
    send('id: 3\nevent: succeeded\ndata: {}\n\n', 200, STREAM),
  );
  const types = [];
  for await (const { type } of server.client().jobs.events("job_1")) types.push(type);
  server.close();
  assert.deepEqual(types, ["failed", "queued", "succeeded"]);
});

test("an event stream of a finished job without further events ends", async () => {
  const server = await serve(send("", 200, STREAM), json({ id: "job_1", state: "succeeded" }));
  const events = [];
  for await (const event of server.client().jobs.events("job_1", { lastEventId: "9" })) events.push(event);
  server.close();
  assert.deepEqual(events, []);
  assert.equal(server.requests.length, 2);
});

test("a stream without data counts as a lost connection", async () => {
  const stalled = new ReadableStream<Uint8Array>({});
  await assert.rejects(piecesOf(stalled, 0.05).next(), ConnectionError);
});

test("a download whose connection stalls can be cancelled", async () => {
  const server = await serve((_, response) => response.writeHead(200, STORED).write("0"));
  const { stream } = await server.client().datasets.download("ds_1");
  const reader = stream.getReader();
  await reader.read();
  const pending = reader.read();
  await reader.cancel();
  await pending.catch(() => undefined);
  server.close();
});

test("an event stream of a missing job fails", async () => {
  const server = await serve(problem(404, "not_found"));
  await assert.rejects(server.client().jobs.events("job_1").next(), { code: "not_found" });
  server.close();
});

test("an interrupted download of a stored file continues and is saved as a whole", async () => {
  const server = await serve(
    torn(TABLE.slice(0, 4), { ...STORED, "Content-Disposition": 'attachment; filename="ds_1.parquet"' }),
    send(TABLE.slice(4), 206, { "Content-Length": "6", ETag: '"a"' }),
  );
  const folder = await mkdtemp(join(tmpdir(), "understudy-"));
  const download = await server.client().datasets.download("ds_1");
  await saveDownload(download, join(folder, "table.parquet"));
  server.close();
  assert.equal(await readFile(join(folder, "table.parquet"), "utf8"), TABLE);
  assert.deepEqual(await readdir(folder), ["table.parquet"]);
  await rm(folder, { recursive: true });
  assert.equal(download.filename, "ds_1.parquet");
  assert.equal(server.requests[1]?.headers.range, "bytes=4-");
  assert.equal(server.requests[1]?.headers["if-range"], '"a"');
});

test("a download of a file that has changed, or of a converted table, fails and leaves no file", async () => {
  const changed = await serve(torn("0123", STORED), send(TABLE, 200, STORED));
  const converted = await serve(torn("0123", { "Transfer-Encoding": "chunked" }));
  const folder = await mkdtemp(join(tmpdir(), "understudy-"));
  for (const server of [changed, converted]) {
    const download = await server.client().datasets.download("ds_1", { format: "csv" });
    await assert.rejects(saveDownload(download, join(folder, "table.csv")), ConnectionError);
    server.close();
  }
  assert.deepEqual(await readdir(folder), []);
  await rm(folder, { recursive: true });
});

test("rows are read one by one, also if a character is split between pieces", async () => {
  const bytes = Buffer.from('{"a":"é"}\n{"a":null}\n');
  const server = await serve((_, response) => {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    response.write(bytes.subarray(0, 7));
    setTimeout(() => response.end(bytes.subarray(7)), 20);
  });
  const rows = [];
  for await (const row of server.client().datasets.rows("ds_1")) rows.push(row);
  server.close();
  assert.deepEqual(rows, [{ a: "é" }, { a: null }]);
});

test("rows are uploaded as JSON lines in a form", async () => {
  const uploaded = { dataset: { id: "ds_1" }, job: { id: "job_1" } };
  const server = await serve(json(uploaded, 202));
  const rows = [{ a: 1 }, { a: 2 }];
  const result = await server.client().datasets.upload(rows, { name: "x", labels: { k: "v" }, read: { decimal: "," } });
  server.close();
  assert.equal(result.dataset.id, "ds_1");
  assert.match(server.requests[0]?.text ?? "", /filename="table.jsonl"[^]*\{"a":1\}\n\{"a":2\}\n/);
  assert.equal(server.requests[0]?.url, "/v1/datasets?name=x&label=k%3Av&decimal=%2C");
});

test("a stream is sent once", async () => {
  const server = await serve(problem(503, "unavailable"));
  const stream = new Blob(["a,b\n1,2\n"]).stream();
  await assert.rejects(server.client().datasets.upload(stream, { filename: "t.csv" }), { code: "unavailable" });
  server.close();
  assert.equal(server.requests.length, 1);
  assert.equal(server.requests[0]?.url, "/v1/datasets?name=t&format=csv");
  assert.equal(server.requests[0]?.text, "a,b\n1,2\n");
});

test("a large file is sent in parts, and only its missing parts after an interruption", async () => {
  const upload = { id: "upl_1", size_bytes: 10, part_bytes: 4, n_parts: 3, files: [{}], state: "open" };
  const [first, third] = [
    { number: 1, sha256: "1be2e452b46d7a0d9656bbb1f768e8248eba1b75baed65f5d99eafa948899a6a" },
    { number: 3, sha256: "cd70bea023f752a0564abb6ed08d42c1440f2e33e29914e55e0be1595e24f45a" },
  ];
  const outdated = { number: 3, sha256: "the digest of an earlier version of the file" };
  const server = await serve(
    json({ ...upload, parts: [first, outdated] }),
    json({ ...upload, parts: [first, outdated] }),
    problem(422, "digest_mismatch"),
    json({}),
    problem(503, "unavailable"),
    json({}),
    problem(409, "incomplete_upload"),
    json({ ...upload, parts: [first, third] }),
    json({}),
    json({ dataset: { id: "ds_1" }, job: { id: "job_1" } }, 202),
  );
  const sent: number[] = [];
  const onProgress = (sentBytes: number) => sent.push(sentBytes);
  const result = await server.client().datasets.upload(new Blob([TABLE]), { resume: "upl_1", onProgress });
  server.close();
  assert.equal(result.dataset.id, "ds_1");
  assert.deepEqual(
    server.requests.filter(({ method }) => method === "PUT").map(({ url, text }) => `${url?.slice(-1)}:${text}`),
    ["2:4567", "2:4567", "3:89", "3:89", "2:4567"],
  );
  assert.equal(
    server.requests[2]?.headers["content-digest"],
    "sha-256=:2y5/G9WrmWiudhmbfMdHlcp0BNWgjXhWdxXOUy+dJmk=:",
  );
  assert.deepEqual(sent, [4, 8, 10, 4, 8, 10]);
});

test("a file of another size does not continue an upload", async () => {
  const server = await serve(json({ id: "upl_1", size_bytes: 11, files: [{}] }));
  const upload = server.client().datasets.upload(new Blob([TABLE]), { resume: "upl_1" });
  await assert.rejects(upload, { name: "IntegrityError" });
  server.close();
});
