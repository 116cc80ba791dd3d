import type { TopKey } from "../core/top-state.ts";
import type { Screen } from "../context/screen.ts";

/** A screen that keeps what it was last told to show. */
export class FakeScreen implements Screen {
  readonly width: number;
  readonly height: number;
  lines: readonly string[] = [];
  isOpen = true;
  /** Called whenever the command waits for the next look. */
  readonly waited: (screen: FakeScreen) => void;
  #key: (key: TopKey) => void = () => {};

  constructor({ width = 80, height = 24 }: Partial<Pick<Screen, "width" | "height">>, waited: FakeScreen["waited"]) {
    this.width = width;
    this.height = height;
    this.waited = waited;
  }

  paint(_style: unknown, text: string): string {
    return text;
  }

  draw(lines: readonly string[]): void {
    this.lines = lines;
  }

  onKey(listener: (key: TopKey) => void): void {
    this.#key = listener;
  }

  onResize(): void {}

  press(...keys: readonly TopKey[]): void {
    for (const key of keys) this.#key(key);
  }

  close(): void {
    this.isOpen = false;
  }
}
