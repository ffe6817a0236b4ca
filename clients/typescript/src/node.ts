/** Functions that read and write files. They need Node; the rest of the client also runs in browsers. */
import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";

import type { Dataset, Download, RunningJob, Understudy, UploadOptions } from "./index.js";

/** Upload a file. It is read part by part, so its size is limited only by the service. */
export async function uploadFile(
  client: Understudy,
  path: string,
  options: UploadOptions = {},
): Promise<{ dataset: Dataset; job: RunningJob<"ingest"> }> {
  return client.datasets.upload(await openAsBlob(path), { filename: basename(path), ...options });
}

/** Write a download to a file. The file appears under its name only when it is complete. */
export async function saveDownload(download: Download, path: string): Promise<void> {
  const partialPath = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(partialPath, "wx");
    try {
      for await (const piece of download.stream) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partialPath, path);
  } catch (error) {
    await rm(partialPath, { force: true });
    throw error;
  }
}
