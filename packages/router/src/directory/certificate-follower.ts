import { createPublicKey, generateKeyPair, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { CERTIFICATE_NAMES_MAX } from "@datawire/protocol";
import type { LinkHandler, LinkMessage, LinkSession } from "@datawire/link";
import {
  type Clock,
  describeError,
  type Logger,
  type ProblemBoard,
  readJsonFile,
  writeFileAtomically,
} from "@datawire/runtime";
import { z } from "zod";

const file = z.object({ key: z.string(), chain: z.string(), names: z.array(z.string()) });

/** A certificate of the directory's authority, with its key, and the names that were asked for. */
type Certified = z.output<typeof file>;

const FILE_BYTES_MAX = 200_000;
/** Only its owner may read it. */
const MODE = 0o600;
/** A certificate is replaced when this share of its time is over. */
const RENEW_AFTER = 2 / 3;
/** How often it is looked at. */
const LOOK_MS = 3_600_000;
const BOARD = "certificate";

/** What a router wants a certificate for, and who shows it. */
export interface CertificateFollowerDeps {
  readonly clock: Pick<Clock, "nowMs" | "setTimer">;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  /** Host names and addresses that the router is reached by, the one that it is known by first. */
  readonly names: readonly string[];
  readonly show: (tls: { readonly cert: string; readonly key: string }) => void;
}

/** Gets a certificate of the directory's authority, keeps it for the next start, and gets the next one before it ends. */
export class CertificateFollower implements LinkHandler {
  readonly #path: string;
  readonly #deps: CertificateFollowerDeps;
  readonly #names: readonly string[];
  #current: Certified | null = null;
  /** The key that the directory has been asked about. */
  #asked: string | null = null;
  #session: LinkSession | null = null;
  #cancel: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  /** @param path where it is kept. */
  constructor(path: string, deps: CertificateFollowerDeps) {
    this.#path = path;
    this.#deps = deps;
    this.#names = [...new Set(deps.names.map((name) => name.toLowerCase()))].slice(0, CERTIFICATE_NAMES_MAX);
  }

  /** Shows what the last run has left, if it still holds. */
  async load(): Promise<void> {
    const read = await readJsonFile(this.#path, { bytesMax: FILE_BYTES_MAX });
    const parsed = read.state === "read" ? file.safeParse(read.value) : null;
    const kept = parsed?.success === true && fits(parsed.data) ? parsed.data : null;
    if (kept === null || this.#shareOver(kept) >= 1) return this.#tell("it waits for a certificate of the directory");
    this.#current = kept;
    this.#show(kept);
  }

  connected(session: LinkSession): void {
    this.#session = session;
    this.#asked = null;
    this.#look();
  }

  disconnected(): void {
    this.#session = null;
    this.#cancel();
  }

  message(message: LinkMessage): void {
    if (message.type !== "certificate" || this.#asked === null) return;
    const certified = { key: this.#asked, chain: message.chain ?? "", names: [...this.#names] };
    this.#asked = null;
    if (message.chain === null) return this.#tell(`the directory gives it no certificate: ${message.reason ?? ""}`);
    if (!fits(certified)) return this.#tell("what the directory gives it is no certificate of its key");
    this.#current = certified;
    const { reason } = message;
    this.#deps.log.info("Certificate of the directory received", reason === null ? {} : { reason });
    this.#show(certified, reason);
    this.#writing = this.#writing.then(() => this.#write(certified));
  }

  /** Asks for nothing more. Resolves when what is known is on disk, or cannot be. */
  close(): Promise<void> {
    this.#cancel();
    return this.#writing;
  }

  #look(): void {
    this.#cancel();
    this.#cancel = this.#deps.clock.setTimer(LOOK_MS, () => this.#look());
    const current = this.#current;
    // A name that the directory did not know as this machine's yesterday may resolve today.
    const isWhole = current !== null && isSame(current.names, this.#names) && this.#isForHost(current);
    if (isWhole && this.#shareOver(current) < RENEW_AFTER) return;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    if (this.#session?.send({ type: "certify", publicKey, names: [...this.#names] }) === true) this.#asked = privateKey;
  }

  /** How much of its time is over: from 0 to 1, and beyond. */
  #shareOver({ chain }: Certified): number {
    const { validFrom, validTo } = new X509Certificate(chain);
    const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
    return (this.#deps.clock.nowMs() - fromMs) / (toMs - fromMs);
  }

  /** @param reason what the directory says of names that are left out. */
  #show(certified: Certified, reason: string | null = null): void {
    const { chain: cert, key } = certified;
    this.#deps.show({ cert, key });
    if (this.#isForHost(certified)) return this.#deps.board.set(BOARD, []);
    const why = reason ?? `it is not for ${this.#names[0]}`;
    this.#tell(`whoever knows it by names refuses its certificate of the directory: ${why}`);
  }

  /** Whether it is for the name that the router is known by. */
  #isForHost({ chain }: Certified): boolean {
    const [host = ""] = this.#names;
    const certificate = new X509Certificate(chain);
    return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
  }

  async #write(certified: Certified): Promise<void> {
    try {
      await writeFileAtomically(this.#path, `${JSON.stringify(certified)}\n`, { mode: MODE });
    } catch (error) {
      this.#tell(`its certificate cannot be kept in ${this.#path}: ${describeError(error)}`);
    }
  }

  #tell(why: string): void {
    const remedy =
      "a token made with `--hosts` says what it may be for, and `tls: { cert, key }` in router.yaml names certificates of your own";
    this.#deps.board.set(BOARD, [{ subject: "AMQP over TLS", message: why, remedy }]);
  }
}

/** Whether the certificate is of the key. */
function fits({ chain, key }: Certified): boolean {
  try {
    const { publicKey } = new X509Certificate(chain);
    const own = createPublicKey(key).export({ type: "spki", format: "der" });
    return own.equals(publicKey.export({ type: "spki", format: "der" }));
  } catch {
    return false;
  }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join(" ") === b.join(" ");
