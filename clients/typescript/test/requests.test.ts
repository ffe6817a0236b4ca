import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ConnectionError,
  InvalidRequestError,
  JobFailedError,
  NotFoundError,
  PreconditionFailedError,
  TimeoutError,
  Understudy,
  UnderstudyError,
} from "../src/index.js";
import { hangUp, json, problem, serve } from "./server.js";

const JOB = { id: "job_1", kind: "probe", state: "queued" };
const PROGRESS = { phase: "fit", fraction: 0.5 };

test("a request is repeated with the same idempotency key after a lost connection", async () => {
  const server = await serve(hangUp, problem(503, "unavailable"), json(JOB, 202));
  const job = await server.client().jobs.create({ kind: "probe" });
  server.close();
  assert.equal(job.id, "job_1");
  const keys = server.requests.map((request) => request.headers["idempotency-key"]);
  assert.equal(keys.length, 3);
  assert.ok(keys[0]);
  assert.deepEqual(new Set(keys).size, 1);
  assert.equal(server.requests[0]?.headers.authorization, "Bearer sk_test");
  assert.equal(server.requests[2]?.text, '{"kind":"probe"}');
});

test("the pause that the service asks for is observed", async () => {
  const server = await serve(problem(429, "rate_limited", { "Retry-After": "1" }), json(JOB));
  const start = performance.now();
  await server.client().jobs.get("job_1");
  server.close();
  assert.ok(performance.now() - start >= 990);
});

test("a request whose pause would end too late is not repeated", async () => {
  const server = await serve(problem(503, "unavailable", { "Retry-After": "600" }));
  await assert.rejects(server.client().jobs.get("job_1"), { code: "unavailable", retryAfterSeconds: 600 });
  server.close();
  assert.equal(server.requests.length, 1);
});

test("rejected requests are not repeated and become typed errors", async () => {
  const server = await serve(problem(404, "not_found"), problem(422, "invalid_parameters"));
  await assert.rejects(server.client().models.get("mdl_1"), NotFoundError);
  await assert.rejects(server.client().models.get("mdl_1"), InvalidRequestError);
  server.close();
  assert.equal(server.requests.length, 2);
});

test("an error without a problem document still has a status and a code", async () => {
  const server = await serve((_, response) => response.writeHead(404).end("<html>"));
  await assert.rejects(server.client().models.get("mdl_1"), { status: 404, code: "unexpected_response" });
  server.close();
});

test("a service that does not respond in time is a connection error", async () => {
  const server = await serve(() => undefined);
  const client = server.client({ timeoutSeconds: 0.1, retrySeconds: 0 });
  await assert.rejects(client.jobs.get("job_1"), ConnectionError);
  server.close();
});

test("an invalid key or address is rejected without showing the key", () => {
  for (const apiKey of ["", " ", "sk_a\nsk_b", "sk_é"]) {
    assert.throws(
      () => new Understudy({ baseUrl: "http://127.0.0.1", apiKey }),
      (error) => error instanceof UnderstudyError && !error.message.includes("sk_"),
    );
  }
  assert.throws(() => new Understudy({ baseUrl: "localhost:8000", apiKey: "sk_a" }), UnderstudyError);
});

test("a response that is not JSON is an error that is not repeated", async () => {
  const server = await serve((_, response) => response.writeHead(200).end("<html>"));
  await assert.rejects(server.client().jobs.get("job_1"), /is not JSON/);
  server.close();
  assert.equal(server.requests.length, 1);
});

test("an ID cannot change the path or the query of a request", async () => {
  const server = await serve(json({}));
  const { datasets } = server.client();
  await datasets.delete("ds_1?cascade=true");
  await datasets.get("../models/mdl_1");
  assert.throws(() => datasets.get(".."), UnderstudyError);
  assert.throws(() => datasets.get(""), UnderstudyError);
  server.close();
  const urls = server.requests.map(({ url }) => url);
  assert.deepEqual(urls, ["/v1/datasets/ds_1%3Fcascade%3Dtrue", "/v1/datasets/..%2Fmodels%2Fmdl_1"]);
});

