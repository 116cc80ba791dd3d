import { ACCESS_PART_TOKENS, type RouterToken, type ServerMessage } from "@datawire/protocol";

/** Who may send and receive, as routers are told. */
export interface RouterAccess {
  /** Whether anybody is asked who they are. */
  readonly asks: boolean;
  readonly tokens: readonly RouterToken[];
}

/** Tells one router who may send and receive, and again whenever that changes. */
export class AccessStream {
  readonly #access: () => RouterAccess | null;
  readonly #send: (message: ServerMessage) => void;
  #told: string | null = null;

  /** @param access what holds now; null while that is not known. */
  constructor(access: () => RouterAccess | null, send: (message: ServerMessage) => void) {
    this.#access = access;
    this.#send = send;
  }

  /** Says what is new, if anything is. */
  tell(): void {
    const access = this.#access();
    if (access === null) return;
    const text = JSON.stringify(access);
    if (text === this.#told) return;
    this.#told = text;
    const { asks, tokens } = access;
    const parts = Math.max(1, Math.ceil(tokens.length / ACCESS_PART_TOKENS));
    for (let part = 0; part < parts; part++) {
      const from = part * ACCESS_PART_TOKENS;
      const some = tokens.slice(from, from + ACCESS_PART_TOKENS);
      this.#send({ type: "access", asks, part, last: part === parts - 1, tokens: some });
    }
  }
}
