import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { explainSystemError, fileError } from "../errors/system-error.ts";

/** How a file is written. */
export interface WriteOptions {
  /** Permissions of the file; default 0o644. */
  readonly mode?: number;
}

/**
 * Writes a file so that readers find the old content or the new one and nothing in between, also after a loss of power:
 * a temporary file in the same folder is written, synced and renamed, and the folder is synced.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  await sweep(path);
  try {
    await withFile(await open(temporary, "wx", mode), async (file) => {
      await file.chmod(mode); // `open` subtracts the umask; a mode that was asked for is meant
      await file.writeFile(content);
      await file.sync();
    });
    await rename(temporary, path);
    await withFile(await open(folder, "r"), (file) => file.sync());
  } catch (cause) {
    await rm(temporary, { force: true });
    throw fileError("write", path, cause);
  }
}

/**
 * Writes a private file that may be lost in a crash; never through a symbolic link.
 * @throws Error that names the file and what helps.
 */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    await withFile(await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600), (file) =>
      file.writeFile(content),
    );
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

/**
 * Opens a file for another program to append to; never through a symbolic link.
 * @throws Error that names the file and what helps.
 */
export async function openForAppending(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  try {
    return await open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

/** An older temporary file was left by a process that ended. */
const LEFT_AFTER_MS = 3_600_000;

/**
 * The folders that were swept: once in the life of a process is enough, as each process leaves one leftover at the
 * most.
 */
const swept = new Set<string>();

/** Removes the temporary files of processes that were killed while they wrote. */
async function sweep(path: string): Promise<void> {
  if (swept.has(path)) return;
  swept.add(path);
  const [folder, start] = [dirname(path), `.${basename(path)}.`];
  try {
    const names = await readdir(folder);
    for (const name of names.filter(
      (one) => one.startsWith(start) && /^[0-9a-f]{12}\.tmp$/.test(one.slice(start.length)),
    )) {
      const { mtimeMs } = await stat(join(folder, name));
      if (Date.now() - mtimeMs > LEFT_AFTER_MS) await rm(join(folder, name), { force: true });
    }
  } catch {
    // Leftovers only take room: a cause that keeps them from being removed and matters will keep the file from being
    // written too.
  }
}

/** What reading a file gave; `missing` is apart because a first start is no reason to warn. */
export type JsonRead =
  | { readonly state: "read"; readonly value: unknown }
  | { readonly state: "missing" }
  | { readonly state: "unusable"; readonly reason: string };

/** Reads a JSON file of at most `bytesMax`; a damaged, half-written or unreadable one gives a reason and no exception. */
export async function readJsonFile(path: string, { bytesMax }: { readonly bytesMax: number }): Promise<JsonRead> {
  let bytes: Uint8Array;
  try {
    // Opening a named pipe would wait for a writer.
    const stats = await stat(path);
    if (!stats.isFile() && !stats.isDirectory()) return { state: "unusable", reason: "it is no regular file" };
    bytes = await readBounded(path, bytesMax + 1);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return { state: "missing" };
    return { state: "unusable", reason: explainSystemError(cause) };
  }
  if (bytes.length > bytesMax) return { state: "unusable", reason: `it is larger than ${bytesMax} bytes` };
  if (bytes.length === 0) return { state: "unusable", reason: "it is empty" };
  try {
    return { state: "read", value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch {
    return { state: "unusable", reason: "it holds no valid JSON; it may have been written only in part" };
  }
}

/** Reads at most `bytesMax` bytes from the start of a file, whatever size the system says it has. */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array> {
  return withFile(await open(path, "r"), async (file) => {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, end: bytesMax - 1 }) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      total += chunk.length;
    }
    return Buffer.concat(chunks, total);
  });
}

async function withFile<T>(file: FileHandle, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
