import { createHmac, randomBytes } from "node:crypto";
import { SESSION_KEY_PATTERN } from "@datawire/protocol";
import { describeError, type Logger, type ProblemBoard, readJsonFile, writeFileAtomically } from "@datawire/runtime";
import { z } from "zod";
import type { SessionIds } from "../core/planner/sessions.ts";

/** In the data folder. */
export const SESSION_KEYS_FILE = "session-keys.json";

const fileSchema = z.object({
  /** The first makes the cookies that are set. */
  keys: z.array(z.string().regex(SESSION_KEY_PATTERN)).min(1),
  given: z.boolean(),
});

/** Cookies of so many keys are understood: the one that holds, and those before it. */
const KEYS_MAX = 3;
/** So many ids are kept at hand; then all are made anew as they are asked for. */
const MADE_MAX = 20_000;
const FILE_BYTES_MAX = 64 * 1024;
/** 132 bits in letters that a cookie may have. */
const ID_BYTES = 16;

/**
 * The keys of the cookies of sessions. The directory has one and gives it to its Sherlocks, so that each of them
 * understands the cookies of the others; it is kept, as the table is, for starts without a directory. A Sherlock that was
 * given none, as of an older directory, makes its own when it first needs one.
 */
export class SessionKeys implements SessionIds {
  readonly #path: string | null;
  readonly #log: Logger;
  readonly #board: Pick<ProblemBoard, "set"> | undefined;
  #keys: readonly string[] = [];
  #given = false;
  /** A service is planned anew with each change of it, and has the same ids as before. */
  readonly #made = new Map<string, readonly string[]>();
  #saving: Promise<void> = Promise.resolve();

  /** @param path where they are kept; null for a program that only shows what would be. */
  constructor(
    path: string | null,
    { log, board }: { readonly log: Logger; readonly board?: Pick<ProblemBoard, "set"> },
  ) {
    this.#path = path;
    this.#log = log;
    this.#board = board;
  }

  get shared(): boolean {
    return this.#given;
  }

  /** Takes what is kept in a file; one that cannot be used is as good as none. */
  async load(path: string): Promise<void> {
    const file = await readJsonFile(path, { bytesMax: FILE_BYTES_MAX });
    if (file.state === "missing") return;
    const parsed = file.state === "read" ? fileSchema.safeParse(file.value) : null;
    if (parsed?.success !== true) {
      const reason = file.state === "unusable" ? file.reason : "it is none that Sherlock wrote";
      this.#log.warn("The kept keys of sessions cannot be used", { path, reason });
      return this.#tell(path, `the kept keys of sessions cannot be used: ${reason}`);
    }
    this.#keys = parsed.data.keys;
    this.#given = parsed.data.given;
  }

  /** Takes the key that the directory gives, if it does. @returns whether cookies are others now. */
  take(key: string | undefined): boolean {
    if (key === undefined || (this.#given && this.#keys[0] === key)) return false;
    this.#keys = [key, ...this.#keys.filter((other) => other !== key)].slice(0, KEYS_MAX);
    this.#given = true;
    this.#made.clear();
    this.#save();
    return true;
  }

  of(keeper: string, service: string, instance: string | null): readonly string[] {
    if (this.#keys.length === 0) {
      this.#keys = [randomBytes(32).toString("base64url")];
      this.#save();
    }
    const text = JSON.stringify([keeper, service, instance]);
    const known = this.#made.get(text);
    if (known !== undefined) return known;
    const made = this.#keys.map((key) => {
      const digest = createHmac("sha256", Buffer.from(key, "base64url")).update(text).digest();
      return `s.${digest.subarray(0, ID_BYTES).toString("base64url")}`;
    });
    if (this.#made.size >= MADE_MAX) this.#made.clear();
    this.#made.set(text, made);
    return made;
  }

  /** Resolves when all is kept that is to be. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #tell(path: string, what: string): void {
    const message = `${what}; a start without a directory gives up the sessions that there are`;
    const remedy = "see that the file is this program's own, and that its folder has room";
    this.#board?.set("session keys", [{ subject: path, message, remedy }]);
  }

  #save(): void {
    const path = this.#path;
    if (path === null) return;
    const text = JSON.stringify({ keys: this.#keys, given: this.#given });
    this.#saving = this.#saving.then(async () => {
      try {
        await writeFileAtomically(path, text, { mode: 0o600 });
        this.#board?.set("session keys", []);
      } catch (error) {
        this.#log.error("The keys of sessions are not kept", { path, error: describeError(error) });
        this.#tell(path, `the keys of sessions are not kept: ${describeError(error)}`);
      }
    });
  }
}
