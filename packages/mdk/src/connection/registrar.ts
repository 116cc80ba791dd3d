import { instanceKey, type Registration as Said } from "@datawire/protocol";
import type { LinkMessage, LinkSession } from "@datawire/link";
import { MdkError } from "../session/mdk-error.ts";
import type { SessionClock } from "../session/time.ts";

/** An instance that is registered until it is taken back. */
export interface Registration extends AsyncDisposable {
  /** Resolves when a directory has it; rejects with an MdkError when one refuses it. */
  readonly registered: Promise<void>;
  /** Takes it back; resolves when the directories that are connected have confirmed that. */
  deregister(): Promise<void>;
}

interface Entry {
  readonly said: Said;
  resolve(): void;
  reject(error: MdkError): void;
}

/** What one directory was told over one link. */
interface Told {
  seq: number;
  confirmed: number;
  /** Null until the whole set was stated. */
  instances: Map<string, Entry> | null;
  isDue: boolean;
  cancelRetry: () => void;
}

/** Keeps all directories told of what this process has registered: the whole set on each link, then what changes. */
export class Registrar {
  readonly #clock: SessionClock;
  readonly #wanted = new Map<string, Entry>();
  readonly #links = new Map<LinkSession, Told>();
  readonly #confirmations = new Set<() => void>();
  /** A library that never registered anything says nothing of instances. */
  #hasRegistered = false;

  constructor(clock: SessionClock) {
    this.#clock = clock;
  }

  /** Registers an instance; one of the same name is replaced. */
  register(said: Said): Registration {
    const { promise, resolve, reject } = withResolvers();
    // Whoever does not look at it must not be ended by it.
    promise.catch(() => {});
    const key = instanceKey(said);
    const entry: Entry = { said, resolve, reject };
    const replaced = this.#wanted.get(key);
    replaced?.reject(new MdkError("conflict", `Registration of ${key} was replaced by another one of this process`));
    this.#wanted.set(key, entry);
    this.#hasRegistered = true;
    this.#changed();
    const deregister = async (): Promise<void> => {
      if (this.#wanted.get(key) !== entry) return;
      this.#wanted.delete(key);
      entry.reject(new MdkError("stopped", `Registration of ${key} was taken back`));
      this.#changed();
      await this.#settled();
    };
    return { registered: promise, deregister, [Symbol.asyncDispose]: deregister };
  }

  /** Takes everything back, and resolves when that is confirmed wherever there is a link. */
  async withdraw(): Promise<void> {
    this.fail(new MdkError("stopped", "The library is stopped"));
    this.#wanted.clear();
    this.#changed();
    await this.#settled();
  }

  /** Tells those who wait for their registration that it does not come. */
  fail(error: MdkError): void {
    for (const { reject } of this.#wanted.values()) reject(error);
  }

  connected(link: LinkSession): void {
    const told: Told = { seq: 0, confirmed: 0, instances: null, isDue: false, cancelRetry: () => {} };
    this.#links.set(link, told);
    this.#tellSoon(link, told);
  }

  disconnected(link: LinkSession): void {
    this.#links.get(link)?.cancelRetry();
    this.#links.delete(link);
    this.#look();
  }

  message(link: LinkSession, message: LinkMessage): void {
    const told = this.#links.get(link);
    if (told === undefined) return;
    if (message.type === "registered") this.#confirmed(link, told, message);
    else if (message.type === "error" && told.confirmed < told.seq && isAboutRegistering(message.message))
      this.#refused(told, message);
  }

  #changed(): void {
    for (const [link, told] of this.#links) this.#tellSoon(link, told);
  }

  /** What is registered in one go goes in one message. */
  #tellSoon(link: LinkSession, told: Told): void {
    if (told.isDue) return;
    told.isDue = true;
    queueMicrotask(() => {
      told.isDue = false;
      if (this.#links.get(link) === told) this.#tell(link, told);
    });
  }

  #tell(link: LinkSession, told: Told): void {
    if (!this.#hasRegistered) return;
    const before = told.instances;
    const wanted = new Map(this.#wanted);
    const changed = [...wanted].filter(([key, entry]) => before?.get(key) !== entry);
    const instances = changed.map(([, { said }]) => said);
    const gone = [...(before?.keys() ?? [])].filter((key) => !wanted.has(key));
    if (before !== null && instances.length === 0 && gone.length === 0) return this.#look();
    const { seq } = told;
    const sent =
      before === null
        ? link.send({ type: "register", seq, instances })
        : link.send({ type: "update", seq, instances, gone });
    if (!sent) return;
    told.seq += 1;
    told.instances = wanted;
  }

  #confirmed(link: LinkSession, told: Told, { seq, refused }: Extract<LinkMessage, { type: "registered" }>): void {
    told.confirmed = Math.max(told.confirmed, seq + 1);
    const left = new Map(refused.map((one) => [one.instance, one]));
    for (const [key, entry] of told.instances ?? []) {
      const refusal = left.get(key);
      if (refusal !== undefined) entry.reject(new MdkError(refusal.code, refusal.message));
      else if (told.confirmed === told.seq) entry.resolve();
    }
    if (left.size > 0) this.#tryAgain(link, told, [...left.keys()]);
    this.#look();
  }

  /** The directory took nothing of a message. */
  #refused(told: Told, { code, message }: Extract<LinkMessage, { type: "error" }>): void {
    told.confirmed = told.seq;
    for (const entry of told.instances?.values() ?? []) entry.reject(new MdkError(code, message));
    this.#look();
  }

  /** What stands in the way may be gone after a lease: another holder of the name, say. */
  #tryAgain(link: LinkSession, told: Told, keys: readonly string[]): void {
    told.cancelRetry();
    told.cancelRetry = this.#clock.setTimer(link.welcome.leaseMs, () => {
      for (const key of keys) told.instances?.delete(key);
      this.#tellSoon(link, told);
    });
  }

  /** Resolves when every directory that is connected has confirmed the set as it is now. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (![...this.#links.values()].every((told) => !told.isDue && told.confirmed >= told.seq)) return;
        this.#confirmations.delete(look);
        resolve();
      };
      this.#confirmations.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#confirmations) look();
  }
}

/** A refusal does not say of which message it is, but for its words. */
const isAboutRegistering = (message: string): boolean =>
  /^Cannot (?:register|take (?:an? )?(?:register|update))\b/.test(message);

/** As `Promise.withResolvers`, which Node 20 has not. */
function withResolvers() {
  let resolve!: () => void;
  let reject!: (error: MdkError) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
