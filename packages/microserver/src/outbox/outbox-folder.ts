import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeMessage, encodeMessage, textOf, type Value, WireFailure } from "@datawire/amqp";
import { describeError, systemErrorCode } from "@datawire/runtime";
import { type Draft, headOf, type Identity, readIdentity } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";

/** What of an entry is kept. */
export interface KeptEntry {
  readonly id: number;
  readonly to: string;
  readonly draft: Draft;
  readonly identity: Identity;
  /** Whether it is the only one of its producer: it keeps its identity whatever becomes of it. */
  readonly isAlone: boolean;
}

const TO = "x-opt-datawire-to";
const ALONE = "x-opt-datawire-alone";
const NAME = /^(\d{12})\.message$/;
const LOCK = "lock";

/** Messages that wait, a file each, in a folder that one process uses at a time. */
export class OutboxFolder {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Opens a folder, which is made where there is none, and reads what an earlier process left in it.
   * @throws MicroserverError `storage` where another process uses it, or it cannot be read.
   */
  static async open(folder: string): Promise<{ readonly store: OutboxFolder; readonly left: readonly KeptEntry[] }> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await lock(folder);
      const store = new OutboxFolder(folder);
      return { store, left: await store.#load() };
    } catch (error) {
      if (error instanceof MicroserverError) throw error;
      throw failure(folder, error);
    }
  }

  /** Writes an entry, or writes it anew: on disk when it resolves. */
  async put({ id, to, draft, identity, isAlone }: KeptEntry): Promise<void> {
    const path = this.#path(id);
    const head = headOf(
      draft,
      identity,
      new Map<string, Value>([[TO, to], ...(isAlone ? [[ALONE, true] as const] : [])]),
    );
    try {
      const file = await open(`${path}.new`, "w", 0o600);
      try {
        await file.writev([head, draft.rest]);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
      const entries = await open(this.#folder, "r");
      try {
        await entries.sync();
      } finally {
        await entries.close();
      }
    } catch (error) {
      throw failure(this.#folder, error);
    }
  }

  /** Forgets an entry. What is left by a failure is sent again, and dropped by the router. */
  async remove(id: number): Promise<void> {
    await rm(this.#path(id), { force: true }).catch(() => {});
  }

  async close(): Promise<void> {
    await rm(join(this.#folder, LOCK), { force: true }).catch(() => {});
  }

  #path(id: number): string {
    return join(this.#folder, `${String(id).padStart(12, "0")}.message`);
  }

  async #load(): Promise<readonly KeptEntry[]> {
    const found: KeptEntry[] = [];
    for (const name of (await readdir(this.#folder)).sort()) {
      const id = NAME.exec(name)?.[1];
      if (id === undefined) {
        if (name.endsWith(".message.new")) await rm(join(this.#folder, name), { force: true });
        continue;
      }
      const entry = readEntry(Number(id), new Uint8Array(await readFile(join(this.#folder, name))));
      if (entry === null)
        throw new MicroserverError("storage", `Cannot read ${join(this.#folder, name)}: it is no message of an outbox`);
      found.push(entry);
    }
    return found;
  }
}

function readEntry(id: number, bytes: Uint8Array): KeptEntry | null {
  const message = decodeMessage(bytes, { typed: true });
  if (message instanceof WireFailure) return null;
  const { header = {}, deliveryAnnotations, messageAnnotations, properties, applicationProperties, body } = message;
  const to = textOf(deliveryAnnotations?.get(TO));
  const identity = readIdentity(messageAnnotations);
  if (to === null || identity === null || body === undefined) return null;
  const rest = encodeMessage({
    ...(properties !== undefined && { properties }),
    ...(applicationProperties !== undefined && { applicationProperties }),
    body,
  });
  const isAlone = deliveryAnnotations?.get(ALONE) === true;
  return { id, to, identity, isAlone, draft: { header, annotations: messageAnnotations ?? new Map(), rest } };
}

/** Takes the folder for this process; what a process that is gone left does not count. */
async function lock(folder: string): Promise<void> {
  const path = join(folder, LOCK);
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(String(process.pid));
      return await file.close();
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST" || attempt > 3) throw error;
    }
    const pid = Number(await readFile(path, "utf8").catch(() => ""));
    if (isRunning(pid))
      throw new MicroserverError("storage", `Cannot use the outbox ${folder}: process ${pid} uses it`);
    await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

const failure = (folder: string, error: unknown): MicroserverError =>
  new MicroserverError("storage", `Cannot use the outbox ${folder}: ${describeError(error)}`, { cause: error });
