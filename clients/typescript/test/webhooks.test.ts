import assert from "node:assert/strict";
import { test } from "node:test";

import { IntegrityError, verifyWebhook } from "../src/index.js";

// The test vector of the Standard Webhooks reference libraries.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"test": 2432232314}';
const HEADERS = {
  "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": "1614265330",
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const NOW = { nowSeconds: 1614265330 };

test("a valid message is accepted, with any form of headers and any of several secrets and signatures", async () => {
  const other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const several = { ...HEADERS, "webhook-signature": `v1a,x v1,AAAA ${HEADERS["webhook-signature"]}` };
  const bytes = new TextEncoder().encode(BODY);
  for (const headers of [HEADERS, new Headers(HEADERS), { ...several }, { "Webhook-Id": HEADERS["webhook-id"], ...HEADERS }]) {
    assert.deepEqual(await verifyWebhook(headers, bytes, [other, SECRET], NOW), { test: 2432232314 });
  }
  assert.deepEqual(await verifyWebhook(HEADERS, BODY, SECRET, { nowSeconds: 1614265330 + 299 }), { test: 2432232314 });
});

const INVALID: [string, Record<string, string>, string, string, number][] = [
  ["another body", HEADERS, `${BODY} `, SECRET, 0],
  ["another secret", HEADERS, BODY, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0],
  ["an empty secret", HEADERS, BODY, "whsec_", 0],
  ["an old message", HEADERS, BODY, SECRET, 301],
  ["a message from the future", HEADERS, BODY, SECRET, -301],
  ["another ID", { ...HEADERS, "webhook-id": "msg_2" }, BODY, SECRET, 0],
  ["a timestamp that is not a number", { ...HEADERS, "webhook-timestamp": "1e9" }, BODY, SECRET, 0],
  ["no signature", { ...HEADERS, "webhook-signature": "" }, BODY, SECRET, 0],
  ["another version", { ...HEADERS, "webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2") }, BODY, SECRET, 0],
  ["a signature that is not Base64", { ...HEADERS, "webhook-signature": "v1,é" }, BODY, SECRET, 0],
];
for (const [what, headers, body, secret, secondsLater] of INVALID) {
  test(`a message with ${what} is rejected`, async () => {
    const nowSeconds = NOW.nowSeconds + secondsLater;
    await assert.rejects(verifyWebhook(headers, body, secret, { nowSeconds }), IntegrityError);
  });
}
