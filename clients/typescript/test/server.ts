import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Understudy, type ClientOptions } from "../src/index.js";

export type Handler = (request: IncomingMessage & { text: string }, response: ServerResponse) => void;

/** A server that passes each request to the next handler, and then repeats the last one. */
export async function serve(...handlers: [Handler, ...Handler[]]) {
  const requests: (IncomingMessage & { text: string })[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const handler = handlers[Math.min(requests.length, handlers.length - 1)] ?? handlers[0];
      const received = Object.assign(request, { text: Buffer.concat(chunks).toString() });
      requests.push(received);
      handler(received, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = (options: Partial<ClientOptions> = {}) =>
    new Understudy({ baseUrl: `http://127.0.0.1:${port}/`, apiKey: "sk_test", ...options });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { client, requests, close };
}

/** Respond with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** Respond with a problem document. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): Handler {
  const body = { type: "about:blank", title: code, status, detail: `It is ${code}.`, instance: "/", code };
  return json({ ...body, request_id: "req_1" }, status, headers);
}

/** Close the connection without a response. */
export const hangUp: Handler = (request) => request.socket.destroy();

/** Send the head and a part of the body, and then close the connection. */
export function torn(part: string, headers: Record<string, string>): Handler {
  return (_, response) => {
    response.writeHead(200, headers);
    response.write(part, () => setTimeout(() => response.destroy(), 20));
  };
}
