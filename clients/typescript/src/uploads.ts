import { ApiError, IntegrityError } from "./errors.js";
import { path } from "./paths.js";
import type { Transport } from "./transport.js";
import type { ReadOptions, Upload, UploadedDataset } from "./types.js";

/** A table: a file, bytes, rows as objects, or a stream. A stream can be sent only once, without retries. */
export type UploadSource = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | readonly object[];

export interface UploadOptions {
  /** The name of the dataset. */
  name?: string;
  /** The name of the file. Its suffix determines the format. Rows become `table.jsonl`. */
  filename?: string;
  /** The format, such as `csv`. If omitted, the name of the file determines it. */
  format?: string;
  labels?: Record<string, string>;
  /** Options for reading the file, such as `{ decimal: "," }`. */
  read?: ReadOptions;
  /** Files larger than this are sent in parts. Default: 32 MiB. */
  partsFromBytes?: number;
  /** The preferred size of a part. */
  partBytes?: number;
  /** The ID of an unfinished upload of the same file, to send only its missing parts. */
  resume?: string;
  /** Called after each part with the number of bytes that the service has received. */
  onProgress?: (sentBytes: number, totalBytes: number) => void;
  /** Called with the upload in parts before the first part is sent. Store its ID to resume it later. */
  onUpload?: (upload: Upload) => void;
  signal?: AbortSignal;
}

const PARTS_FROM_BYTES = 32 * 1024 * 1024;
const PART_TRIES_MAX = 5;
// A slow connection may need minutes for a part.
const PART_TIMEOUT_SECONDS = 600;

/** Upload a table. Large files are sent in parts. */
export async function upload(
  transport: Transport,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<UploadedDataset> {
  if (source instanceof ReadableStream) return uploadStream(transport, source, options);
  const [blob, filename] = blobOf(source, options.filename);
  const isLarge = blob.size > (options.partsFromBytes ?? PARTS_FROM_BYTES);
  if (isLarge || options.resume !== undefined) return uploadParts(transport, blob, filename, options);
  const uploaded = await uploadForm(transport, blob, filename, options);
  options.onProgress?.(blob.size, blob.size);
  return uploaded;
}

function blobOf(source: Exclude<UploadSource, ReadableStream>, filename: string | undefined): [Blob, string] {
  if (source instanceof Blob) {
    const ownName = "name" in source && typeof source.name === "string" ? source.name : undefined;
    return [source, filename ?? ownName ?? "table"];
  }
  if (source instanceof Uint8Array) return [new Blob([source]), filename ?? "table"];
  const text = source.map((row) => `${JSON.stringify(row)}\n`).join("");
  return [new Blob([text]), filename ?? "table.jsonl"];
}

function fieldsOf({ name, format, labels, read }: UploadOptions): Record<string, unknown> {
  const label = Object.entries(labels ?? {}).map(([key, value]) => `${key}:${value}`);
  return { name, format, label, ...read };
}

function uploadForm(
  transport: Transport,
  blob: Blob,
  filename: string,
  options: UploadOptions,
): Promise<UploadedDataset> {
  const form = new FormData();
  form.append("file", blob, filename);
  const { signal } = options;
  const timeoutSeconds = PART_TIMEOUT_SECONDS;
  return transport.json("POST", "/v1/datasets", { query: fieldsOf(options), body: form, signal, timeoutSeconds });
}

function uploadStream(
  transport: Transport,
  stream: ReadableStream<Uint8Array>,
  options: UploadOptions,
): Promise<UploadedDataset> {
  const suffix = /\.([a-z0-9]+)$/i.exec(options.filename ?? "")?.[1];
  const stem = options.filename?.replace(/\..*$/, "");
  return transport.json("POST", "/v1/datasets", {
    query: fieldsOf({ ...options, name: options.name ?? stem, format: options.format ?? suffix } as UploadOptions),
    headers: { "Content-Type": "application/octet-stream" },
    body: stream,
    signal: options.signal,
    timeoutSeconds: PART_TIMEOUT_SECONDS,
    isRepeatable: false,
  });
}

async function uploadParts(
  transport: Transport,
  blob: Blob,
  filename: string,
  options: UploadOptions,
): Promise<UploadedDataset> {
  const { signal } = options;
  const opened = await openUpload(transport, blob, filename, options);
  options.onUpload?.(opened);
  for (let isRepeated = false; ; isRepeated = true) {
    await sendMissingParts(transport, opened.id, blob, options);
    try {
      return await transport.json("POST", path`/v1/uploads/${opened.id}/complete`, { signal });
    } catch (error) {
      // The store may have lost a part since it was received.
      if (isRepeated || !(error instanceof ApiError && error.code === "incomplete_upload")) throw error;
    }
  }
}

async function openUpload(
  transport: Transport,
  blob: Blob,
  filename: string,
  options: UploadOptions,
): Promise<Upload> {
  const { signal, resume } = options;
  if (resume === undefined) {
    const file = { filename, size_bytes: blob.size };
    const { name, format, labels, read, partBytes } = options;
    const json = { files: [file], name, format, labels, options: read, part_bytes: partBytes };
    return transport.json("POST", "/v1/uploads", { json, signal });
  }
  const opened: Upload = await transport.json("GET", path`/v1/uploads/${resume}`, { signal });
  if (opened.files.length !== 1 || opened.size_bytes !== blob.size) {
    throw new IntegrityError(
      `The file has ${blob.size} bytes, but upload ${resume} expects ${opened.size_bytes}. Upload it without \`resume\`.`,
    );
  }
  return opened;
}

async function sendMissingParts(
  transport: Transport,
  uploadId: string,
  blob: Blob,
  options: UploadOptions,
): Promise<void> {
  const opened: Upload = await transport.json("GET", path`/v1/uploads/${uploadId}`, { signal: options.signal });
  const received = new Map((opened.parts ?? []).map((part) => [part.number, part.sha256]));
  let sentBytes = 0;
  for (let number = 1; number <= opened.n_parts; number += 1) {
    const part = blob.slice((number - 1) * opened.part_bytes, number * opened.part_bytes);
    // The file may have changed since the part was received. The service replaces a part that is sent again.
    if (received.get(number) !== hexOf(await digestOf(part))) {
      await sendPart(transport, path`/v1/uploads/${uploadId}/parts/${number}`, part, options);
    }
    sentBytes += part.size;
    options.onProgress?.(sentBytes, blob.size);
  }
}

async function digestOf(part: Blob): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendPart(transport: Transport, partPath: string, part: Blob, options: UploadOptions): Promise<void> {
  const bytes = await part.arrayBuffer();
  const digest = await digestOf(part);
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Digest": `sha-256=:${btoa(String.fromCharCode(...digest))}:`,
  };
  for (let nTries = 1; ; nTries += 1) {
    try {
      await transport.json("PUT", partPath, {
        headers,
        body: bytes,
        signal: options.signal,
        timeoutSeconds: PART_TIMEOUT_SECONDS,
      });
      return;
    } catch (error) {
      // A part that was corrupted in transit is sent again.
      const isCorrupted = error instanceof ApiError && error.code === "digest_mismatch";
      if (!isCorrupted || nTries === PART_TRIES_MAX) throw error;
    }
  }
}

