import { Store } from "./store.ts";

/** What was done, told after it was done. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  /** Whether Undo takes it back. */
  readonly isUndoable: boolean;
}

const SHOWN_MAX = 3;

/** The notices that are on the screen, the newest last. */
export class Notices {
  readonly list = new Store<readonly Notice[]>([]);
  #next = 0;

  /** Shows one more. Only the newest change can be undone, so those before lose that. */
  add(text: string, { isUndoable = false } = {}): void {
    const before = this.list.get().map((notice) => ({ ...notice, isUndoable: false }));
    this.list.set([...before, { id: this.#next++, text, isUndoable }].slice(-SHOWN_MAX));
  }

  /** Takes one off the screen. */
  dismiss(id: number): void {
    this.list.set(this.list.get().filter((notice) => notice.id !== id));
  }
}
