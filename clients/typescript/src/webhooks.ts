import { IntegrityError } from "./errors.js";

export interface WebhookOptions {
  /** The maximum difference in seconds between a message's timestamp and the current time. Default: 300. */
  toleranceSeconds?: number;
  /** The current time in seconds since 1970. */
  nowSeconds?: number;
}

type HeaderSource = Headers | Record<string, string | string[] | undefined>;

const PREFIX = "whsec_";

/**
 * Check the signature of a webhook message (Standard Webhooks) and return its body as JSON.
 *
 * `body` must contain the bytes as they were received. Pass both secrets while a secret is being replaced.
 * Throws `IntegrityError` if no signature matches or the message is too old.
 */
export async function verifyWebhook<T = unknown>(
  headers: HeaderSource,
  body: string | Uint8Array<ArrayBuffer>,
  secrets: string | readonly string[],
  { toleranceSeconds = 300, nowSeconds = Date.now() / 1000 }: WebhookOptions = {},
): Promise<T> {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    valueOf(headers, name),
  );
  if (!id || !timestamp || !signatures) {
    throw new IntegrityError("The message has no webhook-id, webhook-timestamp or webhook-signature header.");
  }
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowSeconds - Number(timestamp)) > toleranceSeconds) {
    throw new IntegrityError("The timestamp of the message is invalid, too old or in the future.");
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  const given = signatures.split(" ").flatMap((entry) => (entry.startsWith("v1,") ? [entry.slice(3)] : []));
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const key = await importKey(secret);
    for (const signature of given) {
      const decoded = decodeBase64(signature);
      // `verify` compares in constant time.
      if (decoded && (await crypto.subtle.verify("HMAC", key, decoded, signed))) {
        return JSON.parse(new TextDecoder().decode(bytes)) as T;
      }
    }
  }
  throw new IntegrityError("No signature of the message matches the secret. Check the secret, and pass the body unchanged.");
}

function valueOf(headers: HeaderSource, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(value) ? value[0] : value;
}

async function importKey(secret: string): Promise<CryptoKey> {
  const bytes = decodeBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (!bytes?.length) throw new IntegrityError(`The secret is not valid. Copy it again, including \`${PREFIX}\`.`);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
