import type { Transport } from "./transport.js";

export interface ListOptions {
  /** The number of items that a single request returns, from 1 to 200. */
  pageSize?: number;
  signal?: AbortSignal;
}

interface Page<T> {
  data: T[];
  has_more: boolean;
  next?: string;
}

/** Yield all items of a list. The next page is requested once all items of the current page have been yielded. */
export async function* listAll<T>(
  transport: Transport,
  path: string,
  filters: object = {},
  { pageSize = 100, signal }: ListOptions = {},
): AsyncGenerator<T, void> {
  let after: string | undefined;
  do {
    const query = { ...filters, limit: pageSize, after };
    const page: Page<T> = await transport.json("GET", path, { query, signal });
    yield* page.data;
    after = page.has_more ? page.next : undefined;
  } while (after !== undefined);
}
