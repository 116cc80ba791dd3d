import { type RouterToken, type ReportedProblem, routerTokenSchema } from "@datawire/protocol";
import type { LinkHandler, LinkMessage } from "@datawire/link";
import { describeError, type Logger, type ProblemBoard, readJsonFile, writeFileAtomically } from "@datawire/runtime";
import { z } from "zod";

const file = z.object({ asks: z.boolean(), tokens: z.array(routerTokenSchema) });

/** Who may send and receive, as the directory has said. */
export type DirectoryAccess = z.output<typeof file>;

/** 10,000 tokens, of which each has some lists of patterns. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Only its owner may read it. */
const MODE = 0o600;
const BOARD = "access";

/** What follows it, and who is told. */
export interface AccessFollowerDeps {
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  readonly onAccess: (access: DirectoryAccess) => void;
}

/** Follows who may send and receive, and keeps it for the next start. */
export class AccessFollower implements LinkHandler {
  readonly #path: string;
  readonly #deps: AccessFollowerDeps;
  #parts: RouterToken[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param path where it is kept. */
  constructor(path: string, deps: AccessFollowerDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  /** Tells what was known last. */
  async load(): Promise<void> {
    const read = await readJsonFile(this.#path, { bytesMax: FILE_BYTES_MAX });
    if (read.state === "missing") return;
    const parsed = read.state === "read" ? file.safeParse(read.value) : null;
    if (parsed?.success === true) return this.#deps.onAccess(parsed.data);
    const reason = read.state === "unusable" ? read.reason : "it holds something else";
    this.#tell(`cannot be used (${reason}): nobody with a token is let in before the directory is reached`);
  }

  connected(): void {
    this.#parts = [];
  }

  disconnected(): void {
    this.#parts = [];
  }

  message(message: LinkMessage): void {
    if (message.type !== "access") return;
    if (message.part === 0) this.#parts = [];
    this.#parts.push(...message.tokens);
    if (!message.last) return;
    const access: DirectoryAccess = { asks: message.asks, tokens: this.#parts };
    this.#parts = [];
    this.#deps.onAccess(access);
    this.#writing = this.#writing.then(() => this.#write(access));
  }

  /** Resolves when what is known is on disk, or cannot be. */
  saved(): Promise<void> {
    return this.#writing;
  }

  async #write(access: DirectoryAccess): Promise<void> {
    try {
      await writeFileAtomically(this.#path, `${JSON.stringify(access)}\n`, { mode: MODE });
      this.#deps.board.set(BOARD, []);
    } catch (error) {
      this.#tell(`cannot be written: ${describeError(error)}; after a restart older rights would hold`);
    }
  }

  #tell(message: string): void {
    const problem: ReportedProblem = { subject: this.#path, message, severity: "error" };
    this.#deps.log.error("The rights cannot be kept", { path: this.#path, reason: message });
    this.#deps.board.set(BOARD, [problem]);
  }
}
