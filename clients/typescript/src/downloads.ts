import { ApiError, ConnectionError } from "./errors.js";
import { piecesOf } from "./pieces.js";
import { pauseBefore, sleep, type Transport } from "./transport.js";

export interface Download {
  /** The bytes. An interrupted download of a stored file continues where it stopped. */
  stream: ReadableStream<Uint8Array>;
  contentType: string;
  /** The file name that the service suggests. */
  filename: string | undefined;
  /** The size in bytes, if the service knows it before it sends the file. */
  sizeBytes: number | undefined;
  etag: string | undefined;
}

const TRIES_MAX = 5;

/** Request a file and return its stream. */
export async function download(
  transport: Transport,
  path: string,
  options: { query?: object; accept: string; signal?: AbortSignal | undefined },
): Promise<Download> {
  const { query, accept } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const request = (headers: Record<string, string>) =>
    transport.response("GET", path, {
      query,
      headers: { Accept: accept, "Accept-Encoding": "identity", ...headers },
      signal,
    });
  const first = await request({});
  const length = first.headers.get("content-length");
  const download = {
    contentType: first.headers.get("content-type") ?? "application/octet-stream",
    filename: /filename="?([^";]+)"?/.exec(first.headers.get("content-disposition") ?? "")?.[1],
    sizeBytes: length === null ? undefined : Number(length),
    etag: first.headers.get("etag") ?? undefined,
  };
  const isResumable = first.headers.get("accept-ranges") === "bytes" && download.etag !== undefined;
  const resume = isResumable
    ? (start: number) => request({ Range: `bytes=${start}-`, "If-Range": download.etag ?? "" })
    : undefined;
  const pieces = resumedPieces(first, download.sizeBytes, resume, signal);
  return { ...download, stream: streamOf(pieces, stop) };
}

/** Yield the body of a response. If its connection breaks, request the rest and continue. */
async function* resumedPieces(
  response: Response,
  sizeBytes: number | undefined,
  resume: ((start: number) => Promise<Response>) | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let nBytes = 0;
  for (let nFailures = 0; ; ) {
    try {
      for await (const piece of piecesOf(response.body)) {
        nBytes += piece.byteLength;
        nFailures = 0;
        yield piece;
      }
      if (sizeBytes === undefined || nBytes >= sizeBytes) return;
      throw new Error(`it ended after ${nBytes} of ${sizeBytes} bytes`);
    } catch (error) {
      signal.throwIfAborted();
      nFailures += 1;
      if (resume === undefined || nFailures === TRIES_MAX || error instanceof ApiError) {
        throw new ConnectionError(`The download was interrupted: ${(error as Error).message}.`, { cause: error });
      }
      await sleep(pauseBefore(new ConnectionError(), nFailures) ?? 0, signal);
    }
    response = await resume(nBytes);
    if (response.status !== 206) throw new ConnectionError("The file changed during the download. Start it again.");
  }
}

function streamOf(pieces: AsyncGenerator<Uint8Array, void>, stop: AbortController): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      // The generator may be waiting for a connection that no longer responds, so the request is aborted.
      stop.abort();
    },
  });
}
