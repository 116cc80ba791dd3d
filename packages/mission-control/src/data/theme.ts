import { Store } from "./store.ts";

/** How the console is coloured. */
export type Theme = "light" | "dark";

const KEY = "datawire-theme";

/** The theme: the system's until one is chosen, which is then kept in this browser. */
export class Themes {
  readonly theme: Store<Theme>;

  constructor() {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const system = (): Theme => (dark.matches ? "dark" : "light");
    this.theme = new Store(chosen() ?? system());
    dark.addEventListener("change", () => {
      if (chosen() === null) this.#show(system());
    });
    this.#show(this.theme.get());
  }

  /** Chooses the other one. */
  readonly toggle = (): void => {
    const theme = this.theme.get() === "dark" ? "light" : "dark";
    try {
      window.localStorage.setItem(KEY, theme);
    } catch {
      // Storage is switched off: the choice holds until the page is left.
    }
    this.#show(theme);
  };

  #show(theme: Theme): void {
    document.documentElement.dataset["theme"] = theme;
    this.theme.set(theme);
  }
}

function chosen(): Theme | null {
  try {
    const text = window.localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : null;
  } catch {
    return null;
  }
}
