import { ConnectionError } from "./errors.js";
import { piecesOf } from "./pieces.js";
import { path } from "./paths.js";
import { pauseBefore, sleep, type Transport } from "./transport.js";

export interface ServerEvent {
  /** The ID to pass as `lastEventId`. `progress` events have none. */
  id?: string;
  /** The type of the event, such as `running`, `progress` or `succeeded`. More types may be added. */
  type: string;
  data: Record<string, unknown>;
}

export interface EventOptions {
  /** Return only events after the event with this ID. */
  lastEventId?: string;
  signal?: AbortSignal;
}

const TERMINAL_TYPES = new Set(["succeeded", "failed", "cancelled"]);
// The number of consecutive failed connections after which the stream fails.
const FAILURES_MAX = 10;

/** Yield the events of a job until it has finished. After a lost connection, the stream continues without a gap. */
export async function* jobEvents(
  transport: Transport,
  jobId: string,
  { lastEventId, signal }: EventOptions = {},
): AsyncGenerator<ServerEvent, void> {
  const streamPath = path`/v1/jobs/${jobId}/events/stream`;
  let nFailures = 0;
  // A job that was retried has earlier terminal events, so only the last event counts.
  let hasEnded = false;
  for (;;) {
    try {
      const headers = { Accept: "text/event-stream", "Last-Event-ID": lastEventId };
      const response = await transport.response("GET", streamPath, { headers, signal });
      let hasEvents = false;
      for await (const event of parseEvents(response.body)) {
        hasEvents = true;
        nFailures = 0;
        lastEventId = event.id ?? lastEventId;
        hasEnded = TERMINAL_TYPES.has(event.type);
        yield event;
      }
      // The stream ends when the job has finished, and also when the server stops.
      if (hasEnded || (!hasEvents && (await isFinished(transport, jobId, signal)))) return;
      nFailures = 1;
    } catch (error) {
      signal?.throwIfAborted();
      if (hasEnded) return;
      nFailures += 1;
      if (!(error instanceof ConnectionError) || nFailures === FAILURES_MAX) throw error;
    }
    await sleep(pauseBefore(new ConnectionError(), nFailures) ?? 0, signal);
  }
}

async function isFinished(transport: Transport, jobId: string, signal: AbortSignal | undefined): Promise<boolean> {
  const job = await transport.json<{ state: string }>("GET", path`/v1/jobs/${jobId}`, { signal });
  return TERMINAL_TYPES.has(job.state);
}

/** Parse a stream of server-sent events (WHATWG HTML, section 9.2). */
export async function* parseEvents(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<ServerEvent, void> {
  let event: { id?: string; type: string; data: string[] } = { type: "message", data: [] };
  for await (const line of lines(stream)) {
    if (line === "") {
      if (event.data.length > 0) {
        const data = JSON.parse(event.data.join("\n")) as Record<string, unknown>;
        yield { ...(event.id === undefined ? {} : { id: event.id }), type: event.type, data };
      }
      event = { type: "message", data: [] };
      continue;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "id") event.id = value ?? "";
    if (field === "event") event.type = value ?? "";
    if (field === "data") event.data.push(value ?? "");
  }
}

/** Yield the lines of a text stream, without their line ends. An incomplete last line is dropped. */
export async function* lines(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<string, void> {
  if (stream === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const value of piecesOf(stream)) {
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield part.replace(/\r$/, "");
  }
}
