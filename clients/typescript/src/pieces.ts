import { ConnectionError } from "./errors.js";

// The time without a byte after which a connection counts as lost. Event streams send a comment every 15 s.
const IDLE_SECONDS = 60;

/** Yield the pieces of a stream. Throw `ConnectionError` if the connection breaks or nothing arrives. */
export async function* piecesOf(
  stream: ReadableStream<Uint8Array> | null,
  idleSeconds = IDLE_SECONDS,
): AsyncGenerator<Uint8Array, void> {
  if (stream === null) return;
  const reader = stream.getReader();
  try {
    for (;;) {
      const result = await readPiece(reader, idleSeconds);
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // Not awaited: it would wait for a connection that no longer responds.
    reader.cancel().catch(() => undefined);
  }
}

async function readPiece(reader: ReadableStreamDefaultReader<Uint8Array>, idleSeconds: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    const fail = () => reject(new ConnectionError(`No data arrived within ${idleSeconds} seconds.`));
    timer = setTimeout(fail, idleSeconds * 1000);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (error) {
    if (error instanceof ConnectionError || (error as Error).name === "AbortError") throw error;
    throw new ConnectionError(`The connection was lost: ${(error as Error).message}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