test("a conditional change whose outcome is unknown is not repeated", async () => {
  for (const handler of [hangUp, problem(504, "gateway_timeout")]) {
    const server = await serve(handler, problem(412, "precondition_failed"));
    const update = server.client().datasets.update("ds_1", { name: "x" }, { ifMatch: '"1"' });
    await assert.rejects(update, (error) => !(error instanceof PreconditionFailedError));
    server.close();
    assert.equal(server.requests.length, 1);
  }
});

test("a deletion that is repeated after a refusal reports that nothing was found", async () => {
  const server = await serve(problem(429, "rate_limited"), problem(404, "not_found"));
  await assert.rejects(server.client().datasets.delete("ds_1"), NotFoundError);
  server.close();
});

test("wait ends in time although the service is down", async () => {
  const server = await serve(hangUp);
  const start = performance.now();
  await assert.rejects(server.client().jobs.wait("job_1", { timeoutSeconds: 0.3 }), TimeoutError);
  server.close();
  assert.ok(performance.now() - start < 10_000);
});

test("a signal ends a request and its repetitions", async () => {
  const server = await serve(problem(503, "unavailable"));
  const signal = AbortSignal.timeout(100);
  await assert.rejects(server.client().jobs.get("job_1", { signal }), { name: "TimeoutError" });
  server.close();
});

test("a deletion that is repeated after a lost response succeeds", async () => {
  const server = await serve(hangUp, problem(404, "not_found"), problem(404, "not_found"));
  await server.client().datasets.delete("ds_1");
  await assert.rejects(server.client().datasets.delete("ds_1"), NotFoundError);
  server.close();
});

test("conditional changes send the ETag and merge patches", async () => {
  const server = await serve(json({ id: "ds_1" }));
  await server.client().datasets.update("ds_1", { labels: { a: "1" } }, { ifMatch: '"7"' });
  server.close();
  assert.equal(server.requests[0]?.headers["if-match"], '"7"');
  assert.equal(server.requests[0]?.headers["content-type"], "application/merge-patch+json");
});

test("lists are followed to their last page", async () => {
  const server = await serve(
    json({ data: [{ id: "job_1" }, { id: "job_2" }], has_more: true, next: "c1" }),
    json({ data: [{ id: "job_3" }], has_more: false }),
  );
  const ids = [];
  for await (const job of server.client().jobs.list({ label: ["a:1", "b:2"] }, { pageSize: 2 })) ids.push(job.id);
  server.close();
  assert.deepEqual(ids, ["job_1", "job_2", "job_3"]);
  assert.equal(server.requests[0]?.url, "/v1/jobs?label=a%3A1&label=b%3A2&limit=2");
  assert.equal(server.requests[1]?.url, "/v1/jobs?label=a%3A1&label=b%3A2&limit=2&after=c1");
});

test("wait reports progress and returns the succeeded job", async () => {
  const server = await serve(
    json(JOB, 202),
    json({ ...JOB, state: "running", progress: PROGRESS }),
    json({ ...JOB, state: "running", progress: PROGRESS }),
    json({ ...JOB, state: "succeeded", progress: { phase: "store", fraction: 1 } }),
  );
  const fractions: number[] = [];
  const job = await server.client().jobs.create({ kind: "probe" });
  const finished = await job.wait({ onProgress: (progress) => fractions.push(progress.fraction) });
  server.close();
  assert.equal(finished.state, "succeeded");
  assert.deepEqual(fractions, [0.5, 1]);
  assert.equal(server.requests[1]?.headers.prefer, "wait=2");
});

test("wait fails for a failed job, and after its time", async () => {
  const failure = { code: "too_few_rows", detail: "The table has 3 rows. Add rows." };
  const failed = await serve(json({ ...JOB, state: "failed", error: failure }));
  await assert.rejects(failed.client().jobs.wait("job_1"), (error) => {
    return error instanceof JobFailedError && error.code === "too_few_rows" && error.message === failure.detail;
  });
  failed.close();
  const queued = await serve((_, response) => setTimeout(() => json(JOB)(_, response), 60));
  await assert.rejects(queued.client().jobs.wait("job_1", { timeoutSeconds: 0.05 }), TimeoutError);
  queued.close();
});
